package guidance

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRowsAreTheResizedMask puts the rows back into a grid and compares with the bilinear resize written out.
func TestRowsAreTheResizedMask(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const w, h = 16, 8
	for _, factor := range []int{1, 2, 4, 8} {
		masks := make([][]float32, 3)
		for r := range masks {
			masks[r] = make([]float32, w*h)
			for range 5 + 9*r {
				masks[r][rng.IntN(w*h)] = rng.Float32()
			}
		}
		index, weight := Rows(masks, w, h, factor)
		cells := (w / factor) * (h / factor)
		if len(index) != 2*len(weight) || len(weight)%len(masks) != 0 {
			t.Fatalf("factor %d: %d indices, %d weights", factor, len(index), len(weight))
		}
		got := make([][]float32, len(masks))
		seen := map[[2]int64]bool{}
		for r := range got {
			got[r] = make([]float32, cells)
		}
		for i, v := range weight {
			pair := [2]int64{index[2*i], index[2*i+1]}
			if seen[pair] || int(pair[0]) != i/(len(weight)/len(masks)) {
				t.Fatalf("factor %d: pair %v is there twice or out of order", factor, pair)
			}
			seen[pair] = true
			got[pair[0]][pair[1]] = v
		}
		for r, m := range masks {
			if want := bilinear(m, w, h, factor); !slices.Equal(got[r], want) {
				t.Errorf("factor %d, subject %d:\n%v, wanted\n%v", factor, r, got[r], want)
			}
		}
	}
	if index, weight := Rows(nil, w, h, 2); len(index) != 0 || len(weight) != 0 {
		t.Errorf("no subjects: %v %v", index, weight)
	}
}

// bilinear is PyTorch's resize with align_corners=False: src = (d + ½)·factor − ½.
func bilinear(m []float32, w, h, factor int) []float32 {
	var out []float32
	for y := range h / factor {
		for x := range w / factor {
			sy, sx := (float32(y)+0.5)*float32(factor)-0.5, (float32(x)+0.5)*float32(factor)-0.5
			y0, x0 := int(sy), int(sx)
			y1, x1 := min(y0+1, h-1), min(x0+1, w-1)
			fy, fx := sy-float32(y0), sx-float32(x0)
			out = append(out, (1-fy)*(1-fx)*m[y0*w+x0]+(1-fy)*fx*m[y0*w+x1]+fy*(1-fx)*m[y1*w+x0]+fy*fx*m[y1*w+x1])
		}
	}
	return out
}
