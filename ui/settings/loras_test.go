package settings

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/tensor"
	"realword/ui/state"
)

// loraFile writes a LoRA file.
func loraFile(t *testing.T, name string) string {
	t.Helper()
	var b bytes.Buffer
	err := tensor.WriteSafetensors(&b, map[string]*tensor.Tensor{
		"lora_unet_x.lora_down.weight": tensor.Zeros(1, 4), "lora_unet_x.lora_up.weight": tensor.Zeros(4, 1),
	}, map[string]string{"name": name})
	path := filepath.Join(t.TempDir(), name)
	if err = errors.Join(err, os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// fitter knows which LoRAs fit.
type fitter map[string]error

func (f fitter) LoRA(_ context.Context, name string) (inference.LoRA, error) {
	if name == "half" {
		return inference.LoRA{Parts: 8, Stray: 3}, nil
	}
	if name == "unscaled" {
		return inference.LoRA{Parts: 8, Stray: 3, Unscaled: true}, nil
	}
	return inference.LoRA{Parts: 8, SHA256: strings.TrimPrefix(name, "copy of ")}, f[name]
}

type fitting struct{ fitter *fitter }

func (f fitting) LoRA(ctx context.Context, name string) (inference.LoRA, error) {
	return f.fitter.LoRA(ctx, name)
}

// TestALoRAIsLookedAtAgain: what was wrong with a file is not said any more once it is in order and the user adds it again, drops it again, or
// ticks it again.
func TestALoRAIsLookedAtAgain(t *testing.T) {
	for name, again := range map[string]func(*room){
		"added":   func(r *room) { test.Tap(r.LoRAs.Rows[0].Remove); r.LoRAs.Put("detail") },
		"put":     func(r *room) { r.LoRAs.Put("detail") },
		"dropped": func(r *room) { r.LoRAs.Drop([]string{loraFile(t, "detail.safetensors")}, func([]string) {}) },
		"ticked":  func(r *room) { test.Tap(r.LoRAs.Rows[0].On); test.Tap(r.LoRAs.Rows[0].On) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			f := fitter{"detail": errors.New("detail.safetensors cannot be read: input/output error")}
			r.fitter = fitting{&f}
			r.LoRAs.Put("detail")
			r.Settle()
			if !r.LoRAs.Rows[0].Note.Visible() {
				t.Fatal("nothing is said")
			}
			f["detail"] = nil
			again(r)
			r.Settle()
			if n := r.LoRAs.Rows[0].Note; n.Visible() {
				t.Errorf("its file can be read now, and its row says %q", n.Text)
			}
		})
	}
}

// TestTwoLoRAsOfOneFile: under the later one stands at once which other is the same file, as long as both are used.
func TestTwoLoRAsOfOneFile(t *testing.T) {
	r := newRoom(t)
	r.fitter = fitting{&fitter{}}
	r.LoRAs.Put("copy of detail")
	r.LoRAs.Put("detail")
	r.Settle()
	first, second := r.LoRAs.Rows[0], r.LoRAs.Rows[1]
	const want = "This is the same file as copy of detail: leave one out, and add the weights."
	if first.Note.Visible() || second.Note.Text != want {
		t.Errorf("%q, %q", first.Note.Text, second.Note.Text)
	}
	test.Tap(first.On)
	r.Settle()
	if second.Note.Visible() {
		t.Errorf("the other is left out, and it says %q", second.Note.Text)
	}
	test.Tap(first.On)
	r.Settle()
	if second.Note.Text != want {
		t.Errorf("both are used: %q", second.Note.Text)
	}
	test.Tap(first.Remove)
	r.Settle()
	if n := r.LoRAs.Rows[0].Note; n.Visible() {
		t.Errorf("the other is removed, and it says %q", n.Text)
	}
}

// TestADamagedLoRAIsSaid to be one, and is no model to be added; the others are taken.
func TestADamagedLoRAIsSaid(t *testing.T) {
	r := newRoom(t)
	var bad []string
	for _, name := range []string{"cut.safetensors", "half.safetensors"} {
		path := loraFile(t, name)
		data, err := os.ReadFile(path)
		if err = errors.Join(err, os.WriteFile(path, data[:len(data)-20], 0o600)); err != nil {
			t.Fatal(err)
		}
		bad = append(bad, path)
	}
	r.LoRAs.Drop([]string{bad[0], loraFile(t, "detail.safetensors"), bad[1]}, func(paths []string) { t.Errorf("%q are no LoRAs", paths) })
	r.Settle()
	if len(r.said) != 1 || !strings.Contains(r.said[0], "cut.safetensors") || !strings.Contains(r.said[0], "half.safetensors") ||
		r.form().LoRAs != "<lora:detail:1>" {
		t.Errorf("it says %q, and the list is %s", r.said, r.form().LoRAs)
	}
}

// TestALoRAStaysOutOfAnotherSession that comes up while its file is chosen, or copied.
func TestALoRAStaysOutOfAnotherSession(t *testing.T) {
	for name, ask := range map[string]func(r *room){
		"chosen":  func(r *room) { r.LoRAs.ask() },
		"dropped": func(r *room) { r.LoRAs.Drop([]string{r.file}, func([]string) { t.Error("it is none") }) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			r.file = loraFile(t, "detail.safetensors")
			ask(r)
			r.Change(func(s *state.State) { s.History.Up++ })
			r.Settle()
			if r.form().LoRAs != "" || len(r.library.Files()) != 1 || len(r.said) != 1 || !strings.Contains(r.said[0], "Another session") {
				t.Errorf("its list is %q, in the folder are %v, said is %q", r.form().LoRAs, r.library.Files(), r.said)
			}
		})
	}
}

