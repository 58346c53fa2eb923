// Package modelstest has models for the tests of the page of models and of the window.
//
// Contract: only tests import it. A Fake touches no disk and no network; its exported fields belong to the test, which changes
// them while nothing runs.
package modelstest

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"

	"realword/inference/bundle"
	"realword/inference/hub"
	"realword/ui/state"
	"realword/ui/uitest"
)

// Big is a model of SDXL's size.
var Big = &bundle.Manifest{
	Schema: bundle.SchemaVersion, Name: "RealCustom++", Family: "sdxl", Size: bundle.Size{Width: 1024, Height: 1024, Min: 256, Max: 2048},
	Vision: bundle.Vision{Reference: 768},
	Notes:  []string{"sdxl-unet.bin is taken"},
	Presets: map[string]bundle.Preset{
		"paper":   {Sampler: "ddim", Steps: 50, Stop: 25, CFG: 12.5, Scope: 0.2},
		"release": {Sampler: "dpm++", Steps: 25, Stop: 12, CFG: 3.5, Scope: 0.25},
	},
}

// Fake keeps models in memory. Imports and checks wait until the test answers them.
type Fake struct {
	mu        sync.Mutex // of Models, in what works beside the window
	Models    []state.Model
	Found     map[string]bundle.Inspection // by path, or base and path
	FreeBytes int64
	Disks     map[string]int64 // free where a folder is on another disk
	Began     chan *Call
	Removed   []string
	Renamed   string
	BadName   error                // of Rename; nil: every name is good
	Looking   chan context.Context // where it is there, inspections are told and last until they are cancelled

	MemoryBytes int64
	Begun       []hub.Unfinished
	Asking      chan context.Context // where it is there, the hub is asked until that is cancelled
	PlanErr     error
	Here        int64 // bytes of a plan that are on this machine
	Getting     chan *GetCall
	Discarded   []string
	TokenFrom   string
	Tokens      []string // that were set
	TokenErr    error
}

// GetCall is a download that has begun. It waits until the test answers it.
type GetCall struct {
	Ctx       context.Context
	Job       state.Get
	Fetching  func(hub.Progress)
	Importing bundle.Progress
	Answer    chan error
}

func (m *Fake) Catalogue() []hub.Entry { return hub.Catalogue() }

func (m *Fake) Missing(_ string, p hub.Plan) int64 { return p.Bytes() - m.Here }

func (m *Fake) Memory() int64 { return m.MemoryBytes }

func (m *Fake) Unfinished(string) []hub.Unfinished { return m.Begun }

func (m *Fake) Licences(p hub.Plan) []hub.Licence {
	return []hub.Licence{{Name: "Open RAIL++-M", At: "https://hub.example/some/model"}, {At: "https://hub.example/another"}}
}

func (m *Fake) Discard(_ string, e hub.Entry) error {
	m.Discarded = append(m.Discarded, e.Name)
	m.Begun = nil
	return nil
}

func (m *Fake) Plan(ctx context.Context, _ string, e hub.Entry) (hub.Plan, error) {
	if m.Asking != nil {
		m.Asking <- ctx
		<-ctx.Done()
		return hub.Plan{}, ctx.Err()
	}
	files := []hub.File{{Path: "x.bin", Size: 13_000_000_000}}
	return hub.Plan{Entry: e, Parts: []hub.Got{{Into: "source", Repository: "some/model", Files: files}}}, m.PlanErr
}

func (m *Fake) Get(ctx context.Context, g state.Get, fetching func(hub.Progress), importing bundle.Progress) (string, error) {
	c := &GetCall{ctx, g, fetching, importing, make(chan error)}
	m.Getting <- c
	path := filepath.Join(g.Folder, g.Name)
	select {
	case err := <-c.Answer:
		if err == nil {
			named := *Big
			named.Name = g.Name
			m.add(state.Model{
				Path: path, Manifest: &named, Downloaded: true, Source: filepath.Join(g.Folder, "downloads", g.Plan.Entry.Name, "source"),
			})
			m.Begun = nil
			return path, nil
		}
		return "", err
	case <-ctx.Done():
		m.Begun = []hub.Unfinished{{Plan: g.Plan, Done: 3_000_000_000}}
		return "", ctx.Err()
	}
}

// Call is an import or a check that has begun. It waits until the test answers it.
type Call struct {
	Ctx      context.Context
	Job      state.Import
	Checked  string
	Progress bundle.Progress
	Answer   chan error
}

