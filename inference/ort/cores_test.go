package ort

import (
	"encoding/binary"
	"slices"
	"testing"
)

// What Windows says of four cores, two of which have two threads, and of something else in between.
func TestCoresOfWindows(t *testing.T) {
	record := func(kind, size uint32) []byte {
		out := make([]byte, size)
		binary.LittleEndian.PutUint32(out, kind)
		binary.LittleEndian.PutUint32(out[4:], size)
		return out
	}
	whole := slices.Concat(record(0, 48), record(0, 48), record(3, 80), record(0, 64), record(0, 48))
	if n := coresOf(whole); n != 4 {
		t.Errorf("%d cores", n)
	}
	for end := range whole {
		_ = coresOf(whole[:end:end])
	}
	for name, broken := range map[string][]byte{"nothing": nil, "a record without a size": make([]byte, 64), "a size beyond the end": record(0, 48)[:40]} {
		if n := coresOf(broken); n != 0 {
			t.Errorf("%s: %d cores", name, n)
		}
	}
}

func TestAProcessHasNoMoreCoresThanProcessors(t *testing.T) {
	for _, c := range [][3]int{{8, 16, 8}, {8, 4, 4}, {0, 6, 6}, {4, 4, 4}} {
		if n := coresFor(c[0], c[1]); n != c[2] {
			t.Errorf("%d cores, %d processors allowed: %d threads, want %d", c[0], c[1], n, c[2])
		}
	}
}
