package ort

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestGraphicsCards(t *testing.T) {
	there := pciDevices
	defer func() { pciDevices = there }()
	pciDevices = t.TempDir()
	for name, d := range map[string][2]string{
		"0000:00:02.0": {"0x030000\n", "0x8086\n"}, // a screen of Intel's processor
		"0000:00:1f.3": {"0x040300\n", "0x8086\n"}, // sound
		"0000:01:00.0": {"0x030200\n", "0x10de\n"}, // a card without a screen
		"0000:02:00.0": {"0x030000\n", "0x1a03\n"}, // a server's screen
		"0000:03:00.0": {"0x030000\n", "0x10de\n"},
	} {
		dir := filepath.Join(pciDevices, name)
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for i, file := range []string{"class", "vendor"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(d[i]), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := GraphicsCards(); !slices.Equal(got, []string{"Intel", "NVIDIA"}) {
		t.Errorf("the cards are %v", got)
	}
}
