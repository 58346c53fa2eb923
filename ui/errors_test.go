package ui

import (
	"errors"
	"testing"
)

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("the model is damaged: import it again"), "The model is damaged: import it again."},
		{errors.New("Done already."), "Done already."},
		{errors.New("unet.onnx is damaged"), "unet.onnx is damaged."},
		{errors.New("γ is too large"), "γ is too large."},
		{errors.New("  "), "Something failed without saying why."},
		{errors.New("first: do this\nsecond: do that"), "First: do this.\nSecond: do that."},
	} {
		if got := Sentence(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}
