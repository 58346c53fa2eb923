package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/disintegration/imaging"
)

// cardAt is the gradient of the pictures in testdata/salvage.
func cardAt(x, y int) color.NRGBA {
	return color.NRGBA{uint8(min(x*2+30, 255)), uint8(min(y*3, 255)), uint8(max(255-x-y, 0)), 255}
}

func card() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 96, 80))
	for y := range 80 {
		for x := range 96 {
			img.SetNRGBA(x, y, cardAt(x, y))
		}
	}
	return img
}

// salvaged decodes a damaged file and wants a note.
func salvaged(t *testing.T, name string, data []byte, note string) *image.NRGBA {
	t.Helper()
	img, info, err := Decode(data, Limits{})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return image.NewNRGBA(image.Rect(0, 0, 96, 80))
	}
	if img.Rect != image.Rect(0, 0, 96, 80) || !strings.Contains(strings.Join(info.Notes, " "), note) {
		t.Errorf("%s: %v, %q, want %q", name, img.Rect, info.Notes, note)
	}
	return img
}

// like counts the pixels of a part that are what they should be.
func like(img *image.NRGBA, part image.Rectangle, most int) float64 {
	return alike(img, card(), part, most)
}

// alike counts the pixels of a part that two pictures share.
func alike(img, want *image.NRGBA, part image.Rectangle, most int) float64 {
	n := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if near(img.NRGBAAt(x, y), want.NRGBAAt(x, y), most) {
				n++
			}
		}
	}
	return float64(n) / float64(part.Dx()*part.Dy())
}

var greyPixel = color.NRGBA{grey, grey, grey, 255}

func TestSalvagePNG(t *testing.T) {
	noise := imaging.Clone(formula(96, 80)) // which does not pack well, as photos do not
	whole := encodePNG(t, noise)
	top := image.Rect(0, 0, 96, 60)
	ends := func(name string, data []byte, note string) {
		if img := salvaged(t, name, data, note); alike(img, noise, img.Rect, 0) < 1 {
			t.Errorf("%s: %g of the pixels are right", name, alike(img, noise, img.Rect, 0))
		}
	}
	ends("without IEND", whole[:len(whole)-12], "the picture is complete")
	ends("cut in IEND", whole[:len(whole)-5], "the picture is complete")
	ends("without the last checksums", whole[:len(whole)-16], "the picture is complete")
	wrong := slices.Clone(whole)
	wrong[len(wrong)-13]++ // of IDAT
	ends("wrong checksum of IDAT", wrong, "the checksum of its part IDAT is wrong")
	header := slices.Clone(whole)
	header[30]++
	ends("wrong checksum of IHDR", header, "the checksum of its part IHDR is wrong")
	text := pngWith(whole, "tEXt", "a\x00b")
	text[33+8+3+3]++
	if _, info, err := Decode(text, Limits{}); err != nil || len(info.Notes) > 0 { // says nothing about the picture
		t.Errorf("wrong checksum of a text: %q, %v", info.Notes, err)
	}
	many := []string{}
	for range 2000 {
		many = append(many, "eXIf", "x")
	}
	bad := pngWith(whole, many...)
	for at := 33; at < len(bad)-len(whole); at += 13 {
		bad[at+12]++
	}
	if _, info, err := Decode(bad, Limits{}); err != nil || len(strings.Join(info.Notes, " ")) > 500 {
		t.Errorf("2,000 wrong checksums: %d bytes of notes, %v", len(strings.Join(info.Notes, " ")), err)
	}

	cut := salvaged(t, "cut by 5 %", whole[:len(whole)*95/100], "is missing and grey")
	if alike(cut, noise, top, 0) < 1 || cut.NRGBAAt(90, 79) != greyPixel {
		t.Errorf("cut by 5 %%: %g, %v at the end", alike(cut, noise, top, 0), cut.NRGBAAt(90, 79))
	}
	// The second of three IDAT chunks is lost.
	at := bytes.Index(whole, []byte("IDAT")) - 4
	n := int(binary.BigEndian.Uint32(whole[at:]))
	packed := whole[at+8 : at+8+n]
	third := n * 7 / 8
	parts := appendChunk(slices.Clone(whole[:at]), "IDAT", packed[:third])
	parts = appendChunk(parts, "IDAT", packed[third+40:])
	parts = append(parts, whole[at+12+n:]...)
	lost := salvaged(t, "a chunk lost", parts, "it ends early")
	if alike(lost, noise, image.Rect(0, 0, 96, 50), 0) < 1 {
		t.Errorf("a chunk lost: %g", alike(lost, noise, image.Rect(0, 0, 96, 50), 0))
	}
	if _, _, err := Decode(whole[:len(whole)*2/5], Limits{}); err == nil {
		t.Error("less than half of a picture was taken for one")
	}
}

