package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/recipe"
)

func newRecipe() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "recipe PICTURE",
		Short: "print how a picture was made",
		Long: "Prints what a PNG file says about how it was made: Realword's own recipe, or what A1111 and its forks, Fooocus, SwarmUI, InvokeAI,\n" +
			"ComfyUI and NovelAI write, as far as it is unambiguous. Lines that start with note say what is ignored.",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := files.Read(args[0], picture.DefaultLimits.Bytes)
			if err != nil {
				return err
			}
			r, foreign, err := recipe.Read(data)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			said := saidRecipe{File: args[0], Foreign: foreign, Recipe: r}
			for _, n := range r.Notes {
				said.Notes = append(said.Notes, n.Error())
			}
			said.Negative, said.Thumbnails = strings.TrimSpace(r.Negative), nil
			said.Masks = nil
			if foreign && r.Changed() {
				said.Notes = append(said.Notes, "another program has changed this picture: its subjects, references and masks were lost then")
			}
			if asJSON {
				return said.printJSON(c.OutOrStdout())
			}
			return said.print(c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// saidRecipe is what a picture says of itself.
type saidRecipe struct {
	File    string `json:"file"`
	Foreign bool   `json:"foreign"` // another program made it
	recipe.Recipe
	Notes []string `json:"notes,omitempty"`
}

func (s saidRecipe) printJSON(out io.Writer) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	// encoding/json leaves U+007F to U+009F as they are, which some terminals obey.
	var b bytes.Buffer
	for _, r := range string(data) {
		if r >= 0x7f && r <= 0x9f {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	_, err = fmt.Fprintln(out, b.String())
	return err
}

func (s saidRecipe) print(out io.Writer) error {
	var b bytes.Buffer
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name, plainText(value))
		}
	}
	program := s.Program
	if s.Foreign && program == "" {
		program = "another program"
	}
	line("made by", program)
	line("model", s.Model)
	line("prompt", s.Prompt)
	if s.Used != nil {
		line("read as", s.Used.Prompt)
		if s.Used.Negative != s.Negative {
			line("avoids", s.Used.Negative)
		}
	}
	for _, t := range inference.Table() {
		text := t.Get(s.Settings)
		if t.Text != nil {
			text = t.Text(s.Settings)
		}
		if t.Label != "" {
			line(t.Label, text)
		}
	}
	if s.Grid != nil {
		for i, a := range s.Grid.Axes() {
			var values []string
			for v := range a.Len() {
				values = append(values, axisLabel(*a, v))
			}
			line([]string{"rows", "columns"}[i], strings.Join(values, ", "))
		}
		s.Seeds = slices.Compact(slices.Clone(s.Seeds))
	}
	for _, seed := range s.Seeds {
		line("seed", strconv.FormatUint(seed, 10))
	}
	for _, subject := range s.Subjects {
		word := subject.Word.Text
		if subject.Word.Occurrence > 1 {
			word = fmt.Sprintf("%s#%d", word, subject.Word.Occurrence)
		}
		for _, ref := range subject.References {
			line("subject", fmt.Sprintf("%s = %s (SHA-256 %.10s), scope %g, %s", word, filepath.Base(ref.Name), ref.SHA256, subject.Scope,
				ref.Square.Fit))
		}
		if mask := subject.Region; !mask.IsZero() {
			line("mask", fmt.Sprintf("%s %s (SHA-256 %.10s)", word, mask.Kind, mask.SHA256))
		}
	}
	if i := s.Init; i != nil {
		where := ""
		if !i.Region.IsZero() {
			where = ", in a region of it"
		}
		line("begins", fmt.Sprintf("with %s (SHA-256 %.10s), strength %g%s", filepath.Base(i.Name), i.SHA256, i.Strength, where))
	}
	for _, n := range s.Notes {
		line("note", n)
	}
	_, err := out.Write(b.Bytes())
	return err
}

// plainText is a text on one line without signs that a terminal obeys.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
