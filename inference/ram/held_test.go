package ram

import "testing"

// What a process takes moves from what is free to what it holds, and the sum stays, whichever of the two limits it meets.
func TestWhatIsHeldAndWhatIsFreeAreOneSum(t *testing.T) {
	const gb = 1 << 30
	for name, c := range map[string]struct{ free, left, sum int64 }{
		"memory ends first":   {10 * gb, 20 * gb, 12 * gb},
		"promises end first":  {10 * gb, 6 * gb, 9 * gb},
		"in between":          {10 * gb, 9 * gb, 12 * gb},
		"nothing is promised": {10 * gb, 0, 3 * gb},
	} {
		const resident, promised = 2 * gb, 3 * gb
		for _, taken := range []int64{0, min(c.free, c.left)} { // nothing more, and all that there is
			free, left := c.free-taken, c.left-taken
			if sum := min(free, left) + held(free, resident+taken, left, promised+taken); sum != c.sum {
				t.Errorf("%s, %d taken: %d in all, want %d", name, taken, sum, c.sum)
			}
		}
		// Pages of files that it maps are of its memory, and nobody has promised them.
		mapped := c.free / 2
		free := c.free - mapped
		if sum := min(free, c.left) + held(free, resident+mapped, c.left, promised); sum != c.sum {
			t.Errorf("%s, half of it mapped: %d in all, want %d", name, sum, c.sum)
		}
	}
}
