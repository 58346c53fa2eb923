package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"time"

	"realword/assets"
	"realword/inference"
)

// What a whole picture may differ by from the processor's. Rounding grows over the steps, and where two grid cells are almost equal a
// mask takes the other one; a kernel that is wrong leaves neither picture nor masks alike. Random weights look at all places alike: an
// error of 1e-5 leaves 72 % of the tiny model's positions as they were (measured on the CPU), so there masks say nothing.
const (
	leastPSNR  = 25.0 // dB
	leastMasks = 0.9
)

// pictures is the same picture made twice, by the processor and by a device.
type pictures struct {
	PSNR        float64   // dB over all channels, 255 being the peak; +Inf for equal pictures
	Masks       []float64 // of every step: the share of positions that both masks have or both have not, over all subjects
	CPU, Device time.Duration
	Problem     string // why there is no picture of the device, or ""
}

// ok tells whether the pictures are as alike as they have to be. trained: the model's masks mean something.
func (p pictures) ok(trained bool) bool {
	for _, m := range p.Masks {
		if trained && m < leastMasks {
			return false
		}
	}
	return p.Problem == "" && p.PSNR >= leastPSNR
}

// made is one picture and what its steps looked at.
type made struct {
	image *image.NRGBA
	masks [][][]float32 // per step and subject
	took  time.Duration // of loop and decoder, without loading and encoding
}

// sampleRequest asks for one customized picture with a reference that comes with the program.
func sampleRequest(steps, size int) inference.Request {
	s := assets.Samples()[0]
	return inference.Request{
		Prompt: s.Prompt, Seeds: []uint64{1}, Settings: inference.Settings{Steps: steps, Width: size, Height: size},
		Subjects: []inference.Subject{{Word: inference.Word{Text: s.Word}, References: []inference.Reference{{Name: s.Name, Data: s.Data}}}},
	}
}

// comparePictures makes the first picture of a request on the processor and on a device, whole: encoders, loop, decoder. A device that
// cannot make it is a Problem; an error means that the processor could not.
func comparePictures(ctx context.Context, cpu, device inference.Runtime, m inference.Model, r inference.Request) (p pictures, err error) {
	want, err := makePicture(ctx, cpu, m, r)
	if err != nil {
		return p, err
	}
	p.CPU = want.took
	got, err := makePicture(ctx, device, m, r)
	if err != nil {
		p.Problem = err.Error()
		return p, ctx.Err()
	}
	p.Device = got.took
	if p.PSNR, err = psnr(got.image, want.image); err == nil {
		p.Masks, err = sameMasks(got.masks, want.masks)
	}
	if err != nil {
		p.Problem = err.Error()
	}
	return p, nil
}

func makePicture(ctx context.Context, rt inference.Runtime, m inference.Model, r inference.Request) (out made, err error) {
	e := inference.New(rt, m)
	defer func() { err = errors.Join(err, e.Close()) }()
	for range 2 { // the first loads, plans and chooses kernels
		if out, err = runPicture(ctx, e, r); err != nil {
			return out, err
		}
	}
	return out, nil
}

func runPicture(ctx context.Context, e *inference.Engine, r inference.Request) (out made, err error) {
	job, err := e.Start(ctx, r)
	if err != nil {
		return out, err
	}
	for event := range job.Events() { // to its end, as a job asks
		switch event := event.(type) {
		case inference.StepDone:
			var masks [][]float32
			for _, s := range event.Subjects {
				masks = append(masks, s.Mask)
			}
			out.masks = append(out.masks, masks)
		case inference.PictureReady:
			out.image, out.took = event.Image, event.Elapsed
		case inference.DeviceChanged:
			err = errors.Join(err, fmt.Errorf("it went on with %s: %s", event.Provider, event.Why))
		case inference.Failed:
			err = errors.Join(err, event.Err)
		}
	}
	if err == nil && out.image == nil {
		err = errors.New("no picture came")
	}
	return out, err
}

// psnr is the peak signal-to-noise ratio of two opaque pictures of one size, in dB.
func psnr(a, b *image.NRGBA) (float64, error) {
	if a.Rect != b.Rect || len(a.Pix) != len(b.Pix) {
		return 0, fmt.Errorf("one picture is %v, the other %v", a.Rect, b.Rect)
	}
	if bytes.Equal(a.Pix, b.Pix) {
		return math.Inf(1), nil
	}
	sum, n := 0., 0
	for i := range a.Pix {
		if i%4 == 3 {
			continue // opaque
		}
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		sum, n = sum+d*d, n+1
	}
	return 10 * math.Log10(255*255*float64(n)/sum), nil
}

// sameMasks is, step by step, the share of positions that are in both masks or in neither.
func sameMasks(a, b [][][]float32) ([]float64, error) {
	if len(a) != len(b) {
		return nil, fmt.Errorf("%d steps here, %d there", len(a), len(b))
	}
	var shares []float64
	for i := range a {
		same, all := 0, 0
		if len(a[i]) != len(b[i]) {
			return nil, fmt.Errorf("step %d has masks of %d subjects here, %d there", i+1, len(a[i]), len(b[i]))
		}
		for j := range a[i] {
			if len(a[i][j]) != len(b[i][j]) {
				return nil, fmt.Errorf("step %d has masks of %d positions here, %d there", i+1, len(a[i][j]), len(b[i][j]))
			}
			for k := range a[i][j] {
				if (a[i][j][k] != 0) == (b[i][j][k] != 0) {
					same++
				}
			}
			all += len(a[i][j])
		}
		if all > 0 {
			shares = append(shares, float64(same)/float64(all))
		}
	}
	return shares, nil
}
