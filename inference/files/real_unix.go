//go:build !windows

package files

import "path/filepath"

// Real is where a file or folder lies in truth: its whole path, through no link.
func Real(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}
