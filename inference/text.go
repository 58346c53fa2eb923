package inference

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"realword/inference/bundle"
	"realword/inference/prompt"
	"realword/inference/tensor"
)

// Reading says how a prompt, or a negative one, of complete settings is read for the picture of a seed. Of seeds the last 32 bits
// count, as for the noise. The preset's own negative prompt is read as the release reads it, sign by sign and cut.
func (s Settings) Reading(m bundle.Manifest, negative bool, seed uint64) prompt.Reading {
	how := prompt.Reading{Literal: s.Literal, Pick: seed & math.MaxUint32, Chunks: m.Text.Chunks && !s.Cut}
	if preset, ok := m.Preset(s.Preset); negative && ok && strings.TrimSpace(s.Negative) == strings.TrimSpace(preset.Negative) {
		how.Literal, how.Chunks = true, false
	}
	return how
}

// Used are the prompts of a complete request as the picture of a seed reads them: with the alternatives that it takes.
func (r Request) Used(m bundle.Manifest, seed uint64) (prompts, negative string) {
	used := func(text string, how prompt.Reading) string {
		if how.Literal {
			return text
		}
		return how.Used(text)
	}
	return used(r.Prompt, r.Reading(m, false, seed)), used(r.Negative, r.Reading(m, true, seed))
}

// Alike draws another seed of 32 bits whose picture takes the same alternatives of the prompts of a complete request as that of a seed. Of
// more than there are seeds it may take others.
func (r Request) Alike(m bundle.Manifest, seed uint64) uint64 {
	n := uint64(1)
	for i, text := range []string{r.Prompt, r.Negative} {
		if !r.Reading(m, i == 1, seed).Literal {
			n *= prompt.Period(text)
		}
	}
	seed &= math.MaxUint32
	if n > math.MaxUint32/2 {
		n = 1
	}
	last := (math.MaxUint32 - seed%n) / n // seed%n + last·n is the greatest one
	k := rand.Uint64N(last)
	if k >= seed/n {
		k++
	}
	return seed%n + k*n
}

// Taken is a complete request whose prompts have, in place of all alternatives, those that the picture of a seed takes, so that any other
// seed draws the same. Its subjects stay at their words.
func (e *Engine) Taken(r Request, seed uint64) Request {
	m, words := e.model.Manifest(), e.model.Tokenizer(0)
	was := words.Read(r.Prompt, r.Reading(m, false, seed))
	r.Prompt, r.Negative = r.Used(m, seed)
	now := words.Read(r.Prompt, r.Reading(m, false, seed))
	r.Subjects = CloneSubjects(r.Subjects)
	for j := range r.Subjects {
		w := &r.Subjects[j].Word
		span, err := was.Find(w.Text, w.Occurrence)
		if err != nil {
			continue // Resolve says so
		}
		for n := range now.Count(w.Text) { // which has fewer words, and the same tokens
			if s, err := now.Find(w.Text, n+1); err == nil && s == span {
				w.Occurrence = n + 1
			}
		}
	}
	return r
}

// text is what a picture reads.
type text struct {
	prompt, negative []*prompt.Prompt // one for each text encoder
	spans            []prompt.Span    // tokens of the subjects' words
	rivals           []prompt.Span    // of other words that take their places from them
}

// read tokenizes the prompts of a request for the picture of a seed.
func (e *Engine) read(r Request, seed uint64) *text {
	m, t := e.model.Manifest(), &text{}
	for i := range m.Text.Encoders {
		t.prompt = append(t.prompt, e.model.Tokenizer(i).Read(r.Prompt, r.Reading(m, false, seed)))
		t.negative = append(t.negative, e.model.Tokenizer(i).Read(r.Negative, r.Reading(m, true, seed)))
	}
	level(t.prompt)
	level(t.negative)
	return t
}

// level gives all readings of a prompt the same number of chunks. A tokenizer that pads with a sign of the prompt may need one more. The
// prompt and the negative one may differ: each pass of the U-Net has its own text.
func level(p []*prompt.Prompt) {
	most := 0
	for i := range p {
		most = max(most, len(p[i].Chunks))
	}
	for i := range p {
		p[i].Extend(most)
	}
}

// features is what the text encoders say about a prompt: [1, n, C] and, where the model has it, the pooled text [1, P].
type features struct{ all, pooled *tensor.Tensor }

