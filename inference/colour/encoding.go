package colour

import "sync"

// encoding maps linear light of 16 bits to sRGB of 8 bits.
var encoding = sync.OnceValue(func() *[1 << 16]uint8 {
	table := new([1 << 16]uint8)
	for i := range table {
		table[i] = uint8(encodeSRGB(float64(i)/65535)*255 + 0.5)
	}
	return table
})
