package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/disintegration/imaging"
	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"realword/inference/userfile"
)

// Limits bounds what Decode accepts. A zero field takes its value from DefaultLimits.
type Limits struct {
	Bytes  int64 // size of the file
	Pixels int64 // width × height
	Side   int   // width, height; resampling a line costs about 100 bytes per pixel of it
}

// DefaultLimits is 256 MiB, 100 megapixels and 65,535 pixels a side. A picture at the pixel limit needs 400 MB, and 800 MB
// more while it is decoded if it has 16 bits per channel.
var DefaultLimits = Limits{Bytes: 256 << 20, Pixels: 100_000_000, Side: 65_535}

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
	return l
}

// Info says what a decoded file was.
type Info struct {
	Format        string   // "PNG", "JPEG", "GIF", "WebP" or "BMP"
	Width, Height int      // pixels, after the orientation is applied
	Frames        int      // 1 for a still; the picture is always the first frame
	Orientation   int      // the EXIF orientation that was undone, 1 (upright) to 8
	Transparent   bool     // at least one pixel is not opaque
	SHA256        string   // hexadecimal digest of the file's bytes: how recipes name a reference
	Notes         []string // what was lost on the way, one sentence each, for the user
}

// FormatError says that a picture file is broken.
type FormatError string

func (e FormatError) Error() string { return string(e) }

// UnsupportedError says that a file is (or may be) whole but is of a kind or a size that Realword does not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return string(e) }

const resave = "open it in an image editor and save it as PNG or JPEG"

type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var codecs = map[string]codec{
	"PNG":  {png.DecodeConfig, png.Decode},
	"JPEG": {jpeg.DecodeConfig, jpeg.Decode},
	"GIF":  {gif.DecodeConfig, gif.Decode},
	"WebP": {webp.DecodeConfig, webp.Decode},
	"BMP":  {bmp.DecodeConfig, bmp.Decode},
}

// Open reads and decodes the picture file at path; see Decode. Errors begin with the file's name.
func Open(path string, limits Limits) (*image.NRGBA, Info, error) {
	limits = limits.orDefault()
	img, info, err := open(path, limits)
	if err != nil {
		return nil, Info{}, fmt.Errorf("picture %s: %w", filepath.Base(path), err)
	}
	return img, info, nil
}

func open(path string, limits Limits) (*image.NRGBA, Info, error) {
	stat, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, Info{}, fmt.Errorf("there is no such file; check the path: %w", err)
	case errors.Is(err, fs.ErrPermission):
		return nil, Info{}, fmt.Errorf("it may not be read; change its permissions: %w", err)
	case err != nil:
		return nil, Info{}, err
	case !stat.Mode().IsRegular():
		return nil, Info{}, UnsupportedError("it is not a file (a folder?); choose one picture file")
	case stat.Size() > limits.Bytes:
		return nil, Info{}, tooManyBytes(stat.Size(), limits)
	}
	data, err := userfile.Read(path, limits.Bytes)
	if errors.Is(err, fs.ErrPermission) {
		return nil, Info{}, fmt.Errorf("it may not be read; change its permissions: %w", err)
	}
	if err != nil {
		return nil, Info{}, err
	}
	return Decode(data, limits)
}

