package models

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/inference/hub"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file adds models, checks, renames and removes them.

// Folder is where models are kept.
func (p *Page) Folder() string {
	return cmp.Or(p.host.Places().Folder, p.host.Models.Folder())
}

// Reload reads the list of models anew, and how much room there is where they are kept, also for what is about to be added.
func (p *Page) Reload() {
	if p.host.Models == nil {
		return
	}
	folder, places := p.Folder(), p.host.Places()
	if a := p.shelf().Adding; a != nil && a.Folder != folder {
		p.inspect(*a) // what it takes of the disk depends on where it goes
	}
	elsewhere := slices.Clone(places.Elsewhere)
	for _, path := range []string{places.Given, places.Last} {
		if path != "" && filepath.Dir(path) != filepath.Clean(folder) && !slices.Contains(elsewhere, path) {
			elsewhere = append(elsewhere, path)
		}
	}
	p.readings++
	reading := p.readings
	p.host.Background(func() func() {
		list, err := p.host.Models.List(folder, elsewhere)
		free, freeErr := p.host.Models.Free(folder)
		begun, memory := p.host.Models.Unfinished(folder), p.host.Models.Memory()
		return func() {
			if p.readings != reading {
				return // one that began later knows better
			}
			p.change(func(s *state.Shelf) {
				s.Catalogue, s.Begun, s.Memory = p.host.Models.Catalogue(), begun, memory
				if s.List, s.Listed, s.Free = list, true, free; freeErr != nil {
					s.Free = -1
				}
				if a := s.Adding; a != nil && !a.Looking && a.Folder == folder {
					a.Free = s.Free
				}
				if err != nil {
					s.Err = err
				}
			})
		}
	})
}

// addFolder and addFile ask for checkpoints.
func (p *Page) addFolder() {
	p.AskPath(p.host.OpenFolder, func(path string) { p.LookAt(path, "", "") })
}

func (p *Page) addFile() { p.AskPath(p.host.OpenFile, func(path string) { p.LookAt(path, "", "") }) }

// AskPath lets the user choose a path in a dialog of the system.
func (p *Page) AskPath(dialog func() (string, error), then func(path string)) {
	if dialog == nil {
		return
	}
	p.host.Background(func() func() {
		path, err := dialog()
		return func() {
			switch {
			case err != nil:
				p.change(func(s *state.Shelf) { s.Err = err })
				p.Show()
			case path != "":
				then(path)
			}
		}
	})
}

// LookAt inspects checkpoints and shows what they are. again is the path of a model that they shall replace, or "".
func (p *Page) LookAt(path, base, again string) {
	a := state.Adding{Path: path, Base: base, Again: again}
	if m, ok := p.shelf().Find(again); ok && again != "" {
		a.Prediction = m.Prediction
	}
	p.inspect(a)
}

// inspect looks at what is added, with what the user has said of it, which stays.
func (p *Page) inspect(what state.Adding) {
	ctx, cancel := context.WithCancel(p.host.Context)
	a, again, folder := &what, what.Again, p.Folder()
	a.Folder, a.Looking, a.Free, a.Found = folder, true, -1, bundle.Inspection{}
	p.change(func(s *state.Shelf) {
		p.leaveAdding()
		p.stopLooking = cancel
		s.Adding, s.Getting = a, false
		p.tell("")
	})
	p.Show()
	p.host.Background(func() func() {
		defer cancel()
		found, err := p.host.Models.Inspect(ctx, a.Path, folder, a.Base, what.Prediction)
		free, freeErr := p.host.Models.Free(folder)
		return func() {
			if p.shelf().Adding != a {
				return // the user looks at something else by now
			}
			if err != nil {
				found.Problems = err
			}
			p.change(func(s *state.Shelf) {
				a.Looking, a.Found = false, found
				if freeErr == nil {
					a.Free = free
				}
				a.Name = cmp.Or(a.Name, s.FreeName(found.Manifest.Name))
				if m, ok := s.Find(again); ok && again != "" {
					a.Name = m.Name()
				}
			})
		}
	})
}

// stopAdding leaves what was named alone.
func (p *Page) stopAdding() {
	p.change(func(*state.Shelf) { p.leaveAdding() })
}

