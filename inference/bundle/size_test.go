package bundle

import (
	"encoding/json"
	"image"
	"slices"
	"strings"
	"testing"

	"realword/inference/message"
)

// TestSizesFarFromTheModels: what a model has not learned from is said.
func TestSizesFarFromTheModels(t *testing.T) {
	m := Size{Width: 1024, Height: 1024, Min: 256, Max: 2048, Multiple: 32}
	for size, want := range map[image.Point]string{
		{X: 1024, Y: 1024}: "", {X: 1344, Y: 768}: "", {X: 768, Y: 1344}: "", {X: 832, Y: 832}: "", {X: 1280, Y: 1280}: "",
		{X: 512, Y: 512}: "far smaller", {X: 2048, Y: 2048}: "far larger", {X: 1536, Y: 1536}: "far larger", {X: 1856, Y: 576}: "a far longer shape", {X: 576, Y: 1856}: "a far longer shape",
		{}: "",
	} {
		got := ""
		if err := m.Stray(size); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%v: %q, want %q", size, got, want)
		}
	}
}

// TestTold: people are not told which entries of a file nobody needs, and what they are told can be said in another language. A manifest of
// before the notes were kept in parts says them as they are.
func TestTold(t *testing.T) {
	m := Manifest{Notes: []string{
		"vision/siglip: 2 entries such as norm.bias are ignored: it comes after the features that Realword uses",
		"model.safetensors: model_ema.decay is ignored: no network has it",
		"hints of likeness are left out: no image encoder has a class token",
	}}
	if got := m.Told(); len(got) != 1 || got[0].Error() != m.Notes[2] || len(m.Notes) != 3 {
		t.Errorf("%q", got)
	}
	im := &importer{}
	im.note("model.safetensors: %s", "3 keys are no text")
	im.tell(computedSo(says("unet.safetensors", "v_prediction 1"), velocity))
	written, err := json.Marshal(im.manifest)
	if err != nil {
		t.Fatal(err)
	}
	var read Manifest
	if err := json.Unmarshal(written, &read); err != nil {
		t.Fatal(err)
	}
	const english = "unet.safetensors says v_prediction 1: the model was trained for v-prediction, and is computed so"
	if !slices.Equal(read.Notes, []string{"model.safetensors: 3 keys are no text", english}) {
		t.Errorf("the manifest says %q", read.Notes)
	}
	got := read.Told()
	if len(got) != 1 || got[0].Error() != english {
		t.Fatalf("%q", got)
	}
	said := message.Reword(got[0], func(err error) string {
		if m, is := err.(*message.Error); is && m.Text == "%s says %s" { //nolint:errorlint // one of the chain
			return "in " + m.Values[0].(string) + " steht " + m.Values[1].(string)
		}
		return ""
	})
	if said != "in unet.safetensors steht v_prediction 1: "+velocity.Error()+", and is computed so" {
		t.Errorf("in another language it is %q", said)
	}
}
