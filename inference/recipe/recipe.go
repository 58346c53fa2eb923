// Package recipe is what a picture says about how it was made: a resolved request as JSON, in PNG files and in the history, and what
// the pictures of other programs say in its place.
//
// Contract: a recipe that is read and written again is identical to the last byte, and the same picture gives the same file. What is
// read may come from anywhere: it is bounded, never a path, and never more than Engine.Resolve can check. Files are bytes: the package
// opens none.
package recipe

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/lora"
	"realword/inference/message"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/inference/schedule"
)

// Recipe is a resolved request as it is kept in picture files and in the history: enough to make the picture again, given
// the model and the reference files, which it names by SHA-256, as it does painted masks. Everything but Schema and the request may be
// missing.
type Recipe struct {
	Schema  int    `json:"schema"`            // Schema
	Model   string `json:"model"`             // Manifest.Name
	Bundle  string `json:"bundle,omitempty"`  // BundleDigest of the model
	Program string `json:"program,omitempty"` // that made the picture, with its version
	Noise   string `json:"noise,omitempty"`   // the generator of the first noise
	// Marks is A1111 where the prompts hold marks that were read; without it they were read sign by sign, as by earlier versions.
	Marks string `json:"marks,omitempty"`
	// Chunks says of prompts that may be longer than one chunk, or hold BREAK, that they were read in chunks; without it they were cut, as
	// by earlier versions.
	Chunks bool `json:"chunks,omitempty"`
	// Used are the prompts of a picture with the alternatives that it took, for people: the request has them as typed. Nil: the same.
	Used *Used `json:"used,omitempty"`
	inference.Request
	// Notes are what a picture of another program says that is not taken over, a sentence each.
	Notes []error `json:"-"`
	// Thumbnails are small PNG files of what the model saw of the references, by SHA-256, so that a missing one can be told.
	Thumbnails map[string][]byte `json:"thumbnails,omitempty"`
	// Masks are the painted masks of a picture file, by SHA-256; a history keeps them beside the recipe. Parse puts them where they
	// belong in the request.
	Masks map[string][]byte `json:"masks,omitempty"`
}

// Changed tells of the recipe of another program that it is one of ours: Realword made the picture, and another program has written the
// file anew (resized it, say), which keeps the prompts and settings and drops the rest.
func (r Recipe) Changed() bool { return strings.HasPrefix(strings.ToLower(r.Program), "realword ") }

// Used are prompts in which no alternatives are left.
type Used struct {
	Prompt   string `json:"prompt"`
	Negative string `json:"negative,omitempty"`
}

// A1111 is the Marks of a recipe whose prompts are read as prompt.Reading says.
const A1111 = "a1111"

// Schema is the version of Recipe that this program writes.
const Schema = 1

// noiseName is what package random implements.
const noiseName = "torch.randn, CPU, mt19937"

// Embed says what goes into a picture file besides the picture. The zero value is everything.
type Embed struct {
	Program      string // name and version, "realword 0.1.0"; empty: not said
	Nothing      bool   // a bare picture
	NoThumbnails bool   // none of the references, and not the names of their files
}

// New returns the recipe of a resolved request as JSON.
func New(r inference.Request, model string) (json.RawMessage, error) {
	return encode(Recipe{Schema: Schema, Model: model, Noise: noiseName, Marks: marks(r), Chunks: !r.Cut && long(r), Request: written(r)})
}

// encode writes a recipe in the order that recipes have always had: the negative prompt behind the prompt, before the subjects.
func encode(r Recipe) (json.RawMessage, error) {
	return json.Marshal(struct {
		Schema   int    `json:"schema"`
		Model    string `json:"model"`
		Bundle   string `json:"bundle,omitempty"`
		Program  string `json:"program,omitempty"`
		Noise    string `json:"noise,omitempty"`
		Marks    string `json:"marks,omitempty"`
		Chunks   bool   `json:"chunks,omitempty"`
		Used     *Used  `json:"used,omitempty"`
		Prompt   string `json:"prompt"`
		Negative string `json:"negative,omitempty"`
		inference.Request
		Thumbnails map[string][]byte `json:"thumbnails,omitempty"`
		Masks      map[string][]byte `json:"masks,omitempty"`
	}{r.Schema, r.Model, r.Bundle, r.Program, r.Noise, r.Marks, r.Chunks, r.Used, r.Prompt, r.Negative, r.Request, r.Thumbnails, r.Masks})
}

