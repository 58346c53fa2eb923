package schedule

import (
	"slices"
	"strings"

	"realword/inference/message"
)

// Sampler is a row of the table of samplers.
type Sampler struct {
	Name    string   // in recipes and flags
	Label   string   // for people
	A1111   string   // in A1111 and its forks
	Aliases []string // in ComfyUI, diffusers and others, as fold leaves them

	Spacing string // where its steps lie
	Fixed   bool   // it stands on training steps exactly, and has no other spacing but for Alike
	Alike   string // the other spacing of a fixed one; mostly none
	// Automatic is the spacing that A1111 means by "Automatic"; empty: Spacing
	Automatic string

	Twice bool // it asks the model twice in every step but the last
	Draws int  // how many latents of fresh noise it takes in every step but the last

	step step
}

// The samplers of the presets, by the names that recipes carry.
const (
	DDIM = "ddim"  // deterministic (η = 0): preset paper
	DPM  = "dpm++" // DPM-Solver++ single-step of order 2, with the order list of the released code: preset release
)

// samplers is the table. To add one, write its step (step.go) and its row here; flags, recipes, the window and the names that other
// programs use follow. Names ending in a spacing are these samplers on it: "euler-karras".
var samplers = []Sampler{
	{Name: DDIM, Label: "DDIM", A1111: "DDIM", Aliases: []string{"ddimscheduler"}, Spacing: Trailing, Fixed: true, step: ddim},
	{Name: DPM, Label: "DPM++", A1111: "DPM++ 2S", Spacing: Trailing, Fixed: true, step: released},
	{Name: "euler", Label: "Euler", A1111: "Euler", Aliases: []string{"eulerdiscretescheduler"}, Spacing: Linspace, step: euler},
	{
		Name: "euler-a", Label: "Euler a", A1111: "Euler a", Aliases: []string{"eulerancestral", "eulerancestraldiscretescheduler"},
		Spacing: Linspace, Draws: 1, step: ancestral,
	},
	{Name: "heun", Label: "Heun", A1111: "Heun", Aliases: []string{"heundiscretescheduler"}, Spacing: Linspace, Twice: true, step: heun},
	{
		Name: "dpm++2m", Label: "DPM++ 2M", A1111: "DPM++ 2M", Aliases: []string{"dpmpp2m", "dpmsolvermultistepscheduler"},
		Spacing: Linspace, Automatic: Karras, step: multistep,
	},
	{
		Name: "dpm++2msde", Label: "DPM++ 2M SDE", A1111: "DPM++ 2M SDE", Aliases: []string{"dpmpp2msde"},
		Spacing: Linspace, Automatic: Exponential, Draws: 1, step: multistepSDE,
	},
	{
		Name: "dpm++sde", Label: "DPM++ SDE", A1111: "DPM++ SDE", Aliases: []string{"dpmppsde", "dpmsolversdescheduler"},
		Spacing: Linspace, Automatic: Karras, Twice: true, Draws: 2, step: sde,
	},
	{Name: "unipc", Label: "UniPC", A1111: "UniPC", Aliases: []string{"unipcmultistepscheduler", "unipcbh2"}, Spacing: Linspace, step: unipc},
	{Name: "lcm", Label: "LCM", A1111: "LCM", Aliases: []string{"lcmscheduler"}, Spacing: consistency, Fixed: true, Alike: Trailing, Draws: 1, step: lcm},
}

// spacings are the ones that can be asked for, with what other programs call them.
var spacings = []struct {
	name, label, a1111 string
	aliases            []string
}{
	{Trailing, "trailing", "SGM Uniform", []string{"simple"}},
	{Leading, "leading", "DDIM", []string{"ddimuniform"}},
	{Linspace, "linspace", "Uniform", []string{"normal"}},
	{Karras, "Karras", "Karras", []string{"k"}},
	{Exponential, "exponential", "Exponential", nil},
}

// offered are the names that lists show.
var offered = []string{
	DDIM, DPM, "euler", "euler-a", "heun", "dpm++2m", "dpm++2m-karras", "dpm++2msde-karras", "dpm++sde", "dpm++sde-karras", "unipc", "lcm",
}

// Samplers lists the names that people choose from. Find knows more.
func Samplers() []string { return slices.Clone(offered) }

// fold makes names of the same thing equal: "DPM++ 2M Karras", "dpm++2m-karras" and "dpmpp_2m_karras" differ in their pp alone.
func fold(name string) string {
	name = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(name), "k_"), "_gpu")
	return separators.Replace(name)
}

var separators = strings.NewReplacer(" ", "", "_", "", "-", "")

// Find returns a sampler by its own name or that of A1111, ComfyUI or diffusers, also followed by a spacing. The Name of the result is
// the one way to write it. The error names the sampler and what there is.
func Find(name string) (Sampler, error) {
	folded := fold(name)
	for _, s := range samplers {
		if s.called(folded) {
			return s, nil
		}
	}
	for _, p := range spacings {
		for _, suffix := range append([]string{p.name, fold(p.a1111)}, p.aliases...) {
			rest, found := strings.CutSuffix(folded, suffix)
			if i := slices.IndexFunc(samplers, func(s Sampler) bool { return s.called(rest) }); found && i >= 0 {
				return samplers[i].On(p.name)
			}
		}
	}
	return Sampler{}, message.Errorf("there is no sampler %q: choose one of %s", name, strings.Join(offered, ", "))
}

func (s Sampler) called(folded string) bool {
	return folded == fold(s.Name) || folded == fold(s.A1111) || slices.Contains(s.Aliases, folded)
}

// On is the sampler on another spacing, by its name or the one that A1111 or ComfyUI has for it.
func (s Sampler) On(spacing string) (Sampler, error) {
	folded := fold(spacing)
	if folded == "automatic" {
		folded = s.Automatic
	}
	base := s // without a spacing that was asked for before
	if i := slices.IndexFunc(samplers, func(row Sampler) bool { return s.Name == row.Name+"-"+s.Spacing }); i >= 0 {
		base = samplers[i]
	}
	for _, p := range spacings {
		switch {
		case folded != p.name && folded != fold(p.a1111) && !slices.Contains(p.aliases, folded):
			continue
		case p.name == s.Spacing:
			return s, nil
		case p.name == base.Spacing:
			return base, nil
		case s.Fixed && p.name != s.Alike:
			return s, message.Errorf("the sampler %s has a spacing of its own, not %s: leave it out, or take another sampler", s.Label, p.name)
		}
		base.Spacing = p.name
		base.Name, base.Label, base.A1111 = base.Name+"-"+p.name, base.Label+" "+p.label, base.A1111+" "+p.a1111
		return base, nil
	}
	if folded == "" {
		return s, nil
	}
	return s, message.Errorf("there is no spacing %q: choose %s, %s, %s, %s or %s", spacing, Trailing, Leading, Linspace, Karras, Exponential)
}

// Evaluations is how often a step asks the model.
func (s Sampler) Evaluations(step, steps int) int {
	if s.Twice && step < steps-1 {
		return 2
	}
	return 1
}

// New returns a solver that begins with the first of a number of steps. The error is that of Check.
func (s Sampler) New(noise *Noise, steps int) (*Solver, error) {
	if err := s.Check(steps, noise.Steps()); err != nil {
		return nil, err
	}
	return &Solver{noise: noise, sampler: s, points: s.walk(noise, steps)}, nil
}
