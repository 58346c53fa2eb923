package inference

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/message"
	"realword/inference/picture"
)

// Grid has a request make many pictures that differ in one or two things: one for every value of Rows with every value of Columns.
// Cell n is in row n / len(Columns), and is picture n of the request. Each is the picture that its own recipe makes alone, bit for bit;
// what they share is computed once.
type Grid struct {
	Rows    Axis  `json:"rows,omitzero"` // none: one row
	Columns Axis  `json:"columns"`
	Made    []int `json:"-"` // cells that are there already: they are not made again
	// where these are, for whoever keeps pictures: the engine passes it on
	Of uint64 `json:"-"`
}

// Axis is one thing in which the cells of a grid differ.
type Axis struct {
	Key        string      `json:"key"`                  // of a setting (see AxisKeys), AxisSeed or AxisReference
	Subject    int         `json:"subject,omitempty"`    // of scope and reference: 1 is the first; 0: every one, of a reference the first
	Values     []string    `json:"values,omitempty"`     // as flags take them; none of AxisReference
	References []Reference `json:"references,omitempty"` // of AxisReference: the subject's picture
}

// Keys of axes that are no setting, or not one alone.
const (
	AxisSeed      = "seed"
	AxisReference = "reference"
	AxisSwift     = "swift" // of Exact and Swift
)

// Values of AxisSwift.
const (
	AxisExact  = "exact" // without any approximation
	AxisApprox = "swift" // with those of Settings.Swift, and what the request says of each
)

// AxisKeys are what an axis can be of.
func AxisKeys() []string {
	return []string{
		"scope", "stop", AxisSeed, AxisReference, "preset", "cfg", "guidance_rescale", "steps", "sampler", "mask_source", AxisSwift,
	}
}

// SeedRange are the seeds of a range such as "7-9", of which a grid may have one too many; nil where it is none, or has more.
func SeedRange(text string) (seeds []string) {
	from, to, _ := strings.Cut(text, "-")
	first, err1 := strconv.ParseUint(strings.TrimSpace(from), 10, 64)
	last, err2 := strconv.ParseUint(strings.TrimSpace(to), 10, 64)
	if errors.Join(err1, err2) != nil || last < first || last-first > MaxCells {
		return nil
	}
	for n := range last - first + 1 {
		seeds = append(seeds, strconv.FormatUint(first+n, 10))
	}
	return seeds
}

// MaxCells is how many pictures a grid has at most.
const MaxCells = 100

// Len is how many values an axis has; of none it is 1.
func (a Axis) Len() int {
	switch a.Key {
	case "":
		return 1
	case AxisReference:
		return len(a.References)
	}
	return len(a.Values)
}

// Text is value i for people: a number, a name, the name of a file.
func (a Axis) Text(i int) string {
	switch {
	case i < 0 || i >= a.Len() || a.Key == "":
		return ""
	case a.Key == AxisReference:
		return a.References[i].Name
	}
	return a.Values[i]
}

// Len is how many cells a grid has.
func (g *Grid) Len() int { return g.Rows.Len() * g.Columns.Len() }

// Clone is a copy that shares the bytes of pictures alone; nil for none.
func (g *Grid) Clone() *Grid {
	if g == nil {
		return nil
	}
	c := *g
	c.Made = slices.Clone(g.Made)
	for _, a := range c.Axes() {
		a.Values, a.References = slices.Clone(a.Values), slices.Clone(a.References)
	}
	return &c
}

// presets tells whether cells have different presets, and so different squares of one reference.
func (g *Grid) presets() bool { return g.Rows.Key == "preset" || g.Columns.Key == "preset" }

// Axes are the sides, which belong to the grid: rows, then columns.
func (g *Grid) Axes() []*Axis { return []*Axis{&g.Rows, &g.Columns} }