// written is a resolved request as recipes have always written it: no negative prompt, plain attention and a padded reference are left
// out. unwritten is its inverse, so that a recipe that is read and written again is the same to the last byte.
func written(r inference.Request) inference.Request {
	if strings.TrimSpace(r.Negative) == "" {
		r.Negative = ""
	}
	if r.UncondAttention == inference.PlainAttention {
		r.UncondAttention = ""
	}
	r.Literal, r.Cut = false, false // which the recipe's Marks and Chunks say
	r.Subjects = inference.CloneSubjects(r.Subjects)
	if r.Init != nil {
		init := *r.Init
		r.Init = &init
	}
	r.Grid = r.Grid.Clone()
	for i := range r.Subjects {
		for j := range r.Subjects[i].References {
			if square := &r.Subjects[i].References[j].Square; square.Fit == picture.Pad {
				square.Fit = ""
			}
		}
	}
	return r
}

func unwritten(r *inference.Request, marks string, chunks bool) {
	r.Negative = cmp.Or(r.Negative, " ")
	r.UncondAttention = cmp.Or(r.UncondAttention, inference.PlainAttention)
	r.Literal, r.Cut = marks == "" && marked(*r), !chunks && long(*r)
	for i := range r.Subjects {
		for j := range r.Subjects[i].References {
			square := &r.Subjects[i].References[j].Square
			square.Fit = cmp.Or(square.Fit, picture.Pad)
		}
	}
}

// Parse reads a recipe that may come from anywhere. What it returns can be shown and handed to Engine.Resolve, which
// checks it against a model. Recipes are of resolved requests: one without a negative prompt had none, one that says nothing of the
// unconditional pass's attention had it plain, and a reference without a fit was padded, so no preset puts its own there.
func Parse(data []byte) (Recipe, error) {
	var version struct {
		Schema *int `json:"schema"`
	}
	if err := json.Unmarshal(data, &version); err != nil || version.Schema == nil {
		return Recipe{}, message.New("the recipe is damaged; use the picture as a reference instead")
	}
	if *version.Schema != Schema {
		return Recipe{}, message.Errorf("the recipe has version %d, and this program reads version %d; use the Realword that made it",
			*version.Schema, Schema)
	}
	if key := Twice(data); key != "" {
		return Recipe{}, message.Errorf("the recipe is damaged (%s); use the picture as a reference instead", fmt.Sprintf("it says %q twice", key))
	}
	var r Recipe
	if err := json.Unmarshal(data, &r); err != nil {
		return Recipe{}, message.Errorf("the recipe is damaged (%s); use the picture as a reference instead", jsonProblem(err))
	}
	if err := r.ReadZeros(data); err != nil {
		return Recipe{}, message.Errorf("the recipe is not valid: it has %s; use the picture as a reference instead", err)
	}
	if problem := r.problem(); problem != "" {
		return Recipe{}, message.Errorf("the recipe is not valid: it has %s; use the picture as a reference instead", problem)
	}
	unwritten(&r.Request, r.Marks, r.Chunks)
	for i := range r.Subjects {
		r.paint(&r.Subjects[i].Region.Painted)
		for j := range r.Subjects[i].References {
			ref := &r.Subjects[i].References[j]
			ref.Name = cmp.Or(files.Base(ref.Name), noName)
		}
	}
	if r.Init != nil {
		r.Init.Name = cmp.Or(files.Base(r.Init.Name), noInitName)
		r.paint(&r.Init.Region)
	}
	for _, ref := range sides(r.Request) {
		ref.Name = cmp.Or(files.Base(ref.Name), noName)
	}
	return r, nil
}

// noName and noInitName are what references, and pictures to begin with, are called whose names a recipe does not say.
const (
	noName     = "reference"
	noInitName = "picture"
)