func (m *Fake) Folder() string { return "/models" }

func (m *Fake) Free(folder string) (int64, error) {
	if free, other := m.Disks[folder]; other {
		return free, nil
	}
	return m.FreeBytes, nil
}

func (m *Fake) Rename(_, name string) error {
	if m.BadName != nil {
		return m.BadName
	}
	m.Renamed = name
	return nil
}

func (m *Fake) add(one state.Model) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Models = append(slices.Clip(m.Models), one)
}

func (m *Fake) List(_ string, elsewhere []string) ([]state.Model, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := append([]state.Model{{Manifest: uitest.Toybox, Bytes: 29_500_000}}, m.Models...)
	for _, path := range elsewhere {
		list = append(list, state.Model{Path: path, Manifest: Big, Elsewhere: true})
	}
	return list, nil
}

func (m *Fake) Inspect(ctx context.Context, path, _, base, prediction string) (bundle.Inspection, error) {
	if m.Looking != nil {
		m.Looking <- ctx
		<-ctx.Done()
		return bundle.Inspection{}, ctx.Err()
	}
	in := m.Found[base+path]
	in.Path, in.Base = path, base
	in.Manifest.Schedule.PredictionType = prediction
	return in, nil
}

func (m *Fake) wait(c *Call) error {
	m.Began <- c
	select {
	case err := <-c.Answer:
		return err
	case <-c.Ctx.Done():
		return c.Ctx.Err()
	}
}

func (m *Fake) Import(ctx context.Context, i state.Import, progress bundle.Progress) (string, error) {
	path := filepath.Join(i.Folder, i.Name)
	err := m.wait(&Call{Ctx: ctx, Job: i, Progress: progress, Answer: make(chan error)})
	if err == nil {
		named := *Big
		named.Name = i.Name
		m.add(state.Model{Path: path, Manifest: &named, Bytes: 7_000_000_000, Source: i.Source, Base: i.Base})
	}
	return path, err
}

func (m *Fake) Check(ctx context.Context, path string, progress bundle.Progress) error {
	return m.wait(&Call{Ctx: ctx, Checked: path, Progress: progress, Answer: make(chan error)})
}

func (m *Fake) Remove(path string) (func() error, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.Models
	m.Removed = append(m.Removed, path)
	m.Models = slices.DeleteFunc(slices.Clone(m.Models), func(o state.Model) bool { return o.Path == path })
	return func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.Models = before
		return nil
	}, nil
}

// The checkpoints, the base model and the model of New.
const SourcePath, BasePath, BigPath = "/data/ckpts", "/data/dreams.safetensors", "/models/RealCustom++"

// Recognised is what an inspection finds of checkpoints that can be imported.
func Recognised(layout bundle.Layout) bundle.Inspection {
	return bundle.Inspection{Layout: layout, Manifest: *Big, Tensors: 3104, Source: 9_000_000_000, Writes: 7_000_000_000}
}

// New are the model inside the program and the Big one at BigPath, with checkpoints of every kind.
func New() *Fake {
	dreams := bundle.Manifest{Name: "dreams", Family: "sdxl"}
	broken := errors.Join(errors.New("conv_in.weight: missing"), errors.New("sdxl/vae is missing"))
	return &Fake{
		FreeBytes: 40_000_000_000, MemoryBytes: 16_000_000_000, Getting: make(chan *GetCall, 4), Began: make(chan *Call, 4),
		Models: []state.Model{{Path: BigPath, Manifest: Big, Bytes: 7_000_000_000, Source: SourcePath}},
		Found: map[string]bundle.Inspection{
			SourcePath:            Recognised(bundle.LayoutRelease),
			BasePath:              {Layout: bundle.LayoutBase, File: true, Manifest: dreams, Tensors: 2515, Source: 6_900_000_000},
			BasePath + SourcePath: Recognised(bundle.LayoutRelease),
			"/data/broken":        {Layout: bundle.LayoutRelease, Problems: broken},
			"/data/lora.pth":      {Problems: errors.New("lora.pth holds a LoRA")},
			"/else/where":         {Layout: bundle.LayoutBundle, Manifest: *Big},
		},
	}
}

func (m *Fake) Token() (from, page string) { return m.TokenFrom, "https://hub.test/settings/tokens" }

func (m *Fake) SetToken(token string) error {
	if m.TokenErr == nil {
		m.Tokens = append(m.Tokens, token)
	}
	return m.TokenErr
}
