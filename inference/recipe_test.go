package inference

import (
	"bytes"
	"encoding/json"
	"image"
	"reflect"
	"testing"

	"realword/inference/bundle"
	"realword/inference/picture"
)

func TestEncodePNGKeepsTheRecipe(t *testing.T) {
	ready := PictureReady{
		Seed:  7,
		Image: image.NewNRGBA(image.Rect(0, 0, 8, 4)),
		Recipe: Request{
			Prompt: "a dog on the beach", Negative: "rain", Steps: 25, Stop: 12, CFG: 7.5, Sampler: "ddim", Seeds: []uint64{7},
			Subjects: []Subject{{Word: Word{Text: "dog", Occurrence: 1}, Scope: 0.2, References: []Reference{
				{Name: "dog.png", SHA256: "abc", Square: picture.Square{Fit: picture.Crop}, Data: []byte("secret")}}}},
		},
	}
	file, err := EncodePNG(ready, bundle.Manifest{Name: "toybox"})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := EncodePNG(ready, bundle.Manifest{Name: "toybox"}); !bytes.Equal(file, again) {
		t.Error("the same picture gave other bytes")
	}
	if bytes.Contains(file, []byte("secret")) {
		t.Error("the reference's bytes are in the picture")
	}
	m, err := picture.ReadMetadata(file)
	if err != nil {
		t.Fatal(err)
	}
	var recipe Recipe
	if err := json.Unmarshal(m.Recipe, &recipe); err != nil {
		t.Fatal(err)
	}
	want := ready.Recipe
	want.Subjects[0].References[0].Data = nil
	if recipe.Schema != RecipeSchema || recipe.Model != "toybox" || !reflect.DeepEqual(recipe.Request, want) {
		t.Errorf("recipe came back as %+v", recipe)
	}
	settings := map[string]string{}
	for _, s := range m.Settings {
		settings[s.Key] = s.Value
	}
	if m.Prompt != want.Prompt || m.Negative != "rain" || settings["Size"] != "8x4" || settings["Subjects"] != "dog 0.2" || settings["Mask stop"] != "12" || !m.Generated {
		t.Errorf("parameters: %+v", m)
	}
}
