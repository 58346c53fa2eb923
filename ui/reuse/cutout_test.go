package reuse

import (
	"image"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestOnlyTheSubject offers what the masks hold beside the whole picture; what is taken is transparent around the subject, and remembers
// which picture it came from.
func TestOnlyTheSubject(t *testing.T) {
	b := newBench(t)
	b.Reference()
	b.Settle()
	part, ok := find(b, func(r *kit.Radio) bool { return len(r.Options) > 0 && r.Options[0] == "The whole picture" })
	if !ok || len(part.Options) != 3 || part.Options[1] != "Only “dog”" || part.Options[2] != "Only “ball”" {
		t.Fatalf("the sheet offers %v", part)
	}
	part.Choose(1)
	b.Settle()
	test.Tap(b.button("Use as reference"))
	b.Settle()
	var cut, whole bool
	for _, c := range b.Now().Form.Cards {
		if c.From != 41 {
			continue
		}
		_, info, err := picture.Decode(c.Ref.Data, picture.Limits{})
		cut = err == nil && info.Transparent && strings.HasSuffix(c.Ref.Name, "-dog.png") && c.Pixels.X == c.Pixels.Y
	}
	if !cut {
		t.Errorf("no card holds the dog alone: %v", b.Now().PickErr)
	}
	b = newBench(t)
	b.Reference()
	b.Settle()
	test.Tap(b.button("Use as reference"))
	b.Settle()
	for _, c := range b.Now().Form.Cards {
		whole = whole || c.From == 41 && c.Pixels.X == 16 && !c.Clear
	}
	if !whole {
		t.Error("without a choice it is not the whole picture")
	}
	b = newBench(t)
	b.Change(func(s *state.State) { s.Shots[0].Film = nil })
	b.Reference()
	b.Settle()
	if _, ok := find(b, func(r *kit.Radio) bool { return r.Options[0] == "The whole picture" }); ok {
		t.Error("it offers what nobody knows")
	}
}

// TestOnlyWhatWasMadeAgain: of a picture of which a region was made again the subject is what lies there, also after another start, when
// the region is in the history alone.
func TestOnlyWhatWasMadeAgain(t *testing.T) {
	b := newBench(t)
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Settle()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b.host.Store = func() *history.Store { return s }
	region := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := 128; i < 256; i++ {
		region.Pix[i] = 255 // the lower half
	}
	data, err := picture.EncodePainted(region)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.PutReference(history.Reference{Name: "region.png", SHA256: files.Sum(data)}, data)
	if err != nil {
		t.Fatal(err)
	}
	shot := *b.Now().Shot()
	shot.Recipe.Init = &inference.Init{Name: "before.png", Region: inference.Painted{SHA256: kept.SHA256}}
	step := shot.Film[0]
	step.Subjects = slices.Clone(step.Subjects)
	step.Subjects[0].Mask = []float32{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0} // of 4 × 4
	step.Subjects[1].Mask = make([]float32, 16)
	shot.Film = []inference.StepDone{step}
	var list []cutting
	b.cut(shot, func(found []cutting) { list = found })
	b.Settle()
	if len(list) != 1 {
		t.Fatalf("%d subjects are cut out", len(list))
	}
	img, _, err := picture.Decode(list[0].file, picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if img.Rect.Dy() > 10 {
		t.Errorf("what was not kept is cut out, too: %v", img.Rect)
	}
}

// TestOneOfTwoThatLookAlike: long phrases are told apart, and what is taken is the one that was chosen.
func TestOneOfTwoThatLookAlike(t *testing.T) {
	b := newBench(t)
	b.Change(func(s *state.State) {
		subjects := inference.CloneSubjects(s.Shots[0].Recipe.Subjects)
		subjects[0].Word, subjects[1].Word = uitest.Word("dog with a pink hat"), uitest.Word("dog with a blue hat")
		s.Shots[0].Recipe.Subjects = subjects
	})
	b.Reference()
	b.Settle()
	part, ok := find(b, func(r *kit.Radio) bool { return len(r.Options) > 0 && r.Options[0] == "The whole picture" })
	if !ok || len(part.Options) != 3 || part.Options[1] == part.Options[2] {
		t.Fatalf("the sheet offers %v", part)
	}
	part.Choose(2)
	b.Settle()
	test.Tap(b.button("Use as reference"))
	b.Settle()
	var taken []string
	for _, c := range b.Now().Form.Cards {
		if c.From == 41 {
			taken = append(taken, c.Ref.Name)
		}
	}
	if len(taken) != 1 || !strings.HasSuffix(taken[0], "-dog-with-a-blue-hat.png") {
		t.Errorf("taken is %q", taken)
	}
	if same := wholeOr([]string{"a", "a"}); len(same) != 3 {
		t.Errorf("of one name there are %q", same)
	}
}
