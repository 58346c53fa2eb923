package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"realword/inference/bundle"
	"realword/inference/synthetic"
	"realword/inference/tensor"
	"realword/ui/state"
)

// checkpoints writes a tiny synthetic tree.
func checkpoints(t *testing.T, layout string) string {
	t.Helper()
	o := synthetic.Options{Layout: layout, Sizes: synthetic.Tiny, DType: tensor.F16}
	files, err := synthetic.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tree")
	if err := synthetic.Write(context.Background(), dir, files, o, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func nothing(string, int64, int64) {}

func listed1(t *testing.T, m *models, folder string, elsewhere ...string) []state.Model {
	t.Helper()
	list, err := m.List(folder, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestModelsOfAFolder(t *testing.T) {
	ctx, m, folder, source := context.Background(), &models{}, filepath.Join(t.TempDir(), "models"), checkpoints(t, synthetic.LDM)
	base := filepath.Join(source, "sdxl.safetensors")
	if list := listed1(t, m, folder); len(list) != 1 || list[0].Path != "" || list[0].Manifest == nil || list[0].Bytes < 1<<20 {
		t.Fatalf("%+v", list)
	}
	var told int
	path, err := m.Import(ctx, state.Import{Source: source, Base: base, Name: "Dreams: 1/2", Folder: folder}, func(string, int64, int64) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(path) != folder || strings.ContainsAny(filepath.Base(path), ":/") || told == 0 {
		t.Errorf("%s, told %d times", path, told)
	}
	second, err := m.Import(ctx, state.Import{Source: source, Base: base, Name: "Dreams: 1/2", Folder: folder, Copy: true}, nothing)
	if err != nil || second == path {
		t.Fatal(second, err)
	}
	list := listed1(t, m, folder)
	if len(list) != 3 || list[1].Name() != "Dreams: 1/2" || list[1].Source != source || list[1].Base != base || list[1].State != state.ModelReady || list[1].Elsewhere {
		t.Fatalf("%+v", list[1:])
	}
	if copied, mapped := list[2], list[1]; copied.Mapped != 0 || mapped.Mapped < 1<<20 || copied.Bytes <= mapped.Bytes {
		t.Errorf("mapped %d + %d bytes, copied %d + %d", mapped.Bytes, mapped.Mapped, copied.Bytes, copied.Mapped)
	}
	if err := m.Check(ctx, path, nothing); err != nil {
		t.Error(err)
	}
	if err := m.Rename(path, "Mine"); err != nil {
		t.Error(err)
	}
	if list := listed1(t, m, folder); list[2].Name() != "Mine" {
		t.Errorf("%s", list[2].Name())
	}

	// A checkpoint that is gone: the model that maps it says so, the copied one works on.
	if err := os.Rename(base, base+".away"); err != nil {
		t.Fatal(err)
	}
	list = listed1(t, m, folder)
	if list[1].State != state.ModelReady || list[2].State != state.ModelMissing || list[2].Err == nil || list[2].Manifest == nil {
		t.Errorf("%+v", list[1:])
	}
	// Damage that only the sums show, then a manifest that cannot be read.
	weights, err := os.OpenFile(filepath.Join(second, "weights", "unet.bin"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := weights.WriteAt([]byte{1, 2, 3}, 1000); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(weights.Close(), os.WriteFile(filepath.Join(path, bundle.ManifestName), []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(ctx, second, nothing); err == nil || !strings.Contains(err.Error(), "weights/unet.bin") {
		t.Error(err)
	}
	for _, l := range listed1(t, m, folder) {
		if l.Path == path && (l.State != state.ModelDamaged || l.Err == nil) {
			t.Errorf("%+v", l)
		}
	}
}

func TestRemoveModel(t *testing.T) {
	m, folder, source := &models{}, t.TempDir(), checkpoints(t, synthetic.Diffusers)
	path, err := m.Import(context.Background(), state.Import{Source: source, Name: "One", Folder: folder}, nothing)
	if err != nil {
		t.Fatal(err)
	}
	undo, err := m.Remove(path)
	if err != nil || len(listed1(t, m, folder)) != 1 {
		t.Fatal(err, "it is still listed")
	}
	if err := undo(); err != nil || len(listed1(t, m, folder)) != 2 {
		t.Fatal(err, "it is not back")
	}
	if err := m.close(); err != nil || len(listed1(t, m, folder)) != 2 {
		t.Fatal(err, "what was brought back is deleted")
	}
	if _, err := m.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	if _, err := os.Stat(filepath.Join(source, "unet", "config.json")); err != nil {
		t.Errorf("the checkpoints were touched: %v", err)
	}
	if _, err := m.Remove(source); err == nil {
		t.Error("checkpoints were taken for a model")
	}
}

func TestImportLeavesNothing(t *testing.T) {
	m, folder, source := &models{}, t.TempDir(), checkpoints(t, synthetic.Release)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := m.Import(ctx, state.Import{Source: source, Name: "One", Folder: folder}, func(string, int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := m.Import(context.Background(), state.Import{Source: t.TempDir(), Name: "Two", Folder: folder}, nothing); err == nil {
		t.Error("an empty folder was imported")
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestModelsElsewhereAndRests(t *testing.T) {
	m, folder := &models{}, t.TempDir()
	gone := filepath.Join(folder, "not", "there")
	list := listed1(t, m, folder, gone)
	if len(list) != 2 || list[1].State != state.ModelMissing || !list[1].Elsewhere || !strings.Contains(list[1].Err.Error(), "connect its drive") {
		t.Errorf("%+v", list)
	}
	old := time.Now().Add(-2 * abandoned)
	for name, age := range map[string]time.Time{".partial-old": old, removedPrefix + "old": old, ".partial-new": time.Now(), "pictures": old} {
		dir := filepath.Join(folder, name)
		if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "x"), nil, 0o600), os.Chtimes(filepath.Join(dir, "x"), age, age), os.Chtimes(dir, age, age)); err != nil {
			t.Fatal(err)
		}
	}
	if list := listed1(t, m, folder); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2 || entries[0].Name() != ".partial-new" || entries[1].Name() != "pictures" {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestTheCardInUseIsListed: a model of the farm that is open is listed under its name, and a card that cannot be read as damaged.
func TestTheCardInUseIsListed(t *testing.T) {
	home(t)
	b, err := openModel(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Card()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, broken := filepath.Join(dir, "0123456789abcdef"+bundle.CardExtension), filepath.Join(dir, "fedcba9876543210"+bundle.CardExtension)
	for file, data := range map[string][]byte{path: data, broken: data[:len(data)/2]} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := listed1(t, &models{}, filepath.Join(dir, "models"), path, broken)
	for _, one := range list[1:] {
		switch {
		case !one.Card || !one.Elsewhere:
			t.Errorf("%+v", one)
		case one.Path == path && (one.Err != nil || one.Name() != b.Manifest().Name):
			t.Errorf("it is listed as %q: %v", one.Name(), one.Err)
		case one.Path == broken && (one.Err == nil || one.State != state.ModelDamaged):
			t.Errorf("a card that cannot be read is listed as %q", one.Name())
		}
	}
}
