package inference

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/message"
	"realword/inference/picture"
	"realword/inference/prompt"
)

// plan is a request that can run.
type plan struct {
	request Request   // complete; of the caller's it shares the bytes of pictures and From
	cells   []Request // the pictures, complete, one seed each; they share what the request shares
	texts   []*text   // what each of them reads
}

// of is the plan of one picture.
func (p plan) of(cell int) plan { return plan{request: p.cells[cell], texts: p.texts[cell : cell+1]} }

// from is the state that every picture begins with, but for the noise of a new one.
func (p plan) from() State {
	if p.request.From == nil {
		return State{Step: p.request.Begin()}
	}
	return *p.request.From
}

// planner fills in a request and collects what is wrong with it.
type planner struct {
	plan
	ctx      context.Context
	engine   *Engine
	manifest bundle.Manifest
	badSize  bool
	scope    float64      // of subjects without their own, as asked for
	badScope bool         // no subject can have it
	unread   bool         // the prompts are no text
	wrong    map[int]bool // subjects with a problem of their word, which is told once
	problems []error
}

func (e *Engine) plan(ctx context.Context, r Request) (plan, error) {
	m := e.model.Manifest()
	p := planner{plan: plan{request: Defaults(m, r)}, ctx: ctx, engine: e, manifest: m, wrong: map[int]bool{}, scope: r.Scope}
	p.request.Seeds = slices.Clone(r.Seeds)
	p.fillSubjects()
	p.checkSettings()
	p.checkLoRAs()
	p.fillSeeds()
	p.checkWords()
	p.checkScopes()
	p.checkReferences()
	p.checkInit()
	p.checkState()
	p.checkGrid()
	if p.request.Grid == nil && len(p.problems) == 0 {
		p.request.Settings = p.request.honest(m)
	}
	if p.cells == nil {
		p.cells = p.request.Cells(m)
	}
	p.readCells()
	if ctx.Err() != nil { // more than this is not wrong
		return p.plan, ctx.Err()
	}
	return p.plan, errors.Join(p.problems...)
}

// fillSubjects gives a subject without a picture the first one of the grid's side.
func (p *planner) fillSubjects() {
	if p.request.Grid == nil {
		return
	}
	for _, a := range p.request.Grid.Axes() {
		if j := max(a.Subject, 1) - 1; a.Key == AxisReference && a.Len() > 0 && j < len(p.request.Subjects) {
			if s := &p.request.Subjects[j]; len(s.References) == 0 {
				s.References = a.References[:1:1]
				p.request = Defaults(p.manifest, p.request)
			}
		}
	}
}

func (p *planner) problem(err error) { p.problems = append(p.problems, err) }

// checkSettings asks the table what the model cannot do.
func (p *planner) checkSettings() {
	asked := p.request.Settings
	asked.Scope = p.scope // which the subjects have now
	for _, t := range table {
		if t.check == nil {
			continue
		}
		if err := t.check(asked, p.manifest); err != nil {
			p.problems = append(p.problems, err)
			p.badSize, p.badScope = p.badSize || t.Flag == "size", p.badScope || t.Key == "scope"
		}
	}
}

// checkWords reads the prompts for every picture and finds the tokens of every subject's word.
func (p *planner) checkWords() {
	r := &p.request
	if strings.TrimSpace(r.Prompt) == "" {
		p.problem(message.Errorf("the prompt is empty: describe the picture"))
		p.unread = true
		return
	}
	for _, text := range []string{r.Prompt, r.Negative} {
		if !utf8.ValidString(text) {
			p.problem(message.Errorf("the prompt %q is not UTF-8 text: save its file as UTF-8, or set the terminal to UTF-8", text))
			p.unread = true
			return
		}
	}
	if !p.manifest.Text.Chunks && (prompt.Long(r.Prompt) || prompt.Long(r.Negative)) {
		r.Cut = true // which another model need not do
	}
	for j := range r.Subjects {
		w := &r.Subjects[j].Word
		w.Occurrence = max(w.Occurrence, 1)
	}
	if r.Grid == nil || !prompt.HasAlternatives(r.Prompt) { // the cells of a grid have seeds of their own
		p.findWords(p.engine.read(*r, r.Seeds[0]))
	}
}

