package settings

import (
	"context"
	"errors"
	"maps"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/inference"
	"realword/inference/lora"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// LoRATeller knows whether a LoRA fits the open model.
type LoRATeller interface {
	LoRA(ctx context.Context, name string) (inference.LoRA, error)
}

// LoRAs is the list of LoRAs: one row for each, with its weight, a check that leaves it out, and what is wrong with it.
type LoRAs struct {
	host Host
	done func() // what has changed is to be laid out
	box  *fyne.Container
	rows *fyne.Container
	Add  *kit.Button
	Rows []*LoRARow

	notes map[loraNote]*told // what is known of a LoRA with a model; an entry that is asked for is empty
}

// told is what is known of a LoRA's file.
type told struct {
	wrong string // "": nothing
	sum   string // SHA-256; "": not known
}

// loraNote is a LoRA with the engine of a model.
type loraNote struct {
	teller LoRATeller
	name   string
	sum    string
}

// LoRARow is one LoRA.
type LoRARow struct {
	name   string
	box    *fyne.Container
	On     *kit.Check
	Value  *kit.Line
	Slider *kit.Slider
	number *kit.Number
	Note   *kit.Below
	Remove *kit.IconButton
}

func newLoRAs(h Host, done func()) *LoRAs {
	l := &LoRAs{host: h, done: done, rows: kit.NewColumn(6), notes: map[loraNote]*told{}}
	l.Add = h.Layers.MenuButton(i18n.T("Add a LoRA"), theme.ContentAddIcon(), l.items).
		Explain(i18n.T("A small file that teaches the model a style or a subject."))
	l.box = kit.NewColumn(2, l.rows, l.Add)
	l.box.Hide()
	return l
}

// uses are the LoRAs of the form.
func (l *LoRAs) uses() []lora.Use {
	uses, _ := lora.Parse(l.host.State().Form.LoRAs) // what cannot be read is reported by a run
	return uses
}

// change changes the LoRAs of the form.
func (l *LoRAs) change(how func([]lora.Use) []lora.Use) {
	text := lora.Format(how(l.uses()))
	if text != l.host.State().Form.LoRAs {
		l.host.Change(func(st *state.State) { st.Form.LoRAs = text })
	}
}

// set changes one LoRA.
func (l *LoRAs) set(name string, how func(*lora.Use)) {
	l.change(func(uses []lora.Use) []lora.Use {
		for i := range uses {
			if uses[i].Name == name {
				how(&uses[i])
			}
		}
		return uses
	})
}

// Put adds a LoRA to the list, or turns it on.
func (l *LoRAs) Put(name string) {
	l.forget(name)
	l.change(func(uses []lora.Use) []lora.Use {
		if i := slices.IndexFunc(uses, func(u lora.Use) bool { return u.Name == name }); i >= 0 {
			uses[i].Off, uses[i].SHA256 = false, "" // whatever file has the name now
			return uses
		}
		return append(uses, lora.Use{Name: name, Weight: 1})
	})
	l.refresh()
}

// forget has a LoRA looked at again: its drive may be back, or another file may have its name.
func (l *LoRAs) forget(name string) {
	maps.DeleteFunc(l.notes, func(k loraNote, _ *told) bool { return k.name == name })
}

// mostItems is how many LoRAs the menu offers; of more, those that were dropped or are typed by their file are found as well.
const mostItems = 40

// items are what the button offers: the LoRAs of the folder that are not in the list, and a file.
func (l *LoRAs) items() (items []*fyne.MenuItem) {
	uses := l.uses()
	for _, f := range l.host.Library.Files() {
		name := f.Name
		if len(items) == mostItems || slices.ContainsFunc(uses, func(u lora.Use) bool { return u.Name == name }) {
			continue
		}
		items = append(items, fyne.NewMenuItem(state.Shorten(name, 40), func() { l.Put(name) }))
	}
	if len(items) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	file := fyne.NewMenuItem(i18n.T("From a file…"), l.ask)
	file.Disabled = l.host.OpenLoRA == nil
	return append(items, file)
}

// ask asks for a file.
func (l *LoRAs) ask() {
	up := l.host.State().History.Up
	l.host.Background(func() func() {
		path, err := l.host.OpenLoRA()
		return func() {
			switch {
			case err != nil:
				l.host.Say(wording.Sentence(err), true)
			case path != "":
				l.take(up, []string{path}, func([]string) {
					l.host.Say(wording.Sentence(notOne(path)), true)
				})
			}
		}
	})
}

// notOne says why a file is no LoRA.
func notOne(path string) error {
	f, err := lora.Open(path)
	if err == nil {
		err = f.Close()
	}
	return err
}

// Drop takes LoRA files into the folder, and into the list unless another session comes up meanwhile, and says which it cannot take. other
// is called with the files that are none, if there are such.
func (l *LoRAs) Drop(paths []string, other func(paths []string)) {
	l.take(l.host.State().History.Up, paths, other)
}

// take is Drop for the session that was up as the files were asked for.
func (l *LoRAs) take(up int, paths []string, other func(paths []string)) {
	l.host.Background(func() func() {
		var names, rest []string
		var problem error
		for _, path := range paths {
			err := notOne(path)
			if err != nil && !lora.Damaged(err) {
				rest = append(rest, path)
				continue
			}
			name := ""
			if err == nil {
				name, err = l.host.Library.Take(path)
			}
			if err != nil {
				problem = errors.Join(problem, err)
				continue
			}
			names = append(names, name)
		}
		return func() {
			same := l.host.State().History.Up == up
			for _, name := range names {
				if same {
					l.Put(name)
				}
			}
			if len(names) > 0 && !same {
				l.host.Say(i18n.T("Another session has come up meanwhile. The LoRA is under “Add a LoRA” now."), false)
			}
			if problem != nil {
				l.host.Say(wording.Sentence(problem), true)
			}
			if len(rest) > 0 {
				other(rest)
			}
		}
	})
}

// refresh makes the list equal to the state.
func (l *LoRAs) refresh() {
	uses := l.uses()
	if !slices.EqualFunc(uses, l.Rows, func(u lora.Use, r *LoRARow) bool { return u.Name == r.name }) {
		l.Rows = nil
		l.rows.RemoveAll()
		for _, u := range uses {
			r := l.row(u.Name)
			l.Rows = append(l.Rows, r)
			l.rows.Add(r.box)
		}
		l.done()
	}
	for i, u := range uses {
		if l.Rows[i].show(u, l.note(u, uses[:i])) {
			l.done()
		}
	}
	l.rows.Hidden, l.Add.Hidden = len(uses) == 0, l.host.Library == nil
	if hidden := l.rows.Hidden && l.Add.Hidden; l.box.Hidden != hidden {
		l.box.Hidden = hidden
		l.done()
	}
}

func (l *LoRAs) row(name string) *LoRARow {
	r := &LoRARow{name: name, Value: kit.Caption(""), Note: kit.NewBelow(theme.ColorNameError), Slider: kit.NewSlider(lora.MinWeight, lora.MaxWeight)}
	r.Value.Color = theme.ColorNameForeground
	r.On = kit.NewCheck(state.Shorten(name, 28), func(on bool) {
		l.forget(name)
		l.set(name, func(u *lora.Use) { u.Off = !on })
	}).
		Explain(state.Shorten(name, 60) + "\n" + i18n.T("Untick it to leave it out for now."))
	r.Slider.Explain(func() string {
		return i18n.T("How strongly it acts: 1 is as it was made, 0 is not at all, below 0 is the opposite.")
	})
	r.Slider.Step = 0.05
	r.Slider.OnChanged = func(v float64) {
		l.set(name, func(u *lora.Use) { u.Weight = float64(int(v*100+1000.5)-1000) / 100 })
	}
	r.Remove = kit.SmallButton(i18n.T("Remove the LoRA"), theme.CancelIcon(), func() {
		l.change(func(uses []lora.Use) []lora.Use {
			return slices.DeleteFunc(uses, func(u lora.Use) bool { return u.Name == name })
		})
	})
	r.number = kit.NewNumber(r.Value, r.Slider, func(v float64) string { return i18n.Number("%.2f", v) })
	r.box = kit.NewColumn(0, container.NewBorder(nil, nil, nil, kit.NewRow(0, r.number, r.Remove), r.On), kit.Track(r.Slider),
		container.New(kit.Inset{X: 4, Y: 0}, r.number.Said), container.New(kit.Inset{X: 4, Y: 0}, r.Note))
	return r
}

// show makes the row equal to a LoRA of the form. It tells whether it has another height.
func (r *LoRARow) show(u lora.Use, note string) (taller bool) {
	if r.On.Checked == u.Off {
		r.On.Checked = !u.Off
		r.On.Refresh()
	}
	if r.Slider.Value != u.Weight {
		r.Slider.Value = u.Weight
		r.Slider.Refresh()
	}
	r.number.Follow()
	r.Value.Set(i18n.Number("%.2f", u.Weight))
	return r.Note.Set(note, theme.ColorNameError)
}

// note says what is wrong with a LoRA that stands behind others.
func (l *LoRAs) note(u lora.Use, others []lora.Use) string {
	mine := l.told(u)
	for _, other := range others {
		if mine.sum != "" && l.told(other).sum == mine.sum { // no job begins with both
			return i18n.T("This is the same file as %s: leave one out, and add the weights.", state.Shorten(other.Name, 28))
		}
	}
	return mine.wrong
}

// told is what is known of a LoRA that is used. Its file is read elsewhere, once for every model until it is added or ticked again.
func (l *LoRAs) told(u lora.Use) told {
	teller := l.host.LoRAs()
	if teller == nil || u.Off {
		return told{}
	}
	key := loraNote{teller, u.Name, u.SHA256}
	if known := l.notes[key]; known != nil {
		return *known
	}
	entry := &told{}
	l.notes[key] = entry
	l.host.Background(func() func() {
		seen, err := teller.LoRA(context.Background(), u.Name)
		now := told{sum: seen.SHA256}
		switch {
		case err != nil:
			now = told{wrong: wording.Sentence(err)}
		case seen.Unscaled:
			now.wrong = i18n.T("How strong it is made to be is not known: its file adapter_config.json is missing.")
		case seen.Stray > 0:
			now.wrong = i18n.T("%d of its %d parts fit nothing in this model.", seen.Stray, seen.Parts)
		}
		return func() {
			*entry = now
			l.refresh()
		}
	})
	return told{}
}
