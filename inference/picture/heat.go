package picture

import (
	"image"
	"image/color"
	"math"
	"sync"
)

// Warmth is the colour of a value from 0, the lowest, to 1, the highest, in a heat map: from a dark violet over red and orange to a pale
// yellow. Its lightness grows evenly, so that equal differences look equal, also in print without colours and to every colour vision.
func Warmth(v float64) color.RGBA {
	return warmths()[int(min(max(v, 0), 1)*(warmthSteps-1)+0.5)]
}

const warmthSteps = 256

var warmths = sync.OnceValue(func() (table [warmthSteps]color.RGBA) {
	const (
		dark, light   = 0.22, 0.95 // lightness in Oklab
		violet, turns = 285, 185   // hue at the beginning, and how far it goes through red to yellow, in degrees
		mostChroma    = 0.19
	)
	for i := range table {
		t := float64(i) / (warmthSteps - 1)
		hue := (violet + turns*t) * math.Pi / 180
		for chroma := mostChroma; ; chroma -= 0.002 { // as much as the screen shows of such a hue
			c, seen := oklab(dark+(light-dark)*t, chroma*math.Cos(hue), chroma*math.Sin(hue))
			if seen || chroma <= 0 {
				table[i] = c
				break
			}
		}
	}
	return table
})

// oklab is a colour of Oklab (Ottosson, 2020) in sRGB, and whether sRGB has it.
func oklab(l, a, b float64) (c color.RGBA, has bool) {
	cube := func(x float64) float64 { return x * x * x }
	long, middle, short := cube(l+0.3963377774*a+0.2158037573*b), cube(l-0.1055613458*a-0.0638541728*b), cube(l-0.0894841775*a-1.2914855480*b)
	has = true
	channel := func(x float64) uint8 {
		if x < 0 || x > 1 {
			has = false
		}
		if x = min(max(x, 0), 1); x <= 0.0031308 {
			x *= 12.92
		} else {
			x = 1.055*math.Pow(x, 1/2.4) - 0.055
		}
		return uint8(255*x + 0.5)
	}
	c = color.RGBA{
		channel(4.0767416621*long - 3.3077115913*middle + 0.2309699292*short),
		channel(-1.2684380046*long + 2.6097574011*middle - 0.3413193965*short),
		channel(-0.0041960863*long - 0.7034186147*middle + 1.7076147010*short), 255,
	}
	return c, has
}

// ranged returns a copy whose lowest value is 0 and whose highest is 1; of equal values all are 0.
func (g Grid) ranged() Grid {
	low, high := g.Values[0], g.Values[0]
	for _, v := range g.Values {
		low, high = min(low, v), max(high, v)
	}
	out := Grid{g.Width, g.Height, make([]float32, len(g.Values))}
	if high > low {
		for i, v := range g.Values {
			out.Values[i] = (v - low) / (high - low)
		}
	}
	return out
}

// heat lays the warmest of the layers over a picture that loses its own colours.
func heat(out *image.RGBA, v window, layers []Layer, opacity float64) {
	if len(layers) == 0 {
		return
	}
	w, h := out.Rect.Dx(), out.Rect.Dy()
	warm := make([]float32, w*h)
	for _, l := range layers {
		l.Grid.ranged().sample(v, w, h, func(y int, values []float32) {
			for x, value := range values {
				warm[y*w+x] = max(warm[y*w+x], value)
			}
		})
	}
	paints, over := warmths(), uint32(opacity*256)
	grey := min(2*over, 256)
	for i, value := range warm {
		p := out.Pix[4*i:]
		luma := uint8((77*uint32(p[0]) + 150*uint32(p[1]) + 29*uint32(p[2])) >> 8)
		blend(p, color.RGBA{luma, luma, luma, 255}, grey)
		blend(p, paints[int(min(value, 1)*(warmthSteps-1)+0.5)], over)
	}
}
