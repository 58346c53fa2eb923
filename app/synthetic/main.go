// Command synthetic makes a checkpoint of RealCustom++ with random weights, to try imports with: `make synthetic`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"realword/inference/synthetic"
	"realword/inference/tensor"
)

func main() {
	out := flag.String("out", "", "new folder of the checkpoint")
	width := flag.String("width", "tiny", "tiny (10 MB) or full (10 GB in fp16, 20 GB in fp32)")
	dtype := flag.String("dtype", "fp16", "fp16, bf16 or fp32")
	o := synthetic.Options{}
	flag.StringVar(&o.Layout, "layout", synthetic.Release, "release, diffusers or ldm (a single file beside the released visual weights)")
	flag.BoolVar(&o.Shallow, "shallow", false, "the shallow projector instead of the highres one")
	flag.Int64Var(&o.Seed, "seed", 0, "seed of the weights")
	flag.Parse()
	if err := run(*out, *width, *dtype, o); err != nil {
		fmt.Fprintln(os.Stderr, "synthetic:", err)
		os.Exit(1)
	}
}

func run(out, width, dtype string, o synthetic.Options) error {
	if out == "" {
		return errors.New("--out is missing: name the folder that the checkpoint is written to")
	}
	var known bool
	if o.Sizes, known = map[string]synthetic.Sizes{"tiny": synthetic.Tiny, "full": synthetic.Full}[width]; !known {
		return fmt.Errorf("--width %s is unknown, there are tiny and full", width)
	}
	if o.DType, known = map[string]tensor.DType{"fp16": tensor.F16, "bf16": tensor.BF16, "fp32": tensor.F32}[dtype]; !known {
		return fmt.Errorf("--dtype %s is unknown, there are fp16, bf16 and fp32", dtype)
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
	fmt.Fprintf(os.Stderr, "\r\033[K[%s%s] %.1f of %.1f GB, %.0f MB/s, %v left  %s", strings.Repeat("#", filled), strings.Repeat(".", width-filled),
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
