// Command synthetic makes a RealCustom++ checkpoint with random weights, to try imports with: `make synthetic`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"realword/inference/synthetic"
	"realword/inference/tensor"
)

func main() {
	out := flag.String("out", "", "new folder of the checkpoint")
	family := flag.String("family", "sdxl", "sdxl, or sd15 (which RealCustom++ was never released for: layout diffusers or ldm)")
	width := flag.String("width", "tiny",
		"tiny (10 MB), full (10 GB in fp16, 20 GB in fp32); to compare networks, wide (one transformer block each), eyes (image encoders of five blocks) and deep (of all)")
	dtype := flag.String("dtype", "fp16", "fp16, bf16 or fp32")
	o := synthetic.Options{}
	flag.StringVar(&o.Layout, "layout", synthetic.Release, "release, diffusers or ldm (a single file beside the released visual weights)")
	flag.BoolVar(&o.Shallow, "shallow", false, "the shallow projector instead of the highres one")
	flag.BoolVar(&o.CCP, "ccp", false, "the paper's projector instead of the released ones")
	flag.Int64Var(&o.Seed, "seed", 0, "seed of the weights")
	flag.Parse()
	if err := run(*out, *family+" "+*width, *dtype, o); err != nil {
		fmt.Fprintln(os.Stderr, "synthetic:", err)
		os.Exit(1)
	}
}

func run(out, size, dtype string, o synthetic.Options) error {
	if out == "" {
		return errors.New("--out is missing: name a new folder for the checkpoint")
	}
	var known bool
	if o.Sizes, known = sizes[size]; !known {
		return fmt.Errorf("there are no weights for family and width %q: choose one of %s", size,
			strings.Join(slices.Sorted(maps.Keys(sizes)), ", "))
	}
	if o.DType, known = map[string]tensor.DType{"fp16": tensor.F16, "bf16": tensor.BF16, "fp32": tensor.F32}[dtype]; !known {
		return fmt.Errorf("--dtype %s is unknown: choose fp16, bf16 or fp32", dtype)
	}
	files, err := synthetic.Files(o)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	bar := bar{began: time.Now()}
	err = synthetic.Write(ctx, out, files, o, bar.show)
	fmt.Fprintln(os.Stderr)
	if err == nil {
		count(files)
	}
	return err
}

// sizes are what --family and --width name.
var sizes = map[string]synthetic.Sizes{
	"sdxl tiny": synthetic.Tiny, "sdxl wide": synthetic.Wide, "sdxl eyes": synthetic.Eyes,
	"sdxl deep": synthetic.Deep, "sdxl full": synthetic.Full,
	"sd15 tiny": synthetic.TinySD15, "sd15 full": synthetic.FullSD15,
}

// bar draws one line that is overwritten, five times a second.
type bar struct{ began, drawn time.Time }

func (b *bar) show(file string, done, total int64) {
	now := time.Now()
	if now.Sub(b.drawn) < 200*time.Millisecond && done < total {
		return
	}
	b.drawn = now
	const width = 30
	filled := int(width * done / max(1, total))
	speed := float64(done) / now.Sub(b.began).Seconds()
	left := time.Duration(float64(total-done) / speed * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(os.Stderr, "\r\033[K[%s%s] %.1f of %.1f GB, %.0f MB/s, %v left  %s", strings.Repeat("#", filled),
		strings.Repeat(".", width-filled),
		float64(done)/1e9, float64(total)/1e9, speed/1e6, left, file)
}

// count prints the totals of every weight file.
func count(files []synthetic.File) {
	for _, f := range files {
		if f.Tensors != nil {
			fmt.Printf("%-64s %5d tensors %13d parameters\n", f.Path, len(f.Tensors), synthetic.Parameters(f.Tensors))
		}
	}
}
