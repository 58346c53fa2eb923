package ram

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestControlGroups(t *testing.T) {
	root := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self := filepath.Join(root, "self")
	put("self", "0::/a/b\n")
	want := func(what string, n, most int64) {
		t.Helper()
		if got, least := control(root, self); got != n || least != most {
			t.Errorf("%s: %d left of %d, wanted %d of %d", what, got, least, n, most)
		}
	}
	want("no limit", math.MaxInt64, math.MaxInt64)
	put("a/b/memory.max", "max\n")
	put("a/b/memory.current", "5000\n")
	want("unlimited", math.MaxInt64, math.MaxInt64)
	put("a/memory.max", "9000\n")
	put("a/memory.current", "7000\n")
	want("a group around it", 2000, 9000)
	put("a/memory.stat", "anon 1\ninactive_file 300\nactive_file 40\n")
	want("with pages of files", 2340, 9000)
	put("memory/memory.limit_in_bytes", "1000\n")
	put("memory/memory.usage_in_bytes", "100\n")
	want("version 1", 900, 1000)
}