// Cells are the requests of the pictures of a request, complete, one seed each: of a grid its cells, else one for every seed.
// Nothing is checked: a value that cannot be read leaves its cell without.
func (r Request) Cells(m bundle.Manifest) []Request {
	full := Defaults(m, r)
	full.Grid = nil
	one := func(seeds ...uint64) Request {
		c := full
		c.Seeds, c.Subjects, c.Init = seeds, CloneSubjects(full.Subjects), full.Init.withDefaults()
		return c
	}
	if r.Grid == nil {
		cells := make([]Request, len(r.Seeds))
		for n, seed := range r.Seeds {
			cells[n] = one(seed)
		}
		return cells
	}
	wishes := full.Wishes(m)
	preset, _ := m.Preset(full.Preset)
	cells := make([]Request, r.Grid.Len())
	for n := range cells {
		c := one()
		switch {
		case len(r.Seeds) == 1: // of all
			c.Seeds = slices.Clone(r.Seeds)
		case n < len(r.Seeds):
			c.Seeds = r.Seeds[n : n+1]
		}
		c.Settings = wishes
		columns := r.Grid.Columns.Len()
		values := [...]int{n / columns, n % columns}
		if r.Grid.presets() {
			c.Follow(preset)
		}
		for i, a := range r.Grid.Axes() {
			a.set(&c, values[i])
		}
		c = Defaults(m, c)
		c.Settings = c.honest(m)
		cells[n] = c
	}
	return cells
}

// Follow leaves to another preset what subjects have of this one. It changes them where they lie.
func (r *Request) Follow(preset bundle.Preset) {
	for j := range r.Subjects {
		s := &r.Subjects[j]
		if s.Scope == preset.Scope {
			s.Scope = 0
		}
		for i := range s.References {
			if ref := &s.References[i]; ref.Square.Fit == cmp.Or(preset.Fit, picture.Pad) {
				ref.Square.Fit = ""
			}
		}
	}
}

// set gives a request value i of the axis.
func (a Axis) set(r *Request, i int) {
	switch a.Key {
	case "":
	case AxisSeed:
		if seed, err := strconv.ParseUint(a.Values[i], 10, 64); err == nil {
			r.Seeds = []uint64{seed}
		}
	case AxisReference:
		if j := max(a.Subject, 1) - 1; j < len(r.Subjects) {
			r.Subjects[j].References = []Reference{a.References[i]}
		}
	case "scope":
		var s Settings
		if row(a.Key).Set(&s, a.Values[i]) != nil {
			return
		}
		for j := range r.Subjects {
			subject := &r.Subjects[j]
			if (a.Subject == 0 || a.Subject == j+1) && (subject.Region.IsZero() || subject.Region.Kind != guidance.Exactly) {
				subject.Scope = s.Scope
			}
		}
	case AxisSwift:
		if a.Values[i] == AxisExact {
			r.Settings = r.WithoutApproximations()
		} else {
			r.Settings.Swift = true
		}
	default:
		_ = row(a.Key).Set(&r.Settings, a.Values[i])
	}
}

// row is the setting of a key.
func row(key string) Setting {
	return table[slices.IndexFunc(table, func(t Setting) bool { return t.Key == key })]
}

// name is what people call it.
func (a Axis) name() string {
	switch a.Key {
	case "scope":
		return "gamma"
	case "stop":
		return "t_stop"
	}
	return a.Key
}

// problem says what no model can make of an axis; nil where nothing is wrong.
func (a Axis) problem(subjects []Subject) error {
	if !slices.Contains(AxisKeys(), a.Key) {
		return message.Errorf("a grid cannot have %q on a side: choose one of %s", a.Key, strings.Join(AxisKeys(), ", "))
	}
	if a.Len() == 0 {
		return message.Errorf("the side %q of the grid has no values: give some", a.name())
	}
	if a.Subject < 0 || a.Subject > len(subjects) {
		return message.Errorf("the grid is about subject %d, and there are %d: choose one of them", a.Subject, len(subjects))
	}
	if (a.Key == "scope" || a.Key == AxisReference) && len(subjects) == 0 {
		return message.Errorf("the side %q of the grid needs a subject: bind a word to a picture", a.name())
	}
	seen := map[string]bool{}
	for i := range a.Len() {
		text := a.Text(i)
		if a.Key == AxisReference {
			file, _ := json.Marshal(a.References[i]) // with its place in the square
			text = string(file)
		}
		var s Settings
		var err error
		unset := false // a zero that would stand for the preset's value
		switch a.Key {
		case AxisReference:
		case AxisSeed:
			_, err = strconv.ParseUint(text, 10, 64)
		case AxisSwift:
			if text != AxisExact && text != AxisApprox {
				return message.Errorf("the side %q of the grid has the value %q, and can have exact and swift: correct it", a.Key, text)
			}
		default:
			t := row(a.Key)
			err = t.Set(&s, text)
			unset = t.Zero != "" && t.Get(s) == ""
		}
		if err != nil || unset || text == "" || a.Key == "scope" && !(s.Scope > 0 && s.Scope <= 1) {
			return message.Errorf("the side %q of the grid has the value %q, which it cannot have: correct it", a.name(), text)
		}
		if seen[text] {
			return message.Errorf("the side %q of the grid has the value %q twice: leave one out", a.name(), a.Text(i))
		}
		seen[text] = true
	}
	return nil
}

