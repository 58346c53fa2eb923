// Package assets holds what is compiled into the program: the icon, sample reference pictures and the embedded model.
//
// Contract: bytes and file systems only; nothing is decoded, written or opened here. The bytes must not be changed.
package assets

import (
	"embed"
	"io/fs"
)

// Icon is the program's icon, a square PNG.
//
//go:embed icon.png
var Icon []byte

//go:embed samples/*.png
var samples embed.FS

// Sample is a reference picture that comes with the program.
type Sample struct {
	Name   string // file name
	Word   string // what it shows
	Prompt string // a prompt to try it with
	Data   []byte // PNG file
}

// Samples returns the reference pictures that come with the program.
func Samples() []Sample {
	list := []Sample{
		{Word: "dog", Prompt: "a dog on the beach"},
		{Word: "cat", Prompt: "a cat in the snow"},
		{Word: "horse", Prompt: "a horse in a flower meadow"},
		{Word: "dinosaur", Prompt: "a dinosaur in the jungle"},
		{Word: "robot", Prompt: "a robot in the city at night"},
		{Word: "snowman", Prompt: "a snowman on the beach"},
		{Word: "mushroom", Prompt: "a mushroom in a flower meadow"},
		{Word: "truck", Prompt: "a truck in the desert"},
	}
	for i := range list {
		s := &list[i]
		s.Name = s.Word + ".png"
		s.Data, _ = samples.ReadFile("samples/" + s.Name) // a test reads them all
	}
	return list
}

// Demo is a finished session, as a history exports it, made with the embedded model (`make demo`).
//
//go:embed demo/session.zip
var Demo []byte

// DemoUID is what histories know that session by. It is another one after `make demo`; a test says so.
const DemoUID = "c8e4c343b3da98732faeedba5d34928b"

// TipArea and TipStop are pictures that explain γ and T_stop, made of the demo (`make tips`): the mask of a subject that covers 10, 20
// and 40 % of the picture, and steps of a run over a bar that is blue while the masks follow the words.
//
//go:embed tips/area.png
var TipArea []byte

//go:embed tips/stop.png
var TipStop []byte

//go:embed samples/CREDITS.md toybox/CREDITS.md
var credits embed.FS

// Credits names, as Markdown, whose pictures are in the program.
func Credits() string {
	var all []byte
	for _, name := range []string{"toybox/CREDITS.md", "samples/CREDITS.md"} {
		text, _ := credits.ReadFile(name) // a test reads them
		all = append(append(all, text...), '\n')
	}
	return string(all)
}

//go:embed all:toybox/bundle
var toybox embed.FS

// Model returns the embedded model as a bundle folder (package bundle). Graphs are read from files with their weights beside
// them, so it must be extracted before it can run.
func Model() fs.FS {
	model, err := fs.Sub(toybox, "toybox/bundle")
	if err != nil {
		panic(err) // the path is valid
	}
	return model
}

// Catalogue is the list of models that can be downloaded, as JSON; inference/hub reads it. Sizes are those that published listings
// and the weights' shapes give, for people to choose by: what is fetched is what the hub says at that time.
//
//go:embed models.json
var Catalogue []byte
