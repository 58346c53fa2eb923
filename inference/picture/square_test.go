package picture

import (
	"encoding/json"
	"image"
	"image/color"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"realword/inference/tensor"
)

// formula is the picture that testdata/golden.py makes too.
func formula(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			p := img.Pix[img.PixOffset(x, y):]
			for c := range 3 {
				p[c] = uint8(x*7 + y*13 + c*29 + x*y%11*17 + (x*x+y*3)%251)
			}
			p[3] = 255
		}
	}
	return img
}

type golden struct {
	Width, Height, Size, Stride int
	Stretch                     []float32
	StretchSum                  float64 `json:"stretch_sum"`
	Views                       []uint8
	ViewsSum                    int `json:"views_sum"`
}

func readGolden(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[name], v); err != nil {
		t.Fatal(err)
	}
}

// TestGolden wants the stretched square and the views to be PyTorch's, bit by bit.
func TestGolden(t *testing.T) {
	for _, name := range []string{"small", "enlarged", "large"} {
		t.Run(name, func(t *testing.T) {
			var want golden
			readGolden(t, name, &want)
			_, square, err := Prepare(formula(want.Width, want.Height), Square{Fit: Stretch}, want.Size)
			if err != nil {
				t.Fatal(err)
			}
			worst, sum := 0.0, 0.0
			for i, x := range square.F32 {
				sum += float64(x)
				if i%want.Stride == 0 {
					worst = max(worst, math.Abs(float64(x-want.Stretch[i/want.Stride])))
				}
			}
			if worst > 0 || math.Abs(sum-want.StretchSum) > 1e-9*want.StretchSum {
				t.Errorf("the stretched square is up to %g away from PyTorch's, its sum %.9g from %.9g", worst, sum, want.StretchSum)
			}

			views, err := Views(square)
			if err != nil {
				t.Fatal(err)
			}
			if v := want.Size / 2; !slices.Equal(views.Shape, []int{5, 3, v, v}) {
				t.Fatalf("shape %v", views.Shape)
			}
			total, other := 0, 0
			for i, x := range views.F32 {
				u := int(math.Round(float64(x) * 255))
				if x != float32(u)/255 {
					t.Fatalf("%v is not a whole 255th", x)
				}
				total += u
				if i%want.Stride == 0 && u != int(want.Views[i/want.Stride]) {
					other++
				}
			}
			if other > 0 || total != want.ViewsSum {
				t.Errorf("%d of %d view elements differ from PyTorch's; sum %d, want %d", other, len(want.Views), total, want.ViewsSum)
			}
		})
	}
}

func TestLocalViewsShareEveryPixelOnce(t *testing.T) {
	const n = 6
	square := tensor.Zeros(3, n, n)
	for i := range square.F32 {
		square.F32[i] = float32(i) / 255
	}
	views, err := Views(square)
	if err != nil {
		t.Fatal(err)
	}
	for view := range 4 {
		for c := range 3 {
			for y := range n / 2 {
				for x := range n / 2 {
					want := square.F32[(c*n+2*y+view/2)*n+2*x+view%2]
					if got := views.F32[((1+view)*3+c)*n*n/4+y*n/2+x]; got != want {
						t.Fatalf("view %d [%d %d %d] is %v, want %v", view, c, y, x, got, want)
					}
				}
			}
		}
	}
	for _, bad := range []*tensor.Tensor{nil, tensor.Zeros(3, 5, 5), tensor.Zeros(3, 4, 6), tensor.Zeros(1, 4, 4), tensor.Zeros(3, 0, 0), {Shape: []int{3, 4, 4}}} {
		if _, err := Views(bad); err == nil {
			t.Errorf("%s was accepted", shapeOf(bad))
		}
	}
}

// Every 8-bit value must survive the truncation, or a reference that already has the right size would change.
func TestTruncationKeepsBytes(t *testing.T) {
	for u := range 256 {
		if got := truncate(float32(u) / 255); got != uint8(u) {
			t.Errorf("%d became %d", u, got)
		}
	}
	for x, want := range map[float32]uint8{-1: 0, 2: 255, float32(math.NaN()): 0, float32(math.Inf(1)): 255, float32(math.Inf(-1)): 0, 0.999: 254} {
		if got := truncate(x); got != want {
			t.Errorf("%v became %d, want %d", x, got, want)
		}
	}
}

func solid(w, h int, c color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, c.A
	}
	return img
}

