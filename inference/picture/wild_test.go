package picture

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWild wants the right values of files that people have and that were read wrongly or not at all (testdata/wild).
func TestWild(t *testing.T) {
	for name, want := range map[string]struct {
		centre color.NRGBA
		note   string // a part of it; empty: none
		error  string
	}{
		"p3.jpg":            {centre: color.NRGBA{251, 31, 13, 255}},
		"adobergb.jpg":      {centre: color.NRGBA{255, 57, 34, 255}},
		"cmyk-icc.jpg":      {centre: color.NRGBA{228, 78, 51, 255}},
		"gimp-iccp-crc.png": {centre: color.NRGBA{230, 60, 40, 255}, note: "the checksum of its part iCCP is wrong, so that part was ignored"},
		"noeoi.jpg":         {centre: color.NRGBA{237, 223, 222, 255}, note: "the picture itself is complete"},
		"cut95.jpg":         {centre: color.NRGBA{237, 223, 222, 255}, note: "is missing and grey"},
		"nodht.jpg":         {centre: color.NRGBA{231, 60, 40, 255}, note: "no Huffman tables"},
		"s421x.jpg":         {centre: color.NRGBA{232, 60, 40, 255}},
		"mp108.png":         {centre: color.NRGBA{255, 255, 255, 255}, note: "12000 × 9000 pixels and was scaled down to 6000 × 4500"},
		"small-screen.gif":  {centre: color.NRGBA{140, 138, 128, 255}},
		"no-screen.gif":     {centre: color.NRGBA{140, 138, 128, 255}},
		"x.heic":            {error: "convert"},
		"x.avif":            {error: "convert"},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "wild", name))
		if err != nil {
			t.Fatal(err)
		}
		img, info, err := Decode(data, Limits{})
		if want.error != "" {
			if err == nil || !strings.Contains(err.Error(), want.error) {
				t.Errorf("%s: %v, want a sentence with %q", name, err, want.error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := img.NRGBAAt(img.Rect.Dx()/2, img.Rect.Dy()/2)
		if !near(got, want.centre, 3) {
			t.Errorf("%s: %v, want %v", name, got, want.centre)
		}
		if notes := strings.Join(info.Notes, " "); (notes == "") != (want.note == "") || !strings.Contains(notes, want.note) {
			t.Errorf("%s: notes %q, want %q", name, notes, want.note)
		}
		t.Log(name, img.Rect.Size(), got, info.Colours, info.Notes)
	}
}

func near(a, b color.NRGBA, most int) bool {
	for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B), int(a.A) - int(b.A)} {
		if d < -most || d > most {
			return false
		}
	}
	return true
}

// TestOrientationElsewhere: not all that turn a picture write EXIF where it belongs. The pixels are Pillow's, after exif_transpose.
func TestOrientationElsewhere(t *testing.T) {
	plain := flag()
	size := plain.Bounds().Size()
	first, corner := color.NRGBAModel.Convert(plain.At(0, 0)).(color.NRGBA), color.NRGBAModel.Convert(plain.At(0, size.Y-1)).(color.NRGBA)
	for name, c := range map[string]struct {
		data []byte
		size image.Point
		at   image.Point
		want color.NRGBA
	}{
		"XMP in a JPEG":   {testdata(t, "wild/turned-xmp.jpg"), image.Pt(64, 96), image.Pt(2, 2), color.NRGBA{237, 70, 184, 255}},
		"XMP in a WebP":   {testdata(t, "wild/turned-xmp.webp"), image.Pt(4, 6), image.Pt(3, 0), color.NRGBA{255, 0, 0, 255}},
		"ImageMagick's":   {testdata(t, "wild/turned-raw.png"), image.Pt(64, 96), image.Pt(2, 2), color.NRGBA{236, 70, 185, 255}},
		"XMP in a PNG":    {withChunks(t, appendInternational(nil, xmpKeyword, `<x tiff:Orientation="6"/>`, true)), image.Pt(size.Y, size.X), image.Point{}, corner},
		"nobody's number": {withChunks(t, appendInternational(nil, xmpKeyword, `<x tiff:Orientation="9"/>`, true)), size, image.Point{}, first},
	} {
		img, _, err := Decode(c.data, Limits{})
		if err != nil || img.Rect.Size() != c.size || !near(img.NRGBAAt(c.at.X, c.at.Y), c.want, 3) {
			t.Errorf("%s: %v, %v, want %v and %v: %v", name, img.Rect, img.NRGBAAt(c.at.X, c.at.Y), c.size, c.want, err)
		}
	}
}
