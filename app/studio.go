package main

import (
	"errors"
	"os"
	"path/filepath"

	"realword/assets"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/ort"
)

// machine is what a generation runs on, as chosen with options.
type machine struct {
	model   string // bundle folder; empty means the embedded model
	device  string
	threads int
}

// engine is an open model with a running engine.
type engine struct {
	*inference.Engine
	bundle  *bundle.Bundle
	runtime *ort.Runtime
}

// open loads the library first: without it a model is of no use.
func (m machine) open() (*engine, error) {
	switch m.device {
	case "", "auto", "cpu":
	case "cuda":
		return nil, errors.New("this version of Realword runs on the CPU only: use --device cpu")
	default:
		return nil, usagef("--device %q: it is auto or cpu", m.device)
	}
	if m.threads < 0 {
		return nil, usagef("--threads %d: give a positive number, or 0 for every core", m.threads)
	}
	rt, err := ort.New(ort.Options{Threads: m.threads})
	if err != nil {
		return nil, err
	}
	b, err := openModel(m.model)
	if err != nil {
		return nil, err
	}
	return &engine{inference.New(rt, b), b, rt}, nil
}

// openModel opens a bundle folder, or the embedded model when the path is empty.
func openModel(path string) (*bundle.Bundle, error) {
	if path != "" {
		return bundle.Open(path)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return bundle.Extract(assets.Model(), filepath.Join(cache, "realword", "models"))
}
