package picture

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"realword/inference/colour"
)

// Realword reads PNG files line by line and by itself, for two reasons: image/png keeps the whole picture in memory, 800 MB for 100
// megapixels of 16 bits, and it gives nothing back of a file that is damaged somewhere.

// pngFile is what the chunks of a PNG file say.
type pngFile struct {
	width, height    int
	depth, kind      uint8 // bits of a sample; colour type
	interlaced       bool
	palette, clear   []byte   // PLTE and tRNS
	packed           [][]byte // IDAT, parts of the file
	icc              []byte   // iCCP, unpacked
	cicp, gama, chrm []byte
	srgb             bool
	orientation
	texts  textReader // for what they say of the orientation
	frames int
	damage []string // what is wrong that does not matter, as parts of a sentence
	ended  bool     // with IEND
}

// Colour types of the header.
const (
	pngGrey, pngRGB, pngPalette, pngGreyAlpha, pngRGBA = 0, 2, 3, 4, 6
)

// readPNG takes the chunks of a file apart. Chunks that only say something about the picture are left out where their checksum is wrong;
// those that are the picture are taken as they are. With an error the
// file is what is known of it, nil without a header.
func readPNG(data []byte) (*pngFile, error) {
	p := &pngFile{frames: 1, texts: textReader{left: maxText}}
	rest := data[len(pngSignature):]
	for len(rest) >= 8 && !p.ended {
		kind, n := string(rest[4:8]), uint64(be32(rest))
		if !letters(kind) {
			p.damage = append(p.damage, "there is something else where a part should begin")
			break
		}
		whole := n+12 <= uint64(len(rest))
		body := rest[8:]
		if whole {
			body = rest[8 : 8+n]
		}
		known := true
		switch kind {
		case "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "iCCP", "cICP", "gAMA", "cHRM", "sRGB", "eXIf", "acTL":
		default:
			known = false // text and what else there is
		}
		vital := kind[0] >= 'A' && kind[0] <= 'Z'
		switch {
		case !known && whole:
			p.said(kind, body)
		case !known:
		case !whole && kind != "IDAT": // nothing follows
		case whole && crc32.ChecksumIEEE(rest[4:8+n]) != be32(rest[8+n:]):
			if !vital {
				p.damage = append(p.damage, fmt.Sprintf("the checksum of its part %s is wrong, so that part was ignored", kind))
				break
			}
			p.damage = append(p.damage, fmt.Sprintf("the checksum of its part %s is wrong", kind))
			fallthrough
		default:
			if err := p.take(kind, body); err != nil {
				return nil, err
			}
		}
		if !whole {
			break
		}
		rest = rest[n+12:]
	}
	switch {
	case p.width == 0:
		return nil, io.ErrUnexpectedEOF
	case len(p.packed) == 0:
		return p, io.ErrUnexpectedEOF
	case p.kind == pngPalette && len(p.palette) == 0:
		return p, errors.New("its palette is missing")
	}
	if len(p.damage) > 3 {
		p.damage = append(p.damage[:3], fmt.Sprintf("and %d more", len(p.damage)-3))
	}
	return p, nil
}

