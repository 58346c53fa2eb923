package stage

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
	over  [][]picture.Layer // what lies over each step; nil: nothing
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
func (p *Panel) copyFilm() (f filmCopy, ok bool) {
	s := p.host.State()
	film, _ := s.Film()
	f = filmCopy{
		steps: film, words: s.WordNames(s.FilmSubjects()), size: s.PictureSize(), lens: p.lens, dress: s.Dress(),
	}
	f.lens.held = false
	if f.lens.steps {
		for s.View.Step = range film {
			f.over = append(f.over, f.lens.over(s))
		}
	}
	if shot := s.Shot(); shot != nil && shot.Image != nil {
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
	digits := 2
	if n := len(f.steps); n > 0 && f.steps[n-1].Step >= 99 {
		digits = 4
	}
	for _, step := range f.steps {
		number := fmt.Sprintf("step-%0*d", digits, step.Step+1)
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
		if f.over != nil {
			s.masks, s.mode, s.opacity = f.over[i], f.lens.mode, f.lens.opacity
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
func (p *Panel) exportSteps() {
	f, ok := p.copyFilm()
	if !ok || p.host.OpenFolder == nil {
		return
	}
	s := p.host.State()
	name := s.FilmName() + "-steps"
	p.host.Background(func() func() {
		folder, err := p.host.OpenFolder()
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
			p.tell(err, i18n.T("%s are in %s", i18n.N(written, "%d file", "%d files", written), wording.Path(into)))
		}
	})
}

// exportFilm writes the film of what is in view as one animated picture.
func (p *Panel) exportFilm() {
	f, ok := p.copyFilm()
	if !ok || p.host.SaveFile == nil {
		return
	}
	s := p.host.State()
	name := s.FilmName() + "-film.png"
	p.host.Background(func() func() {
		path, err := p.host.SaveFile(name, f.animation)
		if err == nil && path == "" {
			return nil
		}
		return func() { p.tell(err, i18n.T("The film is saved as %s", wording.Path(path))) }
	})
}

// tell says under the picture what was done with it, or why it was not.
func (p *Panel) tell(err error, done string) {
	p.host.Change(func(s *state.State) {
		if s.ActionErr = err; err == nil {
			s.Told = s.Tell(done)
		}
	})
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
