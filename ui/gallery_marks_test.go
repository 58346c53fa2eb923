package ui

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/history"
)

// Marking agrees with a plain set, whatever is clicked, and never loses the chosen picture.
func TestMarkingAgreesWithASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		g := Gallery{IDs: []uint64{9, 7, 8, 3, 5, 1}}
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
				fresh := Gallery{IDs: slices.Delete(slices.Clone(g.IDs), gone, gone+1)}
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
	g := Gallery{IDs: []uint64{1, 2, 3, 4, 5}}
	for _, c := range []struct{ from, to, next uint64 }{{2, 3, 4}, {4, 5, 3}, {1, 5, 0}, {1, 1, 2}} {
		if got := g.choose(c.from).markTo(c.to).without(); got.Chosen != c.next || len(got.Marked) > 0 {
			t.Errorf("without %d to %d, %d is chosen, want %d", c.from, c.to, got.Chosen, c.next)
		}
	}
	if all := g.markAll(); len(all.selection()) != 5 || all.Chosen != 1 {
		t.Errorf("all: %v", all.selection())
	}
}

func TestSeveralPicturesAreStarredExportedComparedAndThrownAway(t *testing.T) {
	dir := t.TempDir()
	out := t.TempDir()
	b := keeping(t, dir)
	b.opt.OpenFolder = func() (string, error) { return out, nil }
	dogRound(t, b, dir)
	dogRound(t, b, dir)
	dogRound(t, b, dir)
	g := b.openGallery()
	if len(g.state.IDs) != 3 {
		t.Fatalf("%v", g.state.IDs)
	}
	first, second, third := g.state.IDs[0], g.state.IDs[1], g.state.IDs[2]
	g.tapped(first, 0)
	g.tapped(second, fyne.KeyModifierShift)
	b.settle()
	if !slices.Equal(g.state.Marked, []uint64{first, second}) || g.number.Text != "2 of 3 pictures selected" || g.buttons["compare"].Hidden {
		t.Fatalf("marked %v, %q", g.state.Marked, g.number.Text)
	}
	g.grid.TypedKey(key(fyne.KeyPeriod))
	b.settle()
	starred := func() (n int) {
		list, err := b.journal.Store().Pictures(g.state.IDs)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if p.Starred {
				n++
			}
		}
		return n
	}
	if starred() != 2 {
		t.Errorf("%d have a star", starred())
	}
	g.tapped(third, fyne.KeyModifierShortcutDefault)
	g.starAll()
	b.settle()
	if starred() != 3 {
		t.Errorf("of a mixed selection %d have a star", starred())
	}
	g.starAll()
	b.settle()
	if starred() != 0 {
		t.Errorf("the second time %d have a star", starred())
	}
	g.exportAll()
	b.settle()
	files, _ := filepath.Glob(filepath.Join(out, "*.png"))
	if len(files) != 3 || !strings.HasPrefix(g.snackText.Text, "Copied 3 pictures") {
		t.Errorf("%d files are exported, the page says %q", len(files), g.snackText.Text)
	}
	if err := os.Remove(b.state.Shots[0].Path); err != nil {
		t.Fatal(err)
	}
	g.exportAll()
	b.settle()
	if files, _ = filepath.Glob(filepath.Join(out, "*.png")); len(files) != 5 {
		t.Errorf("with one missing there are %d files", len(files))
	}
	g.tapped(first, fyne.KeyModifierShortcutDefault) // no longer
	b.settle()
	g.grid.TypedKey(key(fyne.KeyDelete))
	b.settle()
	if !slices.Equal(g.state.IDs, []uint64{first}) || len(g.state.Snack.Undo) != 2 || g.snackText.Text != "2 pictures moved to the trash." {
		t.Fatalf("%v are left, %q", g.state.IDs, g.snackText.Text)
	}
	g.undoTrash()
	b.settle()
	if len(g.state.IDs) != 3 {
		t.Errorf("undo brings back %v", g.state.IDs)
	}
	g.tapped(first, 0)
	g.tapped(second, fyne.KeyModifierShortcutDefault)
	b.settle()
	g.compareTwo()
	b.settle()
	if other := b.stage.Compared(); g.shown || other == nil || other.Kept != second || b.state.Shot().Kept != first {
		t.Errorf("compared with %v, view %+v", other, b.state.View)
	}
}

func TestPicturesOfARoundBelongTogether(t *testing.T) {
	g := Gallery{IDs: []uint64{9, 8, 7, 6, 5}}
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
	g.Detail = &galleryDetail{Round: history.Round{Pictures: []history.Picture{{ID: 6}, {ID: 7}, {ID: 8}, {ID: 4}}}}
	if got := g.markRound(); !slices.Equal(got.Marked, []uint64{8, 7, 6}) || got.Chosen != 7 {
		t.Errorf("%v are marked", got.Marked)
	}
}
