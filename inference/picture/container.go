package picture

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
)

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le24(b []byte) int    { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngChunks calls visit with each whole chunk of a PNG file, in order and without copying, until visit returns false. It stops
// silently at a chunk that runs over the end of the data or whose checksum is wrong: decoders complain about those.
func pngChunks(data []byte, visit func(kind string, body []byte) bool) {
	for rest := data[min(len(data), len(pngSignature)):]; len(rest) >= 12; {
		n := uint64(be32(rest))
		if n > uint64(len(rest)-12) {
			return
		}
		body := rest[8 : 8+n]
		if crc32.ChecksumIEEE(rest[4:8+n]) != be32(rest[8+n:]) || !visit(string(rest[4:8]), body) {
			return
		}
		rest = rest[12+n:]
	}
}

// pngFrames is the frame count of an APNG (chunk acTL before the first IDAT), 1 for other files.
func pngFrames(data []byte) int {
	frames := 1
	pngChunks(data, func(kind string, body []byte) bool {
		if kind == "acTL" && len(body) == 8 {
			frames = int(min(max(1, be32(body)), 1<<30))
		}
		return kind != "acTL" && kind != "IDAT"
	})
	return frames
}

func pngOrientation(data []byte) int {
	orientation := 1
	pngChunks(data, func(kind string, body []byte) bool {
		if kind == "eXIf" {
			orientation = exifOrientation(body)
		}
		return kind != "eXIf"
	})
	return orientation
}

// jpegOrientation looks for the EXIF block among the segments before the first scan.
func jpegOrientation(data []byte) int {
	for rest := data[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		if rest[1] == 0xff { // fill byte
			rest = rest[1:]
			continue
		}
		n := int(rest[2])<<8 | int(rest[3])
		if rest[1] == 0xda || n < 2 || n+2 > len(rest) {
			break
		}
		if body := rest[4 : 2+n]; rest[1] == 0xe1 && len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
			return exifOrientation(body[6:])
		}
		rest = rest[2+n:]
	}
	return 1
}

// exifOrientation reads tag 0x0112 of the first directory of a TIFF-shaped EXIF block; 1 (upright) if there is none.
func exifOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == 0x0112 {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
		}
		entries = entries[12:]
	}
	return 1
}

// gifFrames counts the image descriptors of a GIF as far as its blocks make sense, without unpacking any.
func gifFrames(data []byte) int {
	const header, trailer, extension, descriptor = 13, 0x3b, 0x21, 0x2c
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (1 + flags&7)
	}
	if len(data) < header {
		return 1
	}
	at, frames := header+table(data[10]), 0
	for at < len(data) && data[at] != trailer {
		switch {
		case data[at] == extension:
			at += 2
		case data[at] == descriptor && at+10 <= len(data):
			frames++
			at += 10 + table(data[at+9]) + 1
		default:
			return max(1, frames)
		}
		for at < len(data) && data[at] != 0 { // sub-blocks
			at += 1 + int(data[at])
		}
		at++
	}
	return max(1, frames)
}

// webP is what the top level of a WebP file says.
type webP struct {
	width, height int    // of the canvas, 0 without a VP8X chunk
	frames        int    // animation frames, 0 for a still
	first         []byte // the first ANMF chunk
	orientation   int
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

func readWebP(data []byte) webP {
	w := webP{orientation: 1}
	riff(data[12:], func(id string, body []byte) bool {
		switch {
		case id == "VP8X" && len(body) == 10:
			w.width, w.height = 1+le24(body[4:]), 1+le24(body[7:])
		case id == "ANMF":
			if w.frames++; w.frames == 1 {
				w.first = body
			}
		case id == "EXIF":
			if len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
				body = body[6:]
			}
			w.orientation = exifOrientation(body)
		}
		return true
	})
	return w
}

// still wraps the first frame of an animation in a file of its own, for a decoder that knows no animations, and says where
// on the canvas it goes (WebP container specification, chunk ANMF).
func (w webP) still() ([]byte, image.Rectangle, error) {
	damaged := func(what string) ([]byte, image.Rectangle, error) {
		return nil, image.Rectangle{}, FormatError(fmt.Sprintf("the animated WebP picture is damaged (%s); download it again, or %s", what, resave))
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
