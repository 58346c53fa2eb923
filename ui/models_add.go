package ui

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/inference/bundle"
	"realword/inference/hub"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file adds models, checks, renames and removes them.

// folder is where models are kept.
func (w *Window) modelsFolder() string {
	if w.prefs.Models != "" {
		return w.prefs.Models
	}
	return w.opt.Models.Folder()
}

// modelsFolderChooser is the place in the preferences where that folder is chosen; nil without models.
func (w *Window) modelsFolderChooser(change func(func(*Preferences))) fyne.CanvasObject {
	if w.opt.Models == nil {
		return nil
	}
	folder, trouble := w.folderField(w.opt.Models.Folder(), w.prefs.Models, func(path string) {
		change(func(p *Preferences) { p.Models = path })
		w.listModels()
	})
	row := fyne.CanvasObject(folder)
	if w.opt.OpenFolder != nil {
		row = container.NewBorder(nil, nil, nil, kit.NewButton(i18n.T("Choose…"), func() { w.askPath(w.opt.OpenFolder, folder.SetText) }), folder)
	}
	return kit.NewColumn(6, kit.Caption(i18n.T("Folder for imported models")), row, trouble)
}

// listModels reads the list of models anew.
func (w *Window) listModels() {
	if w.opt.Models == nil {
		return
	}
	folder, elsewhere := w.modelsFolder(), slices.Clone(w.prefs.Elsewhere)
	for _, path := range []string{w.opt.Model, w.prefs.Model} { // --model and the chosen one belong to it wherever they lie
		if path != "" && filepath.Dir(path) != filepath.Clean(folder) && !slices.Contains(elsewhere, path) {
			elsewhere = append(elsewhere, path)
		}
	}
	w.background(func() func() {
		list, err := w.opt.Models.List(folder, elsewhere)
		free, freeErr := w.opt.Models.Free(folder)
		begun, memory := w.opt.Models.Unfinished(folder), w.opt.Models.Memory()
		return func() {
			s := &w.state.Shelf
			s.Catalogue, s.Begun, s.Memory = w.opt.Models.Catalogue(), begun, memory
			if s.List, s.Listed, s.Free = list, true, free; freeErr != nil {
				s.Free = -1
			}
			if err != nil {
				s.Err = err
			}
			w.models.refresh()
		}
	})
}

// addFolder and addFile ask for checkpoints.
func (w *Window) addFolder() {
	w.askPath(w.opt.OpenFolder, func(path string) { w.lookAt(path, "", "") })
}

func (w *Window) addFile() { w.askPath(w.opt.OpenModel, func(path string) { w.lookAt(path, "", "") }) }

// askPath lets the user choose a path in a dialog of the system.
func (w *Window) askPath(dialog func() (string, error), then func(path string)) {
	if dialog == nil {
		return
	}
	w.background(func() func() {
		path, err := dialog()
		return func() {
			switch {
			case err != nil:
				w.state.Shelf.Err = err
				w.models.show()
			case path != "":
				then(path)
			}
		}
	})
}

// lookAt inspects checkpoints and shows what they are. again is the path of a model that they shall replace, or "".
func (w *Window) lookAt(path, base, again string) {
	s := &w.state.Shelf
	w.models.leaveAdding()
	ctx, cancel := context.WithCancel(w.ctx)
	w.models.stopLooking = cancel
	a := &state.Adding{Path: path, Base: base, Again: again, Looking: true, Free: -1}
	s.Adding, s.Getting = a, false
	w.models.tell("", nil)
	w.models.show()
	folder := w.modelsFolder()
	w.background(func() func() {
		defer cancel()
		found, err := w.opt.Models.Inspect(ctx, path, base)
		free, freeErr := w.opt.Models.Free(folder)
		return func() {
			if s.Adding != a {
				return // the user looks at something else by now
			}
			if err != nil {
				found.Problems = err
			}
			a.Looking, a.Found = false, found
			if freeErr == nil {
				a.Free = free
			}
			a.Name = s.FreeName(found.Manifest.Name)
			if m, ok := s.Find(again); ok && again != "" {
				a.Name = m.Name()
			}
			w.models.refresh()
		}
	})
}

// stopAdding leaves what was named alone.
func (w *Window) stopAdding() {
	w.models.leaveAdding()
	w.models.refresh()
}

// leaveAdding ends an inspection that may be under way.
func (p *modelsPage) leaveAdding() {
	if p.stopLooking != nil {
		p.stopLooking()
	}
	p.stopLooking, p.w.state.Shelf.Adding = nil, nil
}

// tell says what was done last, with a way to take it back; undo nil: there is none.
func (p *modelsPage) tell(text string, undo func()) {
	p.w.state.Shelf.Err, p.w.state.Shelf.Told, p.back = nil, text, undo
}

