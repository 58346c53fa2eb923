package ui

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/hub"
	"realword/ui/state"
	"realword/ui/uitest"
)

var big = &bundle.Manifest{
	Schema: bundle.SchemaVersion, Name: "RealCustom++", Family: "sdxl", Size: bundle.Size{Width: 1024, Height: 1024, Min: 256, Max: 2048}, Vision: bundle.Vision{Reference: 768},
	Notes: []string{"sdxl-unet.bin is taken"},
	Presets: map[string]bundle.Preset{
		"paper":   {Sampler: "ddim", Steps: 50, Stop: 25, CFG: 12.5, Scope: 0.2},
		"release": {Sampler: "dpm++", Steps: 25, Stop: 12, CFG: 3.5, Scope: 0.25},
	},
}

// fakeModels keeps models in memory. Imports and checks wait until the test answers them.
type fakeModels struct {
	list    []state.Model
	found   map[string]bundle.Inspection // by path, or base and path
	free    int64
	began   chan *modelCall
	removed []string
	renamed string
	looking chan context.Context // where it is there, inspections are told and last until they are cancelled

	memory    int64
	begun     []hub.Unfinished
	planErr   error
	here      int64 // bytes of a plan that are on this machine
	getting   chan *getCall
	discarded []string
}

// getCall is a download that has begun. It waits until the test answers it.
type getCall struct {
	ctx       context.Context
	job       state.Get
	fetching  func(hub.Progress)
	importing bundle.Progress
	answer    chan error
}

func (m *fakeModels) Catalogue() []hub.Entry             { return hub.Catalogue() }
func (m *fakeModels) Missing(_ string, p hub.Plan) int64 { return p.Bytes() - m.here }
func (m *fakeModels) Memory() int64                      { return m.memory }
func (m *fakeModels) Unfinished(string) []hub.Unfinished { return m.begun }
func (m *fakeModels) Licences(p hub.Plan) []string {
	return []string{"Open RAIL++-M (hub.example/some/model)"}
}

func (m *fakeModels) Discard(_ string, e hub.Entry) error {
	m.discarded = append(m.discarded, e.Name)
	m.begun = nil
	return nil
}

func (m *fakeModels) Plan(_ context.Context, _ string, e hub.Entry) (hub.Plan, error) {
	return hub.Plan{Entry: e, Parts: []hub.Got{{Into: "source", Repository: "some/model", Files: []hub.File{{Path: "x.bin", Size: 13_000_000_000}}}}}, m.planErr
}

func (m *fakeModels) Get(ctx context.Context, g state.Get, fetching func(hub.Progress), importing bundle.Progress) (string, error) {
	c := &getCall{ctx, g, fetching, importing, make(chan error)}
	m.getting <- c
	path := filepath.Join(g.Folder, g.Name)
	select {
	case err := <-c.answer:
		if err == nil {
			named := *big
			named.Name = g.Name
			m.list = append(m.list, state.Model{Path: path, Manifest: &named, Downloaded: true})
			m.begun = nil
			return path, nil
		}
		return "", err
	case <-ctx.Done():
		m.begun = []hub.Unfinished{{Plan: g.Plan, Done: 3_000_000_000}}
		return "", ctx.Err()
	}
}

type modelCall struct {
	ctx      context.Context
	job      state.Import
	check    string
	progress bundle.Progress
	answer   chan error
}

func (m *fakeModels) Folder() string              { return "/models" }
func (m *fakeModels) Free(string) (int64, error)  { return m.free, nil }
func (m *fakeModels) Rename(_, name string) error { m.renamed = name; return nil }
func (m *fakeModels) List(_ string, elsewhere []string) ([]state.Model, error) {
	list := append([]state.Model{{Manifest: uitest.Toybox, Bytes: 29_500_000}}, m.list...)
	for _, path := range elsewhere {
		list = append(list, state.Model{Path: path, Manifest: big, Elsewhere: true})
	}
	return list, nil
}

func (m *fakeModels) Inspect(ctx context.Context, path, base string) (bundle.Inspection, error) {
	if m.looking != nil {
		m.looking <- ctx
		<-ctx.Done()
		return bundle.Inspection{}, ctx.Err()
	}
	in := m.found[base+path]
	in.Path, in.Base = path, base
	return in, nil
}

func (m *fakeModels) wait(c *modelCall) error {
	m.began <- c
	select {
	case err := <-c.answer:
		return err
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

func (m *fakeModels) Import(ctx context.Context, i state.Import, progress bundle.Progress) (string, error) {
	path := filepath.Join(i.Folder, i.Name)
	err := m.wait(&modelCall{ctx: ctx, job: i, progress: progress, answer: make(chan error)})
	if err == nil {
		named := *big
		named.Name = i.Name
		m.list = append(m.list, state.Model{Path: path, Manifest: &named, Bytes: 7_000_000_000, Source: i.Source, Base: i.Base})
	}
	return path, err
}

func (m *fakeModels) Check(ctx context.Context, path string, progress bundle.Progress) error {
	return m.wait(&modelCall{ctx: ctx, check: path, progress: progress, answer: make(chan error)})
}

func (m *fakeModels) Remove(path string) (func() error, error) {
	before := m.list
	m.removed = append(m.removed, path)
	m.list = slices.DeleteFunc(slices.Clone(m.list), func(o state.Model) bool { return o.Path == path })
	return func() error { m.list = before; return nil }, nil
}

const sourcePath, basePath, bigPath = "/data/ckpts", "/data/dreams.safetensors", "/models/RealCustom++"

func recognised(layout bundle.Layout) bundle.Inspection {
	return bundle.Inspection{Layout: layout, Manifest: *big, Tensors: 3104, Source: 9_000_000_000, Writes: 7_000_000_000}
}

func TestShotsOfOtherModels(t *testing.T) {
	s := state.State{Model: big, View: state.View{Shot: 0, Step: -1}, Shots: []state.Shot{{Path: "x.png", Model: "toybox", PictureReady: inference.PictureReady{Seed: 7}}}}
	if got := s.Caption(); got != "seed 7 · made with the model toybox" {
		t.Errorf("%q", got)
	}
	named := *big
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
	}{
		"as the preset": {f, [2]int{50, 25}, 12.5, 2},
		"own steps":     {state.Form{Settings: inference.Settings{Preset: "paper", Steps: 10, Stop: 8, CFG: 7.5}}, [2]int{10, 8}, 12.5, 2},
		"own stop":      {state.Form{Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 5, CFG: 3}}, [2]int{50, 5}, 3, 2},
		"own preset":    {state.Form{Settings: inference.Settings{Preset: "mine", Steps: 9, Stop: 8, CFG: 2}}, [2]int{9, 8}, 2, 2},
	} {
		got, remarks := c.f.Adapt(uitest.Toybox, big)
		if got.Steps != c.steps[0] || got.Stop != c.steps[1] || got.CFG != c.cfg || len(remarks) != c.says || got.Preset != "paper" {
			t.Errorf("%s: %d %d %g, %q", name, got.Steps, got.Stop, got.CFG, remarks)
		}
	}
	if got, remarks := f.Adapt(nil, big); got.Steps != 25 || remarks != nil {
		t.Errorf("at the start: %d, %q", got.Steps, remarks)
	}
}

func TestFreeName(t *testing.T) {
	s := state.Shelf{List: []state.Model{{Path: "/a", Manifest: big}, {Path: "/b", Manifest: &bundle.Manifest{Name: "realcustom++ 2"}}}, Tasks: []state.ModelTask{{Import: state.Import{Name: "Portraits"}}}}
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
