package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"realword/history"
	"realword/inference"
	"realword/ui"
)

func newHistory() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "every round, the newest first", Args: usageArgs(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
		return withHistory(func(s *history.Store) error {
			rounds, err := s.Rounds()
			for _, r := range rounds {
				fmt.Fprintf(c.OutOrStdout(), "%5d  session %-3d  %s  %-11s  %2d  %s\n", r.ID, r.Session, r.Started.Local().Format("2006-01-02 15:04"), r.Status, len(r.Pictures), promptOf(r))
			}
			return err
		})
	}}
	show := &cobra.Command{Use: "show ID", Short: "one round with its recipe and pictures", Args: usageArgs(cobra.ExactArgs(1)), RunE: func(c *cobra.Command, args []string) error {
		id, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil {
			return usagef("%q is not the number of a round: `realword history list` shows them", args[0])
		}
		return withHistory(func(s *history.Store) error {
			r, err := s.Round(id)
			if err != nil {
				return fmt.Errorf("%w: `realword history list` shows them", err)
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "round %d, %s, %s\n", r.ID, r.Started.Local().Format("2006-01-02 15:04:05"), r.Status)
			if r.Error != "" {
				fmt.Fprintln(out, r.Error)
			}
			for _, p := range r.Pictures {
				fmt.Fprintf(out, "%s  %dx%d  seed %d\n", p.File, p.Width, p.Height, p.Seed)
			}
			recipe, err := json.MarshalIndent(r.Recipe, "", "  ")
			fmt.Fprintln(out, string(recipe))
			return err
		})
	}}
	export := &cobra.Command{Use: "export SESSION FILE", Short: "one session with its pictures and references as a zip", Args: usageArgs(cobra.ExactArgs(2)), RunE: func(c *cobra.Command, args []string) error {
		id, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil {
			return usagef("%q is not the number of a session: `realword history list` shows them", args[0])
		}
		if _, err := os.Lstat(args[1]); err == nil {
			return fmt.Errorf("%s is there already and is not overwritten: choose another name", args[1])
		}
		return withHistory(func(s *history.Store) error {
			missing, err := s.ExportFile(id, args[1])
			if errors.Is(err, history.ErrNoSession) {
				return fmt.Errorf("%w: `realword history list` shows them", err)
			}
			for _, file := range missing {
				fmt.Fprintf(c.ErrOrStderr(), "Without the picture %s: the file is not there any more.\n", file)
			}
			return err
		})
	}}
	load := &cobra.Command{Use: "import FILE", Short: "a session that was exported", Args: usageArgs(cobra.ExactArgs(1)), RunE: func(c *cobra.Command, args []string) error {
		return withHistory(func(s *history.Store) error {
			in, err := s.Import(args[0])
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "session %d: %d new rounds, %d new pictures\n", in.Session, in.Rounds, in.Pictures)
			}
			return err
		})
	}}
	return group("history", "earlier rounds", list, show, export, load)
}

func withHistory(do func(*history.Store) error) error {
	s, err := openHistory()
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

func openHistory() (*history.Store, error) {
	path, err := history.DefaultPath()
	if err != nil {
		return nil, err
	}
	return history.Options{Pictures: ui.DefaultPictures()}.Open(path)
}

// promptOf reads the prompt out of a recipe; a recipe of another version may have none.
func promptOf(r history.Round) string {
	var request inference.Request
	if err := json.Unmarshal(r.Recipe, &request); err != nil {
		return ""
	}
	return request.Prompt
}
