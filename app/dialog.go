package main

// fileDialog is a file dialog of the system's.
type fileDialog struct {
	kind       dialogKind
	title      string
	filter     string   // what the extensions are called; empty shows every file
	extensions []string // without dots
	name       string   // that a new file is offered
}

// dialogKind tells what a dialog is for.
type dialogKind int

const (
	dialogOpen dialogKind = iota
	dialogSave
	dialogFolder
)
