package ui

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/history"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// errNoFile is why a kept picture has no file, once the first reason is forgotten with the window that met it.
type errNoFile struct{}

func (errNoFile) Error() string { return i18n.T("the file of this picture could not be written") }

// unsavedBar says under the stage that the picture there is in no file, where it is kept, and offers to write it.
type unsavedBar struct {
	*fyne.Container
	w            *Window
	text         *widget.Label
	retry, other *kit.Button
}

func newUnsavedBar(w *Window) *unsavedBar {
	u := &unsavedBar{w: w, text: widget.NewLabel("")}
	u.text.Wrapping = fyne.TextWrapWord
	u.retry = kit.NewButton(i18n.T("Try again"), w.retrySave)
	u.other = kit.NewButton(i18n.T("Save as…"), w.saveAs)
	icon := widget.NewIcon(theme.NewWarningThemedResource(theme.WarningIcon()))
	u.Container = container.New(kit.Inset{X: 0, Y: 4}, container.NewStack(kit.NewPlate(kit.ColorRaised, theme.ColorNameWarning, 8),
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(icon), kit.NewRow(6, u.retry, u.other), u.text))))
	u.Hide()
	return u
}

// unsavedText is what is said of a picture that is in no file; "" for any other.
func unsavedText(s *state.Shot) string {
	switch {
	case s == nil || !s.Unsaved:
		return ""
	case s.Pixels:
		return i18n.T("%s The picture is kept in this session.", wording.Sentence(s.SaveErr))
	}
	return i18n.T("%s The picture exists only in this window: save it before you close.", wording.Sentence(s.SaveErr))
}

func (u *unsavedBar) refresh() {
	text := unsavedText(u.w.state.Shot())
	u.other.Hidden = u.w.opt.SaveFile == nil
	if u.text.Text == text && u.Hidden == (text == "") {
		return
	}
	u.text.SetText(text)
	u.Hidden = text == ""
	u.Refresh()
	u.w.lower.Refresh()
}

// folderAndName are where a picture goes that is saved now.
func (w *Window) folderAndName(seed uint64, r inference.Request, model string) (folder, name string) {
	n := naming{At: time.Now(), Seed: seed, Prompt: r.Prompt, Model: model}
	for _, s := range r.Subjects {
		n.Words = append(n.Words, s.Word.Text)
	}
	sub, name := fileName(w.prefs.FileName, n)
	return filepath.Join(w.pictures(), filepath.FromSlash(sub)), name
}

// retrySave writes the picture in view, which is in no file, into the pictures folder.
func (w *Window) retrySave() {
	shot := w.state.Shot()
	if shot == nil || !shot.Unsaved || w.state.Model == nil {
		return
	}
	folder, name := w.folderAndName(shot.Seed, shot.Recipe, shot.Model)
	w.write(*shot, true, func(data []byte) (string, error) { return files.WriteUnique(folder, name, ".png", data) })
}

// write gives a picture that is in no file one. ours tells that the file belongs to the history, as any in the pictures folder.
func (w *Window) write(shot state.Shot, ours bool, to func(data []byte) (path string, err error)) {
	s, model, embed := w.journal.Store(), *w.state.Model, w.embed()
	w.background(func() func() {
		data, err := pixelsOf(s, shot)
		if data == nil && err == nil {
			data, err = recipe.EncodePNG(shot.PictureReady, model, embed)
		}
		path := ""
		if err == nil {
			path, err = to(data)
		}
		if err == nil && path != "" {
			w.filed(shot, path, data, ours)
		}
		return func() {
			if err != nil || path != "" {
				w.changeSame(shot, func(s *state.Shot) {
					if s.SaveErr = err; err == nil {
						s.Path, s.Unsaved, s.Pixels = path, false, false
					}
				})
			}
			w.refresh()
		}
	})
}

// pixelsOf reads the file of a picture that the history keeps; nil where it keeps none.
func pixelsOf(s *history.Store, shot state.Shot) ([]byte, error) {
	if s == nil || !shot.Pixels {
		return nil, nil
	}
	return s.Pixels(shot.Kept)
}

// changeSame changes the shots of the same picture.
func (w *Window) changeSame(shot state.Shot, change func(*state.Shot)) {
	w.state.Shots = slices.Clone(w.state.Shots)
	for i := range w.state.Shots {
		if s := &w.state.Shots[i]; shot.Kept != 0 && s.Kept == shot.Kept || shot.Image != nil && s.Image == shot.Image {
			change(s)
		}
	}
}

// filed journals where a picture is that was in no file: data is what is in it.
func (w *Window) filed(shot state.Shot, path string, data []byte, ours bool) {
	sum := ""
	if ours {
		sum = files.Sum(data)
	}
	if shot.Kept == 0 {
		w.journal.Saved(shot.PictureReady, path, sum, func(uint64) {}) // if its round is recorded
		return
	}
	w.journal.Filed(shot.Kept, path, sum)
}

// sweep removes what programs that were killed have left, in the history's folders and among the pictures.
func (w *Window) sweep(s *history.Store) {
	folder := w.pictures()
	w.background(func() func() {
		_, _ = s.Sweep() // what is in the way today is tried again at the next start
		folders := 0
		_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return nil
			}
			if folders++; folders > mostSwept || path != folder && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			files.Sweep(path)
			return nil
		})
		return nil
	})
}

// mostSwept is in how many folders of pictures is looked: names have folders for days and prompts, not for every picture.
const mostSwept = 2000

// closing

// leaving says what closing the window now means for what is under way; "" where nothing is.
func (w *Window) leaving() string {
	var text string
	add := func(s string) {
		if text != "" {
			text += "\n"
		}
		text += s
	}
	for _, t := range w.state.Shelf.Tasks {
		if t.Check == "" && !t.Ending && t.Get == nil { // a download goes on at the next start
			add(i18n.T("%s is being imported. What has been imported so far will be lost; your checkpoints stay as they are.", t.Name))
			break
		}
	}
	if rest := w.state.Rest(); len(rest) > 0 {
		made := ""
		if n := w.state.Run.Pictures; n > 1 {
			made = fmt.Sprint(" ", i18n.T("(%d of %d)", len(rest), n))
		}
		if w.state.History.Open {
			add(i18n.N(len(rest), "%d picture has not been made yet%s. It stays in the queue until the next start.",
				"%d pictures have not been made yet%s. They stay in the queue until the next start.", len(rest), made))
		} else {
			add(i18n.N(len(rest), "%d picture has not been made yet%s.", "%d pictures have not been made yet%s.", len(rest), made))
		}
	}
	if n := w.state.Losing(); n > 0 {
		add(i18n.N(n, "%d picture has no file yet and will be lost when the window closes.",
			"%d pictures have no file yet and will be lost when the window closes.", n))
	}
	return text
}

// askClose closes the window; it asks where something under way would end.
func (w *Window) askClose() {
	if text := w.leaving(); text != "" && !w.closing && w.win.Canvas().Overlays().Top() == nil {
		w.Ask(i18n.T("Close Realword?"), text, i18n.T("Close"), w.Close)
		return
	}
	w.Close()
}
