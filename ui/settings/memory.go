package settings

import (
	"fmt"
	"image"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/memory"
	"realword/inference/prompt"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// MemoryTeller knows what a job would take of the machine's memory.
type MemoryTeller interface {
	Memory(r inference.Request) (memory.Plan, bool)
}

// What a job may take without a word about it: a toybox never gets a line. Of a card's memory half is its driver's.
const (
	littleMemory = 1 << 30
	littleOfCard = 2 << 30
)

// memoryLine says above the Generate button whether the job fits in memory; where it does not, it offers what would.
type memoryLine struct {
	host Host
	done func() // what has changed is to be laid out
	box  *fyne.Container
	text *widget.Label

	counted string // the prompts of which holds is the count
	holds   [2]int

	asked string // the job that the plan is for
	plan  *memory.Plan
}

func newMemoryLine(h Host, done func()) *memoryLine {
	m := &memoryLine{host: h, done: done, text: widget.NewLabel(""), box: kit.NewColumn(4)}
	m.text.Wrapping, m.text.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	m.box.Hide()
	return m
}

// refresh asks again when something has changed that decides the memory. Reading a large model's graphs takes a moment.
func (m *memoryLine) refresh() {
	teller, st := m.host.Memory(), m.host.State()
	if teller == nil || st.Model == nil {
		m.asked, m.plan = "", nil
		m.box.Hide()
		return
	}
	r := st.Form.Request()
	round := fmt.Sprintf("%p %d×%d %s %t %t %v %s", teller, r.Width, r.Height, r.Preset, r.CFG == 1, r.Init != nil, m.tokens(st), r.LoRAs+st.Run().Moved)
	for i := range r.Subjects {
		round += fmt.Sprint(" ", len(r.Subjects[i].References))
		r.Subjects[i].References = make([]inference.Reference, len(r.Subjects[i].References)) // only their number counts
	}
	if round == m.asked {
		return
	}
	m.asked = round
	m.host.Background(func() func() {
		p, ok := teller.Memory(r)
		return func() {
			if m.asked != round {
				return // the user went on
			}
			m.plan = nil
			if ok {
				m.plan = &p
			}
			m.show()
		}
	})
}

// tokens are how many tokens the prompt and the negative one have in the passes: those of whole chunks.
func (m *memoryLine) tokens(st state.State) (holds [2]int) {
	if m.host.Encode == nil || st.Model == nil {
		return holds
	}
	prompts := [2]string{st.Form.Prompt, st.Form.Negative}
	var how [2]prompt.Reading
	for i := range how {
		how[i] = st.Form.Reading(st.Model, i == 1)
	}
	of := fmt.Sprintf("%p %q %v", m.host.Memory(), prompts, how)
	if of == m.counted {
		return m.holds
	}
	m.counted = of
	for i, text := range prompts {
		if p := m.host.Encode(text, how[i]); p != nil {
			m.holds[i] = p.Holds()
		}
	}
	return m.holds
}

func (m *memoryLine) show() {
	p := m.plan
	m.box.Hidden = p == nil || p.Without == "" && p.Device == "" && p.Verdict == memory.Fits && p.Peak < littleMemory ||
		p.Device != "" && (p.Verdict == memory.Fits || p.Verdict == memory.Unknown) && p.Peak < littleOfCard
	m.box.RemoveAll()
	if !m.box.Hidden {
		m.text.Importance = widget.LowImportance
		switch p.Verdict {
		case memory.Tight, memory.Doubtful:
			m.text.Importance = widget.WarningImportance
		case memory.TooLarge:
			m.text.Importance = widget.DangerImportance
		}
		m.text.SetText(planText(*p))
		m.box.Add(container.New(kit.Inset{X: -4, Y: -6}, kit.Quiet(m.text)))
		for _, fit := range p.Remedies {
			b := kit.NewButton(m.remedyText(fit), func() { m.apply(fit) })
			b.Importance = widget.WarningImportance
			m.box.Add(b)
		}
	}
	m.done()
}

// planText is a plan in a line, and what else there is to say of it in lines of their own.
func planText(p memory.Plan) string {
	lines := []string{planLine(p)}
	if p.Without != "" {
		lines = append(lines, i18n.T("%s has not enough memory for this model, so the CPU computes it in its usual way.", p.Without))
	}
	if n := p.LoRAs(); n > 0 {
		lines = append(lines, i18n.T("%s of it for LoRAs", wording.Bytes(n)))
	}
	if p.Verdict == memory.Doubtful {
		lines = append(lines, i18n.T("If its memory runs out, the CPU goes on."))
	}
	return strings.Join(lines, "\n")
}

func planLine(p memory.Plan) string {
	need, have := wording.Bytes(p.Peak), wording.Bytes(p.Available)
	switch card := p.Device != ""; {
	case p.Verdict == memory.Unknown:
		return i18n.T("Graphics card: about %s needed", need)
	case card && p.Verdict == memory.Doubtful:
		return i18n.T("Graphics card: about %s of %s, may not fit", need, have)
	case card && p.Verdict == memory.Tight:
		return i18n.T("Graphics card: about %s of %s, tight", need, have)
	case card:
		return i18n.T("Graphics card: about %s of %s, fits", need, have)
	case p.Verdict == memory.TooLarge:
		return i18n.T("Memory: about %s of %s, will not fit", need, have)
	case p.Verdict == memory.Tight:
		return i18n.T("Memory: about %s of %s, tight", need, have)
	}
	return i18n.T("Memory: about %s of %s, fits", need, have)
}

func (m *memoryLine) remedyText(fit memory.Remedy) string {
	st := m.host.State()
	size := st.Form.Size(st.Model)
	switch {
	case fit.References == 0:
		return i18n.T("Make it %d × %d: %s", fit.Width, fit.Height, wording.Bytes(fit.Peak))
	case fit.Width == size.X && fit.Height == size.Y:
		return i18n.N(fit.References, "%d picture per subject", "%d pictures per subject", fit.References)
	default:
		return i18n.T("%d × %d, one picture per subject: %s", fit.Width, fit.Height, wording.Bytes(fit.Peak))
	}
}

// apply changes the form as a remedy says; Undo takes it back.
func (m *memoryLine) apply(fit memory.Remedy) {
	m.host.Change(func(st *state.State) {
		f := st.Form.WithSize(image.Pt(fit.Width, fit.Height), st.Model)
		f.Cards = slices.Clone(f.Cards)
		had := map[string]int{}
		for i, c := range f.Cards {
			if fit.References == 0 || !c.Live() || c.Off {
				continue
			}
			word := c.Word.String()
			had[word]++
			f.Cards[i].Off = had[word] > fit.References
		}
		st.Form = f
	})
}

// Before runs what begins a job, after asking where the job will not fit.
func (s *Panel) Before(run func()) {
	m := s.memory
	ask := func() {
		run()
		s.unsay()
	}
	if m.plan == nil || m.plan.Verdict != memory.TooLarge {
		ask()
		return
	}
	m.host.Layers.Warn(i18n.T("This job will not fit in memory"),
		i18n.T("It needs about %s, and %s is available. The system may close Realword or another program. Finished pictures are kept.",
			wording.Bytes(m.plan.Peak), wording.Bytes(m.plan.Available)),
		i18n.T("Cancel"), i18n.T("Run anyway"), ask)
}
