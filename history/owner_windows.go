package history

import "os"

// keepOwner does nothing: a file has the rights of its folder.
func keepOwner(string, os.FileInfo) error { return nil }
