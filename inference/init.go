package inference

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/guidance"
	"realword/inference/message"
	"realword/inference/picture"
)

// Init is a picture that a round begins with, in place of noise alone: what diffusers calls image-to-image. It is scaled until it covers
// the new picture and cut to its middle, encoded, and noised to the level of the step at which the loop begins.
//
// With a Region only a part is made anew: outside of it the latent is at every step the picture's own, noised to that level with the
// run's own noise, and the finished picture is composed in pixels, so that outside of the region every byte is the picture's. At
// strength 1 the region begins with noise alone. Where the region is grey the picture is kept likewise, but only at first: the darker, the
// later it is let go, so that the new part finds its way into what surrounds it (Differential Diffusion, arXiv 2306.00950).
type Init struct {
	Name     string  `json:"name"`             // file name, for people
	SHA256   string  `json:"sha256,omitempty"` // of Data, hex; see Reference
	Strength float64 `json:"strength"`         // the share of the steps that run, in (0, 1]; 0 means DefaultStrength, with a region 1
	Region   Painted `json:"region,omitzero"`  // white where the picture is made again, grey where some of its steps are; none: everywhere
	Data     []byte  `json:"-"`                // a picture file
	Small    []byte  `json:"-"`                // the picture as a small PNG file, filled in by Engine.Resolve; see picture.Small
}

// DefaultStrength keeps what lies where in the picture and changes what it is.
const DefaultStrength = 0.6

// Begin is the step at which a run begins: 0, or where the strength of Init says, as diffusers counts it. The request is complete.
func (r Request) Begin() int {
	if r.Init == nil {
		return 0
	}
	return r.Steps - min(int(float64(r.Steps)*r.Init.Strength), r.Steps)
}

// withDefaults is a copy that is complete.
func (i *Init) withDefaults() *Init {
	if i == nil {
		return nil
	}
	c := *i
	switch {
	case c.Strength != 0:
	case c.Region.IsZero():
		c.Strength = DefaultStrength
	default:
		c.Strength = 1
	}
	return &c
}

// checkInit reads the picture to begin with.
func (p *planner) checkInit() {
	i := p.request.Init
	if i == nil {
		return
	}
	if err := canEncode(p.engine.model); err != nil {
		p.problems = append(p.problems, err)
	}
	switch steps := float64(p.request.Steps); {
	case !(i.Strength > 0 && i.Strength <= 1): // also catches NaN
		p.problem(message.Errorf("the strength %g is outside the range above 0 to 1: 0.3 keeps most of a picture, 0.8 little", i.Strength))
	case p.request.Steps > 0 && p.request.Begin() >= p.request.Steps:
		p.problem(message.Errorf("a strength of %g leaves none of the %d steps: choose at least %g", i.Strength, p.request.Steps, math.Ceil(1e4/steps)/1e4))
	}
	if len(i.Data) == 0 {
		p.problem(message.Errorf("the picture %q to begin with is not here: give its file, or begin with noise", i.Name))
		return
	}
	if i.SHA256 == "" {
		i.SHA256 = files.Sum(i.Data)
	}
	read, err := p.engine.readPicture(p.ctx, i)
	if i.Small = read.small; err != nil {
		p.problem(message.Errorf("the picture %q to begin with: %w", i.Name, err))
		return
	}
	if i.Region.IsZero() {
		i.Region = Painted{}
		return
	}
	if w, h := p.request.Width, p.request.Height; read.size != image.Pt(w, h) {
		p.problem(message.Errorf("the picture %q has %d × %d pixels, not %d × %d: where only a region is made again, both have one size", i.Name,
			read.size.X, read.size.Y, w, h))
	}
	mask, err := p.engine.readPainted(p.ctx, i.Region)
	if err != nil {
		p.problem(message.Errorf("the region that is made again: %w", err))
		return
	}
	i.Region = mask.painted
}

