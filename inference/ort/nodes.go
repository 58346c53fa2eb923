package ort

import (
	"errors"

	"realword/inference/session"
)

// Node is an operator of a graph as the library runs it.
type Node struct {
	Op, Name string
	OnCPU    bool // although the runtime computes on another device
}

// Nodes opens a graph and lists the nodes that the library runs, those in branches included, with the device that each was given
// to. Constants that were computed in advance are not among them.
func (r *Runtime) Nodes(path string, opts session.Options) (list []Node, err error) {
	g, err := r.open(path, opts, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	assigned, err := g.s.Assignments()
	if err != nil {
		return nil, err
	}
	for _, a := range assigned {
		list = append(list, Node{a.Op, a.Name, r.device != nil && a.Provider == "CPUExecutionProvider"})
	}
	return list, nil
}
