package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/png"

	"realword/inference/message"
)

// MostPainted is how many pixels of a painted mask are kept: 2048 × 2048. A larger one is scaled down while it is read.
const MostPainted = 4 << 20

// ReadPainted reads a mask that somebody painted: 255 where it is white, 0 where it is black or transparent. It refuses colours and a
// mask that is black everywhere. file is the same as a grey PNG file without anything else in it, data itself where that is one. Notes
// are those of DecodeContext.
func ReadPainted(ctx context.Context, data []byte) (mask *image.Gray, file []byte, notes []string, err error) {
	if mask = readPlainGrey(data); mask != nil {
		return mask, data, nil, notEmpty(mask)
	}
	img, info, err := DecodeContext(ctx, data, Limits{Kept: MostPainted})
	if err != nil {
		return nil, nil, nil, err
	}
	mask = image.NewGray(image.Rect(0, 0, img.Rect.Dx(), img.Rect.Dy()))
	for y := range mask.Rect.Dy() {
		from, to := img.Pix[y*img.Stride:], mask.Pix[y*mask.Stride:]
		for x := range mask.Rect.Dx() {
			p := from[4*x:][:4]
			if p[3] > 0 && max(p[0], p[1], p[2])-min(p[0], p[1], p[2]) > mostTint {
				return nil, nil, nil, FormatError{message.New("the mask has colours; paint it in grey, white where it holds and black elsewhere")}
			}
			to[x] = uint8((uint32(p[1])*uint32(p[3]) + 127) / 255)
		}
	}
	if err := notEmpty(mask); err != nil {
		return nil, nil, nil, err
	}
	file, err = EncodePainted(mask)
	return mask, file, info.Notes, err
}

func notEmpty(mask *image.Gray) error {
	for _, v := range mask.Pix {
		if v != 0 {
			return nil
		}
	}
	return FormatError{message.New("the mask is empty; paint in white where it holds, on black or on nothing")}
}

// readPlainGrey reads what EncodePainted writes; nil for any other file.
func readPlainGrey(data []byte) *image.Gray {
	if !plainGrey(data) {
		return nil
	}
	if c, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || c.Width > MostPainted/c.Height {
		return nil
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil // as much as can be read comes from DecodeContext
	}
	mask, _ := img.(*image.Gray)
	return mask
}

// PaintedSize is the size of what EncodePainted writes, without reading it; zero of any other file.
func PaintedSize(data []byte) image.Point {
	if !plainGrey(data) {
		return image.Point{}
	}
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return image.Point{}
	}
	return image.Pt(c.Width, c.Height)
}

// mostTint is what the channels of grey may differ by: lossy files and colour profiles change it a little.
const mostTint = 12

// EncodePainted is a painted mask as a small PNG file, which ReadPainted leaves as it is. It is made after every stroke of a brush: the
// best compression would save an eighth and take four times as long.
func EncodePainted(mask *image.Gray) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, mask)
	return b.Bytes(), err
}

// plainGrey tells a PNG file of 8 bits of grey that holds nothing but them.
func plainGrey(data []byte) bool {
	const signature = "\x89PNG\r\n\x1a\n"
	if !bytes.HasPrefix(data, []byte(signature)) || len(data) < 29 || data[24] != 8 || data[25] != 0 || data[28] != 0 {
		return false
	}
	for rest := data[8:]; len(rest) >= 12; {
		size := int64(binary.BigEndian.Uint32(rest)) + 12
		switch string(rest[4:8]) {
		case "IHDR", "IDAT":
		case "IEND":
			return size == int64(len(rest))
		default:
			return false
		}
		if size > int64(len(rest)) {
			return false
		}
		rest = rest[size:]
	}
	return false
}

// Cover resizes a painted mask to a grid of width × height positions in rows: the mean of what lies in each, 0 to 1. Sums are whole
// numbers, so that every machine has the same bits.
func Cover(mask *image.Gray, width, height int) []float32 {
	w, h := mask.Rect.Dx(), mask.Rect.Dy()
	sums, line := make([]int64, width*height), make([]int64, width)
	ys := shares(h, height)
	for y := range h {
		row := mask.Pix[y*mask.Stride:][:w]
		for x := range width { // whole pixels count width each, those at both ends what lies in the cell
			from, to := x*w, (x+1)*w
			i, end := from/width, (to-1)/width
			if i == end {
				line[x] = int64(row[i]) * int64(to-from)
				continue
			}
			sum := 0
			for _, v := range row[i+1 : end] {
				sum += int(v)
			}
			line[x] = int64(row[i])*int64((i+1)*width-from) + int64(sum*width) + int64(row[end])*int64(to-end*width)
		}
		for _, s := range ys[y] {
			for x, v := range line {
				sums[s.at*width+x] += v * s.of
			}
		}
	}
	out := make([]float32, len(sums))
	for p, v := range sums {
		out[p] = float32(float64(v) / float64(255*int64(w)*int64(h)))
	}
	return out
}

// share is how much of a pixel lies in a cell, where a cell is as long as there are pixels.
type share struct {
	at int
	of int64
}

// shares are those of every one of pixels along an axis of cells.
func shares(pixels, cells int) [][]share {
	out := make([][]share, pixels)
	for i := range out {
		for from, end := i*cells, (i+1)*cells; from < end; {
			cell := from / pixels
			to := min((cell+1)*pixels, end)
			out[i] = append(out[i], share{cell, int64(to - from)})
			from = to
		}
	}
	return out
}
