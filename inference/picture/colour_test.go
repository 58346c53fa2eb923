package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testProfile is one of the colour profiles of the colour package's goldens.
func testProfile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "colour", "testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct{ Profile []byte }
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(all[name].Profile))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return profile
}

// TestColour compares pictures with profiles with what LittleCMS makes of them (testdata/colour.py).
func TestColour(t *testing.T) {
	var want map[string][2][3]uint8
	if err := json.Unmarshal(testdata(t, "colour/colour.json"), &want); err != nil || len(want) < 10 {
		t.Fatal(err, len(want))
	}
	for name, sides := range want {
		img, info, err := Decode(testdata(t, "colour/"+name), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		most := 3
		if strings.HasSuffix(name, ".webp") && !strings.HasPrefix(name, "lossless") { // libwebp smooths the colours of lossy files
			most = 5
		}
		for i, at := range []image.Point{{6, 8}, {18, 8}} {
			got := img.NRGBAAt(at.X, at.Y)
			alpha := uint8(255)
			if strings.Contains(name, "clear") || strings.Contains(name, "alpha") {
				alpha = 120
			}
			if w := (color.NRGBA{sides[i][0], sides[i][1], sides[i][2], alpha}); !near(got, w, most) {
				t.Errorf("%s at %v: %v, want %v", name, at, got, w)
			}
		}
		if info.Colours == "" {
			t.Errorf("%s: nothing says whose colours these were", name)
		}
	}
}

// pngWith puts chunks behind the header of a PNG file.
func pngWith(plain []byte, chunks ...string) []byte {
	out := append([]byte(nil), plain[:33]...)
	for i := 0; i+1 < len(chunks); i += 2 {
		out = appendChunk(out, chunks[i], []byte(chunks[i+1]))
	}
	return append(out, plain[33:]...)
}

// TestColourChunks compares the ways in which a PNG file can say its colours, and which of them goes first.
func TestColourChunks(t *testing.T) {
	plain := encodePNG(t, solid(8, 8, color.NRGBA{230, 60, 40, 255}))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(testProfile(t, "Adobe"))
	_ = z.Close()
	iccp := "Adobe\x00\x00" + packed.String()
	be := func(v ...uint32) string {
		var b strings.Builder
		for _, v := range v {
			b.Write([]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		}
		return b.String()
	}
	p3 := be(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
	for name, c := range map[string]struct {
		chunks []string
		want   color.NRGBA
	}{
		"nothing":                  {nil, color.NRGBA{230, 60, 40, 255}},
		"cICP of P3":               {[]string{"cICP", "\x0c\x0d\x00\x01"}, color.NRGBA{251, 31, 13, 255}},
		"cICP of sRGB":             {[]string{"cICP", "\x01\x0d\x00\x01"}, color.NRGBA{230, 60, 40, 255}},
		"iCCP":                     {[]string{"iCCP", iccp}, color.NRGBA{255, 57, 34, 255}},
		"cICP before iCCP":         {[]string{"iCCP", iccp, "cICP", "\x0c\x0d\x00\x01"}, color.NRGBA{251, 31, 13, 255}},
		"iCCP before sRGB":         {[]string{"sRGB", "\x00", "iCCP", iccp}, color.NRGBA{255, 57, 34, 255}},
		"sRGB before gamma":        {[]string{"gAMA", be(100000), "sRGB", "\x00"}, color.NRGBA{230, 60, 40, 255}},
		"gamma 1":                  {[]string{"gAMA", be(100000)}, color.NRGBA{244, 133, 110, 255}}, // encodeSRGB(v)
		"gamma 1.8":                {[]string{"gAMA", be(55556)}, color.NRGBA{235, 79, 55, 255}},    // encodeSRGB(v^1.8)
		"gamma 2.2":                {[]string{"gAMA", be(45455)}, color.NRGBA{230, 60, 40, 255}},
		"gamma 2.2 over P3":        {[]string{"gAMA", be(45455), "cHRM", p3}, color.NRGBA{252, 23, 1, 255}},
		"chromaticities alone":     {[]string{"cHRM", p3}, color.NRGBA{230, 60, 40, 255}},
		"chromaticities of nobody": {[]string{"gAMA", be(100000), "cHRM", be(0, 0, 0, 0, 0, 0, 0, 0)}, color.NRGBA{244, 133, 110, 255}},
	} {
		img, info, err := Decode(pngWith(plain, c.chunks...), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := img.NRGBAAt(4, 4); !near(got, c.want, 3) {
			t.Errorf("%s: %v, want %v (%v)", name, got, c.want, info.Notes)
		}
	}
	img, info, err := Decode(pngWith(plain, "cICP", "\x09\x10\x00\x01"), Limits{})
	if err != nil || img.NRGBAAt(4, 4) == (color.NRGBA{230, 60, 40, 255}) || !strings.Contains(strings.Join(info.Notes, " "), "high dynamic range") {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestProfileThatDoesNotFit wants the picture without it, and a note.
func TestProfileThatDoesNotFit(t *testing.T) {
	plain := encodePNG(t, solid(8, 8, color.NRGBA{230, 60, 40, 255}))
	pack := func(profile []byte) string {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, _ = z.Write(profile)
		_ = z.Close()
		return "x\x00\x00" + b.String()
	}
	for name, body := range map[string]string{
		"CMYK":      pack(testProfile(t, "CMYK table 8")),
		"grey":      pack(testProfile(t, "grey 1.8")),
		"nonsense":  pack([]byte("nonsense")),
		"empty":     pack(nil),
		"not zlib":  "x\x00\x00\x00\x00\x00",
		"cut short": pack(testProfile(t, "Adobe")[:300]),
	} {
		img, info, err := Decode(pngWith(plain, "iCCP", body), Limits{})
		if err != nil || img.NRGBAAt(4, 4) != (color.NRGBA{230, 60, 40, 255}) || !strings.Contains(strings.Join(info.Notes, " "), "colour profile was ignored") {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	// A grey picture with a profile for RGB has a right answer.
	grey := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range grey.Pix {
		grey.Pix[i] = 100
	}
	img, info, err := Decode(pngWith(encodePNG(t, grey), "iCCP", pack(testProfile(t, "linear"))), Limits{})
	if err != nil || !near(img.NRGBAAt(4, 4), color.NRGBA{168, 168, 168, 255}, 3) || len(info.Notes) > 0 {
		t.Errorf("%v %+v, %v", img.NRGBAAt(4, 4), info, err)
	}
}
