package random

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

//go:embed testdata/golden.txt
var golden string

func TestTorchBitForBit(t *testing.T) {
	lines := 0
	for scan := bufio.NewScanner(strings.NewReader(golden)); scan.Scan(); lines++ {
		f := strings.Fields(scan.Text())
		seed, err := strconv.ParseUint(f[0], 10, 64)
		if err != nil {
			signed, err := strconv.ParseInt(f[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			seed = uint64(signed)
		}
		g := New(seed)
		var all []float32
		for size := range strings.SplitSeq(f[1], ",") {
			n, err := strconv.Atoi(size)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, g.Normal(n)...)
		}
		hash := sha256.New()
		if err := binary.Write(hash, binary.LittleEndian, all); err != nil {
			t.Fatal(err)
		}
		if digest := fmt.Sprintf("%x", hash.Sum(nil)); digest != f[3] {
			t.Errorf("seed %s, draws %s: first %08x, torch %s; digest differs", f[0], f[1], math.Float32bits(all[0]), f[2])
		}
	}
	if lines < 300 {
		t.Errorf("only %d lines", lines)
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
