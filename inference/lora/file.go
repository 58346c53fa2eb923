package lora

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"realword/inference/checkpoint"
	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/tensor"
)

// File is an open LoRA file.
type File struct {
	path    string
	data    *checkpoint.File
	modules map[string]*module // by their names in the file
	unknown []string           // keys that belong to none
	configs []config
	beside  []byte // the configuration of a file of its own, if that counts
}

// module is what a file says of one module: names of tensors, by what they are.
type module struct {
	name string
	keys map[string]string
}

// suffixes lead from the end of a key to what its tensor is. Longer ones come before those that they end in.
var suffixes = []struct{ suffix, kind string }{
	{".lora_linear_layer.down.weight", "down"},
	{".lora_linear_layer.up.weight", "up"},
	{".lora_A.weight", "down"},
	{".lora_B.weight", "up"},
	{".lora.down.weight", "down"},
	{".lora.up.weight", "up"},
	{".lora_down.weight", "down"},
	{".lora_up.weight", "up"},
	{".lora_mid.weight", "mid"},
	{"_lora.down.weight", "processor down"},
	{"_lora.up.weight", "processor up"},
	{".lora_magnitude_vector.default", "magnitude"},
	{".lora_magnitude_vector.weight", "magnitude"},
	{".lora_magnitude_vector", "magnitude"},
	{".dora_scale", "magnitude"},
	{".alpha", "alpha"},
	{".hada_w1_a", "hada_w1_a"},
	{".hada_w1_b", "hada_w1_b"},
	{".hada_w2_a", "hada_w2_a"},
	{".hada_w2_b", "hada_w2_b"},
	{".hada_t1", "hada_t1"},
	{".hada_t2", "hada_t2"},
	{".lokr_w1", "lokr_w1"},
	{".lokr_w1_a", "lokr_w1_a"},
	{".lokr_w1_b", "lokr_w1_b"},
	{".lokr_w2", "lokr_w2"},
	{".lokr_w2_a", "lokr_w2_a"},
	{".lokr_w2_b", "lokr_w2_b"},
	{".lokr_t2", "lokr_t2"},
	{".diff", "diff"},
	{".diff_b", "diff_b"},
	{".w_norm", "diff"},
	{".b_norm", "diff_b"},
}

// adapter is the name that PEFT has among its keys before it saves them.
var adapter = regexp.MustCompile(`(\.lora_A|\.lora_B|\.lora_magnitude_vector)\.\w+\.weight$`)

// Open opens a LoRA file. The caller closes it. The error says what it is instead.
func Open(path string) (*File, error) {
	data, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, data: data, modules: map[string]*module{}}
	for _, e := range data.Entries() {
		if !f.take(e.Name) {
			f.unknown = append(f.unknown, e.Name)
		}
	}
	if kind := f.otherKind(); kind != "" {
		_ = data.Close() // read only: nothing is lost
		return nil, message.Errorf("%s is no LoRA but of another kind, %s, which Realword does not read: use a LoRA", filepath.Base(path), kind)
	}
	if len(data.Entries()) == 0 {
		_ = data.Close() // read only: nothing is lost
		return nil, message.Errorf("%s holds no weights: get the file again", filepath.Base(path))
	}
	if len(f.modules) == 0 {
		_ = data.Close() // read only: nothing is lost
		return nil, message.Errorf("%s is no LoRA: none of its %d tensors is named as those of LoRA files are; a whole model is imported instead",
			filepath.Base(path), len(data.Entries()))
	}
	f.readConfigs()
	return f, nil
}

// Damaged tells whether an error of Open is of a file that is broken, and a LoRA: the tensor that the error names is one of a LoRA's.
func Damaged(err error) bool {
	e, broken := errors.AsType[*checkpoint.FormatError](err)
	return broken && (&File{modules: map[string]*module{}}).take(e.Key)
}

// otherKinds lead from a part of a key to the kind of file that has it.
var otherKinds = []struct{ part, kind string }{
	{"boft_", "BOFT"},
	{"oft_blocks", "OFT"},
	{"oft_diag", "OFT"},
	{".oft_", "OFT"},
	{".a1.weight", "GLoRA"},
	{".on_input", "IA³"},
	{".ia3_l", "IA³"},
	{"vera_lambda", "VeRA"},
	{"lllite", "ControlNet-LLLite"},
	{"emb_params", "Textual Inversion"},
	{"string_to_param", "Textual Inversion"},
}

