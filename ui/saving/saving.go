package saving

import (
	"errors"
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
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Bar says over all rooms which pictures are in no file, and where they are kept, whichever picture is looked at, and offers to write
// them: under the picture a low window has no room for it.
type Bar struct {
	*fyne.Container
	saver        *Saver
	Text         *widget.Label
	Retry, Other *kit.Button
}

func newBar(v *Saver) *Bar {
	u := &Bar{saver: v, Text: widget.NewLabel("")}
	u.Text.Wrapping = fyne.TextWrapWord
	u.Retry = kit.NewButton(i18n.T("Try again"), v.Again)
	u.Other = kit.NewButton(i18n.T("Save as…"), v.As)
	icon := widget.NewIcon(theme.NewWarningThemedResource(theme.WarningIcon()))
	u.Container = container.New(kit.Inset{X: 0, Y: 4}, container.NewStack(kit.NewPlate(kit.ColorRaised, theme.ColorNameWarning, 8),
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(icon), kit.NewRow(6, u.Retry, u.Other), u.Text))))
	u.Hide()
	return u
}

// unsavedText is what is said of the pictures that are in no file: of the one in view first; "" where all are in files.
func unsavedText(s state.State) string {
	n, why := 0, error(nil)
	for _, shot := range s.Shots {
		if shot.Unsaved {
			if n++; !errors.Is(shot.SaveErr, state.ErrNoFile{}) {
				why = shot.SaveErr
			}
		}
	}
	shot := s.Shot()
	switch {
	case n == 0:
		return ""
	case (shot == nil || !shot.Unsaved) && why == nil: // the reasons are forgotten, and "this picture" would be the one in view
		return i18n.N(n, "%d picture is in no file.", "%d pictures are in no file.", n)
	case shot == nil || !shot.Unsaved:
		return i18n.N(n, "%d picture is in no file. %s", "%d pictures are in no file. %s", n, wording.Sentence(why))
	case n > 1:
		return saidOf(*shot) + " " + i18n.N(n-1, "%d other picture is in no file either.",
			"%d other pictures are in no file either.", n-1)
	}
	return saidOf(*shot)
}

// saidOf is what is said of one picture that is in no file.
func saidOf(s state.Shot) string {
	if s.Pixels {
		return i18n.T("%s The picture is kept in this session.", wording.Sentence(s.SaveErr))
	}
	return i18n.T("%s The picture exists only in this window: save it before you close.", wording.Sentence(s.SaveErr))
}

// Shows is what the bar shows.
func (u *Bar) Shows(s state.State) []any {
	shot := s.Shot()
	return []any{unsavedText(s), shot != nil && shot.Unsaved}
}

// Follow makes the bar equal to the state.
func (u *Bar) Follow() {
	s := u.saver.host.State()
	text, shot := unsavedText(s), s.Shot()
	other := u.saver.host.SaveFile == nil || shot == nil || !shot.Unsaved
	if u.Text.Text == text && u.Hidden == (text == "") && u.Other.Hidden == other {
		return
	}
	u.Other.Hidden = other
	u.Text.SetText(text)
	u.Hidden = text == ""
	u.Refresh()
	u.saver.host.OnHeight()
}

// folderAndName are where a picture goes that is saved now.
func (v *Saver) folderAndName(seed uint64, r inference.Request, model string) (folder, name string) {
	n := state.Naming{At: time.Now(), Seed: seed, Prompt: r.Prompt, Model: model}
	for _, s := range r.Subjects {
		n.Words = append(n.Words, s.Word.Text)
	}
	sub, name := state.FileName(v.host.FileName(), n)
	return filepath.Join(v.host.Folder(), filepath.FromSlash(sub)), name
}

// Again writes the pictures that are in no file into the pictures folder.
func (v *Saver) Again() {
	for _, shot := range v.host.State().Shots {
		if shot.Unsaved {
			folder, name := v.folderAndName(shot.Seed, shot.Recipe, shot.Model)
			v.write(shot, true, func(data []byte) (string, error) { return files.WriteUnique(folder, name, ".png", data) })
		}
	}
}

// write gives a picture that is in no file one, unless it is being given one. ours tells that the file belongs to the history, as any in
// the pictures folder: of those one is written after the other.
func (v *Saver) write(shot state.Shot, ours bool, to func(data []byte) (path string, err error)) {
	same := func(s state.Shot) bool {
		return shot.Kept != 0 && s.Kept == shot.Kept || shot.Image != nil && s.Image == shot.Image
	}
	if slices.ContainsFunc(v.writing, same) {
		return
	}
	v.writing = append(v.writing, shot)
	file := v.fileOf(shot)
	v.host.Background(func() func() {
		if ours {
			v.turn.Lock()
			defer v.turn.Unlock()
		}
		data, err := file()
		path := ""
		if err == nil {
			path, err = to(data)
		}
		if err == nil && path != "" {
			v.filed(shot, path, data, ours)
		}
		return func() {
			v.writing = slices.DeleteFunc(v.writing, same)
			if err == nil && path == "" {
				return // the user changed their mind
			}
			v.changeShots(same, func(s *state.Shot) {
				if s.SaveErr = err; err == nil {
					s.Path, s.Unsaved, s.Pixels = path, false, false
				}
			})
		}
	})
}

// changeShots changes the shots that are meant; none, where they are gone.
func (v *Saver) changeShots(meant func(state.Shot) bool, change func(*state.Shot)) {
	v.host.Change(func(s *state.State) {
		s.Shots = slices.Clone(s.Shots)
		for i := range s.Shots {
			if meant(s.Shots[i]) {
				change(&s.Shots[i])
			}
		}
	})
}

