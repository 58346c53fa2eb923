// A stand-in for the library that Wine before version 9 lacks, and that Go's runtime takes its randomness from. Only for tests.
#include <stddef.h>

typedef unsigned char byte;
byte __stdcall SystemFunction036(void *buffer, unsigned long length); // RtlGenRandom of advapi32

__declspec(dllexport) int __stdcall ProcessPrng(byte *data, size_t length) {
  return SystemFunction036(data, (unsigned long)length);
}
