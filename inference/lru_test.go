package inference

import "testing"

// A limit that is lower than before takes away what is above it, with the next value.
func TestFewAreKeptAfterMany(t *testing.T) {
	c := lru[int, int]{limit: 30}
	for n := range 25 {
		c.put(n, n)
	}
	c.limit = 16
	for n := range 10 {
		c.put(100+n, n)
		if len(c.entries) != 16 || c.entries[0].key != 10+n || c.entries[15].key != 100+n {
			t.Fatalf("after %d: %v", n+1, c.entries)
		}
	}
}