// agreeAdding imports what is shown, or takes a model of Realword into the list as it is.
func (w *Window) agreeAdding() {
	s := &w.state.Shelf
	a := s.Adding
	if a == nil || a.Agree() == "" {
		return
	}
	s.Adding = nil
	if a.Found.Layout == bundle.LayoutBundle {
		if p := w.prefs; !slices.Contains(p.Elsewhere, a.Path) && filepath.Dir(a.Path) != filepath.Clean(w.modelsFolder()) {
			p.Elsewhere = append(slices.Clone(p.Elsewhere), a.Path)
			w.setPreferences(p)
		}
		s.Chosen, s.Told = a.Path, i18n.T("%s is now in the list. Its files stay where they are.", a.Found.Manifest.Name)
		w.listModels()
		w.models.refresh()
		return
	}
	name := a.Name
	if name == "" {
		name = s.FreeName(a.Found.Manifest.Name)
	}
	w.addTask(state.ModelTask{
		Name: name, Expected: a.Writes() + a.Found.Source, Again: a.Again,
		Import: state.Import{Source: a.Path, Base: a.Base, Name: name, Folder: w.modelsFolder(), Copy: a.Copy},
	})
}

// checkModel compares the files of a model with what was imported.
func (w *Window) checkModel(path string) {
	if m, ok := w.state.Shelf.Find(path); ok && m.Path != "" && !w.state.Shelf.Busy(path) {
		w.addTask(state.ModelTask{Name: m.Name(), Check: path, Expected: m.Bytes + m.Mapped})
	}
}

// addTask puts a task behind the others and begins it when none runs.
func (w *Window) addTask(t state.ModelTask) {
	s := &w.state.Shelf
	s.Last++
	t.ID = s.Last
	s.Tasks = append(slices.Clone(s.Tasks), t)
	w.models.tell("", nil)
	w.nextTask()
	w.models.refresh()
}

// nextTask begins the first import or check, and the first download, unless one is under way: a download takes hours, and the others
// do not wait for it. The window goes on meanwhile.
func (w *Window) nextTask() {
	s := &w.state.Shelf
	for _, download := range []bool{false, true} {
		i := slices.IndexFunc(s.Tasks, func(t state.ModelTask) bool { return (t.Get != nil) == download })
		if i >= 0 && s.Tasks[i].Began.IsZero() && !w.closing {
			w.beginTask(&s.Tasks[i])
		}
	}
}

func (w *Window) beginTask(t *state.ModelTask) {
	ctx, cancel := context.WithCancel(w.ctx)
	w.models.cancels[t.ID], t.Began = cancel, time.Now()
	task := *t
	sum := state.Tally{Expected: t.Expected}
	progress := func(what string, done, total int64) {
		if done, all, left, show := sum.Add(what, done, total, time.Now()); show {
			w.post(func() { w.taskProgress(task.ID, what, done, all, left) })
		}
	}
	if t.Get != nil {
		w.loading.Add(1)
	}
	w.background(func() func() {
		defer cancel()
		var path string
		var err error
		switch {
		case task.Check != "":
			err = w.opt.Models.Check(ctx, task.Check, progress)
		case task.Get != nil:
			path, err = w.opt.Models.Get(ctx, *task.Get, func(h hub.Progress) { w.post(func() { w.fetched(task.ID, h) }) }, progress)
			w.loading.Done()
		default:
			path, err = w.opt.Models.Import(ctx, task.Import, progress)
		}
		return func() { w.taskEnded(task, path, err) }
	})
}

func (w *Window) taskProgress(id int, what string, done, all int64, left time.Duration) {
	s := &w.state.Shelf
	if i := slices.IndexFunc(s.Tasks, func(t state.ModelTask) bool { return t.ID == id }); i >= 0 {
		s.Tasks = slices.Clone(s.Tasks)
		t := &s.Tasks[i]
		t.What, t.Done, t.All, t.Remaining, t.Importing, t.Waiting = what, done, all, left, t.Get != nil, ""
		w.models.refreshTasks()
	}
}

// cancelTask stops a task, or takes it out when it waits.
func (w *Window) cancelTask(id int) {
	s := &w.state.Shelf
	i := slices.IndexFunc(s.Tasks, func(t state.ModelTask) bool { return t.ID == id })
	if i < 0 {
		return
	}
	s.Tasks = slices.Clone(s.Tasks)
	if t := &s.Tasks[i]; !t.Began.IsZero() {
		t.Ending = true
		w.models.cancels[id]()
	} else {
		s.Tasks = slices.Delete(s.Tasks, i, i+1)
	}
	w.models.refresh()
}

