package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/ort"
	"realword/inference/parity"
)

func newModel() *cobra.Command {
	var out, base, prediction string
	var copied bool
	imported := &cobra.Command{
		Use: "import CHECKPOINTS --out MODEL", Short: "make a model from checkpoints",
		Long: "Makes a model folder from the released RealCustom++ checkpoints (the folder with ckpts inside) or from a diffusers-style folder.\n" +
			"With --base, another SDXL model is combined with the visual weights: a diffusers folder, or one safetensors file.\n" +
			"The model uses the weights of the checkpoints in place, so those must stay where they are; with --copy it has its own.",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usagef("--out is missing: name a new folder for the model")
			}
			started := time.Now()
			var progress bundle.Progress
			if screen := c.ErrOrStderr(); onTerminal(screen) {
				var told time.Time
				progress = func(what string, done, total int64) {
					if now := time.Now(); now.Sub(told) > 100*time.Millisecond {
						told = now
						overwrite(screen, fmt.Sprintf("%3d s  %3d %% of %s  %s", int(now.Sub(started).Seconds()), 100*done/max(1, total), files.Bytes(total),
							what))
					}
				}
				defer overwrite(screen, "")
			}
			beside, err := originOf(args[0], base, prediction, "")
			if err != nil {
				return err
			}
			b, err := bundle.ImportWith(c.Context(), args[0], out, bundle.Options{
				Base: base, Prediction: prediction, Copy: copied, Progress: progress, Beside: beside,
			})
			if err != nil {
				return err
			}
			for _, note := range b.Manifest().Notes {
				fmt.Fprintln(c.ErrOrStderr(), "note:", note)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is now the model %s, made in %.1f s.\n%sTry: realword generate --model %s --prompt \"a dog\"\n",
				b.Dir(), b.Manifest().Name, time.Since(started).Seconds(), weights(b), shellWord(b.Dir()))
			return nil
		},
	}
	imported.Flags().StringVar(&out, "out", "", "new folder for the model")
	imported.Flags().BoolVar(&copied, "copy", false, "copy all weights into the model folder instead of using them in place")
	imported.Flags().StringVar(&base, "base", "",
		"SDXL model to use instead of the checkpoints' own: a diffusers folder or one safetensors file")
	imported.Flags().StringVar(&prediction, "prediction", "",
		"how the model was trained, where its files say nothing or the wrong thing: "+strings.Join(bundle.Predictions, ", ")+" (v with zero terminal SNR, and as CosXL)")

	info := &cobra.Command{
		Use: "info [MODEL]", Short: "show a model's manifest; without a folder, that of the built-in model",
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := openModel(c.Context(), first(args))
			if err != nil {
				return err
			}
			manifest, err := json.MarshalIndent(b.Manifest(), "", "  ")
			if err == nil {
				_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n%s\n%s", b.Dir(), manifest, weights(b))
			}
			return err
		},
	}

	var goldens string
	var limit float64
	verify := &cobra.Command{
		Use: "verify [MODEL]", Short: "compare a model's files with its manifest, and its networks and loops with golden tensors",
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("limit") && limit <= 0 {
				return usagef("--limit %g: give a distance above 0, such as 2e-3", limit)
			}
			b, err := openModel(c.Context(), first(args))
			if err != nil {
				return err
			}
			if err := b.CheckFiles(c.Context()); err != nil {
				return err
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "ok     %d files are unchanged since the import\n", len(b.Manifest().Files)+len(b.Manifest().Mapped))
			if goldens == "" {
				return nil
			}
			return compare(c, b, goldens, limit, out)
		},
	}
	verify.Flags().StringVar(&goldens, "goldens", "", "safetensors file, or a folder of them, to run the networks against")
	decimalFlag(verify.Flags(), &limit, "limit", 0,
		"largest relative L2 distance allowed for a tensor, instead of the built-in limits; 2e-3 suits fp16 weights against an fp32 reference")
	return group("model", "list, download, import and check models", newModelList(), newModelGet(), imported, info, verify)
}

// weights says where those of a model lie, one file a line.
func weights(b *bundle.Bundle) string {
	var text strings.Builder
	var own int64
	for name := range b.Manifest().Files {
		if info, err := os.Stat(filepath.Join(b.Dir(), filepath.FromSlash(name))); err == nil {
			own += info.Size()
		}
	}
	fmt.Fprintf(&text, "in the folder  %9s\n", files.Bytes(own))
	for _, f := range b.Manifest().Mapped {
		fmt.Fprintf(&text, "mapped         %9s  %s\n", files.Bytes(f.Size), f.Path)
	}
	return text.String()
}

// compare runs the networks of a bundle and whole generations against golden files and prints every tensor.
func compare(c *cobra.Command, b *bundle.Bundle, goldens string, limit float64, out io.Writer) error {
	files, err := parity.Goldens(goldens)
	if err != nil {
		return err
	}
	rt, err := ort.New(ort.Options{})
	if err != nil {
		return err
	}
	checks, err := parity.Verify(c.Context(), rt, b, files...)
	if err != nil {
		return err
	}
	bad, total := 0, len(checks)
	for _, check := range checks {
		if limit > 0 {
			check.Tolerance = limit
		}
		fmt.Fprintln(out, check)
		if !check.OK() {
			bad++
		}
	}
	switch {
	case total == 0:
		return fmt.Errorf("%s holds no golden tensors of the networks of %s", goldens, filepath.Base(b.Dir()))
	case bad > 0:
		fmt.Fprintf(out, "%d of %d tensors differ: import the model again; if that does not help, report this list\n", bad, total)
		return errReported
	}
	return nil
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
