package colour

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/inference/wait"
)

type golden struct {
	Profile  string
	From, To [][]int
}

func goldens(t testing.TB) map[string]golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]golden
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (g golden) profile(t testing.TB) []byte {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(g.Profile)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func convert(s *Space, c []int) [3]int {
	var from [4]uint16
	for i := range from {
		from[i] = uint16(c[min(i, len(c)-1)]) * 257
	}
	var to [4]uint8
	s.Convert(to[:], from[:])
	return [3]int{int(to[0]), int(to[1]), int(to[2])}
}

func wantNear(t *testing.T, name string, from []int, got [3]int, want []int, most int) {
	t.Helper()
	for i := range got {
		if d := got[i] - want[i]; d < -most || d > most {
			t.Errorf("%s: %v became %v, want %v", name, from, got, want)
			return
		}
	}
}

// TestProfiles compares with LittleCMS.
func TestProfiles(t *testing.T) {
	for name, g := range goldens(t) {
		s, err := FromICC(g.profile(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if (s == nil) != strings.HasPrefix(name, "sRGB") {
			t.Errorf("%s: taken for sRGB: %v", name, s == nil)
		}
		if want := len(g.From[0]); s.Channels() != want && s != nil {
			t.Errorf("%s has %d channels, want %d", name, s.Channels(), want)
		}
		for i, from := range g.From {
			wantNear(t, name, from, convert(s, from), g.To[i], 3)
		}
		if s != nil && s.Name() == "" {
			t.Errorf("%s has no name", name)
		}
	}
}

// TestCodePointsAndGamma compares with profiles that say the same, and with values worked out by hand from the standards.
func TestCodePointsAndGamma(t *testing.T) {
	all := goldens(t)
	p3, hdr, err := FromCodePoints(12, 13, 0, true)
	if err != nil || hdr {
		t.Fatal(err, hdr)
	}
	for i, from := range all["P3"].From {
		wantNear(t, "P3 by code points", from, convert(p3, from), all["P3"].To[i], 2)
	}
	light, err := FromGamma(1, Chromaticities{})
	if err != nil {
		t.Fatal(err)
	}
	for i, from := range all["linear"].From {
		wantNear(t, "gamma 1", from, convert(light, from), all["linear"].To[i], 2)
	}
	adobe, err := FromGamma(256./563, Chromaticities{d65, {0.64, 0.33}, {0.21, 0.71}, {0.15, 0.06}})
	if err != nil {
		t.Fatal(err)
	}
	for i, from := range all["Adobe"].From {
		wantNear(t, "Adobe by chromaticities", from, convert(adobe, from), all["Adobe"].To[i], 2)
	}
	for _, same := range []func() (*Space, error){
		func() (*Space, error) { return FromGamma(0.45455, Chromaticities{}) },
		func() (*Space, error) {
			return FromGamma(0.45455, Chromaticities{d65, {0.64, 0.33}, {0.3, 0.6}, {0.15, 0.06}})
		},
		func() (*Space, error) { s, _, err := FromCodePoints(1, 13, 0, true); return s, err },
	} {
		if s, err := same(); s != nil || err != nil {
			t.Errorf("sRGB is %v, %v", s, err)
		}
	}
	// 203 cd/m² are 0.58069 of the perceptual quantizer and white here; 0.75 of hybrid log-gamma is as bright.
	for transfer, white := range map[uint8]int{16: 148, 18: 191} {
		s, hdr, err := FromCodePoints(9, transfer, 0, true)
		if err != nil || !hdr {
			t.Fatal(err, hdr)
		}
		if got := convert(s, []int{white, white, white}); got[0] < 252 || got[1] < 252 || got[2] < 252 {
			t.Errorf("curve %d: %d is %v, want white", transfer, white, got)
		}
		if got := convert(s, []int{0, 0, 0}); got != [3]int{} {
			t.Errorf("curve %d: black is %v", transfer, got)
		}
	}
	for _, bad := range []func() (*Space, error){
		func() (*Space, error) { return FromGamma(0, Chromaticities{}) },
		func() (*Space, error) {
			return FromGamma(1, Chromaticities{{0.3, 0.3}, {0.3, 0.3}, {0.3, 0.3}, {0.3, 0.3}})
		},
		func() (*Space, error) { return FromGamma(1, Chromaticities{{0.3, 0}, {1, 0}, {0, 1}, {0, 0}}) },
		func() (*Space, error) { s, _, err := FromCodePoints(3, 13, 0, true); return s, err },
		func() (*Space, error) { s, _, err := FromCodePoints(1, 99, 0, true); return s, err },
		func() (*Space, error) { s, _, err := FromCodePoints(1, 13, 1, true); return s, err },
	} {
		if s, err := bad(); err == nil {
			t.Errorf("%v was made", s)
		}
	}
}

// TestDeep wants 16-bit values to keep what 8 bits would lose: dark linear light.
func TestDeep(t *testing.T) {
	s, err := FromGamma(1, Chromaticities{})
	if err != nil {
		t.Fatal(err)
	}
	var to [4]uint8
	for v, want := range map[uint16]uint8{20: 1, 66: 3, 131: 6, 200: 10, 1000: 33, 30000: 181} { // encodeSRGB(v/65535)·255
		s.Convert(to[:], []uint16{v, v, v, 65535})
		if d := int(to[0]) - int(want); d < -1 || d > 1 {
			t.Errorf("light of %d/65535 is %d, want %d", v, to[0], want)
		}
	}
}

func TestDamagedProfiles(t *testing.T) {
	good := goldens(t)["CMYK table 16"].profile(t)
	change := func(f func(b []byte) []byte) []byte { return f(slices.Clone(good)) }
	for name, data := range map[string][]byte{
		"empty":     nil,
		"short":     good[:100],
		"text":      bytes.Repeat([]byte("profile "), 40),
		"cut":       good[:len(good)/2],
		"tags":      change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[128:], 1<<32-1); return b }),
		"none":      change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[128:], 0); return b }),
		"tag out":   change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[136:], 1<<31); return b }),
		"tag in":    change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[136:], 4); return b }),
		"tag wraps": change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[140:], 1<<32-1); return b }),
		"space":     change(func(b []byte) []byte { copy(b[16:], "Lab "); return b }),
		"channels":  change(func(b []byte) []byte { b[bytes.Index(b, []byte("mft2"))+8] = 200; return b }),
		"grid":      change(func(b []byte) []byte { b[bytes.Index(b, []byte("mft2"))+10] = 255; return b }),
		"no table":  change(func(b []byte) []byte { copy(b[bytes.LastIndex(b[:300], []byte("A2B0")):], "XXXX"); return b }),
	} {
		if s, err := FromICC(data); err == nil {
			t.Errorf("%s: read as %v", name, s.Name())
		}
	}
}