func letters(kind string) bool {
	for _, c := range []byte(kind) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

func (p *pngFile) take(kind string, body []byte) error {
	if p.width == 0 && kind != "IHDR" {
		return errors.New("it has no header")
	}
	before := len(p.packed) == 0 // what says something about the colours stands before them
	switch {
	case kind == "IHDR" && p.width == 0:
		return p.header(body)
	case kind == "PLTE" && before && len(body)%3 == 0 && len(body) <= 768:
		p.palette = body
	case kind == "IDAT":
		p.packed = append(p.packed, body)
	case kind == "IEND":
		p.ended = true
	case kind == "tRNS":
		p.clear = body
	case kind == "iCCP" && p.icc == nil:
		if _, rest, ok := bytes.Cut(body, []byte{0}); ok && len(rest) > 1 && rest[0] == 0 {
			z, err := zlib.NewReader(bytes.NewReader(rest[1:]))
			if err == nil {
				p.icc, err = io.ReadAll(io.LimitReader(z, maxProfile+1))
			}
			if err != nil {
				p.icc = []byte{} // it has one that cannot be read
			}
		}
	case kind == "cICP" && len(body) == 4:
		p.cicp = body
	case kind == "gAMA" && len(body) == 4:
		p.gama = body
	case kind == "cHRM" && len(body) == 32:
		p.chrm = body
	case kind == "sRGB" && len(body) == 1:
		p.srgb = true
	case kind == "eXIf":
		p.exif = exifOrientation(body)
	case kind == "acTL" && len(body) == 8 && before:
		p.frames = int(min(max(1, be32(body)), 1<<30))
	}
	return nil
}

// said reads the orientation out of texts: XMP, and EXIF as ImageMagick 6 writes it.
func (p *pngFile) said(kind string, body []byte) {
	key, rest, _ := bytes.Cut(body, []byte{0})
	keyword := string(key[:min(len(key), 80)])
	if kind != "tEXt" && kind != "zTXt" && kind != "iTXt" || keyword != xmpKeyword && keyword != rawEXIF {
		return
	}
	text, err := p.texts.text(kind, rest)
	switch fields := strings.Fields(text); {
	case err != nil:
	case keyword == xmpKeyword:
		p.readXMP([]byte(text))
	case len(fields) > 2 && p.exif == 0: // a name, a length, and lines of hexadecimal numbers
		if block, err := hex.DecodeString(strings.Join(fields[2:], "")); err == nil {
			p.exif = exifOrientation(block)
		}
	}
}

const rawEXIF = "Raw profile type exif"

// maxProfile bounds a colour profile.
const maxProfile = 16 << 20

func (p *pngFile) header(b []byte) error {
	if len(b) < 13 {
		return errors.New("its header is too short")
	}
	w, h := be32(b), be32(b[4:])
	if w == 0 || h == 0 || w >= 1<<31 || h >= 1<<31 {
		return fmt.Errorf("its size is %d × %d", w, h)
	}
	p.width, p.height = int(w), int(h)
	p.depth, p.kind, p.interlaced = b[8], b[9], b[12] == 1
	depths := map[uint8]string{
		pngGrey: "\x01\x02\x04\x08\x10", pngRGB: "\x08\x10", pngPalette: "\x01\x02\x04\x08", pngGreyAlpha: "\x08\x10",
		pngRGBA: "\x08\x10",
	}[p.kind]
	if bytes.IndexByte([]byte(depths), p.depth) < 0 || b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return fmt.Errorf("its header asks for %d bits of type %d, method %d, %d, %d", p.depth, p.kind, b[10], b[11], b[12])
	}
	return nil
}

// samples is how many values a pixel has in the file.
func (p *pngFile) samples() int {
	return map[uint8]int{pngGrey: 1, pngRGB: 3, pngPalette: 1, pngGreyAlpha: 2, pngRGBA: 4}[p.kind]
}

// space is the colour space of the file by the strongest of the chunks that say one (PNG, third edition, 4.3), nil for sRGB.
func (p *pngFile) space() (s *colour.Space, notes []string) {
	channels := 3
	if p.kind == pngGrey || p.kind == pngGreyAlpha {
		channels = 1
	}
	switch {
	case p.cicp != nil:
		s, hdr, err := colour.FromCodePoints(p.cicp[0], p.cicp[1], p.cicp[2], p.cicp[3] != 0)
		if err == nil {
			if hdr {
				notes = append(notes, "It has a high dynamic range; what is brighter than paper white was clipped.")
			}
			return s, notes
		}
		notes = append(notes, fmt.Sprintf("Its colours may be wrong: %v.", err))
	}
	switch {
	case p.icc != nil:
		return profileSpace(p.icc, channels)
	case p.srgb || p.gama == nil || p.cicp != nil:
		return nil, notes
	}
	var c colour.Chromaticities
	if p.chrm != nil {
		for i := range c {
			c[i] = [2]float64{float64(be32(p.chrm[8*i:])) / 1e5, float64(be32(p.chrm[8*i+4:])) / 1e5}
		}
	}
	s, err := colour.FromGamma(float64(be32(p.gama))/1e5, c)
	if err != nil {
		notes = append(notes, fmt.Sprintf("Its colours may be wrong: %v.", err))
	}
	return s, notes
}

