package picture

import (
	"bytes"
	"testing"
)

// Whoever sees no colours tells the first four subjects apart by their pattern, also in a band of a few pixels.
func TestSwatchesDifferInMoreThanColour(t *testing.T) {
	patterns := map[string]int{}
	for i := range 4 {
		img := SubjectStyle(i).Swatch(6, 32, 1)
		var pattern bytes.Buffer
		for y := range 32 {
			for x := range 6 {
				pattern.WriteByte(map[bool]byte{true: '#', false: '.'}[img.RGBAAt(x, y) == SubjectStyle(i).Color])
			}
		}
		if other, taken := patterns[pattern.String()]; taken {
			t.Errorf("subjects %d and %d have one pattern", other, i)
		}
		patterns[pattern.String()] = i
	}
	if got := SubjectStyle(0).Swatch(0, -1, 0).Bounds(); got.Dx() != 1 || got.Dy() != 1 {
		t.Errorf("an empty swatch is %v", got)
	}
	one, two := SubjectStyle(1).Swatch(8, 8, 1), SubjectStyle(1).Swatch(16, 16, 2)
	for y := range 16 {
		for x := range 16 {
			if one.RGBAAt(x/2, y/2) != two.RGBAAt(x, y) {
				t.Fatalf("the pattern at scale 2 is not the enlarged one at %d, %d", x, y)
			}
		}
	}
}
