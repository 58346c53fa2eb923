package state_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/ui/models/modelstest"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestShotsOfOtherModels(t *testing.T) {
	s := state.State{Model: modelstest.Big, View: state.View{Shot: 0, Step: -1}, Shots: []state.Shot{{Path: "x.png", Model: "toybox", PictureReady: inference.PictureReady{Seed: 7}}}}
	if got := s.Caption(); got != "seed 7 · made with the model toybox" {
		t.Errorf("%q", got)
	}
	named := *modelstest.Big
	named.Was = []string{"toybox"}
	s.Model = &named
	if got := s.Caption(); got != "seed 7" {
		t.Errorf("of a model that was renamed: %q", got)
	}
}

func TestAdapt(t *testing.T) {
	f := state.Form{Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 12, CFG: 7.5}}
	for name, c := range map[string]struct {
		f     state.Form
		steps [2]int
		cfg   float64
		says  int
		said  string // of what has changed
	}{
		"as the preset": {f, [2]int{50, 25}, 12.5, 2, "50 steps · T_stop 25 · guidance scale 12.5"},
		"own steps":     {state.Form{Settings: inference.Settings{Preset: "paper", Steps: 10, Stop: 8, CFG: 7.5}}, [2]int{10, 8}, 12.5, 2, "guidance scale 12.5"},
		"own stop":      {state.Form{Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 5, CFG: 3}}, [2]int{50, 5}, 3, 2, "50 steps"},
		"own preset":    {state.Form{Settings: inference.Settings{Preset: "mine", Steps: 9, Stop: 8, CFG: 2}}, [2]int{9, 8}, 2, 2, ""},
	} {
		got, remarks := c.f.Adapt(uitest.Toybox, modelstest.Big)
		if got.Steps != c.steps[0] || got.Stop != c.steps[1] || got.CFG != c.cfg || len(remarks) != c.says || got.Preset != "paper" {
			t.Errorf("%s: %d %d %g, %q", name, got.Steps, got.Stop, got.CFG, remarks)
		}
		if said := slices.Contains(remarks, "Changed with the model: "+c.said+"."); said != (c.said != "") {
			t.Errorf("%s: it says %q, want %q", name, remarks, c.said)
		}
	}
	// The area of a subject follows the preset, where nobody has set it.
	large := *uitest.Toybox
	large.Presets = map[string]bundle.Preset{"paper": {Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.25}}
	for what, c := range map[string]struct {
		cards []state.Card
		scope float64 // of the settings
		want  bool
	}{
		"no subject":          {nil, 0, false},
		"one":                 {[]state.Card{{ID: 1}}, 0, true},
		"one with its own":    {[]state.Card{{ID: 1, Scope: 0.3}}, 0, false},
		"one of two":          {[]state.Card{{ID: 1, Scope: 0.3}, {ID: 2}}, 0, true},
		"all have another":    {[]state.Card{{ID: 1}}, 0.3, false},
		"one that is off":     {[]state.Card{{ID: 1, Off: true}}, 0, false},
		"one painted exactly": {[]state.Card{{ID: 1, Region: inference.Region{Kind: guidance.Exactly}}}, 0, false},
	} {
		f := f
		f.Cards, f.Scope = c.cards, c.scope
		_, remarks := f.Adapt(uitest.Toybox, &large)
		if said := slices.Contains(remarks, "Changed with the model: area 25 %."); said != c.want {
			t.Errorf("%s: it says %q", what, remarks)
		}
	}
	if got, remarks := f.Adapt(nil, modelstest.Big); got.Steps != 25 || remarks != nil {
		t.Errorf("at the start: %d, %q", got.Steps, remarks)
	}
}

func TestFreeName(t *testing.T) {
	s := state.Shelf{List: []state.Model{{Path: "/a", Manifest: modelstest.Big}, {Path: "/b", Manifest: &bundle.Manifest{Name: "realcustom++ 2"}}}, Tasks: []state.ModelTask{{Import: state.Import{Name: "Portraits"}}}}
	for name, want := range map[string]string{"RealCustom++": "RealCustom++ 3", "Portraits": "Portraits 2", "new": "new"} {
		if got := s.FreeName(name); got != want {
			t.Errorf("%q, wanted %q", got, want)
		}
	}
}

func TestTally(t *testing.T) {
	now := time.Unix(1000, 0)
	sum := state.Tally{Expected: 400}
	for i, c := range []struct {
		what        string
		done, total int64
		at          time.Duration
		sum, all    int64
		left        time.Duration
		show        bool
	}{
		{"a", 50, 100, 0, 50, 400, 0, true},
		{"a", 60, 100, 50 * time.Millisecond, 60, 400, 0, false},
		{"a", 100, 100, 2 * time.Second, 100, 400, 6 * time.Second, true},
		{"b", 100, 700, 4 * time.Second, 200, 800, 12 * time.Second, true},
		{"b", 700, 700, 4*time.Second + 1, 800, 800, 0, true},
	} {
		s, all, left, show := sum.Add(c.what, c.done, c.total, now.Add(c.at))
		if s != c.sum || all != c.all || left != c.left || show != c.show {
			t.Errorf("%d: %d of %d, %v left, %v", i, s, all, left, show)
		}
	}
	if got := cmp.Or(state.ModelTask{Done: 5}.Part(), state.ModelTask{Done: 9, All: 3}.Part()); got != 1 {
		t.Errorf("part %g", got)
	}
}

// TestAModelOfTheFarm: what is on other computers alone is no damaged model, and says where its pictures are made.
func TestAModelOfTheFarm(t *testing.T) {
	m := state.Model{Path: "/cards/01.card", Card: true, Manifest: uitest.Toybox}
	if text, bad := (state.Shelf{}).Verdict(m); bad || text != "Ready. This model is on the computers of the farm alone: make the job on the farm." {
		t.Errorf("%q, %v", text, bad)
	}
}