// TestLoRAList drops files into the list, turns them on and off, weighs and removes them; what is wrong with one is under its row.
func TestLoRAList(t *testing.T) {
	r := newRoom(t)
	r.fitter = fitting{&fitter{"other": errors.New("other.safetensors is a LoRA for SDXL: choose another one")}}
	var rest []string
	picture := filepath.Join(t.TempDir(), "dog.bin")
	if err := os.WriteFile(picture, []byte("no LoRA"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.LoRAs.Drop([]string{loraFile(t, "detail.safetensors"), picture, loraFile(t, "other.safetensors"), loraFile(t, "half.safetensors")},
		func(paths []string) { rest = paths })
	r.Settle()
	if !slices.Equal(rest, []string{picture}) || len(r.library.Files()) != 3 || len(r.LoRAs.Rows) != 3 {
		t.Fatal(rest, r.library.Files(), len(r.LoRAs.Rows), r.said)
	}
	if got := r.form().LoRAs; got != "<lora:detail:1><lora:other:1><lora:half:1>" {
		t.Error(got)
	}
	detail, other, half := r.LoRAs.Rows[0], r.LoRAs.Rows[1], r.LoRAs.Rows[2]
	if detail.Note.Visible() || !other.Note.Visible() || !strings.Contains(other.Note.Text, "for SDXL") || !strings.Contains(half.Note.Text, "3 of its 8 parts") {
		t.Errorf("%q, %q, %q", detail.Note.Text, other.Note.Text, half.Note.Text)
	}
	detail.Slider.SetValue(-0.65)
	test.Tap(other.On)
	test.Tap(half.Remove)
	r.Settle()
	if got := r.form().LoRAs; got != "<lora:detail:-0.65><lora:other:1:off>" {
		t.Error(got)
	}
	if len(r.LoRAs.Rows) != 2 || detail.Value.Text != "-0.65" && detail.Value.Text != "−0.65" || other.On.Checked || other.Note.Visible() {
		t.Error(len(r.LoRAs.Rows), detail.Value.Text, other.On.Checked, other.Note.Text)
	}
	if asked := r.form().Request(); inference.LoRAText(asked.Settings) != "detail -0.65" {
		t.Error(inference.LoRAText(asked.Settings))
	}

	// The menu offers those of the folder that are not in the list.
	var names []string
	for _, item := range r.LoRAs.items() {
		names = append(names, item.Label)
	}
	if !slices.Equal(names, []string{"half", "", "From a file…"}) {
		t.Error(names)
	}
	r.LoRAs.items()[0].Action()
	r.file = loraFile(t, "third.safetensors")
	r.LoRAs.ask()
	r.Settle()
	if got := r.form().LoRAs; got != "<lora:detail:-0.65><lora:other:1:off><lora:half:1><lora:third:1>" {
		t.Error(got)
	}
	r.file = picture
	r.LoRAs.ask()
	r.Settle()
	if len(r.said) != 1 || len(r.LoRAs.Rows) != 4 {
		t.Error(r.said)
	}
	r.LoRAs.Put("other")
	if got := r.form().LoRAs; !strings.Contains(got, "<lora:other:1><") {
		t.Error(got)
	}

	r.LoRAs.Put("unscaled")
	r.Settle()
	if unscaled := r.LoRAs.Rows[4]; !strings.Contains(unscaled.Note.Text, "adapter_config.json is missing") {
		t.Errorf("%q", unscaled.Note.Text)
	}

	// A recipe takes the list's place.
	r.Change(func(st *state.State) { st.Form.LoRAs = "<lora:nobody:0.5:" + strings.Repeat("a", 64) + ">" })
	if len(r.LoRAs.Rows) != 1 || r.LoRAs.Rows[0].On.Text != "nobody" || r.LoRAs.Rows[0].Slider.Value != 0.5 {
		t.Error(len(r.LoRAs.Rows))
	}
	r.Change(func(st *state.State) { st.Form.LoRAs = "" })
	if len(r.LoRAs.Rows) != 0 {
		t.Error("rows stay")
	}
	r.Settle()
}
