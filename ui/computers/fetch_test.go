package computers

import (
	"slices"
	"strings"
	"testing"

	"realword/assets"
	"realword/farm"
	"realword/inference/bundle"
	"realword/ui/state"
)

// bundled is an engine of a model that lies here.
type bundled struct {
	*engine
	model *bundle.Bundle
}

func (b bundled) Bundle() *bundle.Bundle { return b.model }

// TestTheOpenModelCanBeFetched by a computer that is let in, as long as it is open.
func TestTheOpenModelCanBeFetched(t *testing.T) {
	model, err := bundle.Extract(assets.Model(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var open Engine
	b := newBenchOf(t, t.TempDir(), func(h *Host) { h.Engine = func() Engine { return open } })
	open = bundled{b.here, model}
	b.shareIt()
	conn := b.link.Conn()
	offers := func(n int) func() bool {
		return func() bool {
			list, err := conn.Offers(t.Context())
			return err == nil && len(list) == n && (n == 0 || list[0].ID == farm.ModelID(model.Manifest()))
		}
	}
	b.Until("the model is offered", offers(1))
	b.Until("the switch is there", b.send.Visible)
	b.send.SetChecked(false)
	b.Until("it stays here", offers(0))
	b.stir()
	b.send.SetChecked(true)
	b.Until("it is offered again", offers(1))
	if !slices.Equal(b.stay, []bool{true, false}) {
		t.Errorf("the window remembers %v", b.stay)
	}
	open = b.here // one that is not here as files
	b.stir()
	b.Until("it is not offered any more", offers(0))
}

// TestModelsThatStay at the next start, too.
func TestModelsThatStay(t *testing.T) {
	model, err := bundle.Extract(assets.Model(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var open Engine
	b := newBenchOf(t, t.TempDir(), func(h *Host) { h.Stay, h.Engine = true, func() Engine { return open } })
	open = bundled{b.here, model}
	b.Refresh()
	if b.send.Checked || b.sending.Visible() {
		t.Errorf("without a farm: on %t, shown %t", b.send.Checked, b.sending.Visible())
	}
	b.shareIt()
	b.Until("the switch is there", b.send.Visible)
	if list, err := b.link.Conn().Offers(t.Context()); err != nil || len(list) > 0 || len(b.stay) > 0 {
		t.Errorf("offered: %v, %v; remembered %v", list, err, b.stay)
	}
}

// TestAFetchIsSeen in the list of the computers, and at the choice of where a job is made.
func TestAFetchIsSeen(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.shareIt()
	list := computersOf(Farm{Status: farm.Status{Workers: []farm.WorkerInfo{
		{Name: "one", Fetches: &farm.Fetches{ID: "x", Name: "SDXL", Done: 1_700_000_000, Total: 6_800_000_000}},
		{Name: "two", Doing: "j.1", Step: 3, Steps: 25, Prompt: "a dog", Fetches: &farm.Fetches{ID: "x", Name: "SDXL", Done: 1, Total: 2}},
		{Name: "three", Fetches: &farm.Fetches{ID: "x", Name: "SDXL", Done: 1, Total: 2, Why: "the computer that is sending the model does not answer"}},
	}}})
	for i, want := range []string{"fetches SDXL: 1.7 GB of 6.8 GB", "step 3 of 25: a dog · fetches SDXL", "cannot get SDXL yet: The computer that is sending the model does not answer"} {
		if !strings.Contains(list[i].doing, want) || list[i].bad != (i == 2) {
			t.Errorf("%+v, want %q", list[i], want)
		}
	}
	if list[0].fetched != 0.25 {
		t.Errorf("%g of it is here", list[0].fetched)
	}
	b.Change(func(s *state.State) { s.Farm.Fetching, s.Farm.Where = 2, state.Far })
	b.refreshChoice(b.State.Farm)
	if want := "2 computers are fetching this model."; b.note.Text != want {
		t.Errorf("%q, want %q", b.note.Text, want)
	}
}
