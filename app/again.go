package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"realword/assets"
	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/hub"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/inference/recipe"
	"realword/ui/state"
)

// again is what options say of a picture that is made again: a part of it, all of it larger, or another one by its recipe. What they leave
// out comes from the picture's own recipe.
type again struct {
	recipe             string
	redo, region, only string
	grow, feather      int // pixels; negative: inference.Margin around a kept mask, nothing around a painted one
	second             string
	scale              float64
	strength           float64  // 0: the usual one
	masks              []string // of --mask
	parents            []parent
	notes              []error  // for people
	plain              bool     // without the picture's LoRAs
	off                []string // options of settings that are given as false
}

func (a *again) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.recipe, "recipe", "", "picture whose recipe is made once more, but for what other options change; references come from the history")
	f.StringVar(&a.redo, "redo", "", "picture of which one subject is made again by its own recipe, but for what other options change;\nthe rest stays as it is, byte for byte")
	f.StringVar(&a.only, "only", "", "with --redo, WORD[#N] of the subject (default: the one that --subject names, or the only one)")
	f.StringVar(&a.region, "region", "", "with --redo, grey picture that is white where it is made again (default: the subject's mask in the history)")
	wholeFlag(f, &a.grow, "grow", -1, "with --redo, pixels that the region grows by (default: half a cell of the mask; none of --region)")
	wholeFlag(f, &a.feather, "feather", -1, "with --redo, pixels around it over which less and less of the steps are made again (default: one and a half\ncells of the mask; none of --region)")
	f.StringVar(&a.second, "second-pass", "", "picture that is made again larger and finer, with the masks that the history has of it")
	decimalFlag(f, &a.scale, "scale", 2, "with --second-pass, how many times as large")
}

// asked tells whether a picture is made again.
func (a *again) asked() bool { return a.recipe+a.redo+a.second != "" }

// file is the picture.
func (a *again) file() string { return cmp.Or(a.redo, a.second, a.recipe) }

// check finds options that do not go together.
func (a *again) check(c *cobra.Command) error {
	if a.redo != "" && a.second != "" {
		return usagef("--redo and --second-pass are two things: choose one")
	}
	if a.recipe != "" && a.redo+a.second != "" {
		return usagef("--redo and --second-pass read the recipe of their picture: leave --recipe out")
	}
	if a.redo+a.second != "" && c.Flags().Changed("init") {
		return usagef("--init begins with another picture: leave it out with --redo and --second-pass")
	}
	for name, of := range map[string]string{"only": a.redo, "region": a.redo, "grow": a.redo, "feather": a.redo, "scale": a.second} {
		if c.Flags().Changed(name) && of == "" {
			return usagef("--%s belongs to %s", name, map[bool]string{true: "--second-pass", false: "--redo"}[name == "scale"])
		}
	}
	if a.second != "" && c.Flags().Changed("size") {
		return usagef("--size comes from --scale with --second-pass: leave it out")
	}
	for _, t := range inference.Table() {
		if f := c.Flags().Lookup(t.Flag); f != nil && f.Changed && f.Value.String() == "" {
			a.off = append(a.off, t.Flag)
		}
	}
	for name, n := range map[string]int{"grow": a.grow, "feather": a.feather} {
		if c.Flags().Changed(name) && n < 0 {
			return usagef("--%s %d: give a number of pixels, 0 or more", name, n)
		}
	}
	if c.Flags().Changed("strength") && !(a.strength > 0 && a.strength <= 1) {
		return usagef("the strength %g is outside the range above 0 to 1: 0.3 keeps most of a picture, 0.8 little", a.strength)
	}
	return nil
}

