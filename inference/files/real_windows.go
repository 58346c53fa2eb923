package files

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// Real is where a file or folder lies in truth: its whole path, through no link. On Windows that leads through junctions and substituted
// drives as well, as ONNX Runtime looks for weights, and to the share behind the letter of a network drive.
func Real(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := final(path); err == nil {
		return real, nil
	}
	return filepath.EvalSymlinks(path) // some drives that are made of memory do not know
}

func final(path string) (string, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return "", err
	}
	h, err := windows.CreateFile(name, 0, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(h)
	buf := make([]uint16, 1<<15)
	n, err := windows.GetFinalPathNameByHandle(h, &buf[0], uint32(len(buf)), 0)
	switch {
	case err != nil:
		return "", err
	case int(n) >= len(buf):
		return "", windows.ERROR_FILENAME_EXCED_RANGE
	}
	return plain(windows.UTF16ToString(buf[:n])), nil
}

// plain is a path without the mark of those that Windows takes as they are.
func plain(path string) string {
	if share, ok := strings.CutPrefix(path, `\\?\UNC\`); ok {
		return `\\` + share
	}
	return strings.TrimPrefix(path, `\\?\`)
}