// TestInterlaced reads the seven passes, whole and cut: Go does not write them, so they are made here.
func TestInterlaced(t *testing.T) {
	for name, img := range map[string]image.Image{"colours": card(), "grey": image.NewGray(image.Rect(0, 0, 5, 3)), "one pixel": image.NewNRGBA(image.Rect(0, 0, 1, 1))} {
		data := interlaced(t, img)
		want, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Decode(data, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for y := range got.Rect.Dy() {
			for x := range got.Rect.Dx() {
				if w := color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA); got.NRGBAAt(x, y) != w {
					t.Fatalf("%s: %v at %d, %d, want %v", name, got.NRGBAAt(x, y), x, y, w)
				}
			}
		}
	}
	data := interlaced(t, card())
	cut := salvaged(t, "cut", data[:len(data)*3/4], "fine detail is missing")
	if share := like(cut, cut.Rect, 8); share < 1 {
		t.Errorf("%g of the pixels are like they should", share)
	}
	small, info, err := Decode(data, Limits{Kept: 96 * 80 / 16})
	if err != nil || small.Rect != image.Rect(0, 0, 24, 20) || info.Width != 96 || info.Height != 80 {
		t.Fatalf("%v, %+v, %v", small.Rect, info, err)
	}
	if got, want := small.NRGBAAt(10, 10), cardAt(41, 41); !near(got, want, 3) {
		t.Errorf("scaled: %v, want %v", got, want)
	}
}

// interlaced writes an Adam7 PNG of a picture, pass by pass with Go's encoder of whole ones: its lines are the same.
func interlaced(t *testing.T, img image.Image) []byte {
	t.Helper()
	var lines bytes.Buffer
	b := img.Bounds()
	for _, q := range adam7 {
		for y := q.y; y < b.Dy(); y += q.dy {
			if q.x >= b.Dx() {
				continue
			}
			lines.WriteByte(0)
			for x := q.x; x < b.Dx(); x += q.dx {
				c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				lines.Write([]byte{c.R, c.G, c.B, c.A})
			}
		}
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(b.Dx())), uint32(b.Dy()))
	out := appendChunk([]byte(pngSignature), "IHDR", append(header, 8, 6, 0, 0, 1))
	out = appendChunk(out, "IDAT", deflate(t, lines.Bytes()))
	return appendChunk(out, "IEND", nil)
}

