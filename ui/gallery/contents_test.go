package gallery

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"realword/history"
)

func TestGalleryAsAValue(t *testing.T) {
	g := contents{IDs: []uint64{9, 7, 5}, Sessions: []sessionRow{{ID: 2, Title: "Rex"}}}
	g = g.choose(7)
	g.Detail = &detail{}
	if f := g.found(contents{IDs: []uint64{7}}); f.Chosen != 7 || f.Detail == nil {
		t.Errorf("%+v", f)
	}
	if f := g.found(contents{IDs: []uint64{9}}); f.Chosen != 0 || f.Detail != nil {
		t.Errorf("%+v", f)
	}
	for want, look := range map[string]query{"All pictures": {}, "Rex": {Session: 2}, "Trash": {Session: 2, Trash: true}} {
		g.Look = look
		if got := g.title(); got != want {
			t.Errorf("%+v is called %q", look, got)
		}
	}
	empties := map[string]bool{}
	for _, look := range []query{{}, {Text: "x"}, {Trash: true}, {Starred: true}} {
		empties[contents{Look: look, Read: true}.empty(".")] = true
	}
	if len(empties) != 4 || empties[""] || g.empty(".") != "" {
		t.Errorf("%v", empties)
	}
}

func TestWhatIsSaidOfAPicture(t *testing.T) {
	failed, stopped, died := history.Round{Status: history.Failed, Error: "no memory"}, history.Round{Status: history.Cancelled}, history.Round{Status: history.Interrupted}
	whole := history.Picture{File: "/p/a.png"}
	for want, d := range map[string]detail{
		"":                               {Picture: whole},
		"No memory.":                     {Round: failed},
		"stopped early":                  {Round: stopped, Picture: history.Picture{Steps: 3}},
		"before its first step":          {Round: stopped},
		"Realword closed while":          {Round: died, Picture: history.Picture{Steps: 3}},
		"not where it was: /p/a.png":     {Picture: whole, Missing: true},
		"was gone when its session":      {Picture: history.Picture{File: "/p/a.png", Absent: true}, Missing: true},
		"It is no longer in the history": {Err: history.ErrNoPicture},
	} {
		if got := d.state(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		calm := want == "" || strings.Contains(want, "stopped") || strings.Contains(want, "step") || strings.Contains(want, "closed")
		if d.amiss() == calm {
			t.Errorf("%q looks like a fault: %v", want, !calm)
		}
	}
}

// Marking agrees with a plain set, whatever is clicked, and never loses the chosen picture.
func TestMarkingAgreesWithASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		g := contents{IDs: []uint64{9, 7, 8, 3, 5, 1}}
		var set []uint64 // in the order of marking
		pivot := uint64(0)
		for range 30 {
			id := g.IDs[rng.IntN(len(g.IDs))]
			switch rng.IntN(5) {
			case 0:
				g, set, pivot = g.choose(id).withMarks(nil), []uint64{id}, id
			case 1, 2:
				g = g.mark(id)
				if i := slices.Index(set, id); i >= 0 {
					set = slices.Delete(set, i, i+1)
				} else {
					set = append(set, id)
				}
				pivot = g.Chosen
			case 3:
				if pivot == 0 {
					continue
				}
				g = g.markTo(id)
				from, to := slices.Index(g.IDs, pivot), slices.Index(g.IDs, id)
				set = slices.Clone(g.IDs[min(from, to) : max(from, to)+1])
			case 4:
				gone := rng.IntN(len(g.IDs))
				fresh := contents{IDs: slices.Delete(slices.Clone(g.IDs), gone, gone+1)}
				if len(fresh.IDs) < 3 || slices.Contains(set, g.IDs[gone]) {
					continue
				}
				g = g.found(fresh)
			}
			got, want := slices.Sorted(slices.Values(g.selection())), slices.Sorted(slices.Values(set))
			if !slices.Equal(got, want) {
				t.Fatalf("%v are marked, want %v", got, want)
			}
			if len(set) > 0 && !slices.Contains(set, g.Chosen) || len(g.Marked) == 1 {
				t.Fatalf("%d is chosen of %v (%v)", g.Chosen, set, g.Marked)
			}
		}
	}
	g := contents{IDs: []uint64{1, 2, 3, 4, 5}}
	for _, c := range []struct{ from, to, next uint64 }{{2, 3, 4}, {4, 5, 3}, {1, 5, 0}, {1, 1, 2}} {
		if got := g.choose(c.from).markTo(c.to).without(); got.Chosen != c.next || len(got.Marked) > 0 {
			t.Errorf("without %d to %d, %d is chosen, want %d", c.from, c.to, got.Chosen, c.next)
		}
	}
	if all := g.markAll(); len(all.selection()) != 5 || all.Chosen != 1 {
		t.Errorf("all: %v", all.selection())
	}
}

func TestPicturesOfARoundBelongTogether(t *testing.T) {
	g := contents{IDs: []uint64{9, 8, 7, 6, 5}}
	rounds := map[uint64]uint64{9: 1, 8: 2, 7: 2, 6: 2}
	round := func(id uint64) uint64 { return rounds[id] }
	for id, want := range map[uint64][2]bool{9: {}, 8: {false, true}, 7: {true, true}, 6: {true, false}, 5: {}, 4: {}} {
		if before, behind := g.joint(id, round); [2]bool{before, behind} != want {
			t.Errorf("%d is joined %v, %v, want %v", id, before, behind, want)
		}
	}
	g = g.choose(7)
	if g.markRound().Marked != nil {
		t.Error("a round is marked before it is known")
	}
	g.Detail = &detail{Round: history.Round{Pictures: []history.Picture{{ID: 6}, {ID: 7}, {ID: 8}, {ID: 4}}}}
	if got := g.markRound(); !slices.Equal(got.Marked, []uint64{8, 7, 6}) || got.Chosen != 7 {
		t.Errorf("%v are marked", got.Marked)
	}
}
