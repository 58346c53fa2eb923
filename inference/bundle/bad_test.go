package bundle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/tensor"
)

const data = "../../assets/golden/data"

// copyTiny copies a tiny checkpoint so that a test can damage it.
func copyTiny(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(data, name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rewrite changes the tensors of a safetensors file.
func rewrite(t *testing.T, path string, change func(map[string]*tensor.Tensor)) {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	tensors := map[string]*tensor.Tensor{}
	for _, e := range f.Entries() {
		if tensors[e.Name], err = f.Read(e.Name); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	change(tensors)
	var b bytes.Buffer
	if err := tensor.WriteSafetensors(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, path string, change func(map[string]any)) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if raw, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestImportRefuses(t *testing.T) {
	const unet = "unet/diffusion_pytorch_model.safetensors"
	cases := []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   []string // parts of the message
	}{
		{"missing, misshapen and extra tensors together", func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, unet), func(m map[string]*tensor.Tensor) {
				delete(m, "conv_in.bias")
				m["conv_out.bias"] = tensor.Zeros(7)
				m["surprise.weight"] = tensor.Zeros(2, 3)
			})
		}, []string{"conv_in.bias", "missing", "conv_out.bias", "[7]", "[4]", "surprise.weight"}},
		{"NaN in a weight", func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, unet), func(m map[string]*tensor.Tensor) { m["conv_in.bias"].F32[1] = float32(math.NaN()) })
		}, []string{"conv_in.bias", "NaN", "damaged"}},
		{"truncated weights", func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, unet), 5000); err != nil {
				t.Fatal(err)
			}
		}, []string{"diffusion_pytorch_model.safetensors"}},
		{"no weights", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "vision/dino/model.safetensors")); err != nil {
				t.Fatal(err)
			}
		}, []string{"vision/dino: the folder holds no weights"}},
		{"no config", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "vae/config.json")); err != nil {
				t.Fatal(err)
			}
		}, []string{"vae/config.json is missing"}},
		{"broken config", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "unet/config.json"), []byte("{"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, []string{"unet/config.json cannot be read"}},
		{"flow matching", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "scheduler/scheduler_config.json"), func(m map[string]any) { m["prediction_type"] = "flow_prediction" })
		}, []string{"flow_prediction", "epsilon", "v_prediction"}},
		{"another U-Net", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "unet/config.json"), func(m map[string]any) { m["mid_block_type"] = "UNetMidBlock2D" })
		}, []string{"mid_block_type"}},
		{"U-Net wider than the text", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "unet/config.json"), func(m map[string]any) { m["cross_attention_dim"] = 768 })
		}, []string{"24", "768", "different models"}},
		{"unknown projector", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "vision/config.json"), func(m map[string]any) { m["projector"] = "resampler" })
		}, []string{"resampler", "ccp"}},
		{"encoder name that leaves the folder", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "vision/config.json"), func(m map[string]any) { m["encoders"] = []string{"../siglip"} })
		}, []string{"../siglip"}},
		{"no tokenizer", func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "tokenizer")); err != nil {
				t.Fatal(err)
			}
		}, []string{"vocab.json"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := copyTiny(t, "tiny")
			c.damage(t, dir)
			out := filepath.Join(t.TempDir(), "out")
			_, err := bundle.Import(context.Background(), dir, out, nil)
			if err == nil {
				t.Fatal("imported")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("message has no %q:\n%v", w, err)
				}
			}
			if entries, err := os.ReadDir(filepath.Dir(out)); err != nil || len(entries) > 0 {
				t.Errorf("left behind: %v %v", entries, err)
			}
		})
	}
}

