package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"realword/history"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
)

func newHistory() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "list all jobs, newest first", Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return withPast(func(past past) error {
				rounds, err := past.history().Rounds()
				if err == nil && len(rounds) == 0 {
					fmt.Fprintln(c.ErrOrStderr(), "The history is empty: what realword generate and the window make is recorded there.")
				}
				defer past.tellWaiting(c.ErrOrStderr())
				for _, r := range rounds {
					fmt.Fprintf(c.OutOrStdout(), "%5d  session %-3d  %s  %-11s  %2d  %s\n", r.ID, r.Session, r.Started.Local().Format("2006-01-02 15:04"),
						r.Status, finished(r), plainText(promptOf(r)))
				}
				return err
			})
		},
	}
	show := &cobra.Command{
		Use: "show ID", Short: "show one job with its recipe and pictures", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not the number of a job: `realword history list` shows them", args[0])
			}
			return withPast(func(past past) error {
				r, err := past.history().Round(id)
				if err != nil {
					return fmt.Errorf("%w: `realword history list` shows them", err)
				}
				out := c.OutOrStdout()
				fmt.Fprintf(out, "job %d, %s, %s\n", r.ID, r.Started.Local().Format("2006-01-02 15:04:05"), r.Status)
				if r.Error != "" {
					fmt.Fprintln(out, r.Error)
				}
				for _, p := range r.Pictures {
					fmt.Fprintln(out, pictureLine(p))
					for _, l := range p.Likeness {
						fmt.Fprintln(out, "    hint:", likenessLine(l))
					}
				}
				recipe, err := json.MarshalIndent(r.Recipe, "", "  ")
				fmt.Fprintln(out, string(recipe))
				return err
			})
		},
	}
	export := &cobra.Command{
		Use: "export SESSION FILE", Short: "write one session with its pictures and references to a zip file",
		Args: usageArgs(cobra.ExactArgs(2)), RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not the number of a session: `realword history list` shows them", args[0])
			}
			if _, err := os.Lstat(args[1]); err == nil {
				return fmt.Errorf("%s already exists and is not overwritten: choose another name", args[1])
			}
			return withPast(func(past past) error {
				missing, err := past.history().ExportFile(c.Context(), id, args[1])
				if errors.Is(err, history.ErrNoSession) {
					return fmt.Errorf("%w: `realword history list` shows them", err)
				}
				for _, one := range missing {
					fmt.Fprintf(c.ErrOrStderr(), "Without %s: it is gone, or cannot be read any more.\n", one)
				}
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "session %d is in %s\n", id, args[1])
				}
				return err
			})
		},
	}
	load := &cobra.Command{
		Use: "import FILE", Short: "read an exported session back in", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openHistory()
			beside := isBusy(err)
			if beside {
				s, err = openBeside()
			}
			if err != nil {
				return rescuable(err)
			}
			defer s.Close()
			in, err := s.Import(args[0])
			switch {
			case err != nil:
				return err
			case beside:
				fmt.Fprintf(c.OutOrStdout(), "%d jobs, %d pictures\n", in.Rounds, in.Pictures)
				fmt.Fprintln(c.ErrOrStderr(), "note: another Realword has the history open; what it does not have of them joins it when it is opened next")
			default:
				fmt.Fprintf(c.OutOrStdout(), "session %d: %d new jobs, %d new pictures\n", in.Session, in.Rounds, in.Pictures)
			}
			if in.Fileless > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "note: %d of them have no file; it was gone when the session was exported\n", in.Fileless)
			}
			return nil
		},
	}
	save := &cobra.Command{
		Use: "save PICTURE FILE", Short: "write a picture whose file could not be written at the time",
		Args: usageArgs(cobra.ExactArgs(2)), RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not the number of a picture: `realword history show` names those that can be saved", args[0])
			}
			return withPast(func(past past) error {
				if err := saveKept(past, id, args[1]); err != nil || !past.copied {
					return err
				}
				fmt.Fprintln(c.ErrOrStderr(), "note: another Realword has the history open; for that one the picture has no file yet")
				return nil
			})
		},
	}
	rescue := &cobra.Command{
		Use: "rescue [FILE]", Short: "recover what can be read from a damaged history",
		Long: "Copies everything that can be read from a damaged history into the current one. Without FILE, a damaged history is moved aside and a\n" +
			"new one is started and filled. The damaged file stays as it is. What the history has already is not added twice: a session that it\n" +
			"has gets what it lacks.",
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			damaged := ""
			if len(args) > 0 {
				damaged = args[0]
			}
			got, aside, err := rescueHistory(damaged)
			if new := got.Sessions + got.Rounds + got.Pictures + got.Jobs; aside != "" && (err == nil || new > 0) {
				fmt.Fprintf(c.OutOrStdout(), "recovered: sessions %d, jobs %d, pictures %d, queued jobs %d; unreadable: %d\n", got.Sessions, got.Rounds,
					got.Pictures, got.Jobs, got.Lost)
				switch {
				case got.Merged != "":
					fmt.Fprintf(c.OutOrStdout(), "Sessions that were here already have what they lacked: %s\n", got.Merged)
				case new == 0 && damaged != "":
					fmt.Fprintln(c.OutOrStdout(), "What can be read of it is in the history already.")
				}
				fmt.Fprintf(c.OutOrStdout(), "The old file stays as it is: %s\n", aside)
			}
			return err
		},
	}
	return group("history", "list, export, import and recover earlier jobs", list, show, export, load, save, rescue)
}

