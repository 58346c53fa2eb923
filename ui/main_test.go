package ui

import (
	"testing"

	"realword/ui/uitest"
)

func TestMain(m *testing.M) { uitest.Main(m) }