func deflate(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSalvageJPEG(t *testing.T) {
	top := image.Rect(0, 0, 96, 48)
	for _, name := range []string{"restart.jpg", "optimised.jpg", "progressive.jpg"} {
		data := testdata(t, "salvage/"+name)
		whole, _, err := Decode(data, Limits{})
		if err != nil || like(whole, whole.Rect, 12) < 1 {
			t.Fatalf("%s: %g, %v", name, like(whole, whole.Rect, 12), err)
		}
		if img := salvaged(t, name+" without its end", data[:len(data)-2], "the picture itself is complete"); !bytes.Equal(img.Pix, whole.Pix) {
			t.Errorf("%s without its end is another picture", name)
		}
		note := "is missing and grey"
		if name == "progressive.jpg" {
			note = "fine detail is missing"
		}
		img := salvaged(t, name+" cut", data[:len(data)*9/10], note)
		if share := like(img, top, 16); share < 0.95 {
			t.Errorf("%s cut: %g of the upper part are right", name, share)
		}
		if c := img.NRGBAAt(95, 79); name != "progressive.jpg" && !near(c, greyPixel, 2) {
			t.Errorf("%s cut: %v at the end", name, c)
		}
	}
	if _, _, err := Decode(testdata(t, "salvage/restart.jpg")[:900], Limits{}); err == nil {
		t.Error("less than half of a picture was taken for one")
	}

	// Lost restart markers: a byte of one is wrong, one is missing, one is missing with what follows it.
	data := testdata(t, "salvage/restart.jpg")
	var markers []int
	for at := readJPEG(data).headers; at+1 < len(data); at++ {
		if data[at] == 0xff && data[at+1] >= 0xd0 && data[at+1] <= 0xd7 {
			markers = append(markers, at)
		}
	}
	if len(markers) != 9 { // 6 × 5 units of 16 × 16, three in an interval
		t.Fatal(markers)
	}
	spoilt := slices.Clone(data)
	spoilt[markers[4]], spoilt[markers[4]+1] = 0x12, 0x34
	for name, c := range map[string]struct {
		data  []byte
		right float64
	}{
		"spoilt":          {spoilt, 0.79}, // of ten intervals two are gone at most
		"missing":         {slices.Delete(slices.Clone(data), markers[4], markers[4]+2), 0.99},
		"two intervals":   {slices.Delete(slices.Clone(data), markers[3]+2, markers[5]), 0.79},
		"with what comes": {slices.Delete(slices.Clone(data), markers[4], markers[5]), 0.79},
	} {
		img := salvaged(t, name+" restart marker", c.data, "The ")
		if share := like(img, img.Rect, 12); share < c.right {
			t.Errorf("%s restart marker: %g of the pixels are right, want %g", name, share, c.right)
		}
	}
	bare := salvaged(t, "CMYK without Adobe's segment", testdata(t, "salvage/cmyk-bare.jpg"), "CMYK")
	if share := like(bare, bare.Rect, 12); share < 1 {
		t.Errorf("CMYK without Adobe's segment: %g of the pixels are right", share)
	}
}

// TestMendKeepsWhole wants a file that needs no mending to come out as the same picture: what is written anew is what was read.
func TestMendKeepsWhole(t *testing.T) {
	for _, name := range []string{"salvage/restart.jpg", "salvage/optimised.jpg", "salvage/grey.jpg", "salvage/cmyk.jpg", "wild/s421x.jpg", "wild/p3.jpg"} {
		data := testdata(t, name)
		mended, good, all, ok := mendJPEG(data, readJPEG(data))
		if !ok || good != all || all == 0 {
			t.Errorf("%s: %d of %d blocks, %v", name, good, all, ok)
			continue
		}
		want, _, err := Decode(data, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Decode(mended, Limits{})
		if err != nil || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s became another picture, %v", name, err)
		}
	}
}

func TestSalvageOthers(t *testing.T) {
	for name, right := range map[string]float64{"lossy.webp": 0.7, "lossless.webp": 0.6, "card.gif": 0.8, "interlaced.gif": 0.6, "card.bmp": 0.85} {
		data := testdata(t, "salvage/"+name)
		whole, _, err := Decode(data, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img := salvaged(t, name, data[:len(data)*9/10], "cut short")
		if share := alike(img, whole, img.Rect, 24); share < right {
			t.Errorf("%s cut: %g of the pixels are right", name, share)
		}
	}
}

// TestOrientationTypes reads the tag in every type that holds a whole number, in both byte orders.
func TestOrientationTypes(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, kind := range []uint16{1, 3, 4, 6, 8, 9} {
			for want := 1; want <= 8; want++ {
				b := []byte("II*\x00")
				if order == binary.AppendByteOrder(binary.BigEndian) {
					b = []byte("MM\x00*")
				}
				b = order.AppendUint16(order.AppendUint32(b, 8), 1)
				b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x0112), kind), 1)
				switch kind {
				case 1, 6:
					b = append(b, byte(want), 0, 0, 0)
				case 3, 8:
					b = append(order.AppendUint16(b, uint16(want)), 0, 0)
				default:
					b = order.AppendUint32(b, uint32(want))
				}
				for _, prefix := range []string{"", "Exif\x00\x00"} {
					if got := exifOrientation(append([]byte(prefix), b...)); got != want {
						t.Errorf("%v, type %d: %d, want %d", order, kind, got, want)
					}
				}
			}
		}
	}
}

// manyScans is a small progressive picture whose last scan stands there n times more.
func manyScans(t testing.TB, n int) []byte {
	t.Helper()
	data := testdata(t, "salvage/progressive.jpg")
	j := readJPEG(data)
	last := data[j.scans[len(j.scans)-1]:j.end]
	out := slices.Clone(data[:j.end])
	for range n {
		out = append(out, last...)
	}
	out = append(out, 0xff, 0xd9)
	return out
}

