package ui

import (
	"bytes"
	"image"
	"reflect"
	"testing"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/picture"
)

// TestAPaintedMaskComesBack: the form of a session has its painted masks after the next start, bytes and all.
func TestAPaintedMaskComesBack(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 8, 8))
	grey.Pix[9] = 255
	mask, err := picture.EncodePainted(grey)
	if err != nil {
		t.Fatal(err)
	}
	region := inference.Region{Kind: guidance.Exactly, Painted: inference.Painted{SHA256: files.Sum(mask), Data: mask}}
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	b.state.Form.Cards[0].Region = region
	b.end0()
	b = keeping(t, dir)
	if f := b.state.Form; len(f.Cards) != 1 || !reflect.DeepEqual(f.Cards[0].Region, region) || !bytes.Equal(f.Request().Subjects[0].Region.Data, mask) {
		t.Errorf("%+v", f.Cards)
	}
}
