package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"realword/farm"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/ort"
	"realword/inference/session"
	"realword/inference/tensor"
	"realword/inference/wait"
)

func TestBatch(t *testing.T) {
	model, dog := tiny(t)
	dir := filepath.Dir(dog)
	out, file := filepath.Join(t.TempDir(), "out"), filepath.Join(dir, "batch.jsonl")
	write := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	args := []string{"generate", "--model", model, "--batch", file, "--steps", "3", "--stop", "2", "--scope", "0.25", "--out", out}

	with := `{"name": "with", "prompt": "a dog and a dog", "seed": 5, "subjects": [{"word": "dog#2", "references": ["dog.png"]}]}`
	write(with, "", `{"name": "without", "prompt": "a dog and a dog", "seed": 5, "steps": 2, "stop": 1}`)
	status, stdout, stderr := command(t, args...)
	if status != 0 || stderr != "" || strings.Count(stdout, "\n") != 2 {
		t.Fatalf("status %d, %q, %s", status, stdout, stderr)
	}
	var note batchNote
	if err := json.Unmarshal(read("with.json"), &note); err != nil {
		t.Fatal(err)
	}
	n := note.Grid[0] * note.Grid[1]
	if n == 0 || len(note.Steps) != 2 || len(note.Steps[1].Masks) != 1 || len(note.Steps[1].Masks[0]) != n || len(note.Steps[1].Scores[0]) != n {
		t.Errorf("grid %v, %d steps", note.Grid, len(note.Steps))
	}
	if r := note.Recipe; r.Steps != 3 || r.Subjects[0].Word.Occurrence != 2 || r.Subjects[0].Scope != 0.25 {
		t.Errorf("recipe %+v", r)
	}
	first := read("with.png")
	if bytes.Equal(first, read("without.png")) {
		t.Error("the reference changed nothing")
	}

	// What is there stays; what is missing is made again, the same.
	if err := os.WriteFile(filepath.Join(out, "without.png"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, "with.png")); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr = command(t, args...)
	if status != 1 || strings.Count(stdout, "\n") != 1 || !bytes.Equal(first, read("with.png")) || string(read("without.png")) != "mine" {
		t.Errorf("again: status %d, %q", status, stdout)
	}

	if !strings.Contains(stderr, filepath.Join(out, "without.png")+" stays as it is") || strings.Contains(stderr, "pictures already") ||
		!strings.Contains(stderr, "cannot be read (without.png)") {
		t.Errorf("what is there is not said: %s", stderr)
	}
	// Nothing is left to make, and yet not every picture is there.
	steps := read("with.json")
	if err := os.Remove(filepath.Join(out, "with.json")); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr = command(t, args...)
	if status != 1 || stdout != "" || strings.Contains(stderr, "every picture") || !strings.Contains(stderr, "1 of the pictures in "+out+" cannot be read (without.png)") ||
		!strings.Contains(stderr, filepath.Join(out, "with.json")+", is missing") {
		t.Errorf("pictures that cannot be read: status %d, %q, %s", status, stdout, stderr)
	}
	if err := os.WriteFile(filepath.Join(out, "with.json"), steps, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, "without.png")); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr = command(t, append(args, "--no-metadata")...); status != 0 {
		t.Fatal(stderr)
	}
	status, stdout, stderr = command(t, args...)
	if status != 0 || stdout != "" || stderr != "note: nothing to make: "+out+" has every picture of "+file+"\n" {
		t.Errorf("nothing to make: status %d, %q, %q", status, stdout, stderr)
	}
	// A picture that is there and was made in another way is never taken for the one that was asked for, nor overwritten.
	write(strings.Replace(with, `"seed": 5`, `"seed": 6`, 1), `{"name": "without", "prompt": "a dog and a dog", "seed": 5, "steps": 3, "stop": 1}`, `{"name": "new", "prompt": "a dog", "seed": -1}`)
	status, stdout, stderr = command(t, args...)
	for _, want := range []string{
		filepath.Join(out, "with.png") + " is there already, and was made in another way (the seed 5, not 6): give the line another name",
		filepath.Join(out, "without.png") + " is there already, and was made in another way (2 as the number of steps, not 3)",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in\n%s", want, stderr)
		}
	}
	if status != 2 || stdout != "" || !bytes.Equal(first, read("with.png")) {
		t.Errorf("pictures of another recipe: status %d, %q", status, stdout)
	}
	write(`{"name": "drawn", "prompt": "a dog", "seed": -1}`)
	for range 2 { // another seed every time is the same line
		if status, _, stderr = command(t, args...); status != 0 {
			t.Errorf("a drawn seed: status %d, %s", status, stderr)
		}
	}
	if err := os.WriteFile(filepath.Join(out, "package.json"), []byte(`{"name": "mine"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	write(`{"name": "package", "prompt": "a dog", "seed": 1}`)
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, "package.json exists and is no file of a batch") || string(read("package.json")) != `{"name": "mine"}` {
		t.Errorf("somebody else's JSON: status %d, %s", status, stderr)
	}

	// Every bad line is named before anything is made.
	write(with, `{"name": "with", "prompt": "a dog", "seed": 1}`, `{"name": "a/b", "prompt": "a dog", "seed": 1}`, `{"name": "c", "prompt": "a dog", "seed": 1, "stepz": 4}`,
		`{"name": "d", "prompt": "a dog"}`, `{"name": "e", "prompt": " ", "seed": 1}`, `{"name": "f", "prompt": "a dog", "seed": 1, "subjects": [{"word": "dog", "references": ["none.png"]}]}`)
	status, stdout, stderr = command(t, args...)
	for i, want := range []string{"line 1", "a/b", "stepz", "seed", "prompt", "none.png"} {
		if line := fmt.Sprintf("line %d: ", i+2); !strings.Contains(stderr, line) || !strings.Contains(stderr, want) {
			t.Errorf("%s%s is missing in\n%s", line, want, stderr)
		}
	}
	if status != 2 || stdout != "" {
		t.Errorf("bad lines: status %d, %q", status, stdout)
	}
	write(`{"name": "g", "prompt": "a cat", "seed": 1, "subjects": [{"word": "dog", "references": ["dog.png"]}]}`)
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, `"g"`) || !strings.Contains(stderr, "dog") {
		t.Errorf("a word that is not in the prompt: %d, %s", status, stderr)
	}
	if status, _, stderr = command(t, append(args, "--prompt", "a dog")...); status != 2 || !strings.Contains(stderr, "--prompt") {
		t.Errorf("--prompt beside --batch: %d, %s", status, stderr)
	}
	// Names that no file has, files of Windows' editors, and numbers as other languages write them.
	long := strings.Repeat("n", 250)
	write(`{"name": "a\u0000b", "prompt": "a dog", "seed": 1}`, `{"name": "`+long+`x", "prompt": "a dog", "seed": 1}`, `{"name": "h", "prompt": "a dog", "seed": 99999999999999999999}`,
		`{"name": "i", "prompt": "a dog", "seed": 1, "cfg": 7,5}`, `{"name": "j", "prompt": "a dog", "seed": 1, "steps": 2.5}`, `{"name": "k", "prompt": "a dog", "seed": 1, "steps": 999999999999999999999}`,
		`{"name": "a\\b", "prompt": "a dog", "seed": 1}`, `[{"name": "l", "prompt": "a dog", "seed": 1}]`)
	status, stdout, stderr = command(t, args...)
	for i, want := range []string{"cannot be a file name", "251 bytes, and at most 250", "a seed is a whole number", "use a decimal point", `"steps" takes a whole number`, `"steps" takes a whole number`, "cannot be a file name", "one JSON object in braces, not this array"} {
		if line := fmt.Sprintf("line %d: ", i+1); !strings.Contains(stderr, line) || !strings.Contains(stderr, want) {
			t.Errorf("%s%s is missing in\n%s", line, want, stderr)
		}
	}
	if status != 2 || stdout != "" || strings.Contains(stderr, "strconv") || strings.Contains(stderr, "Go ") {
		t.Errorf("bad lines: status %d, %q, %s", status, stdout, stderr)
	}
	write("\ufeff"+`{"name":"bom","prompt":"a dog","seed":1}`+"\r", `{"name":"`+long+`","prompt":"a dog","seed":-1}`+"\r", "\r")
	status, stdout, stderr = command(t, args...)
	if status != 0 || strings.Count(stdout, "\n") != 2 {
		t.Errorf("lines of Windows: status %d, %q, %s", status, stdout, stderr)
	}
	for _, name := range []string{"bom", long} {
		if err := json.Unmarshal(read(name+".json"), &note); err != nil || len(note.Recipe.Seeds) != 1 || name == "bom" && note.Recipe.Seeds[0] != 1 || len(read(name+".png")) == 0 {
			t.Errorf("%s: %+v, %v", name, note.Recipe, err)
		}
	}
	// What is one file on other systems, or none, and keys that stand there twice.
	write(`{"name": "Größe", "prompt": "a dog", "seed": 1}`, `{"name": "gro`+"\u0308"+`ßE", "prompt": "a dog", "seed": 1}`, `{"name": "CON", "prompt": "a dog", "seed": 1}`, `{"name": "aux.v2", "prompt": "a dog", "seed": 1}`,
		`{"name": "lpt1", "prompt": "a dog", "seed": 1}`, `{"name": "dog: who?", "prompt": "a dog", "seed": 1}`, `{"name": "v", "prompt": "a dog", "seed": 1, "Seed": 2}`, `{"name": "w", "prompt": "a dog", "seed": 1, "subjects": [{"word": "dog", "word": "cat"}]}`,
		`{"name": "console", "prompt": "a dog", "seed": 1, "scope": 5}`)
	status, stdout, stderr = command(t, args...)
	for i, want := range []string{`is that of line 1, "Größe", on Windows and macOS`, `"CON" is that of a device on Windows`, `"aux.v2" is`, `"lpt1" is`, `"dog: who?" cannot be a file name on Windows, where /\:*?"<>| are forbidden: give another one, such as "dog who"`, `"Seed" stands there twice`, `"word" stands there twice`} {
		if line := fmt.Sprintf("line %d: ", i+2); !strings.Contains(stderr, line) || !strings.Contains(stderr, want) {
			t.Errorf("%s%s is missing in\n%s", line, want, stderr)
		}
	}
	if status != 2 || stdout != "" {
		t.Errorf("odd names: status %d, %q, %s", status, stdout, stderr)
	}
	// What only the model can tell is named with its line, among what cannot be read.
	write(`{"name": "one", "prompt": "a dog", "seed": 1, "sampler": "nonsense"}`, `{"name": "two"}`, `{"name": "console", "prompt": "a dog", "seed": 1, "scope": 5}`,
		`{"name": "four", "prompt": "a dog", "seed": 1}`, `{"name": "with", "prompt": "a dog", "seed": 1}`, `{"name": "six", "prompt": "a cat", "seed": 1, "subjects": [{"word": "dog", "references": ["dog.png"]}]}`)
	status, stdout, stderr = command(t, args...)
	rest := stderr
	for _, want := range []string{`line 1: "one": there is no sampler`, "line 2: ", `line 3: "console": the scope γ = 5 is outside (0, 1]`, `line 5: "with": `, `line 6: "six": "dog" is not a word`} {
		_, after, said := strings.Cut(rest, file+", "+want)
		if !said {
			t.Errorf("%q does not follow in\n%s", want, stderr)
			continue
		}
		rest = after
	}
	if status != 2 || stdout != "" || strings.Contains(stderr, "line 4") {
		t.Errorf("lines that the model refuses: status %d, %q, %s", status, stdout, stderr)
	}
	// What is no JSON, in words: where, and what may have been meant.
	write(`{"name": "m", "prompt": "a dog", "seed": 1,}`, `{"name": "n", "prompt": "a dog", "seed": 1`, `{"name": 'o', "prompt": "a dog", "seed": 1}`, `{"name": "p" "prompt": "a dog", "seed": 1}`,
		`name: q`, `{"name": "r", "prompt": "a dog", "seed": 1, "stepz": 4}`, `{"name": "s", "prompt": "a dog`)
	status, stdout, stderr = command(t, args...)
	for i, want := range []string{
		`character 44, '}', cannot stand there: there is a comma too many before it`, "it ends before its object does", `character 10, '\'', cannot stand there: names and texts stand in straight`,
		`character 14, '"', cannot stand there: there may be a comma missing before it`, "character 2, 'a', cannot stand there", `nothing is called "stepz"`, "it ends before its object does",
	} {
		if line := fmt.Sprintf("line %d: ", i+1); !strings.Contains(stderr, line) || !strings.Contains(stderr, want) {
			t.Errorf("%s%s is missing in\n%s", line, want, stderr)
		}
	}
	if status != 2 || stdout != "" || strings.Contains(stderr, "json:") || strings.Contains(stderr, "EOF") || strings.Contains(stderr, "looking for") {
		t.Errorf("no JSON: status %d, %q, %s", status, stdout, stderr)
	}
	for name, data := range map[string]string{"a picture": "\x89PNG\r\n\x1a\n\x00\x00", "Latin-1": `{"name": "t", "prompt": "caf` + "\xe9" + `", "seed": 1}`} {
		write(data, data)
		if status, _, stderr = command(t, args...); status != 2 || strings.Count(stderr, "\n") != 2 || !strings.Contains(stderr, "this is no UTF-8 text") {
			t.Errorf("%s: %d, %s", name, status, stderr)
		}
	}
	write(`{"name": "` + strings.Repeat("u", 1<<20) + `"}`)
	if status, _, stderr = command(t, args...); status != 2 || strings.Contains(stderr, "bufio") || !strings.Contains(stderr, "it is too long") {
		t.Errorf("a long line: %d, %s", status, stderr)
	}
	write("\xff\xfe{\x00")
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, "UTF-8") {
		t.Errorf("UTF-16: %d, %s", status, stderr)
	}
	if err := os.Mkdir(filepath.Join(out, "folder.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(`{"name": "folder", "prompt": "a dog", "seed": 1}`)
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, "is not a picture") {
		t.Errorf("a folder with the name of a picture: %d, %s", status, stderr)
	}
	write("")
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, "empty") {
		t.Errorf("an empty file: %d, %s", status, stderr)
	}
}

