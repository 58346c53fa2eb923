package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"slices"
	"strings"

	otherjpeg "github.com/kovidgoyal/imaging/jpeg"
)

// jpegFile is what the segments of a JPEG file say.
type jpegFile struct {
	width, height int
	components    []jpegComponent
	progressive   bool
	tables        bool     // Huffman tables of its own
	scans         []int    // where each scan's segment SOS begins
	headers       int      // where the first of them begins, or the data ends
	end           int      // where EOI begins, or the data ends
	icc           [][]byte // parts of the colour profile, by number
	orientation
	adobe     bool
	transform byte // of Adobe's segment
}

type jpegComponent struct{ id, h, v byte }

// readJPEG takes the segments of a file apart, as far as they make sense.
func readJPEG(data []byte) *jpegFile {
	j := &jpegFile{headers: len(data), end: len(data)}
	oriented := false
	for at := 2; at+2 <= len(data); {
		if data[at] != 0xff { // bytes that belong to nothing
			next := bytes.IndexByte(data[at:], 0xff)
			if next < 0 {
				break
			}
			at += next
			continue
		}
		marker := data[at+1]
		switch {
		case marker == 0xff: // a fill byte
			at++
			continue
		case marker == 0 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd8:
			at += 2
			continue
		case marker == 0xd9:
			j.end = at
			return j
		}
		if at+4 > len(data) {
			break
		}
		n := int(data[at+2])<<8 | int(data[at+3])
		if n < 2 || at+2+n > len(data) {
			if marker == 0xda || n < 2 {
				j.end = at
			}
			break
		}
		body := data[at+4 : at+2+n]
		switch {
		case marker >= 0xc0 && marker <= 0xc2 && len(body) >= 6 && j.components == nil:
			j.progressive = marker == 0xc2
			j.height, j.width = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
			for c := body[6:]; len(c) >= 3; c = c[3:] {
				j.components = append(j.components, jpegComponent{c[0], c[1] >> 4, c[1] & 15})
			}
		case marker == 0xc4 && len(j.scans) == 0:
			j.tables = true
		case marker == 0xda:
			if len(j.scans) == 0 {
				j.headers = at
			}
			j.scans = append(j.scans, at)
		case marker == 0xe1 && !oriented && bytes.HasPrefix(body, []byte("Exif\x00")) && len(body) > 6:
			j.exif, oriented = exifOrientation(body[6:]), true
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("http://ns.adobe.com/xap/1.0/\x00")):
			j.readXMP(body)
		case marker == 0xe2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")) && len(body) > 14 && body[12] > 0 && body[12] <= body[13]:
			if j.icc == nil {
				j.icc = make([][]byte, body[13])
			}
			if i := int(body[12]) - 1; i < len(j.icc) && j.icc[i] == nil {
				j.icc[i] = body[14:]
			}
		case marker == 0xee && len(body) >= 12 && string(body[:5]) == "Adobe":
			j.adobe, j.transform = true, body[11]
		}
		at += 2 + n
	}
	return j
}

// profile is the colour profile, nil if there is none or a part of it is missing.
func (j *jpegFile) profile() (icc []byte, missing bool) {
	for _, part := range j.icc {
		if part == nil {
			return nil, true
		}
		icc = append(icc, part...)
	}
	return icc, false
}

// blocks is how many blocks of 8 × 8 a scan of the whole picture has.
func (j *jpegFile) blocks() int64 {
	most, sum := int64(1), int64(0)
	for _, c := range j.components {
		most = max(most, int64(c.h)*int64(c.v))
	}
	for _, c := range j.components {
		sum += int64(c.h) * int64(c.v)
	}
	return (int64(j.width)*int64(j.height)*sum/most + 63) / 64
}

// memory is what decoding takes: a byte for every value and, for a progressive picture, four more.
func (j *jpegFile) memory() int64 {
	values := j.blocks() * 64
	if len(j.components) == 4 {
		values += int64(j.width) * int64(j.height) * 4 // made of its parts
	}
	if j.progressive {
		values += 4 * j.blocks() * 64
	}
	return values
}

// maxScanBlocks bounds the work that the scans of a progressive picture ask for, which a few bytes can make endless: a picture of 100
// megapixels has about 15 million in its ten scans.
const maxScanBlocks = 96 << 20

