package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"realword/inference/bundle"
	"realword/inference/hub"
	"realword/inference/synthetic"
	"realword/ui/state"
)

// localHub serves folders as repositories: trees by OWNER/NAME, file names changed by rename. stop, where it is set, is asked before a
// file is served.
type localHub struct {
	*httptest.Server
	trees map[string]string
	names func(repository, path string) string
	files atomic.Int32 // requests for files
	busy  atomic.Int32 // of them under way, without those that stop holds
	bytes atomic.Int64
	mu    sync.Mutex
	stop  func(path string) bool
}

func serveHub(t *testing.T, trees map[string]string) *localHub {
	t.Helper()
	h := &localHub{trees: trees, names: func(_, path string) string { return path }}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

const hubCommit = "89abcdef0123456789abcdef0123456789abcdef"

func (h *localHub) serve(w http.ResponseWriter, r *http.Request) {
	for repository, dir := range h.trees {
		switch path := r.URL.Path; {
		case path == "/api/models/"+repository+"/revision/main":
			_ = json.NewEncoder(w).Encode(map[string]any{"sha": hubCommit, "gated": false, "cardData": map[string]any{"license": "cc-by-nc-4.0"}})
		case path == "/api/models/"+repository+"/tree/"+hubCommit:
			var list []map[string]any
			_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
				if !d.IsDir() {
					data, _ := os.ReadFile(path)
					rel, _ := filepath.Rel(dir, path)
					sum, git := sha256.Sum256(data), sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...))
					f := map[string]any{"type": "file", "path": h.names(repository, filepath.ToSlash(rel)), "size": len(data), "oid": hex.EncodeToString(git[:])}
					if len(data) > 10_000 {
						f["lfs"] = map[string]any{"oid": hex.EncodeToString(sum[:]), "size": len(data)}
					}
					list = append(list, f)
				}
				return nil
			})
			_ = json.NewEncoder(w).Encode(list)
		case strings.HasPrefix(path, "/"+repository+"/resolve/"+hubCommit+"/"):
			name := strings.TrimPrefix(path, "/"+repository+"/resolve/"+hubCommit+"/")
			h.mu.Lock()
			stop := h.stop
			h.mu.Unlock()
			h.files.Add(1)
			h.busy.Add(1)
			done := sync.OnceFunc(func() { h.busy.Add(-1) })
			defer done()
			if stop != nil && stop(name) {
				done()
				<-r.Context().Done()
				return
			}
			_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
				rel, _ := filepath.Rel(dir, path)
				if !d.IsDir() && h.names(repository, filepath.ToSlash(rel)) == name {
					w.Header().Set("Content-Type", "application/octet-stream")
					http.ServeFile(&counted{w, &h.bytes}, r, path)
				}
				return nil
			})
		}
	}
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// getting is a user's home and a hub with the released tree, in tiny.
func getting(t *testing.T) (*localHub, string) {
	t.Helper()
	dir := home(t)
	h := serveHub(t, map[string]string{"bytedance-research/RealCustom": checkpoints(t, synthetic.Release)})
	t.Setenv("HF_ENDPOINT", h.URL)
	t.Setenv("HF_HOME", filepath.Join(dir, "hf"))
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "HTTP_PROXY", "http_proxy"} {
		t.Setenv(name, "")
	}
	return h, filepath.Join(dir, "models")
}