// Two processes may work at one batch: each makes what the other one does not.
func TestBatchesSideBySide(t *testing.T) {
	model, dog := tiny(t)
	file := filepath.Join(filepath.Dir(dog), "batch.jsonl")
	lines := `{"name": "one", "prompt": "a dog", "seed": 1}` + "\n" + `{"name": "two", "prompt": "a dog", "seed": 2}` + "\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		meanwhile func(out string, release, cancel func())
		status    int
		one       string // how its file begins
		made      int
	}{
		"it makes it": {func(out string, release, _ func()) {
			if err := os.WriteFile(filepath.Join(out, "one.png"), []byte("theirs"), 0o600); err != nil {
				t.Error(err)
			}
			release()
		}, 0, "theirs", 1},
		"it dies":        {func(_ string, release, _ func()) { release() }, 0, "\x89PNG", 2},
		"it is given up": {func(_ string, _, cancel func()) { cancel() }, 130, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			release, free, err := files.Claim(out, "one.png")
			if err != nil || !free {
				t.Fatal(free, err)
			}
			release = sync.OnceFunc(release)
			defer release()
			ctx, cancel := context.WithCancel(t.Context())
			var stdout bytes.Buffer
			said := 0
			status := execute(ctx, []string{"generate", "--model", model, "--batch", file, "--steps", "2", "--stop", "1", "--out", out}, &stdout, writerFunc(func(b []byte) {
				if bytes.Contains(b, []byte("another Realword is making 1 of these pictures")) {
					said++
					c.meanwhile(out, release, cancel)
				}
			}))
			one, _ := os.ReadFile(filepath.Join(out, "one.png"))
			if status != c.status || said != 1 || !strings.HasPrefix(string(one), c.one) || strings.Count(stdout.String(), "\n") != c.made {
				t.Errorf("status %d, said %d times, one.png is %.10q, made %q", status, said, one, &stdout)
			}
			if release(); c.status == 0 {
				left, err := filepath.Glob(filepath.Join(out, ".*"))
				if two, gone := os.Stat(filepath.Join(out, "two.png")); err != nil || len(left) > 0 || gone != nil || two.Size() == 0 {
					t.Errorf("left %q, %v, %v", left, err, gone)
				}
			}
		})
	}
}