// leaveAdding ends an inspection that may be under way.
func (p *Page) leaveAdding() {
	if p.stopLooking != nil {
		p.stopLooking()
	}
	p.stopLooking = nil
	p.change(func(s *state.Shelf) { s.Adding = nil })
}

// tell says what was done last.
func (p *Page) tell(text string) {
	p.change(func(s *state.Shelf) { s.Err, s.Told = nil, text })
}

// removal is a model that was removed.
type removal struct {
	text string // says so
	back func() // brings it back
}

// removed says that a model was removed, until it is brought back.
func (p *Page) removed(r removal) {
	p.change(func(*state.Shelf) { p.gone = append(slices.Clip(p.gone), r) })
	p.Reload()
}

// agreeAdding imports what is shown, or takes a model of Realword into the list as it is.
func (p *Page) agreeAdding() {
	s := p.shelf()
	a := s.Adding
	if a == nil || a.Agree() == "" {
		return
	}
	p.change(func(s *state.Shelf) { s.Adding = nil })
	if a.Found.Layout == bundle.LayoutBundle {
		if !slices.Contains(p.host.Places().Elsewhere, a.Path) && filepath.Dir(a.Path) != filepath.Clean(p.Folder()) {
			p.host.OnKeep(a.Path, true)
		}
		p.change(func(s *state.Shelf) {
			s.Chosen, s.Told = a.Path, i18n.T("%s is now in the list. Its files stay where they are.", a.Found.Manifest.Name)
		})
		p.Reload()
		return
	}
	name := a.Name
	if name == "" {
		name = s.FreeName(a.Found.Manifest.Name)
	}
	p.addTask(state.ModelTask{
		Name: name, Expected: a.Writes() + a.Found.Source, Again: a.Again,
		Import: state.Import{Source: a.Path, Base: a.Base, Prediction: a.Prediction, Name: name, Folder: p.Folder(), Copy: a.Copy},
	})
}

// check compares the files of a model with what was imported.
func (p *Page) check(path string) {
	s := p.shelf()
	if m, ok := s.Find(path); ok && m.Path != "" && !s.Busy(path) {
		p.addTask(state.ModelTask{Name: m.Name(), Check: path, Expected: m.Bytes + m.Mapped})
	}
}

// addTask puts a task behind the others and begins it when none runs.
func (p *Page) addTask(t state.ModelTask) {
	p.change(func(s *state.Shelf) {
		s.Last++
		t.ID = s.Last
		s.Tasks = append(slices.Clone(s.Tasks), t)
		p.tell("")
		p.nextTask()
	})
}

// nextTask begins the first import or check, and the first download, unless one is under way: a download takes hours, and the others
// do not wait for it. The window goes on meanwhile.
func (p *Page) nextTask() {
	tasks := p.shelf().Tasks
	for _, download := range []bool{false, true} {
		i := slices.IndexFunc(tasks, func(t state.ModelTask) bool { return (t.Get != nil) == download })
		if i >= 0 && tasks[i].Began.IsZero() && p.host.Context.Err() == nil {
			p.changeTask(tasks[i].ID, func(t *state.ModelTask) { t.Began = time.Now() })
			p.beginTask(tasks[i])
		}
	}
}

// changeTask changes a task, unless it is gone.
func (p *Page) changeTask(id int, change func(*state.ModelTask)) {
	if i := slices.IndexFunc(p.shelf().Tasks, func(t state.ModelTask) bool { return t.ID == id }); i >= 0 {
		p.change(func(s *state.Shelf) {
			s.Tasks = slices.Clone(s.Tasks)
			change(&s.Tasks[i])
		})
	}
}

func (p *Page) beginTask(task state.ModelTask) {
	ctx, cancel := context.WithCancel(p.host.Context)
	p.cancels[task.ID] = cancel
	sum := state.Tally{Expected: task.Expected}
	progress := func(what string, done, total int64) {
		if done, all, left, show := sum.Add(what, done, total, time.Now()); show {
			p.host.Post(func() { p.taskProgress(task.ID, what, done, all, left) })
		}
	}
	if task.Get != nil {
		p.loading.Add(1)
	}
	p.host.Background(func() func() {
		defer cancel()
		var path string
		var err error
		switch {
		case task.Check != "":
			err = p.host.Models.Check(ctx, task.Check, progress)
		case task.Get != nil:
			path, err = p.host.Models.Get(ctx, *task.Get, func(h hub.Progress) { p.host.Post(func() { p.fetched(task.ID, h) }) }, progress)
			p.loading.Done()
		default:
			path, err = p.host.Models.Import(ctx, task.Import, progress)
		}
		return func() { p.taskEnded(task, path, err) }
	})
}

