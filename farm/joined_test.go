package farm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestADamagedFarmIsNotTheOwn: the jobs of a computer whose farm cannot be read go to no other one.
func TestADamagedFarmIsNotTheOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	if _, _, err := Farm(dir, "x"); !errors.Is(err, ErrNone) {
		t.Errorf("without one: %v", err)
	}
	if err := Join(dir, b.own()); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "{", `{"server": ""}`} {
		if err := os.WriteFile(filepath.Join(dir, "existing.json"), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if j, _, err := Farm(dir, "x"); err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("%q: its jobs go to %+v, %v", data, j, err)
		}
	}
	if err := JoinServer(dir, "nats://10.0.0.5:4222", ""); err != nil {
		t.Fatal(err)
	}
	if j, _, err := Farm(dir, "x"); err != nil || j.Own || j.Server != "nats://10.0.0.5:4222" {
		t.Errorf("joined again: %+v, %v", j, err)
	}
}
