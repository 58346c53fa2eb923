package files

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Room is Free with what the system would remove by itself to make room: on macOS local snapshots of Time Machine, and files that lie in
// iCloud as well, which Finder counts as free. An error is that it is not known.
func Room(dir string) (int64, error) {
	const plenty = 128 << 30 // nobody has to ask for more
	return room(dir, plenty, Free, reclaimable)
}

// Fits returns a *FullError when need bytes do not fit below dir. A file system that does not tell its room passes.
func Fits(dir string, need int64) error { return fits(dir, need, Free, reclaimable) }

func fits(dir string, need int64, free, reclaimable func(string) (int64, error)) error {
	if room, err := room(dir, need, free, reclaimable); err == nil && room < need {
		return &FullError{dir, need, room}
	}
	return nil
}

// room asks the second only where the first says that there is not enough.
func room(dir string, enough int64, free, reclaimable func(string) (int64, error)) (int64, error) {
	now, err := free(dir)
	if err != nil || now >= enough {
		return now, err
	}
	if dir, err = There(dir); err != nil {
		return 0, err
	}
	then, err := reclaimable(dir)
	return max(now, then), err
}

// capacity is JavaScript for osascript. The system answers 0 for a volume that has no such figure.
const capacity = `ObjC.import('Foundation')
function run(argv) {
  const key = 'NSURLVolumeAvailableCapacityForImportantUsageKey'
  const values = $.NSURL.fileURLWithPath(argv[0]).resourceValuesForKeysError($([key]), null)
  return String(ObjC.deepUnwrap(values)[key])
}`

// capacityBy asks for what macOS says to programs that are about to write what the user wants.
func capacityBy(osascript, dir string) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, osascript, "-l", "JavaScript", "-e", capacity, dir)
	cmd.WaitDelay = time.Second
	said, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("the room of %s: %w", dir, err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(said)), 10, 64)
}