// Read encodes a prompt, given as each text encoder's tokenizer reads it, in equally many chunks, with the weights of its tokens. The
// chunks are encoded one by one and stand side by side, [1, 77·n, C]; the pooled text is the first one's, without weights.
func (g *Graphs) Read(ctx context.Context, p []*prompt.Prompt) (all, pooled *tensor.Tensor, err error) {
	var parts []*tensor.Tensor
	for c := range p[0].Chunks {
		part, sum, err := g.Features(ctx, chunk(p, c))
		if err != nil {
			return nil, nil, err
		}
		if parts = append(parts, part); c == 0 {
			pooled = sum
		}
	}
	if all = parts[0]; len(parts) > 1 {
		all = tensor.Zeros(1, 0, parts[0].Shape[2])
		for _, part := range parts {
			all.Shape[1] += part.Shape[1]
			all.F32 = append(all.F32, part.F32...)
		}
	}
	if p[0].Weights == nil {
		return all, pooled, nil
	}
	empty := make([]*prompt.Prompt, len(p))
	for i := range p {
		empty[i] = p[i].Empty()
	}
	nothing, _, err := g.Features(ctx, chunk(empty, 0))
	if err != nil {
		return nil, nil, err
	}
	weigh(all.F32, nothing.F32, p[0].Weights, all.Shape[2])
	return all, pooled, nil
}

// chunk are the ids of the c-th chunk of a prompt, one list per text encoder.
func chunk(p []*prompt.Prompt, c int) [][]int64 {
	ids := make([][]int64, len(p))
	for i := range p {
		ids[i] = p[i].IDs[c*prompt.Length : (c+1)*prompt.Length]
	}
	return ids
}

// weigh changes the features [ids, width] of tokens whose weight is not 1. What a token adds to what the encoder says about the empty
// prompt at its place counts so many times: f ← e + w·(f − e). With 0 the token says nothing, with 1 what it says anyway.
func weigh(all, empty, weights []float32, width int) {
	for i, w := range weights {
		if w == 1 {
			continue
		}
		f, e := all[i*width:(i+1)*width], empty[i%prompt.Length*width:]
		for c := range f {
			f[c] = e[c] + float32(w*(f[c]-e[c])) // the conversion keeps the compiler from fusing: the same bits everywhere
		}
	}
}

// key tells encodings of prompts apart.
func key(p []*prompt.Prompt) string {
	var b []byte
	for _, p := range p {
		b = fmt.Append(b, p.IDs, p.Weights)
	}
	return string(b)
}

// keptTexts is how many chunks of texts have their keys and values kept within a job: at SDXL's size 50 MB each. What a loop reads is
// among the last two texts, which are kept whatever their length.
const keptTexts = 6

// texts are the prompts that a job has encoded.
type texts struct {
	features map[string]features
	kept     []Encoding // the one that was read last is the last
}

// readText encodes the prompts of a picture.
func (w *worker) readText(ctx context.Context, l *Loop, p plan) (err error) {
	t := p.texts[0]
	ids := len(t.prompt[0].IDs)
	words := slices.Concat(t.spans, t.rivals)
	l.Words = tensor.Zeros(len(words), ids)
	for j, span := range words {
		copy(l.Words.F32[j*ids:], t.prompt[0].Indicator(span))
	}
	l.Uncond = nil
	if l.Text, err = w.encode(ctx, t.prompt); err != nil || p.request.CFG == 1 {
		return err
	}
	uncond, err := w.encode(ctx, t.negative)
	l.Uncond = &uncond
	return err
}

// textFor runs the text encoders on the prompts of a picture, to be taken up when its turn comes.
func (w *worker) textFor(ctx context.Context, p plan) error {
	_, err := w.featuresOf(ctx, p.texts[0].prompt)
	if err == nil && p.request.CFG != 1 {
		_, err = w.featuresOf(ctx, p.texts[0].negative)
	}
	return err
}

func (w *worker) featuresOf(ctx context.Context, p []*prompt.Prompt) (f features, err error) {
	k := key(p)
	if w.texts != nil {
		if f, ok := w.texts.features[k]; ok {
			return f, nil
		}
	}
	if f.all, f.pooled, err = w.graphs.Read(ctx, p); err == nil && w.texts != nil {
		w.texts.features[k] = f
	}
	return f, err
}

func (w *worker) encode(ctx context.Context, p []*prompt.Prompt) (Encoding, error) {
	k := key(p)
	if t := w.texts; t != nil {
		for i, e := range t.kept {
			if e.of == k {
				t.kept = append(slices.Delete(t.kept, i, i+1), e)
				return e, nil
			}
		}
	}
	f, err := w.featuresOf(ctx, p)
	if err != nil {
		return Encoding{}, err
	}
	e, err := w.graphs.TextKV(ctx, f.all, f.pooled)
	if e.of = k; err != nil || w.texts == nil {
		return e, err
	}
	w.texts.kept = append(w.texts.kept, e)
	for len(w.texts.kept) > 2 && w.texts.tokens() > keptTexts*prompt.Length {
		w.texts.kept[0].KV.Close()
		w.texts.kept = slices.Delete(w.texts.kept, 0, 1)
	}
	return e, nil
}

// tokens is how many tokens have their keys and values kept.
func (t *texts) tokens() (n int) {
	for _, e := range t.kept {
		n += e.Tokens
	}
	return n
}
