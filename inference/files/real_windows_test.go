package files

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReal: a path leads through links, junctions and other writings to one and the same.
func TestReal(t *testing.T) {
	for given, want := range map[string]string{
		`\\?\C:\Modelle\x.safetensors`: `C:\Modelle\x.safetensors`, `\\?\UNC\server\share\x`: `\\server\share\x`, `\\?\C:\`: `C:\`,
	} {
		if got := plain(given); got != want {
			t.Errorf("%s: %s", given, got)
		}
	}
	dir, err := Real(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "Größe 田")
	file := filepath.Join(folder, "x.bin")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := Real(file); err != nil || got != file {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Real(filepath.Join(folder, "y.bin")); !os.IsNotExist(err) {
		t.Errorf("what is not there: %v", err)
	}
	junction := filepath.Join(dir, "junction")
	out, err := exec.Command("cmd", "/c", "mklink", "/J", junction, folder).CombinedOutput()
	if _, no := os.Stat(junction); no != nil { // Wine 8 says that it made one
		t.Skipf("no junction: %v, %v, %s", err, no, out)
	}
	if got, err := Real(filepath.Join(junction, "x.bin")); err != nil || got != file {
		t.Errorf("through a junction: %s, %v", got, err)
	}
}