// request is the picture's recipe with what the options change. seeded tells that they name a seed.
func (a *again) request(ctx context.Context, e *engine, options inference.Request, seeded bool) (inference.Request, error) {
	file := a.file()
	data, err := files.Read(file, picture.DefaultLimits.Bytes)
	if err != nil {
		return options, fmt.Errorf("the picture to make again cannot be read: %w", err)
	}
	said, foreign, err := recipe.Read(data)
	switch {
	case err != nil || !foreign:
	case a.recipe != "": // its prompts and settings are known
		err = nil
	case said.Changed():
		err = errors.New("another program has changed this picture, and its subjects and masks were lost then; take the file that Realword " +
			"wrote, or begin with this one (--init)")
	default:
		err = errors.New("another program made it, and its subjects are not known; begin with it instead (--init)")
	}
	if err != nil {
		return options, fmt.Errorf("%s: %w", file, err)
	}
	was, m := said.Request, e.bundle.Manifest()
	if a.plain {
		was.LoRAs = ""
	}
	if was.Grid != nil {
		if a.recipe == "" {
			return options, usagef("%s is the sheet of a grid: name one of its pictures, which lie beside it", file)
		}
		was.Seeds = was.Seeds[:min(len(was.Seeds), 1)] // which is that of all cells, or a side has theirs
	}
	if options.LoRAs == "" && was.LoRAs != "" {
		alone := inference.Request{Prompt: "a picture", Seeds: []uint64{0}, Settings: inference.Settings{LoRAs: was.LoRAs}}
		if _, err := e.ResolveContext(ctx, alone); err != nil {
			return options, badRequest(fmt.Errorf("%w; --lora none makes the picture without the LoRAs of its recipe", err))
		}
	}
	masks, err := a.recall(e, file, &was)
	if err != nil {
		return options, err
	}
	was.Subjects = inference.CloneSubjects(was.Subjects)
	for j, s := range was.Subjects {
		was.Subjects[j].Scope = s.Wish() // another mask may take the place of one that was painted exactly
	}
	own := ownSize(said.Model)
	var r inference.Request
	if another := inference.Another(m, said.Model); another != nil {
		a.say(fmt.Errorf("%w; %s", another, wayTo(said.Model)))
	}
	if a.recipe != "" {
		r = was.For(m, said.Model, own)
		if a.parents = nil; options.Width == 0 {
			a.say(inference.OtherSize(m, said.Model, image.Pt(was.Width, was.Height), own))
		}
		for _, n := range said.Notes {
			a.say(n)
		}
		r = a.settle(m, r, options.Settings)
		if options.Init != nil {
			r.Init = options.Init
		}
	} else {
		begin := inference.Init{Name: filepath.Base(file), Data: data, Strength: a.strength}
		if r, err = a.partly(ctx, e, was, options, said.Model, begin, masks); err != nil {
			return r, err
		}
	}
	if seeded {
		r.Seeds = options.Seeds
	}
	sides := slices.Clone(was.Subjects) // which those of the grid are about
	if options.Grid != nil {
		r.Grid, sides = options.Grid, options.Subjects
	}
	if options.Prompt != "" {
		r.Prompt = options.Prompt
		words := e.bundle.Tokenizer(0).Encode(r.Prompt)
		r.Subjects = slices.DeleteFunc(r.Subjects, func(s inference.Subject) bool {
			_, err := words.Find(s.Word.Text, max(s.Word.Occurrence, 1))
			if err != nil {
				a.say(fmt.Errorf("%s is not in the new prompt: its pictures are left out", s.Word))
			}
			return err != nil
		})
	}
	for _, s := range options.Subjects {
		if j := subjectOf(r.Subjects, s.Word); j >= 0 {
			if s.Scope == 0 {
				s.Scope = r.Subjects[j].Scope
			}
			if s.Region.IsZero() {
				s.Region = r.Subjects[j].Region
			}
			if len(s.References) == 0 { // only --grid names it
				s.References = r.Subjects[j].References
			}
			r.Subjects[j] = s
		} else {
			r.Subjects = append(r.Subjects, s)
		}
	}
	if err := paint(r.Subjects, a.masks); err != nil {
		return r, err
	}
	for _, s := range r.Subjects {
		for _, ref := range s.References {
			if len(ref.Data) == 0 {
				return r, fmt.Errorf("the picture %q of %s is no longer in the history: give it with --subject", ref.Name, s.Word)
			}
		}
	}
	if err := renumber(r.Grid, sides, r.Subjects); err != nil {
		return r, err
	}
	if a.recipe == "" && len(was.Seeds) > 0 && (seeded || options.Grid != nil) {
		taken := e.Taken(r, was.Seeds[0]) // another seed would draw other alternatives into what stays
		if options.Prompt == "" {
			r.Prompt, r.Subjects = taken.Prompt, taken.Subjects
		}
		if options.Negative == "" {
			r.Negative = taken.Negative
		}
	}
	return r, nil
}

// renumber gives the sides of a grid that are about one of some subjects the number that it has among others.
func renumber(grid *inference.Grid, sides, subjects []inference.Subject) error {
	if grid == nil {
		return nil
	}
	for _, a := range grid.Axes() {
		if a.Subject > 0 && a.Subject <= len(sides) {
			word := sides[a.Subject-1].Word
			if a.Subject = subjectOf(subjects, word) + 1; a.Subject == 0 {
				return usagef("the grid is about %s, which is no subject any more: say with --grid what differs", word)
			}
		}
		for _, ref := range a.References {
			if len(ref.Data) == 0 {
				return fmt.Errorf("the picture %q of the grid is no longer in the history: give it with --grid", ref.Name)
			}
		}
	}
	return nil
}

