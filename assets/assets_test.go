package assets

import (
	"io/fs"
	"strings"
	"testing"

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
