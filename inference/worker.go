package inference

import (
	"context"
	"image"
	"slices"
	"time"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/picture"
	"realword/inference/random"
	"realword/inference/tensor"
)

// worker is the goroutine of an engine. It alone touches sessions.
type worker struct {
	engine   *Engine
	graphs   *Graphs
	reported string                       // why the device has changed, once the running job has reported it
	tokens   lru[viewKey, *tensor.Tensor] // visual tokens [1, n, C]; the zero key is the black picture
	classes  lru[viewKey, []float32]      // class tokens [D]
	texts    *texts                       // of the running job; nil outside of one
	unseen   *Vision                      // its black picture in place of every subject
}

func (w *worker) work(ctx context.Context, jobs <-chan *job) error {
	for {
		select {
		case <-ctx.Done():
			return w.graphs.Close()
		case j := <-jobs:
			w.run(j)
		}
	}
}

func (w *worker) run(j *job) {
	if !j.begin() {
		return
	}
	defer j.cancel()
	w.engine.works(true)
	defer w.engine.works(false)
	w.reported = ""
	started := time.Now()
	err := w.generate(j)
	if err != nil && j.ctx.Err() == nil {
		err = w.engine.shortOf(err, j.plan.request) // by where it was computed
	}
	if f, ok := w.graphs.runtime.(interface{ Again() }); ok {
		f.Again() // what had too little memory may do for the next job
	}
	switch {
	case err == nil:
		j.emit(Done{Pictures: len(j.plan.cells) - len(j.plan.request.Grid.made()), Elapsed: time.Since(started) - j.rested})
	case j.ctx.Err() != nil:
		j.emit(Failed{j.ctx.Err()})
	default:
		j.emit(Failed{err})
	}
}

// generate makes the pictures of a job, one after the other. What they share is computed once.
func (w *worker) generate(j *job) error {
	r, cells := j.plan.request, j.plan.cells
	parts := partsOf(cells, r.Grid.made())
	if len(parts) == 0 {
		return nil
	}
	w.texts = &texts{features: map[string]features{}}
	defer w.forget()
	w.tokens.limit = max(keptTokens, len(r.Files())+1)
	loop, err := w.prepare(j.ctx, j.plan.of(parts[0].cell), func(s Stage) { w.stage(j, s, 0) })
	if err != nil {
		return err
	}
	defer loop.Close()
	clock := passClock{passes: loop.Passes(j.plan.from())}
	if r.From == nil {
		clock.passes, _ = passesOf(w.graphs.model.Manifest(), cells, r.Grid.made())
	}
	if r.Grid != nil {
		loop.memo = newMemo(cells, parts)
	}
	for _, p := range parts { // while the encoders are open
		if err := w.encodeFor(j.ctx, j.plan.of(p.cell)); err != nil {
			return err
		}
	}
	if w.engine.large() {
		if err := w.graphs.release(graph.Text, graph.Vision); err != nil {
			return err
		}
	}
	loop.OnPass = func() {
		w.reportDevice(j)
		j.emit(clock.pass())
	}
	var film []StepDone // of the part before, where this one goes on from it
	for _, p := range parts {
		film, err = w.make(j, loop, p, film, &clock)
		if err != nil {
			return err
		}
	}
	return nil
}

