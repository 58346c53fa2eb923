package picture

import (
	"bytes"
	"cmp"
	"compress/lzw"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"io"
	"math"
	"regexp"
	"slices"

	"realword/inference/message"
)

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le24(b []byte) int    { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngChunks calls visit with each whole chunk of a PNG file, in order and without copying, until visit returns false. One whose
// checksum is wrong is passed over, and the walk ends at one that runs over the end of the data: decoders complain about those.
func pngChunks(data []byte, visit func(kind string, body []byte) bool) {
	for rest := data[min(len(data), len(pngSignature)):]; len(rest) >= 12; {
		n := uint64(be32(rest))
		if n > uint64(len(rest)-12) {
			return
		}
		body := rest[8 : 8+n]
		if crc32.ChecksumIEEE(rest[4:8+n]) == be32(rest[8+n:]) && !visit(string(rest[4:8]), body) {
			return
		}
		rest = rest[12+n:]
	}
}

// exifOrientation reads tag 0x0112 of the first directory of a TIFF-shaped EXIF block; 0 if there is none. Any whole number
// is taken for its type, as other readers do: writers know bytes, shorts and longs, with sign and without.
func exifOrientation(b []byte) int {
	b = bytes.TrimPrefix(b, []byte("Exif\x00\x00")) // some writers put it where none belongs
	if len(b) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 0
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == 0x0112 && order.Uint32(entries[4:]) >= 1 {
			v := 0
			switch value := entries[8:]; order.Uint16(entries[2:]) {
			case 1, 6: // byte, signed byte
				v = int(value[0])
			case 3, 8: // short, signed short
				v = int(order.Uint16(value))
			case 4, 9: // long, signed long
				v = int(order.Uint32(value))
			}
			if v >= 1 && v <= 8 {
				return v
			}
		}
		entries = entries[12:]
	}
	return 0
}

// xmpTurned finds the orientation in XMP, as an attribute or an element.
var xmpTurned = regexp.MustCompile(`tiff:Orientation(?:\s*=\s*["']|>)([1-8])`)

// orientation is how a file says that its picture is turned: in EXIF, or else in XMP; 0 where it does not.
type orientation struct{ exif, xmp int }

// turned is 1 to 8, as EXIF has it.
func (o orientation) turned() int { return cmp.Or(o.exif, o.xmp, 1) }

func (o *orientation) readXMP(text []byte) {
	if found := xmpTurned.FindSubmatch(text); found != nil && o.xmp == 0 {
		o.xmp = int(found[1][0] - '0')
	}
}

// eachGIF calls visit with the position of every extension and every image descriptor of a GIF file, as far as its blocks make sense and
// without unpacking any, until visit returns false.
func eachGIF(data []byte, visit func(at int) bool) {
	const header, trailer, extension, descriptor = 13, 0x3b, 0x21, 0x2c
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (1 + flags&7)
	}
	if len(data) < header {
		return
	}
	at := header + table(data[10])
	for at < len(data) && data[at] != trailer {
		if data[at] != extension && (data[at] != descriptor || at+10 > len(data)) || !visit(at) {
			return
		}
		if data[at] == extension {
			at += 2
		} else {
			at += 10 + table(data[at+9]) + 1
		}
		for at < len(data) && data[at] != 0 { // sub-blocks
			at += 1 + int(data[at])
		}
		at++
	}
}

// gifLook says of a GIF file how many pictures it has, where the first begins, and the colour of that which stands for clear; -1 is
// none.
func gifLook(data []byte) (frames, first, clear int) {
	first, clear = -1, -1
	eachGIF(data, func(at int) bool {
		switch {
		case data[at] == 0x2c:
			if frames++; first < 0 {
				first = at
			}
		case first < 0 && at+7 < len(data) && data[at+1] == 0xf9 && data[at+2] == 4 && data[at+3]&1 != 0:
			clear = int(data[at+6])
		}
		return true
	})
	return max(1, frames), first, clear
}

// wideGIF is a GIF file whose screen is as large as it and its first picture together: some programs write a smaller one, or none, and
// what shows pictures does not mind. Where it is so already, it is the same file.
func wideGIF(data []byte) []byte {
	_, at, _ := gifLook(data)
	if at < 0 {
		return data
	}
	le := binary.LittleEndian
	wide := data
	for i := range 2 { // width, height
		side := int(le.Uint16(data[at+1+2*i:])) + int(le.Uint16(data[at+5+2*i:]))
		if side <= int(le.Uint16(data[6+2*i:])) || side > math.MaxUint16 {
			continue
		}
		if &wide[0] == &data[0] {
			wide = bytes.Clone(data)
		}
		le.PutUint16(wide[6+2*i:], uint16(side))
	}
	return wide
}

// webP is what the top level of a WebP file says.
type webP struct {
	width, height int    // of the canvas, 0 without a VP8X chunk
	frames        int    // animation frames, 0 for a still
	first         []byte // the first ANMF chunk
	icc           []byte // its colour profile
	orientation
}

// riff calls visit with each whole chunk of b until visit returns false.
func riff(b []byte, visit func(id string, body []byte) bool) {
	for len(b) >= 8 {
		n := uint64(le32(b[4:]))
		if n > uint64(len(b)-8) || !visit(string(b[:4]), b[8:8+n]) {
			return
		}
		b = b[min(8+n+n&1, uint64(len(b))):]
	}
}