// stuck is an engine whose jobs do not go on.
type stuck struct{ began func() }

func (e stuck) Start(ctx context.Context, _ inference.Request) (inference.Job, error) {
	e.began()
	j := stuckJob(make(chan inference.Event))
	go func() {
		defer close(j)
		<-ctx.Done()
		j <- inference.Failed{Err: ctx.Err()}
	}()
	return j, nil
}

type stuckJob chan inference.Event

func (j stuckJob) Events() <-chan inference.Event { return j }
func (j stuckJob) Cancel()                        {}

// founded is the connection to a farm of this machine, to which the command goes; the caller closes it.
func founded(t *testing.T) *farm.Conn {
	t.Helper()
	dir, err := farmDir()
	if err != nil {
		t.Fatal(err)
	}
	s, err := farm.Serve(farm.ServerOptions{Dir: dir, Listen: "127.0.0.1:0", MaxBytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	p, _ := farm.Own(dir)
	a, _ := p.Access()
	c, err := farm.Found(t.Context(), a, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAJobOnAFarmThatNobodyMakes says so once, when the only computer that has its model has gone, and is made by the next one.
func TestAJobOnAFarmThatNobodyMakes(t *testing.T) {
	was := unhelped
	t.Cleanup(func() { unhelped = was })
	unhelped.most, unhelped.pause = 100*time.Millisecond, 20*time.Millisecond
	model, _ := tiny(t)
	c := founded(t)
	defer c.Close()
	b, err := bundle.Open(model)
	if err != nil {
		t.Fatal(err)
	}
	id := farm.ModelID(b.Manifest())
	var working sync.WaitGroup
	defer working.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Longest)
	defer cancel()
	brief, leave := context.WithCancel(ctx)
	working.Go(func() {
		o := farm.WorkerOptions{Name: "brief", Models: []farm.Model{{ID: id, Name: "tiny", Engine: stuck{leave}}}}
		if err := c.Work(brief, o); err != nil && brief.Err() == nil {
			t.Error(err)
		}
	})
	wait.Until(t, "the computer", func() bool { has, err := c.HasModel(ctx, id); return err == nil && has })
	var stdout bytes.Buffer
	said := 0
	status := execute(ctx, []string{"generate", "--farm", "--no-history", "--model", model, "--prompt", "a dog", "--steps", "2", "--stop", "1", "--out", t.TempDir()},
		&stdout, writerFunc(func(b []byte) {
			t.Logf("%s", b)
			if !bytes.Contains(b, []byte("note: waiting for a computer of the farm")) {
				return
			}
			if said++; said == 1 {
				working.Go(func() {
					var o, e bytes.Buffer
					execute(ctx, []string{"worker", "--model", model, "--device", "cpu"}, &o, &e)
					t.Log(e.String())
				})
			}
		}))
	if status != 0 || said != 1 || strings.Count(stdout.String(), "\n") != 1 {
		t.Errorf("status %d, it is said %d times, made %q", status, said, &stdout)
	}
}

// Two lines of a batch that other processes have claimed, and give up, are made on the farm under their own names.
func TestABatchOnAFarmTakesOver(t *testing.T) {
	model, _ := tiny(t)
	founded(t).Close()
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	working.Go(func() {
		var o, e bytes.Buffer
		execute(ctx, []string{"worker", "--model", model, "--device", "cpu"}, &o, &e)
		t.Log(e.String())
	})
	defer working.Wait()
	defer cancel()
	file := filepath.Join(t.TempDir(), "batch.jsonl")
	lines := `{"name": "one", "prompt": "a dog", "seed": 1}` + "\n" + `{"name": "two", "prompt": "a cat", "seed": 2}` + "\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	one, _, err := files.Claim(out, "one.png")
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := files.Claim(out, "two.png")
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	status := execute(ctx, []string{"generate", "--farm", "--no-history", "--model", model, "--batch", file, "--steps", "2", "--stop", "1", "--out", out}, &stdout, writerFunc(func(b []byte) {
		t.Logf("%s", b)
		if bytes.Contains(b, []byte("another Realword is making")) {
			one()
			two()
		}
	}))
	if status != 0 {
		t.Fatal(status)
	}
	for name, want := range map[string]string{"one": "a dog", "two": "a cat"} {
		if got := readRecipe(t, filepath.Join(out, name+".png")); got.Prompt != want {
			t.Errorf("%s.png is %q, want %q", name, got.Prompt, want)
		}
	}
}

// sickly is a runtime whose U-Net fails some times.
type sickly struct {
	inference.Runtime
	fails *int
}

func (r sickly) Open(path string, o session.Options) (session.Session, error) {
	s, err := r.Runtime.Open(path, o)
	return sicklySession{s, r.fails, strings.Contains(filepath.Base(path), "unet")}, err
}

type sicklySession struct {
	session.Session
	fails *int
	unet  bool
}

func (s sicklySession) Run(ctx context.Context, in map[string]*tensor.Tensor, out ...string) (map[string]*tensor.Tensor, error) {
	if s.unet && *s.fails > 0 {
		*s.fails--
		return nil, errors.New("it is unwell")
	}
	return s.Session.Run(ctx, in, out...)
}

// TestABatchGoesOn: a line that fails does not keep the others from being made, and is named at the end; a batch of which nothing can be
// made is given up.
func TestABatchGoesOn(t *testing.T) {
	model, _ := tiny(t)
	was, fails := newRuntime, 0
	t.Cleanup(func() { newRuntime = was })
	newRuntime = func(o ort.Options) (inference.Runtime, error) {
		rt, err := was(o)
		return sickly{rt, &fails}, err
	}
	file := filepath.Join(t.TempDir(), "batch.jsonl")
	var lines strings.Builder
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		fmt.Fprintf(&lines, `{"name": %q, "prompt": "a dog", "seed": 1}`+"\n", name)
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fails, made int
		said        []string
	}{
		{1, 4, []string{`note: "one" cannot be made, the other lines are`, "realword: \"one\": "}},
		{9, 0, []string{`"one": `, `"two": `, `"three": `}},
	} {
		fails = c.fails
		out := t.TempDir()
		status, stdout, stderr := command(t, "generate", "--device", "cpu", "--model", model, "--batch", file, "--steps", "2", "--stop", "1",
			"--no-history", "--out", out)
		if status != 1 || strings.Count(stdout, "\n") != c.made || c.made == 0 && fails != c.fails-hopeless {
			t.Errorf("%d fail: status %d, made %q, %d of them later\n%s", c.fails, status, stdout, fails, stderr)
		}
		for _, want := range c.said {
			if !strings.Contains(stderr, want) {
				t.Errorf("%d fail: %q is not said:\n%s", c.fails, want, stderr)
			}
		}
	}
}
