package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/inference/recipe"
)

// axisNames are how options may call what a grid is of, besides the keys themselves.
var axisNames = map[string]string{
	"gamma": "scope", "γ": "scope", "t_stop": "stop", "T_stop": "stop", "picture": inference.AxisReference, "guidance": "cfg",
}

// parseGrid reads the --grid options: KEY[:WORD]=VALUE,VALUE,… once or twice, rows first.
// A word that pictures are for need be no other subject's; where a picture is made again, no word need: it may be one of the picture's.
func parseGrid(options []string, subjects *[]inference.Subject, again bool) (*inference.Grid, error) {
	if len(options) > 2 {
		return nil, usagef("--grid: a grid has two sides, rows and columns: leave out the others")
	}
	var axes []inference.Axis
	for _, option := range options {
		name, values, ok := strings.Cut(option, "=")
		if !ok || strings.TrimSpace(values) == "" {
			return nil, usagef("--grid %q: write what differs and its values, for example gamma=0.1,0.2,0.4 or picture:dog=a.png,b.png", option)
		}
		name, word, _ := strings.Cut(name, ":")
		a := inference.Axis{Key: name}
		if key, ok := axisNames[name]; ok {
			a.Key = key
		}
		if !slices.Contains(inference.AxisKeys(), a.Key) {
			return nil, usagef("--grid %q: a grid is of gamma, t_stop, seed, picture, preset, cfg, guidance_rescale, steps, sampler, mask_source or swift", option)
		}
		if word != "" {
			text, n, err := prompt.ParseWord(word)
			if err != nil {
				return nil, usagef("--grid %q: %w", option, err)
			}
			of := inference.Word{Text: text, Occurrence: n}
			if subjectOf(*subjects, of) < 0 && (again || a.Key == inference.AxisReference) {
				*subjects = append(*subjects, inference.Subject{Word: of})
			}
			if a.Subject = subjectOf(*subjects, of) + 1; a.Subject == 0 {
				return nil, usagef("--grid %q: no --subject has the word %q", option, word)
			}
		}
		for _, v := range strings.Split(values, ",") {
			v = strings.TrimSpace(v)
			switch {
			case a.Key == inference.AxisReference:
				ref, err := readReference(word, v)
				if err != nil {
					return nil, err
				}
				ref.SHA256 = files.Sum(ref.Data)
				a.References = append(a.References, ref)
			case a.Key == inference.AxisSeed && strings.Contains(v, "-"):
				seeds := inference.SeedRange(v)
				if seeds == nil {
					return nil, usagef("--grid %q: write seeds as 7,8,9 or 7-9, at most %d of them", option, inference.MaxCells)
				}
				a.Values = append(a.Values, seeds...)
			default:
				a.Values = append(a.Values, v)
			}
		}
		axes = append(axes, a)
	}
	switch len(axes) {
	case 1:
		return &inference.Grid{Columns: axes[0]}, nil
	case 2:
		return &inference.Grid{Rows: axes[0], Columns: axes[1]}, nil
	}
	return nil, nil
}

// checkGrid finds options that are not for grids.
func (g *generation) checkGrid() error {
	grid := g.request.Grid
	if grid == nil {
		return nil
	}
	if len(g.request.Seeds) > 1 || g.film || g.likeness {
		return usagef("--count, --film and --likeness are not for grids: make seed a side (seed=1-4), or leave --grid out")
	}
	if g.seeded && (grid.Rows.Key == inference.AxisSeed || grid.Columns.Key == inference.AxisSeed) {
		return usagef("--seed and a side of seeds are two things: leave one out")
	}
	return nil
}

// axisLabel names value i of a side for people.
func axisLabel(a inference.Axis, i int) string {
	name := a.Key
	switch a.Key {
	case "":
		return ""
	case inference.AxisReference, "preset", "sampler", "mask_source", inference.AxisSwift:
		return a.Text(i)
	case "scope":
		name = "γ"
	case "stop":
		name = "T_stop"
	case "cfg":
		name = "guidance"
	case "guidance_rescale":
		name = "rescale"
	}
	return name + " " + a.Text(i)
}

// grid is a folder with the pictures of a grid, and how far it has come.
type grid struct {
	*generation
	request inference.Request   // complete
	cells   []inference.Request // of it
	model   string
	folder  string
}

// runGrid makes the cells of a grid that its folder does not have yet, and the sheet that has them all.
func (g *generation) runGrid(ctx context.Context, e *engine, r inference.Request, stdout, stderr io.Writer) (err error) {
	m := e.bundle.Manifest()
	one := grid{generation: g, request: r, cells: r.Cells(m), model: m.Name}
	if one.folder, err = one.place(); err != nil {
		return err
	}
	if err := probe(one.folder); err != nil {
		return err
	}
	r.Grid = r.Grid.Clone()
	for n := range one.cells {
		if one.made(n) {
			r.Grid.Made = append(r.Grid.Made, n)
		}
	}
	total := len(one.cells)
	if n := len(r.Grid.Made); n > 0 {
		fmt.Fprintf(stderr, "note: %d of %d pictures are in %s already\n", n, total, one.folder)
	}
	if together, alone := inference.Passes(m, r); together > 0 {
		fmt.Fprintf(stderr, "note: %d pictures take at most %d passes of the U-Net; one by one they would take %d\n", total-len(r.Grid.Made), together, alone)
		if err := one.make(ctx, e, r, stdout, stderr); err != nil {
			made := 0
			for n := range one.cells {
				if one.made(n) {
					made++
				}
			}
			fmt.Fprintf(stderr, "note: %d of %d pictures are in %s; the same command%s makes the others\n", made, total, one.folder, g.seedNote(r))
			return err
		}
	}
	file, err := one.sheet(e)
	if err == nil {
		g.watcher(stdout, stderr).sheet(file)
	}
	return err
}