// otherKind is what a file is in which nothing but alpha is as in LoRA files, "" where that is not known.
func (f *File) otherKind() string {
	for _, m := range f.modules {
		if len(m.keys) > 1 || m.keys["alpha"] == "" {
			return ""
		}
	}
	for _, e := range f.data.Entries() {
		for _, o := range otherKinds {
			if strings.Contains(e.Name, o.part) {
				return o.kind
			}
		}
		if e.Name == "clip_l" || e.Name == "clip_g" {
			return "Textual Inversion"
		}
	}
	return ""
}

// Close closes the file.
func (f *File) Close() error { return f.data.Close() }

// take finds the module that a key belongs to.
func (f *File) take(key string) bool {
	plain := adapter.ReplaceAllString(key, "$1.weight")
	for _, s := range suffixes {
		name, ok := strings.CutSuffix(plain, s.suffix)
		if !ok || name == "" {
			continue
		}
		kind, processor := strings.CutPrefix(s.kind, "processor ")
		if processor {
			name += "_lora"
		}
		m := f.modules[name]
		if m == nil {
			m = &module{name: name, keys: map[string]string{}}
			f.modules[name] = m
		}
		if m.keys[kind] != "" {
			return false // under two names
		}
		m.keys[kind] = key
		return true
	}
	return false
}

// scale is alpha over rank, which is 0 where the tensors do not say it.
func (f *File) scale(m *module, rank int) (float32, error) {
	if key := m.keys["alpha"]; key != "" {
		t, err := f.data.Read(key)
		if err != nil {
			return 0, err
		}
		alpha := math.NaN()
		switch {
		case len(t.F32) == 1:
			alpha = float64(t.F32[0])
		case len(t.I64) == 1:
			alpha = float64(t.I64[0])
		}
		if math.IsNaN(alpha) || math.IsInf(alpha, 0) {
			return 0, f.noNumber(key)
		}
		return float32(alpha / float64(rank)), nil
	}
	c, rest, ok := f.configOf(m)
	if rank = cmp.Or(rank, c.Rank); !ok || rank <= 0 {
		return 1, nil
	}
	alpha := c.Alpha
	if i := slices.IndexFunc(c.Alphas, func(p pattern) bool { return p.module.MatchString(rest) }); i >= 0 {
		alpha = c.Alphas[i].alpha
	}
	if c.Root {
		return float32(alpha / math.Sqrt(float64(rank))), nil
	}
	return float32(alpha / float64(rank)), nil
}

func (f *File) noNumber(key string) error {
	return message.Errorf("%s is damaged: its tensor %s holds what is no number (NaN or infinity); get the file again", filepath.Base(f.path),
		files.Shown(key, 100))
}

