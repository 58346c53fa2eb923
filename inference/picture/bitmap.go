package picture

import (
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"math/bits"
)

// bitmap is a BMP file whose pixels have 16 or 32 bits, with masks that say where the colours lie, as programs of Windows write it.
// golang.org/x/image/bmp knows one kind of them, and takes bits for transparency that mean nothing.
type bitmap struct {
	width, height int
	down          bool // the first row is the uppermost
	bits          int
	masks         [4]uint32 // red, green, blue, alpha; 0 has none
	at            int       // of the pixels
}

// readBitmap reads the headers; ok is false for files of other kinds.
func readBitmap(data []byte) (b bitmap, ok bool) {
	const plain, masked, withAlpha = 0, 3, 6
	if len(data) < 70 || le32(data[14:]) < 40 {
		return b, false
	}
	b.width, b.height = int(int32(le32(data[18:]))), int(int32(le32(data[22:])))
	if b.height < 0 {
		b.height, b.down = -b.height, true
	}
	b.bits, b.at = int(binary.LittleEndian.Uint16(data[28:])), int(le32(data[10:]))
	switch kind := le32(data[30:]); {
	case b.bits == 16 && kind == plain:
		b.masks = [4]uint32{0x7c00, 0x3e0, 0x1f}
	case b.bits == 32 && kind == plain:
		b.masks = [4]uint32{0xff0000, 0xff00, 0xff}
	case (b.bits == 16 || b.bits == 32) && (kind == masked || kind == withAlpha):
		for i := range 3 {
			b.masks[i] = le32(data[54+4*i:])
		}
		if kind == withAlpha || le32(data[14:]) >= 56 { // behind a shorter header come the pixels
			b.masks[3] = le32(data[66:])
		}
	default:
		return b, false
	}
	return b, true
}

// decode reads the pixels.
func (b bitmap) decode(r io.Reader) (image.Image, error) {
	if _, err := io.CopyN(io.Discard, r, int64(b.at)); err != nil {
		return nil, err
	}
	img := image.NewNRGBA(image.Rect(0, 0, b.width, b.height))
	of := func(v uint32, i int, none uint8) uint8 {
		mask, shift := uint64(b.masks[i]), bits.TrailingZeros32(b.masks[i])
		if mask == 0 {
			return none
		}
		most := mask >> shift
		return uint8((uint64(v)&mask>>shift*255 + most/2) / most)
	}
	row := make([]byte, (b.width*b.bits/8+3)&^3)
	for i := range b.height {
		if _, err := io.ReadFull(r, row); err != nil {
			return nil, err
		}
		y := b.height - 1 - i
		if b.down {
			y = i
		}
		for x := range b.width {
			var v uint32
			if b.bits == 16 {
				v = uint32(binary.LittleEndian.Uint16(row[2*x:]))
			} else {
				v = le32(row[4*x:])
			}
			img.SetNRGBA(x, y, color.NRGBA{of(v, 0, 0), of(v, 1, 0), of(v, 2, 0), of(v, 3, 255)})
		}
	}
	return img, nil
}