// hugeScans is a progressive picture of 8,000 × 8,000 pixels with n scans that say nothing.
func hugeScans(t testing.TB, n int) []byte {
	t.Helper()
	data := testdata(t, "salvage/progressive.jpg")
	j := readJPEG(data)
	sof := bytes.Index(data, []byte{0xff, 0xc2})
	out := slices.Clone(data[:j.scans[0]])
	binary.BigEndian.PutUint16(out[sof+5:], 8000)
	binary.BigEndian.PutUint16(out[sof+7:], 8000)
	// An AC scan of the first component whose table knows only "32,767 blocks are empty": fourteen bits of length follow.
	table := []byte{0xff, 0xc4, 0, 2 + 17 + 1, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0}
	out = append(out, table...)
	scan := []byte{0xff, 0xda, 0, 8, 1, data[sof+10], 0x00, 1, 63, 0x00}
	blocks := (8000 + 7) / 8 * ((8000 + 7) / 8)
	var bits []byte
	for left := blocks; left > 0; {
		run := min(left, 1<<14+1<<14-1)
		if run < 1<<14 {
			run = 1 << 14
		}
		bits = append(bits, 0)
		for i := 13; i >= 0; i-- {
			bits = append(bits, byte((run-1<<14)>>i&1))
		}
		left -= run
	}
	for i := 0; i < len(bits); i += 8 {
		v := byte(0)
		for k := range 8 {
			v <<= 1
			if i+k >= len(bits) || bits[i+k] == 1 {
				v |= 1
			}
		}
		if scan = append(scan, v); v == 0xff {
			scan = append(scan, 0)
		}
	}
	for range n {
		out = append(out, scan...)
	}
	return append(out, 0xff, 0xd9)
}

func TestManyScans(t *testing.T) {
	img, info, err := Decode(manyScans(t, 2000), Limits{})
	if err != nil {
		t.Log(err) // the scans that were added may not be legal
	} else if like(img, img.Rect, 24) < 0.5 {
		t.Errorf("%q", info.Notes)
	}
	huge := hugeScans(t, 2000)
	_, info, err = Decode(huge, Limits{})
	var all, read int
	if err == nil && len(info.Notes) > 0 {
		_, _ = fmt.Sscanf(info.Notes[0], "Of its %d scans, the first %d were read", &all, &read)
	}
	if blocks := int(readJPEG(huge).blocks()); all != 2000 || read < 16 || read > 110_000_000/blocks { // a time would be the machine's
		t.Errorf("of %d scans with %d blocks %d were read: %q, %v", all, blocks, read, info.Notes, err)
	}
	ctx := &askedContext{Context: context.Background(), left: 100}
	if _, _, err := DecodeContext(ctx, hugeScans(t, 60), Limits{}); !errors.Is(err, context.Canceled) || ctx.left < -100 {
		t.Errorf("%v, and it asks %d times more", err, -ctx.left)
	}
}

// askedContext is cancelled once it was asked so many times whether it is.
type askedContext struct {
	context.Context
	left int
}

func (c *askedContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestScaled wants averages of whole squares, weighted by opacity.
func TestScaled(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 7, 5))
	for y := range 5 {
		for x := range 7 {
			img.SetNRGBA(x, y, color.NRGBA{uint8(40 * x), 100, 0, 255})
		}
	}
	img.SetNRGBA(0, 0, color.NRGBA{255, 255, 255, 0})
	got, info, err := Decode(encodePNG(t, img), Limits{Kept: 12})
	if err != nil || got.Rect != image.Rect(0, 0, 4, 3) || info.Width != 7 || info.Height != 5 || len(info.Notes) != 1 {
		t.Fatalf("%v %+v %v", got.Rect, info, err)
	}
	for at, want := range map[image.Point]color.NRGBA{{0, 0}: {27, 100, 0, 191}, {1, 0}: {100, 100, 0, 255}, {3, 1}: {240, 100, 0, 255}, {2, 2}: {180, 100, 0, 255}} {
		if c := got.NRGBAAt(at.X, at.Y); !near(c, want, 1) {
			t.Errorf("%v at %v, want %v", c, at, want)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, card(), &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	small, _, err := Decode(withExif(b.Bytes(), exifBlock(binary.BigEndian, 6)), Limits{Kept: 96 * 80 / 4})
	if err != nil || small.Rect != image.Rect(0, 0, 40, 48) {
		t.Fatalf("%v, %v", small.Rect, err)
	}
	if got, want := small.NRGBAAt(39-10, 20), cardAt(41, 21); !near(got, want, 6) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestPNGKinds compares our reader with Go's over random pixels in every colour type, depth and filter, interlaced and not, with and
// without a clear colour.
func TestPNGKinds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for kind, depths := range map[uint8][]uint8{pngGrey: {1, 2, 4, 8, 16}, pngRGB: {8, 16}, pngPalette: {1, 2, 4, 8}, pngGreyAlpha: {8, 16}, pngRGBA: {8, 16}} {
		for _, depth := range depths {
			for variant := range 8 {
				p := pngFile{width: 1 + random.IntN(40), height: 1 + random.IntN(30), kind: kind, depth: depth, interlaced: variant&1 != 0}
				var lines bytes.Buffer
				passes := adam7
				if !p.interlaced {
					passes = []pass{{0, 0, 1, 1}}
				}
				for _, q := range passes {
					w, h := (p.width-q.x+q.dx-1)/q.dx, (p.height-q.y+q.dy-1)/q.dy
					for range h {
						if w < 1 {
							break
						}
						lines.WriteByte(byte(random.IntN(5)))
						for range (w*p.samples()*int(depth) + 7) / 8 {
							lines.WriteByte(byte(random.IntN(256)))
						}
					}
				}
				header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(p.width)), uint32(p.height))
				data := appendChunk([]byte(pngSignature), "IHDR", append(header, depth, kind, 0, 0, byte(variant&1)))
				if kind == pngPalette {
					palette := make([]byte, 3<<depth)
					for i := range palette {
						palette[i] = byte(random.IntN(256))
					}
					data = appendChunk(data, "PLTE", palette)
				}
				switch {
				case variant&2 == 0:
				case kind == pngGrey:
					data = appendChunk(data, "tRNS", []byte{byte(random.IntN(256) >> (16 - max(depth, 8))), byte(random.IntN(1 << min(depth, 8)))})
				case kind == pngRGB:
					data = appendChunk(data, "tRNS", []byte{0, 1, 0, 2, 0, 3})
				case kind == pngPalette:
					data = appendChunk(data, "tRNS", []byte{0, 128})
				}
				data = appendChunk(appendChunk(data, "IDAT", deflate(t, lines.Bytes())), "IEND", nil)
				want, err := png.Decode(bytes.NewReader(data))
				if err != nil {
					t.Fatalf("type %d, depth %d: %v", kind, depth, err)
				}
				got, _, err := Decode(data, Limits{})
				if err != nil {
					t.Fatalf("type %d, depth %d: %v", kind, depth, err)
				}
				for y := range p.height {
					for x := range p.width {
						var w color.NRGBA
						switch c := want.At(x, y).(type) {
						case color.NRGBA64:
							w = color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), uint8(c.A >> 8)}
						case color.RGBA64:
							w = color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), uint8(c.A >> 8)}
						default:
							w = color.NRGBAModel.Convert(c).(color.NRGBA)
						}
						if g := got.NRGBAAt(x, y); g != w {
							t.Fatalf("type %d, depth %d, variant %d: %v at %d, %d, want %v", kind, depth, variant, g, x, y, w)
						}
					}
				}
			}
		}
	}
}

