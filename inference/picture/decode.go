package picture

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"io"
	"runtime/debug"
	"strings"

	"github.com/disintegration/imaging"
	otherjpeg "github.com/kovidgoyal/imaging/jpeg"
	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"realword/inference/colour"
	"realword/inference/message"
)

// Limits bounds what Decode accepts. A zero field takes its value from DefaultLimits.
type Limits struct {
	Bytes  int64 // size of the file
	Pixels int64 // width × height of the file
	Side   int   // width, height; resampling a line costs about 100 bytes per pixel of it
	Kept   int64 // pixels of the result: a larger picture is scaled down by a whole number while it is read
}

// DefaultLimits is 256 MiB, 500 megapixels and 65,535 pixels a side, of which 64 megapixels are kept. With them decoding needs at most
// 1.2 GB, the file included: PNG is read line by line, other formats are refused where that would be more than mostMemory.
var DefaultLimits = Limits{Bytes: 256 << 20, Pixels: 500_000_000, Side: 65_535, Kept: 64_000_000}

// mostMemory is what a file, the decoder of its format and the result may take together.
const mostMemory = 1_150_000_000

func (l Limits) orDefault() Limits {
	if l.Bytes <= 0 {
		l.Bytes = DefaultLimits.Bytes
	}
	if l.Pixels <= 0 {
		l.Pixels = DefaultLimits.Pixels
	}
	if l.Side <= 0 {
		l.Side = DefaultLimits.Side
	}
	if l.Kept <= 0 {
		l.Kept = DefaultLimits.Kept
	}
	return l
}

// Info says what a decoded file was.
type Info struct {
	Format        string   // "PNG", "JPEG", "GIF", "WebP" or "BMP"
	Width, Height int      // pixels of the file, after the orientation is applied; the picture may have less (Limits.Kept)
	Frames        int      // 1 for a still; the picture is always the first frame
	Orientation   int      // the orientation that was undone, as EXIF has it, 1 (upright) to 8
	Transparent   bool     // at least one pixel is not opaque
	Colours       string   // the colour space that was brought to sRGB, by its name; empty for sRGB
	Notes         []string // what was lost on the way, one sentence each, for the user
}

// FormatError says that a picture file is broken.
type FormatError struct{ Err error }

func (e FormatError) Error() string { return e.Err.Error() }

// Unwrap is the sentence.
func (e FormatError) Unwrap() error { return e.Err }

// UnsupportedError says that a file is (or may be) whole but is of a kind or a size that Realword does not read.
type UnsupportedError struct{ Err error }

func (e UnsupportedError) Error() string { return e.Err.Error() }

// Unwrap is the sentence.
func (e UnsupportedError) Unwrap() error { return e.Err }

// Decode is DecodeContext without an end.
func Decode(data []byte, limits Limits) (*image.NRGBA, Info, error) {
	return DecodeContext(context.Background(), data, limits)
}

// DecodeContext reads a PNG, JPEG, GIF, WebP or BMP file, upright (orientation of EXIF or XMP applied), in sRGB, 8 bits per channel,
// transparency kept and not premultiplied. Of an animation (GIF, APNG, WebP) it is the first frame. Without a colour space of its own,
// 16-bit channels lose their low byte. Of a damaged file it is what can be read if that is at least half; the rest is grey, and a note
// says so.
//
// The error is a FormatError, an UnsupportedError, or the context's: decoding ends within about a second of the context's end.
func DecodeContext(ctx context.Context, data []byte, limits Limits) (img *image.NRGBA, info Info, err error) {
	limits = limits.orDefault()
	if int64(len(data)) > limits.Bytes {
		return nil, Info{}, tooManyBytes(int64(len(data)), limits)
	}
	format, err := sniff(data)
	if err != nil {
		return nil, Info{}, err
	}
	// The decoders are other people's and the bytes are strangers': a slip in one must not end the studio.
	defer func() {
		if p := recover(); p != nil {
			img, info, err = nil, Info{}, FormatError{message.Errorf("the %s picture is damaged (%v); download it again, or open it in an image editor and save it as PNG or JPEG", format, p)}
		}
	}()

	d := decoding{ctx: ctx, data: data, limits: limits, info: Info{Format: format, Frames: 1, Orientation: 1}}
	switch format {
	case "PNG":
		err = d.png()
	case "JPEG":
		err = d.jpeg()
	case "GIF":
		err = d.gif()
	case "WebP":
		err = d.webp()
	case "BMP":
		err = d.bmp()
	}
	if ctx.Err() != nil {
		return nil, Info{}, ctx.Err()
	}
	if err != nil {
		var f FormatError
		var u UnsupportedError
		if !errors.As(err, &f) && !errors.As(err, &u) {
			err = explain(format, len(data), err)
		}
		return nil, Info{}, err
	}
	img, info = upright(d.img, d.info.Orientation), d.info
	if info.Orientation > 4 {
		info.Width, info.Height = info.Height, info.Width
	}
	info.Transparent = !img.Opaque()
	if info.Frames > 1 {
		info.note("This is an animation; the first of its %d frames is used.", info.Frames)
	}
	if s := img.Rect.Size(); s != image.Pt(info.Width, info.Height) {
		info.note("It has %d × %d pixels and was scaled down to %d × %d.", info.Width, info.Height, s.X, s.Y)
	}
	if d.used > 64<<20 { // back to the system what will not be needed again soon
		d.img = nil
		debug.FreeOSMemory()
	}
	return img, info, nil
}

