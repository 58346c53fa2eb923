package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/inference/recipe"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// batchLine is one picture of a batch file: a request with its seed, its name and the files of its references and masks. What it leaves
// out comes from the command's other options.
type batchLine struct {
	Name string `json:"name"` // NAME.png and NAME.json in the output folder
	inference.Request
	Subjects []batchSubject `json:"subjects"`
	Seed     *seed          `json:"seed"`     // -1: one is drawn
	Negative *string        `json:"negative"` // "": nothing, also where the preset has something
	Init     string         `json:"init"`     // file of a picture to begin with; a relative one counts from the batch file's folder
	Strength float64        `json:"strength"` // how much of it is made anew
}

// batchSubject binds a word to files; relative ones count from the batch file's folder.
type batchSubject struct {
	Word       string   `json:"word"` // "dog", or "dog#2" for the second
	References []string `json:"references"`
	Scope      float64  `json:"scope"`
	Fit        string   `json:"fit"`  // pad, crop or stretch
	Mask       string   `json:"mask"` // FILE[:only|not|exact]
}

// batchCase is a line that can run.
type batchCase struct {
	line    int // of the batch file, from 1
	name    string
	request inference.Request
	there   bool // its picture is in the folder already
	drawn   bool // its seed is: another one every time
}

// batchStep is what the JSON file of a picture says of one step that ran the guidance branch. Grids are in row order.
type batchStep struct {
	Step     int         `json:"step"` // 0-based
	Timestep int         `json:"timestep"`
	Scores   [][]float32 `json:"scores"` // per subject
	Masks    [][]float32 `json:"masks"`
}

// batchNote is the JSON file beside a picture.
type batchNote struct {
	Name    string            `json:"name"`
	Recipe  inference.Request `json:"recipe"`
	Seconds float64           `json:"seconds"`
	Passes  int               `json:"passes"` // of the U-Net
	Grid    [2]int            `json:"grid"`   // width, height
	Steps   []batchStep       `json:"steps"`
}

// maxFileName is how many bytes a file name has at most on every usual system.
const maxFileName = 255

// maxProblems is how many lines of a batch file are complained about at once.
const maxProblems = 10

// problem is what is wrong with a line.
type problem struct {
	line int
	error
}

// runBatch makes every picture of the file that the output folder does not have yet, with the model loaded once. All lines are
// checked before the first picture, also that a picture that is there is the one that its line asks for. Pictures that another process
// is making come last, when it has made them or given up. The history has them as one session.
func (g *generation) runBatch(ctx context.Context, file string, stdout, stderr io.Writer) error {
	cases, problems, err := g.readBatch(file)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return some(problems)
	}
	if err := probe(g.out); err != nil {
		return err
	}
	e, err := g.machine.open(ctx)
	if err != nil {
		return errors.Join(some(problems), err)
	}
	defer e.Close()
	bad := func(c *batchCase, err error) {
		problems = append(problems, problem{c.line, fmt.Errorf("%s, line %d: %q: %w", file, c.line, c.name, err)})
	}
	var unsure []string // pictures that are there, and nobody can tell what they are
	noted := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		asked := c.request
		if c.request, err = e.ResolveContext(ctx, asked); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			bad(c, badRequest(err))
			continue
		}
		if c.there {
			switch other, err := g.another(*c, e); {
			case err != nil:
				fmt.Fprintf(stderr, "note: %q: %s stays as it is: %s\n", c.name, g.file(*c), err)
				unsure = append(unsure, c.name+".png")
			case other != "":
				bad(c, usagef("%s is there already, and was made in another way (%s): "+
					"give the line another name, choose another folder with --out, or move the picture away", g.file(*c), other))
			default:
				if _, ours := g.noted(*c); !ours {
					fmt.Fprintf(stderr, "note: %q: its step data, %s, is missing or cannot be read: move the picture away to have both made again\n",
						c.name, filepath.Join(g.out, c.name+".json"))
				}
			}
			continue
		}
		for _, note := range e.notes(asked, c.request) {
			if text := note.Error(); !noted[text] {
				fmt.Fprintf(stderr, "note: %q: %s\n", c.name, note)
			}
			noted[note.Error()] = true
		}
	}
	if err := some(problems); err != nil {
		return err
	}
	if err := g.makeCases(ctx, file, cases, e, len(unsure), stdout, stderr); err != nil {
		return err
	}
	if len(unsure) > 0 {
		return fmt.Errorf("%s: %d of the pictures in %s cannot be read (%s): move them away to have them made again", file, len(unsure), g.out,
			strings.Join(unsure[:min(len(unsure), maxProblems)], ", "))
	}
	return nil
}