// Sum reads the whole file once and returns its SHA-256, or that of it and of the configuration beside it, where that counts. A file with
// a tensor that holds NaN or infinity is an error that names it.
func (f *File) Sum(ctx context.Context) (sum string, err error) {
	r, err := files.Open(f.path)
	if err != nil {
		return "", err
	}
	defer r.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, reader{ctx, r}); err != nil {
		return "", err
	}
	hash.Write(f.beside)
	const piece = 1 << 20
	buffer := make([]byte, piece)
	for _, e := range f.data.Entries() {
		at, ok := f.data.Location(e.Name)
		if !ok || e.DType != tensor.F32 && e.DType != tensor.F16 && e.DType != tensor.BF16 || !at.Dense {
			continue // Combine looks at what it reads, too
		}
		for from := int64(0); from < at.Bytes; from += piece {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			part := buffer[:min(piece, at.Bytes-from)]
			if _, err := r.ReadAt(part, at.Offset+from); err != nil {
				return "", fmt.Errorf("%s: %w", filepath.Base(f.path), err)
			}
			if tensor.NotFinite(part, e.DType) >= 0 {
				return "", f.noNumber(e.Name)
			}
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// reader ends with a context.
type reader struct {
	ctx context.Context
	*os.File
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.File.Read(p)
}

// Fit is what of a file fits a model.
type Fit struct {
	Changes map[string]Form // by the names of the model's weights
	Modules int             // of the file
	Stray   []string        // modules and keys of the file that fit nothing in the model, sorted
	// Unscaled says that PEFT has written the file and that the configuration with its strength is missing: alpha is taken for the rank.
	Unscaled bool

	modules map[string]*module // that change these weights
}

// Form is how a run takes the change of one weight.
type Form struct {
	// Rank is that of the two factors; 0 says that the changed weight itself is wanted.
	Rank int
}

// Fit compares a file with the weights of a model, which is called model and is of a family as in bundle.Manifest. It is an error when
// nothing fits, or when anything that bears the name of one of the model's weights has another shape.
func (f *File) Fit(w Weights, model, family string) (Fit, error) {
	x := newIndex(w)
	fit := Fit{Changes: map[string]Form{}, Modules: len(f.modules), Stray: slices.Clone(f.unknown), modules: map[string]*module{}}
	fit.Unscaled = f.unscaled()
	networks := map[network]int{}
	misfits := []string{}
	for _, m := range f.modules {
		name, n, known := x.find(m.name)
		switch {
		case name == "" && known:
			continue
		case name == "":
			networks[n]++
			fit.Stray = append(fit.Stray, m.name)
			continue
		}
		changes, err := f.forms(m, name, w)
		if err != nil {
			return fit, err
		}
		if changes == nil {
			misfits = append(misfits, m.name)
			continue
		}
		for weight, form := range changes {
			if _, twice := fit.Changes[weight]; twice {
				return fit, message.Errorf("%s changes the model's %s under two names: get the file again, or convert it with the program that made it",
					filepath.Base(f.path), weight)
			}
			fit.Changes[weight], fit.modules[weight] = form, m
		}
	}
	slices.Sort(fit.Stray)
	slices.Sort(misfits)
	base, guess, own := filepath.Base(f.path), f.family(), familyName(family)
	switch {
	case guess != "" && own == "" && (len(misfits) > 0 || len(fit.Changes) == 0):
		return fit, message.Errorf("%s is a LoRA for %s, and the model %s is of another kind: choose a LoRA that was made for it", base, guess, model)
	case guess != "" && guess != own && (len(misfits) > 0 || len(fit.Changes) == 0):
		return fit, message.Errorf("%s is a LoRA for %s, and the model %s is one of %s: choose a LoRA that was made for %s", base, guess, model, own, own)
	case len(misfits) > 0:
		return fit, message.Errorf("%s was made for another model: %d of its %d parts have another shape than those of %s, for instance %s", base,
			len(misfits), len(f.modules), model, files.Shown(misfits[0], 100))
	case len(fit.Changes) > 0:
		return fit, nil
	case networks[text2] == len(fit.Stray) && len(x.modules[text2]) == 0:
		return fit, message.Errorf("%s changes the second text encoder alone, and the model %s has none: choose a LoRA that was made for it", base, model)
	case networks[text1]+networks[text2] == len(fit.Stray) && len(x.modules[text1]) == 0:
		return fit, message.Errorf("%s changes text encoders alone, and those of the model %s cannot be changed: choose another LoRA", base, model)
	case len(fit.Stray) == 0:
		return fit, message.Errorf("%s changes nothing that the model %s uses: choose another LoRA", base, model)
	default:
		return fit, message.Errorf("%s fits nothing in the model %s: none of its %d parts is one of the model's, for instance %s; choose a LoRA that was made for it",
			base, model, len(fit.Stray), files.Shown(fit.Stray[0], 100))
	}
}

// familyName is how people call a family of models, "" for one of their own.
func familyName(family string) string {
	switch family {
	case "sdxl":
		return "SDXL"
	case "sd15":
		return "Stable Diffusion 1.5"
	}
	return ""
}

// family is what a file seems to be made for, "" where it does not show.
func (f *File) family() string {
	second := false
	for _, m := range f.modules {
		n, rest := split(m.name)
		for _, block := range []string{"double_blocks_", "single_blocks_", "single_transformer_blocks_", "joint_blocks_"} {
			if n == elsewhere || strings.Contains(flat(rest), block) {
				return "Flux, Stable Diffusion 3 or another transformer"
			}
		}
		second = second || n == text2
	}
	if second {
		return "SDXL"
	}
	for _, m := range f.modules {
		_, rest := split(m.name)
		if rest = flat(rest); !strings.HasSuffix(rest, "attn2_to_k") && !strings.HasSuffix(rest, "attn2_to_v") {
			continue
		}
		for _, kind := range []string{"down", "hada_w1_b", "diff"} {
			shape, _, ok := f.data.Shape(m.keys[kind])
			if !ok || len(shape) < 2 {
				continue
			}
			switch shape[1] {
			case 768:
				return "Stable Diffusion 1.5"
			case 1024:
				return "Stable Diffusion 2"
			case 2048:
				return "SDXL"
			}
		}
	}
	return ""
}