// TestLargePNGInLittleMemory reads 16 megapixels of 16 bits, 96 MB unpacked, into one: what is kept for it is the result and a few lines.
func TestLargePNGInLittleMemory(t *testing.T) {
	const side = 4096
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	line := make([]byte, 1+6*side)
	for i := range line {
		line[i] = byte(i >> 4)
	}
	line[0] = 0
	for range side {
		_, _ = z.Write(line)
	}
	_ = z.Close()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, side), side)
	data := appendChunk([]byte(pngSignature), "IHDR", append(header, 16, pngRGB, 0, 0, 0))
	data = appendChunk(appendChunk(data, "IDAT", packed.Bytes()), "IEND", nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	img, _, err := Decode(data, Limits{Kept: 1 << 20})
	runtime.ReadMemStats(&after)
	if err != nil || img.Rect != image.Rect(0, 0, 1024, 1024) {
		t.Fatal(img.Rect, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("decoding took %d MB, the result has 4", took>>20)
	}
}

// FuzzMendJPEG wants a file that a decoder reads of whatever can be mended, in time.
func FuzzMendJPEG(f *testing.F) {
	for _, name := range []string{"restart.jpg", "optimised.jpg", "grey.jpg", "cmyk.jpg"} {
		data := testdata(f, "salvage/"+name)
		f.Add(data)
		f.Add(data[:len(data)*4/5])
	}
	f.Add(testdata(f, "wild/nodht.jpg"))
	f.Add(testdata(f, "wild/s421x.jpg"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 || data[0] != 0xff || data[1] != 0xd8 {
			return
		}
		j := readJPEG(data)
		if j.progressive || int64(j.width)*int64(j.height) > 1<<18 {
			return
		}
		begun := time.Now()
		mended, good, all, ok := mendJPEG(data, j)
		if took := time.Since(begun); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(data), took)
		}
		if good > all || len(mended) > 64<<20 {
			t.Fatalf("%d of %d blocks, %d bytes", good, all, len(mended))
		}
		if ok && good == all {
			again, good, all, ok := mendJPEG(mended, readJPEG(mended))
			if !ok || good != all || !bytes.Equal(again, mended) {
				t.Fatalf("what was mended is mended once more: %d of %d blocks, %v", good, all, ok)
			}
		}
	})
}
