package files

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestAFolderThatIsFilledForLong: one large file of a model may take longer than what is left over may be old.
func TestAFolderThatIsFilledForLong(t *testing.T) {
	dir := t.TempDir()
	folder, done, err := Mkdir(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(folder, "weights")
	if err := os.WriteFile(weights, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	age(t, weights, time.Hour)
	age(t, folder, time.Hour)
	if abandoned(folder) {
		t.Error("it would be swept away while somebody fills it")
	}
	done()
	if !abandoned(folder) {
		t.Error("it would stay for ever")
	}
	if left := names(t, dir); len(left) != 1 {
		t.Errorf("there are %q", left)
	}
}
