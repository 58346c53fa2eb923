package inference

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/message"
	"realword/inference/schedule"
)

// This file plans of which passes of the U-Net every step is made: all that the method has, or fewer where settings ask for an
// approximation. The loop runs what pace.plan says; progress, grids and bench count with it.

// swift is what Settings.Swift sets: the approximations that passed the gate, as they passed it. See docs/swift.md.
var swift = Settings{Rest: 0.2, Settle: 0.02, Interval: "0.5-", Every: 2}

// NoShare asks not for an approximation that Swift has. It is written "0".
const NoShare = -1

// leastSwift is the least number of steps of a run that is approximated: with fewer, neighbours are too far apart.
const leastSwift = 8

// off is how approximations are written that are turned off.
var off = map[string]string{"mask_rest": "0", "mask_settle": "0", "cfg_interval": everywhere, "uncond_every": "1"}

// Approximations are the keys of the approximations, without Swift, which sets them.
func Approximations() []string {
	return []string{"uncond_every", "mask_rest", "mask_settle", "cfg_interval"}
}

// Approximates tells whether complete settings have the approximation of a key.
func (s Settings) Approximates(key string) bool {
	text := rowOf(key).Get(s)
	return text != "" && text != off[key]
}

// Approximating are settings with the approximation of a key, as Swift has it, or without.
func (s Settings) Approximating(key string, on bool) Settings {
	row, text := rowOf(key), ""
	switch {
	case !on:
		text = off[key]
	case !s.Swift:
		text = row.Get(swift)
	}
	_ = row.Set(&s, text) // it reads what it has written
	return s
}

func rowOf(key string) Setting {
	return table[slices.IndexFunc(table, func(t Setting) bool { return t.Key == key })]
}

// approximations are what is set of them, the last ones that Complete fills in.
func (s Settings) approximations() Settings {
	return Settings{Rest: max(s.Rest, 0), Settle: max(s.Settle, 0), Interval: s.Interval, Every: max(s.Every, 1)}
}

// withSwift fills in what Swift sets, and forgets what was turned off where nothing turns it on.
func (s Settings) withSwift() Settings {
	if low, high, err := parseInterval(s.Interval); err == nil && s.Interval != "" {
		s.Interval = formatInterval(low, high)
	}
	if s.Swift {
		return s.Over(swift)
	}
	if s.Rest == NoShare {
		s.Rest = 0
	}
	if s.Settle == NoShare {
		s.Settle = 0
	}
	if s.Interval == everywhere {
		s.Interval = ""
	}
	if s.Every == 1 {
		s.Every = 0
	}
	return s
}

// everywhere is the interval of all noise levels.
const everywhere = "0"

// parseInterval reads two noise levels σ/α such as 0.28-5.42, the cleaner one first; without the second it is infinite. "" and everywhere
// are all of them, and give 0 and 0.
func parseInterval(text string) (low, high float64, err error) {
	if text = strings.ReplaceAll(strings.TrimSpace(text), "–", "-"); text == "" || text == everywhere {
		return 0, 0, nil
	}
	from, to, ok := strings.Cut(text, "-")
	if ok {
		if low, err = ParseDecimal(from); err == nil && strings.TrimSpace(to) != "" {
			high, err = ParseDecimal(to)
		} else {
			high = math.Inf(1)
		}
	}
	if !ok || err != nil || !(low >= 0 && high > low && low < math.Inf(1)) {
		return 0, 0, message.Errorf("the guidance interval %q is no range of noise levels: write it as 0.28-5.42, as 0.5- without an upper end, or 0 for all of them", text)
	}
	return low, high, nil
}

func formatInterval(low, high float64) string {
	if high == 0 {
		return everywhere
	}
	text := strconv.FormatFloat(low, 'f', -1, 64) + "-"
	if !math.IsInf(high, 0) {
		text += strconv.FormatFloat(high, 'f', -1, 64)
	}
	return text
}

// Plan says which passes a step is made of, beside that of the generation branch.
type Plan struct {
	Guidance bool // the guidance branch runs; else the last masks act on
	Mixed    bool // ω acts; else the conditional prediction alone does
	Uncond   bool // the unconditional pass runs; a step that is Mixed without it takes the last difference of both passes again
	Keep     bool // that difference is kept
}

// Trail is what approximations remember from step to step. A run without any leaves it empty.
type Trail struct {
	Of     string    // fingerprint of what was asked for: of other words or pictures nothing is taken again
	Masked int       // 1 + the last step that ran the guidance branch; 0: none has
	Moved  float64   // by which the masks changed there (guidance.Change), 1 where there were none before
	Calm   int       // how many such passes in a row have changed them by less than Settings.Settle
	Mixed  int       // 1 + the last step that kept the difference of both passes; 0: none has
	Apart  []float32 // conditional less unconditional prediction there, as long as the latent
}

func (t Trail) clone() Trail {
	t.Apart = slices.Clone(t.Apart)
	return t
}

// after is the trail once a step has run as planned; the loop fills in what it has found.
func (t Trail) after(step int, p Plan) Trail {
	if p.Guidance {
		t.Masked = step + 1
	}
	if p.Keep {
		t.Mixed = step + 1
	}
	return t
}

// settled is how many passes in a row say that masks stay.
const settled = 2