// The whole way: catalogue, download, import, a model that is listed; what it maps stays, as do tokenizers and configurations, weights that it
// does not need go, and everything goes with it.
func TestModelGet(t *testing.T) {
	h, folder := getting(t)
	if status, out, _ := command(t, "model", "list", "--available"); status != 0 || !strings.Contains(out, "realcustom-released") || !strings.Contains(out, "20.1 GB") {
		t.Fatalf("%d\n%s", status, out)
	}
	status, out, notes := command(t, "model", "get", "realcustom-released", "--yes", "--folder", folder)
	if status != 0 || !strings.Contains(out, "is now the model RealCustom++ as released") {
		t.Fatalf("%d\n%s\n%s", status, out, notes)
	}
	for _, part := range []string{"to download", "cc-by-nc-4.0 (" + h.URL + "/bytedance-research/RealCustom)", "runs here"} {
		if !strings.Contains(notes, part) {
			t.Errorf("%q is not said:\n%s", part, notes)
		}
	}
	path, download := filepath.Join(folder, "RealCustom++ as released"), filepath.Join(folder, downloadsName, "realcustom-released")
	m := &models{}
	list := listed1(t, m, folder)
	if len(list) != 2 || list[1].Path != path || list[1].Err != nil || !list[1].Downloaded || !strings.Contains(list[1].Licence, "cc-by-nc-4.0") || len(m.Unfinished(folder)) != 0 {
		t.Fatalf("%+v", list)
	}
	b, err := bundle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	mapped := map[string]bool{}
	for _, p := range b.Manifest().Outside() {
		mapped[p] = true
	}
	if len(mapped) == 0 {
		t.Fatal("nothing is mapped: the test shows nothing")
	}
	_ = filepath.WalkDir(download, func(path string, d fs.DirEntry, _ error) error {
		if real, _ := filepath.EvalSymlinks(path); !d.IsDir() && !mapped[real] && holdsWeights(path) {
			t.Errorf("%s is left, and the model does not need it", path)
		}
		return nil
	})
	if status, out, _ := command(t, "model", "list", "--folder", folder); status != 0 || !strings.Contains(out, path) || !strings.Contains(out, "a toy, ready to use") {
		t.Errorf("%d\n%s", status, out)
	}
	before := h.files.Load()
	if status, out, _ := command(t, "model", "get", "realcustom-released", "--folder", folder); status != 0 || !strings.Contains(out, "is already installed") || h.files.Load() != before {
		t.Errorf("%d: %s", status, out)
	}
	if _, err := m.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(download); err != nil {
		t.Error("the checkpoints went before the removal was final")
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(download); err == nil {
		t.Error("gigabytes stay that no model reads")
	}
}

// addSDXL has the hub serve SDXL's own base, in tiny.
func (h *localHub) addSDXL(t *testing.T) {
	t.Helper()
	h.trees["stabilityai/stable-diffusion-xl-base-1.0"] = checkpoints(t, synthetic.Diffusers)
	h.names = func(repository, path string) string {
		if strings.HasPrefix(repository, "stabilityai") {
			path = strings.Replace(path, ".safetensors", ".fp16.safetensors", 1)
		}
		return path
	}
	base := h.trees["stabilityai/stable-diffusion-xl-base-1.0"]
	for name, text := range map[string]string{
		"model_index.json":                `{"_class_name":"StableDiffusionXLPipeline"}`,
		"scheduler/scheduler_config.json": `{"num_train_timesteps":1000,"beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","prediction_type":"epsilon"}`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(base, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// SDXL's own base goes under the released weights, and files of one download serve another.
func TestModelGetWithABase(t *testing.T) {
	h, folder := getting(t)
	h.addSDXL(t)
	status, out, notes := command(t, "model", "get", "realcustom-sdxl", "--yes", "--keep", "--folder", folder)
	if status != 0 || !strings.Contains(notes, "CreativeML Open RAIL++-M ("+h.URL) {
		t.Fatalf("%d\n%s\n%s", status, out, notes)
	}
	download := filepath.Join(folder, downloadsName, "realcustom-sdxl")
	if _, err := os.Stat(filepath.Join(download, "base", "unet", "config.json")); err != nil {
		t.Error("--keep keeps nothing")
	}
	before := h.bytes.Load()
	if status, _, notes := command(t, "model", "get", "realcustom-released", "--yes", "--folder", folder); status != 0 || !strings.Contains(notes, "more already on this machine") {
		t.Fatalf("%d\n%s", status, notes)
	}
	shared := int64(0)
	for _, name := range []string{"realcustom/RealCustom_highres.pth", "vit_so400m_patch14_siglip_384/open_clip_pytorch_model.bin", "vit_large_patch14_reg4_dinov2.lvd142m/pytorch_model.bin"} {
		info, err := os.Stat(filepath.Join(download, "source", "ckpts", name))
		if err != nil {
			t.Fatal(err)
		}
		shared += info.Size()
	}
	all := int64(0)
	for _, e := range hub.Catalogue() {
		if e.Name == "realcustom-released" {
			p, err := hub.New(os.Getenv).Plan(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			all = p.Bytes()
		}
	}
	if got := h.bytes.Load() - before; got != all-shared {
		t.Errorf("%d bytes were fetched, wanted %d without the %d that were there", got, all-shared, shared)
	}
}

// Another base model goes under a download, as one file, which has no tokenizer, and it can be imported again: also where tokenizers and
// configurations of an earlier download were deleted. Where everything was copied, nothing is left to make a model of, and it says so.
func TestAnotherBaseUnderADownload(t *testing.T) {
	h, folder := getting(t)
	h.addSDXL(t)
	file := filepath.Join(checkpoints(t, synthetic.LDM), "sdxl.safetensors")
	m := &models{}
	for _, name := range []string{"realcustom-sdxl", "realcustom-released"} {
		if status, out, notes := command(t, "model", "get", name, "--yes", "--folder", folder); status != 0 {
			t.Fatalf("%d\n%s\n%s", status, out, notes)
		}
		var one state.Model
		for _, l := range listed1(t, m, folder) {
			if strings.Contains(l.Source, name) {
				one = l
			}
		}
		look := func(when string) {
			t.Helper()
			if in, err := m.Inspect(t.Context(), one.Source, "", file, ""); err != nil || in.Problems != nil {
				t.Errorf("%s, %s, another base model: %v, %v", name, when, err, in.Problems)
			}
		}
		look("new")
		if in, err := m.Inspect(t.Context(), one.Source, "", one.Base, ""); err != nil || in.Problems != nil || one.Bare {
			t.Errorf("%s, again: %v, %v, bare %v", name, err, in.Problems, one.Bare)
		}
		download := filepath.Join(folder, downloadsName, name)
		each := func(do func(path string)) {
			_ = filepath.WalkDir(download, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					do(path)
				}
				return nil
			})
		}
		each(func(path string) {
			if !holdsWeights(path) {
				_ = os.Remove(path)
			}
		})
		look("old")
		path, err := m.Import(t.Context(), state.Import{Source: one.Source, Base: file, Name: name + " on another", Folder: folder}, nothing)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.Open(path); err != nil {
			t.Error(err)
		}
		each(func(path string) { _ = os.Remove(path) })
		if err := os.WriteFile(filepath.Join(one.Source, ".DS_Store"), []byte("Finder was here"), 0o666); err != nil {
			t.Fatal(err)
		}
		if gone := describe(one.Path); !gone.Bare {
			t.Errorf("%s: its checkpoints are gone, and another base model is to go under them", name)
		}
	}
}

// Nobody is asked where nobody is; and after an interrupt the same command goes on without asking again.
func TestModelGetGoesOn(t *testing.T) {
	h, folder := getting(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	stdin := os.Stdin
	os.Stdin = null
	t.Cleanup(func() { os.Stdin = stdin })
	if status, _, notes := command(t, "model", "get", "realcustom-released", "--folder", folder); status != 2 || !strings.Contains(notes, "add --yes") || !strings.Contains(notes, "licence") {
		t.Errorf("%d\n%s", status, notes)
	}
	if _, err := os.Stat(folder); err == nil || h.files.Load() > 0 {
		t.Error("something was done before anybody agreed")
	}
	if status, _, notes := command(t, "model", "get", "nothing"); status != 2 || !strings.Contains(notes, "realcustom-sdxl") {
		t.Errorf("%d %s", status, notes)
	}

	ctx, interrupt := context.WithCancel(t.Context())
	m := &models{}
	var hangs atomic.Bool // in the middle
	h.mu.Lock()
	h.stop = func(path string) bool {
		if strings.HasSuffix(path, "vocab.json") {
			hangs.Store(true)
		}
		return hangs.Load()
	}
	h.mu.Unlock()
	go func() { // once everything that was served is in a file, so that none of it is served again
		for ctx.Err() == nil {
			if hangs.Load() && h.busy.Load() == 0 {
				if begun := m.Unfinished(folder); len(begun) == 1 && begun[0].Done == h.bytes.Load() {
					interrupt()
				}
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var out, screen strings.Builder
	if status := execute(ctx, []string{"model", "get", "realcustom-released", "--yes", "--folder", folder}, &out, &screen); status != 130 || !strings.Contains(screen.String(), "The same command resumes.") {
		t.Fatalf("%d\n%s", status, screen.String())
	}
	begun := m.Unfinished(folder)
	if len(begun) != 1 || begun[0].Done == 0 || begun[0].Done >= begun[0].Plan.Bytes() {
		t.Fatalf("%+v", begun)
	}
	if _, list, _ := command(t, "model", "list", "--available", "--folder", folder); !strings.Contains(list, "started: ") {
		t.Errorf("%s", list)
	}
	h.mu.Lock()
	h.stop = nil
	h.mu.Unlock()
	status, _, notes := command(t, "model", "get", "realcustom-released", "--folder", folder)
	if status != 0 || !strings.Contains(notes, "resumes where it stopped") {
		t.Fatalf("%d\n%s", status, notes)
	}
	if got := h.bytes.Load(); got != begun[0].Plan.Bytes() {
		t.Errorf("%d bytes were served for %d", got, begun[0].Plan.Bytes())
	}
}

// What is installed is known again, also in a folder that is named from where the user is.
func TestInstalledInARelativeFolder(t *testing.T) {
	model, _ := tiny(t)
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "SDXL"), os.DirFS(model)); err != nil {
		t.Fatal(err)
	}
	say := func(source string) {
		data, _ := json.Marshal(origin{Source: source})
		if err := os.WriteFile(filepath.Join(folder, "SDXL", originName), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:9")
	name := (&models{}).Catalogue()[0].Name
	say(filepath.Join(folder, downloadsName, name, "x"))
	t.Chdir(filepath.Dir(folder))
	for _, f := range []string{folder, filepath.Base(folder)} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		var o, e bytes.Buffer
		status := execute(ctx, []string{"model", "get", name, "--yes", "--folder", f}, &o, &e)
		cancel()
		if status != 0 || !strings.Contains(o.String(), "already installed") {
			t.Errorf("--folder %s: status %d, %s%s", f, status, o.String(), e.String())
		}
	}
}
