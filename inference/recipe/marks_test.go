package recipe

import (
	"bytes"
	"image"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
)

// TestMarks: a picture keeps its prompts as typed, and says what it used, to other programs too. What says nothing of marks was read sign
// by sign, and is written again to the last byte.
func TestMarks(t *testing.T) {
	r := inference.Request{Prompt: "a {red|blue} (dog:1.3)", Seeds: []uint64{7}, Settings: inference.Settings{Negative: "[rain]"}}
	file, err := EncodePNG(inference.PictureReady{Seed: 7, Image: image.NewNRGBA(image.Rect(0, 0, 2, 2)), Recipe: r}, bundle.Manifest{Name: "x"}, Embed{})
	if err != nil {
		t.Fatal(err)
	}
	back, foreign, err := Read(file)
	if err != nil || foreign || back.Prompt != r.Prompt || back.Literal || back.Marks != A1111 || back.Used == nil || *back.Used != (Used{"a blue (dog:1.3)", "[rain]"}) {
		t.Errorf("%+v, %v", back, err)
	}
	if m, err := picture.ReadMetadata(file); err != nil || m.Prompt != "a blue (dog:1.3)" || m.Negative != "[rain]" {
		t.Errorf("other programs read %q, %q, %v", m.Prompt, m.Negative, err)
	}
	r.Literal = true
	old, err := New(r, "x")
	if err != nil || strings.Contains(string(old), "marks") || strings.Contains(string(old), "literal") {
		t.Fatalf("%s, %v", old, err)
	}
	read, err := Parse(old)
	if again, _ := New(read.Request, read.Model); err != nil || !read.Literal || !bytes.Equal(again, old) {
		t.Errorf("%+v, %v", read, err)
	}
	plain, _ := New(inference.Request{Prompt: "a dog", Settings: inference.Settings{Negative: bundle.ReleaseNegative}}, "x")
	if read, err := Parse(plain); err != nil || read.Literal || strings.Contains(string(plain), "marks") {
		t.Errorf("the release's own negative prompt: %s, %+v, %v", plain, read, err)
	}
}

// TestChunks: a picture whose prompt may be longer than one chunk says that it was read in chunks; one that says nothing had it cut, and is
// written again to the last byte. Shorter prompts say nothing.
func TestChunks(t *testing.T) {
	long := strings.Repeat("a dog, ", 20)
	for _, c := range []struct {
		prompt, negative string
		cut, says        bool
	}{
		{"a dog", "", false, false},
		{long, "", false, true},
		{long, "", true, false},
		{"a dog", long, false, true},
		{"a dog BREAK a cat", "", false, true},
		{"a dog BREAK a cat", "", true, false},
		{"a dog", bundle.ReleaseNegative, false, false},
		{strings.Repeat("狗", 10), "", false, true}, // 30 bytes, which may be more tokens
	} {
		r := inference.Request{Prompt: c.prompt, Seeds: []uint64{7}, Settings: inference.Settings{Negative: c.negative, Cut: c.cut}}
		written, err := New(r, "x")
		if err != nil || strings.Contains(string(written), `"chunks":true`) != c.says || strings.Contains(string(written), "one_chunk") {
			t.Errorf("%+v: %s, %v", c, written, err)
		}
		read, err := Parse(written)
		if again, _ := New(read.Request, read.Model); err != nil || read.Cut != c.cut || !bytes.Equal(again, written) {
			t.Errorf("%+v: read as cut %t, written as %s: %v", c, read.Cut, again, err)
		}
		file, err := EncodePNG(inference.PictureReady{Seed: 7, Image: image.NewNRGBA(image.Rect(0, 0, 2, 2)), Recipe: r}, bundle.Manifest{Name: "x"}, Embed{})
		if err != nil {
			t.Fatal(err)
		}
		if back, _, err := Read(file); err != nil || back.Cut != c.cut {
			t.Errorf("%+v: the file is read as cut %t: %v", c, back.Cut, err)
		}
	}
}
