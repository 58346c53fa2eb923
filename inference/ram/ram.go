// Package ram tells how much memory this process may still take, so that a run that would not fit can be refused before it
// starts: Linux does not refuse memory, it kills the process that has most of it.
//
// Contract: Available, Used and Total ask the system at every call and change nothing.
package ram

// Unknown is what a system counts as that does not tell.
const Unknown = 8 << 30

// Available returns the bytes that this process can still take without another having to give way: what the system calls
// available, and no more than what is left of the limits that the process is under. Pages of files do not count as taken.
func Available() int64 { return max(0, available()) }

// Total returns the bytes that this process could take if nobody else wanted any: the memory of the machine, or the limit that the process
// is under. It is 0 where the system does not tell.
func Total() int64 { return max(0, total()) }

// Used returns the bytes that this process holds of what Available would have without it, 0 where the system does not tell: not the
// pages of files, which Available has anyway, but on Windows those that are mapped, too.
func Used() int64 { return used() }