func (i *Info) note(format string, args ...any) {
	i.Notes = append(i.Notes, fmt.Sprintf(format, args...))
}

// decoding is one call of DecodeContext.
type decoding struct {
	ctx    context.Context
	data   []byte
	limits Limits
	info   Info
	img    *image.NRGBA
	used   int64 // bytes that decoding took, roughly
}

// size keeps the size that the file says, if it is within the limits and its decoder takes no more than that many bytes.
func (d *decoding) size(width, height int, decoder int64) error {
	if err := fits(width, height, d.limits); err != nil {
		return err
	}
	d.info.Width, d.info.Height, d.used = width, height, decoder
	k := int64(factor(width, height, d.limits.Kept))
	if all := int64(len(d.data)) + decoder + 4*int64(width)*int64(height)/(k*k); all > mostMemory {
		return UnsupportedError{message.Errorf("the picture is %d × %d pixels, and decoding such a %s would take %.1f GB of memory; scale it down, or save it as PNG",
			width, height, d.info.Format, float64(all)/1e9)}
	}
	return nil
}

// space notes what becomes of the colours.
func (d *decoding) space(s *colour.Space, notes []string) *colour.Space {
	if s != nil {
		d.info.Colours = cmp.Or(s.Name(), "its own profile")
	}
	d.info.Notes = append(d.info.Notes, notes...)
	return s
}

// draw renders a decoded picture.
func (d *decoding) draw(img image.Image, s *colour.Space) (err error) {
	r := rowsOf(d.ctx, img)
	if r.channels == 4 && s == nil {
		d.info.note("Its CMYK colours were converted without a profile and may look stronger than in print.")
	}
	d.img, _, err = r.render(d.ctx, factor(r.width, r.height, d.limits.Kept), s)
	return err
}

// place puts the picture, which is a part of a canvas, where it belongs on it.
func (d *decoding) place(frame image.Rectangle) {
	if frame == image.Rect(0, 0, d.info.Width, d.info.Height) {
		return
	}
	k := factor(frame.Dx(), frame.Dy(), d.limits.Kept)
	if most := factor(d.info.Width, d.info.Height, d.limits.Kept); most > k { // rare enough for the nearest pixels
		w, h := (frame.Dx()*k+most-1)/most, (frame.Dy()*k+most-1)/most
		d.img, k = imaging.Resize(d.img, max(1, w), max(1, h), imaging.NearestNeighbor), most
	}
	whole := image.NewNRGBA(image.Rect(0, 0, (d.info.Width+k-1)/k, (d.info.Height+k-1)/k))
	draw.Draw(whole, d.img.Rect.Add(frame.Min.Div(k)), d.img, image.Point{}, draw.Src)
	d.img = whole
}

