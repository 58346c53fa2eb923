package picture

import (
	"image"
	"math"
)

// cutMargin is what a cut-out has around it on every side, as a share of its longer side: what touches the border of a view is seen worse.
const cutMargin = 0.05

// CutOut is what a mask holds of a picture: as transparent as the mask is dark, and cut to the square around it, which goes beyond the
// picture where there is no room. The mask is stretched over the picture. It is nil where the mask holds nothing.
func CutOut(img *image.NRGBA, mask *image.Gray) *image.NRGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if w < 1 || h < 1 || mask.Rect.Empty() {
		return nil
	}
	mask = Resized(mask, w, h)
	box := image.Rectangle{image.Pt(w, h), image.Point{}}
	for y := range h {
		for x, v := range mask.Pix[y*mask.Stride:][:w] {
			if v >= leastHeld {
				box.Min, box.Max = image.Pt(min(box.Min.X, x), min(box.Min.Y, y)), image.Pt(max(box.Max.X, x+1), max(box.Max.Y, y+1))
			}
		}
	}
	if box.Empty() {
		return nil
	}
	long := max(box.Dx(), box.Dy())
	side := long + 2*int(math.Ceil(cutMargin*float64(long)))
	at := box.Min.Sub(image.Pt((side-box.Dx())/2, (side-box.Dy())/2))
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := max(at.Y, 0); y < min(at.Y+side, h); y++ {
		for x := max(at.X, 0); x < min(at.X+side, w); x++ {
			from := img.Pix[y*img.Stride+4*x:][:4]
			if a := uint8((uint32(from[3])*uint32(mask.Pix[y*mask.Stride+x]) + 127) / 255); a > 0 { // nothing is hidden under what is clear
				copy(out.Pix[(y-at.Y)*out.Stride+4*(x-at.X):], []uint8{from[0], from[1], from[2], a})
			}
		}
	}
	return out
}

// leastHeld is from where on a mask holds something: less is the end of a soft edge, and is seen by nobody.
const leastHeld = 8

// Dimmed is a picture that is bright where a mask of its size holds, and a quarter as bright elsewhere.
func Dimmed(img *image.NRGBA, mask *image.Gray) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, img.Rect.Dx(), img.Rect.Dy()))
	Dim(out, img, mask, mask.Rect)
	return out
}

// Dim makes of out what Dimmed is, where a part of the mask lies; out is as large as the picture, and the mask, which may have another
// size, is stretched over both.
func Dim(out, img *image.NRGBA, mask *image.Gray, part image.Rectangle) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	mw, mh := max(mask.Rect.Dx(), 1), max(mask.Rect.Dy(), 1)
	part = part.Intersect(mask.Rect).Sub(mask.Rect.Min)
	if part.Empty() {
		return
	}
	for y := part.Min.Y * h / mh; y < min((part.Max.Y*h+mh-1)/mh, h); y++ {
		row := mask.Pix[(2*y+1)*mh/(2*h)*mask.Stride:]
		for x := part.Min.X * w / mw; x < min((part.Max.X*w+mw-1)/mw, w); x++ {
			v := 64 + 191*uint32(row[(2*x+1)*mw/(2*w)])/255
			from, to := img.Pix[y*img.Stride+4*x:][:4], out.Pix[y*out.Stride+4*x:][:4]
			for i := range 3 {
				to[i] = uint8(uint32(from[i]) * v / 255)
			}
			to[3] = from[3]
		}
	}
}
