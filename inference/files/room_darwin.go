package files

func reclaimable(dir string) (int64, error) { return capacityBy("/usr/bin/osascript", dir) }