// moving is the trail after a guidance pass has changed the masks.
func (t Trail) moving(by, settle float64) Trail {
	if t.Moved = by; by < settle {
		t.Calm++
	} else {
		t.Calm = 0
	}
	return t
}

// pace is what decides the passes of a run.
type pace struct {
	begin, stop, steps  int
	scored, cfg, approx bool
	rest, settle        float64
	every               int
	inside              []bool // at which steps ω acts; nil: at all
	sampler             schedule.Sampler
}

// paceOf is that of complete settings. scored tells that masks come from scores, cfg that there is an unconditional pass.
func paceOf(m bundle.Manifest, s Settings, begin int, scored, cfg bool) pace {
	p := pace{begin: begin, stop: s.Stop, steps: s.Steps, scored: scored, cfg: cfg, every: 1}
	p.sampler, _ = schedule.Find(s.Sampler) // the run says what is wrong with it
	a := s.approximations()
	if s.Steps < leastSwift || a.exact() {
		return p
	}
	low, high, _ := parseInterval(a.Interval)
	p.approx, p.rest, p.settle, p.every = true, a.Rest, a.Settle, a.Every
	if _, solver, err := solverOf(m, s); high > 0 && err == nil {
		for _, at := range solver.Steps() {
			p.inside = append(p.inside, at.Level() > low && at.Level() <= high)
		}
	}
	return p
}

// plan says which passes a step is made of, from what the steps before have left. masks tells that there are some.
//
// The guidance branch runs up to T_stop, and where a run begins after it, but not where every mask is painted exactly. Once a pass
// changes the masks by less than rest, none follows at once; once two in a row do by less than settle, none follows at all. One alone
// says little: masks often stay for a step and then go on.
func (p pace) plan(step int, t Trail, masks bool) Plan {
	due := p.scored && (guidance.Runs(step, p.stop) || step == p.begin)
	if due && p.approx && masks && t.Masked > 0 {
		due = t.Calm < settled && (t.Moved >= p.rest || t.Masked < step)
	}
	mixed := p.cfg && (p.inside == nil || p.inside[step])
	uncond := mixed && (t.Mixed == 0 || step+1-t.Mixed >= p.every)
	return Plan{due, mixed, uncond, uncond && p.every > 1}
}

// swiftNote says why nothing is left out of a complete request that asks for it.
func (r Request) swiftNote(m bundle.Manifest) error {
	s := r.approximations()
	if s.exact() && r.Swift {
		return message.New("every part of swift is turned off, so that no pass is left out: the picture is exact")
	}
	if s.exact() {
		return nil
	}
	p := paceOf(m, r.Settings, r.Begin(), scored(r.Subjects) > 0, r.CFG != 1)
	switch {
	case r.Steps < leastSwift:
		return message.Errorf("with fewer than %d steps no pass is left out, so that the picture is exact: they are too far apart", leastSwift)
	case (!p.scored || p.rest == 0 && p.settle == 0) && (!p.cfg || p.inside == nil && p.every == 1):
		return message.New("swift finds nothing to leave out here: there is no guidance branch without subjects or with exactly painted masks, and no unconditional pass with a guidance scale of 1")
	}
	return nil
}

// honest are its settings without approximations where these leave nothing out: no recipe says that they did.
func (r Request) honest(m bundle.Manifest) Settings {
	if r.Steps > mostSteps || r.swiftNote(m) == nil { // nobody makes so many
		return r.Settings
	}
	return r.WithoutApproximations()
}

// WithoutApproximations are the settings of the exact picture.
func (s Settings) WithoutApproximations() Settings {
	s.Swift, s.Rest, s.Settle, s.Interval, s.Every = false, 0, 0, "", 0
	return s
}

// exact tells that nothing is left out.
func (s Settings) exact() bool {
	return s.Rest == 0 && s.Settle == 0 && (s.Interval == "" || s.Interval == everywhere) && s.Every == 1
}

// Counts is how many passes of each kind a run has.
type Counts struct{ Guidance, Generation, Uncond int }

// All is how many they are together.
func (c Counts) All() int { return c.Guidance + c.Generation + c.Uncond }

// counts counts from a step to the last, as if masks went on changing as they do.
func (p pace) counts(from int, t Trail) (n Counts) {
	if t.Masked == 0 {
		t.Moved = 1
	}
	for i := from; i < p.steps; i++ {
		plan, asked := p.plan(i, t, true), p.sampler.Evaluations(i, p.steps)
		t = t.after(i, plan)
		n.Generation += asked
		if plan.Uncond {
			n.Uncond += asked
		}
		if plan.Guidance {
			n.Guidance++
		}
	}
	return n
}

// fingerprint is equal for requests of which one may take again what another has left: see Trail.
func fingerprint(r Request) string {
	words := make([]Word, len(r.Subjects))
	for j, s := range r.Subjects {
		words[j] = s.Word
	}
	of := []any{r.Prompt, r.Negative, r.Preset, r.LoRAs, r.Literal, r.MaskSource, r.Normalization(), words, visionOf(r)}
	if r.Cut {
		of = append(of, "cut")
	}
	if r.UncondAttention == PerturbedAttention && len(r.Subjects) == 0 {
		of = append(of, PerturbedAttention)
	}
	sum := sha256.Sum256([]byte(written(of)))
	return hex.EncodeToString(sum[:8])
}
