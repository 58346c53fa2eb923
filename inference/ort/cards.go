package ort

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pciDevices is where Linux lists what is on the PCI bus.
var pciDevices = "/sys/bus/pci/devices"

// GraphicsCards names the makers of the graphics cards that Linux lists, whether they have a driver or not: AMD, Intel or NVIDIA. Cards
// of others, which virtual machines and servers have for a screen, compute nothing. The list is empty on other systems.
func GraphicsCards() (makers []string) {
	classes, _ := filepath.Glob(filepath.Join(pciDevices, "*", "class"))
	for _, path := range classes {
		class, _ := os.ReadFile(path)
		vendor, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "vendor"))
		maker := map[string]string{"0x1002": "AMD", "0x8086": "Intel", "0x10de": "NVIDIA"}[strings.TrimSpace(string(vendor))]
		if strings.HasPrefix(string(class), "0x03") && maker != "" && !slices.Contains(makers, maker) {
			makers = append(makers, maker)
		}
	}
	slices.Sort(makers)
	return makers
}