// finished counts the pictures of a round that were made to their end.
func finished(r history.Round) int {
	n := 0
	for _, p := range r.Pictures {
		if p.Finished() {
			n++
		}
	}
	return n
}

// pictureLine is a picture of a round for people.
func pictureLine(p history.Picture) string {
	switch {
	case p.File != "":
		return fmt.Sprintf("%s  %dx%d  seed %d", p.File, p.Width, p.Height, p.Seed)
	case p.Pixels != "":
		return fmt.Sprintf("not saved yet  %dx%d  seed %d: `realword history save %d FILE` writes it", p.Width, p.Height, p.Seed, p.ID)
	case p.Steps == 1:
		return fmt.Sprintf("not finished, 1 step  seed %d", p.Seed)
	}
	return fmt.Sprintf("not finished, %d steps  seed %d", p.Steps, p.Seed)
}

// saveKept writes a picture whose pixels are kept, into a new file.
func saveKept(past past, id uint64, file string) error {
	s := past.history()
	data, err := s.Pixels(id)
	if errors.Is(err, history.ErrNoPicture) {
		if p, err := s.Picture(id); err == nil && p.File != "" {
			return fmt.Errorf("picture %d is already in a file: %s", id, p.File)
		}
		return fmt.Errorf("%w: `realword history show` names those that can be saved", err)
	}
	if err != nil {
		return err
	}
	switch ending := filepath.Ext(file); {
	case ending == "":
		file += ".png"
	case !strings.EqualFold(ending, ".png") && picture.Named(file):
		return usagef("%s is saved as a PNG: give a name that ends in .png", filepath.Base(file))
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	if err := files.Write(file, files.New, data); err != nil || past.copied {
		return err
	}
	return s.MovePicture(id, file)
}

// rescueHistory brings over what can be read of a damaged history: of a file, or with "" of the user's own, which it moves away. aside is
// the damaged file, empty when nothing came over.
func rescueHistory(damaged string) (got history.Rescued, aside string, err error) {
	path, err := history.DefaultPath()
	if err != nil {
		return got, "", err
	}
	if left := history.Unrescued(path); damaged == "" && left != "" { // the program ended before
		damaged, aside = left, left
	}
	if damaged == "" {
		s, err := openHistory()
		var trouble *history.Error
		switch {
		case err == nil:
			return got, "", errors.Join(fmt.Errorf("%s is not damaged", path), s.Close())
		case !errors.As(err, &trouble) || trouble.Kind != history.Damaged && trouble.Kind != history.Older:
			return got, "", err
		}
		if damaged, err = history.SetAsideForRescue(path, time.Now()); err != nil {
			return got, "", err
		}
		aside = damaged
	}
	named := damaged != aside
	if info, err := os.Stat(damaged); named && (err != nil || !files.IsFile(info.Mode())) {
		return got, "", fmt.Errorf("no Realword history: %w", cmp.Or(err, errors.New(damaged+" is not a file")))
	}
	s, err := historyOptions().Open(path)
	if err != nil {
		return got, "", err
	}
	got, err = s.Rescue(damaged) // first, so that everything keeps its number
	takeIn(s)
	if !named || damaged == history.Unrescued(path) {
		err = errors.Join(err, history.RescueEnded(path)) // what did not come over is said
	}
	if err == nil && named && got.Stranger {
		return history.Rescued{}, "", errors.Join(fmt.Errorf("%s is no Realword history", damaged), s.Close())
	}
	return got, damaged, errors.Join(err, s.Close())
}

// past is what can be read of the user's history: the history itself, or while another program has it open copies, first one of it and
// then those of what commands have recorded beside it.
type past struct {
	stores []*history.Store
	copied bool
}

// openPast opens what can be read. The caller closes it.
func openPast() (past, error) {
	s, err := openHistory()
	if !isBusy(err) {
		return past{stores: []*history.Store{s}}, rescuable(err)
	}
	path, err := history.DefaultPath()
	if err == nil {
		s, err = historyOptions().OpenCopy(path)
	}
	if err != nil {
		return past{}, rescuable(err)
	}
	p := past{[]*history.Store{s}, true}
	for _, file := range history.Waiting(path) {
		if one, err := historyOptions().OpenCopy(file); err == nil { // else it has just begun
			p.stores = append(p.stores, one)
		}
	}
	return p, nil
}

func withPast(do func(past) error) error {
	p, err := openPast()
	if err != nil {
		return err
	}
	defer p.close()
	return do(p)
}

func (p past) history() *history.Store { return p.stores[0] }

func (p past) close() {
	for _, s := range p.stores {
		s.Close()
	}
}

// tellWaiting says what is not in the history yet.
func (p past) tellWaiting(stderr io.Writer) {
	n := 0
	for _, s := range p.stores[1:] {
		if rounds, err := s.Rounds(); err == nil {
			n += len(rounds)
		}
	}
	switch {
	case n == 1:
		fmt.Fprintln(stderr, "note: another Realword has the history open; one more job joins it when it is opened next")
	case n > 1:
		fmt.Fprintf(stderr, "note: another Realword has the history open; %d more jobs join it when it is opened next\n", n)
	}
}

// rescuable adds to an error what helps with a damaged history.
func rescuable(err error) error {
	var trouble *history.Error
	if errors.As(err, &trouble) && (trouble.Kind == history.Damaged || trouble.Kind == history.Older) {
		return fmt.Errorf("%w: `realword history rescue` does that", err)
	}
	return err
}

// openHistory opens the user's history, with what other processes have kept beside it meanwhile.
func openHistory() (*history.Store, error) {
	path, err := history.DefaultPath()
	if err != nil {
		return nil, err
	}
	s, err := historyOptions().Open(path)
	if err == nil {
		takeIn(s)
	}
	return s, err
}

// openBeside begins a history beside the user's, which another program has open.
func openBeside() (*history.Store, error) {
	path, err := history.DefaultPath()
	if err != nil {
		return nil, err
	}
	return historyOptions().OpenBeside(path)
}

func historyOptions() history.Options { return history.Options{Pictures: files.Pictures()} }

// takeIn brings over what other processes have kept beside a history. What cannot be brought over stays there.
func takeIn(s *history.Store) {
	if _, err := s.TakeIn(); err != nil {
		log.Print("not all that was recorded while the history was open elsewhere could be brought over: ", err)
	}
}

// isBusy tells whether another process has the history.
func isBusy(err error) bool {
	var trouble *history.Error
	return errors.As(err, &trouble) && trouble.Kind == history.Busy
}

// promptOf reads the prompt out of a recipe; a recipe of another version may have none.
func promptOf(r history.Round) string {
	var request inference.Request
	if err := json.Unmarshal(r.Recipe, &request); err != nil {
		return ""
	}
	return request.Prompt
}