// settle is a picture's request with the settings that options ask for.
func (a *again) settle(m bundle.Manifest, r inference.Request, options inference.Settings) inference.Request {
	if former, ok := m.Preset(r.Preset); ok && options.Preset != "" {
		r.Subjects = inference.CloneSubjects(r.Subjects)
		r.Follow(former)
	}
	r.Settings = options.Over(a.chosen(m, r.Settings, options)).Complete(m)
	return r
}

// chosen are the settings of a picture that hold beside the options: the rest follows another number of steps, and most of it another
// preset. What options turn off does not hold: Over takes a false for silence.
func (a *again) chosen(m bundle.Manifest, was, options inference.Settings) inference.Settings {
	chosen := was.Wishes(m)
	if options.Preset != "" {
		chosen = was.WithPreset(options.Preset, m)
	}
	for _, t := range inference.Table() {
		if slices.Contains(a.off, t.Flag) {
			_ = t.Set(&chosen, "")
		}
	}
	if slices.Contains(a.off, "swift") {
		chosen = chosen.WithoutApproximations()
	}
	if options.MaskNorm != "" {
		chosen.RawMask = false // which is one of its values
	}
	return chosen
}

// partly is the request that makes a part of a picture of a model again, or all of it larger.
func (a *again) partly(ctx context.Context, e *engine, was, options inference.Request, model string, begin inference.Init,
	masks []picture.Grid,
) (r inference.Request, err error) {
	m, size := e.bundle.Manifest(), image.Pt(was.Width, was.Height)
	if a.redo != "" {
		err = inference.CanRedo(m, model, size)
	} else if err = inference.CanScale(m, size, a.scale); err != nil {
		err = fmt.Errorf("--scale %g: %w", a.scale, err)
	}
	if err != nil {
		return was, usageError{err}
	}
	if len(masks) == 0 && len(was.Subjects) > 0 && a.region == "" {
		a.say(errors.New("the history has no masks of this picture: those are taken that the model sees in it"))
		if masks, err = e.Look(ctx, was, begin); err != nil {
			return was, badRequest(err)
		}
	}
	r = a.settle(m, was.Within(m, model), options.Settings)
	r.Init = nil
	if a.second != "" {
		if r, err = inference.SecondPass(m, r, begin, a.scale, masks); err != nil {
			return r, usageError{err}
		}
		return r, nil
	}
	begin.Region.Data, err = a.regionOf(e, was, options.Subjects, masks)
	r.Init = &begin
	return r, err
}

// say keeps a remark, if it is one.
func (a *again) say(note error) {
	if note != nil {
		a.notes = append(a.notes, note)
	}
}

// ownSize is the size of the pictures that a model makes of itself; the zero point where nobody knows it here.
func ownSize(model string) image.Point {
	if own, ok := bundle.Earlier(model); ok {
		return own
	}
	if here, ok := modelCalled(model); ok {
		return here.Manifest.Size.Own()
	}
	return image.Point{}
}

// modelCalled is a model that is here and has, or had, a name.
func modelCalled(name string) (state.Model, bool) {
	here := &models{}
	list, _ := here.List(here.Folder(), nil) // what cannot be read is not known
	return state.Shelf{List: list}.Called(name)
}

// wayTo says how the next command has the model that a recipe names.
func wayTo(name string) string {
	if _, ok := bundle.Earlier(name); ok {
		return "that one came with an earlier version"
	}
	if here, ok := modelCalled(name); ok && here.Path == "" {
		return "without --model it is drawn by the former"
	} else if ok {
		return fmt.Sprintf("--model %q has it drawn by the former", here.Path)
	}
	for _, e := range hub.Catalogue() {
		if name == e.Title || name == e.Name {
			return fmt.Sprintf("`realword model get %s` downloads the former, and --model takes it", e.Name)
		}
	}
	return "--model FOLDER has it drawn by the former, once that is here (realword model import)"
}

func subjectOf(list []inference.Subject, w inference.Word) int {
	return slices.IndexFunc(list, func(s inference.Subject) bool {
		return s.Word.Text == w.Text && max(s.Word.Occurrence, 1) == max(w.Occurrence, 1)
	})
}

