package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
)

// watcher is told of everything that happens in a job. picture names the file of a finished picture.
type watcher interface {
	event(e inference.Event)
	picture(p inference.PictureReady, file string)
	sheet(file string)  // of a grid
	remark(text string) // of what is no event
}

// quiet prints the finished files only, for pipes, and says where a device has failed.
type quiet struct{ out, notes io.Writer }

func (q quiet) event(e inference.Event) {
	switch e := e.(type) {
	case inference.DeviceChanged:
		fmt.Fprintf(q.notes, "realword: %s\n", e.Why)
	case inference.Likeness:
		if e.Why != "" {
			fmt.Fprintf(q.notes, "note: no hint of likeness: %s\n", e.Why)
		}
		for _, one := range journal.LikenessOf(e.Subjects) {
			fmt.Fprintf(q.notes, "hint: %s\n", likenessLine(one))
		}
	}
}

// likenessLine says how near a subject is to its pictures.
func likenessLine(l history.Likeness) string {
	text := fmt.Sprintf("%s is %.2f like its reference", l.Word, l.Reference)
	if l.Anchor != 0 {
		text += fmt.Sprintf(", %.2f like what its jobs began with", l.Anchor)
	}
	return text
}

func (q quiet) picture(_ inference.PictureReady, file string) {
	fmt.Fprintln(q.out, file)
}

func (q quiet) remark(text string) { fmt.Fprintln(q.notes, "note:", text) }

func (q quiet) sheet(file string) { fmt.Fprintln(q.out, file) }

// bar draws one line that is overwritten: for terminals.
type bar struct {
	quiet
	stage    inference.Stage
	provider string
	step     string
	progress inference.Progress
}

func (b *bar) event(e inference.Event) {
	switch e := e.(type) {
	case inference.StageStarted:
		b.stage, b.provider, b.step = e.Stage, e.Provider, ""
	case inference.DeviceChanged:
		b.provider = e.Provider
		overwrite(b.notes, "")
		b.quiet.event(e)
	case inference.StepDone:
		b.step = fmt.Sprintf(" %d/%d", e.Step+1, e.Steps)
	case inference.Progress:
		b.progress = e
	case inference.Likeness:
		overwrite(b.notes, "")
		b.quiet.event(e)
	case inference.Done, inference.Failed:
		overwrite(b.notes, "")
		return
	}
	overwrite(b.notes, b.line())
}

func (b *bar) picture(p inference.PictureReady, file string) {
	overwrite(b.notes, "")
	b.quiet.picture(p, file)
}

func (b *bar) remark(text string) {
	overwrite(b.notes, "")
	b.quiet.remark(text)
	if b.stage != "" {
		overwrite(b.notes, b.line())
	}
}

func (b *bar) line() string {
	const width = 30
	filled := 0
	if b.progress.Passes > 0 {
		filled = width * b.progress.Pass / b.progress.Passes
	}
	line := fmt.Sprintf("[%s%s] %s%s", strings.Repeat("#", filled), strings.Repeat(".", width-filled), b.stage, b.step)
	if b.provider != "" && b.provider != "CPU" {
		line += " on " + b.provider
	}
	if left := b.progress.Remaining.Round(time.Second); left > 0 {
		line += fmt.Sprintf(", %v left", left)
	}
	return line
}

// jsonLines prints one JSON object per event, for programs.
type jsonLines struct{ out io.Writer }

func (j jsonLines) write(kind string, fields map[string]any) {
	fields["event"] = kind
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err) // numbers and strings only
	}
	fmt.Fprintf(j.out, "%s\n", line)
}

func (j jsonLines) event(e inference.Event) {
	switch e := e.(type) {
	case inference.StageStarted:
		j.write("stage", map[string]any{"stage": e.Stage, "picture": e.Picture, "provider": e.Provider})
	case inference.DeviceChanged:
		j.write("device", map[string]any{"provider": e.Provider, "why": e.Why})
	case inference.Progress:
		j.write("progress", map[string]any{"pass": e.Pass, "passes": e.Passes, "remaining_seconds": e.Remaining.Seconds()})
	case inference.StepDone:
		coverage := make([]float64, len(e.Subjects))
		for i, s := range e.Subjects {
			coverage[i] = covered(s.Mask)
		}
		j.write("step", map[string]any{
			"picture": e.Picture, "step": e.Step, "steps": e.Steps, "timestep": e.Timestep, "guided": e.Guided,
			"coverage": coverage,
		})
	case inference.Likeness:
		j.write("likeness", map[string]any{"picture": e.Picture, "subjects": journal.LikenessOf(e.Subjects), "why": e.Why})
	case inference.Done:
		j.write("done", map[string]any{"pictures": e.Pictures, "seconds": e.Elapsed.Seconds()})
	case inference.Failed:
		j.write("failed", map[string]any{"error": e.Err.Error()})
	}
}

func (j jsonLines) picture(p inference.PictureReady, file string) {
	j.write("picture", map[string]any{"picture": p.Picture, "seed": p.Seed, "file": file, "seconds": p.Elapsed.Seconds()})
}

func (j jsonLines) remark(text string) { j.write("note", map[string]any{"text": text}) }

func (j jsonLines) sheet(file string) { j.write("sheet", map[string]any{"file": file}) }

// covered is the fraction of the grid that a mask takes.
func covered(mask []float32) float64 {
	n := 0
	for _, v := range mask {
		if v > 0 {
			n++
		}
	}
	return float64(n) / float64(max(1, len(mask)))
}