// seedNote is what a command needs besides to make the same grid again.
func (g *generation) seedNote(r inference.Request) string {
	if g.seeded || r.Grid.Rows.Key == inference.AxisSeed || r.Grid.Columns.Key == inference.AxisSeed {
		return ""
	}
	return fmt.Sprint(" with --seed ", r.Seeds[0])
}

// place is the folder of the grid: another grid has another one.
func (g *grid) place() (string, error) {
	said, err := recipe.New(g.request, g.model)
	if err != nil {
		return "", err
	}
	return filepath.Join(g.out, fmt.Sprintf("%s-grid-%.8s", fileStem(g.request.Prompt, g.request.Seeds[0]), files.Sum(said))), nil
}

// file is where cell n is.
func (g *grid) file(n int) string {
	columns := g.request.Grid.Columns.Len()
	name := fmt.Sprintf("r%dc%d", n/columns+1, n%columns+1)
	for i, a := range g.request.Grid.Axes() {
		if text := axisLabel(*a, []int{n / columns, n % columns}[i]); text != "" {
			name += "-" + strings.ReplaceAll(files.Name(strings.NewReplacer("γ", "gamma", " ", "-").Replace(text), 40), " ", "-")
		}
	}
	return filepath.Join(g.folder, name+".png")
}

// made tells whether the folder has cell n, whole. A picture that says of itself that it is another one is not it.
func (g *grid) made(n int) bool {
	data, err := files.Read(g.file(n), picture.DefaultLimits.Bytes)
	if err != nil {
		return false
	}
	if _, _, err := picture.Decode(data, picture.Limits{}); err != nil {
		return false
	}
	said, foreign, err := recipe.Read(data)
	if errors.Is(err, recipe.ErrNone) {
		return true // without metadata; the folder's name has the recipe
	}
	return err == nil && !foreign && recipe.Differs(said.Request, g.cells[n], false) == ""
}

// make makes what is missing.
func (g *grid) make(ctx context.Context, e *engine, r inference.Request, stdout, stderr io.Writer) error {
	log := newRecorder(g.unrecorded, len(r.Grid.Made) > 0, stderr) // what a grid lacks joins the round of the others
	defer log.close()
	if said, err := recipe.New(r, g.model); err == nil && log.store != nil && len(r.Grid.Made) > 0 {
		r.Grid.Of = journal.RoundOf(log.store, said)
	}
	job, err := g.start.Start(ctx, r)
	if err != nil {
		return badRequest(err)
	}
	var parents []parent
	if g.again != nil {
		parents = g.again.parents
	}
	log.begin(r, g.model, parents...)
	w := g.watcher(stdout, stderr)
	return follow(job, log, w, func(p inference.PictureReady, _ []picture.FilmStep) error { return g.keep(p, e, log, w) })
}

// keep writes a cell.
func (g *grid) keep(p inference.PictureReady, e *engine, log *recorder, w watcher) error {
	data, err := recipe.EncodePNG(p, e.bundle.Manifest(), g.embed)
	if err != nil {
		return err
	}
	file := g.file(p.Picture)
	if err := files.Write(file, 0, data); err != nil {
		return rescued(err, p, data, log)
	}
	w.picture(p, file)
	log.saved(p, file)
	return nil
}

// sheet writes the picture that has all cells.
func (g *grid) sheet(e *engine) (string, error) {
	s := picture.Sheet{
		Title: g.request.Prompt, Caption: g.caption(), Cell: image.Pt(g.request.Width, g.request.Height),
		Rows: labels(g.request.Grid.Rows), Columns: labels(g.request.Grid.Columns),
		At: func(n int) (image.Image, error) {
			data, err := files.Read(g.file(n), picture.DefaultLimits.Bytes)
			if err != nil {
				return nil, err
			}
			img, _, err := picture.Decode(data, picture.Limits{})
			return img, err
		},
	}
	img, err := s.Draw()
	if err != nil {
		return "", err
	}
	data, err := recipe.EncodePNG(inference.PictureReady{Seed: g.request.Seeds[0], Image: img, Recipe: g.request},
		e.bundle.Manifest(), g.embed)
	if err != nil {
		return "", err
	}
	file := filepath.Join(g.folder, "grid.png")
	if err := files.Write(file, 0, data); err != nil {
		return "", fmt.Errorf("all pictures are in %s, but not the sheet with them: %w. The same command writes it", g.folder, err)
	}
	return file, nil
}

// caption is what all cells have in common.
func (g *grid) caption() string {
	sides := []string{g.request.Grid.Rows.Key, g.request.Grid.Columns.Key}
	var parts []string
	if !slices.Contains(sides, inference.AxisSeed) {
		parts = append(parts, fmt.Sprint("seed ", g.request.Seeds[0]))
	}
	for _, t := range inference.Table() {
		if t.Label != "" && t.Key != "negative" && !slices.Contains(sides, t.Key) && (!slices.Contains(sides, "preset") || t.Key == "preset" || t.Flag == "size") {
			if text := t.Get(g.request.Settings); text != "" {
				parts = append(parts, t.Label+" "+text)
			}
		}
	}
	return strings.Join(append(parts, g.model), ", ")
}

// labels are those of a side, with the pictures that it is of.
func labels(a inference.Axis) []picture.Label {
	list := make([]picture.Label, a.Len())
	for i := range list {
		list[i].Text = axisLabel(a, i)
		if a.Key == inference.AxisReference {
			if img, _, err := picture.Decode(a.References[i].Small, picture.Limits{}); err == nil {
				list[i].Picture = img
			}
		}
	}
	return list
}
