package inference

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/lora"
	"realword/inference/message"
	"realword/inference/picture"
	"realword/inference/schedule"
)

// Settings are what a round is set to, beside its words, pictures and seeds. The zero value of a field is "not set": then the
// preset or the model decides, and Complete says what. It is a plain value that can be compared.
//
// To add a setting, add its field here and its row to the table below, its knob to ui/state's Knobs, a line to docs/command-line.md,
// and use it where it acts. The command line, batch files, recipes, picture files, drafts, own presets, undo and comparisons follow.
// One that presets decide has a field in bundle.Preset and stands in Complete, too.
type Settings struct {
	Negative   string  `json:"negative,omitempty"`         // a blank asks for none where the preset has one
	Preset     string  `json:"preset,omitempty"`           // "paper" (default), "release", or another of the model's
	Width      int     `json:"width,omitempty"`            // pixels
	Height     int     `json:"height,omitempty"`           // pixels
	Steps      int     `json:"steps,omitempty"`            // of denoising
	Stop       int     `json:"stop,omitempty"`             // T_stop: steps 0..Stop-1 run the guidance branch; 0: the preset's share of Steps
	CFG        float64 `json:"cfg,omitempty"`              // ω of classifier-free guidance, 1 to MaxCFG; 1 needs no unconditional pass
	Rescale    float64 `json:"guidance_rescale,omitempty"` // φ of diffusers' guidance_rescale (arXiv 2305.08891, §3.4), 0 to 1; 0: the preset's; NoRescale: none
	Sampler    string  `json:"sampler,omitempty"`          // a name of schedule.Find
	MaskSource string  `json:"mask_source,omitempty"`      // Table V: all_cross, low_cross, low_cross_all_self, low_cross_high_self
	RawMask    bool    `json:"raw_mask,omitempty"`         // do not divide masks by their maximum (Table VI, "w/o normalisation")
	// else: "" or "max" divides by it, "min_max_per_channel" is the released app's; "none" sets RawMask
	MaskNorm string `json:"mask_norm,omitempty"`
	// self-attention of the unconditional pass: PlainAttention or PerturbedAttention
	UncondAttention string `json:"uncond_attention,omitempty"`
	// LoRAs that the model is changed by, as lora.Format writes them: <lora:name:0.8>, and those that are only kept in a list
	LoRAs string      `json:"loras,omitempty"`
	Scope float64     `json:"scope,omitempty"` // γ_scope of subjects that have none of their own, in (0, 1]
	Fit   picture.Fit `json:"fit,omitempty"`   // how references become a square that have no fit of their own
	// the prompts are read sign by sign: no weights, no alternatives, no BREAK; see prompt.Reading
	Literal bool `json:"literal,omitempty"`
	// the prompts are cut after 75 tokens, and BREAK is a word, as in versions that did not know longer ones
	Cut bool `json:"one_chunk,omitempty"`

	// Approximations, which leave out passes of the U-Net; see Plan. Swift sets those of the others that are not set
	Swift    bool    `json:"swift,omitempty"`
	Rest     float64 `json:"mask_rest,omitempty"`    // masks that change by less than this share are made at every second step; NoShare: at every one
	Settle   float64 `json:"mask_settle,omitempty"`  // masks that twice change by less than this share stay; NoShare: they follow T_stop
	Interval string  `json:"cfg_interval,omitempty"` // noise levels σ/α between which ω acts, 0.28-5.42 (arXiv 2404.07724); "0": all
	Every    int     `json:"uncond_every,omitempty"` // the unconditional pass runs at every so many steps; 1: at all
}

// MaxCFG bounds ω: far below it a picture is already nothing but saturated colours.
const MaxCFG = 50

// NoRescale asks for no guidance rescale where the preset has one. It is written "0".
const NoRescale = -1