// readCells reads the prompts of every picture.
func (p *planner) readCells() {
	type used struct{ prompt, negative string }
	seen := map[used]*text{}
	p.texts = make([]*text, len(p.cells))
	for n, c := range p.cells {
		if len(c.Seeds) == 0 || p.unread {
			continue // which is a problem already
		}
		var u used
		u.prompt, u.negative = c.Used(p.manifest, c.Seeds[0])
		if p.texts[n] = seen[u]; p.texts[n] == nil {
			p.texts[n] = p.engine.read(c, c.Seeds[0])
			p.findWords(p.texts[n])
			seen[u] = p.texts[n]
		}
	}
}

// findWords finds the tokens of every subject's word in a text.
func (p *planner) findWords(t *text) {
	r := &p.request
	t.spans = make([]prompt.Span, len(r.Subjects))
	problem := func(j int, err error) {
		if !p.wrong[j] {
			p.problem(err)
		}
		p.wrong[j] = true
	}
	for j := range r.Subjects {
		w := &r.Subjects[j].Word
		span, err := t.prompt[0].Find(w.Text, w.Occurrence)
		if err != nil {
			problem(j, err)
		}
		for i, other := range t.spans[:j] {
			if span.From < other.To && other.From < span.To {
				problem(j, message.Errorf("%s and %s are two subjects with the same word: bind each to its own word, or give one subject all the pictures",
					r.Subjects[i].Word, *w))
			}
		}
		t.spans[j] = span
	}
	if v := p.manifest.Words; v != nil && v.Rivals && len(r.Subjects) > 0 {
		t.rivals = rivals(t.prompt[0], v, t.spans)
	}
}

// rivals are the tokens of what else a prompt names as seen in the picture, which the flower of a flower meadow and a hat that is worn are
// not.
func rivals(p *prompt.Prompt, v *bundle.Vocabulary, spans []prompt.Span) (found []prompt.Span) {
	taken := slices.Clone(spans)
	look := func(entry string, take bool) {
		for n := range p.Count(entry) {
			span, err := p.Find(entry, n+1)
			if err != nil || slices.ContainsFunc(taken, func(t prompt.Span) bool { return span.From < t.To && t.From < span.To }) {
				continue
			}
			taken = append(taken, span)
			if take {
				found = append(found, span)
			}
		}
	}
	for _, other := range slices.Concat(v.Places, v.Seats, v.Worn) {
		look(other, false)
	}
	for _, name := range v.Named() {
		look(name, true)
	}
	return found
}

// checkScopes reads the painted regions and refuses what cannot be shared out among the positions of the guidance grid. The scope of a
// mask that is painted exactly becomes its area.
func (p *planner) checkScopes() {
	r := &p.request
	width, height := r.Width, r.Height
	if p.badSize {
		width, height = p.manifest.Size.Width, p.manifest.Size.Height
	}
	cell := p.manifest.Latent.Factor * p.manifest.Grid
	width, height = width/cell, height/cell
	rule := make([]guidance.Subject, len(r.Subjects))
	unread := false
	for j := range r.Subjects {
		s := &r.Subjects[j]
		rule[j] = guidance.Subject{Word: s.Word.Text, Scope: s.Scope}
		if s.Region.IsZero() {
			s.Region = Region{}
			continue
		}
		_, err := guidance.ParseKind(string(s.Region.Kind))
		var read readMask
		if err == nil {
			read, err = p.engine.readPainted(p.ctx, s.Region.Painted)
		}
		if err != nil {
			p.problem(message.Errorf("the mask of %s: %w", s.Word, err))
			unread = true
			continue
		}
		s.Region.Painted = read.painted
		rule[j].Kind, rule[j].Region = s.Region.Kind, picture.Cover(read.mask, width, height)
	}
	if unread || p.badScope {
		return
	}
	ks, err := guidance.Counts(width*height, rule)
	if err != nil {
		p.problems = append(p.problems, err)
		return
	}
	for j, s := range rule {
		if s.Kind == guidance.Exactly {
			r.Subjects[j].Scope = float64(ks[j]) / float64(width*height)
		}
	}
}