func (p *Page) taskProgress(id int, what string, done, all int64, left time.Duration) {
	p.changeTask(id, func(t *state.ModelTask) {
		t.What, t.Done, t.All, t.Remaining, t.Importing, t.Waiting = what, done, all, left, t.Get != nil, ""
	})
}

// importing is the first import that is under way or waits, and is not cancelled yet; 0: there is none. A check and a download are none.
func (p *Page) importing() int {
	for _, t := range p.shelf().Tasks {
		if t.Check == "" && (t.Get == nil || t.Importing) && !t.Ending {
			return t.ID
		}
	}
	return 0
}

// cancelTask stops a task, or takes it out when it waits.
func (p *Page) cancelTask(id int) {
	if cancel := p.cancels[id]; cancel != nil {
		p.changeTask(id, func(t *state.ModelTask) { t.Ending = true })
		cancel()
		return
	}
	p.dropTask(id)
}

// dropTask takes a task out of the list.
func (p *Page) dropTask(id int) {
	p.change(func(s *state.Shelf) {
		s.Tasks = slices.DeleteFunc(slices.Clone(s.Tasks), func(t state.ModelTask) bool { return t.ID == id })
	})
}

// taskEnded shows how a task came out, and begins the next one.
func (p *Page) taskEnded(t state.ModelTask, path string, err error) {
	p.change(func(s *state.Shelf) {
		p.dropTask(t.ID)
		delete(p.cancels, t.ID)
		p.sayEnded(s, t, path, err)
		p.Reload()
		p.nextTask()
	})
}

// sayEnded says how a task came out.
func (p *Page) sayEnded(s *state.Shelf, t state.ModelTask, path string, err error) {
	cancelled := errors.Is(err, context.Canceled)
	switch {
	case t.Get != nil:
		p.getEnded(s, t, path, err)
	case t.Check != "" && cancelled:
		s.Told = i18n.T("The check of %s was stopped.", t.Name)
	case t.Check != "":
		if s.Checks = maps.Clone(s.Checks); s.Checks == nil {
			s.Checks = map[string]state.CheckResult{}
		}
		s.Checks[t.Check] = state.CheckResult{At: time.Now(), Err: err}
		if s.Told = i18n.T("%s has not changed since it was imported.", t.Name); err != nil {
			s.Told = ""
			p.host.Notices.Say(kit.Notice{
				Text: i18n.T("%s is damaged.", t.Name) + " " + wording.Brief(err), Bad: true, Act: i18n.T("Models…"),
				Do: func() { p.change(func(s *state.Shelf) { s.Chosen = t.Check }); p.Show() },
			})
			p.host.Notify(i18n.T("A model is damaged"), t.Name)
		}
	case cancelled:
		s.Told = i18n.T("The import of %s was cancelled, and its files were removed.", t.Name)
	case err != nil:
		s.Err = err
		p.host.Notices.Say(kit.Notice{
			Text: i18n.T("%s was not imported.", t.Name) + " " + wording.Brief(err), Bad: true, Act: i18n.T("Models…"),
			Do: p.Show,
		})
		p.host.Notify(i18n.T("A model was not imported"), t.Name)
	default:
		s.Told, s.Chosen = i18n.T("%s has been imported.", t.Name), path
		p.offerUse(s.Told, path)
		p.host.Notify(i18n.T("A model was imported"), t.Name)
		if t.Again != "" && t.Again != path && !s.InUse(t.Again) {
			p.remove(t.Again)
		}
	}
}

