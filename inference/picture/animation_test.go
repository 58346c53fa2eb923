package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"
	"time"
)

func plain(w, h int, c color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// Every frame of an animation is taken out again as a PNG file of its own.
func TestAnimationHoldsItsFrames(t *testing.T) {
	frames := []Frame{
		{plain(5, 3, color.RGBA{200, 10, 10, 255}), 120 * time.Millisecond},
		{plain(5, 3, color.RGBA{10, 200, 10, 255}), time.Second},
		{plain(5, 3, color.RGBA{10, 10, 200, 255}), 2 * time.Hour},
	}
	file, err := EncodeAnimation(frames)
	if err != nil {
		t.Fatal(err)
	}
	if still, err := png.Decode(bytes.NewReader(file)); err != nil || still.At(1, 1) != color.Color(color.RGBA{200, 10, 10, 255}) {
		t.Fatalf("a program without animations sees %v, %v", still, err)
	}
	var header []byte
	var sequence, shown uint32
	one := func(data []byte) image.Image {
		single := []byte("\x89PNG\r\n\x1a\n")
		for _, c := range []struct {
			kind string
			data []byte
		}{{"IHDR", header}, {"IDAT", data}, {"IEND", nil}} {
			single = binary.BigEndian.AppendUint32(single, uint32(len(c.data)))
			body := append([]byte(c.kind), c.data...)
			single = binary.BigEndian.AppendUint32(append(single, body...), crc32.ChecksumIEEE(body))
		}
		img, err := png.Decode(bytes.NewReader(single))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	var delays []uint16
	for at := 8; at < len(file); {
		n := int(binary.BigEndian.Uint32(file[at:]))
		kind, body := string(file[at+4:at+8]), file[at+8:at+8+n]
		if crc32.ChecksumIEEE(file[at+4:at+8+n]) != binary.BigEndian.Uint32(file[at+8+n:]) {
			t.Errorf("the checksum of %s is wrong", kind)
		}
		if kind == "fcTL" || kind == "fdAT" {
			if got := binary.BigEndian.Uint32(body); got != sequence {
				t.Errorf("%s has number %d, want %d", kind, got, sequence)
			}
			sequence++
		}
		switch kind {
		case "IHDR":
			header = body
		case "acTL":
			if binary.BigEndian.Uint32(body) != 3 || binary.BigEndian.Uint32(body[4:]) != 0 {
				t.Errorf("acTL %v", body)
			}
		case "fcTL":
			delays = append(delays, binary.BigEndian.Uint16(body[20:]))
		case "IDAT", "fdAT":
			if kind == "fdAT" {
				body = body[4:]
			}
			if got := one(body).At(4, 2); got != color.Color(frames[shown].Image.RGBAAt(4, 2)) {
				t.Errorf("frame %d is %v", shown, got)
			}
			shown++
		}
		at += 12 + n
	}
	if shown != 3 || len(delays) != 3 || delays[0] != 120 || delays[1] != 1000 || delays[2] != 65535 {
		t.Errorf("%d frames, delays %v", shown, delays)
	}
}

func TestAnimationsThatCannotBe(t *testing.T) {
	for name, frames := range map[string][]Frame{
		"none":            nil,
		"different sizes": {{Image: plain(4, 4, color.White)}, {Image: plain(4, 5, color.White)}},
		"a hole":          {{Image: plain(4, 4, color.White)}, {Image: plain(4, 4, color.Transparent)}},
	} {
		if _, err := EncodeAnimation(frames); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