// tagged is a profile of one tag, under several names.
func tagged(tag []byte, names ...string) []byte {
	b := make([]byte, 132+12*len(names), 200+len(tag))
	copy(b[8:], "\x04\x20\x00\x00mntrRGB XYZ ")
	copy(b[36:], "acsp")
	binary.BigEndian.PutUint32(b[128:], uint32(len(names)))
	for i, name := range names {
		e := b[132+12*i:]
		copy(e, name)
		binary.BigEndian.PutUint32(e[4:], uint32(len(b)))
		binary.BigEndian.PutUint32(e[8:], uint32(len(tag)))
	}
	return append(b, tag...)
}

// A profile of a few bytes may ask for all memory, or for hours.
func TestTagsThatAskForMoreThanTheyHave(t *testing.T) {
	words := func(kind string, n ...uint32) []byte {
		b := append([]byte(kind), 0, 0, 0, 0)
		for _, v := range n {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return b
	}
	falling := words("curv", mostPoints)
	for i := range mostPoints {
		falling = binary.BigEndian.AppendUint16(falling, uint16(mostPoints-i))
	}
	names := words("mluc", 500, 12)
	for range 500 {
		names = binary.BigEndian.AppendUint32(append(names, "enUS"...), 1<<20)
		names = binary.BigEndian.AppendUint32(names, 16)
	}
	names = append(names, make([]byte, 1<<20)...)
	table := words("mAB ", 0x03030000, 32, 0, 0, 80, 0)
	table = append(table, slices.Repeat(words("para", 0, 1<<16), 3)...)
	table = append(table, "\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...) // 255³ values of no bytes
	large := words("mAB ", 0x03030000, 32, 0, 0, 0, 0)
	large = append(large, slices.Repeat(words("curv", 1<<31), 3)...)
	grid := append(words("mft1", 0xff03ff00), make([]byte, 100)...)
	for name, profile := range map[string][]byte{
		"points": tagged(words("curv", 1<<32-1, 0), "rTRC", "gTRC", "bTRC"), "points in words": tagged(words("curv", 1<<31), "kTRC"), "falling": tagged(falling, "rTRC", "gTRC", "bTRC"),
		"names": tagged(names, "desc"), "table": tagged(table, "A2B0"), "curves of a table": tagged(large, "A2B0"), "grid": tagged(grid, "A2B0"), "short": tagged([]byte("mluc"), "desc"),
	} {
		took := wait.Longest
		var s *Space
		var err error
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 3 { // of which others take the processor away from two
			begun := time.Now()
			s, err = FromICC(profile)
			took = min(took, time.Since(begun))
		}
		runtime.ReadMemStats(&after)
		if !errors.Is(err, errTag) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
		if memory := (after.TotalAlloc - before.TotalAlloc) / 3; took > time.Second || memory > 8<<20 {
			t.Errorf("%s takes %v and %d bytes", name, took, memory)
		}
	}
}

// FuzzProfile wants an answer in time for any bytes, and colours from every space that was made.
func FuzzProfile(f *testing.F) {
	for _, g := range goldens(f) {
		if p := g.profile(f); len(p) < 4096 {
			f.Add(p)
		}
	}
	small := goldens(f)["CMYK version 4"].profile(f)
	f.Add(small)
	f.Fuzz(func(t *testing.T, data []byte) {
		begun := time.Now()
		s, err := FromICC(data)
		if took := time.Since(begun); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(data), took)
		}
		if err != nil || s == nil {
			return
		}
		for _, v := range []uint16{0, 1, 255, 32768, 65534, 65535} {
			var to [4]uint8
			s.Convert(to[:], []uint16{v, 65535 - v, v / 2, v})
		}
	})
}