// makeCases makes the pictures that are not there. Of those that are, unsure ones cannot be read.
func (g *generation) makeCases(ctx context.Context, file string, cases []batchCase, e *engine, unsure int, stdout, stderr io.Writer) error {
	all := len(cases)
	cases = slices.DeleteFunc(cases, func(c batchCase) bool { return c.there })
	switch there := all - len(cases) - unsure; {
	case len(cases) == 0 && unsure > 0:
		return nil
	case len(cases) == 0:
		fmt.Fprintf(stderr, "note: nothing to make: %s has every picture of %s\n", g.out, file)
		return nil
	case there > 0:
		fmt.Fprintf(stderr, "note: %s has %d of the %d pictures already\n", g.out, there, all)
	}
	var requests []inference.Request
	for _, c := range cases {
		requests = append(requests, c.request)
	}
	if !g.farm {
		if err := g.checkMemory(e, stderr, requests...); err != nil {
			return err
		}
	}
	done, err := g.open(ctx, e, stderr)
	if err != nil {
		return err
	}
	defer done()
	next := &ahead{starter: g.start, jobs: map[string]inference.Job{}, most: 1}
	defer next.close()
	if g.farm {
		next.most = 32
	}
	w := g.watcher(stdout, stderr)
	log := newBatchRecorder(g.unrecorded, filepath.Base(file), stderr)
	defer log.close()
	var others []batchCase
	failed := failures{of: len(cases), stderr: stderr}
	for i, c := range cases {
		if g.farm {
			if err := next.queue(ctx, cases[i:]); err != nil {
				return errors.Join(failed.err(), err)
			}
			g.start = next.of(c.name)
		}
		made, err := g.claim(ctx, e, c, log, w)
		if err := failed.note(ctx, c.name, err); err != nil {
			return err
		}
		if !made && err == nil {
			others = append(others, c)
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(stderr, "note: another Realword is making %d of these pictures; waiting for it\n", len(others))
	}
	for _, c := range others {
		if g.farm {
			g.start = next.of(c.name)
		}
		if err := failed.note(ctx, c.name, g.wait(ctx, e, c, log, w)); err != nil {
			return err
		}
	}
	return failed.err()
}

// failures are the lines of a batch whose pictures could not be made, beside which the others are.
type failures struct {
	of     int // lines
	stderr io.Writer
	list   []problem
	made   bool // one was
}

// hopeless is after how many lines that failed, and none that did not, a batch is given up.
const hopeless = 3

// note notes how a line went, and tells why the batch cannot go on after it; nil: it can.
func (f *failures) note(ctx context.Context, name string, err error) error {
	if err == nil {
		f.made = true
		return nil
	}
	f.list = append(f.list, problem{error: fmt.Errorf("%q: %w", name, err)})
	var stuck unkept
	if ctx.Err() != nil || errors.As(err, &stuck) || !f.made && len(f.list) == hopeless {
		return f.err()
	}
	if f.of > 1 {
		fmt.Fprintf(f.stderr, "note: %q cannot be made, the other lines are: %s\n", name, err)
	}
	return nil
}

func (f *failures) err() error { return some(f.list) }

// unkept is that there is nowhere to put a picture: no other line would fare better.
type unkept struct{ error }

func (u unkept) Unwrap() error { return u.error }

// claim makes a picture unless it is there meanwhile. made is false where another process is making it just now: several may work at
// one batch.
func (g *generation) claim(ctx context.Context, e *engine, c batchCase, log *recorder, w watcher) (made bool, err error) {
	release, free, err := files.Claim(g.out, c.name+".png")
	if err != nil {
		return false, unkept{err}
	}
	if !free {
		return false, nil
	}
	defer release()
	if _, err := os.Stat(filepath.Join(g.out, c.name+".png")); err == nil {
		return true, nil
	}
	return true, g.one(ctx, e, c, log, w)
}

// wait waits for a picture of another process, and makes it where that one has not.
func (g *generation) wait(ctx context.Context, e *engine, c batchCase, log *recorder, w watcher) error {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		if made, err := g.claim(ctx, e, c, log, w); made || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}

// file is the picture of a line.
func (g *generation) file(c batchCase) string { return filepath.Join(g.out, c.name+".png") }

// another says in what the picture that is there was made otherwise than its line, which is resolved, asks for: "" in nothing. The error
// is that nobody can tell.
func (g *generation) another(c batchCase, e *engine) (string, error) {
	data, err := files.Read(g.file(c), picture.DefaultLimits.Bytes)
	if err != nil {
		return "", err
	}
	said, foreign, err := recipe.Read(data)
	was := said.Request
	if errors.Is(err, recipe.ErrNone) { // --no-metadata
		if note, ok := g.noted(c); ok {
			was, err = note.Recipe, nil
		}
	}
	switch {
	case err != nil:
		return "", err
	case foreign:
		return "", errors.New("another program has written it")
	}
	if now := e.bundle.Manifest().Name; said.Model != "" && said.Model != now {
		return fmt.Sprintf("with the model %s, not %s", said.Model, now), nil
	}
	return recipe.Differs(was, c.request, c.drawn), nil
}

// noted is what the JSON file of a line says. It returns false where there is none, or one of somebody else.
func (g *generation) noted(c batchCase) (note batchNote, ok bool) {
	data, err := os.ReadFile(filepath.Join(g.out, c.name+".json"))
	return note, err == nil && json.Unmarshal(data, &note) == nil && note.Name == c.name
}

// readBatch reads the lines, and looks which of their pictures are there. problems are those of lines that are none of the cases.
func (g *generation) readBatch(file string) (cases []batchCase, problems []problem, err error) {
	f, err := files.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("the batch file cannot be read: %w", err)
	}
	defer f.Close()
	type named struct {
		name string
		line int
	}
	names := map[string]named{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	bad := func(err error) { problems = append(problems, problem{n, fmt.Errorf("%s, line %d: %w", file, n, err)}) }
	for lines.Scan() {
		n++
		line := lines.Bytes()
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // a mark of Windows' editors
			if bytes.HasPrefix(line, []byte{0xff, 0xfe}) || bytes.HasPrefix(line, []byte{0xfe, 0xff}) {
				return nil, nil, usagef("%s is UTF-16: save it as UTF-8", file)
			}
		}
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 { // JSON would take its letters for others
			return nil, nil, usagef("%s, line %d: this is no UTF-8 text: a batch file has one JSON object per line; save it as UTF-8", file, n)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		c, err := g.parseLine(line, filepath.Dir(file))
		same := sameFile(c.name)
		if earlier, has := names[same]; err == nil && has {
			err = usagef("line %d already has the name %q: every picture needs its own", earlier.line, earlier.name)
			if earlier.name != c.name {
				err = usagef("the name %q is that of line %d, %q, on Windows and macOS: every picture needs its own", c.name, earlier.line, earlier.name)
			}
		}
		if err != nil {
			bad(err)
			continue
		}
		names[same], c.line = named{c.name, n}, n
		switch info, err := os.Stat(g.file(c)); {
		case errors.Is(err, fs.ErrNotExist):
			_, err := os.Lstat(filepath.Join(g.out, c.name+".json"))
			if _, ours := g.noted(c); err == nil && !ours {
				bad(usagef("%s exists and is no file of a batch: give the line another name", filepath.Join(g.out, c.name+".json")))
				continue
			}
			cases = append(cases, c)
		case err != nil:
			bad(fmt.Errorf("cannot tell whether its picture already exists: %w", err))
		case !files.IsFile(info.Mode()):
			bad(usagef("%s exists and is not a picture: give the line another name", g.file(c)))
		default:
			c.there = true
			cases = append(cases, c)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, nil, usagef("%s, line %d: it is too long: write one JSON object per line, at most 1 MiB each", file, n+1)
	case err != nil:
		return nil, nil, fmt.Errorf("%s, line %d: it cannot be read: %w", file, n+1, err)
	}
	if len(names) == 0 && problems == nil {
		return nil, nil, usagef("%s is empty: write one JSON object per line", file)
	}
	return cases, problems, nil
}

func (g *generation) parseLine(line []byte, dir string) (batchCase, error) {
	l := batchLine{Request: g.request}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return batchCase{}, jsonError(line, err)
	}
	if key := recipe.Twice(line); key != "" {
		return batchCase{}, usagef("%q stands there twice: leave one out", key)
	}
	if err := l.ReadZeros(line); err != nil && !d.More() {
		return batchCase{}, usageError{err}
	}
	switch {
	case d.More():
		return batchCase{}, usagef("more than one JSON object: write one per line")
	case l.Name == "" || l.Name != filepath.Base(l.Name) || strings.HasPrefix(l.Name, ".") || strings.ContainsAny(l.Name, `/\`) ||
		strings.ContainsFunc(l.Name, unicode.IsControl):
		return batchCase{}, usagef("the name %q cannot be a file name: give one without folders, such as \"dog-1\"", l.Name)
	case len(l.Name+".json") > maxFileName:
		return batchCase{}, usagef("the name %.40q… is too long for a file: it has %d bytes, and at most %d are allowed", l.Name, len(l.Name),
			maxFileName-len(".json"))
	case reserved(l.Name):
		return batchCase{}, usagef("the name %q is that of a device on Windows: give another one, such as %q", l.Name, "picture-"+l.Name)
	case strings.ContainsAny(l.Name, files.Forbidden):
		return batchCase{}, usagef("the name %q cannot be a file name on Windows, where %s are forbidden: give another one, such as %q", l.Name, files.Forbidden,
			cmp.Or(files.Name(l.Name, maxFileName), "picture"))
	case strings.TrimSpace(l.Prompt) == "":
		return batchCase{}, usagef("the prompt is empty: describe the picture")
	case l.Seeds != nil || l.Grid != nil || l.Seed == nil:
		return batchCase{}, usagef("each line makes one picture: give it one \"seed\"")
	}
	r := l.Request
	r.Seeds = []uint64{l.Seed.value}
	if l.Negative != nil {
		r.Negative = asked(*l.Negative)
	}
	begin := beginning{strength: l.Strength}
	if l.Init != "" {
		begin.file = from(dir, l.Init)
	}
	var err error
	if r.Init, err = begin.read(l.Strength != 0, "init"); err != nil {
		return batchCase{}, err
	}
	r.Subjects = nil
	for _, s := range l.Subjects {
		word, occurrence, err := prompt.ParseWord(s.Word)
		if err != nil {
			return batchCase{}, usageError{err}
		}
		subject := inference.Subject{Word: inference.Word{Text: word, Occurrence: occurrence}, Scope: s.Scope}
		if s.Mask != "" {
			file, kind, err := parseMask(from(dir, s.Mask))
			if err == nil {
				subject.Region, err = readRegion(s.Word, file, kind)
			}
			if err != nil {
				return batchCase{}, err
			}
		}
		for _, name := range s.References {
			reference, err := readReference(s.Word, from(dir, name))
			if err != nil {
				return batchCase{}, err
			}
			reference.Square.Fit = picture.Fit(s.Fit)
			subject.References = append(subject.References, reference)
		}
		r.Subjects = append(r.Subjects, subject)
	}
	return batchCase{name: l.Name, request: r, drawn: l.Seed.drawn}, nil
}

// sameFile is the same for names that are one file on some system: Windows and macOS take a and A for the same, and macOS é for e with
// an accent behind it.
func sameFile(name string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(name))) }

// devices are the names that Windows has files of its own for, whatever follows behind a dot.
var devices = regexp.MustCompile(`(?i)^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)`)

func reserved(name string) bool { return devices.MatchString(name) }

// from is a path that counts from a folder unless it is absolute.
func from(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// some joins what is wrong with lines, in their order, the first of them word by word.
func some(lines []problem) error {
	slices.SortStableFunc(lines, func(a, b problem) int { return a.line - b.line })
	var problems []error
	for _, p := range lines {
		problems = append(problems, p.error)
	}
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems:maxProblems], fmt.Errorf("and %d more", more))
	}
	return errors.Join(problems...)
}

// one makes one picture. Its JSON file is written first, so that a picture that is there has it.
func (g *generation) one(ctx context.Context, e *engine, c batchCase, log *recorder, w watcher) error {
	job, err := g.start.Start(ctx, c.request)
	if err != nil {
		return badRequest(err)
	}
	log.begin(c.request, e.bundle.Manifest().Name)
	noting := &noter{watcher: w, note: batchNote{Name: c.name, Steps: []batchStep{}}}
	return follow(job, log, noting, func(p inference.PictureReady, _ []picture.FilmStep) error {
		note := noting.note
		note.Recipe, note.Seconds = p.Recipe, p.Elapsed.Seconds()
		if err := g.keepCase(note, p, e, log, w); err != nil {
			return unkept{err}
		}
		return nil
	})
}

// noter notes what happens in the job of a line.
type noter struct {
	watcher
	note batchNote
}

func (n *noter) event(e inference.Event) {
	switch e := e.(type) {
	case inference.StepDone:
		if n.note.Grid = [2]int{e.GridWidth, e.GridHeight}; e.Guided {
			n.note.Steps = append(n.note.Steps, guidedStep(e))
		}
	case inference.Progress:
		n.note.Passes = e.Pass
	}
	n.watcher.event(e)
}

func guidedStep(e inference.StepDone) batchStep {
	s := batchStep{Step: e.Step, Timestep: e.Timestep}
	for _, subject := range e.Subjects {
		s.Scores, s.Masks = append(s.Scores, subject.Scores), append(s.Masks, subject.Mask)
	}
	return s
}

func (g *generation) keepCase(note batchNote, p inference.PictureReady, e *engine, log *recorder, w watcher) error {
	data, err := recipe.EncodePNG(p, e.bundle.Manifest(), g.embed)
	if err != nil {
		return err
	}
	said, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("the step data of the picture cannot be written: %w", err) // a score that is no number
	}
	if err := files.Write(filepath.Join(g.out, note.Name+".json"), 0, append(said, '\n')); err != nil {
		return rescued(fmt.Errorf("the step data of the picture cannot be written: %w", err), p, data, log)
	}
	file := filepath.Join(g.out, note.Name+".png")
	if err := files.Write(file, files.New, data); err != nil {
		return rescued(err, p, data, log)
	}
	w.picture(p, file)
	log.saved(p, file)
	return nil
}