// rename gives a model another name. The sheet stays until it has it: what was typed is not lost to a name that is refused.
func (p *Page) rename(m state.Model) {
	name := kit.NewField(p.host.Shortcut, false)
	name.SetText(m.Name())
	wrong := widget.NewLabel("")
	wrong.Wrapping, wrong.Importance = fyne.TextWrapWord, widget.DangerImportance
	var closeIt func()
	do := func() {
		text := strings.TrimSpace(name.Text)
		p.host.Background(func() func() {
			err := p.host.Models.Rename(m.Path, text)
			return func() {
				if err != nil {
					wrong.SetText(wording.Sentence(err))
					return
				}
				closeIt()
				p.host.Change(func(s *state.State) {
					if s.Shelf.Err = nil; s.Shelf.InUse(m.Path) && s.Model != nil && s.Model.Name != text {
						renamed := *s.Model
						renamed.Was, renamed.Name = append(slices.Clone(renamed.Was), renamed.Name), text
						s.Model = &renamed
					}
				})
				p.Reload()
			}
		})
	}
	name.OnSubmitted = func(string) { do() }
	closeIt = p.host.Layers.SheetOK(i18n.T("Rename the model"), fyne.NewSize(460, 210),
		kit.NewColumn(8, name, kit.Note(i18n.T("Jobs made with it still belong to it.")), wrong), i18n.T("Rename"), do)
	name.Begin(p.host.Layers.Canvas())
}

// askRemove asks before a model goes.
func (p *Page) askRemove(m state.Model) {
	switch {
	case m.Path == "" || p.shelf().InUse(m.Path) || p.shelf().Busy(m.Path):
		return
	case m.Elsewhere:
		p.host.OnKeep(m.Path, false)
		p.tell("")
		p.removed(removal{i18n.T("%s was removed from the list. Its files stay where they are.", m.Name()), func() {
			p.host.OnKeep(m.Path, true)
			p.Reload()
		}})
	default:
		question := i18n.T("%s will be freed when Realword closes; until then, Undo brings it back. The checkpoints it was imported from stay as they are.", wording.Bytes(m.Bytes))
		if m.Downloaded {
			question = i18n.T("%s will be freed when Realword closes, including what was downloaded for it. Until then, Undo brings it back.",
				wording.Bytes(m.Bytes+m.Mapped))
		}
		p.host.Layers.Warn(i18n.T("Remove %s?", m.Name()), question, i18n.T("Cancel"), i18n.T("Remove"), func() {
			p.tell("")
			p.remove(m.Path)
		})
	}
}

// remove takes a model out of its folder, with undo.
func (p *Page) remove(path string) {
	s := p.shelf()
	m, ok := s.Find(path)
	if !ok || s.InUse(path) || s.Busy(path) {
		return
	}
	p.host.Background(func() func() {
		undo, err := p.host.Models.Remove(path)
		return func() {
			if err != nil {
				p.change(func(s *state.Shelf) { s.Err = err })
				p.Reload()
				return
			}
			p.change(func(s *state.Shelf) {
				s.Checks = maps.Clone(s.Checks)
				delete(s.Checks, path)
			})
			r := removal{text: i18n.T("%s was removed.", m.Name())}
			r.back = func() {
				p.host.Background(func() func() {
					err := undo()
					return func() {
						if err != nil {
							p.change(func(s *state.Shelf) { s.Err = err })
							p.removed(r) // until then
						}
						p.Reload()
					}
				})
			}
			p.removed(r)
		}
	})
}

// Undo brings the model back that was removed last; false: there is none.
func (p *Page) Undo() bool {
	n := len(p.gone)
	if n == 0 || !p.Shown() {
		return false
	}
	back := p.gone[n-1].back
	p.change(func(s *state.Shelf) {
		p.gone = p.gone[:n-1]
		s.Told, s.Err = "", nil
		back()
	})
	return true
}

// Drop shows what was dropped as a model, if it is one; else the other thing happens.
func (p *Page) Drop(path string, other func()) {
	p.host.Background(func() func() {
		is := bundle.Recognisable(path)
		return func() {
			if is {
				p.LookAt(path, "", "")
			} else {
				other()
			}
		}
	})
}

// offerUse says what has come to be a model, where the page does not show it with its own button.
func (p *Page) offerUse(told, path string) {
	if !p.Shown() {
		p.host.Notices.Say(kit.Notice{Text: told, Act: i18n.T("Use it"), Do: func() { p.Use(path) }})
	}
}