// make makes one picture. film is what the part before it has left for it; it returns what the next one needs.
func (w *worker) make(j *job, loop *Loop, p part, film []StepDone, clock *passClock) ([]StepDone, error) {
	j.rest(w.engine.works)
	started := time.Now()
	r, seed := j.plan.cells[p.cell], j.plan.cells[p.cell].Seeds[0]
	begun := StageStarted{Stage: StageDenoise, Picture: p.cell}
	if j.plan.request.Grid != nil {
		if err := w.turn(j.ctx, loop, j.plan.of(p.cell)); err != nil {
			return nil, err
		}
		recipe := r
		begun.Recipe = &recipe
	} else if err := w.readText(j.ctx, loop, j.plan.of(p.cell)); err != nil { // which may be another alternative
		return nil, err
	}
	w.begun(j, begun)
	clock.start()
	var state State
	var err error
	shared := film[:min(len(film), p.from-r.Begin())]
	switch {
	case j.plan.request.From != nil:
		state = *j.plan.request.From
	case len(shared) > 0:
		state = shared[len(shared)-1].State
	default:
		if state, err = loop.Start(seed, random.Normal(seed, tensor.Count(loop.Shape()))); err != nil {
			return nil, err
		}
	}
	var next []StepDone
	var masks []picture.Grid // of the last step
	done := func(e StepDone) {
		masks = gridsOf(e)
		if p.goes {
			next = append(next, e.clone(e.Picture))
		}
		j.emit(e)
	}
	for _, e := range shared {
		done(e.clone(p.cell))
	}
	left := loop.Passes(state)
	made := clock.done
	loop.OnStep = func(s Step) error {
		now := loop.Passes(s.State) // fewer than were thought of, where masks have come to rest
		clock.passes += clock.done - made + now - left
		left, made = now, clock.done
		event, err := w.stepDone(loop, p.cell, s)
		if err == nil {
			done(event)
			waited := j.rest(w.engine.works)
			started, clock.since = started.Add(waited), clock.since.Add(waited)
		}
		return err
	}
	var clean *tensor.Tensor
	if state.Step == r.Steps { // all of it
		clean = tensor.Of(slices.Clone(shared[len(shared)-1].Clean), loop.Shape()...)
	} else if clean, err = loop.Run(j.ctx, state); err != nil {
		return nil, err
	}
	w.stage(j, StageDecode, p.cell)
	img, err := w.decoded(j.ctx, r, clean)
	if err != nil {
		return nil, err
	}
	w.reportDevice(j)
	recipe, took := r, time.Since(started)
	recipe.Subjects = CloneSubjects(r.Subjects)
	for i := range recipe.Subjects {
		recipe.Subjects[i].Anchors = nil
	}
	j.emit(PictureReady{Picture: p.cell, Seed: seed, Image: img, Recipe: recipe, Elapsed: took})
	if r.Init != nil {
		masks = MadeIn(r.Init.Region, masks)
	}
	w.hint(j, p.cell, r, masks, img, took)
	return next, nil
}

// makeRoom closes the U-Net where what runs next has no memory beside it.
func (w *worker) makeRoom(r Request) error {
	if p, ok := w.engine.Memory(r); ok && p.CloseUNet {
		return w.graphs.release(graph.UNet)
	}
	return nil
}

// decoded is the picture of a clean latent.
func (w *worker) decoded(ctx context.Context, r Request, clean *tensor.Tensor) (*image.NRGBA, error) {
	if err := w.makeRoom(r); err != nil {
		return nil, err
	}
	decoded, err := w.decode(ctx, clean)
	if err != nil {
		return nil, err
	}
	img, err := w.finish(ctx, r, decoded)
	if err != nil || !w.engine.large() {
		return img, err
	}
	return img, w.graphs.release(graph.Decoder, graph.TiledDecoder)
}

// turn makes the loop that of another cell. What both share stays encoded.
func (w *worker) turn(ctx context.Context, l *Loop, p plan) error {
	next := NewLoop(w.graphs, p.request)
	l.Settings, l.Subjects, l.Source, l.Norm, l.Begin, l.of = next.Settings, next.Subjects, next.Source, next.Norm, next.Begin, next.of
	l.UncondVision = nil
	if err := w.readText(ctx, l, p); err != nil || len(p.request.Subjects) == 0 {
		return err
	}
	return w.encodeReferences(ctx, l, p)
}

// encodeFor encodes texts and pictures of a cell, to be taken up when its turn comes.
func (w *worker) encodeFor(ctx context.Context, p plan) error {
	r := p.request
	if err := w.textFor(ctx, p); err != nil || len(r.Subjects) == 0 {
		return err
	}
	_, err := w.tokensOf(ctx, r)
	if err == nil && w.graphs.model.Manifest().Presets[r.Preset].UncondVision {
		_, err = w.black(ctx)
	}
	return err
}

