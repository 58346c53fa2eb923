package guidance

// Rows lists, for every subject, the cells of an attention grid that its mask lets through: visual attention is computed there
// and nowhere else (Eq. 14, 17: what the mask multiplies by zero is not computed). The attention grid is factor times coarser
// than the guidance grid of width × height on which masks are given; a coarse cell weighs what PyTorch's bilinear resize
// (align_corners=False, no antialias) gives: the mean of the four cells in its middle.
//
// index holds R·T pairs (subject, cell), weight the R·T weights. Every subject has T pairs, as many as the largest needs, rounded up to a
// multiple (never none where it is more than 1) as far as there are cells; the others are filled up with cells of weight 0, so that the
// pairs of a subject stay distinct.
func Rows(masks [][]float32, width, height, factor, multiple int) (index []int64, weight []float32) {
	cells := (width / factor) * (height / factor)
	coarse := make([][]float32, len(masks))
	longest := 0
	for r, m := range masks {
		coarse[r] = coarsen(m, width, height, factor)
		n := 0
		for _, v := range coarse[r] {
			if v != 0 {
				n++
			}
		}
		longest = max(longest, n)
	}
	if len(masks) > 0 && multiple > 1 {
		longest = max(longest, 1)
	}
	longest = min((longest+multiple-1)/multiple*multiple, cells)
	for r, m := range coarse {
		begin := len(weight)
		for p, v := range m {
			if v != 0 {
				index, weight = append(index, int64(r), int64(p)), append(weight, v)
			}
		}
		for p := 0; p < cells && len(weight)-begin < longest; p++ {
			if m[p] == 0 {
				index, weight = append(index, int64(r), int64(p)), append(weight, 0)
			}
		}
	}
	return index, weight
}

// coarsen is the bilinear resize by 1/factor.
func coarsen(m []float32, width, height, factor int) []float32 {
	if factor == 1 {
		return m
	}
	w, h := width/factor, height/factor
	out := make([]float32, w*h)
	for y := range h {
		for x := range w {
			// The centre of the coarse cell lies half-way between two fine cells on both axes.
			at := (y*factor+factor/2-1)*width + x*factor + factor/2 - 1
			out[y*w+x] = (m[at] + m[at+1] + m[at+width] + m[at+width+1]) / 4
		}
	}
	return out
}