// recall fills in what the history has of a picture: the files of its recipe, and the masks that it was made with. Pictures that come with
// the program are there without it.
func (a *again) recall(e *engine, file string, r *inference.Request) (masks []picture.Grid, err error) {
	samples := map[string][]byte{}
	for _, s := range assets.Samples() {
		samples[files.Sum(s.Data)] = s.Data
	}
	err = withPast(func(past past) error {
		for _, f := range r.Files() {
			if len(*f.Data) == 0 {
				*f.Data = samples[*f.SHA256]
			}
			for _, store := range past.stores {
				if len(*f.Data) == 0 {
					*f.Data, _ = store.ReferenceData(*f.SHA256) // what is missing is told where it is needed
				}
			}
		}
		store, id, err := past.pictureOf(file, *r)
		if err != nil || id == 0 {
			return err
		}
		from, err := parentOf(store, id)
		if err != nil {
			return err
		}
		a.parents = []parent{from}
		masks, err = journal.Masks(store, id, e.bundle.Manifest(), *r)
		return err
	})
	return masks, err
}

// pictureOf is a picture that is in a file or was made in the same way, and what knows it; 0: nothing does.
func (p past) pictureOf(file string, r inference.Request) (*history.Store, uint64, error) {
	for _, s := range p.stores {
		if id, err := pictureOf(s, file, r); id != 0 || err != nil {
			return s, id, err
		}
	}
	return nil, 0, nil
}

// pictureOf is the picture of the history that is in a file, or else the newest one that was made in the same way; 0: there is none.
func pictureOf(store *history.Store, file string, r inference.Request) (uint64, error) {
	if len(r.Seeds) != 1 {
		return 0, nil
	}
	ids, err := store.Find(history.Filter{Text: fmt.Sprintf("seed:%d", r.Seeds[0])})
	if err != nil {
		return 0, err
	}
	list, err := store.Pictures(ids)
	if err != nil {
		return 0, err
	}
	path, _ := filepath.Abs(file)
	if i := slices.IndexFunc(list, func(p history.Picture) bool { return p.File == path }); i >= 0 {
		return list[i].ID, nil
	}
	want, err := recipe.New(r, "")
	if err != nil {
		return 0, err
	}
	for _, p := range list {
		one, err := journal.Recall(store, p.ID)
		if err != nil {
			continue
		}
		if got, err := recipe.New(one.Recipe.Request, ""); err == nil && bytes.Equal(got, want) {
			return p.ID, nil
		}
	}
	return 0, nil
}

// regionOf is where a picture is made again, as a mask file.
func (a *again) regionOf(e *engine, was inference.Request, changed []inference.Subject, masks []picture.Grid) ([]byte, error) {
	if a.region != "" {
		data, err := files.Read(a.region, picture.DefaultLimits.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the region cannot be read: %w", err)
		}
		region, _, _, err := picture.ReadPainted(context.Background(), data)
		if err != nil {
			return nil, fmt.Errorf("the region %s: %w", a.region, err)
		}
		region = picture.Resized(region, was.Width, was.Height)
		return picture.EncodePainted(picture.Grown(region, a.grow, a.feather))
	}
	j, err := a.subject(was.Subjects, changed)
	if err != nil {
		return nil, err
	}
	grow, feather := 0, 0
	if len(masks) > j {
		grow, feather = inference.Margin(masks[j], was.Width)
	}
	if a.grow >= 0 {
		grow = a.grow
	}
	if a.feather >= 0 {
		feather = a.feather
	}
	region := inference.RegionOf(masks, j, was.Width, was.Height, grow, feather)
	return picture.EncodePainted(region)
}

// subject is the index of the subject that is made again.
func (a *again) subject(list, changed []inference.Subject) (int, error) {
	var words []string
	for _, s := range list {
		words = append(words, s.Word.String())
	}
	choose := func(text string) (int, error) {
		word, n, err := prompt.ParseWord(text)
		if err != nil {
			return 0, usagef("--only %q: %w", text, err)
		}
		j := subjectOf(list, inference.Word{Text: word, Occurrence: n})
		if j < 0 {
			return 0, usagef("the picture has no subject %q: it has %s", text, strings.Join(words, ", "))
		}
		return j, nil
	}
	switch {
	case a.only != "":
		return choose(a.only)
	case len(list) == 0:
		return 0, usagef("the picture has no subject: say where it is made again with --region MASK.png")
	case len(list) == 1:
		return 0, nil
	case len(changed) == 1:
		if j := subjectOf(list, changed[0].Word); j >= 0 {
			return j, nil
		}
	}
	return 0, usagef("say with --only which subject is made again: %s", strings.Join(words, ", "))
}