// readPicture decodes a picture to begin with, unless it did so lately.
func (e *Engine) readPicture(ctx context.Context, i *Init) (readPicture, error) {
	e.mu.Lock()
	kept, ok := e.inits.get(i.SHA256)
	e.mu.Unlock()
	if ok {
		return kept, nil
	}
	img, info, err := picture.DecodeContext(ctx, i.Data, picture.Limits{})
	if err != nil {
		return readPicture{}, err
	}
	read := readPicture{size: img.Rect.Size()}
	if read.small, err = picture.Small(img, picture.Square{}); err != nil {
		return read, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inits.put(i.SHA256, read)
	e.notes.put(i.SHA256, info.Notes)
	return read, nil
}

// readInit encodes the picture to begin with, in the size of the new one.
func (w *worker) readInit(ctx context.Context, l *Loop, r Request) error {
	img, region, err := w.pixels(ctx, r)
	if err != nil {
		return err
	}
	latent, err := w.graphs.Encode(ctx, picture.FromImage(img))
	if err != nil {
		return err
	}
	l.Init = latent.F32
	if region != nil {
		l.Keep = stays(region, latent.Shape[3], latent.Shape[2])
	}
	if !w.engine.large() {
		return nil
	}
	return w.graphs.release(graph.Encoder, graph.TiledEncoder)
}

// pixels are the picture to begin with and its region in the size of the new one; nil for a region that is everywhere.
func (w *worker) pixels(ctx context.Context, r Request) (img *image.RGBA, region *image.Gray, err error) {
	whole, _, err := picture.DecodeContext(ctx, r.Init.Data, picture.Limits{})
	if err != nil {
		return nil, nil, err
	}
	if img = picture.Fill(whole, r.Width, r.Height); r.Init.Region.IsZero() {
		return img, nil, nil
	}
	read, err := w.engine.readPainted(ctx, r.Init.Region)
	if err != nil {
		return nil, nil, err
	}
	return img, picture.Resized(read.mask, r.Width, r.Height), nil
}

// finish is a decoded picture in which all is as it was outside of the region, if there is one.
func (w *worker) finish(ctx context.Context, r Request, img *image.RGBA) (*image.NRGBA, error) {
	if r.Init != nil && !r.Init.Region.IsZero() {
		under, region, err := w.pixels(ctx, r)
		if err != nil {
			return nil, err
		}
		img = picture.Compose(img, under, mixed(region))
	}
	return &image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}, nil // opaque, so both mean the same
}

// mixed is how much of the new picture is in the finished one: all where a third of the steps or more made it, and less from there to the
// border, where old and new are nearly the same. A mixture further inside would show both.
func mixed(region *image.Gray) *image.Gray {
	out := image.NewGray(region.Rect)
	for y := range region.Rect.Dy() {
		for x := range region.Rect.Dx() {
			out.Pix[y*out.Stride+x] = uint8(min(3*int(region.Pix[y*region.Stride+x]), 255))
		}
	}
	return out
}

// stays is for every cell of a latent the share of the steps through which it stays the picture's: 1 where no pixel of it is in the region,
// 0 where one is white.
func stays(region *image.Gray, width, height int) []float32 {
	cells := slices.Repeat([]float32{1}, width*height)
	for y := range region.Rect.Dy() {
		row := region.Pix[y*region.Stride:][:region.Rect.Dx()]
		for x, v := range row {
			p := y*height/region.Rect.Dy()*width + x*width/region.Rect.Dx()
			cells[p] = min(cells[p], 1-float32(v)/255)
		}
	}
	return cells
}

// keep gives the cells that are still the picture's before a step, or the last one's end, the values of another latent.
func (l *Loop) keep(step int, z, of []float32) {
	done := float32(step-l.Begin) / float32(l.Steps-l.Begin)
	for p := range z {
		if share := l.Keep[p%len(l.Keep)]; share == 1 || share > done {
			z[p] = of[p]
		}
	}
}

