package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/lora"
	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/models/modelstest"
	"realword/ui/state"
	"realword/ui/subjects"
)

// control is something on the screen that can be clicked, dragged or typed into.
type control struct {
	o     fyne.CanvasObject
	room  box    // that the pages on which it is leave it
	about string // what it says of itself
}

// controlsOf are the controls that are visible in o. What lies under an Explainer is explained by it.
func controlsOf(o fyne.CanvasObject) (list []control) {
	var walk func(o fyne.CanvasObject, by *kit.Explainer)
	room := box{-1e6, -1e6, 1e6, 1e6}
	walk = func(o fyne.CanvasObject, by *kit.Explainer) {
		if o == nil || !o.Visible() {
			return
		}
		_, icon := o.(*widget.Icon)
		e, says := o.(kit.Explained)
		_, over := o.(*kit.Explainer)
		if kit.Interactive(o) && !icon {
			c := control{o: o, room: room}
			switch {
			case says:
				c.about = e.Explanation()
			case by != nil:
				c.about = by.Explanation()
			}
			list = append(list, c)
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, c := range o.Objects {
				if x, ok := c.(*kit.Explainer); ok && x.Visible() {
					by = x
				}
			}
			for _, c := range o.Objects {
				walk(c, by)
			}
		case *container.Scroll:
			was := room
			room = room.cut(boxOf(fyne.CurrentApp().Driver().AbsolutePositionForObject(o), o.Size()))
			walk(o.Content, by)
			room = was
		case *widget.Entry, *kit.Field, *kit.Button, *kit.IconButton, *kit.Check, *kit.Slider, *kit.Selector:
		case fyne.Widget:
			if over {
				return
			}
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c, by)
			}
		}
	}
	walk(o, nil)
	return list
}

// nameOf is what a control is, for a failing test.
func nameOf(c control) string {
	s, _ := seenAs(c.o)
	return fmt.Sprintf("%T %q", c.o, s.Text)
}

// furnished is a window with everything that it can have.
func furnished(t *testing.T) *bench {
	return ready(t, func(o *Options) {
		withSamples(o)
		o.Models = modelstest.New()
		o.LoRAs = lora.NewLibrary(t.TempDir())
		o.OpenFolder = func() (string, error) { return "", nil }
		o.OpenModel = func() (string, error) { return "", nil }
		o.Farm = t.TempDir()
	})
}

// rooms shows every place of the window, one after the other.
func (b *bench) rooms(each func(name string)) {
	b.screens(each)
	for _, r := range []struct {
		name       string
		show, hide func()
	}{
		{"sessions", b.gallery.Toggle, b.gallery.Toggle},
		{"models", b.models.Toggle, b.models.Toggle},
		{"grids", b.grid.Toggle, b.grid.Toggle},
		{"computers", b.computers.Toggle, b.computers.Toggle},
		{"queue", b.queued, func() { b.queue.StopAll(); b.columns.tabs.show(settingsTab) }},
		{"the inspection", func() { b.inspect.Show(0) }, func() { b.inspect.Show(-1) }},
		{"painting", func() { b.mask.Paint(b.state.Form.Cards[0].ID) }, b.mask.Close},
		{"the square of a card", b.cardAt(0).Toggle, b.cardAt(0).Toggle},
	} {
		r.show()
		b.settle()
		each(r.name)
		r.hide()
		b.settle()
	}
}

// queued shows the page of the queue with two jobs, of which one is chosen.
func (b *bench) queued() {
	b.state.Queue.Paused = true
	for seed := range uint64(2) {
		b.queue.Put(state.Task{Request: inference.Request{Prompt: "a dog", Seeds: []uint64{seed}}}, false)
	}
	b.state.Queue.Chosen = b.state.Queue.Waiting[1].ID
	b.refresh()
	b.columns.tabs.show(queueTab)
}

// isContent tells whether something shows what the user has made or may choose, and says of it what there is to say: a tip over the
// picture, or over a list of names, would be in the way.
func isContent(o fyne.CanvasObject) bool {
	switch name := fmt.Sprintf("%T", o); name {
	case "*stage.pane", "*mask.easel", "*gallery.pictureGrid", "*widget.listItem", "*kit.ListRow", "*models.modelList", "*gallery.sessionList":
		return true
	}
	return false
}

// Every control says in a sentence what it is for, and not only the word that stands on it.
func TestLookEveryControlExplainsItself(t *testing.T) {
	plain.Run(t)
	b := furnished(t)
	b.win.Resize(fyne.NewSize(1400, 900))
	said, seen := map[string]bool{}, 0
	b.rooms(func(place string) {
		if place == "about" {
			return // texts to read
		}
		for _, c := range controlsOf(b.tops()) {
			if isContent(c.o) {
				continue
			}
			seen++
			shown := ""
			switch o := c.o.(type) {
			case *kit.Button:
				shown = o.Text
			case *kit.Check:
				shown = o.Text
			}
			if about := strings.TrimSpace(c.about); about == "" || about == shown {
				if name := nameOf(c); !said[name] {
					said[name] = true
					t.Errorf("%s: %s says nothing of itself", place, name)
				}
			}
		}
	})
	if seen < 300 {
		t.Errorf("only %d controls were looked at", seen)
	}
}

// What comes up under the pointer covers nothing that one would click next: no other button, field, slider or word is under it.
func TestLookTipsCoverNothing(t *testing.T) {
	plain.Run(t)
	for _, size := range []fyne.Size{fyne.NewSize(1240, 800)} {
		b := furnished(t)
		b.win.Resize(size)
		shown, covered, known := 0, 0, map[string]bool{}
		b.rooms(func(place string) {
			if strings.HasPrefix(place, "the ") || place == "about" {
				return // sheets are full of controls, and the inspection takes the picture's place
			}
			controls := controlsOf(b.tops())
			d := fyne.CurrentApp().Driver()
			for _, c := range controls {
				if seen := c.room.cut(boxOf(d.AbsolutePositionForObject(c.o), c.o.Size())); isContent(c.o) || seen.x1 <= seen.x0 || seen.y1 <= seen.y0 {
					continue
				}
				at := fmt.Sprint(nameOf(c), d.AbsolutePositionForObject(c.o))
				if known[at] {
					continue
				}
				known[at] = true
				tip := kit.Tip{Text: func() string { return c.about }}
				tip.Show(c.o)
				box := boxOf(tip.Where())
				shown++
				for _, o := range controls {
					switch o.o.(type) {
					case *kit.Handle, *subjects.Card: // borders and backgrounds
						continue
					}
					other := o.room.cut(boxOf(d.AbsolutePositionForObject(o.o), o.o.Size()))
					area := (other.x1 - other.x0) * (other.y1 - other.y0)
					if over := box.cut(other); !isContent(o.o) && area < 30000 && over.x1-over.x0 > 3 && over.y1-over.y0 > 3 {
						t.Logf("%v, %s: the text of %s covers %s", size, place, nameOf(c), nameOf(o))
						covered++
						break
					}
				}
				tip.Leave(c.o)
			}
		})
		if shown < 60 || covered*10 > shown {
			t.Errorf("%v: %d of %d texts cover something", size, covered, shown)
		}
	}
}
