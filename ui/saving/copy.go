package saving

import (
	"realword/history/journal"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/state"
)

// fileOf is the file of a picture, with its recipe as the preferences say by now: as it was written, where that says so. Of a picture of
// another model than the open one the recipe cannot be written anew: it is as it was written, or there is none. The answer is slow.
func (v *Saver) fileOf(shot state.Shot) func() ([]byte, error) {
	s, model, embed := v.host.Journal.Store(), v.maker(shot), v.host.Embed()
	m := v.host.State().Model
	known := m != nil && m.Named(shot.Model)
	return func() ([]byte, error) {
		data, err := state.FileOf(shot, s)
		if data != nil && !embed.Nothing {
			said, foreign, err := recipe.Read(data)
			its := err == nil && !foreign && recipe.Differs(said.Request, shot.Recipe, false) == ""
			if !known || its && said.Fits(embed) || !its && !whole(shot) {
				return data, nil
			}
			if its {
				embed.Program = said.Program // that made the picture
			}
		}
		ready := shot.PictureReady
		switch {
		case whole(shot):
		case err != nil:
			return nil, err
		case data == nil:
			return nil, state.ErrStopped{}
		default:
			if ready.Image, _, err = picture.Decode(data, picture.DefaultLimits); err != nil {
				return nil, err
			}
		}
		ready.Recipe = journal.WithFiles(s, ready.Recipe)
		return recipe.EncodePNG(ready, model, embed)
	}
}

// whole tells whether the pixels of a picture are at hand: not its thumbnail or a preview, which the stage shows where it has no others.
func whole(s state.Shot) bool { return s.Image != nil && (s.Unsaved || s.SaveErr == nil) }

// maker is the model that made a picture, as far as it is known: all of it where it is open.
func (v *Saver) maker(shot state.Shot) bundle.Manifest {
	if m := v.host.State().Model; m != nil && (shot.Model == "" || m.Named(shot.Model)) {
		return *m
	}
	return bundle.Manifest{Name: shot.Model}
}

// copyWith hands something of the picture in view to the system's clipboard, and says how that went under the picture.
func (v *Saver) copyWith(give func() error, done string) {
	v.host.Background(func() func() {
		err := give()
		return func() { v.tell(err, done) }
	})
}

// Copy puts the picture in view into the clipboard.
func (v *Saver) Copy() {
	if shot := v.host.State().Shot(); shot != nil && v.host.CopyImage != nil {
		file, done := v.fileOf(*shot), i18n.T("The picture is in the clipboard.")
		if v.stepInView() {
			done = i18n.T("The finished picture is in the clipboard.")
		}
		v.copyWith(func() error {
			data, err := file()
			if err == nil {
				err = v.host.CopyImage(data)
			}
			return err
		}, done)
	}
}

// copyFile puts the file of the picture in view into the clipboard, for a file manager or another program to paste.
func (v *Saver) copyFile() {
	if path := v.path(); path != "" && v.host.CopyFiles != nil {
		done := i18n.T("The file is in the clipboard.")
		if v.stepInView() {
			done = i18n.T("The file of the finished picture is in the clipboard.")
		}
		v.copyWith(func() error {
			if _, err := state.Stat(path); err != nil {
				return err
			}
			return v.host.CopyFiles([]string{path})
		}, done)
	}
}

// lentBase is how the folders are called in which files are lent.
const lentBase = "lent"

// Lend is a file, for another program to take, of a picture that the history keeps in place of one. It is there until Return.
func (v *Saver) Lend(shot state.Shot) (path string, err error) {
	data, err := state.FileOf(shot, v.host.Journal.Store())
	if err == nil && data == nil {
		err = state.ErrNoFile{}
	}
	if err == nil && v.lent == "" {
		v.lent, v.takeBack, err = files.Scratch(lentBase)
	}
	if err != nil {
		return "", err
	}
	_, name := v.folderAndName(shot.Seed, shot.Recipe, shot.Model)
	return files.WriteUnique(v.lent, name, ".png", data)
}

// Return removes what was lent. It is called when the window has closed.
func (v *Saver) Return() {
	if v.lent != "" {
		v.takeBack()
	}
}

// path is the file of the picture in view; "" without one.
func (v *Saver) path() string {
	s := v.host.State()
	if shot := s.Shot(); shot != nil {
		return shot.Path
	}
	return ""
}

// copyActions hand the picture in view to other programs.
func (v *Saver) copyActions() []command.Action {
	return []command.Action{
		{
			ID: "picture.copy", Menu: command.MenuEdit, Label: i18n.T("Copy the picture"), Key: "Ctrl+C", Do: v.Copy,
			Can: func() bool {
				s := v.host.State().Shot()
				return v.host.CopyImage != nil && s != nil && (s.Path != "" || s.Image != nil)
			},
		},
		{
			ID: "picture.file", Menu: command.MenuEdit, Label: i18n.T("Copy the file"), Key: "Ctrl+Shift+C", Do: v.copyFile,
			Can: func() bool { return v.host.CopyFiles != nil && v.path() != "" },
		},
	}
}