// checkReferences decodes every picture that the engine has not seen lately.
func (p *planner) checkReferences() {
	for j := range p.request.Subjects {
		s := &p.request.Subjects[j]
		if len(s.References) == 0 {
			p.problem(message.Errorf("%s has no picture: add one, or remove the subject", s.Word))
		}
		for i := range s.References {
			p.checkReference(s.Word, &s.References[i], "")
		}
	}
}

// checkReference decodes a picture of a subject; fit is what its square has where it says nothing itself.
func (p *planner) checkReference(word Word, ref *Reference, fit picture.Fit) {
	if ref.SHA256 == "" || len(ref.Data) == 0 {
		ref.SHA256 = files.Sum(ref.Data)
	}
	fitted := *ref
	fitted.Square.Fit = cmp.Or(ref.Square.Fit, fit)
	seen, err := p.engine.viewsOf(p.ctx, fitted)
	if err != nil {
		p.problem(message.Errorf("the picture %q of %s: %w", ref.Name, word, err))
	}
	ref.Small = seen.small
}

func (p *planner) fillSeeds() {
	r := &p.request
	switch {
	case len(r.Seeds) == 0 && r.From != nil:
		r.Seeds = []uint64{r.From.Seed}
	case len(r.Seeds) == 0:
		r.Seeds = []uint64{uint64(rand.Uint32())} // short enough to be copied by hand
	}
}

// checkState compares a kept step with the request that goes on from it.
func (p *planner) checkState() {
	r, s := p.request, p.request.From
	if s == nil {
		return
	}
	if len(r.Seeds) != 1 || r.Seeds[0] != s.Seed {
		p.problem(message.Errorf("the kept step belongs to the picture with seed %d: ask for this seed only, or start from noise", s.Seed))
	}
	if s.Width != r.Width || s.Height != r.Height || s.Steps != r.Steps || s.Sampler != r.Sampler {
		p.problem(message.Errorf("the kept step belongs to %d × %d pixels and %d steps of %s, but the request asks for %d × %d and %d steps of %s: keep these as they were, or start from noise",
			s.Width, s.Height, s.Steps, s.Sampler, r.Width, r.Height, r.Steps, r.Sampler))
		return
	}
	if !p.manifest.Named(s.Model) {
		p.problem(message.Errorf("the kept step belongs to the model %s, and this is %s: open that model, or start from noise", s.Model, p.manifest.Name))
		return
	}
	m := p.manifest.Latent
	h, w := r.Height/m.Factor, r.Width/m.Factor
	positions := (h / p.manifest.Grid) * (w / p.manifest.Grid)
	if err := s.fits(r.Steps, max(r.Stop, r.Begin()+1), scored(r.Subjects), m.Channels*h*w, positions); err != nil {
		p.problems = append(p.problems, err)
	}
}

// fits reports why the loop cannot go on from a state. subjects is how many need scores, values the length of a latent, positions that
// of a grid.
func (s State) fits(steps, stop, subjects, values, positions int) error {
	reuses := subjects > 0 && !guidance.Runs(s.Step, stop)
	switch {
	case s.Step < 0 || s.Step >= steps:
		return message.Errorf("the kept step is followed by step %d, but the run has only %d: choose an earlier one", s.Step+1, steps)
	case len(s.Latent) != values:
		return message.Errorf("the kept step has a latent of %d values, but this model and picture size need %d: start from noise", len(s.Latent),
			values)
	case reuses && len(s.Scores) != subjects:
		return message.Errorf("the kept step has masks of %d subjects, not of %d: choose T_stop above %d, so that new masks are made", len(s.Scores),
			subjects, s.Step)
	case reuses && slices.ContainsFunc(s.Scores, func(grid []float32) bool { return len(grid) != positions }):
		return message.Errorf("the kept step has masks of another size than %d positions: choose T_stop above %d, so that new masks are made",
			positions, s.Step)
	}
	return nil
}

// CloneSubjects copies subjects; the copies share the bytes of pictures.
func CloneSubjects(subjects []Subject) []Subject {
	out := slices.Clone(subjects)
	for j := range out {
		out[j].References = slices.Clone(out[j].References)
	}
	return out
}

// scored is how many subjects have scores: all of them where the mask of any comes from scores, else none. See guidance.Scored.
func scored(subjects []Subject) int {
	for _, s := range subjects {
		if s.Region.IsZero() || s.Region.Kind != guidance.Exactly {
			return len(subjects)
		}
	}
	return 0
}
