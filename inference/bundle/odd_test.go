package bundle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"realword/inference/bundle"
	"realword/inference/wait"
)

// configs are the configurations of a diffusers-style folder.
var configs = []string{
	"unet/config.json", "vae/config.json", "text_encoder/config.json", "vision/config.json", "vision/siglip/config.json", "vision/dino/config.json",
	"scheduler/scheduler_config.json", "realword.json", "model_index.json", "tokenizer/tokenizer_config.json", "tokenizer/special_tokens_map.json",
}

// oddFolder is a tiny checkpoint with every configuration in it.
func oddFolder(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "odd")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(data, "tiny"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"scheduler/scheduler_config.json": `{"_class_name":"PNDMScheduler","num_train_timesteps":1000,"beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","prediction_type":"epsilon","trained_betas":null,"steps_offset":1}`,
		"model_index.json":                `{"_class_name":"StableDiffusionPipeline","_diffusers_version":"0.30.0","unet":["diffusers","UNet2DConditionModel"],"requires_safety_checker":true}`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range configs {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// odd are values that no configuration should have.
var odd = []any{
	nil, 0, -1, 1, 3, 7, 1 << 20, 1_000_000_000, 1 << 62, -1 << 62, 0.5, 1e-300, 1e308, "", "x", strings.Repeat("y", 20_000), true, false,
	[]any{},
	[]any{0},
	[]any{nil, nil},
	[]any{1 << 62, 1 << 62},
	slices.Repeat([]any{320}, 20_000),
	map[string]any{},
	map[string]any{"x": []any{map[string]any{}}},
}

// TestOddConfigs replaces every entry of every configuration by every odd value: nothing crashes, hangs or takes memory. By default
// it takes a share of them; REALWORD_ODD says how many there are to be.
func TestOddConfigs(t *testing.T) {
	dir := oddFolder(t)
	if in := inspect(t, dir, ""); in.Problems != nil {
		t.Fatal("the folder of this test is refused:", in.Problems)
	}
	type change struct {
		file, key string
		value     any
	}
	var all []change
	for _, file := range configs {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		for key := range m {
			for _, v := range odd {
				all = append(all, change{file, key, v})
			}
		}
	}
	slices.SortFunc(all, func(a, b change) int { return strings.Compare(a.file+a.key, b.file+b.key) })
	wanted := 60
	if n, err := strconv.Atoi(os.Getenv("REALWORD_ODD")); err == nil {
		wanted = n
	}
	step := max(len(all)/wanted, 1)
	usual := wait.Longest // the quickest of three
	for range 3 {
		began := time.Now()
		inspect(t, dir, "")
		usual = min(usual, time.Since(began))
	}
	var slowest time.Duration
	var most uint64
	tried, refused := 0, 0
	for i := 0; i < len(all); i += step {
		c := all[i]
		path := filepath.Join(dir, filepath.FromSlash(c.file))
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		edit(t, path, func(m map[string]any) { m[c.key] = c.value })
		what := fmt.Sprintf("%s: %s = %.40v", c.file, c.key, fmt.Sprint(c.value))
		hang := time.AfterFunc(wait.Longest, func() { panic(what + " hangs") })
		var one, two runtime.MemStats
		runtime.ReadMemStats(&one)
		started := time.Now()
		in := inspect(t, dir, "")
		took := time.Since(started)
		hang.Stop()
		runtime.ReadMemStats(&two)
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		if allocated := two.TotalAlloc - one.TotalAlloc; allocated > 100<<20 {
			t.Errorf("%s: %d MB", what, allocated>>20)
		} else if allocated > most {
			most = allocated
		}
		if took > 100*usual {
			t.Errorf("%s: %v, where the folder as it was takes %v", what, took, usual)
		}
		slowest = max(slowest, took)
		tried++
		if in.Problems != nil {
			refused++
			if n := len(in.Problems.Error()); n > 64<<10 {
				t.Errorf("%s: a message of %d bytes: %.300s", what, n, in.Problems)
			}
		}
	}
	t.Logf("%d of %d odd configurations, %d refused; the slowest took %v, the largest %d MB in all", tried, len(all), refused, slowest, most>>20)
}

// TestFilesThatAreNone puts a pipe and a device in the place of every file that an import opens: it says so, and does not wait.
func TestFilesThatAreNone(t *testing.T) {
	plain := oddFolder(t)
	var files []string
	err := filepath.WalkDir(plain, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(plain, path)
			files = append(files, rel)
		}
		return err
	})
	if err != nil || len(files) < 15 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for _, other := range []string{"pipe", "/dev/zero", "endless"} {
			path := filepath.Join(plain, file)
			aside := path + ".aside"
			if err := os.Rename(path, aside); err != nil {
				t.Fatal(err)
			}
			want := "is a device"
			switch other {
			case "pipe":
				want = "is a pipe"
				err = mkfifo(path)
			case "endless": // a sparse file of a terabyte
				want = ""
				f, createErr := os.Create(path)
				if err = createErr; err == nil {
					err = f.Truncate(1 << 40)
					f.Close()
				}
			default:
				if _, err = os.Stat(other); err == nil {
					err = os.Symlink(other, path)
				}
			}
			if err == nil {
				done := make(chan error, 1)
				go func() {
					in, err := bundle.Inspect(context.Background(), plain, bundle.Options{})
					if err == nil {
						err = in.Problems
					}
					done <- err
				}()
				select {
				case err := <-done:
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%s as %s: %v", file, other, err)
					}
				case <-time.After(wait.Longest):
					t.Fatalf("%s as %s: it waits", file, other)
				}
			}
			_ = os.Remove(path)
			if err := os.Rename(aside, path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// FuzzConfigs puts bytes in the place of a configuration.
func FuzzConfigs(f *testing.F) {
	dir := oddFolder(f)
	for i, name := range configs {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), raw)
	}
	f.Add(uint8(0), []byte(`{"block_out_channels":[320,640,1280,1280],"layers_per_block":1000000000,"down_block_types":["CrossAttnDownBlock2D"],"cross_attention_dim":4611686018427387904}`))
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		name := configs[int(which)%len(configs)]
		path := filepath.Join(dir, filepath.FromSlash(name))
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.WriteFile(path, before, 0o600) }()
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		in, err := bundle.Inspect(context.Background(), dir, bundle.Options{})
		if err != nil || time.Since(started) > 20*time.Second {
			t.Fatalf("%v after %v", err, time.Since(started))
		}
		if m := in.Manifest; in.Problems == nil && (m.Size.Width < 1 || m.Size.Width > 1<<14 || m.Grid < 1 || m.Vision.View < 1) {
			t.Fatalf("taken: %+v", m)
		}
	})
}
