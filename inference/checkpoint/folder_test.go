package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/tensor"
)

// folder writes files into a new folder. Values that are tensors become a safetensors file.
func folder(t *testing.T, files map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		switch c := content.(type) {
		case string:
			_, err = f.WriteString(c)
		case memory:
			err = tensor.WriteSafetensors(f, c, map[string]string{"part": name})
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenFolder(t *testing.T) {
	const index = "model.safetensors.index.json"
	one, two := "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
	for name, c := range map[string]struct {
		files map[string]any
		want  string
	}{
		"diffusers":         {map[string]any{"diffusion_pytorch_model.safetensors": memory{"a": ramp(1)}, "diffusion_pytorch_model.fp16.safetensors": memory{"half": ramp(1)}, "config.json": "{}"}, "a"},
		"only half":         {map[string]any{"model.fp16.safetensors": memory{"half": ramp(1)}}, "half"},
		"own name":          {map[string]any{"mine.safetensors": memory{"a": ramp(1)}, "readme.md": "x"}, "a"},
		"parts":             {map[string]any{index: `{"weight_map":{"a":"` + one + `","b":"` + two + `"}}`, one: memory{"a": ramp(1), "surplus": ramp(1)}, two: memory{"b": ramp(1)}}, "a b"},
		"fp16 variant":      {map[string]any{"model.fp16.safetensors.index.json": `{"metadata":{"total_size":[1,{"x":null}]},"weight_map":{"a":"model-00001-of-00002.fp16.safetensors","b":"model-00002-of-00002.fp16.safetensors"}}`, "model-00001-of-00002.fp16.safetensors": memory{"a": ramp(1)}, "model-00002-of-00002.fp16.safetensors": memory{"b": ramp(1)}}, "a b"},
		"older fp16":        {map[string]any{"diffusion_pytorch_model.safetensors.index.fp16.json": `{"weight_map":{"a":"diffusion_pytorch_model.fp16-00001-of-00001.safetensors"}}`, "diffusion_pytorch_model.fp16-00001-of-00001.safetensors": memory{"a": ramp(1)}}, "a"},
		"without an index":  {map[string]any{one: memory{"a": ramp(1)}, two: memory{"b": ramp(1)}}, "a b"},
		"same in two parts": {map[string]any{index: `{"weight_map":{"a":"` + one + `","b":"` + two + `"}}`, one: memory{"a": ramp(1), "b": ramp(9)}, two: memory{"b": ramp(1)}}, "a b"},
	} {
		f, err := OpenFolder(folder(t, c.files))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := namesOf(f); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
		for _, e := range f.Entries() {
			expectTensor(t, f, e.Name, []int{1}, 0)
			if l, ok := f.Location(e.Name); !ok || !strings.HasSuffix(l.Path, ".safetensors") {
				t.Errorf("%s: %v", name, l)
			}
		}
		if surplus := strings.HasSuffix(name, "parts"); surplus != (len(f.Ignored()) == 1) {
			t.Errorf("%s: ignored %v", name, f.Ignored())
		}
		if f.Metadata()["part"] == "" {
			t.Errorf("%s: no metadata", name)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func manyParts() string {
	var b strings.Builder
	for i := range maxParts + 1 {
		fmt.Fprintf(&b, `,"t%d":"p%d"`, i, i)
	}
	return b.String()[1:]
}

func TestBadFolders(t *testing.T) {
	const index = "model.safetensors.index.json"
	for name, c := range map[string]struct {
		files map[string]any
		want  string
	}{
		"empty":            {nil, "holds no weights"},
		"ambiguous":        {map[string]any{"a.safetensors": memory{"a": ramp(1)}, "b.bin": "x"}, "several weight files: a.safetensors, b.bin"},
		"part missing":     {map[string]any{index: `{"weight_map":{"a":"gone.safetensors"}}`}, `the part "gone.safetensors" is missing`},
		"tensor missing":   {map[string]any{index: `{"weight_map":{"b":"p.safetensors"}}`, "p.safetensors": memory{"a": ramp(1)}}, `tensor "b": the index places it in p.safetensors`},
		"escaping part":    {map[string]any{index: `{"weight_map":{"a":"../p.safetensors"}}`}, "not below its folder"},
		"part is dots":     {map[string]any{index: `{"weight_map":{"a":".."}}`}, "not below its folder"},
		"part is a folder": {map[string]any{index: `{"weight_map":{"a":"."}}`}, "this is a folder"},
		"absolute part":    {map[string]any{index: `{"weight_map":{"a":"/etc/passwd"}}`}, "not below its folder"},
		"index not JSON":   {map[string]any{index: `<html>`}, "not valid JSON"},
		"index empty":      {map[string]any{index: `{}`}, "names no tensors"},
		"index twice":      {map[string]any{index: `{"weight_map":{"a":"p.safetensors","a":"q.safetensors"}}`}, `tensor "a": the index places it twice`},
		"index of depth":   {map[string]any{index: `{"metadata":` + strings.Repeat("[", 1<<20)}, "nests deeper"},
		"index of null":    {map[string]any{index: `{"weight_map":null}`}, "not valid JSON"},
		"index of numbers": {map[string]any{index: `{"weight_map":{"a":1}}`}, "not valid JSON"},
		"endless index":    {map[string]any{index: strings.Repeat(" ", maxIndex+1)}, "4194305 bytes"},
		"many parts":       {map[string]any{index: `{"weight_map":{` + manyParts() + `}}`}, "more than 512 parts"},
		"a part too few":   {map[string]any{"model-00001-of-00003.safetensors": memory{"a": ramp(1)}, "model-00002-of-00003.safetensors": memory{"b": ramp(1)}}, "several weight files"},
		"parts that share": {map[string]any{"model-00001-of-00002.safetensors": memory{"a": ramp(1)}, "model-00002-of-00002.safetensors": memory{"a": ramp(1)}}, `tensor "a": it is also in model-00001-of-00002.safetensors`},
		"two indexes":      {map[string]any{"model.fp16.safetensors.index.json": "{}", "model.bf16.safetensors.index.json": "{}", "model-00001-of-00001.fp16.safetensors": "", "x.bin": ""}, "several weight files"},
		"damaged part":     {map[string]any{index: `{"weight_map":{"a":"p.safetensors"}}`, "p.safetensors": ""}, "p.safetensors: the file is empty"},
		"weights are text": {map[string]any{"model.safetensors": "version https://git-lfs.github.com/spec/v1\n"}, "Git LFS"},
	} {
		f, err := OpenFolder(folder(t, c.files))
		if err == nil {
			f.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenFolder(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("a folder that does not exist was opened")
	}
}