func importTiny(t *testing.T) (*bundle.Bundle, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny-bundle")
	b, err := bundle.Import(context.Background(), filepath.Join(data, "tiny"), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b, dir
}

func TestImportIsDeterministicAndStops(t *testing.T) {
	_, one := importTiny(t)
	_, two := importTiny(t)
	err := filepath.WalkDir(one, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(one, path)
		a, err1 := os.ReadFile(path)
		b, err2 := os.ReadFile(filepath.Join(two, rel))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs between two imports", rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Import(context.Background(), filepath.Join(data, "tiny"), one, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("import over a bundle: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out := filepath.Join(t.TempDir(), "out")
	if _, err := bundle.Import(ctx, filepath.Join(data, "tiny"), out, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled import: %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a cancelled import left a bundle")
	}
}

func TestOpenRefuses(t *testing.T) {
	cases := []struct {
		name   string
		damage func(dir string) error
		want   string
	}{
		{"no manifest", func(d string) error { return os.Remove(filepath.Join(d, "manifest.json")) }, "there is no manifest.json"},
		{"no graph", func(d string) error { return os.Remove(filepath.Join(d, "unet.onnx")) }, "unet.onnx is missing"},
		{"empty weights", func(d string) error { return os.Truncate(filepath.Join(d, "weights", "unet.bin"), 0) }, "weights/unet.bin is empty"},
		{"newer schema", func(d string) error {
			return os.WriteFile(filepath.Join(d, "manifest.json"), []byte(`{"schema": 99}`), 0o644)
		}, "schema 99"},
		{"a manifest without the networks", func(d string) error {
			data, err := os.ReadFile(filepath.Join(d, "manifest.json"))
			if err != nil {
				return err
			}
			data = regexp.MustCompile(`(?s)"networks": \{.*?\n  \},`).ReplaceAll(data, nil)
			return os.WriteFile(filepath.Join(d, "manifest.json"), data, 0o644)
		}, "import the model again"},
		{"a file that is elsewhere on Windows", func(d string) error {
			data, err := os.ReadFile(filepath.Join(d, "manifest.json"))
			if err != nil {
				return err
			}
			data = bytes.Replace(data, []byte(`"files": {`), []byte(`"files": {"tokenizer/..\\..\\.ssh\\id_ed25519": "0",`), 1)
			return os.WriteFile(filepath.Join(d, "manifest.json"), data, 0o644)
		}, "leads out of the model folder"},
		{"no JSON", func(d string) error { return os.WriteFile(filepath.Join(d, "manifest.json"), []byte(`x`), 0o644) }, "cannot be read"},
		{"broken tokenizer", func(d string) error {
			return os.WriteFile(filepath.Join(d, "tokenizer", "vocab.json"), []byte(`[]`), 0o644)
		}, "vocab.json"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, dir := importTiny(t)
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := bundle.Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("wanted %q: %v", c.want, err)
			}
		})
	}
	t.Run("changed file", func(t *testing.T) {
		b, dir := importTiny(t)
		path := filepath.Join(dir, "weights", "vae.bin")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		raw[100] ^= 1
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := b.CheckFiles(context.Background()); err == nil || !strings.Contains(err.Error(), "weights/vae.bin has changed") {
			t.Errorf("changed file: %v", err)
		}
	})
}

func TestExtractRepairsDamage(t *testing.T) {
	_, dir := importTiny(t)
	cache := t.TempDir()
	b, err := bundle.Extract(os.DirFS(dir), cache)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.Dir(), "weights", "unet.bin")
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	if b, err = bundle.Extract(os.DirFS(dir), cache); err != nil {
		t.Fatal(err)
	}
	if err := b.CheckFiles(context.Background()); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(cache); len(entries) != 2 || entries[0].Name() != ".lock" {
		t.Errorf("cache holds %v, wanted one folder and the lock", entries)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schema":1}`))
	f.Add([]byte(`{"schema":3,"name":"x","family":"toybox","latent":{"channels":4,"factor":8,"rgb":[[0,0,0],[0,0,0],[0,0,0],[0,0,0]]},"grid":1,"attention":[1],"cross_attention_layers":1,
		"size":{"width":64,"height":64,"min":8,"max":64,"multiple":8},"text":{"tokens":77,"encoders":1},
		"vision":{"reference":2,"view":1,"tokens":1,"width":1},"schedule":{"train_steps":1000},"presets":{"paper":{},"release":{}},
		"networks":{"unet":{"in_channels":4,"out_channels":4,"block_out_channels":[8],"layers_per_block":1,"down_block_types":["CrossAttnDownBlock2D"],"up_block_types":["CrossAttnUpBlock2D"],
			"cross_attention_dim":8,"attention_head_dim":1,"norm_num_groups":4,"act_fn":"silu"},"vae":{"latent_channels":4,"block_out_channels":[8,8],"norm_num_groups":4}},
		"graphs":{"text":"a","vision":"a","text_kv":"a","vision_kv":"a","unet":"a","decoder":"a"},"files":{"a":"0"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := bundle.ParseManifest(raw)
		if err != nil {
			return
		}
		if m.Size.Multiple < 1 || m.Latent.Factor < 1 || m.Grid < 1 || len(m.Latent.RGB) != m.Latent.Channels {
			t.Errorf("accepted %+v", m)
		}
		for name := range m.Files {
			if !fs.ValidPath(name) || strings.Contains(name, `\`) {
				t.Errorf("accepted file name %q", name)
			}
		}
	})
}
