package files

import (
	"os"
	"slices"
	"time"
)

// Kept is a file or a folder that is kept for as long as there is room for it.
type Kept struct {
	Path string
	Size int64
	Used time.Time // last
}

// Trim removes what was used longest ago, until the rest takes no more than limit bytes. What cannot be removed is passed over; the error
// is the first of these.
func Trim(list []Kept, limit int64) (first error) {
	size := int64(0)
	for _, k := range list {
		size += k.Size
	}
	for _, k := range slices.SortedFunc(slices.Values(list), func(a, b Kept) int { return a.Used.Compare(b.Used) }) {
		if size <= limit {
			break
		}
		if err := os.RemoveAll(k.Path); err == nil {
			size -= k.Size
		} else if first == nil {
			first = err
		}
	}
	return first
}
