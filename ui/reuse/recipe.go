package reuse

import (
	"errors"
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/lora"
	"realword/inference/recipe"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// partName is how a part of a recipe is called.
func partName(p state.Part) string {
	return [state.PartCount]string{i18n.T("Prompt"), i18n.T("Subjects"), i18n.T("Settings"), i18n.T("Seed")}[p]
}

// Recipe offers the recipe of the picture in view.
func (d *Desk) Recipe() {
	if shot := d.host.State().Shot(); shot != nil {
		d.recall(*shot, func(p state.Past, small image.Image) { d.offer(p, small, "") })
	}
}

// recall reads how a picture was made; then is called on the window's goroutine.
func (d *Desk) recall(shot state.Shot, then func(state.Past, image.Image)) {
	s, see, have := d.host.Store(), d.host.Eye(), d.dataNow()
	small := d.host.Small(shot)
	name := i18n.T("seed %d", shot.Seed)
	if shot.Path != "" {
		name = filepath.Base(shot.Path)
	}
	d.host.Background(func() func() {
		r := recipe.Recipe{Schema: recipe.Schema, Request: shot.Recipe}
		if r.Model = shot.Model; r.Model == "" && see.Model != nil {
			r.Model = see.Model.Name
		}
		if shot.Kept != 0 && s != nil {
			if kept, err := journal.Recall(s, shot.Kept); err == nil {
				r = kept.Recipe
			}
		}
		p := d.lacking(state.PastOf(name, r, false, finder(have, s), see))
		return func() { then(p, small) }
	})
}

// lacking notes which LoRAs of a recipe are not here.
func (d *Desk) lacking(p state.Past) state.Past {
	if d.host.LoRAs == nil {
		return p
	}
	uses, _ := lora.Parse(p.LoRAs) // what cannot be read is said by who takes it
	for _, u := range uses {
		if _, err := d.host.LoRAs.Find(u.Name); err != nil && !u.Off {
			p.Lacks = append(p.Lacks, u.Name)
		}
	}
	return p
}

// dataNow is the bytes of the references that are in the window, or come with the program, by SHA-256.
func (d *Desk) dataNow() map[string][]byte {
	have := map[string][]byte{}
	maps.Copy(have, d.host.Samples())
	for _, c := range d.host.State().Form.Cards {
		if len(c.Ref.Data) > 0 {
			have[c.Ref.SHA256] = c.Ref.Data
		}
	}
	return have
}

// finder finds the bytes of references among those of dataNow and in the history.
func finder(have map[string][]byte, s *history.Store) func(string) []byte {
	return func(sha256 string) []byte {
		if data := have[sha256]; data != nil || s == nil {
			return data
		}
		data, err := s.ReferenceData(sha256)
		if err != nil {
			return nil
		}
		return data
	}
}

// File offers the recipe in a picture file, which the session waits for. A picture without one becomes a reference.
func (d *Desk) File(path string) {
	s, see, have := d.host.Store(), d.host.Eye(), d.dataNow()
	d.host.Change(func(s *state.State) { *s = s.Expect() })
	d.host.Background(func() func() {
		past, small, err := readPast(path, finder(have, s), see)
		past = d.lacking(past)
		return func() {
			d.host.Change(func(s *state.State) { *s = s.Came() })
			switch {
			case errors.Is(err, recipe.ErrNone) || errors.As(err, new(noPNG)):
				d.host.OnFile(path)
			case err != nil:
				d.host.Change(func(s *state.State) { s.PickErr = err })
			default:
				d.offer(past, small, path)
			}
		}
	})
}

// noPNG is the error of a file that cannot have a recipe.
type noPNG struct{ error }

// readPast reads how the picture in a file was made, and the picture made small.
func readPast(path string, find func(string) []byte, see state.Eye) (state.Past, image.Image, error) {
	name := filepath.Base(path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return state.Past{}, nil, noPNG{i18n.Errorf("%s is a folder; drop the pictures in it", name)} // its pictures are taken
	}
	data, err := state.ReadFile(path)
	if err != nil {
		return state.Past{}, nil, err
	}
	if len(data) < 8 || string(data[1:4]) != "PNG" {
		return state.Past{}, nil, noPNG{recipe.ErrNone}
	}
	r, foreign, err := recipe.Read(data)
	if errors.Is(err, recipe.ErrNone) {
		return state.Past{}, nil, err
	}
	if err != nil {
		return state.Past{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	small, err := state.ReadThumb(see.Context(), data, 2*recallThumb)
	if err != nil {
		small = nil // the recipe is worth having all the same
	}
	return state.PastOf(name, r, foreign, find, see), small, nil
}

const recallThumb = 84

// offer shows what a recipe would change before it is taken over. A file that it came from may be used as a reference instead.
func (d *Desk) offer(p state.Past, small image.Image, file string) {
	now := d.host.State()
	changes := now.Form.Changes(p, now.Model)
	which, ticked := state.AllParts, 0
	list := kit.NewColumn(10)
	var use *kit.Button
	for part := range state.PartCount {
		rows := kit.NewColumn(4)
		for _, c := range changes {
			if c.Part == part {
				rows.Add(changeRow(c))
			}
		}
		if len(rows.Objects) == 0 {
			continue
		}
		ticked++
		check := kit.NewCheck(partName(part), func(on bool) {
			if which[part] = on; on {
				ticked++
			} else {
				ticked--
			}
			kit.Enable(use, ticked > 0)
		})
		check.Checked = true
		list.Add(kit.NewColumn(2, check, container.New(kit.Inset{X: 26, Y: 0}, rows)))
	}
	text := widget.NewLabel(offerNote(p, now.Model, len(changes) > 0))
	text.Wrapping, text.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	head := kit.NewColumn(2, container.New(kit.Inset{X: 8, Y: 0}, kit.Heading(state.Shorten(p.Name, 48))), kit.Quiet(text))
	var closeIt func()
	if text, do := d.host.Reach(p.Model, func() { d.offer(p, small, file) }); do != nil && !p.Foreign {
		head.Add(container.NewHBox(kit.LowButton(text, theme.StorageIcon(), func() { closeIt(); do() }).
			Explain(i18n.T("The model that made this picture. The recipe comes back once it is open."))))
	}
	var top fyne.CanvasObject = head
	if small != nil {
		img := canvas.NewImageFromImage(small)
		img.FillMode, img.ScaleMode, img.CornerRadius = canvas.ImageFillContain, canvas.ImageScaleSmooth, 6
		top = container.NewBorder(nil, nil, container.New(kit.Fixed{Width: recallThumb, Height: recallThumb}, img), nil, head)
	}
	cancel := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	use = kit.NewButton(i18n.T("Use this recipe"), func() {
		closeIt()
		d.takeOver(p, which)
	})
	use.Importance = widget.HighImportance
	buttons := []fyne.CanvasObject{cancel, use}
	if file != "" {
		buttons = append([]fyne.CanvasObject{kit.NewButton(i18n.T("Use as reference instead"), func() {
			closeIt()
			d.host.OnFile(file)
		})}, buttons...)
	}
	kit.Enable(use, len(changes) > 0)
	closeIt = d.host.Layers.Sheet(i18n.T("Go back to this recipe?"), fyne.NewSize(600, 460),
		container.NewBorder(top, nil, nil, nil, kit.NewPage(container.New(kit.Inset{X: 0, Y: 10}, list))), buttons...)
}

// offerNote is what there is to say about a recipe besides its changes.
func offerNote(p state.Past, m *bundle.Manifest, changes bool) string {
	var notes []string
	if p.Foreign && p.Changed() {
		notes = append(notes, i18n.T("Another program has changed this picture. Its prompts and settings are known, its subjects and masks were lost."))
	} else if p.Foreign {
		notes = append(notes, i18n.T("Another program made this picture. Its prompts and settings are known, its subjects are not."))
	}
	if !changes {
		notes = append(notes, i18n.T("Everything is already set like this."))
	} else if !p.Foreign {
		notes = append(notes, i18n.T("This is what would change. Untick anything you want to keep as it is."))
	}
	if other := p.Unsettable(m); len(other) > 0 {
		notes = append(notes, i18n.T("It was made with settings that are not available here, so the new picture will differ: %s.",
			strings.Join(other, ", ")))
	}
	if size := p.OtherSize(m); size != nil {
		notes = append(notes, wording.Sentence(size))
	}
	for _, n := range p.Notes {
		notes = append(notes, wording.Sentence(n))
	}
	return strings.Join(notes, " ")
}

// changeRow is one change: what, old and new.
func changeRow(c state.Change) fyne.CanvasObject {
	label := func(text string, importance widget.Importance) *widget.Label {
		l := widget.NewLabel(text)
		l.Wrapping, l.SizeName, l.Importance = fyne.TextWrapWord, theme.SizeNameCaptionText, importance
		return l
	}
	what := container.New(kit.Fixed{Width: 130}, container.New(kit.Inset{X: 0, Y: 8}, fittedText(c.What)))
	if c.Missing {
		return container.NewBorder(nil, nil, what, nil, label(i18n.T("%s is not on this computer. Drop the file on the window when you have it.",
			c.New), widget.WarningImportance))
	}
	none := func(text string) string {
		if text == "" {
			return "—"
		}
		return text
	}
	arrow := kit.Caption("→")
	return container.NewBorder(nil, nil, what, nil, container.New(split{16}, kit.Quiet(label(none(c.Old), widget.LowImportance)),
		container.New(kit.Inset{X: 0, Y: 8}, arrow), label(none(c.New), widget.MediumImportance)))
}

func fittedText(text string) *kit.Fitted {
	f := kit.NewFitted(theme.ColorNamePlaceHolder)
	f.Text = text
	return f
}

// split is two objects of one width with a small one between them.
type split struct{ middle float32 }

func (s split) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	side := max((size.Width-s.middle)/2, 0)
	x := float32(0)
	for i, width := range [3]float32{side, s.middle, side} {
		objects[i].Move(fyne.NewPos(x, 0))
		objects[i].Resize(fyne.NewSize(width, size.Height))
		x += width
	}
}

func (s split) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(s.middle, max(objects[0].MinSize().Height, objects[1].MinSize().Height, objects[2].MinSize().Height))
}

// takeOver takes parts of a recipe over.
func (d *Desk) takeOver(p state.Past, which state.Parts) {
	d.host.Change(func(s *state.State) {
		s.Form = s.Form.Take(p, which, s.Model)
		s.Words = d.host.Words(s.Form.Prompt)
		s.Selected, s.Pending, s.PickErr = 0, inference.Word{}, nil
	})
}

// Part takes the prompt or the seed of the picture in view over, without asking: undo brings back what was. The recipe in hand says both,
// so that the next Generate has them; the whole of it would have its references read first.
func (d *Desk) Part(part state.Part) {
	if shot := d.host.State().Shot(); shot != nil {
		var which state.Parts
		which[part] = true
		d.takeOver(state.Past{Recipe: recipe.Recipe{Request: shot.Recipe}}, which)
	}
}

// ReferenceActions make the picture in view a reference.
func (d *Desk) ReferenceActions() []command.Action {
	return []command.Action{{
		ID: "picture.reference", Menu: command.MenuEdit, Label: i18n.T("Use as reference"),
		About: i18n.T("A word of your prompt will look like this picture."), Key: "R",
		Do: d.Reference, Can: func() bool { s := d.host.State(); return s.Shot() != nil },
	}}
}

// Actions are the keys of recipes.
func (d *Desk) Actions() []command.Action {
	shown := func() bool { s := d.host.State(); return s.Shot() != nil && s.Model != nil }
	return []command.Action{
		command.Separator(command.MenuEdit),
		{
			ID: "recall.all", Menu: command.MenuEdit, Label: i18n.T("Go back to its recipe…"),
			About: i18n.T("Shows how this picture was made, and takes back what you tick of it."), Key: "A", Do: d.Recipe, Can: shown,
		},
		{
			ID: "picture.redo", Menu: command.MenuEdit, Label: i18n.T("Redo only a subject…"),
			About: i18n.T("Makes one subject again; the rest of the picture stays to the pixel."), Key: "D", Do: d.Redo,
			Can: func() bool { return shown() && len(d.host.State().Shot().Recipe.Subjects) > 0 },
		},
		{
			ID: "picture.second", Menu: command.MenuEdit, Label: i18n.T("Second pass…"),
			About: i18n.T("Makes the picture once more, larger and finer."), Key: "Shift+D", Do: d.SecondPass, Can: shown,
		},
		{
			ID: "recall.seed", Menu: command.MenuEdit, Label: i18n.T("Use its seed"), Key: "S",
			Do: func() { d.Part(state.PartSeed) }, Can: shown,
		},
		{
			ID: "recall.prompt", Menu: command.MenuEdit, Label: i18n.T("Use its prompt"), Key: "P",
			Do: func() { d.Part(state.PartPrompt) }, Can: shown,
		},
	}
}
