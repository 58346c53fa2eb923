package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/text/unicode/norm"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/ui/i18n"
)

// ReadFile reads a file that the user chose, unless it is too large to be a picture.
func ReadFile(path string) ([]byte, error) {
	limit := picture.DefaultLimits.Bytes
	info, err := Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, i18n.Errorf("%s is a folder; drop the pictures in it", filepath.Base(path))
	case !files.IsFile(info.Mode()):
		return nil, i18n.Errorf("%s is not a file; choose a picture", filepath.Base(path))
	case info.Size() > limit:
		return nil, i18n.Errorf("%s is larger than %d MiB; choose a smaller copy of the picture", filepath.Base(path), limit>>20)
	}
	data, err := files.Read(path, limit)
	if err != nil {
		return nil, i18n.Errorf("%s cannot be read: %w", filepath.Base(path), Reason(err))
	}
	return data, nil
}

// Stat looks at the file of a picture, as whoever hands it on without reading it does first.
func Stat(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, i18n.Errorf("%s cannot be opened: %w", filepath.Base(path), Reason(err))
	}
	return info, nil
}

// Reason is a system error with what to do about it, without the long path that people know already.
func Reason(err error) error { return reason(files.Barred, err) }

func reason(barred func(error) error, err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return i18n.Errorf("%w; it may have been moved, choose it again", err)
	case barred(err) != nil:
		return barred(err)
	case errors.Is(err, fs.ErrPermission):
		return i18n.Errorf("%w; change its permissions or choose another file", err)
	}
	return i18n.Errorf("%w; choose another file", err)
}

// Reader decodes references, as an engine does.
type Reader interface {
	Read(context.Context, inference.Reference) (*image.NRGBA, picture.Info, error)
}

// Eye reads references as the open model sees them. It may be used from any goroutine.
type Eye struct {
	Ctx    context.Context  // its end ends a reading; nil: it has none
	Engine Reader           // nil before a model is open
	Model  *bundle.Manifest // likewise
	Fit    picture.Fit      // the preset's

	Own func(model string) image.Point // see State.OwnSize; nil: no other model is known
}

// own is Own.
func (e Eye) own(model string) image.Point {
	if e.Own == nil {
		return image.Point{}
	}
	return e.Own(model)
}

// Context is Ctx, or one without an end.
func (e Eye) Context() context.Context {
	if e.Ctx == nil {
		return context.Background()
	}
	return e.Ctx
}

// Fitting is an eye for another preset.
func (e Eye) Fitting(preset string) Eye {
	e.Fit = fitOf(preset, e.Model)
	return e
}

// Decode reads a picture. The engine keeps what its model sees of it, in the square that a request will ask for.
func (e Eye) Decode(ref inference.Reference) (*image.NRGBA, picture.Info, error) {
	if e.Engine == nil {
		return picture.DecodeContext(e.Context(), ref.Data, picture.Limits{})
	}
	ref.Square.Fit = cmp.Or(ref.Square.Fit, e.Fit)
	return e.Engine.Read(e.Context(), ref)
}

// Card makes a card of a picture file.
func (e Eye) Card(name string, data []byte) (Card, error) {
	return e.Reference(inference.Reference{Name: name, Data: data})
}

// Reference makes a card of a picture whose square is known, and its SHA-256 too unless it is empty.
func (e Eye) Reference(ref inference.Reference) (Card, error) {
	if ref.SHA256 == "" {
		ref.SHA256 = files.Sum(ref.Data)
	}
	img, info, err := e.Decode(ref)
	if err != nil {
		return Card{}, fmt.Errorf("%s: %w", ref.Name, err)
	}
	c := Card{
		Ref: ref, Fit: e.Fit, Whole: Within(img, wholeSide), Pixels: image.Pt(info.Width, info.Height), Clear: info.Transparent,
		Notes: info.Notes,
	}
	if err := c.Look(img, e.Model); err != nil {
		return Card{}, fmt.Errorf("%s: %w", ref.Name, err)
	}
	if c.Pixels.X*c.Pixels.Y > largePixels {
		debug.FreeOSMemory() // of the picture itself only its file stays
	}
	return c, nil
}

// largePixels is from where on the memory of a picture is worth a sweep.
const largePixels = 16_000_000

// Sides of the pictures that a card keeps, in pixels: enough for its places on screens of twice the usual density.
const wholeSide, smallSide = 512, 2 * SquareSide

// Look makes the squares of the card from its picture, as the card or else its Fit says.
func (c *Card) Look(img image.Image, m *bundle.Manifest) error {
	side := 256
	if m != nil && m.Vision.Reference > 0 {
		side = m.Vision.Reference
	}
	square := c.Ref.Square
	square.Fit = cmp.Or(square.Fit, c.Fit)
	view, _, err := picture.Prepare(img, square, side)
	if err != nil {
		return err
	}
	c.View, c.Small = view, Within(view, smallSide)
	return nil
}

// note is what was lost when the picture was read, for the user; empty: nothing.
func (c Card) note() string {
	if len(c.Notes) == 0 {
		return ""
	}
	return i18n.T("%s: %s", c.Ref.Name, strings.Join(c.Notes, " "))
}

// Preview is the square for the card.
func (c Card) Preview() image.Image {
	if c.Small != nil {
		return c.Small
	}
	return c.View
}

// Within is a picture whose longer side is at most side pixels: the same one, or a smaller *image.NRGBA.
func Within(img image.Image, side int) image.Image {
	size := img.Bounds().Size()
	long := max(size.X, size.Y)
	if long <= side {
		return img
	}
	out := image.NewNRGBA(image.Rect(0, 0, max(size.X*side/long, 1), max(size.Y*side/long, 1)))
	xdraw.CatmullRom.Scale(out, out.Rect, img, img.Bounds(), xdraw.Src, nil)
	return out
}

// ReadThumb makes a small square of a picture file.
func ReadThumb(ctx context.Context, data []byte, side int) (image.Image, error) {
	img, _, err := picture.DecodeContext(ctx, data, picture.Limits{})
	if err != nil {
		return nil, err
	}
	view, _, err := picture.Prepare(img, picture.Square{Fit: picture.Crop}, side)
	return view, err
}

// QueueThumbs are the small pictures of jobs, by the SHA-256 of their files; nil is one of a file that cannot be read.
type QueueThumbs map[string]image.Image

// Of is the small picture of the first reference of a job that can be read, nil where there is none. It decodes each file once: not for the
// window's goroutine.
func (t QueueThumbs) Of(ctx context.Context, r inference.Request) image.Image {
	for _, subject := range r.Subjects {
		for _, ref := range subject.References {
			small, known := t[ref.SHA256]
			if !known {
				if read, err := ReadThumb(ctx, ref.Data, QueueThumb); err == nil {
					small = read
				}
				t[ref.SHA256] = small
			}
			if small != nil {
				return small
			}
		}
	}
	return nil
}

// ReadSmall reads a thumbnail. Those of a recipe or an imported session are strangers', so that a small file may ask for a large picture.
func ReadSmall(data []byte) (image.Image, error) {
	img, _, err := picture.Decode(data, picture.Limits{Bytes: 4 << 20, Pixels: 1 << 22, Side: 1 << 12})
	if err != nil {
		return nil, err
	}
	return img, nil
}

// HintOf is the word that a file name suggests: "dog" for "dog.png". Names that come from a Mac have accents as letters of their own.
func HintOf(name string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSuffix(name, filepath.Ext(name))))
}
