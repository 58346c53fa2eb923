package assets

import (
	"io/fs"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/picture"
)

func TestSamples(t *testing.T) {
	files, err := fs.Glob(samples, "samples/*.png")
	if err != nil || len(files) != len(Samples()) {
		t.Errorf("%d samples are listed, the folder has %v, %v", len(Samples()), files, err)
	}
	for _, s := range Samples() {
		if _, _, err := picture.Decode(s.Data, picture.DefaultLimits); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if !strings.Contains(" "+s.Prompt+" ", " "+s.Word+" ") {
			t.Errorf("the prompt of %s does not contain %q", s.Name, s.Word)
		}
	}
}

// The embedded model is one that this version of Realword can run, and every file of it is in the program.
func TestModel(t *testing.T) {
	b, err := bundle.Extract(Model(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.CheckFiles(t.Context()); err != nil {
		t.Error(err)
	}
	if size := b.Manifest().Size; size.Width != size.Height || size.Width < 64 {
		t.Errorf("it makes pictures of %d × %d pixels", size.Width, size.Height)
	}
}
