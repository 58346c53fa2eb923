package ort

import (
	"slices"
	"testing"

	"realword/inference/ort/internal/native"
)

// TestChoosingACard: which of several cards the library can be brought to, and how.
func TestChoosingACard(t *testing.T) {
	list := fromVulkan([]native.Adapter{
		{Name: "RTX 4070", Kind: 2, Vendor: 0x10de, DeviceID: 0x2786},
		{Name: "Arc A380", Kind: 2, Vendor: 0x8086, DeviceID: 0x56a5},
		{Name: "RTX 4070", Kind: 2, Vendor: 0x10de, DeviceID: 0x2786},
		{Name: "Radeon 780M", Kind: 1, Vendor: 0x1002, DeviceID: 0x15bf},
		{Name: "llvmpipe", Kind: 4, Vendor: 0x10005},
	})
	for _, c := range []struct {
		list []Adapter
		on   string
		want []any // of each card a choice, or what the error says
	}{
		{list, "linux", []any{
			choice{},
			choice{first: "8086:56a5"},
			"webgpu:2 is the same kind of card as webgpu:0 (RTX 4070)",
			choice{preference: "low-power"},
			"on llvmpipe only where there is no other",
		}},
		{list, "windows", []any{choice{}, "choose Arc A380 for Realword under Settings", "same kind", choice{preference: "low-power"}, "no other graphics card"}},
		{list[:2], "darwin", []any{choice{}, "that is RTX 4070"}},
		{list[3:], "linux", []any{choice{}, "no other graphics card"}},
		{list[4:], "linux", []any{choice{}}},
		{fromVulkan([]native.Adapter{{Name: "a", Kind: 4, Vendor: 1}, {Name: "b", Kind: 4, Vendor: 2}}), "linux", []any{choice{}, choice{first: "2:0"}}},
	} {
		if len(c.list) != len(c.want) || !slices.IsSortedFunc(c.list, byRank) {
			t.Fatalf("%v", c.list)
		}
		for i, want := range c.want {
			got, err := choose(c.list, i, c.on)
			if said, wrong := want.(string); wrong {
				mention(t, err, said)
			} else if err != nil || got != want {
				t.Errorf("%s, webgpu:%d: %+v, %v, want %+v", c.on, i, got, err, want)
			}
		}
	}
}
