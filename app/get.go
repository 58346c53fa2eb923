package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/hub"
	"realword/inference/message"
	"realword/inference/ram"
	"realword/ui/state"
)

// downloadsName is the folder, in the one of models, that downloads lie in: a folder each, called as in the catalogue. What a model
// maps stays there when it has been imported, and goes with it.
const downloadsName = "downloads"

// keptName is a file in a download folder that the user wants to keep whole.
const keptName = "kept"

// Catalogue implements ui.Models.
func (*models) Catalogue() []hub.Entry { return hub.Catalogue() }

// Memory implements ui.Models.
func (*models) Memory() int64 { return ram.Available() + ram.Used() }

// Unfinished implements ui.Models.
func (*models) Unfinished(folder string) []hub.Unfinished {
	return hub.List(filepath.Join(folder, downloadsName))
}

// Plan implements ui.Models: a download that was begun goes on with what it began with.
func (*models) Plan(ctx context.Context, folder string, e hub.Entry) (hub.Plan, error) {
	p, err := hub.Load(filepath.Join(folder, downloadsName, e.Name))
	if err == nil {
		return p, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return hub.Plan{}, err
	}
	return hub.New(os.Getenv).Plan(ctx, e)
}

// Missing implements ui.Models.
func (*models) Missing(folder string, p hub.Plan) int64 {
	return hub.New(os.Getenv).Missing(p, filepath.Join(folder, downloadsName, p.Entry.Name))
}

// Licences implements ui.Models.
func (*models) Licences(p hub.Plan) []hub.Licence { return p.Licences(hub.New(os.Getenv)) }

// Token implements ui.Models.
func (*models) Token() (from, page string) {
	c := hub.New(os.Getenv)
	return c.TokenFrom(), c.Page("settings/tokens")
}

// SetToken implements ui.Models.
func (*models) SetToken(token string) error { return hub.New(os.Getenv).SaveToken(token) }

// Discard implements ui.Models.
func (*models) Discard(folder string, e hub.Entry) error {
	return hub.Remove(filepath.Join(folder, downloadsName, e.Name))
}

// Get implements ui.Models.
func (m *models) Get(ctx context.Context, g state.Get, fetching func(hub.Progress), importing bundle.Progress) (string, error) {
	e := g.Plan.Entry
	dir, err := filepath.Abs(filepath.Join(g.Folder, downloadsName, e.Name))
	if err != nil {
		return "", err
	}
	if err := hub.New(os.Getenv).Fetch(ctx, g.Plan, dir, fetching); err != nil {
		return "", err
	}
	i := state.Import{Source: filepath.Join(dir, e.Source()), Name: g.Name, Folder: g.Folder}
	if e.Base != "" {
		i.Base = filepath.Join(dir, filepath.FromSlash(e.Base))
	}
	var licences []string
	for _, l := range m.Licences(g.Plan) {
		licences = append(licences, l.String())
	}
	path, err := importModel(ctx, i, strings.Join(licences, "; "), importing)
	if err != nil {
		if ctx.Err() == nil {
			err = message.Errorf("the download is complete, but the import failed: %w: put that right and begin again, nothing is downloaded twice; the files are in %s", err, dir)
		}
		return "", err
	}
	needed := map[string]bool{}
	if b, err := bundle.Look(path); err == nil {
		for _, p := range b.Manifest().Outside() {
			needed[p] = true
		}
	} else {
		g.Keep = true // nobody knows what may go
	}
	if g.Keep {
		_ = os.WriteFile(filepath.Join(dir, keptName), nil, 0o666) // without it the files go with the model
	}
	_, err = hub.Finish(dir, func(file string) bool {
		real, err := files.Real(file)
		return g.Keep || err != nil || needed[real] || !holdsWeights(file)
	})
	if err != nil {
		err = message.Errorf("%s is imported, but leftovers of the download cannot be deleted: %w: delete them yourself, in %s", g.Name, err, dir)
	}
	return path, err
}

// holdsWeights tells whether a file of a download may be large. The others, tokenizers and configurations, stay with what the model maps:
// it can be made again, and another base model go under its weights.
func holdsWeights(file string) bool {
	return !slices.Contains([]string{".json", ".txt"}, filepath.Ext(file))
}