// sides are the references of a grid, which belong to the request.
func sides(r inference.Request) (list []*inference.Reference) {
	if r.Grid == nil {
		return nil
	}
	for _, a := range r.Grid.Axes() {
		for i := range a.References {
			list = append(list, &a.References[i])
		}
	}
	return list
}

// long tells whether it matters for prompts if they are read in chunks. The negative prompt of the release is cut always.
func long(r inference.Request) bool {
	return prompt.Long(r.Prompt) || strings.TrimSpace(r.Negative) != bundle.ReleaseNegative && prompt.Long(r.Negative)
}

// marked tells whether prompts hold marks. The negative prompt of the release is read sign by sign always.
func marked(r inference.Request) bool {
	return prompt.Marked(r.Prompt) || strings.TrimSpace(r.Negative) != bundle.ReleaseNegative && prompt.Marked(r.Negative)
}

// marks are the Marks of a request.
func marks(r inference.Request) string {
	if r.Literal || !marked(r) {
		return ""
	}
	return A1111
}

// paint gives a painted mask its bytes, where the recipe has them.
func (r Recipe) paint(mask *inference.Painted) {
	if data := r.Masks[mask.SHA256]; files.Sum(data) == mask.SHA256 {
		mask.Data = data
	}
}

// Bounds of what a recipe may say. They are far beyond what any model can do.
const (
	maxRecipeText     = 1 << 16 // bytes of a prompt
	maxRecipeSubjects = 64
	maxRecipePictures = 256 // references of a subject, and seeds
)

func (r Recipe) problem() string {
	switch {
	case len(r.Prompt) > maxRecipeText || len(r.Negative) > maxRecipeText:
		return fmt.Sprintf("a prompt of more than %d letters", maxRecipeText)
	case len(r.Subjects) > maxRecipeSubjects:
		return fmt.Sprintf("%d subjects", len(r.Subjects))
	case len(r.Seeds) > maxRecipePictures:
		return fmt.Sprintf("%d seeds", len(r.Seeds))
	}
	for _, t := range inference.Table() {
		if !t.InBounds(r.Settings) {
			return fmt.Sprintf("%s as the %s", t.Get(r.Settings), t.Called)
		}
	}
	if _, err := lora.Parse(r.LoRAs); err != nil {
		return fmt.Sprintf("%q as LoRAs", excerpt(r.LoRAs))
	}
	for _, s := range r.Subjects {
		switch {
		case s.Word.Text == "" || len(s.Word.Text) > maxRecipeText || s.Word.Occurrence < 0:
			return "a subject without a word"
		case !(s.Scope >= 0 && s.Scope <= 1):
			return fmt.Sprintf("a scope of %g", s.Scope)
		case len(s.References) > maxRecipePictures:
			return fmt.Sprintf("%d references of one subject", len(s.References))
		case s.Region.Kind != guidance.Anywhere && !slices.Contains(guidance.Kinds(), s.Region.Kind):
			return fmt.Sprintf("%q as the meaning of a mask", s.Region.Kind)
		case (s.Region.Kind != guidance.Anywhere || !s.Region.IsZero()) && !files.IsSum(s.Region.SHA256):
			return "a mask without a SHA-256"
		}
		for _, ref := range s.References {
			if !files.IsSum(ref.SHA256) {
				return "a reference without a SHA-256"
			}
		}
	}
	switch i := r.Init; {
	case i == nil:
	case !files.IsSum(i.SHA256):
		return "a picture to begin with without a SHA-256"
	case !i.Region.IsZero() && !files.IsSum(i.Region.SHA256):
		return "a region without a SHA-256"
	case !(i.Strength > 0 && i.Strength <= 1):
		return fmt.Sprintf("a strength of %g", i.Strength)
	}
	return gridProblem(r.Grid)
}