// What self-attention does in the unconditional pass of a picture without subjects. Perturbed, every position of the model's perturbed
// blocks attends to itself alone, so that this pass knows nothing of how parts belong together: guidance away from it makes whole shapes
// (the perturbation of PAG, arXiv 2403.17377, Section 4, without a pass of its own; of a worse model, arXiv 2406.02507). Where there are
// subjects it is always plain: they would be less like their pictures. Complete settings say PlainAttention only where the preset says
// otherwise.
const (
	PlainAttention     = "plain"
	PerturbedAttention = "perturbed"
)

// defaultPreset is that of the paper.
const defaultPreset = "paper"

// Complete fills in what is not set. It is the one place where an empty field gets its meaning: what the engine runs, what the
// window shows and what a terminal prints come from here. Nothing is checked; with an unknown preset the others' values are those of
// the paper. Complete settings stay as they are.
func (s Settings) Complete(m bundle.Manifest) Settings {
	s.Preset = cmp.Or(s.Preset, defaultPreset)
	d, ok := m.Preset(s.Preset)
	if !ok {
		d = m.Presets[defaultPreset]
	}
	switch s.MaskNorm {
	case guidance.Raw.String():
		s.RawMask, s.MaskNorm = true, ""
	case guidance.ByMax.String():
		s.MaskNorm = ""
	}
	if found, err := schedule.Find(s.Sampler); err == nil {
		s.Sampler = found.Name
	}
	if strings.TrimSpace(s.Negative) == "" && d.Negative == "" {
		s.Negative = "" // none was asked for, where there is none anyway
	}
	if s.Rescale == NoRescale && d.Rescale == 0 {
		s.Rescale = 0
	}
	if s.UncondAttention == PlainAttention && d.UncondAttention == "" {
		s.UncondAttention = ""
	}
	return s.withSwift().Over(Settings{
		Negative: d.Negative, Width: m.Size.Width, Height: m.Size.Height, Steps: d.Steps, Stop: d.StopOf(cmp.Or(s.Steps, d.Steps)),
		CFG: d.CFG, Rescale: d.Rescale, UncondAttention: d.UncondAttention, Sampler: d.Sampler, MaskSource: d.MaskSource, Scope: d.Scope,
		Fit: cmp.Or(d.Fit, picture.Pad),
	})
}

// Over is s, and base where s says nothing.
func (s Settings) Over(base Settings) Settings {
	for _, t := range table {
		if t.Get(s) == "" {
			_ = t.Set(&s, t.Get(base)) // it reads what it has written
		}
	}
	return s
}

// Wishes leaves out what would be the same if it were left out: what remains was chosen, the rest follows another preset, another
// model or another number of steps.
func (s Settings) Wishes(m bundle.Manifest) Settings {
	var wishes Settings
	full := s.Complete(m)
	for _, t := range table {
		text, without := t.Get(s), s
		if _ = t.Set(&without, ""); text != "" && without.Complete(m) != full {
			_ = t.Set(&wishes, text)
		}
	}
	return wishes
}

// WithPreset is another preset, and what was chosen beside this one of what stays: few steps may come from a LoRA, a size or a way to read
// prompts is not the preset's, and an approximation is one of any.
func (s Settings) WithPreset(name string, m bundle.Manifest) Settings {
	chosen, next := s.Wishes(m), Settings{Preset: name}
	for _, t := range table {
		if t.Stays {
			_ = t.Set(&next, t.Get(chosen))
		}
	}
	return next
}

// Possible leaves out what the model cannot do, or nobody.
func (s Settings) Possible(m bundle.Manifest) Settings {
	full := s.Complete(m)
	for _, t := range table {
		if t.check != nil && t.check(full, m) != nil {
			_ = t.Set(&s, "")
		}
	}
	return s
}

// Normalization is how masks come from scores, of complete settings.
func (s Settings) Normalization() guidance.Normalization {
	if s.RawMask {
		return guidance.Raw
	}
	norm, _ := guidance.ParseNormalization(cmp.Or(s.MaskNorm, guidance.ByMax.String())) // checked ones have a known one
	return norm
}

