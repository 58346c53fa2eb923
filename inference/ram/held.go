package ram

// held is what a process adds to what it can still take, on a system that counts two things for it: memory (what is free, and what it holds
// of it, pages of files included) and promises of memory (what may still be promised, and what was promised to it). It may hold in all
// what both allow.
func held(free, resident, left, promised int64) int64 {
	return min(free+resident, left+promised) - min(free, left)
}
