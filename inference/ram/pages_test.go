package ram

import "testing"

// A Mac of 16 GB with 12 of them in use has 4 left, and what a process takes moves from there to its footprint; files that it maps do not.
func TestPagesOfAMac(t *testing.T) {
	const size, gb = 16 << 10, 1 << 30
	const n = gb / size // pages of a GB
	rusage := func(own uint64) []uint64 {
		return []uint64{1, 2, 11, 12, 13, 14, 15, 3 * gb, 5 * gb, own, 16, 17, 0, 0}
	}
	for name, c := range map[string]struct {
		p    pages
		own  uint64
		left int64
	}{
		"at first":             {pages{free: n / 2, files: 3 * n, purgeable: n / 2}, gb, 4 * gb},
		"a GB more of its own": {pages{free: n / 4, files: 9 * n / 4, purgeable: n / 2}, 2 * gb, 3 * gb},
		"a GB more of files":   {pages{free: 0, files: 7 * n / 2, purgeable: n / 2}, gb, 4 * gb},
	} {
		left, own := c.p.left(size), footprint(rusage(c.own))
		if left != c.left || left+own != 5*gb {
			t.Errorf("%s: %d left, %d its own", name, left, own)
		}
	}
	if own := footprint(nil); own != 0 {
		t.Errorf("of nothing: %d", own)
	}
}