func (d *decoding) png() error {
	p, err := readPNG(d.data)
	if p != nil {
		err = cmp.Or(d.size(p.width, p.height, 0), err)
	}
	if err != nil {
		return err
	}
	d.info.Frames, d.info.Orientation = p.frames, p.turned()
	most := d.limits.Kept
	k := factor(p.width, p.height, most)
	if k > 1 && p.interlaced { // the sums of all pixels are kept
		k = factor(p.width, p.height, min(most, 8_000_000))
	}
	d.used = 4 * int64(p.width) * int64(p.height) / int64(k*k)
	passes := 0
	space := d.space(p.space())
	img, lines, err := p.rows(d.ctx, &passes).render(d.ctx, k, space)
	switch height := (p.height + k - 1) / k; {
	case err == nil:
	case p.interlaced && passes < 3 || !p.interlaced && 2*lines < height:
		return err
	case p.interlaced:
		if k == 1 {
			coarse(img, passes)
		}
		p.damage = append(p.damage, "it ends early, so fine detail is missing")
	default:
		p.damage = append(p.damage, fmt.Sprintf("it ends early, so %d %% of the picture is missing and grey", percent(height-lines, height)))
	}
	if err == nil && !p.ended {
		p.damage = append(p.damage, "its end is missing, but the picture is complete")
	}
	if len(p.damage) > 0 {
		d.info.note("The file is damaged: %s.", strings.Join(p.damage, "; "))
	}
	if p.depth == 16 {
		d.info.note("Its 16-bit channels were reduced to 8 bits.")
	}
	d.img = img
	return nil
}

// coarse fills in what the passes of an interlaced picture that are missing would have brought.
func coarse(img *image.NRGBA, passes int) {
	dx, dy := 8>>(passes/2), 8>>((passes-1)/2)
	for y := range img.Rect.Dy() {
		from, to := img.Pix[(y&^(dy-1))*img.Stride:], img.Pix[y*img.Stride:]
		for x := range img.Rect.Dx() {
			copy(to[4*x:4*x+4], from[4*(x&^(dx-1)):])
		}
	}
}

func (d *decoding) jpeg() error {
	j := readJPEG(d.data)
	if j.components == nil {
		_, err := jpeg.DecodeConfig(bytes.NewReader(d.data)) // says why
		return cmp.Or(err, io.ErrUnexpectedEOF)
	}
	if err := d.size(j.width, j.height, j.memory()); err != nil {
		return err
	}
	d.info.Orientation = j.turned()
	img, notes, err := decodeJPEG(d.ctx, d.data, j)
	if err != nil {
		return err
	}
	var space *colour.Space
	icc, missing := j.profile()
	switch {
	case missing:
		d.info.note("Part of its colour profile is missing, so colours may be wrong.")
	case icc != nil:
		space = d.space(profileSpace(icc, len(j.components)))
	}
	d.info.Notes = append(d.info.Notes, notes...)
	return d.draw(img, space)
}

func (d *decoding) gif() error {
	d.data = wideGIF(d.data)
	config, err := gif.DecodeConfig(bytes.NewReader(d.data))
	if err != nil {
		return err
	}
	if err := d.size(config.Width, config.Height, int64(config.Width)*int64(config.Height)); err != nil {
		return err
	}
	d.info.Frames, _, _ = gifLook(d.data)
	img, err := gif.Decode(d.reader(d.data))
	if err != nil {
		if img, err = mendGIF(d.data, err); err != nil {
			return err
		}
		d.info.note("The file is cut short; the missing part of the picture is transparent.")
	}
	if err := d.draw(img, nil); err != nil {
		return err
	}
	d.place(img.Bounds())
	return nil
}

func (d *decoding) webp() error {
	data, short := wholeRIFF(d.data)
	w := readWebP(data)
	d.info.Frames, d.info.Orientation = max(1, w.frames), w.turned()
	still, frame := data, image.Rectangle{}
	if w.frames > 0 {
		var err error
		if still, frame, err = w.still(); err != nil {
			return err
		}
	}
	config, err := webp.DecodeConfig(bytes.NewReader(still))
	if err != nil {
		return err
	}
	if frame.Empty() {
		w.width, w.height = config.Width, config.Height
		frame = image.Rect(0, 0, w.width, w.height)
	}
	if err := d.size(w.width, w.height, 4*int64(config.Width)*int64(config.Height)); err != nil {
		return err
	}
	img, err := webp.Decode(d.reader(still))
	if err != nil {
		return err
	}
	if short {
		d.info.note("The file is cut short; the end of the picture may be missing.")
	}
	var space *colour.Space
	if w.icc != nil {
		space = d.space(profileSpace(w.icc, 3))
	}
	if fixed := studioRange(img); fixed != nil {
		img = fixed
	}
	if err := d.draw(img, space); err != nil {
		return err
	}
	d.place(frame)
	return nil
}

