package recipe

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
)

// TestStoredPicturesAreRead: pictures and a recipe that Realword wrote before its settings were one struct are read, and written again
// to the last byte.
func TestStoredPicturesAreRead(t *testing.T) {
	dog := inference.Request{Prompt: "a dog on the beach", Seeds: []uint64{4294967295}, Settings: inference.Settings{
		Negative: "rain", Preset: "release", Width: 640, Height: 512, Steps: 50, Stop: 24, CFG: 4.5, Sampler: "ddim", MaskSource: "low_cross", RawMask: true,
	}, Subjects: []inference.Subject{{Word: inference.Word{Text: "dog", Occurrence: 1}, Scope: 0.3, References: []inference.Reference{{
		Name: "rex.png", SHA256: "cc15623bcb59f93339ccc04cbfefb480572117aedfeebe9b6e913ceb8417d0f0", Square: picture.Square{Fit: picture.Pad},
	}}}}}
	ball := inference.Request{Prompt: "a red ball", Seeds: []uint64{7}, Settings: inference.Settings{
		Negative: " ", Preset: "release", Width: 512, Height: 512, Steps: 25, Stop: 12, CFG: 3.5, Sampler: "dpm++", MaskSource: "all_cross", MaskNorm: "min_max_per_channel",
	}}
	stored := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", "stored", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	dog.UncondAttention, ball.UncondAttention = inference.PlainAttention, inference.PlainAttention // the only one that there was
	for name, want := range map[string]inference.Request{"dog.png": dog, "ball.png": ball} {
		if r, foreign, err := Read(stored(name)); err != nil || foreign || !reflect.DeepEqual(r.Request, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, r.Request, want)
		}
	}
	kept := bytes.TrimSpace(stored("recipe.json"))
	r, err := Parse(kept)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := New(r.Request, r.Model); err != nil || !bytes.Equal(again, kept) {
		t.Errorf("%v\nwrote %s\nread  %s", err, again, kept)
	}
	img, _, err := picture.Decode(stored("ball.png"), picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := EncodePNG(inference.PictureReady{Seed: 7, Image: img, Recipe: ball}, bundle.Manifest{Name: "toybox"}, Embed{Program: "realword 0.9.0"})
	if err != nil || !bytes.Equal(again, stored("ball.png")) {
		said, _ := picture.ReadMetadata(again)
		t.Errorf("%v: other bytes, with %s", err, said.Recipe)
	}
}
