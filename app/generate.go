package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/recipe"
)

func newGenerate() *cobra.Command {
	g := generation{embed: recipe.Embed{Program: program}}
	var bound, masks, sides []string
	var batch string
	var begin beginning
	var over again
	var first seed
	var count int
	c := &cobra.Command{
		Use:   "generate",
		Short: "make pictures without a window",
		Example: `  realword generate --prompt "a dog on the beach" --subject dog=dog.png --out out
  realword generate --prompt "a dog and a dog" --subject dog=mine.png:0.15 --subject "dog#2=yours.png:0.15" --out out
  realword generate --prompt "a red ball" --subject ball=front.png --subject ball=side.png --count 4 --out out
  realword generate --prompt "a dog on the beach" --subject dog=dog.png --mask dog=left.png:only --out out
  realword generate --prompt "a dog on the beach" --subject dog=dog.png --grid gamma=0.1,0.2,0.4 --grid t_stop=6,12,18 --out out
  realword generate --batch pictures.jsonl --stop 8 --out out`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			r := &g.request
			for _, name := range []string{"batch", "init", "recipe", "redo", "second-pass", "region"} {
				if f := c.Flags().Lookup(name); f.Changed && f.Value.String() == "" { // an empty variable of a script
					return usagef("--%s is empty: name a file, or leave it out", name)
				}
			}
			if c.Flags().Changed("negative") {
				r.Negative = asked(r.Negative)
			}
			if batch != "" {
				for _, name := range []string{
					"prompt", "subject", "mask", "seed", "count", "film", "plan", "init", "strength",
					"recipe", "redo", "second-pass", "likeness", "cut-out", "grid",
				} {
					if c.Flags().Changed(name) {
						return usagef("--%s cannot be used with --batch", name)
					}
				}
				return g.runBatch(c.Context(), batch, c.OutOrStdout(), c.ErrOrStderr())
			}
			if over.plain && (!over.asked() || r.LoRAs != "") {
				return usagef("--lora none leaves out the LoRAs of --recipe, --redo or --second-pass: name one of those, and no other LoRA")
			}
			if g.plan && g.events {
				return usagef("--plan prints a table, and no events: leave one of them out")
			}
			over.strength = begin.strength
			if err = over.check(c); err != nil {
				return err
			}
			if strings.TrimSpace(r.Prompt) == "" && !over.asked() {
				return usagef("--prompt is empty: describe the picture")
			}
			if r.Seeds, err = seeds(first, c.Flags().Changed("seed"), count); err != nil {
				return err
			}
			if r.Subjects, err = subjects(bound); err != nil {
				return err
			}
			if r.Grid, err = parseGrid(sides, &r.Subjects, over.asked()); err != nil {
				return err
			}
			g.seeded = c.Flags().Changed("seed")
			if err := g.checkGrid(); err != nil {
				return err
			}
			if over.asked() {
				over.masks = masks // of the picture's subjects, too
				if over.recipe != "" {
					if r.Init, err = begin.read(c.Flags().Changed("strength"), "--init"); err != nil {
						return err
					}
				}
				g.again, g.seeded = &over, g.seeded || count > 1
				return g.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
			}
			if err := paint(r.Subjects, masks); err != nil {
				return err
			}
			if r.Init, err = begin.read(c.Flags().Changed("strength"), "--init"); err != nil {
				return err
			}
			return g.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f, r := c.Flags(), &g.request
	f.StringVar(&r.Prompt, "prompt", "", "what the picture shows")
	f.StringArrayVar(&bound, "subject", nil,
		"WORD[#N]=PICTURE[:SCOPE], repeatable; N is the occurrence of the word in the prompt,\nSCOPE (γ) the fraction of the picture that its mask may cover")
	f.StringArrayVar(&masks, "mask", nil,
		"WORD[#N]=FILE[:only|not|exact], repeatable: a grey picture painted over the whole picture, white where the subject may be\n"+
			"(only, the default), must not be (not), or is (exact: the mask itself, whatever the model attends to)")
	f.StringVar(&g.out, "out", ".", "folder for the pictures")
	f.StringVar(&begin.file, "init", "", "picture to begin with: it is scaled until it covers the new one")
	decimalFlag(f, &begin.strength, "strength", 0, "how much of it is made anew, above 0 to 1 (default 0.6; 1 with --redo;\nwith --second-pass 0.4, with the built-in model 0.3 for 1.5 times its size and 0.2 for twice)")
	over.flags(c)
	settingFlags(c, &r.Settings)
	f.Var(loraFlag{&r.Settings, &over.plain}, "lora", "FILE[:WEIGHT], repeatable: a LoRA, -2 to 2 (default 1); FILE may be the name of one in the folder of LoRAs;\n"+
		"with --recipe, --redo and --second-pass in place of the picture's own; none leaves those out")
	f.Var(&first, "seed", "seed of the first picture; the others count up from it (default -1: random)")
	wholeFlag(f, &count, "count", 1, "number of pictures")
	f.StringArrayVar(&sides, "grid", nil,
		"KEY=VALUE,VALUE,…, twice for rows and columns: a picture for every value, in a folder of --out, and all of them on one sheet.\n"+
			"KEY is gamma, t_stop, seed (also 1-4), picture:WORD (files), preset, cfg, steps, sampler, guidance_rescale or mask_source;\n"+
			"gamma:WORD is that of one subject. The same command with the same --seed makes what is missing")
	f.BoolVar(&g.film, "film", false, "also write the previews and masks of all steps as one picture")
	f.BoolVar(&g.likeness, "likeness", false,
		"also say how near each subject is to its pictures, as a hint: the cosine of the class tokens of the model's DINO encoder\n(DINO-I), 1 at most, with the subject cut out by its mask; the history keeps it")
	f.BoolVar(&g.cutOut, "cut-out", false,
		"of pictures of --subject that were made here, take only what their mask holds, on a plain background")
	f.BoolVar(&g.events, "events", false, "print one JSON object per event")
	f.BoolVar(&g.embed.Nothing, "no-metadata", false, "write pictures without the recipe")
	f.BoolVar(&g.embed.NoThumbnails, "no-thumbnails", false, "leave thumbnails of the references out of the recipe")
	f.StringVar(&batch, "batch", "",
		"file with one picture per line, as JSON: name, prompt, subjects ({word, references, scope, mask}), seed, and whatever\ndiffers from the other options; makes the pictures missing in --out: NAME.png, and NAME.json with scores and masks")
	f.BoolVar(&g.unrecorded, "no-history", false, "do not record anything in the history")
	f.BoolVar(&g.plan, "plan", false, "print how much memory each part would take, and stop")
	f.BoolVar(&g.force, "force", false, "run even if there is not enough memory")
	f.BoolVar(&g.farm, "farm", false, "let the computers of the farm make the pictures; see realword farm")
	f.BoolVar(&g.noSend, "no-send", false, "with --farm: workers that lack the model do not get it from here")
	g.reach.flags(c)
	g.machine.flags(c)
	return c
}

// beginning is a picture to begin with, as options name it.
type beginning struct {
	file     string
	strength float64
}

// read is nil where there is none. given tells that the strength was, and name what a picture is named by.
func (b beginning) read(given bool, name string) (*inference.Init, error) {
	switch {
	case b.file == "" && given:
		return nil, usagef("a strength says how much of a picture is made anew: name the picture with %s, too", name)
	case b.file == "":
		return nil, nil
	case b.strength == 0 && !given:
	case !(b.strength > 0 && b.strength <= 1):
		return nil, usagef("the strength %g is outside the range above 0 to 1: 0.3 keeps most of a picture, 0.8 little", b.strength)
	}
	data, err := files.Read(b.file, picture.DefaultLimits.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the picture to begin with cannot be read: %w", err)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("the picture to begin with cannot be read: %s is empty", b.file)
	}
	return &inference.Init{Name: filepath.Base(b.file), Data: data, Strength: b.strength}, nil
}

// asked is a negative prompt that was given: none at all is a blank, since an empty one stands for the preset's own.
func asked(negative string) string { return cmp.Or(negative, " ") }

// flags adds the options that choose a machine.
func (m *machine) flags(c *cobra.Command) {
	c.Flags().StringVar(&m.model, "model", "", "model folder (default: the built-in model)")
	c.Flags().StringVar(&m.device, "device", "auto", "auto, cpu, openvino (the CPU, for large models), openvino-bf16 (twice as fast, approximate), cuda, webgpu, or cuda:1 for the second graphics card")
	wholeFlag(c.Flags(), &m.threads, "threads", 0, "threads of one operator (default: physical cores)")
}

// generation is one `realword generate`.
type generation struct {
	machine    machine
	request    inference.Request
	out        string
	film       bool
	events     bool
	likeness   bool // compare subjects with their references
	cutOut     bool // of references that have masks, take the subject alone
	unrecorded bool
	embed      recipe.Embed
	force      bool // run even if the memory will not suffice
	plan       bool // print what it would take, and do not run

	farm   bool // made there, not here
	noSend bool // the model is not sent there
	reach  reach
	start  starter // who makes the pictures, once that is open

	again  *again // the picture that is made again; nil: none
	seeded bool   // a seed was given
}

func (g *generation) run(ctx context.Context, stdout, stderr io.Writer) error {
	if !g.plan {
		if err := probe(g.out); err != nil {
			return err
		}
	}
	e, err := g.machine.open(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	var parents []parent
	if g.again != nil {
		if g.request, err = g.again.request(ctx, e, g.request, g.seeded); err != nil {
			return err
		}
		if err := g.checkGrid(); err != nil { // of the picture's recipe
			return err
		}
		parents = g.again.parents
		for _, note := range g.again.notes {
			fmt.Fprintln(stderr, "note:", note)
		}
	}
	if g.cutOut {
		made, err := cutOut(e, g.request.Subjects)
		if err != nil {
			return err
		}
		parents = append(parents, made...)
	}
	request, err := e.ResolveContext(ctx, g.request)
	if err != nil {
		return badRequest(err)
	}
	for _, note := range e.notes(g.request, request) {
		fmt.Fprintln(stderr, "note:", note)
	}
	if g.plan {
		return printMemory(e, request, stdout)
	}
	if !g.farm {
		if err := g.checkMemory(e, stderr, request); err != nil {
			return err
		}
	}
	done, err := g.open(ctx, e, stderr)
	if err != nil {
		return err
	}
	defer done()
	if request.Grid != nil {
		return g.runGrid(ctx, e, request, stdout, stderr)
	}
	model := e.bundle.Manifest()
	log := newRecorder(g.unrecorded, false, stderr)
	defer log.close()
	if g.likeness && g.farm {
		fmt.Fprintln(stderr, "note: computers of a farm compute no hints of likeness")
	} else if g.likeness {
		e.SetHints(inference.AllHints)
		request = log.anchored(request, parents)
	}
	job, err := g.start.Start(ctx, request)
	if err != nil {
		return badRequest(err)
	}
	log.begin(request, model.Name, parents...)
	w := g.watcher(stdout, stderr)
	return follow(job, log, w, func(p inference.PictureReady, film []picture.FilmStep) error { return g.keep(p, e, film, log, w) })
}

// follow tells of everything that happens in a job, records it, and has its pictures kept, each with the steps of its film. What cannot
// be kept ends the job.
func follow(job inference.Job, log *recorder, w watcher, keep func(inference.PictureReady, []picture.FilmStep) error) (failure error) {
	var film []picture.FilmStep
	at := 0 // the picture that it is of: one that a farm cannot make has steps, perhaps, and is followed by the next
	var alone <-chan string
	if far, is := job.(queued); is {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		alone = far.alone(ctx)
	}
	for events := job.Events(); ; {
		var event inference.Event
		select {
		case text := <-alone:
			w.remark(text)
			continue
		case e, ok := <-events:
			if !ok {
				return failure
			}
			event = e
		}
		w.event(event)
		if failed, ok := event.(inference.Failed); ok {
			failure = cmp.Or(failure, failed.Err)
			event = inference.Failed{Err: failure}
		}
		log.event(event)
		switch event := event.(type) {
		case inference.StepDone:
			if event.Picture != at {
				at, film = event.Picture, nil
			}
			film = append(film, filmStep(event))
		case inference.PictureReady:
			if failure == nil {
				failure = keep(event, film)
			}
			if failure != nil {
				job.Cancel() // there is nowhere to put what would follow
			}
			film = nil
		}
	}
}

// open chooses who makes the pictures. done must be called in the end.
func (g *generation) open(ctx context.Context, e *engine, stderr io.Writer) (done func(), err error) {
	if !g.farm {
		if g.reach != (reach{}) {
			return nil, usagef("--server and --creds are for --farm")
		}
		g.start = e
		return func() {}, nil
	}
	g.start, done, err = far(ctx, g.reach, e, !g.noSend, stderr)
	return done, err
}

// keep writes a finished picture, and its film where one is wanted.
func (g *generation) keep(p inference.PictureReady, e *engine, steps []picture.FilmStep, log *recorder, w watcher) error {
	data, err := recipe.EncodePNG(p, e.bundle.Manifest(), g.embed)
	if err != nil {
		return err
	}
	file, err := files.WriteUnique(g.out, fileStem(p.Recipe.Prompt, p.Seed), ".png", data)
	if err != nil {
		return rescued(err, p, data, log)
	}
	w.picture(p, file)
	log.saved(p, file)
	if !g.film || len(p.Recipe.Subjects) == 0 {
		return nil
	}
	sheet, err := picture.Film(steps, 96)
	if err != nil {
		return err
	}
	film, err := picture.Encode(sheet, picture.Metadata{})
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(file, ".png") + "-film"
	if err = files.Write(name+".png", files.New, film); errors.Is(err, fs.ErrExist) { // of a picture that is gone
		_, err = files.WriteUnique(g.out, filepath.Base(name), ".png", film)
	}
	return err
}

// rescued writes a finished picture that its folder does not take to where it is not lost, and says where.
func rescued(why error, p inference.PictureReady, data []byte, log *recorder) error {
	places := []func() (string, error){
		func() (string, error) { return files.Pictures(), nil },
		func() (string, error) { return os.MkdirTemp("", "realword-*") },
	}
	for _, place := range places {
		dir, err := place()
		if err != nil {
			continue
		}
		if file, err := files.WriteUnique(dir, fileStem(p.Recipe.Prompt, p.Seed), ".png", data); err == nil {
			log.saved(p, file)
			return fmt.Errorf("%w. The picture is in %s instead", why, file)
		}
	}
	if log.unsaved(p, data) {
		return fmt.Errorf("%w. The picture is kept in the history: `realword history list` shows its job", why)
	}
	return fmt.Errorf("%w. The picture could not be saved anywhere and is lost", why)
}

func filmStep(s inference.StepDone) picture.FilmStep {
	f := picture.FilmStep{Preview: s.Preview}
	for _, subject := range s.Subjects {
		f.Masks = append(f.Masks, picture.Grid{Width: s.GridWidth, Height: s.GridHeight, Values: subject.Mask})
	}
	return f
}

func (g *generation) watcher(stdout, stderr io.Writer) watcher {
	if g.events {
		return jsonLines{stdout}
	}
	if onTerminal(stderr) {
		return &bar{quiet: quiet{stdout, stderr}}
	}
	return quiet{stdout, stderr}
}

func onTerminal(w io.Writer) bool {
	f, ok := bare(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// badRequest tells wrong use (a word that is not in the prompt, a scope of 2) from pictures and LoRAs that cannot be read.
func badRequest(err error) error {
	var broken picture.FormatError
	var unsupported picture.UnsupportedError
	var unusable inference.LoRAError
	if errors.As(err, &broken) || errors.As(err, &unsupported) || errors.As(err, &unusable) || errors.Is(err, context.Canceled) {
		return err
	}
	return usageError{err}
}

// probe makes the output folder and proves that it can be written to, before minutes are spent.
func probe(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("the output folder cannot be made: %w: choose another one with --out", err)
	}
	files.Sweep(dir)
	f, err := files.Create(dir, 0o666)
	if err != nil {
		return fmt.Errorf("the output folder cannot be written to: %w: choose another one with --out", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// fileStem makes the beginning of a file name of a prompt and a seed.
func fileStem(prompt string, seed uint64) string {
	return fmt.Sprintf("%s-%d", cmp.Or(files.Words(strings.ToLower(prompt), 48), "picture"), seed)
}
