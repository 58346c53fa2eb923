package random

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// goldens is the output of torch.randn, made by the scripts beside it.
const goldens = "../../assets/golden/data/random.json"

func TestTorchBitForBit(t *testing.T) {
	data, err := os.ReadFile(goldens)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Randn []struct {
			Seed   uint64 `json:",string"`
			Shape  []int
			First  []float32
			SHA256 string
		}
		InARow []struct {
			Seed   uint64 `json:",string"`
			Counts []int
			Draws  [][]float32
		} `json:"in_a_row"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Randn) < 150 || len(want.InARow) < 10 {
		t.Fatalf("only %d and %d cases", len(want.Randn), len(want.InARow))
	}
	for _, w := range want.Randn {
		n := 1
		for _, d := range w.Shape {
			n *= d
		}
		got := Normal(w.Seed, n)
		hash := sha256.New()
		if err := binary.Write(hash, binary.LittleEndian, got); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%x", hash.Sum(nil)) != w.SHA256 {
			t.Errorf("seed %d, shape %v: %v, PyTorch has %v", w.Seed, w.Shape, got[:min(len(got), len(w.First))], w.First)
		}
	}
	for _, w := range want.InARow {
		g := New(w.Seed)
		for i, n := range w.Counts {
			if got := g.Normal(n); !slices.Equal(got, w.Draws[i]) {
				t.Errorf("seed %d, draw %d of %v: %v, PyTorch has %v", w.Seed, i, w.Counts, got, w.Draws[i])
			}
		}
	}
}

// exact returns a·b + c without rounding before the end.
func exact(a, b, c float32) float32 {
	product := new(big.Float).SetPrec(600).Mul(big.NewFloat(float64(a)), big.NewFloat(float64(b)))
	sum := product.Add(product, big.NewFloat(float64(c)))
	f, _ := sum.Float32()
	return f
}

func TestFusedMultiplyAddRoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	twice := 0
	for range 200_000 {
		a, b := float32(r.NormFloat64()), float32(r.NormFloat64())
		c := float32(r.NormFloat64() * math.Pow(2, float64(r.IntN(90)-45)))
		if r.IntN(2) == 0 { // a product half-way between two float32, and something too small for float64 to notice
			a, b = float32(math.Ldexp(1+1.0/4096, r.IntN(9)-4)), 1+1.0/4096
			c = float32(math.Ldexp(r.Float64()-0.5, -60))
		}
		want := exact(a, b, c)
		if got := fma(a, b, c); got != want {
			t.Fatalf("fma(%b, %b, %b) = %b, want %b", a, b, c, got, want)
		}
		if float32(float64(a)*float64(b)+float64(c)) != want {
			twice++
		}
	}
	if twice == 0 {
		t.Error("no case needed the single rounding")
	}
}

func TestOnlyTheLowBitsOfTheSeedCount(t *testing.T) {
	if !slices.Equal(Normal(42, 40), Normal(1<<32+42, 40)) || slices.Equal(Normal(42, 40), Normal(43, 40)) {
		t.Error("seeds")
	}
}

func TestSkipping(t *testing.T) {
	for _, counts := range [][]int{{1}, {3, 16}, {16, 17}, {623, 1}, {624, 624}, {5000, 15, 2048}, {16384, 16384, 16384}, {0, 20}} {
		drawn, skipped := New(42), New(42)
		for _, n := range counts {
			drawn.Normal(n)
			skipped.Skip(n)
		}
		if got, want := skipped.Normal(40), drawn.Normal(40); !slices.Equal(got, want) {
			t.Errorf("after %v: %v, want %v", counts, got[:3], want[:3])
		}
	}
}

func TestMomentsAndSizes(t *testing.T) {
	var sum, squares float64
	values := Normal(7, 1<<18)
	for _, v := range values {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(values))
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.01 || math.Abs(variance-1) > 0.01 {
		t.Errorf("mean %g, variance %g", mean, variance)
	}
	for _, n := range []int{-1, 0, 1, 15, 16, 17} {
		if got := len(Normal(1, n)); got != max(n, 0) {
			t.Errorf("Normal(1, %d) has %d numbers", n, got)
		}
	}
}
