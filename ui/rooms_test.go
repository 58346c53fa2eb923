package ui

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestAChangeRendersWhatItConcerns counts how often each room is rendered. "actions" looks at every change which of them can be done, and
// draws only what differs.
func TestAChangeRendersWhatItConcerns(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog and a cat")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.drop(nil, uitest.File(t, "cat.png", uitest.PNG(uitest.Green)))
	var rendered []string
	for i := range b.state.Rooms {
		r := &b.state.Rooms[i]
		render := r.Render
		r.Render = func() {
			if !slices.Contains([]string{"actions", "check"}, r.Name) {
				rendered = append(rendered, r.Name)
			}
			render()
		}
	}
	expect := func(what string, rooms string, do func()) {
		t.Helper()
		rendered = nil
		if do(); strings.Join(rendered, " ") != rooms {
			t.Errorf("%s renders %q, want %q", what, strings.Join(rendered, " "), rooms)
		}
	}
	change := func(f func(*state.State)) func() { return func() { b.state.Change(f) } }
	expect("nothing", "", change(func(*state.State) {}))
	expect("a letter", "prompt", func() { b.subjects.PromptChanged("a dog and a cat o") })
	expect("a bound word that goes", "cards prompt settings run stage", func() { b.subjects.PromptChanged("a dog and a ca") })
	expect("a bound word that comes back", "cards prompt settings run stage", func() { b.subjects.PromptChanged("a dog and a cat") })
	expect("γ", "cards settings", func() { b.subjects.SetScope(b.cardAt(0).Look.ID, 0.3) })
	expect("steps", "prompt settings stage", change(func(s *state.State) { s.Form.Steps = 30 }))
	expect("a seed", "settings", change(func(s *state.State) { s.Form.Seed = 99 }))

	j := b.run()
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	for n := range 3 {
		expect("a step", "run stage sides", func() { b.send(j, uitest.Step(n, 4, 2, 2)) })
	}
	expect("progress", "running run", func() { b.send(j, inference.Progress{Pass: 5, Passes: 8}) })
	expect("a letter during a run", "prompt", func() { b.subjects.PromptChanged("a dog and a cat o") })
	expect("a step of earlier", "stage", func() { b.stage.ShowStep(0) })
	b.end(j, inference.Failed{Err: context.Canceled})
	expect("the history", "banner", change(func(s *state.State) { s.History.Name = "Spring" }))
	expect("a model", "models", change(func(s *state.State) { s.Shelf.Told = "done" }))
}

// watchRooms has every test of the window fail where a room was left as it was though it shows what has changed: when the test ends
// nothing may look another way once everything is rendered. With REALWORD_EVERY_CHANGE it looks after every change, which is slow.
func (b *bench) watchRooms() {
	check := func() {
		b.t.Helper()
		if was, is := b.rendered(); was != is {
			b.t.Errorf("a room shows what has changed and was not rendered:\n%s", differing(was, is))
		}
	}
	scale := kit.TextScale()
	b.state.Rooms = append(b.state.Rooms, state.Room{Name: "check", Render: func() {
		if scale = kit.TextScale(); os.Getenv("REALWORD_EVERY_CHANGE") != "" {
			check()
		}
	}})
	b.t.Cleanup(func() {
		if b.closed.Load() || fyne.CurrentApp() != b.app || kit.TextScale() != scale {
			return // another window of the test has taken its place, or another look
		}
		b.state.Change(func(*state.State) {}) // some tests write the state themselves
		check()
	})
}

// rendered is the window as it is, and as it is once every room is rendered.
func (b *bench) rendered() (was, is string) {
	was = looksOf(b.win.Content())
	for _, r := range b.state.Rooms {
		if r.Name != "check" {
			r.Render()
		}
	}
	return was, looksOf(b.win.Content())
}

// looksOf is everything that is visible in o, one object a line.
func looksOf(o fyne.CanvasObject) string {
	var out strings.Builder
	var walk func(o fyne.CanvasObject, deep int)
	walk = func(o fyne.CanvasObject, deep int) {
		if !o.Visible() {
			return
		}
		fmt.Fprintf(&out, "%*s%T", deep, "", o)
		var within []fyne.CanvasObject
		switch o := o.(type) {
		case *canvas.Text:
			fmt.Fprintf(&out, " %q %v %v", o.Text, o.Color, o.TextStyle)
		case *canvas.Image:
			if fmt.Fprint(&out, " ", o.Image != nil, o.Translucency); o.Resource != nil {
				out.WriteString(o.Resource.Name())
			}
		case *canvas.Rectangle:
			fmt.Fprintf(&out, " %v %v", o.FillColor, o.StrokeColor)
		case *canvas.Circle:
			fmt.Fprintf(&out, " %v %v", o.FillColor, o.StrokeColor)
		case *fyne.Container:
			within = o.Objects
		case fyne.Widget:
			within = test.WidgetRenderer(o).Objects()
		}
		out.WriteString("\n")
		for _, o := range within {
			walk(o, deep+1)
		}
	}
	walk(o, 0)
	return out.String()
}

// differing is the lines that two texts do not share at their beginnings and ends.
func differing(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return "was " + strings.Join(x[:min(len(x), 12)], "\n") + "\nis " + strings.Join(y[:min(len(y), 12)], "\n")
}

// BenchmarkChange is what a change takes of Fyne's goroutine.
func BenchmarkChange(b *testing.B) {
	for name, change := range map[string]func(s *state.State, n int){
		"letter": func(s *state.State, n int) { s.Form.Prompt = "a dog " + strings.Repeat("x", n%8) },
		"gamma":  func(s *state.State, n int) { s.Form = s.Form.WithScope(s.Form.Cards[0].ID, 0.1+float64(n%20)/100) },
		"step": func(s *state.State, n int) {
			if n%25 == 0 {
				s.Queue.Flights[0].Run.Film = nil
			}
			*s = s.Apply(0, uitest.Step(n%25, 25, 12, 2))
		},
	} {
		b.Run(name, func(b *testing.B) {
			w := ready(b, nil)
			w.subjects.PromptChanged("a dog and a cat")
			w.drop(nil, uitest.File(b, "dog.png", uitest.PNG(uitest.Red)))
			w.drop(nil, uitest.File(b, "cat.png", uitest.PNG(uitest.Green)))
			w.state.State = w.state.Begin(state.Task{}, 1, 12)
			w.state.Queue.Flights[0].Run.Subjects = w.state.Form.Subjects()
			for n := 0; b.Loop(); n++ {
				w.state.Change(func(s *state.State) { change(s, n) })
				for len(w.posted) > 0 {
					(<-w.posted)()
				}
			}
		})
	}
}

// TestTheWindowIsWiring: what a room can own is the room's.
func TestTheWindowIsWiring(t *testing.T) {
	if n := reflect.TypeFor[Window]().NumField(); n > 25 {
		t.Errorf("Window has %d fields, and fits on two screens with 25", n)
	}
}
