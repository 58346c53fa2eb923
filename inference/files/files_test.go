package files

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestFree(t *testing.T) {
	dir := t.TempDir()
	here, err := Free(dir)
	if err != nil || here <= 0 {
		t.Fatalf("%d bytes, %v", here, err)
	}
	if _, err := Free(filepath.Join(dir, "not", "yet")); err != nil {
		t.Errorf("a folder that does not exist yet: %v", err)
	}
	if err := Fits(dir, 1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	err = Fits(dir, math.MaxInt64)
	var full *FullError
	if !errors.As(err, &full) || full.Need != math.MaxInt64 || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "free up space") {
		t.Errorf("everything: %v", err)
	}
}
