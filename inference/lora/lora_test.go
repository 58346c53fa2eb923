package lora

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/checkpoint"
	"realword/inference/tensor"
)

const golden = "../../assets/golden/data/"

// tinyModel are the weights of a tiny model, by the names of its graphs.
func tinyModel(t testing.TB, name string) (Weights, func(string) (*tensor.Tensor, error)) {
	t.Helper()
	weights, sources, keys := Weights{}, map[string]*checkpoint.File{}, map[string]string{}
	for prefix, file := range map[string]string{
		"": "unet/diffusion_pytorch_model.safetensors", "text_encoder.": "text_encoder/model.safetensors",
		"text_encoder_2.": "text_encoder_2/model.safetensors",
	} {
		f, err := checkpoint.Open(filepath.Join(golden, name, filepath.FromSlash(file)))
		if err != nil && prefix == "text_encoder_2." {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		for _, e := range f.Entries() {
			if !strings.Contains(e.Name, "_vision") {
				weights[prefix+e.Name], sources[prefix+e.Name], keys[prefix+e.Name] = e.Shape, f, e.Name
			}
		}
	}
	return weights, func(name string) (*tensor.Tensor, error) { return sources[name].Read(keys[name]) }
}

// merged is a whole weight under a mix.
func merged(t *testing.T, mix *Mix, name string, read func(string) (*tensor.Tensor, error)) []float32 {
	t.Helper()
	if whole := mix.Whole[name]; whole != nil {
		return whole.F32
	}
	f, ok := mix.Factors[name]
	if !ok {
		t.Fatalf("%s is not changed", name)
	}
	base, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	r, out := f.A.Shape[0], f.B.Shape[0]
	n := tensor.Count(f.A.Shape[1:])
	for o := range out {
		for k := range r {
			for i := range n {
				base.F32[o*n+i] += f.B.F32[o*r+k] * f.A.F32[k*n+i]
			}
		}
	}
	return base.F32
}

// TestGoldens compares merged weights with those of diffusers, PEFT and LyCORIS.
func TestGoldens(t *testing.T) {
	paths, err := filepath.Glob(golden + "loras/goldens/*.safetensors")
	if err != nil || len(paths) != 10 {
		t.Fatalf("%d goldens: %v", len(paths), err)
	}
	factors, whole := 0, 0
	for _, path := range paths {
		name := "tiny"
		if strings.HasPrefix(filepath.Base(path), "tiny-xl-") {
			name = "tiny-xl"
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".safetensors"), func(t *testing.T) {
			want, err := checkpoint.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer want.Close()
			weights, read := tinyModel(t, name)
			f, err := Open(golden + "loras/" + want.Metadata()["lora"])
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			fit, err := f.Fit(weights, name, "sdxl")
			if err != nil || len(fit.Stray) > 0 {
				t.Fatal(err, fit.Stray)
			}
			weight := map[string]float64{"-0.7": -0.7, "1.3": 1.3, "0.8": 0.8, "1": 1}[want.Metadata()["weight"]]
			mix, err := Combine(t.Context(), []Part{{f, fit, weight}}, weights, read)
			if err != nil {
				t.Fatal(err)
			}
			factors, whole = factors+len(mix.Factors), whole+len(mix.Whole)
			compared := 0
			for _, e := range want.Entries() {
				weight, ok := strings.CutPrefix(e.Name, "weights.")
				if !ok || fit.modules[weight] == nil {
					continue
				}
				compared++
				expected, err := want.Read(e.Name)
				if err != nil {
					t.Fatal(err)
				}
				got := merged(t, mix, weight, read)
				base, _ := read(weight)
				var off, all, moved float64
				for i, v := range expected.F32 {
					off += math.Pow(float64(got[i]-v), 2)
					all += math.Pow(float64(v), 2)
					moved += math.Pow(float64(base.F32[i]-v), 2)
				}
				if !(math.Sqrt(off/all) < 1e-5) || moved < 1e-4*all {
					t.Errorf("%s is off by %.2g of its length; the LoRA moves it by %.2g", weight, math.Sqrt(off/all), math.Sqrt(moved/all))
				}
			}
			if compared < 2 {
				t.Errorf("%d weights were compared", compared)
			}
		})
	}
	t.Logf("%d weights as factors, %d whole", factors, whole)
	if factors < 100 || whole < 100 {
		t.Errorf("%d weights as factors, %d whole: both ways should be taken", factors, whole)
	}
}

