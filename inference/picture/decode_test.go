package picture

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"
)

var red, blue = color.NRGBA{220, 30, 30, 255}, color.NRGBA{30, 30, 220, 255}

// flag is 24 × 16: its left half red, its right half blue.
func flag() *image.NRGBA {
	img := solid(24, 16, red)
	for y := range 16 {
		for x := 12; x < 24; x++ {
			img.SetNRGBA(x, y, blue)
		}
	}
	return img
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeBMP(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bmp.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encodeGIF makes an animation of which the first frame covers only a part of the canvas.
func encodeGIF(t testing.TB, frames int) []byte {
	t.Helper()
	palette := color.Palette{color.NRGBA{}, red, blue}
	g := &gif.GIF{Config: image.Config{ColorModel: palette, Width: 24, Height: 16}}
	for i := range frames {
		f := image.NewPaletted(image.Rect(4, 2, 24, 16), palette)
		for j := range f.Pix {
			f.Pix[j] = uint8(1 + i%2)
		}
		g.Image, g.Delay = append(g.Image, f), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// exifBlock is a TIFF-shaped block with a foreign tag and an orientation.
func exifBlock(order binary.AppendByteOrder, orientation uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, e := range [][2]uint16{{0x0100, 24}, {0x0112, orientation}} {
		b = order.AppendUint16(order.AppendUint16(b, e[0]), 3)
		b = order.AppendUint16(order.AppendUint16(order.AppendUint32(b, 1), e[1]), 0)
	}
	return order.AppendUint32(b, 0)
}

func withExif(jpg, block []byte) []byte {
	body := append([]byte("Exif\x00\x00"), block...)
	out := append([]byte{}, jpg[:2]...)
	out = binary.BigEndian.AppendUint16(append(out, 0xff, 0xe1), uint16(len(body)+2))
	return append(append(out, body...), jpg[2:]...)
}

func TestDecodeReads(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 24, 16))
	gray16 := image.NewGray16(image.Rect(0, 0, 24, 16))
	gray := image.NewGray(image.Rect(0, 0, 24, 16))
	palette := image.NewPaletted(image.Rect(0, 0, 24, 16), color.Palette{red, blue, color.NRGBA{9, 9, 9, 0}})
	clear := flag()
	for y := range 16 {
		for x := range 24 {
			c := flag().NRGBAAt(x, y)
			deep.SetNRGBA64(x, y, color.NRGBA64{uint16(c.R)<<8 | 0xee, uint16(c.G)<<8 | 0x11, uint16(c.B) << 8, 0x40ff})
			gray16.SetGray16(x, y, color.Gray16{uint16(x)<<8 | 0xff})
			gray.SetGray(x, y, color.Gray{uint8(x)})
			palette.SetColorIndex(x, y, uint8(x/12))
			clear.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, 7})
		}
	}
	palette.SetColorIndex(0, 0, 2)

	type want struct {
		format      string
		left, right color.NRGBA // at (6, 8) and (18, 8)
		near        int         // tolerance of lossy files
		info        Info        // Frames 0 stands for 1
		note        string
	}
	for name, c := range map[string]struct {
		data []byte
		want want
	}{
		"png":              {encodePNG(t, flag()), want{format: "PNG", left: red, right: blue}},
		"png transparent":  {encodePNG(t, clear), want{format: "PNG", left: color.NRGBA{220, 30, 30, 7}, right: color.NRGBA{30, 30, 220, 7}, info: Info{Transparent: true}}},
		"png 16 bit":       {encodePNG(t, deep), want{format: "PNG", left: color.NRGBA{220, 30, 30, 64}, right: color.NRGBA{30, 30, 220, 64}, info: Info{Transparent: true}, note: "16-bit"}},
		"png gray":         {encodePNG(t, gray), want{format: "PNG", left: color.NRGBA{6, 6, 6, 255}, right: color.NRGBA{18, 18, 18, 255}}},
		"png gray 16":      {encodePNG(t, gray16), want{format: "PNG", left: color.NRGBA{6, 6, 6, 255}, right: color.NRGBA{18, 18, 18, 255}, note: "16-bit"}},
		"png palette":      {encodePNG(t, palette), want{format: "PNG", left: red, right: blue, info: Info{Transparent: true}}},
		"apng":             {testdata(t, "animated.png"), want{format: "PNG", left: red, right: blue, info: Info{Frames: 2, Transparent: true}, note: "first of its 2 frames"}},
		"jpeg":             {encodeJPEG(t, flag()), want{format: "JPEG", left: red, right: blue, near: 4}},
		"jpeg gray":        {encodeJPEG(t, gray), want{format: "JPEG", left: color.NRGBA{6, 6, 6, 255}, right: color.NRGBA{18, 18, 18, 255}, near: 4}},
		"jpeg progressive": {testdata(t, "progressive.jpg"), want{format: "JPEG", left: red, right: blue, near: 4}},
		"jpeg cmyk":        {testdata(t, "cmyk.jpg"), want{format: "JPEG", left: red, right: blue, near: 8, note: "CMYK"}},
		"gif":              {encodeGIF(t, 1), want{format: "GIF", left: red, right: red, info: Info{Transparent: true}}},
		"gif animated":     {encodeGIF(t, 5), want{format: "GIF", left: red, right: red, info: Info{Frames: 5, Transparent: true}, note: "first of its 5 frames"}},
		"webp lossy":       {testdata(t, "lossy.webp"), want{format: "WebP", left: red, right: blue, near: 8}},
		"webp lossless":    {testdata(t, "lossless.webp"), want{format: "WebP", left: red, right: blue, info: Info{Transparent: true}}},
		"webp animated":    {testdata(t, "animated.webp"), want{format: "WebP", left: red, right: blue, info: Info{Frames: 2, Transparent: true}, note: "first of its 2 frames"}},
		"webp animated, lossy with alpha": {testdata(t, "animated-alpha.webp"), want{
			format: "WebP", left: color.NRGBA{220, 30, 30, 128}, right: color.NRGBA{30, 30, 220, 128}, near: 10,
			info: Info{Frames: 2, Transparent: true}, note: "first of its 2 frames",
		}},
		"bmp": {encodeBMP(t, flag()), want{format: "BMP", left: red, right: blue}},
	} {
		t.Run(name, func(t *testing.T) {
			img, info, err := Decode(c.data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			w := c.want
			if w.info.Frames == 0 {
				w.info.Frames = 1
			}
			if info.Format != w.format || info.Width != 24 || info.Height != 16 || info.Frames != w.info.Frames || info.Transparent != w.info.Transparent ||
				info.Orientation != 1 || img.Rect != image.Rect(0, 0, 24, 16) {
				t.Errorf("%+v, picture %v", info, img.Rect)
			}
			if (w.note == "") != (len(info.Notes) == 0) || !strings.Contains(strings.Join(info.Notes, " "), w.note) {
				t.Errorf("notes %q, want %q", info.Notes, w.note)
			}
			for p, want := range map[image.Point]color.NRGBA{{6, 8}: w.left, {18, 8}: w.right} {
				got := img.NRGBAAt(p.X, p.Y)
				for i, d := range []int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B), int(got.A) - int(want.A)} {
					if d < -w.near || d > w.near {
						t.Errorf("channel %d at %v: %v, want %v", i, p, got, want)
					}
				}
			}
			if w.format == "GIF" && img.NRGBAAt(1, 1).A != 0 {
				t.Error("outside of the first frame the canvas is not clear")
			}
		})
	}
}