// Setting is a row of the table of settings.
type Setting struct {
	Key   string              // in recipes and batch files, as the tag in Settings; "" for one that stands for others
	Field string              // in the window's drafts and own presets: the name in Settings; "" likewise
	At    func(*Settings) any // its place: *string, *int, *float64 or *bool

	Flag string // of the command line; "" where it has none
	Help string // of the flag
	Zero string // why a zero cannot be asked for on the command line, where it stands for "not set"

	Label string                // in the text of a recipe; "" where it is told with another one
	Text  func(Settings) string // its value there, where that is not the one that flags take

	A1111        string              // its key in picture files, in the words of A1111 and its kin; "" where these have none
	ours, theirs func(string) string // the value for one of theirs, "" for none, and the other way; nil where they write it as we do

	Called      string  // in messages: "guidance scale"
	Takes       string  // in messages: "a number from 1 to 50"
	Such        string  // in messages: a number that works well, of a setting with a fraction
	Least, Most float64 // bounds of any model; zero for what is no number
	OfMasks     bool    // it acts on the masks of subjects alone
	Stays       bool    // with another preset, where it was chosen: WithPreset
	none        float64 // what a zero that is written stands for, where 0 is "not set"; 0: that

	parse func(Settings) error                  // what no value can be; may be nil
	check func(Settings, bundle.Manifest) error // of complete settings, what a model cannot do; may be nil
}

// Table is every setting, in the order in which recipes tell them. The table belongs to the package.
func Table() []Setting { return table }

// InBounds tells whether what is set could be right for any model.
func (t Setting) InBounds(s Settings) bool {
	text := t.Get(s)
	v, err := strconv.ParseFloat(text, 64)
	return t.Most == 0 || text == "" || err == nil && v >= t.Least && v <= t.Most
}

// Read sets what another program has written under A1111. Where it is nothing that Realword has, it returns false and s stays.
func (t Setting) Read(text string, s *Settings) bool {
	if t.ours != nil {
		text = t.ours(text)
	}
	read := *s
	if t.Set(&read, text) != nil || t.Get(read) == "" && (t.ours != nil || t.Least > 0) || !t.InBounds(read) {
		return false
	}
	*s = read
	return true
}

// Write is what Read reads; "" where it is not set.
func (t Setting) Write(s Settings) string {
	if t.theirs != nil {
		return t.theirs(t.Get(s))
	}
	return t.Get(s)
}

// Get is the value as text; "" where it is not set.
func (t Setting) Get(s Settings) string {
	switch at := t.At(&s).(type) {
	case *string:
		return *at
	case *int:
		if *at != 0 {
			return strconv.Itoa(*at)
		}
	case *float64:
		if t.none != 0 && *at == t.none {
			return "0"
		}
		if *at != 0 {
			return strconv.FormatFloat(*at, 'g', -1, 64)
		}
	case *bool:
		if *at {
			return "true"
		}
	case size:
		if *at.width != 0 && *at.height != 0 {
			return fmt.Sprintf("%dx%d", *at.width, *at.height)
		}
	}
	return ""
}

// Set reads what Get writes and people type; "" makes it not set. After an error s is as it was.
func (t Setting) Set(s *Settings, text string) (err error) {
	next := *s
	switch at := t.At(&next).(type) {
	case *string:
		*at = text
	case *int:
		*at, err = strconv.Atoi(cmp.Or(text, "0"))
	case *float64:
		switch *at, err = ParseDecimal(cmp.Or(text, "0")); {
		case err != nil && t.Takes != "" && t.Such != "":
			err = fmt.Errorf("give %s such as %s", t.Takes, t.Such)
		case err == nil && t.none != 0 && *at == t.none: // nobody can ask for what only stands for a zero
			err = errors.New("write " + t.Takes)
		case *at == 0 && text != "":
			*at = t.none
		}
	case *bool:
		*at, err = strconv.ParseBool(cmp.Or(text, "false"))
	case size:
		_, err = fmt.Sscanf(strings.ReplaceAll(strings.ToLower(cmp.Or(text, "0x0")), "×", "x")+";", "%dx%d;", at.width, at.height)
		if err != nil || text != "" && min(*at.width, *at.height) < 1 || max(*at.width, *at.height) > maxSide {
			err = errors.New("write WIDTHxHEIGHT in pixels, for example 256x256")
		}
	}
	if err == nil && t.parse != nil {
		err = t.parse(next)
	}
	if err == nil {
		*s = next
	}
	return err
}