// taskEnded shows how a task came out, and begins the next one.
func (w *Window) taskEnded(t state.ModelTask, path string, err error) {
	s := &w.state.Shelf
	s.Tasks = slices.DeleteFunc(slices.Clone(s.Tasks), func(o state.ModelTask) bool { return o.ID == t.ID })
	delete(w.models.cancels, t.ID)
	cancelled := errors.Is(err, context.Canceled)
	switch {
	case t.Get != nil:
		w.getEnded(t, path, err)
	case t.Check != "" && cancelled:
		s.Told = i18n.T("The check of %s was stopped.", t.Name)
	case t.Check != "":
		if s.Checks == nil {
			s.Checks = map[string]state.CheckResult{}
		}
		s.Checks[t.Check] = state.CheckResult{At: time.Now(), Err: err}
		if s.Told = i18n.T("%s has not changed since it was imported.", t.Name); err != nil {
			s.Told = ""
			w.notice.Say(kit.Notice{
				Text: i18n.T("%s is damaged.", t.Name) + " " + wording.Brief(err), Bad: true, Act: i18n.T("Models…"),
				Do: func() { s.Chosen = t.Check; w.models.show() },
			})
			w.tell(i18n.T("A model is damaged"), t.Name)
		}
	case cancelled:
		s.Told = i18n.T("The import of %s was cancelled, and its files were removed.", t.Name)
	case err != nil:
		s.Err = err
		w.notice.Say(kit.Notice{
			Text: i18n.T("%s was not imported.", t.Name) + " " + wording.Brief(err), Bad: true, Act: i18n.T("Models…"),
			Do: w.models.show,
		})
		w.tell(i18n.T("A model was not imported"), t.Name)
	default:
		s.Told, s.Chosen = i18n.T("%s has been imported.", t.Name), path
		w.notice.Say(kit.Notice{Text: s.Told, Act: i18n.T("Use it"), Do: func() { w.useModel(path) }})
		w.tell(i18n.T("A model was imported"), t.Name)
		if t.Again != "" && t.Again != path && !s.InUse(t.Again) {
			w.removeModel(t.Again)
		}
	}
	w.listModels()
	w.nextTask()
	w.models.refresh()
}

// renameModel gives a model another name.
func (w *Window) renameModel(m state.Model) {
	name := kit.NewField(w.Shortcut, false)
	name.SetText(m.Name())
	var closeIt func()
	do := func() {
		text := name.Text
		closeIt()
		w.background(func() func() {
			err := w.opt.Models.Rename(m.Path, text)
			return func() {
				s := &w.state.Shelf
				if s.Err = err; err == nil && s.InUse(m.Path) && w.state.Model != nil {
					renamed := *w.state.Model
					renamed.Was, renamed.Name = append(slices.Clone(renamed.Was), renamed.Name), text
					w.state.Model = &renamed
					w.refresh()
				}
				w.listModels()
				w.models.refresh()
			}
		})
	}
	name.OnSubmitted = func(string) { do() }
	closeIt = w.SheetOK(i18n.T("Rename the model"), fyne.NewSize(460, 150),
		kit.NewColumn(8, name, kit.Note(i18n.T("Jobs made with it still belong to it."))), i18n.T("Rename"), do)
	w.win.Canvas().Focus(name)
}

// askRemove asks before a model goes.
func (w *Window) askRemove(m state.Model) {
	switch {
	case m.Path == "" || w.state.Shelf.InUse(m.Path) || w.state.Shelf.Busy(m.Path):
		return
	case m.Elsewhere:
		p := w.prefs
		p.Elsewhere = slices.DeleteFunc(slices.Clone(p.Elsewhere), func(path string) bool { return path == m.Path })
		if p.Model == m.Path {
			p.Model = ""
		}
		w.setPreferences(p)
		w.state.Shelf.Told = i18n.T("%s was removed from the list. Its files stay where they are.", m.Name())
		w.models.back = func() {
			p := w.prefs
			p.Elsewhere = append(slices.Clone(p.Elsewhere), m.Path)
			w.setPreferences(p)
			w.listModels()
		}
		w.listModels()
		w.models.refresh()
	default:
		question := i18n.T("%s will be freed when Realword closes; until then, Undo brings it back. The checkpoints it was imported from stay as they are.", wording.Bytes(m.Bytes))
		if m.Downloaded {
			question = i18n.T("%s will be freed when Realword closes, including what was downloaded for it. Until then, Undo brings it back.",
				wording.Bytes(m.Bytes+m.Mapped))
		}
		w.Ask(i18n.T("Remove %s?", m.Name()), question, i18n.T("Remove"), func() { w.removeModel(m.Path) })
	}
}

// removeModel takes a model out of its folder, with undo.
func (w *Window) removeModel(path string) {
	m, ok := w.state.Shelf.Find(path)
	if !ok || w.state.Shelf.InUse(path) || w.state.Shelf.Busy(path) {
		return
	}
	w.background(func() func() {
		undo, err := w.opt.Models.Remove(path)
		return func() {
			s := &w.state.Shelf
			if s.Err = err; err == nil {
				s.Told = i18n.T("%s was removed.", m.Name())
				w.models.back = func() {
					w.background(func() func() {
						err := undo()
						return func() { s.Err = err; w.listModels(); w.models.refresh() }
					})
				}
				delete(s.Checks, path)
			}
			w.listModels()
			w.models.refresh()
		}
	})
}

// undoModels takes the last thing done to the models back; false: there is nothing.
func (w *Window) undoModels() bool {
	undo := w.models.back
	if undo == nil || !w.models.shown {
		return false
	}
	w.models.back, w.state.Shelf.Told = nil, ""
	undo()
	w.models.refresh()
	return true
}

// dropModel shows what was dropped as a model, if it is one; else the other thing happens.
func (w *Window) dropModel(path string, other func()) {
	w.background(func() func() {
		is := bundle.Recognisable(path)
		return func() {
			if is {
				w.lookAt(path, "", "")
			} else {
				other()
			}
		}
	})
}
