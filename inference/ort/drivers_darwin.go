package ort

import "syscall"

// installedDrivers is the build of macOS (23F79), which has the drivers within.
func installedDrivers() []string {
	build, err := syscall.Sysctl("kern.osversion")
	if err != nil {
		return nil
	}
	return []string{"macOS " + build}
}