// gridProblem is what no grid can be.
func gridProblem(g *inference.Grid) string {
	if g == nil {
		return ""
	}
	for i, a := range g.Axes() {
		switch {
		case i == 0 && a.Key == "":
		case !slices.Contains(inference.AxisKeys(), a.Key):
			return fmt.Sprintf("a grid of %q", excerpt(a.Key))
		case a.Len() < 1 || len(a.Values) > maxRecipePictures || len(a.References) > maxRecipePictures:
			return fmt.Sprintf("a grid with a side of %d pictures", a.Len())
		case a.Subject < 0 || a.Subject > maxRecipeSubjects:
			return fmt.Sprintf("a grid of subject %d", a.Subject)
		}
		if slices.ContainsFunc(a.Values, func(v string) bool { return len(v) > maxRecipeText }) {
			return "a grid with a very long value"
		}
		if slices.ContainsFunc(a.References, func(ref inference.Reference) bool { return !files.IsSum(ref.SHA256) }) {
			return "a reference without a SHA-256"
		}
	}
	return ""
}

func jsonProblem(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Sprintf("%s is a %s", cmp.Or(kind.Field, "it"), kind.Value)
	}
	return "no JSON"
}

// Read reads how a picture was made out of its PNG file. foreign tells that another program has made it: then prompts,
// steps, guidance scale, seed, size and, where Realword has it, the sampler are all that is known of it, and Notes say what else
// it holds.
func Read(file []byte) (r Recipe, foreign bool, err error) {
	m, err := picture.ReadMetadata(file)
	if len(m.Recipe) > 0 {
		r, err := Parse(m.Recipe)
		return r, false, err
	}
	if err != nil {
		return Recipe{}, false, err
	}
	if m.Prompt == "" && len(m.Settings) == 0 {
		return Recipe{}, false, ErrNone
	}
	r = foreignRecipe(m)
	if problem := r.problem(); problem != "" {
		return Recipe{}, true, fmt.Errorf("the description in this picture is not valid: it has %s; use the picture as a reference instead",
			problem)
	}
	return r, true, nil
}

// foreignRecipe is what is taken over of the settings of another program, in A1111's words.
func foreignRecipe(m picture.Metadata) Recipe {
	r := Recipe{Schema: Schema, Request: inference.Request{Prompt: m.Prompt, Settings: inference.Settings{Negative: m.Negative}}}
	note := func(n error) { r.Notes = append(r.Notes, bounded(n)) }
	spacing := "" // of the sampler's steps
	for _, s := range m.Settings {
		for _, t := range inference.Table() {
			if t.A1111 == s.Key && !t.Read(s.Value, &r.Settings) {
				takes := message.Of(t.Takes)
				if t.Most > 0 {
					takes = message.Note("a number from %g to %g", t.Least, t.Most)
				}
				note(message.Note("its %s, %q, is not %s", message.Of(t.Called), s.Value, takes))
			}
		}
		switch s.Key {
		case "Schedule type":
			spacing = s.Value
		case "Seed":
			switch v, err := strconv.ParseUint(s.Value, 10, 64); {
			case err != nil:
				note(message.Note("its seed, %q, is not a possible seed", s.Value))
			case v > math.MaxUint32:
				r.Seeds = []uint64{v}
				note(message.Note("its seed %s has more than 32 bits, and only the last 32 count: it is the same as %s", fmt.Sprint(v), fmt.Sprint(uint32(v))))
			default:
				r.Seeds = []uint64{v}
			}
		case "Model":
			r.Model = excerpt(s.Value)
		case "Version":
			r.Program = excerpt(s.Value)
		}
	}
	if sampler, err := schedule.Find(r.Sampler); err == nil && spacing != "" {
		switch on, err := sampler.On(spacing); {
		case err == nil:
			r.Sampler = on.Name
		case sampler.Fixed:
			note(message.Note("its schedule type, %q, is not one that the sampler %s has here", spacing, sampler.Label))
		default:
			note(message.Note("its schedule type, %q, is not one of Realword's", spacing))
		}
	}
	for _, n := range m.Notes {
		note(n)
	}
	if more := unread(m.Settings, r.Sampler); len(more) > 0 {
		note(message.Note("it was made with %s too, which is left out: the picture may be another one", strings.Join(more, ", ")))
	}
	var uses []lora.Use
	found, rest := lora.Cut(r.Prompt)
	for _, l := range m.LoRAs {
		u := lora.Use{Name: lora.NameOf(files.Base(l.Key)), Weight: 1}
		if l.Value != "" {
			var err error
			if u.Weight, err = inference.ParseDecimal(l.Value); err != nil {
				u.Weight = math.NaN()
			}
		}
		if !slices.ContainsFunc(found, func(had lora.Use) bool { return had.Name == u.Name }) {
			found = append(found, u)
		}
	}
	for _, u := range found {
		if u.Unread != "" {
			note(message.Note("its LoRA %s says %q too, which is ignored: it acts everywhere, and in all steps", u.Name, u.Unread))
		}
		if err := lora.CheckWeight(u.Name, u.Weight); err != nil || len(uses) == lora.MaxUses {
			note(message.Note("its LoRA %s with the weight %g is left out", u.Name, u.Weight))
			continue
		}
		uses = append(uses, lora.Use{Name: u.Name, Weight: u.Weight})
	}
	if len(found) > 0 {
		r.Prompt, r.LoRAs = rest, lora.Format(uses)
	}
	for _, text := range []string{r.Prompt, r.Negative} {
		for _, mark := range (prompt.Reading{}).Notations(text) {
			note(mark)
		}
	}
	return r
}

