package main

import (
	"context"
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/ort/orttest"
	"realword/inference/session"
	"realword/inference/tensor"
)

// disturbed is a device whose U-Net is off by a factor, or that goes over to another.
type disturbed struct {
	inference.Runtime
	factor float32
	fail   error
}

func (d disturbed) Open(path string, o session.Options) (session.Session, error) {
	s, err := d.Runtime.Open(path, o)
	if err != nil || !strings.HasPrefix(filepath.Base(path), "unet") {
		return s, err
	}
	return disturbedSession{s, d}, nil
}

type disturbedSession struct {
	session.Session
	d disturbed
}

func (s disturbedSession) Run(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	return s.disturb(s.Session.Run(ctx, in, outputs...))
}

func (s disturbedSession) Keep(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]session.Value, error) {
	return s.Session.(session.Keeper).Keep(ctx, in, outputs...)
}

func (s disturbedSession) RunKept(ctx context.Context, in map[string]*tensor.Tensor, kept map[string]session.Value, outputs ...string) (map[string]*tensor.Tensor, error) {
	return s.disturb(s.Session.(session.Keeper).RunKept(ctx, in, kept, outputs...))
}

func (s disturbedSession) disturb(out map[string]*tensor.Tensor, err error) (map[string]*tensor.Tensor, error) {
	if err != nil || s.d.fail != nil {
		return nil, errors.Join(err, s.d.fail)
	}
	for _, t := range out {
		for i := range t.F32 {
			if i%3 == 0 {
				t.F32[i] *= s.d.factor
			}
		}
	}
	return out, nil
}

func TestPicturesOfTwoDevices(t *testing.T) {
	rt := orttest.Shared(t) // opening is most of what a picture costs here
	b, remove, err := open(t.Context(), "toybox", "")
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	r := sampleRequest(4, 0)
	same, err := comparePictures(t.Context(), rt, rt, b, r)
	if err != nil || !math.IsInf(same.PSNR, 1) || len(same.Masks) != 4 || !same.ok(true) || same.CPU <= 0 || same.Device <= 0 {
		t.Errorf("the same device twice: %+v, %v", same, err)
	}
	for _, m := range same.Masks {
		if m != 1 {
			t.Errorf("masks of the same device: %v", same.Masks)
		}
	}
	off, err := comparePictures(t.Context(), rt, disturbed{rt, -2, nil}, b, r)
	if err != nil || off.ok(true) || off.PSNR > leastPSNR || off.Problem != "" {
		t.Errorf("a device that is far off: %+v, %v", off, err)
	}
	none, err := comparePictures(t.Context(), rt, disturbed{rt, 1, errors.New("no kernel")}, b, r)
	if err != nil || none.ok(false) || !strings.Contains(none.Problem, "no kernel") {
		t.Errorf("a device that cannot: %+v, %v", none, err)
	}
	if _, err := comparePictures(t.Context(), disturbed{rt, 1, os.ErrClosed}, rt, b, r); err == nil {
		t.Error("the processor could not, and nothing was said")
	}
}

func TestPSNR(t *testing.T) {
	a, b := image.NewNRGBA(image.Rect(0, 0, 4, 4)), image.NewNRGBA(image.Rect(0, 0, 4, 4))
	for i := range a.Pix {
		a.Pix[i], b.Pix[i] = 100, 110
	}
	// A difference of 10 everywhere: 20·log10(255/10).
	if got, err := psnr(a, b); err != nil || math.Abs(got-28.1308) > 1e-3 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := psnr(a, image.NewNRGBA(image.Rect(0, 0, 4, 5))); err == nil {
		t.Error("pictures of two sizes were compared")
	}
}

func TestSameMasks(t *testing.T) {
	a := [][][]float32{{{0, 1, .5, 0}}, {{0, 0, 0, 1}}}
	b := [][][]float32{{{0, 1, .9, 0}}, {{0, 1, 1, 0}}}
	if got, err := sameMasks(a, b); err != nil || len(got) != 2 || got[0] != 1 || got[1] != .25 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := sameMasks(a, b[:1]); err == nil {
		t.Error("a step too few was not noticed")
	}
}