// fewScans are read of any picture.
const fewScans = 16

// decodeJPEG decodes what there is of a file. Files that the decoder refuses and other programs show are mended first: see mendJPEG.
func decodeJPEG(ctx context.Context, data []byte, j *jpegFile) (img image.Image, notes []string, err error) {
	if !j.tables && len(j.scans) > 0 && !j.progressive { // frames of webcams (Motion JPEG) leave out those that everybody knows
		data = slices.Concat(data[:j.headers], usualTables().segment, data[j.headers:])
		notes = append(notes, "It has no Huffman tables; the usual ones were used.")
		j = readJPEG(data)
	}
	if len(j.components) == 4 && !j.adobe { // the decoder wants to be told, and takes the values for Adobe's, which are turned round
		data = slices.Concat(data[:2], []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"), data[2:])
		j = readJPEG(data)
		defer func() {
			if m, ok := img.(*image.CMYK); ok {
				for i := range m.Pix {
					m.Pix[i] = ^m.Pix[i]
				}
			}
		}()
	}
	most := len(j.components) // each once
	if j.progressive {
		most = max(fewScans, int(maxScanBlocks/max(1, j.blocks())))
	}
	if len(j.scans) > most {
		data = append(slices.Clip(data[:j.scans[most]]), 0xff, 0xd9)
		notes = append(notes, fmt.Sprintf("Of its %d scans, the first %d were read; finer detail is missing.", len(j.scans), most))
		j = readJPEG(data)
	}

	decode := jpeg.Decode
	try := func(data []byte) (image.Image, int, error) {
		r := &slowReader{ctx: ctx, data: data}
		img, err := decode(r)
		var sampling jpeg.UnsupportedError
		if errors.As(err, &sampling) && strings.Contains(string(sampling), "subsampling") {
			decode = otherjpeg.Decode // a copy of the same decoder that knows more kinds of sampling
			r = &slowReader{ctx: ctx, data: data}
			img, err = decode(r)
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return img, r.at, err
	}
	img, read, first := try(data)
	if first == nil || ctx.Err() != nil || unsupported(first) || len(j.scans) == 0 {
		return img, notes, first
	}
	if !j.progressive {
		mended, good, all, ok := mendJPEG(data, j)
		if !ok || 2*good < all {
			return nil, nil, first
		}
		if img, _, err = try(mended); err != nil {
			return nil, nil, first
		}
		if good == all {
			return img, append(notes, "The end of the file is missing or damaged; the picture itself is complete."), nil
		}
		return img, append(notes, fmt.Sprintf("The file is damaged or cut short: %d %% of the picture is missing and grey.",
			percent(all-good, all))), nil
	}
	// A progressive picture is whole after every scan, only coarser. The bytes that were read tell which one is bad.
	bad := len(j.scans)
	for bad > 0 && j.scans[bad-1] > read {
		bad--
	}
	if img, _, err = try(append(slices.Clip(data[:j.end]), 0xff, 0xd9)); err == nil {
		return img, append(notes, "The end of the file is missing; the picture itself is complete."), nil
	}
	for tries := 0; tries < 4 && bad > 1 && ctx.Err() == nil; tries++ {
		bad--
		if img, _, err = try(append(slices.Clip(data[:j.scans[bad]]), 0xff, 0xd9)); err == nil {
			return img, append(notes, fmt.Sprintf("The file is damaged or cut short: %d of its %d scans were read, so fine detail is missing.", bad,
				len(j.scans))), nil
		}
	}
	if ctx.Err() != nil {
		first = ctx.Err()
	}
	return nil, nil, first
}

// percent is at least 1.
func percent(part, all int) int { return max(1, 100*part/max(all, 1)) }

func unsupported(err error) bool {
	var a jpeg.UnsupportedError
	var b otherjpeg.UnsupportedError
	return errors.As(err, &a) || errors.As(err, &b)
}

// slowReader hands out a few bytes at a time, so that a decoder that has much to do for every byte still hears of the end of the context.
type slowReader struct {
	ctx  context.Context
	data []byte
	at   int
}

func (r *slowReader) Read(to []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.at == len(r.data) {
		return 0, io.EOF
	}
	n := copy(to[:min(len(to), 128)], r.data[r.at:])
	r.at += n
	return n, nil
}