// TestOriginalNames brings the names of the original programs back to those of diffusers, by the code that imports checkpoints.
func TestOriginalNames(t *testing.T) {
	for _, name := range []string{"tiny", "tiny-xl"} {
		weights, _ := tinyModel(t, name)
		ldm := ldmNames(weights)
		modules := 0
		src := names{}
		for w := range weights {
			if module, ok := strings.CutSuffix(w, ".weight"); ok && !strings.HasPrefix(w, "text_encoder") {
				modules++
				src = append(src, ldm[module]+".weight")
			}
		}
		view, err := checkpoint.UNet(src.sorted())
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, e := range view.Entries() {
			if _, ok := weights[e.Name]; ok {
				found++
			}
		}
		if found != modules || len(ldm) != modules {
			t.Errorf("%s: %d of %d modules are found again under %d names", name, found, modules, len(ldm))
		}
		x := newIndex(weights)
		for module, original := range ldm {
			for _, as := range []string{"lora_unet_" + flat(original), "lora_unet_" + flat(module), "unet." + module, "base_model.model." + module, "diffusion_model." + original} {
				if got, n, _ := x.find(as); got != module || n != unet {
					t.Fatalf("%s is %q of %v, not %s", as, got, n, module)
				}
			}
		}
	}
	weights, _ := tinyModel(t, "tiny-xl")
	x := newIndex(weights)
	for as, want := range map[string]string{
		"lora_te1_text_model_encoder_layers_0_self_attn_q_proj":                         "text_encoder.text_model.encoder.layers.0.self_attn.q_proj",
		"lora_te2_text_model_encoder_layers_0_mlp_fc1":                                  "text_encoder_2.text_model.encoder.layers.0.mlp.fc1",
		"text_encoder_2.text_model.encoder.layers.0.self_attn.out_proj":                 "text_encoder_2.text_model.encoder.layers.0.self_attn.out_proj",
		"text_encoder.encoder.layers.0.mlp.fc2":                                         "text_encoder.text_model.encoder.layers.0.mlp.fc2",
		"unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora":    "mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
		"mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_out_lora":       "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0",
		"text_encoder.text_model.encoder.layers.0.self_attn.to_q_lora":                  "text_encoder.text_model.encoder.layers.0.self_attn.q_proj",
		"text_encoder_2.text_model.encoder.layers.0.self_attn.to_v_lora":                "text_encoder_2.text_model.encoder.layers.0.self_attn.v_proj",
		"text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora":                "text_encoder.text_model.encoder.layers.0.self_attn.out_proj",
		"text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.v_proj": "text_encoder.text_model.encoder.layers.0.self_attn.v_proj",
		"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k_vision":       "",
		"lora_te3_text_model_encoder_layers_0_mlp_fc1":                                  "",
		"lora_unet_double_blocks_0_img_attn_qkv":                                        "",
		"base_model.model.text_model.encoder.layers.0.mlp.fc1":                          "text_encoder.text_model.encoder.layers.0.mlp.fc1",
		"lycoris_mid_block_attentions_0_proj_in":                                        "mid_block.attentions.0.proj_in",
		"model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_k":          "mid_block.attentions.0.transformer_blocks.0.attn1.to_k",
		"unet.base_model.model.mid_block.attentions.0.transformer_blocks.0.attn1.to_k":  "mid_block.attentions.0.transformer_blocks.0.attn1.to_k",
		"lora_unet_middle_block_1_transformer_blocks_0_ff_net_0_proj":                   "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
		"lora_unet_time_embed_0":                                                        "time_embedding.linear_1",
		"lora_unet_label_emb_0_2":                                                       "add_embedding.linear_2",
	} {
		if got, _, _ := x.find(as); got != want {
			t.Errorf("%s is %q, not %q", as, got, want)
		}
	}
}

// names is a checkpoint of names alone.
type names []string

func (n names) sorted() names {
	for i := range n {
		for j := i; j > 0 && n[j] < n[j-1]; j-- {
			n[j], n[j-1] = n[j-1], n[j]
		}
	}
	return n
}

func (n names) Entries() (list []checkpoint.Entry) {
	for _, name := range n {
		list = append(list, checkpoint.Entry{Name: name, DType: tensor.F32})
	}
	return list
}

func (n names) Shape(name string) ([]int, tensor.DType, bool) {
	for _, have := range n {
		if have == name {
			return nil, tensor.F32, true
		}
	}
	return nil, 0, false
}

func (n names) Read(string) (*tensor.Tensor, error) { return tensor.Zeros(), nil }