// forget closes what the pictures of a job shared.
func (w *worker) forget() {
	for _, text := range w.texts.kept {
		text.KV.Close()
	}
	if w.unseen != nil {
		w.unseen.KV.Close()
	}
	w.texts, w.unseen = nil, nil
}

// prepare returns the loop of a plan with everything encoded; doing is told what begins. Where it fails, nothing is left open.
func (w *worker) prepare(ctx context.Context, p plan, doing func(Stage)) (*Loop, error) {
	l := NewLoop(w.graphs, p.request)
	if err := w.fill(ctx, l, p, doing); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (w *worker) fill(ctx context.Context, l *Loop, p plan, doing func(Stage)) error {
	doing(StageLoad)
	if err := w.adaptTo(ctx, p.request); err != nil {
		return err
	}
	if err := w.makeRoom(p.request); err != nil {
		return err
	}
	if err := w.load(ctx, l); err != nil {
		return err
	}
	if i := p.request.Init; i != nil && (p.request.From == nil || !i.Region.IsZero()) {
		doing(StageEncode)
		if err := w.readInit(ctx, l, p.request); err != nil {
			return err
		}
	}
	doing(StageText)
	if err := w.readText(ctx, l, p); err != nil || len(p.request.Subjects) == 0 {
		return err
	}
	doing(StageVision)
	return w.encodeReferences(ctx, l, p)
}

// load opens every graph that a loop is going to run, and the encoders and the decoder around it; of a large model only the
// encoders: the others are opened when they run.
func (w *worker) load(ctx context.Context, l *Loop) error {
	shape := l.Shape()
	names := []graph.Name{graph.Text, graph.TextKV, graph.VisionKV}
	if !w.engine.large() {
		names = append(names, graph.UNet, w.graphs.decoder(shape[2], shape[3]))
	}
	if len(l.Subjects) > 0 && w.graphs.store == nil { // else only what is not kept runs it
		names = append(names, graph.Vision)
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := w.graphs.load(name); err != nil {
			return err
		}
	}
	return nil
}

// encodeReferences encodes the references and, where the preset shows it to the unconditional pass, the black picture.
func (w *worker) encodeReferences(ctx context.Context, l *Loop, p plan) error {
	m := w.graphs.model.Manifest()
	tokens, err := w.tokensOf(ctx, p.request)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(l.Tokens, tokens, slices.Equal[[]*tensor.Tensor]) { // the cell before had the same ones
		l.Vision.KV.Close()
		l.Tokens = tokens
		if l.Vision, err = w.graphs.Condition(ctx, tokens); err != nil {
			return err
		}
	}
	if !m.Presets[p.request.Preset].UncondVision {
		return nil
	}
	if l.UncondVision = w.unseen; l.UncondVision != nil {
		return nil
	}
	black, err := w.black(ctx)
	if err != nil {
		return err
	}
	if l.UncondVision, err = w.graphs.BlackVision(ctx, black, len(tokens)); err == nil && w.texts != nil {
		w.unseen = l.UncondVision
	}
	return err
}

// tokensOf are the visual tokens of every subject's pictures.
func (w *worker) tokensOf(ctx context.Context, r Request) ([][]*tensor.Tensor, error) {
	tokens := make([][]*tensor.Tensor, len(r.Subjects))
	for j, s := range r.Subjects {
		for _, ref := range s.References {
			t, err := w.encodeViews(ctx, viewKey{ref.SHA256, ref.Square}, func() (*tensor.Tensor, error) {
				seen, err := w.engine.viewsOf(ctx, ref)
				return seen.views, err
			})
			if err != nil {
				return nil, err
			}
			tokens[j] = append(tokens[j], t)
		}
	}
	return tokens, nil
}

// black returns the visual tokens of the black picture, encoded unless they are kept.
func (w *worker) black(ctx context.Context) (*tensor.Tensor, error) {
	return w.encodeViews(ctx, viewKey{}, func() (*tensor.Tensor, error) { return BlackViews(w.graphs.model.Manifest()), nil })
}

// BlackViews are the views of the black picture.
func BlackViews(m bundle.Manifest) *tensor.Tensor {
	return tensor.Zeros(5, 3, m.Vision.View, m.Vision.View)
}

// BlackVision shows the black picture in place of every subject.
func (g *Graphs) BlackVision(ctx context.Context, tokens *tensor.Tensor, subjects int) (*Vision, error) {
	v, err := g.Condition(ctx, slices.Repeat([][]*tensor.Tensor{{tokens}}, subjects))
	return &v, err
}

// encodeViews returns the visual tokens of one picture, encoded unless they are kept.
func (w *worker) encodeViews(ctx context.Context, key viewKey, views func() (*tensor.Tensor, error)) (*tensor.Tensor, error) {
	if t, ok := w.tokens.get(key); ok {
		return t, nil
	}
	v, err := views()
	if err != nil {
		return nil, err
	}
	t, err := w.graphs.kept(graph.Vision, v, func() (*tensor.Tensor, error) { return w.graphs.Vision(ctx, v) })
	if err == nil {
		w.tokens.put(key, t)
	}
	return t, err
}

// padBias is what an attention logit of padding gets; its weight is exactly 0 after the softmax.
const padBias = -1e9

// Stack joins the tokens of every subject: those of its pictures one after the other, padded to the length of the longest
// subject. tokens is [R, n, C], bias [R, n] as in Vision.
func Stack(subjects [][]*tensor.Tensor) (tokens, bias *tensor.Tensor) {
	longest, width := 0, 0
	for _, pictures := range subjects {
		n := 0
		for _, t := range pictures {
			n, width = n+t.Shape[1], t.Shape[2]
		}
		longest = max(longest, n)
	}
	tokens, bias = tensor.Zeros(len(subjects), longest, width), tensor.Zeros(len(subjects), longest)
	for j, pictures := range subjects {
		n := j * longest
		for _, t := range pictures {
			copy(tokens.F32[n*width:], t.F32)
			n += t.Shape[1]
		}
		for ; n < (j+1)*longest; n++ {
			bias.F32[n] = padBias
		}
	}
	return tokens, bias
}

func (w *worker) stepDone(l *Loop, picture int, s Step) (StepDone, error) {
	preview, err := latentPreview(w.graphs.model.Manifest(), tensor.Of(s.Clean, l.Shape()...))
	h, wide := w.graphs.grid(l.Height, l.Width)
	e := StepDone{
		Picture: picture, Step: s.Index, Steps: l.Steps, Timestep: s.Timestep,
		Preview: preview, Clean: s.Clean,
		GridWidth: wide, GridHeight: h,
		Subjects: make([]SubjectStep, len(s.Masks)), Guided: s.Scores != nil, State: s.State,
	}
	for j, mask := range s.Masks {
		e.Subjects[j].Mask = mask
		if e.Guided {
			e.Subjects[j].Cross, e.Subjects[j].Scores = s.Cross[j], s.Scores[j]
		}
	}
	return e, err
}

// gridsOf are the masks of a step.
func gridsOf(e StepDone) []picture.Grid {
	out := make([]picture.Grid, len(e.Subjects))
	for i, s := range e.Subjects {
		out[i] = picture.Grid{Width: e.GridWidth, Height: e.GridHeight, Values: s.Mask}
	}
	return out
}

func (w *worker) decode(ctx context.Context, clean *tensor.Tensor) (*image.RGBA, error) {
	t, err := w.graphs.Decode(ctx, clean)
	if err != nil {
		return nil, err
	}
	return picture.ToImage(t, picture.Signed)
}

// passClock counts U-Net passes and estimates what is left from the mean time of a pass.
type passClock struct {
	done, passes int
	since        time.Time
	busy         time.Duration
}

func (c *passClock) start() { c.since = time.Now() }

func (c *passClock) pass() Progress {
	now := time.Now()
	c.busy += now.Sub(c.since)
	c.since = now
	c.done++
	return Progress{Pass: c.done, Passes: c.passes, Remaining: c.busy / time.Duration(c.done) * time.Duration(c.passes-c.done)}
}
