package hdrop

import (
	"bytes"
	"encoding/binary"
	"image"
	"slices"
)

// Sizes of headers, and kinds of pixels.
const (
	fileHeader  = 14
	infoHeader  = 40  // BITMAPINFOHEADER
	withMasks   = 52  // from here on the masks of the colours are in the header,
	withAlpha   = 56  // and that of the transparency
	fifthHeader = 124 // BITMAPV5HEADER

	plain, masked, alphaMasked = 0, 3, 6
)

// fileOf is a bitmap of the clipboard (CF_DIB, CF_DIBV5), the whole block, as a BMP file; nil for what is none.
func fileOf(block []byte) []byte {
	le := binary.LittleEndian
	if len(block) < infoHeader {
		return nil
	}
	long, bits, kind, used := le.Uint32(block), le.Uint16(block[14:]), le.Uint32(block[16:]), le.Uint32(block[32:])
	if long < infoHeader || long > fifthHeader || int(long) > len(block) || used > 256 {
		return nil
	}
	header, rest := slices.Clone(block[:long]), block[long:]
	between := 0 // masks or a palette
	switch {
	case kind == alphaMasked && long < withAlpha:
		between = 16
	case kind == masked && long < withMasks:
		between = 12
	case kind == masked && len(rest) >= 12 && bytes.Equal(rest[:12], header[infoHeader:withMasks]):
		rest = rest[12:] // once more, as Windows has them where it makes one form of another
	}
	switch {
	case bits <= 8 && used == 0:
		between += 4 << bits
	case bits <= 8:
		between += 4 * int(used)
	case used > 0: // colours for screens that have few, which no reader of files expects
		if len(rest) < between+4*int(used) {
			return nil
		}
		rest = slices.Concat(rest[:between], rest[between+4*int(used):])
		le.PutUint32(header[32:], 0)
	}
	if len(rest) <= between {
		return nil
	}
	if kind == masked && bits == 32 && long >= withAlpha && unseen(rest, le.Uint32(header[withMasks:])) {
		le.PutUint32(header[withMasks:], 0)
	}
	file := append(make([]byte, 0, fileHeader+len(header)+len(rest)), "BM"...)
	file = le.AppendUint32(file, uint32(cap(file)))
	file = le.AppendUint32(append(file, 0, 0, 0, 0), uint32(fileHeader+len(header)+between))
	return slices.Concat(file, header, rest)
}

// unseen tells whether no pixel can be seen at all: then what lies there means nothing.
func unseen(pixels []byte, alpha uint32) bool {
	for at := 0; at+4 <= len(pixels); at += 4 {
		if binary.LittleEndian.Uint32(pixels[at:])&alpha != 0 {
			return false
		}
	}
	return true
}

// pictureOf is a PNG file of the clipboard without what the block has behind it; nil for what is none.
func pictureOf(block []byte) []byte {
	if !bytes.HasPrefix(block, []byte("\x89PNG\r\n\x1a\n")) {
		return nil
	}
	if end := bytes.LastIndex(block, []byte("IEND")); end > 0 {
		block = block[:min(end+8, len(block))]
	}
	return block
}

// bitmapOf is a picture as CF_DIBV5 has it.
func bitmapOf(img *image.NRGBA) []byte {
	size := img.Rect.Size()
	le := binary.LittleEndian
	out := make([]byte, fifthHeader, fifthHeader+4*size.X*size.Y)
	for at, v := range map[int]uint32{
		0: fifthHeader, 4: uint32(size.X), 8: uint32(size.Y), 12: 1 | 32<<16, 16: masked, 20: uint32(4 * size.X * size.Y),
		40: 0xff0000, 44: 0xff00, 48: 0xff, 52: 0xff000000,
		56:  0x73524742, // sRGB
		108: 4,          // LCS_GM_IMAGES
	} {
		le.PutUint32(out[at:], v)
	}
	for y := size.Y - 1; y >= 0; y-- {
		row := img.Pix[y*img.Stride:][:4*size.X]
		for x := 0; x < len(row); x += 4 {
			out = append(out, row[x+2], row[x+1], row[x], row[x+3])
		}
	}
	return out
}
