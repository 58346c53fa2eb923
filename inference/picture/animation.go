package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"time"
)

// Frame is one picture of an animation and how long it is shown.
type Frame struct {
	Image *image.RGBA // opaque
	For   time.Duration
}

// EncodeAnimation makes an animated PNG file (APNG, PNG specification 3rd edition §11.3.4) of frames of one size, which begins
// again when it has ended. Programs that know no animations show the first frame. At most 65 s a frame.
func EncodeAnimation(frames []Frame) ([]byte, error) {
	if len(frames) == 0 {
		return nil, errors.New("an animation needs a picture")
	}
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		at := len(out)
		out = append(append(out, kind...), data...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
	}
	size := frames[0].Image.Rect.Size()
	sequence := uint32(0)
	next := func() []byte {
		sequence++
		return binary.BigEndian.AppendUint32(nil, sequence-1)
	}
	var header []byte
	for i, f := range frames {
		if f.Image.Rect.Size() != size {
			return nil, errors.New("the pictures of an animation have different sizes")
		}
		var single bytes.Buffer
		if err := png.Encode(&single, f.Image); err != nil {
			return nil, err
		}
		head, data, err := pngData(single.Bytes())
		if err != nil {
			return nil, err
		}
		switch {
		case i == 0:
			header = head
			chunk("IHDR", head)
			out = append(out, srgbChunk...)
			chunk("acTL", binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(len(frames))), 0))
		case !bytes.Equal(head, header):
			return nil, errors.New("the pictures of an animation are not all opaque")
		}
		control := next() // fcTL: size, offset, delay in milliseconds; each frame replaces the one before
		for _, v := range []int{size.X, size.Y, 0, 0} {
			control = binary.BigEndian.AppendUint32(control, uint32(v))
		}
		control = binary.BigEndian.AppendUint16(control, uint16(min(max(f.For.Milliseconds(), 0), 65535)))
		control = binary.BigEndian.AppendUint16(control, 1000)
		chunk("fcTL", append(control, 0, 0))
		if i == 0 {
			chunk("IDAT", data)
		} else {
			chunk("fdAT", append(next(), data...))
		}
	}
	chunk("IEND", nil)
	return out, nil
}

// pngData is the header and the joined image data of a PNG file that was just written.
func pngData(file []byte) (header, data []byte, err error) {
	for at := 8; at+12 <= len(file); {
		n := int(binary.BigEndian.Uint32(file[at:]))
		if at+12+n > len(file) {
			break
		}
		body := file[at+8 : at+8+n]
		switch string(file[at+4 : at+8]) {
		case "IHDR":
			header = body
		case "IDAT":
			data = append(data, body...)
		case "IEND":
			return header, data, nil
		}
		at += 12 + n
	}
	return nil, nil, errors.New("the picture's file has no end")
}