func (d *decoding) bmp() error {
	own, masked := readBitmap(d.data)
	width, height, decode := own.width, own.height, own.decode
	if !masked {
		config, err := bmp.DecodeConfig(bytes.NewReader(d.data))
		if err != nil {
			return err
		}
		width, height, decode = config.Width, config.Height, bmp.Decode
	}
	if err := d.size(width, height, 4*int64(width)*int64(height)); err != nil {
		return err
	}
	img, err := decode(d.reader(d.data))
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		pixels := width * height * 4
		if missing := pixels/8 + len(d.data); len(d.data) < missing/2 {
			return err
		}
		// Lines that are missing are black.
		if img, err = decode(io.MultiReader(d.reader(d.data), bytes.NewReader(make([]byte, pixels)))); err == nil {
			d.info.note("The file is cut short; the missing part of the picture is black.")
		}
	}
	if err != nil {
		return err
	}
	return d.draw(img, nil)
}

// reader reads until the context ends.
func (d *decoding) reader(data []byte) io.Reader { return &partsReader{d.ctx, [][]byte{data}} }

func tooManyBytes(n int64, l Limits) error {
	return UnsupportedError{message.Errorf("the file has %d MB, and at most %d MB are read; save a smaller copy", n>>20, l.Bytes>>20)}
}

func fits(w, h int, l Limits) error {
	switch {
	case w <= 0 || h <= 0:
		return FormatError{message.Errorf("the picture is %d × %d pixels, so there is nothing to see; choose another", w, h)}
	case w > l.Side || h > l.Side || int64(w)*int64(h) > l.Pixels:
		return UnsupportedError{message.Errorf("the picture is %d × %d pixels, and at most %.3g million (%d a side) are read; scale it down",
			w, h, float64(l.Pixels)/1e6, l.Side)}
	}
	return nil
}

// explain turns a decoder's error into a sentence.
func explain(format string, size int, err error) error {
	var j jpeg.UnsupportedError
	var other otherjpeg.UnsupportedError
	switch text := err.Error(); {
	case errors.As(err, &j), errors.As(err, &other), errors.Is(err, bmp.ErrUnsupported):
		return UnsupportedError{message.Errorf("this kind of %s is not supported (%v); open it in an image editor and save it as PNG or JPEG", format, err)}
	// image/gif flattens the reader's error into text, and image/jpeg has one of its own.
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "EOF"), strings.Contains(text, "not enough"),
		strings.Contains(text, "short Huffman"):
		return FormatError{message.Errorf("the %s picture is cut short after %d bytes; copy or download it again", format, size)}
	default:
		return FormatError{message.Errorf("the %s picture is damaged (%v); download it again, or open it in an image editor and save it as PNG or JPEG", format, err)}
	}
}

// studioRange converts the pixels of a lossy WebP, nil for others. VP8 keeps ITU-R BT.601 colours in 16..235 (luma) and 16..240
// (chroma), but golang.org/x/image/webp labels them as image/color.YCbCr, which is JPEG's full range: white would turn grey.
func studioRange(raw image.Image) *image.NRGBA {
	var yuv *image.YCbCr
	var alpha []uint8
	alphaStride := 0
	switch m := raw.(type) {
	case *image.YCbCr:
		yuv = m
	case *image.NYCbCrA:
		yuv, alpha, alphaStride = &m.YCbCr, m.A, m.AStride
	default:
		return nil
	}
	w, h := yuv.Rect.Dx(), yuv.Rect.Dy()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			at := yuv.COffset(yuv.Rect.Min.X+x, yuv.Rect.Min.Y+y)
			luma := 1.164 * (float32(yuv.Y[yuv.YOffset(yuv.Rect.Min.X+x, yuv.Rect.Min.Y+y)]) - 16)
			u, v := float32(yuv.Cb[at])-128, float32(yuv.Cr[at])-128
			p := img.Pix[y*img.Stride+4*x:][:4]
			p[0] = nearest(luma + 1.596*v)
			p[1] = nearest(luma - 0.392*u - 0.813*v)
			p[2] = nearest(luma + 2.017*u)
			p[3] = 255
			if alpha != nil {
				p[3] = alpha[y*alphaStride+x]
			}
		}
	}
	return img
}

func nearest(v float32) uint8 { return uint8(min(max(v+0.5, 0), 255)) }

// upright undoes an EXIF orientation (EXIF 2.3, tag 0x0112).
func upright(img *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}
