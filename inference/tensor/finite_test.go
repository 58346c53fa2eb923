package tensor

import (
	"math"
	"testing"
)

// TestNotFinite puts a NaN or infinity at every place among values that nearly are.
func TestNotFinite(t *testing.T) {
	for _, d := range []DType{F16, BF16, F32} {
		nearly := float32(65504)
		if d != F16 {
			nearly = math.MaxFloat32 / 2
		}
		for n := range 70 {
			values := make([]float32, n)
			for i := range values {
				values[i] = []float32{nearly, -nearly, 0, 1}[i%4]
			}
			for bad := -1; bad < n; bad++ {
				for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
					raw := make([]byte, n*d.Size())
					if bad >= 0 {
						values[bad] = float32(v)
					}
					if err := EncodeFloats(raw, values, d); err != nil {
						t.Fatal(err)
					}
					if got := NotFinite(raw, d); got != bad {
						t.Fatalf("%v: %v at %d of %d is found at %d", d, v, bad, n, got)
					}
				}
				if bad >= 0 {
					values[bad] = 1
				}
			}
		}
	}
}

func BenchmarkNotFinite(b *testing.B) {
	raw := make([]byte, 1<<20)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		NotFinite(raw, F16)
	}
}