// wholeRIFF fills a file that is cut short with zeros, so that decoders that want all of it show what there is; short says so. A file of
// which less than half is there stays as it is.
func wholeRIFF(data []byte) (whole []byte, short bool) {
	if len(data) < 12 {
		return data, false
	}
	says := 8 + uint64(le32(data[4:]))
	if have := uint64(len(data)); says <= have || says > 2*have {
		return data, false
	}
	return append(slices.Clip(data), make([]byte, says-uint64(len(data)))...), true
}

// mendGIF decodes the first picture of a GIF file that is cut short, or returns the error that there was. Pixels that are missing have
// the first colour that is clear, or else the first of all.
func mendGIF(data []byte, cause error) (image.Image, error) {
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, cause
	}
	_, at, clear := gifLook(data)
	if at < 0 || at+11 > len(data) {
		return nil, cause
	}
	le16 := func(at int) int { return int(binary.LittleEndian.Uint16(data[at:])) }
	rect := image.Rect(0, 0, le16(at+5), le16(at+7)).Add(image.Pt(le16(at+1), le16(at+3)))
	if rect.Empty() || !rect.In(image.Rect(0, 0, config.Width, config.Height)) {
		return nil, cause
	}
	flags, colours := data[at+9], data[13:]
	n := 3 << (1 + data[10]&7)
	at += 10
	if flags&0x80 != 0 {
		n = 3 << (1 + flags&7)
		colours = data[at:]
		at += n
	} else if data[10]&0x80 == 0 {
		return nil, cause
	}
	if n > len(colours) || at+1 > len(data) || data[at] < 2 || data[at] > 8 {
		return nil, cause
	}
	palette := make(color.Palette, n/3, n/3+1)
	for i := range palette {
		palette[i] = color.NRGBA{colours[3*i], colours[3*i+1], colours[3*i+2], 255}
	}
	if clear >= 0 && clear < len(palette) {
		palette[clear] = color.NRGBA{}
	}
	var packed []byte
	for rest := data[at+1:]; len(rest) > 0 && rest[0] != 0; {
		n := min(1+int(rest[0]), len(rest))
		packed, rest = append(packed, rest[1:n]...), rest[n:]
	}
	img := image.NewPaletted(rect, palette)
	values := make([]byte, rect.Dx()*rect.Dy())
	z := lzw.NewReader(bytes.NewReader(packed), lzw.LSB, int(data[at]))
	defer z.Close()
	got, _ := io.ReadFull(z, values)
	if 2*got < len(values) {
		return nil, cause
	}
	if len(palette) < 256 { // a clear colour for what is missing
		img.Palette = append(palette, color.NRGBA{})
		for i := got; i < len(values); i++ {
			values[i] = uint8(len(palette))
		}
	}
	lines := make([]int, 0, rect.Dy()) // in the order of the file
	if flags&0x40 != 0 {
		for _, p := range [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}} {
			for y := p[0]; y < rect.Dy(); y += p[1] {
				lines = append(lines, y)
			}
		}
	} else {
		for y := range rect.Dy() {
			lines = append(lines, y)
		}
	}
	for i, y := range lines {
		copy(img.Pix[y*img.Stride:], values[i*rect.Dx():][:rect.Dx()])
	}
	for i, v := range img.Pix { // as damaged data may have it
		if int(v) >= len(img.Palette) {
			img.Pix[i] = 0
		}
	}
	return img, nil
}

func readWebP(data []byte) webP {
	var w webP
	riff(data[12:], func(id string, body []byte) bool {
		switch {
		case id == "VP8X" && len(body) == 10:
			w.width, w.height = 1+le24(body[4:]), 1+le24(body[7:])
		case id == "ANMF":
			if w.frames++; w.frames == 1 {
				w.first = body
			}
		case id == "ICCP" && w.icc == nil:
			w.icc = body
		case id == "EXIF":
			w.exif = exifOrientation(body)
		case id == "XMP ":
			w.readXMP(body)
		}
		return true
	})
	return w
}

// still wraps the first frame of an animation in a file of its own, for a decoder that knows no animations, and says where
// on the canvas it goes (WebP container specification, chunk ANMF).
func (w webP) still() ([]byte, image.Rectangle, error) {
	damaged := func(what string) ([]byte, image.Rectangle, error) {
		return nil, image.Rectangle{}, FormatError{message.Errorf("the %s picture is damaged (%v); download it again, or open it in an image editor and save it as PNG or JPEG",
			"WebP", what)}
	}
	if len(w.first) < 16 {
		return damaged("its first frame is empty")
	}
	x, y := 2*le24(w.first), 2*le24(w.first[3:])
	frame := image.Rect(x, y, x+1+le24(w.first[6:]), y+1+le24(w.first[9:]))
	if !frame.In(image.Rect(0, 0, w.width, w.height)) {
		return damaged("its first frame lies outside of the canvas")
	}
	var alpha byte
	riff(w.first[16:], func(id string, _ []byte) bool {
		if id == "ALPH" {
			alpha = 0x10
		}
		return id != "ALPH"
	})
	file := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), alpha, 0, 0, 0)
	file = append(append(file, w.first[6:12]...), w.first[16:]...)
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file, frame, nil
}
