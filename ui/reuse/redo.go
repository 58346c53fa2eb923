package reuse

import (
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// made is a finished picture with all that is known of how it was made.
type made struct {
	shot   state.Shot
	file   []byte
	pixels *image.NRGBA
	small  *image.NRGBA      // of at most padPixels
	was    inference.Request // with the bytes of its files, as far as they are here
	masks  []picture.Grid    // that it ended with; none where nobody has kept them
}

// size is that of the picture.
func (it made) size() image.Point { return image.Pt(it.was.Width, it.was.Height) }

// other says by which model a picture of another one is gone on with, with a blank before it; "" where it is the same.
func (it made) other(m *bundle.Manifest) string {
	if err := inference.Another(*m, it.shot.Model); err != nil {
		return " " + wording.Sentence(err)
	}
	return ""
}

// stray says that the picture has a size in which the model may draw a subject badly, with a blank before it; "" where it has not.
func (it made) stray(m *bundle.Manifest) string {
	if err := inference.StrayRedo(*m, it.size()); err != nil {
		return " " + wording.Sentence(err)
	}
	return ""
}

// plan is one way to make it again.
type plan struct {
	request inference.Request
	region  *image.Gray                         // what of it is made again, to be painted over; nil: all of it
	around  func(grow, feather int) *image.Gray // region with another margin; nil where there is none
	changes []state.Change
	err     error // why it cannot be made
}

// read reads the picture in view and how it was made; then is called on the window's goroutine. What speaks against it is said there too.
func (d *Desk) read(then func(made)) {
	s := d.host.State()
	shot := *s.Shot()
	m, store, have := *s.Model, d.host.Store(), d.dataNow()
	d.host.Background(func() func() {
		it, err := readMade(shot, m, store, finder(have, store))
		if err == nil {
			it.small = state.Within(it.pixels, padPixels).(*image.NRGBA)
		}
		return func() {
			d.host.Change(func(s *state.State) { s.ActionErr = err })
			if err == nil {
				then(it)
			}
		}
	})
}

func readMade(shot state.Shot, m bundle.Manifest, s *history.Store, find func(string) []byte) (made, error) {
	it := made{shot: shot, was: shot.Recipe.Within(m, shot.Model)}
	it.was.From, it.was.Init = nil, nil
	it.was.Subjects = inference.CloneSubjects(it.was.Subjects)
	fill(&it.was, find)
	var err error
	from := state.ReferenceOf(shot, s)
	if it.file, err = from.Read(); err == nil {
		it.pixels, _, err = picture.Decode(it.file, picture.Limits{})
	}
	if err != nil || it.pixels.Rect.Size() != it.size() {
		if shot.Stopped > 0 { // all that there is of it is a preview
			return it, i18n.Errorf("this picture was stopped before it was finished, so there is nothing to make again: generate it anew")
		}
		return it, i18n.Errorf("the file of this picture is gone, or has another size: put %s back, then try again", from.Name)
	}
	film := shot.Film
	if len(film) == 0 && s != nil && shot.Kept != 0 {
		if film, err = journal.Film(s, shot.Kept, m, shot.Recipe); err != nil {
			return it, err
		}
	}
	it.masks = journal.MasksOf(s, shot.Recipe, film)
	return it, nil
}

// Again makes the picture in view once more by its own recipe, in which change may change something. What speaks against it is said.
func (d *Desk) Again(change func(*inference.Request)) {
	s := d.host.State()
	shot := s.Shot()
	if shot == nil || s.Model == nil {
		return
	}
	it, r, find, check := *shot, shot.Recipe, finder(d.dataNow(), d.host.Store()), d.host.Resolver()
	r.From, r.Subjects = nil, inference.CloneSubjects(r.Subjects)
	if r.Init != nil {
		begin := *r.Init
		r.Init = &begin
	}
	change(&r)
	d.host.Background(func() func() {
		fill(&r, find)
		err := state.Gone(r)
		if err == nil {
			_, err = check(r)
		}
		return func() {
			d.host.Change(func(s *state.State) { s.ActionErr = err })
			if err == nil {
				d.put(it, r)
			}
		}
	})
}

// fill gives a request the bytes of its files that it has not, as far as they are found.
func fill(r *inference.Request, find func(string) []byte) {
	for _, f := range r.Files() {
		if len(*f.Data) == 0 {
			*f.Data = find(*f.SHA256)
		}
	}
}

// Redo asks which subject of the picture in view is made again, as its card has it now, while all else stays as it is.
func (d *Desk) Redo() {
	if shot := d.host.State().Shot(); shot == nil || len(shot.Recipe.Subjects) == 0 {
		return
	}
	d.read(func(it made) {
		var words []string
		for _, s := range it.was.Subjects {
			words = append(words, state.WordName(s.Word))
		}
		now, check := d.host.State(), d.host.Resolver()
		d.ask(it, question{
			title: i18n.T("Redo one subject"), what: i18n.T("Which subject is made again?"), choices: words,
			agree: i18n.T("Redo this subject"),
			note:  i18n.T("What you changed in its card — picture, word, area — and a new seed act only where it is; everything else stays to the pixel.") + it.other(now.Model) + it.stray(now.Model),
			same:  i18n.T("Nothing was changed in its card: only the seed is new."),
			paint: i18n.T("Paint over it to change where: the left button adds, the right one takes away, the wheel changes the brush."),
			edge:  newMargin(it.margin()),
		}, func(j int) plan { return redo(now, it, j, check) })
	})
}

// margin is how far around a subject of it the region goes where nobody says.
func (it made) margin() (grow, feather int) {
	if len(it.masks) == 0 {
		return 0, 0
	}
	return inference.Margin(it.masks[0], it.was.Width)
}

// redo is the plan by which one subject is made again. It is slow.
func redo(now state.State, it made, subject int, check func(inference.Request) (inference.Request, error)) plan {
	var p plan
	if p.request, p.changes = now.Redo(it.was, subject); len(it.masks) != len(it.was.Subjects) {
		p.err = i18n.Errorf("the masks of this picture are not kept, so nobody knows where its subjects are")
		return p
	}
	if p.err = inference.CanRedo(*now.Model, it.shot.Model, it.size()); p.err != nil {
		return p
	}
	p.around = func(grow, feather int) *image.Gray {
		return inference.RegionOf(it.masks, subject, it.was.Width, it.was.Height, grow, feather)
	}
	region := p.around(it.margin())
	if region == nil || slices.Max(region.Pix) == 0 {
		name := state.WordName(it.was.Subjects[subject].Word)
		p.err = i18n.Errorf("“%s” has no mask in this picture, so there is nothing to make again", name)
		return p
	}
	p.region = region
	file, err := picture.EncodePainted(region)
	p.request.Init = &inference.Init{Name: state.ReferenceOf(it.shot, nil).Name, Data: it.file, Region: inference.Painted{Data: file}}
	if p.err = err; err == nil {
		p.err = state.Gone(p.request)
	}
	if p.err == nil {
		_, p.err = check(p.request)
	}
	return p
}

// scalesOf are how many times as large a second pass makes a picture; where the model cannot make it twice as large, as large as it can.
func scalesOf(m bundle.Manifest, size image.Point) []float64 {
	switch most := inference.LargestScale(m, size); {
	case most >= 2, most < inference.LeastScale:
		return []float64{1.5, 2}
	case most > 1.5:
		return []float64{1.5, most}
	default:
		return []float64{most}
	}
}

// SecondPass asks how much larger the picture in view is made.
func (d *Desk) SecondPass() {
	s := d.host.State()
	if s.Shot() == nil || s.Model == nil {
		return
	}
	d.read(func(it made) {
		m, check := *d.host.State().Model, d.host.Resolver()
		scales := scalesOf(m, it.size())
		second := func(i int) plan {
			var p plan
			begin := inference.Init{Name: state.ReferenceOf(it.shot, nil).Name, Data: it.file}
			if p.request, p.err = inference.SecondPass(m, it.was, begin, scales[i], it.masks); p.err == nil {
				p.err = state.Gone(p.request)
			}
			if p.err == nil {
				_, p.err = check(p.request)
			}
			return p
		}
		var sizes []string
		for _, scale := range scales {
			r, err := inference.SecondPass(m, it.was, inference.Init{}, scale, nil)
			if err != nil {
				r = it.was
			}
			sizes = append(sizes, i18n.T("%s times: %d × %d", i18n.Number("%g", scale), r.Width, r.Height))
		}
		d.ask(it, question{
			title: i18n.T("Second pass"), what: i18n.T("How much larger?"), choices: sizes, agree: i18n.T("Make it larger"),
			note: i18n.T("Makes this picture once more, larger and finer, with the masks that it was made with. The picture itself stays.") + it.other(&m),
		}, second)
	})
}

// question is what a sheet asks of a picture that is made again.
type question struct {
	title, what string
	choices     []string
	note, same  string  // same: said where a plan changes nothing; "" is never
	paint       string  // how the region is changed; "" where none is
	edge        *margin // how far around it the region goes; nil where none is
	agree       string
}

// ask shows a picture and the choices; planFor, which is slow, is asked for each that is looked at.
func (d *Desk) ask(it made, q question, planFor func(int) plan) {
	label := func(text string, size fyne.ThemeSizeName) *widget.Label {
		l := widget.NewLabel(text)
		l.Wrapping, l.SizeName = fyne.TextWrapWord, size
		return l
	}
	said := label("", theme.SizeNameText)
	said.Importance = widget.DangerImportance
	said.Hide()
	changes := kit.NewColumn(4)
	choice := kit.NewRadio(q.choices...)
	edge := q.edge
	if edge == nil {
		edge = newMargin(0, 0) // that nobody sees
		edge.box.Hide()
	}
	// What comes when a plan is made comes below the dials: they stay where somebody is about to click.
	body := kit.NewColumn(6, container.New(kit.Inset{X: 8, Y: 0}, kit.Heading(q.what)), choice,
		kit.Quiet(label(q.note, theme.SizeNameCaptionText)), edge.box, changes, said)
	var closeIt func()
	var sheet fyne.CanvasObject
	var now plan
	var pad *regionPad
	painted := false
	cancel := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	making, wanted := false, false // the region of the margin that a dial says; and the button was pressed meanwhile
	use := kit.NewButton(q.agree, func() {
		if making {
			wanted = true
			return
		}
		closeIt()
		if region := pad.take(); painted {
			d.host.Background(func() func() {
				file, err := picture.EncodePainted(region)
				return func() {
					d.host.Change(func(s *state.State) { s.ActionErr = err })
					if err == nil {
						now.request.Init.Region = inference.Painted{Data: file}
						d.put(it.shot, now.request)
					}
				}
			})
			return
		}
		d.put(it.shot, now.request)
	})
	use.Importance = widget.HighImportance
	looked, edged := 0, 0
	back := kit.NewButton(i18n.T("Reset"), func() {
		painted = false
		edged++
		edge.reset()
		pad.show(now.region)
		kit.Enable(use, now.err == nil)
	})
	pad = newRegionPad(it.small, func() {
		painted = true
		kit.Enable(use, now.err == nil && !pad.empty())
		kit.Enable(back, true)
	})
	edge.changed = func(grow, feather int) {
		if now.around == nil || pad.region == nil {
			return
		}
		edged++
		mine, around := edged, now.around
		making = true
		d.host.Background(func() func() {
			region := around(grow, feather)
			return func() {
				if mine != edged {
					return
				}
				pad.put(region)
				if making = false; wanted && !use.Disabled() && d.host.Layers.Canvas().Overlays().Top() == sheet {
					use.OnTapped()
				}
				wanted = false
			}
		})
	}
	look := func(i int) {
		kit.Enable(use, false)
		making, wanted = false, false
		looked++
		edged++
		mine := looked
		d.host.Background(func() func() {
			p := planFor(i)
			return func() {
				if mine != looked {
					return // another one was chosen meanwhile
				}
				now, painted = p, false
				edge.reset()
				pad.show(p.region)
				kit.Enable(back, false)
				changes.RemoveAll()
				for _, c := range p.changes {
					changes.Add(changeRow(c))
				}
				if len(p.changes) == 0 && q.same != "" {
					changes.Add(kit.Quiet(label(q.same, theme.SizeNameCaptionText)))
				}
				if said.Hidden = p.err == nil; p.err != nil {
					said.SetText(wording.Sentence(p.err))
				}
				body.Refresh()
				if kit.Enable(use, p.err == nil); p.err == nil && d.host.Layers.Canvas().Overlays().Top() == sheet { // not closed meanwhile
					d.host.Layers.Canvas().Focus(use) // Enter goes on, Esc goes back
				}
			}
		})
	}
	left := kit.NewColumn(4, container.New(kit.Fixed{Width: padSide, Height: padSide}, pad))
	buttons := []fyne.CanvasObject{cancel, use}
	if q.paint != "" {
		left.Add(container.New(kit.Fixed{Width: padSide}, kit.Quiet(label(q.paint, theme.SizeNameCaptionText))))
		buttons = append([]fyne.CanvasObject{back}, buttons...)
	}
	closeIt = d.host.Layers.Sheet(q.title, fyne.NewSize(760, 440),
		container.NewBorder(nil, nil, left, nil, container.New(kit.Inset{X: 8, Y: 0},
			kit.NewPage(body))), buttons...)
	sheet = d.host.Layers.Canvas().Overlays().Top()
	choice.OnChanged = look
	choice.Choose(0)
}

// put has a job wait whose pictures come from a finished one.
func (d *Desk) put(shot state.Shot, r inference.Request) {
	t := state.Task{Request: r, Thumb: d.host.Small(shot), Model: d.host.State().Model.Name}
	if now := d.host.State(); now.Find(shot) >= 0 {
		shot = now.Shots[now.Find(shot)] // it may have come into the history meanwhile
	}
	if shot.Kept != 0 {
		t.Parents = []uint64{shot.Kept}
	}
	d.host.Make(t)
}
