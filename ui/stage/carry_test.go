package stage

import (
	"errors"
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"realword/ui/kit"
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
		if !slices.Equal(began, []string{"/pictures/7.png"}) || !slices.Equal(o.log, []string{"move", "move", "drop"}) || len(b.dropped) != 0 {
			t.Errorf("%s beyond it: %q, %v, %d dropped", name, began, o, len(b.dropped))
		}
		drag(beyond, in)
		if !slices.Equal(o.log, []string{"move", "move", "cancel"}) || len(b.dropped) != 1 {
			t.Errorf("%s out and in again: %v, %d dropped", name, o, len(b.dropped))
		}
	}
	taken = false
	b.carry(*b.State.Shot(), nil, beyond)
	b.letGo(*b.State.Shot(), beyond)
	b.Until("it is said", func() bool { return b.info.Text == "No other program has taken the picture." })
	fail = errors.New("no server")
	for range 2 {
		b.carry(*b.State.Shot(), nil, beyond)
	}
	if !errors.Is(b.State.ActionErr, fail) || len(began) != 3 {
		t.Errorf("said is %v; %d tries", b.State.ActionErr, len(began))
	}
}

// Where the system knows no way out of the window, that is said, with what helps.
func TestWhereNothingCanBeDraggedOut(t *testing.T) {
	b := made(t, nil)
	b.carry(*b.State.Shot(), nil, fyne.NewPos(-5, 5))
	b.letGo(*b.State.Shot(), fyne.NewPos(-5, 5))
	if len(b.dropped) != 0 || b.info.Text == "" || b.State.Told != b.State.Tell(b.info.Text) {
		t.Errorf("%d dropped, said is %q", len(b.dropped), b.info.Text)
	}
}