// fail says why something cannot be done; nil takes back what was said.
func (v *Saver) fail(err error) { v.host.Change(func(s *state.State) { s.ActionErr = err }) }

// tell says under the picture what was done with it, or why it was not.
func (v *Saver) tell(err error, done string) {
	v.host.Change(func(s *state.State) {
		if s.ActionErr = err; err == nil {
			s.Told = s.Tell(done)
		}
	})
}

// filed journals where a picture is that was in no file: data is what is in it.
func (v *Saver) filed(shot state.Shot, path string, data []byte, ours bool) {
	sum := ""
	if ours {
		sum = files.Sum(data)
	}
	if shot.Kept == 0 {
		v.host.Journal.Saved(shot.PictureReady, path, sum, func(uint64) {}) // if its job is recorded
		return
	}
	v.host.Journal.Filed(shot.Kept, path, sum)
}

// Sweep begins with a history: no name is given again that one of its pictures has, and what programs that were killed have left is
// removed, in the history's folders, among the pictures, and of what was lent.
func (v *Saver) Sweep(s *history.Store) {
	folder := v.host.Folder()
	v.host.Background(func() func() {
		list, _ := s.Files() // of a damaged one, those that are there
		for _, path := range list {
			files.Known(path)
		}
		files.SweepScratch(lentBase)
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

// Save writes a finished picture into the pictures folder, under the name that the preferences say.
func (v *Saver) Save(ready inference.PictureReady) {
	model, embed := *v.host.State().Model, v.host.Embed()
	made := func(s state.Shot) bool { return s.Image == ready.Image }
	folder, name := v.folderAndName(ready.Seed, ready.Recipe, model.Name)
	v.host.Background(func() func() {
		path := ""
		data, err := recipe.EncodePNG(ready, model, embed)
		if err != nil { // of a recipe that does not fit into a picture: better without than not at all
			data, err = recipe.EncodePNG(ready, model, recipe.Embed{Nothing: true})
		}
		if err == nil {
			path, err = files.WriteUnique(folder, name, ".png", data)
		}
		if err == nil {
			v.host.Journal.Saved(ready, path, files.Sum(data), func(id uint64) {
				v.host.Post(func() { v.changeShots(made, func(s *state.Shot) { s.Kept = id }) }) // the tree has one more
			})
		} else {
			v.host.Journal.Unsaved(ready, data, func(id uint64) {
				v.host.Post(func() { v.changeShots(made, func(s *state.Shot) { s.Kept, s.Pixels = id, true }) })
			})
		}
		return func() {
			v.changeShots(made, func(s *state.Shot) { s.Path, s.SaveErr, s.Unsaved = path, err, err != nil })
		}
	})
}

// As writes the picture in view to where the user wants it, with its recipe as the preferences say; see fileOf.
func (v *Saver) As() {
	shot := v.host.State().Shot()
	if shot == nil || v.host.SaveFile == nil {
		return
	}
	file := v.fileOf(*shot)
	name := fmt.Sprintf("realword-%d.png", shot.Seed)
	if shot.Unsaved || shot.Pixels {
		v.write(*shot, false, func(data []byte) (string, error) {
			path, err := v.host.SaveFile(name)
			if err == nil && path != "" {
				err = files.Write(path, 0, data)
			}
			return path, err
		})
		return
	}
	if shot.Path != "" {
		name = filepath.Base(shot.Path)
	}
	step := v.stepInView()
	v.host.Background(func() func() {
		path, err := v.host.SaveFile(name)
		if err == nil && path != "" {
			var data []byte
			if data, err = file(); err == nil {
				err = files.Write(path, 0, data)
			}
		}
		return func() {
			if path == "" {
				v.fail(err)
				return
			}
			done := i18n.T("Saved as %s", wording.Path(path))
			if step {
				done = i18n.T("The finished picture is saved as %s", wording.Path(path))
			}
			v.tell(err, done)
		}
	})
}

// stepInView tells whether a step is seen in place of the finished picture, which is what is saved and copied.
func (v *Saver) stepInView() bool {
	s := v.host.State()
	return s.Shot() != nil && s.Shown() != nil
}

// reveal opens the folder of the picture in view.
func (v *Saver) reveal() {
	folder := v.host.Folder()
	if shot := v.host.State().Shot(); shot != nil && shot.Path != "" {
		folder = filepath.Dir(shot.Path)
	}
	v.Show(folder)
}

// Show opens a folder in the system's file manager.
func (v *Saver) Show(folder string) {
	v.host.Background(func() func() {
		err := v.host.Reveal(folder)
		if err != nil {
			err = i18n.Errorf("the folder %s cannot be shown: %w", folder, err)
		}
		return func() { v.fail(err) }
	})
}

// Actions are what is done with the file of the picture in view.
func (v *Saver) Actions() []command.Action {
	return append([]command.Action{
		{
			ID: "file.save", Menu: command.MenuFile, Label: i18n.T("Save the picture as…"),
			About: i18n.T("Saves a copy of the picture elsewhere."), Key: "Ctrl+S", Do: v.As,
			Can: func() bool { return v.host.SaveFile != nil && v.host.State().Shot() != nil },
		},
		{
			ID: "picture.show", Label: i18n.T("Show in folder"), Do: v.reveal,
			Can: func() bool { shot := v.host.State().Shot(); return shot != nil && shot.Path != "" },
		},
		{
			ID: "file.folder", Menu: command.MenuFile, Label: i18n.T("Open the pictures folder"),
			About: i18n.T("Opens the folder of the picture in the file manager."), Do: v.reveal,
		},
	}, v.copyActions()...)
}