// checkGrid checks the sides of a grid, and every cell as a request of its own.
func (p *planner) checkGrid() {
	r := &p.request
	g := r.Grid
	if g == nil {
		return
	}
	before := len(p.problems)
	if r.From != nil {
		p.problem(message.New("a grid begins with noise: leave out the kept step, or make the pictures one by one"))
	}
	for i, a := range g.Axes() {
		if i == 0 && a.Key == "" && a.Len() == 1 {
			continue // one row
		}
		if err := a.problem(r.Subjects); err != nil {
			p.problems = append(p.problems, err)
		}
	}
	if g.Rows.Key == g.Columns.Key && (g.Rows.Subject == g.Columns.Subject || g.Rows.Key != "scope" && g.Rows.Key != AxisReference) {
		p.problem(message.Errorf("both sides of the grid are %q: choose another one for one of them", g.Rows.Key))
	}
	if n := g.Len(); n > MaxCells {
		p.problem(message.Errorf("a grid of %d × %d has %d pictures, and at most %d are made at once: leave out some values", g.Rows.Len(), g.Columns.Len(), n,
			MaxCells))
	}
	if len(p.problems) > before {
		return
	}
	p.checkAxisReferences()
	switch n := g.Len(); {
	case g.Rows.Key == AxisSeed || g.Columns.Key == AxisSeed:
		r.Seeds = nil
	case len(r.Seeds) == 1:
		r.Seeds = slices.Repeat(r.Seeds, n)
	case len(r.Seeds) != n || len(slices.Compact(slices.Clone(r.Seeds))) > 1:
		p.problem(message.Errorf("a grid has one seed, or its seeds on a side, not %d of them: leave out the others", len(r.Seeds)))
		return
	}
	if len(p.problems) > before { // cells would only say it again
		return
	}
	p.cells = r.Cells(p.manifest)
	r.Seeds = nil
	said := map[string]bool{}
	for _, err := range p.problems {
		said[err.Error()] = true
	}
	for n := range p.cells {
		c := planner{plan: plan{request: p.cells[n]}, ctx: p.ctx, engine: p.engine, manifest: p.manifest}
		c.checkSettings()
		c.checkScopes()
		c.checkInit()
		if g.presets() {
			c.checkReferences()
		}
		p.cells[n] = c.request
		r.Seeds = append(r.Seeds, c.request.Seeds...)
		for _, err := range c.problems {
			if !said[err.Error()] {
				p.problems = append(p.problems, err)
			}
			said[err.Error()] = true
		}
	}
	if len(p.problems) == before {
		if err := r.CheckSides(p.manifest); err != nil {
			p.problems = append(p.problems, err)
		}
	}
	slices.Sort(g.Made)
	g.Made = slices.DeleteFunc(slices.Compact(g.Made), func(n int) bool { return n < 0 || n >= len(p.cells) })
}

// checkAxisReferences decodes the pictures of sides.
func (p *planner) checkAxisReferences() {
	for _, a := range p.request.Grid.Axes() {
		if a.Key != AxisReference {
			continue
		}
		word, fit := p.request.Subjects[max(a.Subject, 1)-1].Word, p.request.Complete(p.manifest).Fit
		for i := range a.References {
			p.checkReference(word, &a.References[i], fit)
		}
	}
}
