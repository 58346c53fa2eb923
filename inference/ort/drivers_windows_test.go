package ort

import (
	"slices"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// TestInstalledDrivers: a driver that was updated is another one, and so is a card that was put in.
func TestInstalledDrivers(t *testing.T) {
	const path = `Software\RealwordTestOfDrivers`
	set := func(card, name, text string) {
		t.Helper()
		key, _, err := registry.CreateKey(registry.CURRENT_USER, path+`\`+card, registry.SET_VALUE)
		if err != nil {
			t.Fatal(err)
		}
		defer key.Close()
		if err := key.SetStringValue(name, text); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, card := range []string{"0000", "0001", "Properties", ""} {
			_ = registry.DeleteKey(registry.CURRENT_USER, path+`\`+card)
		}
	})
	if list := driversOf(registry.CURRENT_USER, path); list != nil {
		t.Errorf("without the key: %q", list)
	}
	set("Properties", "other", "x")
	set("0000", "DriverDesc", "AMD Radeon RX 7800 XT")
	set("0000", "DriverVersion", "31.0.24002.92")
	before := driversOf(registry.CURRENT_USER, path)
	if want := []string{`0000 DriverDesc="AMD Radeon RX 7800 XT" DriverVersion="31.0.24002.92"`}; !slices.Equal(before, want) {
		t.Errorf("%q, want %q", before, want)
	}
	set("0000", "DriverVersion", "32.0.11029.1008")
	updated := driversOf(registry.CURRENT_USER, path)
	set("0001", "DriverDesc", "Intel(R) UHD Graphics 770")
	two := driversOf(registry.CURRENT_USER, path)
	if slices.Equal(before, updated) || len(two) != 2 {
		t.Errorf("%q, then %q, then %q", before, updated, two)
	}
}
