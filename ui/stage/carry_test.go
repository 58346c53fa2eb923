package stage

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// out is a file that is dragged over other programs, and what happens to it.
type out struct {
	log   []string
	taken bool
}

func (o *out) Move()   { o.log = append(o.log, "move") }
func (o *out) Cancel() { o.log = append(o.log, "cancel") }
func (o *out) Drop() <-chan bool {
	o.log = append(o.log, "drop")
	done := make(chan bool, 1)
	done <- o.taken
	return done
}

// A thumbnail and the picture itself are dragged out of the window, or to a place in it.
func TestPicturesAreDraggedOut(t *testing.T) {
	var o *out
	var began []string
	var fail error
	taken := true
	b := made(t, func(h *Host) {
		h.Carry = func(path string) (Carried, error) {
			o = &out{taken: taken}
			began = append(began, path)
			return o, fail
		}
	})
	in, beyond := fyne.NewPos(100, 100), fyne.NewPos(-20, 50)
	file := filepath.Join(t.TempDir(), "7.png")
	b.Change(func(s *state.State) { s.Shots[0].Path = file })
	b.carry(b.State.Shot(), in)
	b.Settle()
	b.carry(b.State.Shot(), beyond)
	b.letGo(beyond)
	if began != nil || b.State.ActionErr == nil || !strings.Contains(b.State.ActionErr.Error(), "7.png cannot be opened") {
		t.Errorf("of a file that is gone %q is dragged, and said %v", began, b.State.ActionErr)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.Change(func(s *state.State) { s.ActionErr = nil })
	for name, thing := range map[string]fyne.Draggable{"the thumbnail": b.Strip.Objects[0].(*kit.Tile), "the picture": b.pane} {
		drag := func(path ...fyne.Position) {
			o, began, b.dropped = nil, nil, nil
			for _, at := range path {
				thing.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: at}})
			}
			thing.DragEnd()
			b.Settle()
		}
		thing.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: in}})
		small := b.host.Ghost.Image.Image
		if thing.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: in.AddXY(5, 5)}}); b.host.Ghost.Image.Image != small {
			t.Errorf("%s is made small at every move", name)
		}
		drag(in, in)
		if began != nil || len(b.dropped) != 1 || b.host.Ghost.Image.Visible() {
			t.Errorf("%s within the window: %q, %d dropped", name, began, len(b.dropped))
		}
		drag(in, beyond, beyond)
		if !slices.Equal(began, []string{file}) || !slices.Equal(o.log, []string{"move", "move", "drop"}) || len(b.dropped) != 0 {
			t.Errorf("%s beyond it: %q, %v, %d dropped", name, began, o, len(b.dropped))
		}
		drag(beyond, in)
		if !slices.Equal(o.log, []string{"move", "move", "cancel"}) || len(b.dropped) != 1 {
			t.Errorf("%s out and in again: %v, %d dropped", name, o, len(b.dropped))
		}
	}
	kept := *b.State.Shot()
	kept.Path, kept.Pixels = "", true // in no file
	b.host.Lend = func(state.Shot) (string, error) { return "/lent.png", nil }
	began, taken = nil, false
	b.carry(&kept, beyond)
	b.host.Lend = nil
	b.carry(&kept, beyond) // the same drag
	b.letGo(in)
	if !slices.Equal(began, []string{"/lent.png"}) {
		t.Errorf("a picture in no file is dragged as %q", began)
	}
	began = nil
	b.carry(b.State.Shot(), beyond)
	b.letGo(beyond)
	b.Until("it is said", func() bool { return b.info.Text == "No other program has taken the picture." })
	fail = errors.New("no server")
	for range 2 {
		b.carry(b.State.Shot(), beyond)
	}
	if !errors.Is(b.State.ActionErr, fail) || len(began) != 2 {
		t.Errorf("said is %v; %d tries", b.State.ActionErr, len(began))
	}
}

// Where the system knows no way out of the window, that is said, with what helps.
func TestWhereNothingCanBeDraggedOut(t *testing.T) {
	b := made(t, nil)
	b.carry(b.State.Shot(), fyne.NewPos(-5, 5))
	b.letGo(fyne.NewPos(-5, 5))
	if len(b.dropped) != 0 || b.info.Text == "" || b.State.Told != b.State.Tell(b.info.Text) {
		t.Errorf("%d dropped, said is %q", len(b.dropped), b.info.Text)
	}
}

// The picture that is dragged stays what it was at the first move, though the next one of its job begins, or is finished, meanwhile, and
// though another session comes.
func TestWhatIsDraggedStays(t *testing.T) {
	for name, after := range map[string]func(*bench){
		"the next one begins": func(*bench) {},
		"the next one is finished": func(b *bench) {
			two := dog
			two.Seeds = []uint64{7, 8}
			b.send(uitest.Picture(two, 1))
		},
		"another session comes": func(b *bench) {
			b.Forget()
			b.Change(func(s *state.State) { s.Shots, s.View = nil, state.View{Shot: -1, Step: -1} })
		},
	} {
		for _, thumb := range []bool{false, true} {
			b := newBench(t, nil)
			b.State = b.State.Begin(state.Task{}, 2, 2)
			b.send(inference.StageStarted{Stage: inference.StageDenoise})
			b.send(uitest.Picture(dog, 0))
			b.Settle()
			first, thing := b.State.Shots[0].Image, fyne.Draggable(b.pane)
			if thumb {
				thing = b.Strip.Objects[0].(*kit.Tile)
			}
			move := func() {
				thing.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: fyne.NewPos(100, 100)}})
			}
			move()
			b.send(inference.StageStarted{Stage: inference.StageDenoise, Picture: 1})
			after(b)
			move()
			thing.DragEnd()
			b.Settle()
			if len(b.dropped) != 1 || b.dropped[0].Image != first || b.host.Ghost.Image.Visible() {
				t.Errorf("%s (a thumbnail: %v): %d dropped, the small picture stays on the screen: %v", name, thumb, len(b.dropped), b.host.Ghost.Image.Visible())
			}
		}
	}
}

// TestAStopIsNoFault: what a user stopped is said calmly, a file that is gone as a fault, and what is told over either calmly.
func TestAStopIsNoFault(t *testing.T) {
	b := made(t, nil)
	for err, want := range map[error]widget.Importance{
		state.ErrStopped{}: widget.LowImportance, errors.New("the file is gone"): widget.DangerImportance,
	} {
		b.Change(func(s *state.State) { s.Shots = slices.Clone(s.Shots); s.Shots[0].SaveErr, s.Told = err, s.Tell("") })
		b.Settle()
		if b.info.Importance != want || !strings.Contains(strings.ToLower(b.info.Text), strings.ToLower(err.Error()[:12])) {
			t.Errorf("%q is said with the importance %v", b.info.Text, b.info.Importance)
		}
		b.Change(func(s *state.State) { s.Told = s.Tell("It is in the clipboard.") })
		b.Settle()
		if b.info.Importance != widget.LowImportance || b.info.Text != "It is in the clipboard." {
			t.Errorf("%q is said with the importance %v", b.info.Text, b.info.Importance)
		}
	}
}