func TestPrepareFits(t *testing.T) {
	red, blue := color.NRGBA{200, 0, 0, 255}, color.NRGBA{0, 0, 200, 255}
	wide := solid(200, 100, red) // left and right quarter blue
	for y := range 100 {
		for x := range 50 {
			wide.SetNRGBA(x, y, blue)
			wide.SetNRGBA(199-x, y, blue)
		}
	}
	grey := color.NRGBA{0xd0, 0xd0, 0xd0, 255}
	for _, c := range []struct {
		name   string
		square Square
		at     map[image.Point]color.NRGBA
	}{
		{"zero pads", Square{}, map[image.Point]color.NRGBA{{32, 5}: grey, {32, 58}: grey, {32, 32}: red, {5, 32}: blue, {60, 32}: blue}},
		{"background", Square{Fit: Pad, Background: "#01fE03"}, map[image.Point]color.NRGBA{{32, 5}: {1, 254, 3, 255}, {32, 32}: red}},
		{"crop", Square{Fit: Crop}, map[image.Point]color.NRGBA{{2, 2}: red, {61, 61}: red, {61, 2}: red}},
		{"stretch", Square{Fit: Stretch}, map[image.Point]color.NRGBA{{2, 2}: blue, {32, 2}: red, {61, 61}: blue}},
		{"box", Square{Fit: Pad, Crop: Box{0, 0, 0.25, 0.5}}, map[image.Point]color.NRGBA{{1, 1}: blue, {62, 62}: blue}},
		{"box then crop", Square{Fit: Crop, Crop: Box{0.25, 0, 1, 0.25}}, map[image.Point]color.NRGBA{{1, 1}: red, {62, 62}: red}},
		{"tiny box", Square{Crop: Box{0.9999, 0.9999, 1, 1}}, map[image.Point]color.NRGBA{{0, 0}: blue, {63, 63}: blue}},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, x, err := Prepare(wide, c.square, 64)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(x.Shape, []int{3, 64, 64}) || img.Rect != image.Rect(0, 0, 64, 64) || !img.Opaque() {
				t.Fatalf("shape %v, picture %v", x.Shape, img.Rect)
			}
			for p, want := range c.at {
				if got := color.NRGBA(img.RGBAAt(p.X, p.Y)); got != want {
					t.Errorf("at %v: %v, want %v", p, got, want)
				}
				if got := truncate(x.F32[64*64+p.Y*64+p.X]); got != want.G {
					t.Errorf("the tensor's green at %v is %d, want %d", p, got, want.G)
				}
			}
		})
	}
}

// A square picture of the right size passes unchanged, and enlarging by padding is the released stretch within rounding.
func TestPadAgreesWithStretch(t *testing.T) {
	same := formula(32, 32)
	img, _, err := Prepare(same, Square{}, 32)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(img.Pix, same.Pix) {
		t.Error("a picture of the right size was changed")
	}
	_, pad, _ := Prepare(same, Square{}, 80)
	_, stretch, _ := Prepare(same, Square{Fit: Stretch}, 80)
	for i := range pad.F32 {
		if d := math.Abs(float64(pad.F32[i] - stretch.F32[i])); d > 1.01/255 {
			t.Fatalf("element %d differs by %v", i, d)
		}
	}
}

// Shrinking must average, or fine textures of large photographs turn into noise; the released stretch does not.
func TestPadAntialiases(t *testing.T) {
	stripes := solid(512, 512, color.NRGBA{0, 0, 0, 255})
	for y := range 512 {
		for x := 0; x < 512; x += 2 {
			stripes.SetNRGBA(x, y, color.NRGBA{255, 255, 255, 255})
		}
	}
	img, _, err := Prepare(stripes, Square{Fit: Crop}, 64)
	if err != nil {
		t.Fatal(err)
	}
	for x := 8; x < 56; x++ {
		if v := img.RGBAAt(x, 30).R; v < 120 || v > 136 {
			t.Fatalf("pixel %d is %d, want the mean of black and white", x, v)
		}
	}
}

func TestTransparencyIsComposited(t *testing.T) {
	half := solid(10, 10, color.NRGBA{200, 100, 0, 128})
	for _, fit := range []Fit{Pad, Crop, Stretch} {
		img, _, err := Prepare(half, Square{Fit: fit, Background: "#000064"}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := img.RGBAAt(5, 5), (color.RGBA{100, 50, 50, 255}); got != want {
			t.Errorf("%s: %v, want %v", fit, got, want)
		}
		img, _, _ = Prepare(solid(10, 10, color.NRGBA{200, 100, 0, 0}), Square{Fit: fit}, 16)
		if got := img.RGBAAt(8, 8); got != (color.RGBA{0xd0, 0xd0, 0xd0, 255}) {
			t.Errorf("%s: a clear picture is %v", fit, got)
		}
	}
}

func TestSquareRefuses(t *testing.T) {
	img := solid(4, 4, color.NRGBA{})
	nan := math.NaN()
	for _, c := range []struct {
		square Square
		size   int
		want   string
	}{
		{Square{Fit: "zoom"}, 8, "pad, crop or stretch"},
		{Square{Background: "grey"}, 8, "#rrggbb"},
		{Square{Background: "#12345"}, 8, "#rrggbb"},
		{Square{Background: "#12345g"}, 8, "#rrggbb"},
		{Square{Background: "1234567"}, 8, "#rrggbb"},
		{Square{Crop: Box{0.5, 0, 0.5, 1}}, 8, "crop box"},
		{Square{Crop: Box{-0.1, 0, 0.5, 1}}, 8, "crop box"},
		{Square{Crop: Box{0, 0, 1, 1.01}}, 8, "crop box"},
		{Square{Crop: Box{0, nan, 1, 1}}, 8, "crop box"},
		{Square{}, 0, "1 to 4096"},
		{Square{}, 5000, "1 to 4096"},
	} {
		_, _, err := Prepare(img, c.square, c.size)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v at %d: %v, want %q", c.square, c.size, err, c.want)
		}
	}
	if _, _, err := Prepare(image.NewNRGBA(image.Rect(0, 0, 0, 5)), Square{}, 8); err == nil {
		t.Error("an empty picture was accepted")
	}
}

func TestSquareJSON(t *testing.T) {
	for text, square := range map[string]Square{
		`{}`: {},
		`{"fit":"crop","background":"#ffffff","crop":{"left":0.25,"top":0,"right":1,"bottom":0.5}}`: {Crop, "#ffffff", Box{0.25, 0, 1, 0.5}},
	} {
		got, err := json.Marshal(square)
		if err != nil || string(got) != text {
			t.Errorf("%s (%v), want %s", got, err, text)
		}
		var back Square
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != square {
			t.Errorf("%s came back as %+v (%v)", text, back, err)
		}
	}
}
