package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/network"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/session"
	"realword/inference/tensor"
)

// naive runs the method as it is written down, what unet.onnx is measured against: graphs over the same weights, which exist in a
// temporary folder as long as they are open.
type naive struct {
	folder string
	remove func() // the folder
	grid   int    // latent cells per cell of the guidance grid
	open   map[graph.Name]session.Session
	opened []Timing
}

// openNaive builds and opens the naive graphs of a model. The runtime must tell where weights lie.
func openNaive(rt inference.Runtime, model inference.Model) (n *naive, err error) {
	inspector, ok := rt.(session.Inspector)
	if !ok {
		return nil, errors.New("this runtime does not say where weights lie: measure without the naive way")
	}
	n = &naive{grid: model.Manifest().Grid, open: map[graph.Name]session.Session{}}
	if n.folder, n.remove, err = files.Scratch("bench"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("build the naive graphs: %w", err), n.close())
		}
	}()
	places, outside, err := weights(inspector, model)
	if err != nil {
		return n, err
	}
	for _, kind := range []struct {
		name  graph.Name
		build func(nn.Target, network.UNetConfig, *nn.Store) (*onnx.Model, error)
	}{{graph.Plain, network.PlainGraph}, {graph.Naive, network.NaiveGraph}, {graph.NaiveGuidance, network.NaiveGuidanceGraph}} {
		options, path := session.Options{Outside: outside}, ""
		for _, form := range []struct {
			target nn.Target
			path   *string
		}{{nn.CUDA, &options.CUDA}, {nn.CPU, &path}} {
			g, err := kind.build(form.target, model.Manifest().Networks.UNet, nn.Placed(places))
			if err != nil {
				return n, err
			}
			*form.path = filepath.Join(n.folder, fmt.Sprintf("%s-%s.onnx", kind.name, form.target))
			if err := os.WriteFile(*form.path, g.Marshal(), 0o600); err != nil {
				return n, err
			}
		}
		began := time.Now()
		s, err := rt.Open(path, options)
		if err != nil {
			return n, err
		}
		n.open[kind.name], n.opened = s, add(n.opened, string(kind.name), time.Since(began).Seconds())
	}
	return n, nil
}

// weights tells where the parameters of a model's U-Net lie, and in which files.
func weights(inspector session.Inspector, model inference.Model) (places map[string]nn.Place, files []string, err error) {
	places = map[string]nn.Place{}
	for _, name := range []graph.Name{graph.UNet, graph.TextKV, graph.VisionKV} {
		path := model.Graph(name)
		list, err := inspector.Weights(path)
		if err != nil {
			return nil, nil, err
		}
		for _, w := range list {
			file, err := filepath.Abs(model.Manifest().WeightFile(path, w.File))
			if err != nil {
				return nil, nil, err
			}
			files = append(files, file)
			places[strings.TrimSuffix(w.Name, ".stored")] = nn.Place{File: filepath.ToSlash(file), DType: w.DType, Offset: w.Offset, Length: w.Bytes}
		}
	}
	return places, files, nil
}

// close closes the graphs and removes their folder.
func (n *naive) close() error {
	if n == nil {
		return nil
	}
	var errs []error
	for _, s := range n.open {
		errs = append(errs, s.Close())
	}
	n.remove()
	return errors.Join(errs...)
}

// textToImage predicts the noise by a graph that can do nothing else.
func (n *naive) textToImage(ctx context.Context, p inference.Point, features *tensor.Tensor) (*tensor.Tensor, error) {
	out, err := n.open[graph.Plain].Run(ctx, inputs(p, features))
	return out["noise"], err
}

// generation is the generation branch with everything inside the pass: features [1, 77, C] of the text, tokens [R, n, C] of the
// pictures, masks on the guidance grid.
func (n *naive) generation(ctx context.Context, p inference.Point, features, tokens *tensor.Tensor,
	masks [][]float32,
) (*tensor.Tensor, error) {
	in := inputs(p, features)
	all := tensor.Zeros(len(masks), 1, p.Latent.Shape[2]/n.grid, p.Latent.Shape[3]/n.grid)
	for r, mask := range masks {
		copy(all.F32[r*len(mask):], mask)
	}
	in["vision_tokens"], in["masks"] = tokens, all
	out, err := n.open[graph.Naive].Run(ctx, in)
	return out["noise"], err
}

// guidance is the guidance branch with the paper's maps, written out. It predicts the noise of text-to-image as well.
func (n *naive) guidance(ctx context.Context, p inference.Point, features, words *tensor.Tensor) (noise, scores *tensor.Tensor, err error) {
	in := inputs(p, features)
	in["token_weights"] = words
	out, err := n.open[graph.NaiveGuidance].Run(ctx, in)
	return out["noise"], out["scores"], err
}

func inputs(p inference.Point, features *tensor.Tensor) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{"sample": p.Latent, "timestep": p.Timestep, "encoder_hidden_states": features}
	if p.Text.Pooled != nil {
		in["text_embeds"], in["time_ids"] = p.Text.Pooled, p.TimeIDs
	}
	return in
}
