package models

import (
	"context"
	"image"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file opens models: at the start of the program, and when the user goes over to another one. Session, form and cards stay.

// Engine is an open model. Start, Resolve, Read and Close may be slow and are called off Fyne's goroutine; the others answer at once and
// are called on it.
type Engine interface {
	// Start begins a job. Cancelling the context cancels it.
	Start(ctx context.Context, r inference.Request) (inference.Job, error)
	// Resolve fills in what a request leaves to its preset and its model; see inference.Engine.
	Resolve(r inference.Request) (inference.Request, error)
	// Manifest describes the open model.
	Manifest() bundle.Manifest
	// Encode reads a prompt as the model does.
	Encode(text string, how prompt.Reading) *prompt.Prompt
	// Notes says what of a request is cut off or read otherwise than it may be meant, a sentence each; see inference.Engine.
	Notes(r inference.Request) []error
	// Read decodes a reference to show it, so that a job with it need not decode it again; see inference.Engine.
	Read(ctx context.Context, ref inference.Reference) (*image.NRGBA, picture.Info, error)
	// Close ends the engine; a running native call is waited for.
	Close() error
}

// Engine is that of the open model; nil while none is.
func (p *Page) Engine() Engine { return p.engine }

// Start opens the model of the command line, or the one that was used last. Where that one is gone, the model inside the program
// steps in, and a notice says so.
func (p *Page) Start() {
	places := p.host.Places()
	path, given := places.Given, places.Given != ""
	if !given {
		path = places.Last
	}
	p.host.Background(func() func() {
		engine, err := p.host.Open(p.host.Context, path)
		var why error
		if err != nil && path != "" && !given {
			why = err
			engine, err = p.host.Open(p.host.Context, "")
		}
		var show func()
		show = func() {
			switch {
			case p.engine != nil: // the user has not waited for it and chosen another one
				p.closeSoon(engine)
				return
			case p.shelf().Moving: // which may turn out not to open
				p.late = show
				return
			case err != nil:
				p.host.Change(func(s *state.State) { s.ModelErr = err })
				return
			}
			if why != nil {
				p.host.Notices.Say(kit.Notice{
					Text: i18n.T("The model you used last cannot be opened. %s The built-in model is open instead.",
						wording.Brief(why)),
					Bad: true, Act: i18n.T("Models…"), Do: p.Show,
				})
				path = ""
			}
			p.host.Change(func(s *state.State) {
				p.take(s, engine, path)
				p.host.OnReady()
			})
			p.Reload() // for the menu under the model's name
		}
		return show
	})
}

// open goes over to another model. No job runs.
func (p *Page) open(path string) {
	p.host.Background(func() func() {
		engine, err := p.host.Open(p.host.Context, path)
		return func() {
			then, late := p.then, p.late
			p.then, p.late = reached{}, nil
			p.host.Change(func(s *state.State) {
				s.Shelf.Moving = false
				if err != nil {
					s.Shelf.Err = err
					p.host.Notices.Say(kit.Notice{
						Text: i18n.T("The model cannot be opened. %s", wording.Brief(err)), Bad: true, Act: i18n.T("Models…"), Do: p.Show,
					})
					p.Reload()
				} else {
					remarks := p.take(s, engine, path)
					used := i18n.T("%s is now in use.", s.Model.Name)
					if p.Shown() { // the page says it
						s.Shelf.Told = used
					} else {
						remarks = append([]string{used}, remarks...)
					}
					p.host.Notices.Say(kit.Notice{Text: strings.Join(remarks, " ")})
					p.host.OnUsed(path)
				}
				p.host.OnIdle()
			})
			if late != nil {
				late()
			}
			if err == nil && then.do != nil && then.path == path {
				then.do()
			}
		}
	})
}

// take makes an engine that of the open model and closes the one before. It answers what the user may not expect.
func (p *Page) take(s *state.State, engine Engine, path string) []string {
	old, before := p.engine, s.Model
	m := engine.Manifest()
	p.engine, s.Model, s.ModelErr = engine, &m, nil
	s.Shelf.Using, s.Shelf.Opened, s.Shelf.Chosen = path, true, path
	form, remarks := s.Form.Adapt(before, &m)
	s.Form, s.Words = form, state.ModelWords(engine.Encode(form.Prompt, form.Reading(&m, false)))
	s.Queue = s.Queue.For(m)
	if n := len(slices.DeleteFunc(slices.Clone(s.Queue.Waiting), func(t state.Task) bool { return t.Needs == "" })); n > 0 {
		remarks = append(remarks, i18n.N(n, "One job is waiting for its own model.", "%d jobs are waiting for their own models.", n))
	}
	p.closeSoon(old)
	if before != nil && before.Vision.Reference != m.Vision.Reference {
		p.host.OnSight()
	}
	return remarks
}

// closeSoon closes an engine that is not needed any more, which may be slow; nil is none.
func (p *Page) closeSoon(e Engine) {
	if e != nil {
		p.host.Background(func() func() {
			closeEngine(e)
			return nil
		})
	}
}

// Close ends the engine of the open model, if there is one. It may be slow.
func (p *Page) Close() {
	if p.engine != nil {
		closeEngine(p.engine)
	}
}

func closeEngine(e Engine) {
	if err := e.Close(); err != nil {
		fyne.LogError("The model was not closed as it should be", err)
	}
}
