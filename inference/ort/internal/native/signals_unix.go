//go:build !windows

package native

/*
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNALS = 64 };

static struct sigaction *signals_save(void) {
  struct sigaction *saved = calloc(SIGNALS + 1, sizeof *saved);
  for (int s = 1; saved != NULL && s <= SIGNALS; s++) sigaction(s, NULL, &saved[s]);
  return saved;
}

// Only handlers that have changed are set again: most signals never do, and some cannot be set.
static void signals_restore(struct sigaction *saved) {
  for (int s = 1; saved != NULL && s <= SIGNALS; s++) {
    struct sigaction now;
    if (sigaction(s, NULL, &now) == 0 && (now.sa_sigaction != saved[s].sa_sigaction || now.sa_flags != saved[s].sa_flags)) {
      sigaction(s, &saved[s], NULL);
    }
  }
  free(saved);
}
*/
import "C"

// KeepSignals runs f and then puts the process's signal handlers back: CUDA's driver sets handlers of its own without
// SA_ONSTACK, and Go's runtime dies of the next signal that one of them takes.
func KeepSignals(f func()) {
	saved := C.signals_save()
	defer C.signals_restore(saved)
	f()
}
