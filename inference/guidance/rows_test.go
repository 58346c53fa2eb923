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
		index, weight := Rows(masks, w, h, factor, 1)
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
	if index, weight := Rows(nil, w, h, 2, 8); len(index) != 0 || len(weight) != 0 {
		t.Errorf("no subjects: %v %v", index, weight)
	}
}

// TestRowsAreRoundedUp asks for multiples: what is added weighs nothing, is distinct, and there are never more rows than cells.
func TestRowsAreRoundedUp(t *testing.T) {
	const w, h = 8, 4
	masks := [][]float32{make([]float32, w*h), make([]float32, w*h)}
	for i := range 9 {
		masks[0][3*i] = 0.5
	}
	masks[1][7] = 1
	for multiple, want := range map[int]int{1: 9, 4: 12, 9: 9, 20: 20, 24: 24, 25: 25, 33: 32} {
		index, weight := Rows(masks, w, h, 1, multiple)
		if len(weight) != 2*want {
			t.Errorf("multiples of %d: %d rows a subject, wanted %d", multiple, len(weight)/2, want)
		}
		seen, sum := map[[2]int64]bool{}, float32(0)
		for i, v := range weight {
			seen[[2]int64{index[2*i], index[2*i+1]}] = true
			sum += v
		}
		if len(seen) != len(weight) || sum != 9*0.5+1 {
			t.Errorf("multiples of %d: %d distinct rows of %d, weights %v together", multiple, len(seen), len(weight), sum)
		}
	}
}

// TestNoRows has masks that let nothing through.
func TestNoRows(t *testing.T) {
	none := [][]float32{make([]float32, 16), make([]float32, 16)}
	for multiple, want := range map[int]int{1: 0, 4: 8} {
		if _, weight := Rows(none, 4, 4, 1, multiple); len(weight) != want {
			t.Errorf("multiples of %d: %d rows, wanted %d", multiple, len(weight), want)
		}
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
