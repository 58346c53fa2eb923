package native

/*
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GUARDED = 256 };

static _Atomic unsigned long guarded[GUARDED]; // inodes, 0 for none
static _Atomic long lost[GUARDED];
static _Atomic long lost_ever;
static struct sigaction before;

static int slot_of(unsigned long inode) {
  for (int i = 0; i < GUARDED; i++) {
    if (guarded[i] == inode) return i;
  }
  return -1;
}

// Puts zeros in place of the mapping around an address, if it is of a guarded file. It runs in a signal handler: system calls only.
static int replace(uintptr_t address) {
  int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return 0;
  // Lines are "start-end permissions offset device inode path".
  enum { START, END, PERMISSIONS, OFFSET, DEVICE, INODE, PATH } field = START;
  uintptr_t start = 0, end = 0;
  unsigned long inode = 0;
  int found = 0;
  char buffer[1024];
  for (ssize_t n; !found && (n = read(maps, buffer, sizeof buffer)) > 0;) {
    for (ssize_t i = 0; i < n; i++) {
      char c = buffer[i];
      if (field == START || field == END) {
        uintptr_t *to = field == START ? &start : &end;
        if (c == '-' || c == ' ') field++;
        else *to = *to << 4 | (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
      } else if (c == '\n') {
        if (start <= address && address < end) {
          found = 1;
          break;
        }
        field = START, start = end = inode = 0;
      } else if (field == INODE && c >= '0' && c <= '9') {
        inode = 10 * inode + (unsigned long)(c - '0');
      } else if (field < PATH && c == ' ') {
        field++;
      }
    }
  }
  close(maps);
  if (!found) return 0;
  if (inode == 0) return lost_ever > 0; // another thread was here first
  int slot = slot_of(inode);
  if (slot < 0) return 0;
  lost[slot]++;
  lost_ever++;
  return mmap((void *)start, end - start, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

static void on_bus_error(int sig, siginfo_t *info, void *context) {
  int saved = errno;
  int done = info->si_code == BUS_ADRERR && replace((uintptr_t)info->si_addr);
  errno = saved;
  if (done) return; // and the instruction is tried again
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(sig, info, context);
  } else {
    sigaction(sig, &before, NULL); // which ends the process when the instruction is tried again
  }
}

static int guard_start(void) {
  struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  sigfillset(&action.sa_mask);
  return sigaction(SIGBUS, &action, &before);
}

static void guard_set(int slot, unsigned long inode) { guarded[slot] = inode; }
static long guard_lost(int slot) { return lost[slot]; }
*/
import "C"

import (
	"os"
	"sync"
	"syscall"
)

var guard struct {
	sync.Mutex
	started bool
	inodes  [C.GUARDED]uint64
	uses    [C.GUARDED]int
}

// Guarded is a file whose loss the process survives.
type Guarded struct {
	slot int // -1: it is not guarded
	lost C.long
}

// Guard lets the process survive when a mapped file cannot be read any more: it was cut short, or its drive was unplugged. The
// system then sends a signal in the middle of the library's work; what was mapped becomes zeros, and the run goes on.
func Guard(f *os.File) *Guarded {
	none := &Guarded{slot: -1}
	info, err := f.Stat()
	if err != nil {
		return none
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return none
	}
	guard.Lock()
	defer guard.Unlock()
	if !guard.started && C.guard_start() != 0 {
		return none
	}
	guard.started = true
	slot := -1
	for i, inode := range guard.inodes {
		if guard.uses[i] > 0 && inode == stat.Ino {
			slot = i
			break
		}
		if slot < 0 && guard.uses[i] == 0 {
			slot = i
		}
	}
	if slot < 0 {
		return none
	}
	guard.inodes[slot] = stat.Ino
	guard.uses[slot]++
	C.guard_set(C.int(slot), C.ulong(stat.Ino))
	return &Guarded{slot, C.guard_lost(C.int(slot))}
}

// Lost tells whether a part of the file was lost since Guard: who mapped it has computed with zeros, and will.
func (g *Guarded) Lost() bool { return g.slot >= 0 && C.guard_lost(C.int(g.slot)) != g.lost }

// Release ends the guard, when nothing of the file is mapped any more. It is called once.
func (g *Guarded) Release() {
	if g.slot < 0 {
		return
	}
	guard.Lock()
	defer guard.Unlock()
	if guard.uses[g.slot]--; guard.uses[g.slot] == 0 {
		C.guard_set(C.int(g.slot), 0)
	}
}
