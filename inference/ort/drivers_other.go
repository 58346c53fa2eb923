//go:build !windows && !darwin

package ort

func installedDrivers() []string { return vulkanDrivers() }
