package subjects

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// TargetAt is what is to be seen at a position of the window: no word that has scrolled away, and nothing under a page or a sheet.
func (p *Panel) TargetAt(at fyne.Position) state.Target {
	if p.Layers.Paged() || p.Canvas().Overlays().Top() != nil {
		return state.Target{}
	}
	for _, o := range p.Chips.Objects {
		if c := o.(*Chip); !c.Past && kit.Covers(p.chipRows, at) && kit.Covers(o, at) {
			return state.Target{Word: c.Word.Word}
		}
	}
	if !kit.Covers(p.cardScroll, at) {
		return state.Target{}
	}
	for _, o := range p.Cards.Objects {
		if c, ok := o.(*Card); ok && kit.Covers(o, at) {
			return state.Target{Card: c.Look.ID}
		}
	}
	return state.Target{}
}

// pick asks for picture files for a target.
func (p *Panel) pick(to state.Target) { p.ask(func(paths []string) { p.TakeTo(to, paths) }) }

// ask asks for picture files. What is chosen once another session has come up is not for that one.
func (p *Panel) ask(take func(paths []string)) {
	if p.OpenFiles == nil {
		return
	}
	p.forgive()
	still := state.Bound(p.State, p.Change)
	p.Background(func() func() {
		paths, err := p.OpenFiles()
		if err == nil && len(paths) == 0 {
			return nil
		}
		return func() {
			if err != nil {
				p.Change(func(s *state.State) { s.PickErr = err })
				return
			}
			if still() {
				take(paths)
			}
		}
	})
}

// forgive takes back what was said of the pictures before.
func (p *Panel) forgive() { p.Change(func(s *state.State) { s.PickErr, s.Remark = nil, "" }) }

// Pasted is what the clipboard holds: a picture as a file, or files.
type Pasted struct {
	Picture []byte
	Files   []string
}

// Paste takes the picture in the clipboard, or the files, for a target.
func (p *Panel) Paste(to state.Target) {
	if p.Clipboard == nil {
		return
	}
	p.forgive()
	p.Bring(to, func() ([]state.Source, []error) {
		in, err := p.Clipboard()
		switch {
		case err != nil:
			return nil, []error{err}
		case len(in.Files) > 0:
			return sourcesOf(in.Files)
		case len(in.Picture) == 0:
			return nil, []error{i18n.Errorf("there is no picture in the clipboard: copy one in another program first")}
		}
		return []state.Source{{Name: "clipboard" + endingOf(in.Picture), Read: func() ([]byte, error) { return in.Picture, nil }}}, nil
	})
}

// endingOf is how a picture file is called at its end.
func endingOf(file []byte) string {
	switch kind := http.DetectContentType(file); {
	case kind == "image/jpeg":
		return ".jpg"
	case strings.HasPrefix(kind, "image/"):
		return "." + strings.TrimPrefix(kind, "image/")
	}
	return ".png"
}

// TakeTo reads files, and the pictures in folders, for a target.
func (p *Panel) TakeTo(to state.Target, paths []string) {
	p.Bring(to, func() ([]state.Source, []error) { return sourcesOf(paths) })
}

// sourcesOf are files, and the pictures in folders.
func sourcesOf(paths []string) (list []state.Source, errs []error) {
	for _, path := range paths {
		files, unread := picturesIn(path)
		errs = append(errs, unread...)
		for _, file := range files {
			name := filepath.Base(file)
			list = append(list, state.Source{Name: name, Hint: state.HintOf(name), Read: func() ([]byte, error) { return state.ReadFile(file) }})
		}
	}
	return list, errs
}