// bounded is a note with texts of the file that are no longer than anybody reads.
func bounded(n error) error {
	m, is := n.(*message.Error) //nolint:errorlint // a note is no chain
	if !is {
		return n
	}
	values := slices.Clone(m.Values)
	for i, v := range values {
		switch v := v.(type) {
		case string:
			values[i] = excerpt(v)
		case error:
			values[i] = bounded(v)
		}
	}
	return message.Make(m.Text, values...)
}

// unread are the settings of another program that change a picture and that Realword does not have.
func unread(settings []picture.KeyValue, sampler string) (list []string) {
	used, err := schedule.Find(sampler)
	for _, s := range settings {
		nothing, known := further[s.Key]
		if s.Key == "ENSD" && err == nil && used.Draws == 0 { // it is of the noise that a sampler adds
			continue
		}
		if known && s.Value != nothing && s.Value != "None" {
			list = append(list, s.Key+" "+excerpt(s.Value))
		}
	}
	return list
}

// further are such settings, by A1111's names, with the value that changes nothing. Those that it does not have are at the end.
var further = map[string]string{
	"Clip skip": "1", "Denoising strength": "1", "Variation seed strength": "0", "Hires upscale": "1", "Hires resize": "", "Hires steps": "0",
	"Refiner": "", "Tiling": "False", "Token merging ratio": "0", "ControlNet": "", "ControlNet 0": "", "ADetailer model": "", "Hypernet": "",
	"Eta": "", "Eta DDIM": "", "ENSD": "0", "RNG": "CPU", "NGMS": "0", "Face restoration": "", "Emphasis": "Original",
	"Distilled CFG Scale": "",

	"Civitai resources": "", "IP-Adapter": "", "T2I-Adapter": "", "Regional guidance": "", "Vibe transfer": "", "Character reference": "",
	"Sharpness": "0", "ADM Guidance": "(1.0, 1.0, 0.0)", "FreeU": "", "Performance": "", "SMEA": "", "Decrisper": "", "Variety+": "",
	"node": "",
}

// excerpt is a text of a file, or its beginning where it is longer than anybody reads.
func excerpt(text string) string {
	const most = 240
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}

// ErrNone is the error of Read for a picture that does not say how it was made.
var ErrNone = errors.New("this picture does not say how it was made; use it as a reference, or choose the original file")

