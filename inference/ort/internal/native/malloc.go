package native

/*
#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
static void give_back(size_t from) { mallopt(M_MMAP_THRESHOLD, from); }
#else
static void give_back(size_t from) { (void)from; }
#endif
*/
import "C"

// largeBlock is the size from which the C library takes memory from the system and gives it back at once.
const largeBlock = 8 << 20

// GiveBack makes the C library return large blocks to the system as soon as they are freed. By default glibc keeps blocks of up
// to 32 MiB once it has seen some, and a decoder's maps then leave holes of hundreds of megabytes behind.
func GiveBack() { C.give_back(largeBlock) }