// weightsUnder tells whether a folder holds files of weights.
func weightsUnder(folder string) bool {
	found := false
	_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error { // what cannot be read holds none
		if err == nil && !d.IsDir() && !files.OfSystem(d.Name()) && holdsWeights(path) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// downloadOf is the download folder that a bundle was made of, "" where it was made of other checkpoints.
func downloadOf(bundleFolder string) string {
	if whole, err := filepath.Abs(bundleFolder); err == nil {
		bundleFolder = whole // as its origin is noted
	}
	o, ok := readOrigin(bundleFolder)
	if !ok {
		return ""
	}
	within := filepath.Join(filepath.Dir(bundleFolder), downloadsName)
	if rel, err := filepath.Rel(within, o.Source); err == nil && filepath.IsLocal(rel) && rel != "." {
		return filepath.Join(within, strings.Split(filepath.ToSlash(rel), "/")[0])
	}
	return ""
}

// forget deletes a removed bundle for good, and the download that it was made of when no other bundle there was made of it and nobody
// wants to keep it.
func forget(path string) error {
	download := downloadOf(path)
	if err := os.RemoveAll(path); err != nil || download == "" {
		return err
	}
	others, _ := os.ReadDir(filepath.Dir(path))
	for _, o := range others {
		if downloadOf(filepath.Join(filepath.Dir(path), o.Name())) == download {
			return nil
		}
	}
	if _, err := os.Stat(filepath.Join(download, keptName)); err == nil {
		return nil
	}
	if _, err := hub.Load(download); err == nil {
		return nil // it is being fetched again
	}
	return hub.Remove(download)
}

// can says in a few words whether a picture of a catalogue's model can be made with so much memory.
func can(e hub.Entry, memory int64) string {
	switch {
	case memory < e.Least:
		return fmt.Sprintf("no: it needs %s of memory, and %s is free", files.Bytes(e.Least), files.Bytes(memory))
	case memory < e.Memory:
		return fmt.Sprintf("slowly: %s of memory is recommended, and %s is free", files.Bytes(e.Memory), files.Bytes(memory))
	}
	return "yes"
}

// newModelList lists what is there and what can be downloaded.
func newModelList() *cobra.Command {
	var available bool
	var folder string
	c := &cobra.Command{
		Use: "list", Short: "list installed models; with --available, models to download",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			m, out := &models{}, c.OutOrStdout()
			folder := cmp.Or(folder, m.Folder())
			if !available {
				list, err := m.List(folder, nil)
				for _, one := range list {
					state := "ready"
					if one.Err != nil {
						state = one.Err.Error()
					} else if one.Path == "" {
						state = "built in: a toy, ready to use"
					}
					fmt.Fprintf(out, "%-36s %9s  %s\n", one.Name(), files.Bytes(one.Bytes+one.Mapped), cmp.Or(one.Path, "-"))
					fmt.Fprintf(out, "    %s\n", state)
				}
				return err
			}
			begun := map[string]int64{}
			for _, u := range m.Unfinished(folder) {
				begun[u.Plan.Entry.Name] = u.Done
			}
			for _, e := range m.Catalogue() {
				fmt.Fprintf(out, "%s\n    %s. %s\n", e.Name, e.Title, e.About)
				fmt.Fprintf(out, "    about %s to download; runs here: %s\n", files.Bytes(e.Bytes), can(e, m.Memory()))
				for _, p := range e.Parts {
					fmt.Fprintf(out, "    from %s, licence: %s\n", p.Repository, cmp.Or(p.Licence, "see its page; shown before anything is downloaded"))
				}
				if e.Gated() {
					fmt.Fprintln(out, "    its terms must be accepted first")
				}
				if done, ok := begun[e.Name]; ok {
					fmt.Fprintf(out, "    started: %s downloaded so far, the same command resumes it\n", files.Bytes(done))
				}
			}
			fmt.Fprintln(out, "Get one with: realword model get NAME")
			return nil
		},
	}
	c.Flags().BoolVar(&available, "available", false, "list models that can be downloaded")
	c.Flags().StringVar(&folder, "folder", "", "models folder, instead of the usual one")
	return c
}

// newModelGet downloads and imports a model.
func newModelGet() *cobra.Command {
	var yes, keep bool
	var folder string
	c := &cobra.Command{
		Use: "get NAME", Short: "download a model from the catalogue and import it",
		Long: "Downloads a model listed by `realword model list --available` and imports it. Size and licence are shown first.\n" +
			"After an interruption or a restart, the same command resumes the download. HF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_CACHE work as in\n" +
			"the hub's own tools; files in their cache are not downloaded again.",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			e, err := hub.Find(args[0])
			if err != nil {
				return usageError{err}
			}
			m := &models{}
			return getModel(c, m, e, cmp.Or(folder, m.Folder()), yes, keep)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	c.Flags().BoolVar(&keep, "keep", false, "keep all downloaded files, even those no longer needed after the import")
	c.Flags().StringVar(&folder, "folder", "", "models folder, instead of the usual one")
	return c
}

func getModel(c *cobra.Command, m *models, e hub.Entry, folder string, yes, keep bool) error {
	ctx, out, screen := c.Context(), c.OutOrStdout(), c.ErrOrStderr()
	dir, err := filepath.Abs(filepath.Join(folder, downloadsName, e.Name))
	if err != nil {
		return err
	}
	list, err := m.List(folder, nil)
	if err != nil {
		return err
	}
	for _, one := range list {
		if one.Err == nil && one.Path != "" && downloadOf(one.Path) == dir {
			fmt.Fprintf(out, "%s is already installed: %s\n", one.Name(), one.Path)
			return nil
		}
	}
	_, err = hub.Load(dir)
	begun := err == nil
	p, err := m.Plan(ctx, folder, e)
	if err != nil {
		return err
	}
	fmt.Fprintf(screen, "%s\n%s\n", p.Entry.Title, p.Entry.About)
	missing := m.Missing(folder, p)
	fmt.Fprintf(screen, "  to download  %s", files.Bytes(missing))
	if here := p.Bytes() - missing; here > 0 {
		fmt.Fprintf(screen, " (%s more already on this machine)", files.Bytes(here))
	}
	if free, err := files.Room(folder); err == nil {
		fmt.Fprintf(screen, ", %s free in %s", files.Bytes(free), folder)
	}
	fmt.Fprintf(screen, "\n  runs here    %s\n", can(p.Entry, m.Memory()))
	for i, licence := range m.Licences(p) {
		fmt.Fprintf(screen, "  %-12s %s\n", map[bool]string{true: "licence"}[i == 0], licence)
	}
	for _, g := range p.Parts {
		if g.Gated {
			fmt.Fprintf(screen, "  the terms of %s must be accepted on its page first\n", g.Repository)
		}
	}
	if begun {
		fmt.Fprintln(screen, "The download resumes where it stopped.")
	} else if !yes {
		if err := agreed(c); err != nil {
			return err
		}
	}
	started := time.Now()
	watch := &getWatch{out: screen, live: onTerminal(screen), began: started}
	path, err := m.Get(ctx, state.Get{Plan: p, Folder: folder, Name: p.Entry.Title, Keep: keep}, watch.fetching, watch.importing)
	watch.clear()
	if err != nil && path == "" {
		if _, there := os.Stat(dir); there == nil {
			fmt.Fprintf(screen, "What was downloaded is kept in %s. The same command resumes.\n", dir)
		}
		return err
	}
	if err != nil {
		fmt.Fprintln(screen, "note:", err)
	}
	b, err := bundle.Look(path)
	if err != nil {
		return err
	}
	for _, note := range b.Manifest().Notes {
		fmt.Fprintln(screen, "note:", note)
	}
	fmt.Fprintf(out, "%s is now the model %s, downloaded and imported in %s.\n%sTry: realword generate --model %s --preset %s --prompt \"a dog\"\n",
		b.Dir(), b.Manifest().Name, time.Since(started).Round(time.Second), weights(b), shellWord(path), e.Preset)
	return nil
}

// shellWord is a path as it is written in a command line.
func shellWord(path string) string {
	switch plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(`/\:._-+,@`, r)
	}; {
	case path != "" && strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 && (runtime.GOOS == "windows" || !strings.Contains(path, `\`)):
		return path
	case runtime.GOOS == "windows": // whose names have no quotation marks
		return `"` + path + `"`
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// agreed asks on the terminal. Where nobody is there it says how to go on.
func agreed(c *cobra.Command) error {
	in := c.InOrStdin()
	if f, ok := in.(*os.File); ok && !term.IsTerminal(int(f.Fd())) { //nolint:gosec // a descriptor is small
		return usagef("there is no terminal to confirm size and licence: add --yes")
	}
	fmt.Fprint(c.ErrOrStderr(), "Download it? [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		answer <- line
	}()
	select {
	case <-c.Context().Done():
		return c.Context().Err()
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return nil
		}
		return errors.New("nothing was downloaded")
	}
}

// getWatch shows how far a download and its import are: on a terminal one line that changes, else a line for every tenth.
type getWatch struct {
	out     io.Writer
	live    bool
	began   time.Time
	told    time.Time
	tenth   int64
	phase   string
	waiting string
}

func (w *getWatch) clear() {
	if w.live {
		overwrite(w.out, "")
	}
}

func (w *getWatch) fetching(p hub.Progress) {
	line := fmt.Sprintf("%s of %s", files.Bytes(p.Done), files.Bytes(p.All))
	if p.Speed > 0 {
		line += fmt.Sprintf(", %s/s", files.Bytes(int64(p.Speed)))
	}
	if p.Left > 0 && p.Left < 100*time.Hour {
		line += fmt.Sprintf(", about %s left", p.Left.Round(time.Second))
	}
	waiting := ""
	if p.Waiting != nil {
		waiting = p.Waiting.Error()
	}
	if waiting != "" && waiting != w.waiting && !w.live {
		fmt.Fprintln(w.out, waiting)
	}
	if w.waiting = waiting; waiting != "" && w.live {
		line = waiting
	}
	w.show("fetching", line, p.Done, p.All)
}

func (w *getWatch) importing(what string, done, total int64) {
	w.show("importing "+what, fmt.Sprintf("importing %s: %d %% of %s", what, 100*done/max(1, total), files.Bytes(total)), done, total)
}

func (w *getWatch) show(phase, line string, done, total int64) {
	tenth := 10 * done / max(1, total)
	switch now := time.Now(); {
	case w.live && now.Sub(w.told) > 100*time.Millisecond:
		w.told = now
		overwrite(w.out, line)
	case !w.live && phase == "fetching" && (phase != w.phase || tenth != w.tenth):
		w.phase, w.tenth = phase, tenth
		fmt.Fprintln(w.out, line)
	}
}

// readOrigin reads which checkpoints a bundle was made of.
func readOrigin(path string) (o origin, ok bool) {
	data, err := files.Read(filepath.Join(path, originName), 1<<20)
	return o, err == nil && json.Unmarshal(data, &o) == nil
}
