package inference

import (
	"context"
	"errors"
	"image"
	"math"
	"slices"
	"testing"
	"time"

	"realword/inference/graph"
	"realword/inference/picture"
)

// hintingBench is a bench whose model has class tokens: the mean colours of what it sees.
func hintingBench(t *testing.T, when Hints) *bench {
	b := newBench(t)
	b.model.manifest.Graphs[graph.Class] = "class"
	b.engine.SetHints(when)
	return b
}

// TestLikenessComesAfterThePicture: every subject is compared with all of its references and with its anchors, and what is compared twice
// is encoded once.
func TestLikenessComesAfterThePicture(t *testing.T) {
	b := hintingBench(t, AllHints)
	r := b.dog()
	r.Seeds = []uint64{7, 8}
	r.Subjects[0] = b.subject("dog", red, blue)
	r.Subjects[0].Anchors = slices.Clone(r.Subjects[0].References[:1])
	r.Subjects = append(r.Subjects, b.subject("beach", blue))
	events := b.run(r)
	var kinds []string
	for _, e := range events {
		switch e := e.(type) {
		case PictureReady:
			kinds = append(kinds, "picture")
			if len(e.Recipe.Subjects[0].Anchors) > 0 {
				t.Error("anchors are in the recipe")
			}
		case Likeness:
			kinds = append(kinds, "likeness")
			if e.Why != "" || len(e.Subjects) != 2 || e.Subjects[0].Word.Text != "dog" || e.Subjects[1].Word.Text != "beach" {
				t.Fatalf("%+v", e)
			}
		}
	}
	if !slices.Equal(kinds, []string{"picture", "likeness", "picture", "likeness"}) {
		t.Fatalf("%v", kinds)
	}
	if n := b.runtime.runs("class"); n != 2+4 { // two references once, two subjects of two pictures
		t.Errorf("%d runs of the encoder", n)
	}
	both := of[Likeness](events)[0].Subjects[0]
	cut := b.runtime.callsOf("class")[0].in["view"].F32
	mean := []float32{sum(cut[:16]), sum(cut[16:32]), sum(cut[32:])}
	toRed, toBlue := Cosine(mean, []float32{200, 30, 30}), Cosine(mean, []float32{30, 30, 200})
	if math.Abs(both.Reference-(toRed+toBlue)/2) > 1e-6 || math.Abs(both.Anchor-toRed) > 1e-6 || math.Abs(toRed-toBlue) < 1e-4 {
		t.Errorf("it is %g near red and %g near blue; told is %+v", toRed, toBlue, both)
	}
	if len(of[Likeness](b.run(Request{Prompt: "a dog", Seeds: []uint64{1}}))) > 0 {
		t.Error("a picture without subjects has likeness")
	}
}

// TestLikenessOfWhatWasMadeAgain: a subject of a picture of which a region was made again is cut out as far as it was kept.
func TestLikenessOfWhatWasMadeAgain(t *testing.T) {
	_, file := kept16(t)
	b := hintingBench(t, AllHints)
	r := b.dog()
	r.Subjects[0].Scope = 0.9
	r.Init = &Init{Name: "kept.png", Data: file, Region: Painted{Data: region16(t, image.Rect(0, 8, 16, 16), image.Rectangle{})}}
	events := b.run(r)
	steps, ready := of[StepDone](events), of[PictureReady](events)[0]
	masks := gridsOf(steps[len(steps)-1])
	views := func(masks []picture.Grid) []float32 {
		_, seen, err := picture.Prepare(CutOf(b.model.manifest, ready.Image, masks, 0), picture.Square{}, b.model.manifest.Vision.Reference)
		if err != nil {
			t.Fatal(err)
		}
		v, err := picture.Views(seen)
		if err != nil {
			t.Fatal(err)
		}
		return v.F32
	}
	got, all, kept := b.runtime.callsOf("class")[0].in["view"].F32, views(masks), views(MadeIn(ready.Recipe.Init.Region, masks))
	if n := len(got); slices.Equal(all[:n], kept[:n]) || !slices.Equal(got, kept[:n]) {
		t.Errorf("what is compared is all that the run drew: %v", slices.Equal(got, all[:n]))
	}
}

// TestWhenThereAreHints: none unless they are wanted, none where they are dear, and always where they are asked for.
func TestWhenThereAreHints(t *testing.T) {
	b := hintingBench(t, NoHints)
	count := func() int { return len(of[Likeness](b.run(b.dog()))) }
	if b.engine.Hints() || count() != 0 {
		t.Error("nobody wanted them")
	}
	b.engine.SetHints(CheapHints)
	b.engine.hints.cost.Store(0)
	if count() != 1 {
		t.Error("the first picture shows what it costs")
	}
	b.engine.hints.cost.Store(int64(time.Hour))
	if b.engine.Hints() || count() != 0 {
		t.Error("an hour is too much")
	}
	b.engine.hints.cost.Store(1)
	if !b.engine.Hints() || count() != 1 {
		t.Error("a nanosecond is not")
	}
	b.engine.SetHints(AllHints)
	b.engine.hints.cost.Store(int64(time.Hour))
	if !b.engine.Hints() || count() != 1 {
		t.Error("it was asked for")
	}
	h := hinting{}
	h.when.Store(int32(CheapHints))
	for cost, want := range map[time.Duration]bool{19 * time.Millisecond: true, 21 * time.Millisecond: false} {
		if h.cost.Store(int64(cost)); h.wanted(time.Second) != want {
			t.Errorf("%v of a second: %t", cost, !want)
		}
	}
}

// TestHintsOnACard: a card that may be too small for the picture gets no graph more; one that tells nothing does.
func TestHintsOnACard(t *testing.T) {
	for total, want := range map[int64]int{64 << 30: 1, 5 << 30: 0, 0: 1} {
		b := hintingBench(t, NoHints)
		if err := b.engine.Close(); err != nil {
			t.Error(err)
		}
		b.engine = New(carded{sized{b.runtime, "CUDA"}, total}, b.model)
		b.engine.SetHints(CheapHints)
		if got := len(of[Likeness](b.run(b.dog()))); got != want {
			t.Errorf("on a card of %d bytes there are %d hints, wanted %d", total, got, want)
		}
		if err := b.engine.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestHintsThatFailCostNoPicture: the reason is told, and hints that nobody asked for are not tried again. A model without the graph says
// what to do.
func TestHintsThatFailCostNoPicture(t *testing.T) {
	b := hintingBench(t, CheapHints)
	b.runtime.before = func(_ context.Context, graph string) error {
		if graph == "class" {
			return errors.New("no room")
		}
		return nil
	}
	if e := of[Likeness](b.run(b.dog())); len(e) != 1 || e[0].Why == "" || len(e[0].Subjects) > 0 {
		t.Errorf("%+v", e)
	}
	if len(of[Likeness](b.run(b.dog()))) > 0 {
		t.Error("it is tried again")
	}
	delete(b.model.manifest.Graphs, graph.Class)
	b.engine.SetHints(CheapHints)
	if b.engine.Hints() || len(of[Likeness](b.run(b.dog()))) > 0 {
		t.Error("an old model has hints")
	}
	b.engine.SetHints(AllHints)
	if e := of[Likeness](b.run(b.dog())); len(e) != 1 || e[0].Why != "the model fake cannot tell how near a subject is to its reference: import the model again" {
		t.Errorf("%+v", e)
	}
}