// BundleDigest tells models apart by their files: SHA-256, hex, over the file hashes of the manifest in the order of their
// names; empty for a manifest without.
func BundleDigest(m bundle.Manifest) string {
	if len(m.Files) == 0 {
		return ""
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		fmt.Fprintf(h, "%s %s\n", m.Files[name], name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// EncodePNG returns a finished picture as a PNG file with its recipe, and with the parameters that other programs read. The
// same picture gives the same bytes.
func EncodePNG(p inference.PictureReady, model bundle.Manifest, e Embed) ([]byte, error) {
	if e.Nothing {
		return picture.Encode(p.Image, picture.Metadata{})
	}
	r := written(p.Recipe)
	for i := range r.Subjects {
		for j := range r.Subjects[i].References {
			ref := &r.Subjects[i].References[j]
			ref.Name = files.Base(ref.Name) // never a path of this machine
			if e.NoThumbnails {
				ref.Name = "" // nor what the user calls a picture that is not to be seen
			}
			if ref.SHA256 == "" {
				ref.SHA256 = files.Sum(ref.Data)
			}
		}
		if mask := &r.Subjects[i].Region; !mask.IsZero() && mask.SHA256 == "" {
			mask.SHA256 = files.Sum(mask.Data)
		}
	}
	if r.Init != nil {
		r.Init.Name = files.Base(r.Init.Name)
		if e.NoThumbnails {
			r.Init.Name = ""
		}
	}
	for _, ref := range sides(r) {
		if ref.Name = files.Base(ref.Name); e.NoThumbnails {
			ref.Name = ""
		}
	}
	whole := Recipe{
		Schema: Schema, Model: model.Name, Bundle: BundleDigest(model), Program: e.Program, Noise: noiseName,
		Marks: marks(p.Recipe), Chunks: !p.Recipe.Cut && long(p.Recipe),
		Request: r, Masks: masks(r),
	}
	var used Used
	if used.Prompt, used.Negative = p.Recipe.Used(model, p.Seed); used.Prompt != r.Prompt || used.Negative != p.Recipe.Negative {
		whole.Used = &used
	}
	if !e.NoThumbnails {
		whole.Thumbnails = thumbnails(r)
	}
	recipe, err := encode(whole)
	if err != nil {
		return nil, err
	}
	return picture.Encode(p.Image, picture.Metadata{
		Prompt: withLoRAs(used.Prompt, r.LoRAs), Negative: strings.TrimSpace(used.Negative),
		Settings: parameters(p, r, model, e), Recipe: recipe, Generated: true,
	})
}

// Fits tells whether a recipe that was read from a file says of its pictures what e has it say.
func (r Recipe) Fits(e Embed) bool {
	pictures, named := 0, false
	see := func(name, none string) { pictures, named = pictures+1, named || name != none }
	for _, s := range r.Subjects {
		for _, ref := range s.References {
			see(ref.Name, noName)
		}
	}
	for _, ref := range sides(r.Request) {
		see(ref.Name, noName)
	}
	if r.Init != nil {
		see(r.Init.Name, noInitName)
	}
	if e.NoThumbnails {
		return !named && len(r.Thumbnails) == 0
	}
	return !e.Nothing && (pictures == 0 || len(r.Thumbnails) > 0)
}

// withLoRAs is a prompt with the LoRAs behind it, as A1111 writes them.
func withLoRAs(prompt, loras string) string {
	uses, _ := lora.Parse(loras)
	for _, u := range uses {
		if !u.Off {
			prompt += " " + lora.Format([]lora.Use{{Name: u.Name, Weight: u.Weight}})
		}
	}
	return prompt
}

// parameters are the settings in the words of A1111; what only RealCustom has gets keys of its own, which its readers keep.
func parameters(p inference.PictureReady, r inference.Request, model bundle.Manifest, e Embed) []picture.KeyValue {
	if r.Grid == nil { // else that of a cell
		r.Width, r.Height = p.Image.Bounds().Dx(), p.Image.Bounds().Dy()
	}
	settings := []picture.KeyValue{
		{Key: "Seed", Value: strconv.FormatUint(p.Seed, 10)},
		{Key: "Model hash", Value: checkpointHash(model)},
		{Key: "Model", Value: strings.TrimSpace(model.Name)},
		{Key: "RNG", Value: "CPU"},
	}
	var ofMasks []picture.KeyValue
	for _, t := range inference.Table() {
		if said := (picture.KeyValue{Key: t.A1111, Value: t.Write(r.Settings)}); t.OfMasks && t.A1111 != "" {
			ofMasks = append(ofMasks, said)
		} else if t.A1111 != "" {
			settings = append(settings, said)
		}
	}
	var subjects, refs []string
	for _, s := range r.Subjects {
		var of []string
		for _, ref := range s.References {
			name := fmt.Sprintf("ref%d", len(refs)+1)
			of = append(of, name+" "+short(ref.SHA256))
			refs = append(refs, name+": "+short(ref.SHA256))
		}
		word := s.Word.Text
		if s.Word.Occurrence > 1 {
			word = fmt.Sprintf("%s#%d", word, s.Word.Occurrence)
		}
		said := fmt.Sprintf("%s<-%s scope %g", word, strings.Join(of, " + "), s.Scope)
		if !s.Region.IsZero() {
			said += fmt.Sprintf(" mask %s %s", s.Region.Kind, short(s.Region.SHA256))
		}
		subjects = append(subjects, said)
	}
	if len(subjects) > 0 {
		settings = append(settings, picture.KeyValue{Key: "RealCustom subjects", Value: strings.Join(subjects, "; ")})
		settings = append(append(settings, ofMasks...), picture.KeyValue{Key: "RealCustom refs", Value: strings.Join(refs, ", ")})
	}
	if r.Init != nil {
		settings = append(settings, picture.KeyValue{Key: "Denoising strength", Value: strconv.FormatFloat(r.Init.Strength, 'g', -1, 64)})
	}
	return append(settings, picture.KeyValue{Key: "Version", Value: e.Program})
}

// checkpointHash is what A1111 calls the model hash: of the checkpoint, where the model was made of one file.
func checkpointHash(m bundle.Manifest) string {
	if len(m.Sources) != 1 {
		return ""
	}
	for _, sum := range m.Sources {
		return short(sum)
	}
	return ""
}

func short(sum string) string { return sum[:min(len(sum), 10)] }

// maskBytes is how much the painted masks of a recipe may take, all together: what is read has at most 4 MB.
const maskBytes = 2 << 20

// masks are the painted masks of a request as files, which no privacy keeps out: they say where, not what. What is too large is left
// out, and must be given again to make the picture again.
func masks(r inference.Request) map[string][]byte {
	out, total := map[string][]byte{}, 0
	put := func(mask inference.Painted) {
		if len(mask.Data) > 0 && out[mask.SHA256] == nil && total+len(mask.Data) <= maskBytes {
			out[mask.SHA256] = mask.Data
			total += len(mask.Data)
		}
	}
	for _, s := range r.Subjects {
		put(s.Region.Painted)
	}
	if r.Init != nil {
		put(r.Init.Region)
	}
	return out
}

// thumbnailBytes is how much the thumbnails of a recipe may take, all together.
const thumbnailBytes = 256 << 10

// thumbnails are the references made small, of a request that no engine has resolved drawn here. One that cannot be drawn has none.
func thumbnails(r inference.Request) map[string][]byte {
	small, total := map[string][]byte{}, 0
	put := func(sum string, data []byte) {
		if small[sum] == nil && len(data) > 0 && total+len(data) <= thumbnailBytes {
			small[sum] = data
			total += len(data)
		}
	}
	draw := func(sum string, data, drawn []byte, square picture.Square) {
		if small[sum] != nil || len(data) == 0 {
			return
		}
		if drawn == nil {
			img, _, err := picture.Decode(data, picture.Limits{})
			if err != nil {
				return
			}
			if drawn, err = picture.Small(img, square); err != nil {
				return
			}
		}
		put(sum, drawn)
	}
	for _, s := range r.Subjects {
		for _, ref := range s.References {
			draw(ref.SHA256, ref.Data, ref.Small, ref.Square)
		}
	}
	for _, ref := range sides(r) {
		draw(ref.SHA256, ref.Data, ref.Small, ref.Square)
	}
	if r.Init != nil {
		draw(r.Init.SHA256, r.Init.Data, r.Init.Small, picture.Square{})
	}
	return small
}