// ReadZeros makes of the zeros that a JSON object writes what they are on the command line: none, or an error where nobody can ask for
// them. Elsewhere in Settings a zero is "not set".
func (s *Settings) ReadZeros(object []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(object, &values); err != nil {
		return err
	}
	for _, t := range table {
		for key, value := range values {
			if v, err := strconv.ParseFloat(string(value), 64); t.Key == "" || !strings.EqualFold(key, t.Key) || err != nil || v != 0 {
				continue
			}
			if err := t.Set(s, "0"); err != nil {
				return fmt.Errorf("%q is 0: %w", t.Key, err)
			}
			if t.Zero != "" && t.Get(*s) == "" {
				return fmt.Errorf("%q is 0: %s", t.Key, t.Zero)
			}
		}
	}
	return nil
}

// ParseDecimal reads 7.5 and 7,5. A number with both, or with several of them, is refused: who knows what its thousands are. So is what
// is no finite number.
func ParseDecimal(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || strings.Contains(text, "_") {
		return 0, errors.New("give a number such as 7.5")
	}
	return v, nil
}

var table = []Setting{
	{
		Key: "negative", Stays: true, Field: "Negative", At: func(s *Settings) any { return &s.Negative },
		Flag: "negative", Help: "negative prompt: what the picture should not show (default: the preset's; \"\" for none)", Label: "negative",
		Called: "negative prompt",
	},
	{
		Key: "preset", Field: "Preset", At: func(s *Settings) any { return &s.Preset },
		Flag: "preset", Help: "paper (default) or release; for models of few steps lightning, turbo, lcm, hyper or dmd2: sets the defaults of the other options", Label: "preset", Called: "preset",
		check: func(s Settings, m bundle.Manifest) error {
			if _, ok := m.Preset(s.Preset); !ok { // the rest is checked against the default's values
				return message.Errorf("there is no preset %q: choose one of %s", s.Preset, strings.Join(m.PresetNames(), ", "))
			}
			return nil
		},
	},
	{
		Key: "steps", Field: "Steps", At: func(s *Settings) any { return &s.Steps },
		Flag: "steps", Help: "denoising steps", Zero: "give 1 or more", Label: "steps",
		A1111: "Steps", Called: message.Text("number of steps"), Takes: "a number from 1 to 10000", Least: 1, Most: 10000,
		check: func(s Settings, m bundle.Manifest) error {
			if s.Steps < 1 || s.Steps > m.Schedule.TrainSteps {
				return message.Errorf("%d steps are outside the range 1 to %d: 25 is usual", s.Steps, m.Schedule.TrainSteps)
			}
			return nil
		},
	},
	{
		Key: "stop", Field: "Stop", At: func(s *Settings) any { return &s.Stop },
		Flag: "stop", Help: "T_stop, the step after which the masks no longer change",
		Zero: "at least the first step makes masks: give 1 or more", Label: "T_stop",
		A1111: "RealCustom stop step", Called: message.Text("T_stop"), Takes: "a number from 1 to 10000", Least: 1, Most: 10000, OfMasks: true,
		check: func(s Settings, _ bundle.Manifest) error {
			if s.Steps < 1 {
				return nil // which is said already
			}
			return guidance.CheckStop(s.Stop, s.Steps)
		},
	},
	{
		Key: "sampler", Field: "Sampler", At: func(s *Settings) any { return &s.Sampler },
		Flag: "sampler", Label: "sampler",
		Help:  strings.Join(schedule.Samplers(), ", ") + "; also with -trailing, -leading, -linspace, -karras or -exponential after it, and by the names of A1111, ComfyUI and diffusers",
		A1111: "Sampler", Called: message.Text("sampler"), Takes: message.Text("one of Realword's"),
		ours:   func(name string) string { sampler, _ := schedule.Find(name); return sampler.Name },
		theirs: func(name string) string { sampler, _ := schedule.Find(name); return sampler.A1111 },
		check: func(s Settings, m bundle.Manifest) error {
			sampler, err := schedule.Find(s.Sampler)
			if err != nil || s.Steps < 1 || s.Steps > m.Schedule.TrainSteps { // which is said already
				return err
			}
			return sampler.Check(s.Steps, m.Schedule.TrainSteps)
		},
	},
	{
		Key: "cfg", Field: "CFG", At: func(s *Settings) any { return &s.CFG },
		Flag: "cfg", Help: "guidance scale (classifier-free guidance)", Zero: "1 turns guidance off, 3 to 8 works well", Label: "cfg",
		A1111: "CFG scale", Called: message.Text("guidance scale"),
		Takes: fmt.Sprint("a number from 1 to ", MaxCFG), Such: "7.5", Least: 1, Most: MaxCFG,
		check: func(s Settings, _ bundle.Manifest) error {
			if !(s.CFG >= 1 && s.CFG <= MaxCFG) { // also catches NaN
				return message.Errorf("the guidance scale ω = %g is outside the range 1 to %d: 3 to 8 works well", s.CFG, MaxCFG)
			}
			return nil
		},
	},
	{
		Key: "guidance_rescale", Field: "Rescale", At: func(s *Settings) any { return &s.Rescale },
		Flag: "guidance-rescale", Help: "φ, 0 to 1: how much of the contrast that guidance adds is taken back (default: the model's, mostly 0)", Label: "rescale",
		A1111: "CFG rescale", Called: message.Text("guidance rescale"), Takes: "a number from 0 to 1", Such: "0.7", Most: 1, none: NoRescale,
		check: func(s Settings, _ bundle.Manifest) error {
			if !(s.Rescale >= 0 && s.Rescale <= 1) && s.Rescale != NoRescale {
				return message.Errorf("the guidance rescale φ = %g is outside 0 to 1: 0.7 works well with a high guidance scale", s.Rescale)
			}
			return nil
		},
	},
	{
		Key: "uncond_attention", Field: "UncondAttention", At: func(s *Settings) any { return &s.UncondAttention },
		Flag: "uncond-attention", Help: "self-attention of the unconditional pass where no picture is bound: plain, or perturbed, which makes whole shapes (the built-in model's default)",
		Label: "uncond attention", Text: func(s Settings) string {
			if s.UncondAttention == PlainAttention {
				return ""
			}
			return s.UncondAttention
		},
		Called: "attention of the unconditional pass", Takes: "plain or perturbed",
		parse: func(s Settings) error { return knownAttention(s.UncondAttention) },
		check: func(s Settings, m bundle.Manifest) error {
			if s.UncondAttention == PerturbedAttention && len(m.Networks.UNet.PerturbedBlocks) == 0 {
				return message.Errorf("the model %s has no perturbed attention: choose plain", m.Name)
			}
			return knownAttention(s.UncondAttention)
		},
	},
	{
		Key: "mask_source", Field: "MaskSource", At: func(s *Settings) any { return &s.MaskSource },
		Flag: "mask-source", Help: "attention maps the masks come from: all_cross, low_cross, low_cross_all_self or low_cross_high_self",
		Called: "mask source", OfMasks: true,
		Label: "masks", Text: func(s Settings) string {
			switch norm := s.Normalization(); {
			case s.MaskSource == "" || norm == guidance.ByMax:
				return s.MaskSource
			case norm == guidance.Raw:
				return s.MaskSource + ", not normalised"
			default:
				return s.MaskSource + ", normalised by " + norm.String()
			}
		},
		check: func(s Settings, _ bundle.Manifest) error { _, err := guidance.ParseSource(s.MaskSource); return err },
	},
	{Key: "raw_mask", Field: "RawMask", At: func(s *Settings) any { return &s.RawMask }, Called: "raw mask", OfMasks: true},
	{
		Key: "mask_norm", Field: "MaskNorm", At: func(s *Settings) any { return &s.MaskNorm },
		Flag: "mask-norm", Help: "how masks are normalised: max (default), min_max_per_channel (as in the released app) or none",
		Called: "mask normalisation", OfMasks: true,
		check: func(s Settings, _ bundle.Manifest) error {
			norm, err := guidance.ParseNormalization(cmp.Or(s.MaskNorm, guidance.ByMax.String()))
			if err == nil && norm == guidance.ByLayer && s.RawMask {
				return message.Errorf("masks cannot be both raw and normalised by %s: choose one", norm)
			}
			return err
		},
	},
	{
		Key: "scope", Field: "Scope", At: func(s *Settings) any { return &s.Scope },
		Flag: "scope", Help: "scope (γ) of every subject without one of its own, a fraction in (0, 1]", Zero: "give a fraction in (0, 1]",
		Called: "scope", Takes: "a fraction in (0, 1]", Such: "0.2", Most: 1, OfMasks: true,
		check: func(s Settings, _ bundle.Manifest) error {
			if !(s.Scope >= 0 && s.Scope <= 1) { // 0: a preset without one
				return message.Errorf("the scope γ = %g is outside (0, 1]: 0.15 to 0.4 works well", s.Scope)
			}
			return nil
		},
	},
	{
		Key: "fit", Field: "Fit", At: func(s *Settings) any { return (*string)(&s.Fit) },
		Flag: "fit", Help: "how references are made square: pad, crop or stretch (default: the preset's)", Called: "fit", OfMasks: true,
		parse: func(s Settings) error { return picture.Square{Fit: s.Fit}.Validate() },
	},
	{
		Key: "loras", Stays: true, Field: "LoRAs", At: func(s *Settings) any { return &s.LoRAs },
		Label: "LoRA", Text: LoRAText, Called: "LoRAs", Takes: "a list such as <lora:name:0.8>",
		parse: func(s Settings) error { _, err := lora.Parse(s.LoRAs); return err },
	},
	{
		Key: "literal", Stays: true, Field: "Literal", At: func(s *Settings) any { return &s.Literal },
		Flag: "literal", Help: "read the prompts literally: no weights such as (word:1.2) or [word], no {a|b}, no BREAK", Called: "literal reading",
		Label: "literal",
	},
	{
		Key: "one_chunk", Stays: true, Field: "Cut", At: func(s *Settings) any { return &s.Cut },
		Flag: "one-chunk", Help: "cut the prompts after 75 tokens and read BREAK as a word, as earlier versions did", Called: "cutting of prompts", Label: "one chunk",
	},
	{
		Key: "swift", Stays: true, Field: "Swift", At: func(s *Settings) any { return &s.Swift },
		Flag: "swift", Help: "approximate: leave out passes of the U-Net that mostly change little, as --uncond-every, --mask-rest, --mask-settle and --cfg-interval do; a subject may turn, or things in the background change, more so with fewer steps or in other shapes", Called: "swift", Label: "swift",
	},
	{
		Key: "mask_rest", Stays: true, Field: "Rest", At: func(s *Settings) any { return &s.Rest },
		Flag: "mask-rest", Help: fmt.Sprintf("approximate: make masks at every second step once they change by less than this share (--swift: %g)", swift.Rest),
		Called: "mask rest", Takes: "a share from 0 to 1", Such: "0.2", Most: 1, none: NoShare, OfMasks: true, Label: "mask rest",
		check: checkShare("mask rest", func(s Settings) float64 { return s.Rest }),
	},
	{
		Key: "mask_settle", Stays: true, Field: "Settle", At: func(s *Settings) any { return &s.Settle },
		Flag: "mask-settle", Help: fmt.Sprintf("approximate: automatic T_stop, once masks change by less than this share twice (--swift: %g)", swift.Settle),
		Called: "mask settle", Takes: "a share from 0 to 1", Such: "0.02", Most: 1, none: NoShare, OfMasks: true, Label: "mask settle",
		check: checkShare("mask settle", func(s Settings) float64 { return s.Settle }),
	},
	{
		Key: "cfg_interval", Stays: true, Field: "Interval", At: func(s *Settings) any { return &s.Interval },
		Flag: "cfg-interval", Help: "approximate: guidance at these noise levels σ/α alone (arXiv 2404.07724; --swift: " + swift.Interval + ")",
		Called: "guidance interval", Takes: "a range such as 0.28-5.42", Label: "cfg interval",
		parse: func(s Settings) error { _, _, err := parseInterval(s.Interval); return err },
		check: func(s Settings, _ bundle.Manifest) error { _, _, err := parseInterval(s.Interval); return err },
	},
	{
		Key: "uncond_every", Stays: true, Field: "Every", At: func(s *Settings) any { return &s.Every },
		Flag: "uncond-every", Help: fmt.Sprintf("approximate: the unconditional pass at every so many steps (--swift: %d)", swift.Every), Zero: "1 runs it at every step",
		Called: "steps of an unconditional pass", Takes: fmt.Sprint("a number from 1 to ", mostEvery), Least: 1, Most: mostEvery,
		Label: "uncond every",
		check: func(s Settings, _ bundle.Manifest) error {
			if s.Every < 0 || s.Every > mostEvery {
				return message.Errorf("an unconditional pass every %d steps is outside the range 1 to %d: 2 works well", s.Every, mostEvery)
			}
			return nil
		},
	},
	{
		Key: "width", Stays: true, Field: "Width", At: func(s *Settings) any { return &s.Width },
		Called: "width", Zero: "give 1 or more", Least: 1, Most: maxSide,
	},
	{
		Key: "height", Stays: true, Field: "Height", At: func(s *Settings) any { return &s.Height },
		Called: "height", Zero: "give 1 or more", Least: 1, Most: maxSide,
	},
	{
		At:   func(s *Settings) any { return size{&s.Width, &s.Height} },
		Flag: "size", Help: "WIDTHxHEIGHT in pixels", Label: "size", A1111: "Size",
		Called: message.Text("size"), Takes: message.Text("a size in pixels"),
		check: func(s Settings, m bundle.Manifest) error {
			return errors.Join(checkSide("width", s.Width, m), checkSide("height", s.Height, m))
		},
	},
}