// profileSpace reads a colour profile for a picture of 1, 3 or 4 channels. Where it cannot be used the note says so.
func profileSpace(profile []byte, channels int) (*colour.Space, []string) {
	s, err := colour.FromICC(profile)
	fits := s == nil || s.Channels() == channels || channels == 1 && s.Channels() == 3
	if err == nil && !fits {
		err = fmt.Errorf("it is for %d channels, the picture has %d", s.Channels(), channels)
	}
	if err == nil && s == nil && channels == 4 {
		err = errors.New("it is for red, green and blue")
	}
	if err != nil {
		return nil, []string{fmt.Sprintf("Its colour profile was ignored, so colours may be wrong: %v.", err)}
	}
	return s, nil
}

// partsReader reads byte slices one after the other, until a context ends.
type partsReader struct {
	ctx   context.Context
	parts [][]byte
}

func (r *partsReader) Read(to []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	for len(r.parts) > 0 && len(r.parts[0]) == 0 {
		r.parts = r.parts[1:]
	}
	if len(r.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(to, r.parts[0])
	r.parts[0] = r.parts[0][n:]
	return n, nil
}

func (r *partsReader) ReadByte() (byte, error) {
	for len(r.parts) > 0 && len(r.parts[0]) == 0 {
		r.parts = r.parts[1:]
	}
	if len(r.parts) == 0 {
		return 0, io.EOF
	}
	b := r.parts[0][0]
	r.parts[0] = r.parts[0][1:]
	return b, nil
}

// pass is one of the seven pictures of an interlaced file: where its first pixel lies and how far apart they are.
type pass struct{ x, y, dx, dy int }

var adam7 = []pass{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// rows reads the pixels. passes counts the passes of an interlaced picture that were read whole.
func (p *pngFile) rows(ctx context.Context, passes *int) rows {
	r := rows{
		width: p.width, height: p.height, channels: 3, scattered: p.interlaced,
		alpha: p.kind == pngGreyAlpha || p.kind == pngRGBA || len(p.clear) > 0,
	}
	if p.kind == pngGrey || p.kind == pngGreyAlpha {
		r.channels = 1
	}
	r.read = func(put func(y, x, step int, line []uint16)) error {
		in := &partsReader{ctx, append([][]byte(nil), p.packed...)}
		for i, want := range []byte{0x0f, 0} { // the two bytes of zlib; its checksum at the end is not looked at, the pixels are there then
			b, err := in.ReadByte()
			if err != nil {
				return io.ErrUnexpectedEOF
			}
			if i == 0 && b&want != 8 {
				return errors.New("it is packed in an unknown way")
			}
		}
		z := flate.NewReader(in)
		list := adam7
		if !p.interlaced {
			list = []pass{{0, 0, 1, 1}}
		}
		bits := p.samples() * int(p.depth)
		unpack := p.unpacker()
		line := make([]uint16, 4*p.width)
		for _, q := range list {
			w, h := (p.width-q.x+q.dx-1)/q.dx, (p.height-q.y+q.dy-1)/q.dy
			if w <= 0 || h <= 0 {
				*passes++
				continue
			}
			n := (w*bits + 7) / 8
			current, above := make([]byte, 1+n), make([]byte, 1+n)
			for y := range h {
				if _, err := io.ReadFull(z, current); err != nil {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					if errors.Is(err, io.EOF) {
						err = io.ErrUnexpectedEOF
					}
					return err
				}
				if !unfilter(current[0], current[1:], above[1:], max(1, bits/8)) {
					return fmt.Errorf("a line is filtered in the unknown way %d", current[0])
				}
				unpack(line[:4*w], current[1:])
				put(q.y+y*q.dy, q.x, q.dx, line[:4*w])
				current, above = above, current
			}
			*passes++
		}
		return nil
	}
	return r
}

// unfilter undoes the prediction of a line from its neighbours (PNG, third edition, 9).
func unfilter(kind byte, line, above []byte, bpp int) bool {
	switch kind {
	case 0:
	case 1:
		for i := bpp; i < len(line); i++ {
			line[i] += line[i-bpp]
		}
	case 2:
		for i, v := range above[:len(line)] {
			line[i] += v
		}
	case 3:
		for i := range min(bpp, len(line)) {
			line[i] += above[i] / 2
		}
		for i := bpp; i < len(line); i++ {
			line[i] += uint8((int(line[i-bpp]) + int(above[i])) / 2)
		}
	case 4:
		for i := range min(bpp, len(line)) {
			line[i] += above[i]
		}
		for i := bpp; i < len(line); i++ {
			a, b, c := int(line[i-bpp]), int(above[i]), int(above[i-bpp])
			da, db, dc := distance(b, c), distance(a, c), distance(a+b, 2*c)
			switch {
			case da <= db && da <= dc:
				line[i] += uint8(a)
			case db <= dc:
				line[i] += uint8(b)
			default:
				line[i] += uint8(c)
			}
		}
	default:
		return false
	}
	return true
}

func distance(a, b int) int {
	if a > b {
		return a - b
	}
	return b - a
}

// unpacker makes values of 16 bits of a line's bytes.
func (p *pngFile) unpacker() func(to []uint16, from []byte) {
	sample8 := func(from []byte, i int) uint16 { return uint16(from[i]) * 257 }
	sample16 := func(from []byte, i int) uint16 { return uint16(from[2*i])<<8 | uint16(from[2*i+1]) }
	sample, scale := sample8, uint16(257)
	if p.depth == 16 {
		sample, scale = sample16, 1
	}
	// A colour that stands for clear: in samples as they are stored.
	var key [3]uint16
	keyed := false
	if n := 2 * p.samples(); (p.kind == pngGrey || p.kind == pngRGB) && len(p.clear) >= n {
		keyed = true
		for i := range n / 2 {
			key[i] = uint16(p.clear[2*i])<<8 | uint16(p.clear[2*i+1])
		}
	}
	switch p.kind {
	case pngRGB, pngRGBA:
		n := p.samples()
		for i := range key {
			key[i] *= scale
		}
		return func(to []uint16, from []byte) {
			for i, at := 0, 0; i+3 < len(to); i, at = i+4, at+n {
				to[i], to[i+1], to[i+2], to[i+3] = sample(from, at), sample(from, at+1), sample(from, at+2), 65535
				if n == 4 {
					to[i+3] = sample(from, at+3)
				} else if keyed && [3]uint16(to[i:i+3]) == key {
					to[i+3] = 0
				}
			}
		}
	case pngGreyAlpha:
		return func(to []uint16, from []byte) {
			for i, at := 0, 0; i+3 < len(to); i, at = i+4, at+2 {
				v := sample(from, at)
				to[i], to[i+1], to[i+2], to[i+3] = v, v, v, sample(from, at+1)
			}
		}
	}
	if p.kind == pngGrey && p.depth == 16 {
		return func(to []uint16, from []byte) {
			for i := 0; i+3 < len(to); i += 4 {
				v := sample16(from, i/4)
				to[i], to[i+1], to[i+2], to[i+3] = v, v, v, 65535
				if keyed && v == key[0] {
					to[i+3] = 0
				}
			}
		}
	}
	// At most 256 values, of a palette or of grey.
	var table [256][4]uint16
	for v := range table {
		t := &table[v]
		t[3] = 65535
		if p.kind == pngGrey {
			g := uint16(v * 65535 / (1<<p.depth - 1))
			t[0], t[1], t[2] = g, g, g
			if keyed && uint16(v) == key[0] {
				t[3] = 0
			}
			continue
		}
		if 3*v+2 < len(p.palette) { // what lies beyond is black
			for c := range 3 {
				t[c] = uint16(p.palette[3*v+c]) * 257
			}
		}
		if v < len(p.clear) {
			t[3] = uint16(p.clear[v]) * 257
		}
	}
	depth := int(p.depth)
	mask := byte(1<<depth - 1)
	return func(to []uint16, from []byte) {
		for i := 0; i+3 < len(to); i += 4 {
			bit := i / 4 * depth
			v := from[bit/8] >> (8 - depth - bit%8) & mask
			copy(to[i:i+4], table[v][:])
		}
	}
}
