package keep_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"realword/inference/keep"
	"realword/inference/tensor"
)

func aTensor(n int) *tensor.Tensor {
	t := tensor.Zeros(1, n, 2)
	for i := range t.F32 {
		t.F32[i] = float32(i) / 7
	}
	t.F32[0] = math.Float32frombits(0x80000000) // bits, not values
	return t
}

func same(a, b *tensor.Tensor) bool {
	return a != nil && slices.Equal(a.Shape, b.Shape) && slices.EqualFunc(a.F32, b.F32, func(x, y float32) bool {
		return math.Float32bits(x) == math.Float32bits(y)
	})
}

func kept(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// What was put is found to the bit by whoever asks for its key, and for no other; its file is for nobody else.
func TestKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	f, want := keep.New(dir, 1<<20), aTensor(5)
	if f.Get("one") != nil {
		t.Error("found before it was kept")
	}
	if err := f.Put("one", want); err != nil {
		t.Fatal(err)
	}
	again := keep.New(dir, 1<<20)
	if !same(again.Get("one"), want) || again.Get("two") != nil {
		t.Errorf("kept %v, found %v and %v", want, again.Get("one"), again.Get("two"))
	}
	files := kept(t, dir)
	if len(files) != 1 {
		t.Fatal(files)
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{files[0]: 0o600, dir: 0o700} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
	}
	var nothing *keep.Folder
	if nothing.Put("one", want) != nil || nothing.Get("one") != nil {
		t.Error("no folder keeps something")
	}
}

// A file with any byte changed, cut anywhere, or of another key is not there, and is made good by the next Put.
func TestDamageIsNotThere(t *testing.T) {
	dir := t.TempDir()
	f, want := keep.New(dir, 1<<20), aTensor(3)
	if err := f.Put("one", want); err != nil {
		t.Fatal(err)
	}
	path := kept(t, dir)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for at := range whole {
		bad := slices.Clone(whole)
		bad[at] ^= 1
		write(bad)
		if f.Get("one") != nil {
			t.Fatalf("found with byte %d changed", at)
		}
		write(whole[:at])
		if f.Get("one") != nil {
			t.Fatalf("found with %d bytes", at)
		}
	}
	if err := f.Put("two", want); err != nil {
		t.Fatal(err)
	}
	for _, other := range kept(t, dir) {
		if other != path {
			if err := os.Rename(other, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	if f.Get("one") != nil {
		t.Error("another key's tensor is found")
	}
	if err := f.Put("one", want); err != nil || !same(f.Get("one"), want) {
		t.Error("it is not made good:", err)
	}
	bad := aTensor(3)
	bad.F32[1] = float32(math.NaN())
	if err := f.Put("one", bad); err != nil || f.Get("one") != nil {
		t.Error("a tensor with NaN is found:", err)
	}
}

// There are never more bytes than the limit, what was read longest ago goes first, and what others have there stays.
func TestTheOldestGo(t *testing.T) {
	dir := t.TempDir()
	strange := filepath.Join(dir, "strange.txt")
	if err := os.WriteFile(strange, make([]byte, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	f := keep.New(dir, 3300) // three of about a thousand bytes
	for i := range 3 {
		if err := f.Put(fmt.Sprint(i), aTensor(110)); err != nil {
			t.Fatal(err)
		}
		for n, path := range kept(t, dir) { // all older than what comes
			if path != strange {
				old := time.Now().Add(-time.Hour + time.Duration(n)*time.Second)
				if err := os.Chtimes(path, old, old); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if f.Get("0") == nil || f.Get("2") == nil {
		t.Fatal("gone before the limit")
	}
	if err := f.Put("3", aTensor(110)); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"0": true, "1": false, "2": true, "3": true} {
		if have := f.Get(key) != nil; have != want {
			t.Errorf("%s is kept: %v", key, have)
		}
	}
	if err := f.Put("huge", aTensor(2000)); err != nil || f.Get("huge") != nil || f.Get("3") == nil {
		t.Error("one that is larger than the limit:", err)
	}
	if _, err := os.Stat(strange); err != nil {
		t.Error(err)
	}
}

// Many at a time never see half a tensor.
func TestManyAtATime(t *testing.T) {
	dir, want := t.TempDir(), aTensor(5000)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			f := keep.New(dir, 100_000) // two
			for i := range 20 {
				key := fmt.Sprint(i % 3)
				if err := f.Put(key, want); err != nil {
					t.Error(err)
				}
				if got := f.Get(key); got != nil && !same(got, want) {
					t.Error("half a tensor")
				}
			}
		})
	}
	all.Wait()
}

// A place where nothing can be written is an error, and no tensor.
func TestNoPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := keep.New(filepath.Join(path, "folder"), 1<<20)
	if f.Put("one", aTensor(1)) == nil || f.Get("one") != nil {
		t.Error("something is kept in a file")
	}
}