func knownAttention(name string) error {
	if name != "" && name != PlainAttention && name != PerturbedAttention {
		return message.Errorf("there is no attention %q of the unconditional pass: choose plain or perturbed", name)
	}
	return nil
}

// mostEvery is how far apart unconditional passes may be: beyond it pictures fall apart in runs of few steps.
const mostEvery = 4

func checkShare(name string, share func(Settings) float64) func(Settings, bundle.Manifest) error {
	return func(s Settings, _ bundle.Manifest) error {
		if v := share(s); !(v >= 0 && v <= 1) && v != NoShare {
			return message.Errorf("the share %g of %s is outside 0 to 1: 0.05 works well", v, name)
		}
		return nil
	}
}

// maxSide is the longest side of a picture that a recipe may ask for, far beyond what any model can do.
const maxSide = 1 << 16

func checkSide(name string, n int, m bundle.Manifest) error {
	switch s := m.Size; {
	case n < s.Min || n > s.Max:
		return message.Errorf("the %s of %d pixels is outside the range of the model %s: choose %d to %d", name, n, m.Name, s.Min, s.Max)
	case n%max(s.Multiple, 1) != 0:
		return message.Errorf("the %s of %d pixels is not a multiple of %d: %d is the nearest one", name, n, s.Multiple,
			s.Nearest(image.Pt(n, n)).X)
	}
	return nil
}

// size is two sides as people write them.
type size struct{ width, height *int }