// TestOrientation turns a picture whose corners all differ, in every way that EXIF knows, and wants it back upright.
func TestOrientation(t *testing.T) {
	upright := image.NewNRGBA(image.Rect(0, 0, 32, 16))
	corners := map[image.Point]color.NRGBA{{4, 4}: {255, 0, 0, 255}, {28, 4}: {0, 255, 0, 255}, {4, 12}: {0, 0, 255, 255}, {28, 12}: {255, 255, 255, 255}}
	for y := range 16 {
		for x := range 32 {
			upright.SetNRGBA(x, y, corners[image.Pt(4+x/16*24, 4+y/8*8)])
		}
	}
	// Where the file holds the pixel that belongs at (x, y), by the definition of the tag's values.
	stored := map[int]func(x, y int) image.Point{
		1: func(x, y int) image.Point { return image.Pt(x, y) },
		2: func(x, y int) image.Point { return image.Pt(31-x, y) },
		3: func(x, y int) image.Point { return image.Pt(31-x, 15-y) },
		4: func(x, y int) image.Point { return image.Pt(x, 15-y) },
		5: func(x, y int) image.Point { return image.Pt(y, x) },
		6: func(x, y int) image.Point { return image.Pt(y, 31-x) },
		7: func(x, y int) image.Point { return image.Pt(15-y, 31-x) },
		8: func(x, y int) image.Point { return image.Pt(15-y, x) },
	}
	for o, at := range stored {
		turned := image.NewNRGBA(image.Rect(0, 0, 32, 16))
		if o > 4 {
			turned = image.NewNRGBA(image.Rect(0, 0, 16, 32))
		}
		for y := range 16 {
			for x := range 32 {
				p := at(x, y)
				turned.SetNRGBA(p.X, p.Y, upright.NRGBAAt(x, y))
			}
		}
		exif := exifBlock(binary.LittleEndian, uint16(o))
		plain := encodePNG(t, turned)
		for name, data := range map[string][]byte{
			"jpeg":            withExif(encodeJPEG(t, turned), exif),
			"jpeg big-endian": withExif(encodeJPEG(t, turned), exifBlock(binary.BigEndian, uint16(o))),
			"png":             append(appendChunk(slices.Clone(plain[:33]), "eXIf", exif), plain[33:]...),
		} {
			img, info, err := Decode(data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if info.Orientation != o || info.Width != 32 || info.Height != 16 {
				t.Errorf("%s %d: %+v", name, o, info)
				continue
			}
			for p, want := range corners {
				got := img.NRGBAAt(p.X, p.Y)
				if max(got.R^want.R, got.G^want.G, got.B^want.B) > 32 {
					t.Errorf("%s %d at %v: %v, want %v", name, o, p, got, want)
				}
			}
		}
	}
	img, info, err := Decode(testdata(t, "turned.webp"), Limits{})
	if err != nil || info.Orientation != 6 || info.Width != 16 || info.Height != 24 || img.NRGBAAt(8, 4) != red {
		t.Errorf("webp: %+v, %v", info, err)
	}
}

// header makes a PNG that promises a size and holds nothing.
func header(w, h uint32) []byte {
	body := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return appendChunk([]byte(pngSignature), "IHDR", append(body, 8, 6, 0, 0, 0))
}

// progressive is a JPEG file of a size that it does not hold.
func progressive(t *testing.T, width, height uint16) []byte {
	t.Helper()
	data := testdata(t, "salvage/progressive.jpg")
	sof := bytes.Index(data, []byte{0xff, 0xc2})
	binary.BigEndian.PutUint16(data[sof+5:], height)
	binary.BigEndian.PutUint16(data[sof+7:], width)
	data[sof+11] = 0x11 // no subsampling
	return data
}

func TestDecodeRefuses(t *testing.T) {
	whole, jpg, anim := encodePNG(t, formula(64, 64)), encodeJPEG(t, formula(64, 64)), testdata(t, "animated.webp")
	damaged := slices.Clone(whole)
	damaged[len(damaged)/2] ^= 0xff
	badJPEG := slices.Clone(jpg)
	copy(badJPEG[2:], "\xff\xc9\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00") // arithmetic coding
	rle := encodeBMP(t, flag())
	rle[30] = 1
	outside := slices.Clone(anim)
	outside[bytes.Index(anim, []byte("ANMF"))+8] = 200
	lying := slices.Clone(anim)
	lying[bytes.Index(anim, []byte("ANMF"))+8+6]--
	emptyFrame := append(slices.Clone(anim[:bytes.Index(anim, []byte("ANMF"))]), "ANMF\x00\x00\x00\x00"...)
	hugeWebP := slices.Clone(anim)
	copy(hugeWebP[24:], "\xff\xff\xff\xff\xff\xff")
	ftyp := func(major, other string) []byte {
		return append([]byte("\x00\x00\x00\x18ftyp"+major+"\x00\x00\x00\x00mif1"+other), make([]byte, 64)...)
	}
	type text string
	for name, c := range map[string]struct {
		data        []byte
		unsupported bool
		what        text // names the thing
		remedy      text
	}{
		"empty":                  {nil, false, "empty", "again"},
		"png cut":                {whole[:len(whole)/2], false, "PNG picture is cut short", "again"},
		"png only header":        {header(8, 8), false, "cut short", "again"},
		"png damaged":            {damaged, false, "PNG picture is damaged", "again"},
		"png without width":      {header(0, 8), false, "PNG picture is damaged", "again"},
		"png huge":               {header(60_000, 60_000), true, "60000 × 60000 pixels, and at most 500 million", "scale it down"},
		"png long":               {header(90_000, 2), true, "90000 × 2", "scale it down"},
		"jpeg in progress, huge": {progressive(t, 9000, 9000), true, "would take 1.3 GB of memory", "save it as PNG"},
		"png beyond int32":       {header(1<<31+5, 5), false, "damaged", "again"},
		"jpeg cut":               {jpg[:len(jpg)/2], false, "JPEG picture is cut short", "again"},
		"jpeg two bytes":         {jpg[:3], false, "JPEG picture is cut short", "again"},
		"jpeg arithmetic":        {badJPEG, true, "kind of JPEG is not supported", "save it as PNG"},
		"gif cut":                {encodeGIF(t, 1)[:40], false, "GIF picture is cut short", "again"},
		"bmp cut":                {encodeBMP(t, flag())[:100], false, "BMP picture is cut short", "again"},
		"bmp rle":                {rle, true, "kind of BMP is not supported", "save it as PNG"},
		"webp cut":               {testdata(t, "lossless.webp")[:30], false, "WebP picture", "again"},
		"webp frame outside":     {outside, false, "outside of the canvas", "again"},
		"webp frame lies":        {lying, false, "WebP picture is damaged", "again"},
		"webp frame is empty":    {emptyFrame, false, "first frame is empty", "again"},
		"webp huge canvas":       {hugeWebP, true, "16777216 × 16777216 pixels", "scale it down"},
		"text":                   {[]byte("just some notes äöü"), true, "a text file", "; choose a picture: PNG,"},
		"text cut in a rune":     {[]byte(strings.Repeat("a", 4095) + "äöü"), true, "a text file", "; choose a picture: PNG,"},
		"json":                   {[]byte(`{"a": 1}`), true, "a text file", "; choose a picture: PNG,"},
		"web page":               {[]byte("\n<!DOCTYPE html><html></html>"), true, "a web page", "; save the picture itself"},
		"zip":                    {zipOf(t, "notes.txt", "notes"), true, "this is a zip archive;", "unpack it"},
		"zip of nothing":         {[]byte("PK\x05\x06" + strings.Repeat("\x00", 18)), true, "this is a zip archive;", "unpack it"},
		"gzip":                   {[]byte("\x1f\x8b\x08\x00\x00"), true, "a compressed archive;", "unpack it"},
		"krita":                  {zipOf(t, "mimetype", "application/x-krita"), true, "a layered picture (Krita, OpenRaster)", "PNG"},
		"open raster":            {zipOf(t, "mimetype", "image/openraster"), true, "a layered picture (Krita, OpenRaster)", "PNG"},
		"svg":                    {[]byte("\ufeff<?xml version='1.0'?>\n<svg xmlns='x'/>"), true, "an SVG drawing", "PNG"},
		"heic":                   {ftyp("heic", "heic"), true, "a HEIC picture", "convert it to JPEG"},
		"heif":                   {ftyp("mif1", "miaf"), true, "a HEIF picture", "convert it to JPEG"},
		"avif":                   {ftyp("avif", "miaf"), true, "an AVIF picture", "convert it to PNG"},
		"avif in mif1":           {ftyp("mif1", "avif"), true, "an AVIF picture", "convert it to PNG"},
		"mp4":                    {[]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00moov"), true, "a video;", "save one picture of it as PNG"},
		"tiff":                   {[]byte("II*\x00\x08\x00\x00\x00\x00\x00"), true, "a TIFF or camera raw picture", "PNG"},
		"tiff big":               {[]byte("MM\x00*\x00\x00\x00\x08"), true, "a TIFF", "PNG"},
		"psd":                    {[]byte("8BPS\x00\x01"), true, "a Photoshop", "PNG"},
		"jxl":                    {[]byte("\xff\x0a\x00\x00"), true, "a JPEG XL", "PNG"},
		"pdf":                    {[]byte("%PDF-1.7\n"), true, "a PDF document", "PNG"},
		"noise":                  {[]byte{0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, true, "not a picture of a known format", "PNG"},
	} {
		t.Run(name, func(t *testing.T) {
			img, _, err := Decode(c.data, Limits{})
			if err == nil {
				t.Fatalf("was read as %v", img.Rect)
			}
			var u UnsupportedError
			if errors.As(err, &u) != c.unsupported || !strings.Contains(err.Error(), string(c.what)) || !strings.Contains(err.Error(), string(c.remedy)) {
				t.Errorf("%T %v\nwant unsupported %v, %q, %q", err, err, c.unsupported, c.what, c.remedy)
			}
		})
	}
}

// zipOf is an archive of one entry that is stored as it is.
func zipOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLimits(t *testing.T) {
	data := encodePNG(t, flag())
	for _, l := range []Limits{{Pixels: 24*16 - 1}, {Side: 23}, {Bytes: int64(len(data)) - 1}} {
		if _, _, err := Decode(data, l); err == nil {
			t.Errorf("%+v let a picture of 24 × 16 pass", l)
		}
	}
	if _, _, err := Decode(data, Limits{Pixels: 24 * 16, Side: 24, Bytes: int64(len(data))}); err != nil {
		t.Error(err)
	}
}

// FuzzDecode wants an answer in time, never a panic or a picture beyond the limits, for any bytes.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"animated.png", "animated.webp", "animated-alpha.webp", "cmyk.jpg", "lossless.webp", "lossy.webp", "progressive.jpg", "turned.webp"} {
		f.Add(testdata(f, name))
	}
	for _, name := range []string{"restart.jpg", "optimised.jpg", "progressive.jpg", "grey.jpg", "cmyk-bare.jpg", "lossy.webp", "card.gif", "interlaced.gif"} {
		data := testdata(f, "salvage/"+name)
		f.Add(data)
		f.Add(data[:len(data)*4/5])
	}
	for _, name := range []string{"p3.png", "grey-alpha.png", "cmyk4.jpg", "lossy.webp"} {
		f.Add(testdata(f, "colour/"+name))
	}
	f.Add(testdata(f, "wild/nodht.jpg"))
	f.Add(testdata(f, "wild/s421x.jpg"))
	small := flag()
	f.Add(encodePNG(f, small))
	f.Add(withExif(encodeJPEG(f, small), exifBlock(binary.BigEndian, 6)))
	f.Add(encodeGIF(f, 2))
	f.Add(encodeBMP(f, small))
	f.Add([]byte("\x00\x00\x00\x18ftypavif"))
	f.Add([]byte("<svg>"))
	limits := Limits{Bytes: 1 << 20, Pixels: 1 << 16, Side: 1 << 12, Kept: 1 << 14}
	f.Fuzz(func(t *testing.T, data []byte) {
		begun := time.Now()
		img, info, err := Decode(data, limits)
		if took := time.Since(begun); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(data), took)
		}
		if err != nil {
			var format FormatError
			var unsupported UnsupportedError
			if !errors.As(err, &format) && !errors.As(err, &unsupported) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if img.Rect.Empty() || img.Rect.Min != (image.Point{}) || img.Rect.Dx() > info.Width || img.Rect.Dy() > info.Height || info.Width*info.Height > 1<<16 ||
			img.Rect.Dx()*img.Rect.Dy() > 1<<14 || info.Frames < 1 {
			t.Fatalf("%+v, picture %v", info, img.Rect)
		}
		if _, _, err := Prepare(img, Square{}, 16); err != nil {
			t.Fatal(err)
		}
	})
}

// TestUnread: pictures of other kinds are known by their names, those that are read are not among them.
func TestUnread(t *testing.T) {
	for name, want := range map[string]string{
		"scan.TIF": "a TIFF or camera raw picture", "a.b.psd": "a Photoshop (PSD) file", "x.jxl": "a JPEG XL picture", "logo.svg": "an SVG drawing", "a.kra": "a layered picture (Krita, OpenRaster)",
		"IMG_1.CR3": "a TIFF or camera raw picture", "a.png": "", "tif": "", "a.": "", "notes.txt": "", "a.heic": "",
	} {
		err := Unread(name)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), "this is "+want+", which is not supported") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
