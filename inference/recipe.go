package inference

import (
	"encoding/json"
	"fmt"
	"strings"

	"realword/inference/bundle"
	"realword/inference/picture"
)

// Recipe is a resolved request as it is kept in picture files and in the history: enough to make the picture again, given
// the model and the reference files, which it names by SHA-256.
type Recipe struct {
	Schema int    `json:"schema"` // RecipeSchema
	Model  string `json:"model"`  // Manifest.Name
	Request
}

// RecipeSchema is the version of Recipe that this program writes.
const RecipeSchema = 1

// NewRecipe returns the recipe of a request as JSON.
func NewRecipe(r Request, model string) (json.RawMessage, error) {
	return json.Marshal(Recipe{Schema: RecipeSchema, Model: model, Request: r})
}

// EncodePNG returns a finished picture as a PNG file with its recipe, and with the parameters that other programs read. The
// same picture gives the same bytes.
func EncodePNG(p PictureReady, model bundle.Manifest) ([]byte, error) {
	r := p.Recipe
	recipe, err := NewRecipe(r, model.Name)
	if err != nil {
		return nil, err
	}
	size := p.Image.Bounds().Size()
	settings := []picture.KeyValue{
		{Key: "Steps", Value: fmt.Sprint(r.Steps)},
		{Key: "Sampler", Value: r.Sampler},
		{Key: "CFG scale", Value: fmt.Sprint(r.CFG)},
		{Key: "Seed", Value: fmt.Sprint(p.Seed)},
		{Key: "Size", Value: fmt.Sprintf("%dx%d", size.X, size.Y)},
		{Key: "Model", Value: model.Name},
	}
	var words []string
	for _, s := range r.Subjects {
		words = append(words, fmt.Sprintf("%s %g", s.Word.Text, s.Scope))
	}
	if len(words) > 0 {
		settings = append(settings,
			picture.KeyValue{Key: "Mask stop", Value: fmt.Sprint(r.Stop)},
			picture.KeyValue{Key: "Subjects", Value: strings.Join(words, "; ")})
	}
	return picture.Encode(p.Image, picture.Metadata{
		Prompt: r.Prompt, Negative: r.Negative, Settings: settings, Recipe: recipe, Generated: true,
	})
}
