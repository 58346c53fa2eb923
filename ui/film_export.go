package ui

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// filmCopy is a film as it is written into files, with the words and styles of its subjects. It is a value for another
// goroutine; nothing in it is written again.
type filmCopy struct {
	steps []inference.StepDone
	final image.Image // the finished picture, or nil
	words []string
	size  image.Point // of the finished picture in pixels
	lens  lens
	masks bool // the film shows masks
	dress state.Dress
}

// filmFile is one file of an exported film.
type filmFile struct {
	name string
	data []byte
}

// Frames of the animated film are shown so long, its last one longer, and are at most so large.
const (
	frameTime = 160 * time.Millisecond
	lastTime  = 2 * time.Second
	frameSide = 768
)

// copyFilm takes the film of what is in view; ok is false where there is none.
func (w *Window) copyFilm() (f filmCopy, ok bool) {
	film, _ := w.state.Film()
	f = filmCopy{
		steps: film, words: w.state.WordNames(w.state.FilmSubjects()), size: w.state.PictureSize(), lens: w.lens, masks: w.lens.steps,
		dress: w.state.Dress(),
	}
	f.lens.held = false
	if shot := w.state.Shot(); shot != nil && shot.Image != nil {
		f.final = shot.Image
	}
	return f, len(film) > 0 && f.size.X > 0 && film[0].Preview != nil
}

// files are the previews of all steps in their own size and the masks in that of the picture, 8 bit, under names that sort by step. Each
// is handed to write as soon as it is made.
func (f filmCopy) files(write func(filmFile) error) error {
	put := func(name string, img image.Image) error {
		data, err := picture.Encode(img, picture.Metadata{})
		if err != nil {
			return err
		}
		return write(filmFile{name, data})
	}
	for _, step := range f.steps {
		number := fmt.Sprintf("step-%02d", step.Step+1)
		if step.Preview != nil {
			if err := put(number+".png", step.Preview); err != nil {
				return err
			}
		}
		for j, s := range step.Subjects {
			if len(s.Mask) == 0 {
				continue
			}
			data, err := picture.Grid{Width: step.GridWidth, Height: step.GridHeight, Values: s.Mask}.EncodeGrey(8, f.size)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s-mask-%s", number, kit.SubjectLetter(f.dress.Of(j)))
			if j < len(f.words) {
				name = strings.TrimSuffix(name+"-"+files.Words(strings.ToLower(f.words[j]), 60), "-")
			}
			if err := write(filmFile{name + ".png", data}); err != nil {
				return err
			}
		}
	}
	if f.final != nil {
		return put("picture.png", f.final)
	}
	return nil
}

// animation is the film as an animated PNG file: each step as the stage shows it, then the finished picture.
func (f filmCopy) animation() ([]byte, error) {
	scale := min(1, float64(frameSide)/float64(max(f.size.X, f.size.Y)))
	width, height := max(int(float64(f.size.X)*scale), 1), max(int(float64(f.size.Y)*scale), 1)
	var frames []picture.Frame
	add := func(s scene, long time.Duration) {
		if img := s.paint(); img != nil {
			frames = append(frames, picture.Frame{Image: img, For: long})
		}
	}
	for i := range f.steps {
		if f.steps[i].Preview == nil {
			continue
		}
		s := whole(f.steps[i].Preview, width, height)
		if f.masks {
			s.masks, s.mode, s.opacity = f.lens.layersOf(&f.steps[i], f.dress), f.lens.mode, f.lens.opacity
		}
		add(s, frameTime)
	}
	if f.final != nil {
		add(whole(f.final, width, height), lastTime)
	}
	if len(frames) > 0 {
		frames[len(frames)-1].For = lastTime
	}
	return picture.EncodeAnimation(frames)
}

// exportSteps writes every step of what is in view into a new folder inside of one that the user chooses.
func (w *Window) exportSteps() {
	f, ok := w.copyFilm()
	if !ok || w.opt.OpenFolder == nil {
		return
	}
	name := w.state.FilmName() + "-steps"
	w.background(func() func() {
		folder, err := w.opt.OpenFolder()
		if err == nil && folder == "" {
			return nil
		}
		into := filepath.Join(folder, name)
		written := 0
		if err == nil {
			into, err = newFolder(into)
		}
		if err == nil {
			err = f.files(func(file filmFile) error {
				written++
				return files.Write(filepath.Join(into, file.name), files.New, file.data)
			})
		}
		return func() {
			if w.state.ActionErr = err; err == nil {
				w.state.Told = w.state.Tell(i18n.T("%s are in %s", i18n.N(written, "%d file", "%d files", written), wording.Path(into)))
			}
			w.refresh()
		}
	})
}

// exportFilm writes the film of what is in view as one animated picture.
func (w *Window) exportFilm() {
	f, ok := w.copyFilm()
	if !ok || w.opt.SaveFile == nil {
		return
	}
	name := w.state.FilmName() + "-film.png"
	w.background(func() func() {
		path, err := w.opt.SaveFile(name)
		if err == nil && path == "" {
			return nil
		}
		var data []byte
		if err == nil {
			data, err = f.animation()
		}
		if err == nil {
			_, err = replaceFile(path, data)
		}
		return func() {
			if w.state.ActionErr = err; err == nil {
				w.state.Told = w.state.Tell(i18n.T("The film is saved as %s", wording.Path(path)))
			}
			w.refresh()
		}
	})
}

func (w *Window) filmActions() []command.Action {
	film := func() bool { _, ok := w.copyFilm(); return ok }
	return []command.Action{
		{
			ID: "file.export.steps", Menu: command.MenuFile, Label: i18n.T("Export all steps…"), Key: "Ctrl+Shift+E", Do: w.exportSteps,
			Can: func() bool { return w.opt.OpenFolder != nil && film() },
		},
		{
			ID: "file.export.film", Menu: command.MenuFile, Label: i18n.T("Export the film…"), Key: "Ctrl+E", Do: w.exportFilm,
			Can: func() bool { return w.opt.SaveFile != nil && film() },
		},
	}
}

// newFolder makes a folder that was not there: at a path, or with a number behind it.
func newFolder(path string) (string, error) {
	for n := 1; n < 1000; n++ {
		try := path
		if n > 1 {
			try = fmt.Sprintf("%s-%d", path, n)
		}
		switch err := os.Mkdir(try, 0o777); {
		case err == nil:
			return try, nil
		case !errors.Is(err, fs.ErrExist):
			return "", i18n.Errorf("the folder %s cannot be made: %w", filepath.Base(try), state.Reason(err))
		}
	}
	return "", i18n.Errorf("there are too many folders called %s: choose another place", filepath.Base(path))
}
