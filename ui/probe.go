package ui

import (
	"encoding/json"
	"net"
	"os"
	"reflect"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/widget"

	"realword/ui/command"
	"realword/ui/kit"
)

// Seen is one thing on the screen, for tests that click through a real window.
type Seen struct {
	Kind       string // its type: "Button", "chip", "tile"
	Text       string
	X, Y, W, H int // in pixels of the window
	Off        bool
}

// Asked is what a test asks the window for. Files are dropped at X and Y, in pixels of the window, which no program can do to
// another one on a virtual screen.
type Asked struct {
	Files []string
	X, Y  int
}

// probe is what tests of the real window see it through.
type probe struct {
	win     fyne.Window
	post    func(func())
	done    <-chan struct{} // the window has closed
	dropped func(at fyne.Position, files []fyne.URI)
}

// listen reads an Asked from every connection to a socket, as JSON, and answers with a list of what is on the screen, as JSON,
// from the back to the front; what a sheet covers is left out. All else is done to the window by mouse and keys.
func (p probe) listen(socket string) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() {
		<-p.done
		_ = l.Close()
		_ = os.Remove(socket)
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var asked Asked
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			if json.NewDecoder(c).Decode(&asked) != nil {
				_ = c.Close()
				continue
			}
			answer := make(chan []Seen, 1)
			p.post(func() {
				p.drop(asked)
				answer <- onScreen(p.win)
			})
			select {
			case list := <-answer:
				_ = json.NewEncoder(c).Encode(list)
			case <-p.done:
			}
			_ = c.Close()
		}
	}()
	return nil
}

// drop drops files as the system does.
func (p probe) drop(a Asked) {
	var files []fyne.URI
	for _, path := range a.Files {
		files = append(files, storage.NewFileURI(path))
	}
	if scale := p.win.Canvas().Scale(); len(files) > 0 {
		p.dropped(fyne.NewPos(float32(a.X)/scale, float32(a.Y)/scale), files)
	}
}

// onScreen lists what a window has on the screen.
func onScreen(win fyne.Window) []Seen {
	c := win.Canvas()
	var list []Seen
	var visit func(o fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		if s, ok := seenAs(o); ok {
			pos, scale := fyne.CurrentApp().Driver().AbsolutePositionForObject(o), c.Scale()
			s.X, s.Y = int(pos.X*scale), int(pos.Y*scale)
			s.W, s.H = int(o.Size().Width*scale), int(o.Size().Height*scale)
			list = append(list, s)
		}
		for _, inner := range inside(o) {
			visit(inner)
		}
	}
	if top := c.Overlays().Top(); top != nil {
		visit(top)
	} else {
		visit(win.Content())
	}
	return list
}

// seenAs tells what an object is called; ok is false for frames and the like.
func seenAs(o fyne.CanvasObject) (s Seen, ok bool) {
	name := reflect.TypeOf(o).Elem().Name()
	s.Kind = strings.ToLower(name[:1]) + name[1:] // the same in every room
	if d, can := o.(fyne.Disableable); can {
		s.Off = d.Disabled()
	}
	switch o := o.(type) {
	case *kit.Button:
		s.Text = o.Text
	case *kit.Check:
		s.Text = o.Text
	case *kit.Radio:
		if o.Chosen >= 0 {
			s.Text = o.Options[o.Chosen]
		}
	case *widget.Label:
		s.Text = o.Text
	case *kit.Told:
		s.Text = o.Text
	case *canvas.Text:
		s.Text = o.Text
	case *kit.Line:
		s.Text = o.Text
	case *kit.Below:
		s.Text = o.Text
	case *kit.Fitted:
		s.Text = o.Text
	case *kit.Field:
		s.Text = o.Text
	case fyne.Accessible:
		s.Text = o.AccessibilityLabel()
	default:
		_, widget := o.(fyne.Widget)
		return s, widget && s.Kind != "plate"
	}
	return s, true
}

// inside is what an object is made of, as far as tests look for it.
func inside(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case *container.Scroll:
		return []fyne.CanvasObject{o.Content}
	case *kit.Themed:
		return []fyne.CanvasObject{o.Content}
	case *widget.PopUp:
		return []fyne.CanvasObject{o.Content}
	case *kit.Line, *kit.Fitted, *kit.Plate, *kit.Field, *kit.Button, *kit.IconButton, *command.ToolButton,
		*kit.Check, *kit.Slider, *kit.Selector:
		return nil
	case fyne.Widget:
		if strings.HasPrefix(reflect.TypeOf(o).Elem().PkgPath(), reflect.TypeFor[Window]().PkgPath()) {
			return drawn(o)
		}
		if row := reflect.TypeOf(o).Elem().Name(); row == "listItem" || row == "gridWrapItem" { // of Fyne's lists, which ours are made of
			return drawn(o)
		}
		// Fyne's own frames, such as what lies around a sheet.
		if f := reflect.ValueOf(o).Elem().FieldByName("Content"); f.IsValid() && f.CanInterface() {
			if content, ok := f.Interface().(fyne.CanvasObject); ok {
				return []fyne.CanvasObject{content}
			}
		}
	}
	return nil
}