// picturesIn is a file itself, or the picture files of a folder in the order of their names, and what is wrong with others. Folders in it
// are left alone.
func picturesIn(path string) (files []string, errs []error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path}, nil // what is wrong with it comes out when it is read
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, []error{i18n.Errorf("the folder %s cannot be read: %w", filepath.Base(path), state.Reason(err))}
	}
	for _, e := range entries {
		switch unread := picture.Unread(e.Name()); {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case unread != nil: // it is large, as a rule
			errs = append(errs, fmt.Errorf("%s: %w", e.Name(), unread))
		case picture.Named(e.Name()):
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if len(files)+len(errs) == 0 {
		errs = []error{i18n.Errorf("the folder %s has no pictures in it: drop PNG, JPEG, WebP, GIF or BMP files", filepath.Base(path))}
	}
	return files, errs
}

// Reading says which picture is being read if that takes a moment, until stop is called.
func (p *Panel) Reading(name string) (stop func()) {
	return kit.Late(p.Post, func(on bool) {
		p.Change(func(s *state.State) {
			if s.Reading = ""; on {
				s.Reading = name
			}
		})
	})
}

// Bring reads pictures one after the other and shows them a few times a second. What cannot be used is said in the end.
func (p *Panel) Bring(to state.Target, find func() ([]state.Source, []error)) {
	see, room := p.Eye(), state.MostPictures-len(p.State().Form.Cards)
	p.Change(func(s *state.State) { *s = s.Expect() })
	p.Background(func() func() {
		list, errs := find()
		left, told := 0, ""
		var ready []state.Added
		last := time.Now()
		for i, s := range list {
			if p.Ctx.Err() != nil {
				break
			}
			if room <= 0 {
				left = len(list) - i
				break
			}
			read := p.Reading(s.Name)
			data, err := s.Read()
			var c state.Card
			if err == nil {
				c, err = see.Card(s.Name, data)
			}
			read()
			if err != nil {
				errs = append(errs, err)
				continue
			}
			room--
			c.From = s.From
			alone := len(list) == 1 && s.From == 0 && to == (state.Target{})
			if m, err := picture.ReadMetadata(data); alone && err == nil && (m.Prompt != "" || len(m.Recipe) > 0) {
				told = i18n.T("%s says how it was made: drop it on the middle of the window to have its prompt and settings.", s.Name)
			}
			ready = append(ready, state.Added{Card: c, Hint: s.Hint})
			if time.Since(last) > 300*time.Millisecond {
				batch := ready
				ready, last = nil, time.Now()
				p.Post(func() { p.Change(func(s *state.State) { *s = s.AddAll(batch, to) }) })
			}
		}
		return func() {
			p.Change(func(s *state.State) {
				*s = s.AddAll(ready, to).Came()
				s.PickErr = errors.Join(s.PickErr, state.Digest(errs))
				if told != "" {
					s.Remark = told
				}
				if left > 0 {
					s.Remark = state.LeftOut(left, len(list))
				}
			})
		}
	})
}

// Link switches between one reach for all subjects and one for each.
func (p *Panel) Link() {
	p.Change(func(s *state.State) { s.Form = s.Form.Link(s.Selected, !s.Form.Linked) })
}

// Eye is that of the open model and the chosen preset.
func (p *Panel) Eye() state.Eye {
	s := p.State()
	return state.Eye{Ctx: p.Ctx, Engine: p.Engine(), Model: s.Model, Fit: s.Form.Fit(s.Model), Own: s.OwnSize}
}

// FileActions open pictures.
func (p *Panel) FileActions() []command.Action {
	return []command.Action{{
		ID: "file.open", Menu: command.MenuFile, Label: i18n.T("Open a picture…"), Key: "Ctrl+O",
		Do: func() { p.ask(p.open) }, Can: func() bool { return p.OpenFiles != nil },
	}}
}

// open takes files that were opened: one may be taken for its recipe, several are references.
func (p *Panel) open(paths []string) {
	if len(paths) == 1 {
		p.OnOpened(paths[0])
		return
	}
	p.TakeTo(state.Target{}, paths)
}

// ChoosePicture asks for files and takes them as references.
func (p *Panel) ChoosePicture() { p.pick(state.Target{}) }

// Add makes cards of pictures, in their order.
func (p *Panel) Add(onto state.Word, list ...state.Source) {
	p.Bring(state.Target{Word: onto.Word}, func() ([]state.Source, []error) { return list, nil })
}