// Start is the state that a picture begins with: the noise of a seed, or Init noised with it to the level of the step Begin.
func (l *Loop) Start(seed uint64, noise []float32) (State, error) {
	state := State{Step: l.Begin, Seed: seed, Latent: noise}
	if l.Init == nil {
		return state, nil
	}
	if len(l.Init) != len(noise) {
		return state, fmt.Errorf("the picture to begin with has a latent of %d values, the noise has %d: give it the same size", len(l.Init),
			len(noise))
	}
	_, solver, err := solverOf(l.Graphs.model.Manifest(), l.Settings)
	if err != nil {
		return state, err
	}
	state.Latent = solver.Steps()[l.Begin].Noised(l.Init, noise)
	if l.Keep != nil && l.Begin == 0 { // nothing of the picture is left in the region
		anew := slices.Clone(noise)
		l.keep(0, anew, state.Latent)
		state.Latent = anew
	}
	return state, nil
}

// MadeIn are the masks of a run that made only a region of a picture anew: of each what lies there, as what the run drew outside was not
// kept. A subject of which next to nothing lies there belongs to the rest of the picture, and its mask stays. Where there was no region, or
// its file is not here, they are the masks.
func MadeIn(region Painted, masks []picture.Grid) []picture.Grid {
	if len(region.Data) == 0 {
		return masks
	}
	out := slices.Clone(masks)
	for j, mask := range masks {
		anew, err := region.Grid(mask.Width, mask.Height)
		if err != nil || len(anew) != len(mask.Values) {
			return masks
		}
		inside := picture.Grid{Width: mask.Width, Height: mask.Height, Values: slices.Clone(mask.Values)}
		all, kept := float32(0), float32(0)
		for p, v := range mask.Values {
			if anew[p] < 0.25 {
				inside.Values[p] = 0
			}
			all, kept = all+v, kept+inside.Values[p]
		}
		if kept > all/4 {
			out[j] = inside
		}
	}
	return out
}

// RegionOf is where a subject is made again: what its mask holds on a picture of that size, grown and feathered by so many pixels, and on
// to the picture's border where that margin would reach it: a strip that stays there fits nothing new. It has nothing of where other
// subjects are, towards which it fades along a round line, since cells have corners. It is nil where the subject has no mask.
func RegionOf(masks []picture.Grid, subject, width, height, grow, feather int) *image.Gray {
	held := make([]picture.Grid, len(masks))
	for j, mask := range masks {
		held[j] = mask.Held()
	}
	if subject < len(held) {
		held[subject] = held[subject].Without(held, subject)
	}
	return regionOf(held, subject, width, height, func(mask *image.Gray) *image.Gray {
		return picture.Grown(picture.Bordered(mask, grow+feather), grow, feather)
	}, picture.Grid.Rounded)
}

// regionOf is the mask of a subject with a margin, without what other subjects hold.
func regionOf(masks []picture.Grid, subject, width, height int, margin func(*image.Gray) *image.Gray,
	hold func(of picture.Grid, width, height int) *image.Gray,
) *image.Gray {
	var region *image.Gray
	if subject < len(masks) {
		region = masks[subject].Positions(width, height)
	}
	if region == nil {
		return nil
	}
	region = margin(region)
	for j, other := range masks {
		if theirs := hold(other, width, height); j != subject && theirs != nil {
			for p, v := range theirs.Pix {
				region.Pix[p] = min(region.Pix[p], 255-v)
			}
		}
	}
	return region
}

// Margin is by how many pixels a mask on a picture of that width is grown and feathered to be made again, where nobody says: half a cell
// of the mask, and one and a half.
func Margin(mask picture.Grid, width int) (grow, feather int) {
	cell := width / max(mask.Width, 1)
	return cell / 2, cell + cell/2
}