// Decode reads a PNG, JPEG, GIF, WebP or BMP file, upright (EXIF orientation applied), 8 bits per channel, transparency
// kept and not premultiplied. Of an animation (GIF, APNG, WebP) it is the first frame. 16-bit channels lose their low byte.
//
// The error is a FormatError or an UnsupportedError.
func Decode(data []byte, limits Limits) (img *image.NRGBA, info Info, err error) {
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
			img, info, err = nil, Info{}, FormatError(fmt.Sprintf("the %s picture is damaged (%v); download it again, or %s", format, p, resave))
		}
	}()

	still, frame, info := data, image.Rectangle{}, Info{Format: format, Frames: 1, Orientation: 1}
	switch format {
	case "PNG":
		info.Frames, info.Orientation = pngFrames(data), pngOrientation(data)
	case "JPEG":
		info.Orientation = jpegOrientation(data)
	case "GIF":
		info.Frames = gifFrames(data)
	case "WebP":
		w := readWebP(data)
		info.Frames, info.Orientation = max(1, w.frames), w.orientation
		if w.frames > 0 {
			if still, frame, err = w.still(); err != nil {
				return nil, Info{}, err
			}
			if err := fits(w.width, w.height, limits); err != nil {
				return nil, Info{}, err
			}
			info.Width, info.Height = w.width, w.height
		}
	}

	c := codecs[format]
	config, err := c.config(bytes.NewReader(still))
	if err != nil {
		return nil, Info{}, explain(format, len(data), err)
	}
	if err := fits(config.Width, config.Height, limits); err != nil {
		return nil, Info{}, err
	}
	raw, err := c.decode(bytes.NewReader(still))
	if err != nil {
		return nil, Info{}, explain(format, len(data), err)
	}
	if frame.Empty() { // not an animated WebP
		info.Width, info.Height = config.Width, config.Height
		frame = raw.Bounds()
	}
	if format == "WebP" {
		img = studioRange(raw)
	}
	if img == nil {
		img = imaging.Clone(raw)
	}
	if canvas := image.Rect(0, 0, info.Width, info.Height); frame != canvas {
		whole := image.NewNRGBA(canvas)
		for y := range frame.Dy() {
			copy(whole.Pix[whole.PixOffset(frame.Min.X, frame.Min.Y+y):], img.Pix[y*img.Stride:][:4*frame.Dx()])
		}
		img = whole
	}

	img = upright(img, info.Orientation)
	info.Width, info.Height = img.Rect.Dx(), img.Rect.Dy()
	info.Transparent = !img.Opaque()
	digest := sha256.Sum256(data)
	info.SHA256 = hex.EncodeToString(digest[:])
	if info.Frames > 1 {
		info.Notes = append(info.Notes, fmt.Sprintf("This is an animation; the first of its %d frames is used.", info.Frames))
	}
	switch raw.ColorModel() {
	case color.NRGBA64Model, color.RGBA64Model, color.Gray16Model:
		info.Notes = append(info.Notes, "Its 16-bit channels were reduced to 8 bits.")
	case color.CMYKModel:
		info.Notes = append(info.Notes, "Its CMYK colours were converted without a profile and may look stronger than in print.")
	}
	return img, info, nil
}

func tooManyBytes(n int64, l Limits) error {
	return UnsupportedError(fmt.Sprintf("the file has %d MB, more than the %d MB that are read; save a smaller copy", n>>20, l.Bytes>>20))
}

func fits(w, h int, l Limits) error {
	switch {
	case w <= 0 || h <= 0:
		return FormatError(fmt.Sprintf("the picture is %d × %d pixels, so there is nothing to see; choose another", w, h))
	case w > l.Side || h > l.Side || int64(w)*int64(h) > l.Pixels:
		return UnsupportedError(fmt.Sprintf("the picture is %d × %d pixels, more than the %.3g million (%d a side) that are read; scale it down",
			w, h, float64(l.Pixels)/1e6, l.Side))
	}
	return nil
}

// explain turns a decoder's error into a sentence.
func explain(format string, size int, err error) error {
	var j jpeg.UnsupportedError
	var p png.UnsupportedError
	switch text := err.Error(); {
	case errors.As(err, &j), errors.As(err, &p), errors.Is(err, bmp.ErrUnsupported):
		return UnsupportedError(fmt.Sprintf("this variant of %s is not read (%v); %s", format, err, resave))
	// image/gif flattens the reader's error into text, and image/jpeg has one of its own.
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "EOF"), strings.Contains(text, "not enough"),
		strings.Contains(text, "short Huffman"):
		return FormatError(fmt.Sprintf("the %s picture is cut short after %d bytes; copy or download it again", format, size))
	default:
		return FormatError(fmt.Sprintf("the %s picture is damaged (%v); download it again, or %s", format, err, resave))
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
