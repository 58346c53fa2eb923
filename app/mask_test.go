package main

import (
	"encoding/json"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/recipe"
)

// leftHalf writes a mask whose left half is white, in another size than any picture.
func leftHalf(t *testing.T, file string) []byte {
	t.Helper()
	mask := image.NewGray(image.Rect(0, 0, 36, 20))
	for i := range mask.Pix {
		if i%36 < 18 {
			mask.Pix[i] = 255
		}
	}
	data, err := picture.EncodePainted(mask)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPaintedMasks(t *testing.T) {
	model, dog := tiny(t)
	dir := filepath.Dir(dog)
	left, out := filepath.Join(dir, "left.png"), t.TempDir()
	painted := leftHalf(t, left)
	args := []string{"generate", "--model", model, "--steps", "4", "--stop", "2", "--out", out}
	one := append(args, "--prompt", "a dog on the beach", "--seed", "5", "--subject", "dog="+dog)

	// The picture carries its mask, also where it carries no thumbnails.
	status, stdout, stderr := command(t, append(one, "--mask", "dog="+left+":not", "--no-thumbnails")...)
	if status != 0 || stderr != "note: the mask of \"dog\" has another shape than the picture of 64 × 64 pixels: it is stretched\n" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	file := strings.TrimSpace(stdout)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := recipe.Read(data)
	if err != nil || r.Subjects[0].Region.Kind != guidance.NotHere || string(r.Subjects[0].Region.Data) != string(painted) || len(r.Thumbnails) != 0 {
		t.Errorf("%+v, %v", r.Subjects, err)
	}
	if _, stdout, _ := command(t, "recipe", file); !strings.Contains(stdout, "\nmask      dog not (SHA-256 "+files.Sum(painted)[:10]+")\n") {
		t.Errorf("the recipe says\n%s", stdout)
	}

	// In a batch, masks are found beside it.
	batch := filepath.Join(dir, "batch.jsonl")
	lines := `{"name": "only", "prompt": "a dog", "seed": 5, "subjects": [{"word": "dog", "references": ["dog.png"], "mask": "left.png"}]}
{"name": "exact", "prompt": "a dog", "seed": 5, "subjects": [{"word": "dog", "references": ["dog.png"], "mask": "left.png:exact"}]}`
	if err := os.WriteFile(batch, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := command(t, append(args, "--batch", batch)...); status != 0 {
		t.Fatal(stderr)
	}
	for name, guided := range map[string]int{"only": 2, "exact": 0} {
		data, err := os.ReadFile(filepath.Join(out, name+".json"))
		var note batchNote
		if err == nil {
			err = json.Unmarshal(data, &note)
		}
		if err != nil || len(note.Steps) != guided || string(note.Recipe.Subjects[0].Region.Kind) != name {
			t.Errorf("%s: %d steps with guidance, %v", name, len(note.Steps), err)
		}
		for _, s := range note.Steps {
			for p, v := range s.Masks[0] {
				if v != 0 && p%note.Grid[0] >= note.Grid[0]/2 {
					t.Fatalf("step %d of %s: position %d is outside", s.Step, name, p)
				}
			}
		}
	}

	red, black := filepath.Join(dir, "red.png"), filepath.Join(dir, "black.png")
	colours, empty := image.NewNRGBA(image.Rect(0, 0, 4, 4)), image.NewNRGBA(image.Rect(0, 0, 4, 4))
	colours.Set(1, 1, color.NRGBA{255, 0, 0, 255})
	for file, img := range map[string]*image.NRGBA{red: colours, black: empty} {
		data, err := picture.Encode(img, picture.Metadata{})
		if err == nil {
			err = os.WriteFile(file, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for mask, want := range map[string]string{
		"dog":                        "write WORD=FILE.png or WORD=FILE.png:exact",
		"cat=" + left:                `no --subject has the word "cat"`,
		"dog=" + left + ":around":    `"around" is not a meaning of a mask`,
		"dog=" + left + ".gone:only": "left.png.gone",
		"dog=" + left + ".gone":      "left.png.gone",
		"dog=" + red:                 "the mask has colours; paint it in grey",
		"dog=" + black:               "the mask is empty; paint in white",
		"dog=" + dir:                 "the mask of \"dog\" cannot be read",
	} {
		if status, stdout, stderr := command(t, append(one, "--mask", mask)...); status == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("--mask %s: status %d, %s", mask, status, stderr)
		}
	}
	if status, _, stderr := command(t, append(one, "--mask", "dog="+left, "--mask", "dog="+left)...); status != 2 || !strings.Contains(stderr, "two masks") {
		t.Errorf("two masks: status %d, %s", status, stderr)
	}
	if status, _, stderr := command(t, append(args, "--batch", batch, "--mask", "dog="+left)...); status != 2 || !strings.Contains(stderr, "--mask cannot be used with --batch") {
		t.Errorf("beside a batch: status %d, %s", status, stderr)
	}
	// A file whose name ends like a meaning is a file.
	odd := left + ":not"
	leftHalf(t, odd)
	if file, kind, err := parseMask(odd); file != odd || kind != "" || err != nil {
		t.Errorf("%s, %s, %v", file, kind, err)
	}
}