// Look returns where the model sees the subjects of a request in a picture: the masks that a run would make at T_stop. It is for pictures
// of which nobody has kept them. It runs one step as a job of its own. References whose bytes are not there are no hindrance.
func (e *Engine) Look(ctx context.Context, r Request, in Init) ([]picture.Grid, error) {
	r = Defaults(e.model.Manifest(), r)
	steps := float64(r.Steps)
	in.Strength, in.Region = min((steps-float64(r.Stop)+1.5)/steps, 1), Painted{} // the half is for the division's rounding
	r.Init, r.From, r.Grid = &in, nil, nil
	if r.Seeds = r.Seeds[:min(len(r.Seeds), 1)]; len(r.Seeds) == 0 { // it also chooses among alternatives of the prompt
		r.Seeds = []uint64{0}
	}
	for j := range r.Subjects {
		r.Subjects[j].Region = Region{}
		for i := range r.Subjects[j].References {
			if ref := &r.Subjects[j].References[i]; len(ref.Data) == 0 {
				ref.Data, ref.SHA256 = in.Data, "" // masks are made without it
			}
		}
	}
	job, err := e.Start(ctx, r)
	if err != nil {
		return nil, err
	}
	var masks []picture.Grid
	for event := range job.Events() {
		switch event := event.(type) {
		case StepDone:
			for _, s := range event.Subjects {
				if len(masks) < len(r.Subjects) {
					masks = append(masks, picture.Grid{Width: event.GridWidth, Height: event.GridHeight, Values: s.Mask})
				}
			}
			job.Cancel()
		case Failed:
			err = event.Err
		}
	}
	if len(masks) == len(r.Subjects) {
		err = nil // it was cancelled here
	}
	return masks, err
}

// SecondPass is a request that makes a picture larger and finer: the recipe of the picture at a scale of its size, beginning with the
// picture at its strength, 0 meaning SecondPassStrength. masks are those that the picture was made with, one for each subject: they are
// painted exactly, so that no guidance branch runs. Without them the first step makes new ones.
func SecondPass(m bundle.Manifest, recipe Request, of Init, scale float64, masks []picture.Grid) (Request, error) {
	was := image.Pt(recipe.Width, recipe.Height)
	if err := CanScale(m, was, scale); err != nil {
		return recipe, err
	}
	step := float64(max(m.Size.Multiple, 1))
	side := func(n int) int { return int(math.Round(float64(n)*scale/step) * step) }
	size := image.Pt(side(was.X), side(was.Y))
	recipe.Width, recipe.Height, recipe.From = size.X, size.Y, nil
	of.Strength, of.Region = cmp.Or(of.Strength, SecondPassStrength(m, size, recipe.Steps)), Painted{}
	recipe.Init, recipe.Subjects = &of, CloneSubjects(recipe.Subjects)
	for j := range recipe.Subjects {
		if j >= len(masks) || len(masks) != len(recipe.Subjects) {
			break
		}
		file, err := masks[j].EncodeFilled(was, size)
		if err != nil {
			return recipe, err
		}
		recipe.Subjects[j].Region = Region{guidance.Exactly, Painted{Data: file}}
	}
	return recipe, nil
}

// SecondPassStrength is how much a second pass to a size makes anew where nobody says: what is fine, so that nothing moves. A small model
// draws its small subjects into the parts of a large one the more, the larger the picture is than those it learned from: the built-in
// one begins to at 0.4 for 1.5 times their sides, and at 0.3 for twice. At least one of the steps runs.
func SecondPassStrength(m bundle.Manifest, size image.Point, steps int) float64 {
	const small = 512 * 512 // pixels; larger models were not measured
	strength, learned := 0.4, float64(m.Size.Width*m.Size.Height)
	if m.Size.Larger(size) && learned < small {
		strength = max(math.Round(100*(0.6-0.2*math.Sqrt(float64(size.X*size.Y)/learned)))/100, 0.1)
	}
	if steps > 0 && float64(steps)*strength < 1 {
		strength = math.Ceil(1e4/float64(steps)) / 1e4
	}
	return strength
}
