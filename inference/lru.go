package inference

import "slices"

// lru keeps the most recently used values, up to a limit. It is not safe for concurrent use.
type lru[K comparable, V any] struct {
	limit   int
	entries []lruEntry[K, V] // the most recently used last
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

func (c *lru[K, V]) get(key K) (value V, ok bool) {
	i := slices.IndexFunc(c.entries, func(e lruEntry[K, V]) bool { return e.key == key })
	if i < 0 {
		return value, false
	}
	e := c.entries[i]
	c.entries = append(slices.Delete(c.entries, i, i+1), e)
	return e.value, true
}

// put adds a key that is not there. The limit may be lower than it was.
func (c *lru[K, V]) put(key K, value V) {
	if more := len(c.entries) + 1 - c.limit; more > 0 {
		c.entries = slices.Delete(c.entries, 0, min(more, len(c.entries)))
	}
	c.entries = append(c.entries, lruEntry[K, V]{key, value})
}
