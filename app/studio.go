package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"realword/assets"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/keep"
	"realword/inference/message"
	"realword/inference/ort"
	"realword/inference/session"
)

// machine is what a generation runs on, as chosen with options.
type machine struct {
	model   string // bundle folder; empty means the embedded model
	device  string // as ort.ParseDevice reads it, or auto, which is the default
	card    string // that auto takes before others for models of one's own: webgpu:1; "": none
	threads int
	weights session.Weights
	yield   bool // inference gives way to the window; without it, the process to those of others
	alone   bool // the CPU does not go on where a graphics card fails
}

// engine is an open model with a running engine.
type engine struct {
	*inference.Engine
	bundle  *bundle.Bundle
	runtime inference.Runtime
}

// open loads the library first: without it a model is of no use.
func (m machine) open(ctx context.Context) (*engine, error) {
	if m.threads < 0 || m.threads > ort.MaxThreads {
		return nil, usagef("--threads %d: give a number up to %d, or 0 for every core", m.threads, ort.MaxThreads)
	}
	if m.device != "auto" {
		if _, _, err := ort.ParseDevice(m.device); err != nil {
			return nil, usagef("--device: %w", err)
		}
	}
	if strings.HasSuffix(m.model, bundle.CardExtension) {
		b, err := bundle.OpenCard(m.model)
		if err != nil {
			return nil, err
		}
		e := inference.New(remote{}, b)
		e.UseLoRAs(loras())
		return &engine{e, b, remote{}}, nil
	}
	rt, err := m.runtime(ctx)
	if err != nil {
		return nil, err
	}
	b, err := openModel(ctx, m.model)
	if err != nil {
		return nil, err
	}
	var before []func()
	if m.yield {
		before = append(before, ort.Yield)
	} else {
		ort.GiveWay()
	}
	e := inference.New(rt, b, before...)
	e.OnWork(watch.tell)
	e.UseLoRAs(loras())
	if cache, err := os.UserCacheDir(); err == nil && m.weights == session.Auto { // the other ways differ in the last bits
		e.Keep(keep.New(filepath.Join(cache, "realword", "vision"), keptVision))
	}
	return &engine{e, b, rt}, nil
}

// notes are what there is to say of a request before it runs: as it was asked for, and as it was resolved.
func (e *engine) notes(asked, resolved inference.Request) []error {
	list := e.Notes(asked)
	if far := resolved.Stray(e.bundle.Manifest()); far != nil {
		list = append(list, fmt.Errorf("the size %dx%d is %w", resolved.Width, resolved.Height, far))
	}
	return list
}

// keptVision is how many bytes of what the image encoders have said are kept: some 80 pictures of SDXL's size.
const keptVision = 512 << 20

// remote is the runtime of a model of which only the card is here.
type remote struct{}

// Open implements session.Runtime.
func (remote) Open(string, session.Options) (session.Session, error) {
	return nil, bundle.ErrCard
}

// Describe implements session.Runtime.
func (remote) Describe() string { return "the farm" }

// Provider implements session.Placed: the memory of this computer decides nothing.
func (remote) Provider() (name, why string) { return "the farm", "" }

// newRuntime is another one in tests, which share what is slow.
var newRuntime = func(o ort.Options) (inference.Runtime, error) { return ort.New(o) }

// runtime starts the library on the device that was chosen; on a graphics card, with the CPU behind it unless that is not wanted.
func (m machine) runtime(ctx context.Context) (inference.Runtime, error) {
	library, err := ort.Find("")
	if err != nil {
		return nil, err
	}
	device, err := m.choose(ctx, library)
	if err != nil {
		return nil, err
	}
	rt, err := newRuntime(ort.Options{Threads: m.threads, Device: device, Weights: m.weights, Cache: graphCache()})
	if err != nil || device == "cpu" || m.alone {
		return rt, err
	}
	return session.NewFallback(rt, func() (session.Runtime, error) {
		return ort.New(ort.Options{Threads: m.threads, Cache: graphCache()}) // with the library that the device has loaded
	}), nil
}

// graphCache is where optimised graphs lie: three of SDXL's size.
func graphCache() ort.Cache {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ort.Cache{}
	}
	return ort.Cache{Folder: filepath.Join(cache, "realword", "graphs"), Limit: 5 << 30}
}

// openModel opens a bundle folder, or the embedded model when the path is empty. It may have to read checkpoints that were touched.
func openModel(ctx context.Context, path string) (*bundle.Bundle, error) {
	if path != "" {
		b, err := bundle.OpenContext(ctx, path, nil)
		if err == nil {
			files.Sweep(path)
		}
		return b, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, message.Errorf("there is no folder to unpack the built-in model to (%w): set HOME to a folder you own", err)
	}
	return bundle.Extract(assets.Model(), filepath.Join(cache, "realword", "models"))
}
