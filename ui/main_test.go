package ui

import (
	"os"
	"testing"
	"time"
)

// TestMain sets the time zone that the pictures of testdata were drawn in, before anything runs: time.Now reads
// time.Local, so a test that set it would race with whatever another test has left running.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}
