//go:build !windows

package ort

func installedDrivers() []string { return vulkanDrivers() }
