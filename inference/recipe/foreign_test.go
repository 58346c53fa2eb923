package recipe

import (
	"encoding/binary"
	"hash/crc32"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"realword/inference"
	"realword/inference/picture"
)

// TestForeignRecipes: pictures of other programs, with what is right for them.
func TestForeignRecipes(t *testing.T) {
	for name, want := range map[string]struct {
		Recipe
		notes []string
	}{
		"utf8-in-text.png": {Recipe{Model: "someXL_v10", Program: "v1.9.4", Request: inference.Request{Prompt: "a café dog, 犬 on the beach 🌊", Settings: inference.Settings{Negative: "ピンボケ", Steps: 28, CFG: 6.5, Width: 832, Height: 1216, Sampler: "euler-a"}, Seeds: []uint64{3141592653}}}, nil},
		"fooocus.png":      {Recipe{Model: "someXL", Program: "Fooocus v2.5.0", Request: inference.Request{Prompt: "a dog on the beach", Settings: inference.Settings{Negative: "blurry", Steps: 30, CFG: 4}, Seeds: []uint64{3456789}}}, []string{"made with ADM Guidance (1.5, 0.8, 0.3) too"}},
		"template.png":     {Recipe{Model: "someXL_v10", Program: "v1.9.4", Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Negative: "blurry", Steps: 28, CFG: 6.5, Width: 832, Height: 1216, Sampler: "euler-a"}, Seeds: []uint64{3141592653}}}, []string{"Template: a {dog|cat}"}},
		"seed64.png": {Recipe{Model: "someXL_v10", Program: "v1.9.4", Request: inference.Request{
			Prompt:   "a dog",
			Settings: inference.Settings{Steps: 28, CFG: 6.5, Width: 832, Height: 1216, Sampler: "euler-a"}, Seeds: []uint64{607539957654043},
		}}, []string{"607539957654043 has more than 32 bits"}},
		"weights.png": {Recipe{Model: "someXL_v10", Program: "v1.9.4", Request: inference.Request{Prompt: "masterpiece, (a dog:1.3) on the [beach], BREAK sunset", Settings: inference.Settings{LoRAs: "<lora:style:0.7>", Negative: "(worst quality:1.4)", Steps: 28, CFG: 6.5, Width: 832, Height: 1216, Sampler: "euler-a"}, Seeds: []uint64{3141592653}}}, []string{"BREAK"}},
	} {
		file, err := os.ReadFile(filepath.Join("testdata", "foreign", name))
		if err != nil {
			t.Fatal(err)
		}
		checkForeign(t, name, file, want.Recipe, want.notes)
	}
}

// TestForeignJSON: what else other programs write, in the form of their own pictures.
func TestForeignJSON(t *testing.T) {
	dog := Recipe{Request: inference.Request{Prompt: "a dog on the beach", Settings: inference.Settings{Negative: "blurry", Steps: 30, CFG: 4, Width: 1152, Height: 896}, Seeds: []uint64{7}}}
	of := func(program, model string, change func(*Recipe)) Recipe {
		r := dog
		r.Program, r.Model = program, model
		if change != nil {
			change(&r)
		}
		return r
	}
	comfy := func(more ...string) string { return `{` + strings.Join(append(more, comfyBase...), ",") + `}` }
	for name, c := range map[string]struct {
		keyword, text string
		want          Recipe
		notes         []string
	}{
		"SwarmUI": {"parameters", `{"sui_image_params":{"prompt":"a dog on the beach","negativeprompt":"blurry","model":"sd_xl","seed":7,"steps":30,"cfgscale":4.0,"width":1152,"height":896,
			"sampler":"ddim","swarm_version":"0.9.3.1","loras":["y"],"loraweights":["1"]},"sui_extra_data":{"date":"2024"}}`, of("SwarmUI 0.9.3.1", "sd_xl", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:y:1>" }), nil},
		"Fooocus": {"parameters", `{"prompt":"a dog on the beach","negative_prompt":"blurry","styles":"['Fooocus V2']","performance":"Speed","steps":30,"resolution":"(1152, 896)",
			"guidance_scale":4,"base_model":"juggernaut","sampler":"dpmpp_2m_sde_gpu","scheduler":"karras","seed":"7","loras":[["a.safetensors",0.1]],"lora_combined_1":"b : 0.5",
			"lora_combined_2":"None : 1.0","version":"Fooocus v2.5.5"}`, of("Fooocus v2.5.5", "juggernaut", func(r *Recipe) { r.Sampler, r.LoRAs = "dpm++2msde-karras", "<lora:a:0.1><lora:b:0.5>" }), []string{"Fooocus V2"}},
		"InvokeAI": {
			"invokeai_metadata", `{"generation_mode":"sdxl_txt2img","positive_prompt":"a dog on the beach","negative_prompt":"blurry","width":1152,"height":896,"seed":7,"cfg_scale":4.0,"steps":30,
			"scheduler":"ddim","model":{"key":"x","name":"sdxl"},"loras":[{"model":{"name":"new"},"weight":0.7},{"lora":{"model_name":"old"}}],"app_version":"4.2.6"}`,
			of("InvokeAI 4.2.6", "sdxl", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:new:0.7><lora:old:1>" }),
			nil,
		},
		"InvokeAI 2": {"sd-metadata", `{"model":"stable diffusion","model_weights":"sd-1.5","app_version":"2.3.0","image":{"prompt":[{"prompt":"a dog on the beach [blurry]","weight":1}],
			"steps":30,"cfg_scale":4,"seed":7,"width":1152,"height":896,"sampler":"k_lms"}}`, of("InvokeAI 2.3.0", "sd-1.5", nil), []string{"k_lms"}},
		"NovelAI": {"Comment", `{"prompt":"a dog on the beach","steps":30,"height":896,"width":1152,"scale":4.0,"uc":"blurry","seed":7,"sampler":"k_euler"}`, of("NovelAI", "", func(r *Recipe) { r.Sampler = "euler" }), nil},
		"ComfyUI": {"prompt", comfy(`"3":{"class_type":"KSampler","is_changed":[NaN],"inputs":{"seed":7,"steps":30,"cfg":4.0,"sampler_name":"ddim","scheduler":"normal","denoise":1,
			"model":["4",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`), of("ComfyUI", "", func(r *Recipe) { r.Sampler = "ddim" }), []string{`"normal", is not one that the sampler DDIM has`}},
		"ComfyUI with a LoRA": {"prompt", comfy(`"3":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4.0,"sampler_name":"ddim","model":["9",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`,
			`"9":{"class_type":"LoraLoader","inputs":{"lora_name":"styles\\x.safetensors","strength_model":-0.25,"model":["4",0],"clip":["4",1]}}`), of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:x:-0.25>" }), nil},
		"ComfyUI, values from nodes": {
			"prompt", comfy(`"3":{"class_type":"KSampler","inputs":{"seed":["20",0],"steps":30,"cfg":4,"sampler_name":"euler","scheduler":"sgm_uniform","positive":["8",0],"negative":["7",0],"latent_image":["5",0]}}`,
				`"20":{"class_type":"PrimitiveInt","inputs":{"value":7}}`, `"8":{"class_type":"ConditioningSetArea","inputs":{"conditioning":["9",0],"strength":1}}`,
				`"9":{"class_type":"CLIPTextEncodeSDXL","inputs":{"text_g":["10",0],"text_l":"a dog on the beach","width":1}}`, `"10":{"class_type":"String","inputs":{"string":"a dog on the beach"}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler = "euler-trailing" }),
			nil,
		},
		"ComfyUI, guider without negative": {
			"prompt", comfy(`"3":{"class_type":"SamplerCustomAdvanced","inputs":{"noise":["11",0],"guider":["12",0],"sampler":["13",0],"sigmas":["14",0],"latent_image":["5",0]}}`,
				`"11":{"class_type":"RandomNoise","inputs":{"noise_seed":7}}`, `"12":{"class_type":"BasicGuider","inputs":{"model":["4",0],"conditioning":["15",0]}}`,
				`"13":{"class_type":"KSamplerSelect","inputs":{"sampler_name":"ddim"}}`, `"14":{"class_type":"BasicScheduler","inputs":{"steps":30}}`,
				`"15":{"class_type":"FluxGuidance","inputs":{"guidance":3.5,"conditioning":["6",0]}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Negative, r.CFG, r.Sampler = "", 0, "ddim" }),
			[]string{"ambiguous about: guidance"},
		},
		"ComfyUI, two samplers": {
			"prompt", comfy(`"3":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"ddim","positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`,
				`"30":{"class_type":"KSampler","inputs":{"seed":8,"steps":30,"cfg":4,"sampler_name":"ddim","positive":["6",0],"negative":["7",0],"latent_image":["31",0]}}`,
				`"31":{"class_type":"LatentUpscale","inputs":{"width":2304,"height":1792,"samples":["3",0]}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Seeds, r.Width, r.Height, r.Sampler = nil, 0, 0, "ddim" }),
			[]string{"seed, size"},
		},
		"ComfyUI, a circle": {
			"prompt", `{"3":{"class_type":"KSampler","inputs":{"steps":30,"positive":["4",0],"negative":["4",0],"latent_image":["4",0],"seed":["4",0]}},
			"4":{"inputs":{"conditioning":["3",0],"seed":["4",0],"positive":["3",0],"latent_image":["4",0]}}}`,
			Recipe{Program: "ComfyUI"},
			[]string{"prompt, negative prompt, steps"},
		},
		"Fooocus, lists": {
			"parameters", `{"prompt":["a dog on the beach"],"negative_prompt":["blurry","","lowres"],"performance":"Speed","steps":30}`,
			Recipe{Request: inference.Request{Prompt: "a dog on the beach", Settings: inference.Settings{Negative: "blurry, lowres", Steps: 30}}},
			nil,
		},
		"Fooocus since 2.5": {"parameters", `{"base_model":"juggernaut","clip_skip":2,"full_prompt":["a dog on the beach"],"guidance_scale":4,"loras":[["sd_xl_offset_example-lora_1.0",0.1,"4852686128"]],
			"lora_combined_1":"sd_xl_offset_example-lora_1.0 : 0.1","metadata_scheme":"fooocus","negative_prompt":"blurry","performance":"Speed","prompt":"a dog on the beach","resolution":"(1152, 896)",
			"sampler":"dpmpp_2m_sde_gpu","scheduler":"karras","seed":"7","steps":30,"styles":"[]","version":"Fooocus v2.5.5"}`, of("Fooocus v2.5.5", "juggernaut", func(r *Recipe) {
			r.Sampler, r.LoRAs = "dpm++2msde-karras", "<lora:sd_xl_offset_example-lora_1.0:0.1>"
		}), nil},
		"Fooocus, A1111's form": {
			"parameters", "a dog on the beach\nNegative prompt: blurry\nSteps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 7, Size: 1152x896, CFG scale: 4, Model: juggernaut, Lora hashes: \"a_1.0: 48, b: e5\", Lora weights: \"a_1.0: 0.1, b: -1\", Version: Fooocus v2.5.5",
			of("Fooocus v2.5.5", "juggernaut", func(r *Recipe) { r.Sampler, r.LoRAs = "dpm++2msde-karras", "<lora:a_1.0:0.1><lora:b:-1>" }),
			nil,
		},
		"names with points": {
			"invokeai_metadata", `{"positive_prompt":"a dog on the beach","negative_prompt":"blurry","width":1152,"height":896,"seed":7,"cfg_scale":4.0,"steps":30,"scheduler":"ddim","loras":[{"model":{"name":"Pixel Art v1.1"},"weight":0.75}],"app_version":"5.0"}`,
			of("InvokeAI 5.0", "", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:Pixel Art v1.1:0.75>" }),
			nil,
		},
		"NovelAI, Karras": {
			"Comment", `{"prompt":"1.2::a dog::, beach","steps":30,"height":896,"width":1152,"scale":4.0,"cfg_rescale":0.4,"uc":"blurry","seed":7,"noise_schedule":"karras","sampler":"k_euler_ancestral"}`,
			of("NovelAI", "", func(r *Recipe) { r.Prompt, r.Sampler, r.Rescale = "1.2::a dog::, beach", "euler-a-karras", 0.4 }),
			[]string{`"1.2::a dog"`},
		},
		"NovelAI, native": {
			"Comment", `{"prompt":"a dog on the beach","steps":30,"height":896,"width":1152,"scale":4.0,"uc":"blurry","seed":7,"noise_schedule":"native","sampler":"k_euler_ancestral"}`,
			of("NovelAI", "", func(r *Recipe) { r.Sampler = "euler-a" }),
			nil,
		},
		"ComfyUI, other loaders of LoRAs": {
			"prompt", comfy(`"3":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4.0,"sampler_name":"ddim","denoise":1.00,"model":["9",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`,
				`"8":{"class_type":"Power Lora Loader (rgthree)","inputs":{"PowerLoraLoaderHeaderWidget":{"type":"x"},"lora_1":{"on":true,"lora":"x\\pixel.safetensors","strength":0.8},"lora_2":{"on":false,"lora":"no.safetensors","strength":1},"model":["4",0],"clip":["4",1]}}`,
				`"9":{"class_type":"CR Apply LoRA Stack","inputs":{"model":["8",0],"clip":["8",1],"lora_stack":["91",0]}}`,
				`"91":{"class_type":"CR LoRA Stack","inputs":{"lora_stack":["10",0],"switch_1":"On","lora_name_1":"one.safetensors","model_weight_1":0.5,"clip_weight_1":1,"switch_2":"Off","lora_name_2":"two.safetensors","model_weight_2":1}}`,
				`"10":{"class_type":"LoRA Stacker","inputs":{"input_mode":"advanced","lora_count":2,"lora_name_1":"s.safetensors","lora_wt_1":1,"model_str_1":0.3,"lora_name_2":"None","lora_wt_2":1,"lora_name_3":"not.safetensors"}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:s:0.3><lora:pixel:0.8><lora:one:0.5>" }), nil,
		},
		"ComfyUI, a loader of all": {
			"prompt", `{"3":{"class_type":"KSampler (Efficient)","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"ddim","denoise":1,"model":["10",0],"positive":["10",1],"negative":["10",2],"latent_image":["10",3]}},
			"10":{"class_type":"Efficient Loader","inputs":{"ckpt_name":"x.safetensors","lora_name":"y.safetensors","lora_model_strength":0.5,"positive":"a dog on the beach","negative":"blurry","empty_latent_width":1152,"empty_latent_height":896}}}`,
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:y:0.5>" }),
			nil,
		},
		"ComfyUI, two texts of one node": {
			"prompt", comfy(`"3":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"ddim","denoise":1,"positive":["60",0],"negative":["70",0],"latent_image":["5",0]}}`,
				`"60":{"class_type":"CLIPTextEncode","inputs":{"text":["12",0]}}`, `"70":{"class_type":"CLIPTextEncode","inputs":{"text":["12",1]}}`,
				`"12":{"class_type":"PromptPair","inputs":{"prompt":"a dog on the beach","negative_prompt":"blurry"}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.Negative = "ddim", "" }),
			[]string{"ambiguous about: negative prompt"},
		},
		"ComfyUI, what took no part": {
			"prompt", comfy(comfySampler, comfySaved[0], comfySaved[1],
				`"20":{"class_type":"LoraLoader","inputs":{"lora_name":"spare.safetensors","strength_model":1,"strength_clip":1,"model":["4",0],"clip":["4",1]}}`,
				`"21":{"class_type":"CLIPTextEncode","inputs":{"text":"a cat","clip":["20",1]}}`,
				`"23":{"class_type":"KSampler","inputs":{"seed":99,"steps":8,"cfg":1,"sampler_name":"lcm","scheduler":"normal","denoise":0.3,"model":["20",0],"positive":["21",0],"negative":["7",0],"latent_image":["3",0]}}`,
				`"24":{"class_type":"VAEDecode","inputs":{"samples":["23",0],"vae":["4",2]}}`,
				`"25":{"class_type":"ControlNetApply","inputs":{"conditioning":["6",0],"control_net":["26",0],"image":["27",0]}}`,
				`"26":{"class_type":"ControlNetLoader","inputs":{"control_net_name":"x"}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler = "ddim" }), nil,
		},
		"ComfyUI, two that are saved": {
			"prompt", comfy(comfySampler, comfySaved[0], comfySaved[1],
				`"23":{"class_type":"KSampler","inputs":{"seed":8,"steps":30,"cfg":4,"sampler_name":"ddim","scheduler":"sgm_uniform","positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`,
				`"24":{"class_type":"Image Keeper","inputs":{"x":["23",0]}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.Seeds = "ddim", nil }),
			[]string{"ambiguous about: seed"},
		},
		"ComfyUI, a switch": {
			"prompt", comfy(strings.Replace(comfySampler, `"model":["4",0]`, `"model":["20",0]`, 1), comfySaved[0], comfySaved[1],
				`"20":{"class_type":"ImpactSwitch","inputs":{"select":2,"sel_mode":false,"input1":["21",0],"input2":["22",0]}}`,
				`"21":{"class_type":"LoraLoaderModelOnly","inputs":{"lora_name":"no.safetensors","strength_model":1,"model":["4",0]}}`,
				`"22":{"class_type":"ComfySwitchNode","inputs":{"switch":true,"on_false":["21",0],"on_true":["23",0]}}`,
				`"23":{"class_type":"LoraLoaderModelOnly","inputs":{"lora_name":"x.safetensors","strength_model":["24",0],"model":["4",0]}}`,
				`"24":{"class_type":"PrimitiveFloat","inputs":{"value":0.5}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:x:0.5>" }), nil,
		},
		"ComfyUI, a weight that is worked out": {
			"prompt", comfy(strings.Replace(comfySampler, `"model":["4",0]`, `"model":["20",0]`, 1),
				`"20":{"class_type":"LoraLoaderModelOnly","inputs":{"lora_name":["23",0],"strength_model":["24",0],"model":["21",0]}}`,
				`"21":{"class_type":"LoraLoaderModelOnly","inputs":{"lora_name":["22",0],"strength_model":1,"model":["4",0]}}`,
				`"22":{"class_type":"Pick","inputs":{"folder":"styles"}}`, `"23":{"class_type":"String","inputs":{"string":"x.safetensors"}}`,
				`"24":{"class_type":"SimpleMath","inputs":{"a":0.5,"op":"*"}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:x:1>" }),
			[]string{"ambiguous about: weight of a LoRA, LoRA"},
		},
		"ComfyUI, a subgraph, and what shows a text": {
			"prompt", `{"1:3":{"class_type":"KSampler","inputs":{"seed":["9",0],"steps":30,"cfg":4,"sampler_name":"ddim","positive":["1:6",0],"negative":["1:7",0],"latent_image":["1:5",0]}},
			"9":{"class_type":"Seed (rgthree)","inputs":{"seed":7}},"2":{"class_type":"PreviewImage","inputs":{"images":["1:8",0]}},"1:8":{"class_type":"VAEDecode","inputs":{"samples":["1:3",0]}},
			"1:5":{"class_type":"EmptyLatentImage","inputs":{"width":["10",0],"height":["11",0],"batch_size":1}},"10":{"class_type":"PrimitiveInt","inputs":{"value":1152}},"11":{"class_type":"PrimitiveInt","inputs":{"value":896}},
			"1:6":{"class_type":"CLIPTextEncode","inputs":{"text":["12",0],"clip":["4",1]}},"12":{"class_type":"ShowText|pysssss","inputs":{"text":["13",0],"text_0":"an earlier cat"}},
			"13":{"class_type":"easy showAnything","inputs":{"text":"an earlier cat","anything":["14",0]}},"14":{"class_type":"StringConstantMultiline","inputs":{"string":"a dog on the beach","strip_newlines":true}},
			"1:7":{"class_type":"CLIPTextEncode","inputs":{"text":["15",0],"clip":["4",1]}},"15":{"class_type":"PrimitiveStringMultiline","inputs":{"value":"blurry"}}}`,
			of("ComfyUI", "", func(r *Recipe) { r.Sampler = "ddim" }), nil,
		},
		"ComfyUI, a loader of linked texts": {
			"prompt", `{"3":{"class_type":"KSampler (Efficient)","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"ddim","denoise":1,"model":["10",0],"positive":["10",1],"negative":["10",2],"latent_image":["10",3]}},
			"10":{"class_type":"Efficient Loader","inputs":{"ckpt_name":"x.safetensors","lora_name":"None","positive":["11",0],"negative":["12",0],"empty_latent_width":1152,"empty_latent_height":896}},
			"11":{"class_type":"String Literal","inputs":{"string":"a dog on the beach"}},"12":{"class_type":"Text Multiline","inputs":{"text":"blurry"}}}`,
			of("ComfyUI", "", func(r *Recipe) { r.Sampler = "ddim" }), nil,
		},
		"ComfyUI, a loader of changed texts": {
			"prompt", `{"3":{"class_type":"KSampler (Efficient)","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"ddim","denoise":1,"model":["10",0],"positive":["10",1],"negative":["10",2],"latent_image":["10",3]}},
			"10":{"class_type":"Efficient Loader","inputs":{"ckpt_name":"x.safetensors","lora_name":"None","positive":["11",0],"negative":["12",0],"empty_latent_width":1152,"empty_latent_height":896}},
			"11":{"class_type":"Text Find and Replace","inputs":{"text":["12",0],"find":"cat","replace":"dog"}},"12":{"class_type":"Text Multiline","inputs":{"text":"blurry"}}}`,
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.Prompt = "ddim", "" }),
			[]string{"ambiguous about: prompt"},
		},
		"ComfyUI, a size that is chosen": {
			"prompt", comfy(strings.Replace(comfySampler, `["5",0]`, `["20",0]`, 1),
				`"20":{"class_type":"EmptyLatentImage","inputs":{"width":["21",0],"height":["21",1],"batch_size":1}}`,
				`"21":{"class_type":"CR Aspect Ratio","inputs":{"width":1024,"height":1024,"aspect_ratio":"3:4 portrait 896x1152"}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.Width, r.Height = "ddim", 0, 0 }),
			[]string{"ambiguous about: size"},
		},
		"ComfyUI, from a picture": {
			"prompt", comfy(`"3":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"ddim","denoise":0.4,"positive":["11",0],"negative":["11",1],"latent_image":["9",0]}}`,
				`"9":{"class_type":"VAEEncode","inputs":{"pixels":["8",0]}}`, `"8":{"class_type":"LoadImage","inputs":{"image":"x.png"}}`,
				`"11":{"class_type":"ControlNetApplyAdvanced","inputs":{"strength":1,"positive":["6",0],"negative":["7",0],"control_net":["12",0],"image":["8",0]}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler, r.Width, r.Height = "ddim", 0, 0 }),
			[]string{"ambiguous about: size", "Denoising strength 0.4, ControlNet ControlNetApplyAdvanced"},
		},
		"what is not read": {
			"parameters", "a dog <lora:x:0:0.8>\nSteps: 20, Sampler: Euler a Karras, Schedule type: SGM Uniform, Seed: 7, Size: 512x768, Model: x, Clip skip: 2, Denoising strength: 0.4, Hires upscale: 2, Hires steps: 10, Variation seed: 1, Variation seed strength: 0.3, Tiling: True",
			Recipe{Model: "x", Request: inference.Request{
				Prompt: "a dog", Settings: inference.Settings{Steps: 20, Width: 512, Height: 768, Sampler: "euler-a-trailing", LoRAs: "<lora:x:0.8>"}, Seeds: []uint64{7},
			}},
			[]string{"Clip skip 2, Denoising strength 0.4, Hires upscale 2, Hires steps 10, Variation seed strength 0.3, Tiling True too"},
		},
		"what changes nothing": {
			"parameters", "a dog\nSteps: 20, Sampler: DDIM, Seed: 7, Clip skip: 1, Denoising strength: 1, Tiling: False",
			Recipe{Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Steps: 20, Sampler: "ddim"}, Seeds: []uint64{7}}},
			nil,
		},
		"LoRAs that act in parts": {
			"parameters", "a dog <lora:x:0.8:lbw=OUTALL:stop=10> <lora:y:0.5:ALL> <lora:z:1:1:128>\nSteps: 20, Sampler: DDIM, Seed: 7",
			Recipe{Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Steps: 20, Sampler: "ddim", LoRAs: "<lora:x:0.8><lora:y:0.5><lora:z:1>"}, Seeds: []uint64{7}}},
			[]string{`its LoRA x says "lbw=OUTALL:stop=10" too`, `its LoRA y says "ALL" too`, `its LoRA z says "128" too`},
		},
		"Civitai's generator": {
			"parameters", "a dog on the beach\nNegative prompt: blurry\nSteps: 30, Sampler: DDIM, CFG scale: 4, Seed: 7, Size: 1152x896, Created Date: 2024-10-03T05:26:26.7437829Z, " +
				`Civitai resources: [{"type":"checkpoint","modelVersionId":128713,"modelName":"Dream, Seed: 9","modelVersionName":"8"},{"type":"lora","weight":0.8,"modelVersionId":87153,"modelName":"More details"},` +
				`{"type":"lycoris","modelVersionId":5},{"type":"embed","modelName":"easy"}], Civitai metadata: {}`,
			of("", "Dream, Seed: 9", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:More details:0.8><lora:5:1>" }),
			[]string{"made with Civitai resources embed easy too"},
		},
		"Civitai's, without others": {
			"parameters", "a dog on the beach <lora:x:0.3>\nNegative prompt: blurry\nSteps: 30, Sampler: DDIM, CFG scale: 4, Seed: 7, Size: 1152x896, Model: y, " +
				`Civitai resources: [{"type":"checkpoint","modelName":"z"},{"type":"lora","weight":0.8,"modelName":"More details"}]`,
			of("", "y", func(r *Recipe) { r.Sampler, r.LoRAs = "ddim", "<lora:x:0.3>" }), nil,
		},
		"Civitai's, cut off": {
			"parameters", "a dog on the beach\nNegative prompt: blurry\nSteps: 30, Sampler: DDIM, CFG scale: 4, Seed: 7, Size: 1152x896, " +
				`Civitai resources: [{"type":"lora","weight":0.8,"modelN`,
			of("", "", func(r *Recipe) { r.Sampler = "ddim" }),
			[]string{`made with Civitai resources [{"type":"lora" too`},
		},
		"decimal commas and a mark": {
			"parameters", "\ufeffa dog\nSteps: 20, Sampler: DDIM, CFG scale: 7,5, Seed: 7",
			Recipe{Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Steps: 20, CFG: 7.5, Sampler: "ddim"}, Seeds: []uint64{7}}},
			nil,
		},
		"a schedule of its own": {
			"parameters", "a dog\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Automatic, Seed: 7",
			Recipe{Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Steps: 20, Sampler: "dpm++2m-karras"}, Seeds: []uint64{7}}},
			nil,
		},
		"a schedule that the sampler has not": {
			"parameters", `{"sui_image_params":{"prompt":"a dog on the beach","negativeprompt":"blurry","seed":7,"steps":30,"cfgscale":4.0,"width":1152,"height":896,"sampler":"ddim","scheduler":"karras"}}`,
			of("SwarmUI", "", func(r *Recipe) { r.Sampler = "ddim" }),
			[]string{`its schedule type, "karras", is not one that the sampler DDIM has here`},
		},
		"the other schedule of a sampler": {
			"prompt", comfy(strings.Replace(comfySampler, `"ddim"`, `"lcm"`, 1)), of("ComfyUI", "", func(r *Recipe) { r.Sampler = "lcm-trailing" }), nil,
		},
		"ComfyUI, one schedule of two samplers": {
			"prompt", comfy(strings.Replace(comfySampler, `"ddim"`, `"euler"`, 1),
				`"30":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"euler","scheduler":"sgm_uniform","positive":["6",0],"negative":["7",0],"latent_image":["31",0]}}`,
				`"31":{"class_type":"LatentUpscale","inputs":{"width":2304,"height":1792,"samples":["3",0]}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Width, r.Height, r.Sampler = 0, 0, "euler-trailing" }),
			[]string{"size"},
		},
		"ComfyUI, two schedules": {
			"prompt", comfy(strings.Replace(comfySampler, `"ddim"`, `"euler"`, 1),
				`"30":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"euler","scheduler":"karras","positive":["6",0],"negative":["7",0],"latent_image":["3",0]}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler = "euler" }),
			[]string{"ambiguous about: schedule type"},
		},
		"ComfyUI, levels of noise of their own": {
			"prompt", comfy(`"3":{"class_type":"SamplerCustom","inputs":{"noise_seed":7,"cfg":4,"positive":["6",0],"negative":["7",0],"sampler":["13",0],"sigmas":["14",0],"latent_image":["5",0]}}`,
				`"13":{"class_type":"KSamplerSelect","inputs":{"sampler_name":"euler"}}`, `"14":{"class_type":"KarrasScheduler","inputs":{"steps":30,"sigma_max":14.6,"sigma_min":0.03,"rho":7}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler = "euler-karras" }), nil,
		},
		"ComfyUI, levels of noise of nobody": {
			"prompt", comfy(`"3":{"class_type":"SamplerCustom","inputs":{"noise_seed":7,"cfg":4,"positive":["6",0],"negative":["7",0],"sampler":["13",0],"sigmas":["14",0],"latent_image":["5",0]}}`,
				`"13":{"class_type":"KSamplerSelect","inputs":{"sampler_name":"euler"}}`, `"14":{"class_type":"AlignYourStepsScheduler","inputs":{"model_type":"SDXL","steps":30,"denoise":1}}`),
			of("ComfyUI", "", func(r *Recipe) { r.Sampler = "euler" }),
			[]string{`"AlignYourStepsScheduler", is not one of Realword's`},
		},
		"a schedule of nobody": {
			"parameters", "a dog\nSchedule type: Beta, Steps: 20, Sampler: Euler, Seed: 7",
			Recipe{Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Steps: 20, Sampler: "euler"}, Seeds: []uint64{7}}},
			[]string{`"Beta"`},
		},
		"a prompt that looks like JSON": {"parameters", "{dog|cat} on the beach\nSteps: 30, CFG scale: 4, Seed: -1, Size: 1152x896", Recipe{Request: inference.Request{
			Prompt: "{dog|cat} on the beach", Settings: inference.Settings{Steps: 30, CFG: 4, Width: 1152, Height: 896},
		}}, []string{`"-1"`}},
		"odd numbers": {
			"parameters", "a dog\nSteps: 0, CFG scale: 99, Seed: 99999999999999999999, Size: 0x7, Sampler: DDIM",
			Recipe{Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Sampler: "ddim"}}},
			[]string{`steps, "0"`, `"99"`, "99999999999999999999", `"0x7"`},
		},
		"long values": {"parameters", "a dog\nSteps: " + strings.Repeat("9", 5000) + ", Model: " + strings.Repeat("m", 5000) + ", Seed: 7", Recipe{
			Model:   strings.Repeat("m", 240) + "…",
			Request: inference.Request{Prompt: "a dog", Seeds: []uint64{7}},
		}, []string{`its number of steps, "9`}},
		"JSON of nobody": {"parameters", `{"a":1}`, Recipe{Request: inference.Request{Prompt: `{"a":1}`}}, []string{`"{\"a\":1}"`}},
	} {
		checkForeign(t, name, pngWith(t, c.keyword, c.text), c.want, c.notes)
	}
}

// TestChangedTexts: a text that a node of ComfyUI changes is not what the picture was made of.
func TestChangedTexts(t *testing.T) {
	sampler := strings.Replace(comfySampler, `["6",0]`, `["20",0]`, 1)
	encoder := `"20":{"class_type":"CLIPTextEncode","inputs":{"text":["21",0],"clip":["4",1]}}`
	text := `"22":{"class_type":"Text Multiline","inputs":{"text":"a cat"}}`
	for name, c := range map[string]struct{ node, want string }{
		"replaced":        {`"Text Find and Replace","inputs":{"text":["22",0],"find":"cat","replace":"dog"}`, ""},
		"of a core node":  {`"StringReplace","inputs":{"string":["22",0],"find":"cat","replace":"dog"}`, ""},
		"an instruction":  {`"OllamaGenerate","inputs":{"prompt":"Write of a dog","model":"llama3"}`, ""},
		"without options": {`"TranslateText","inputs":{"text":["22",0]}`, ""},
		"at random":       {`"DPRandomGenerator","inputs":{"text":"a {cat|dog}","seed":7}`, ""},
		"of a picture":    {`"Look","inputs":{"prompt":"a cat","image":["22",0]}`, ""},
		"put together":    {`"StringConcatenate","inputs":{"string_a":["22",0],"string_b":"in the sun","delimiter":", "}`, ""},
		"begun":           {`"Prefix","inputs":{"text":["22",0],"prefix":"best quality"}`, ""},
		"deeper":          {`"Show any","inputs":{"text":["23",0]}`, ""},
		"a circle":        {`"Show any","inputs":{"text":["21",0]}`, ""},
		"two shown":       {`"ShowTwo","inputs":{"a":["22",0],"b":["23",0]}`, ""},
		"shown":           {`"ShowText|pysssss","inputs":{"text":["22",0],"text2":"an earlier dog"}`, "a cat"},
		"to the console":  {`"Text to Console","inputs":{"text":["22",0],"label":"Text Output"}`, "a cat"},
		"handed on":       {`"ReroutePrimitive|pysssss","inputs":{"value":["22",0]}`, "a cat"},
		"its own":         {`"Text String","inputs":{"text":"a cat","text_b":"","text_c":"","text_d":""}`, "a cat"},
		"with a negative": {`"PromptPair","inputs":{"prompt":"a cat","negative_prompt":"blurry"}`, "a cat"},
		"with a switch":   {`"Text _O","inputs":{"text":"a cat","speak_and_recognation":true}`, "a cat"},
	} {
		graph := "{" + strings.Join(append([]string{
			sampler, encoder, `"21":{"class_type":` + c.node + `}`, text,
			`"23":{"class_type":"StringTrim","inputs":{"string":["22",0],"mode":"Both"}}`,
		}, comfyBase...), ",") + "}"
		r, _, err := Read(pngWith(t, "prompt", graph))
		told := slices.ContainsFunc(r.Notes, func(n error) bool { return strings.Contains(n.Error(), "ambiguous about: prompt") })
		if err != nil || r.Prompt != c.want || told != (c.want == "") {
			t.Errorf("%s: %q, notes %q, %v; want %q", name, r.Prompt, r.Notes, err, c.want)
		}
	}
}

// TestMadeWithMore: whatever program made a picture, what it has done beside what Realword does is told, and what has changed nothing is not.
func TestMadeWithMore(t *testing.T) {
	graph := func(more ...string) string { return "{" + strings.Join(append(more, comfyBase...), ",") + "}" }
	a1111 := func(more string) string {
		return "a dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, " + more
	}
	for name, c := range map[string]struct{ keyword, text, told string }{
		"A1111": {
			"parameters", a1111("Eta: 0.5, ENSD: 31337, RNG: NV, Hires steps: 10, Distilled CFG Scale: 3.5, Face restoration: CodeFormer"),
			"Eta 0.5, ENSD 31337, RNG NV, Hires steps 10, Distilled CFG Scale 3.5, Face restoration CodeFormer",
		},
		"A1111, nothing":           {"parameters", a1111("RNG: CPU, ENSD: 0, Refiner: None, Emphasis: Original"), ""},
		"A1111, no noise to delay": {"parameters", strings.Replace(a1111("ENSD: 31337"), "Euler a", "Euler", 1), ""},
		"InvokeAI": {
			"invokeai_metadata", `{"generation_mode":"sdxl_img2img","positive_prompt":"a dog","seed":7,"strength":0.6,"controlnets":[{"control_model":{"name":"canny"}}],
			"ipAdapters":[{"ip_adapter_model":{"key":"x","name":"plus"}}],"t2iAdapters":[{"t2i_adapter_model":{"model_name":"sketch"}}],"clip_skip":1,"seamless_x":true,"rand_device":"cuda",
			"refiner_model":{"name":"refiner"},"hrf_enabled":true,"hrf_strength":0.45}`,
			"Denoising strength 0.6, Clip skip 2, Tiling True, RNG CUDA, Refiner refiner, Hires upscale True, ControlNet canny, T2I-Adapter sketch, IP-Adapter plus",
		},
		"InvokeAI's canvas": {
			"invokeai_metadata", `{"generation_mode":"sdxl_txt2img","positive_prompt":"a dog","strength":0.6,"rand_device":"cpu","ref_images":[{"isEnabled":true,"config":{"type":"ip_adapter","model":{"name":"face"}}},
			{"isEnabled":false,"config":{"model":{"name":"no"}}}],"canvas_v2_metadata":{"controlLayers":[{"isEnabled":true,"controlAdapter":{"model":{"name":"depth"}}},{"isEnabled":false}],"regionalGuidance":[{"id":"a"}]}}`,
			"ControlNet depth, IP-Adapter face, Regional guidance True",
		},
		"InvokeAI, nothing": {
			"invokeai_metadata", `{"generation_mode":"sdxl_txt2img","positive_prompt":"a dog","strength":null,"controlnets":[],"ipAdapters":[],"clip_skip":0,"seamless_x":false,"seamless_y":false,
			"rand_device":"cpu","ref_images":[],"regions":[],"refiner_model":null,"hrf_enabled":null,"canvas_v2_metadata":{"controlLayers":[],"regionalGuidance":[]}}`, "",
		},
		"InvokeAI 2": {"sd-metadata", `{"image":{"type":"img2img","prompt":"a dog","strength":0.5,"seamless":true,"hires_fix":true}}`, "Denoising strength 0.5, Tiling True, Hires upscale True"},
		"SwarmUI": {
			"parameters", `{"sui_image_params":{"prompt":"a dog","initimagecreativity":0.4,"variationseed":3,"variationseedstrength":0.3,"controlnetmodel":"c","controlnettwomodel":"d","refinermethod":"PostApply",
			"refinermodel":"(Use Base)","refinercontrolpercentage":0.2,"refinerupscale":1.5,"clipstopatlayer":-2,"seamlesstileable":"X-Only"}}`,
			"Denoising strength 0.4, Variation seed strength 0.3, ControlNet c, ControlNet d, Refiner 0.2, Hires upscale 1.5, Clip skip 2, Tiling X-Only",
		},
		"SwarmUI, nothing": {"parameters", `{"sui_image_params":{"prompt":"a dog","refinercontrolpercentage":0,"refinerupscale":1,"clipstopatlayer":-1,"seamlesstileable":"false"}}`, ""},
		"NovelAI": {
			"Comment", `{"prompt":"a dog","uc":"","scale":5,"strength":0.7,"request_type":"Img2ImgRequest","reference_strength_multiple":[0.6,0.3],"sm":true,"dynamic_thresholding":true,"skip_cfg_above_sigma":19,"controlnet_model":"hed"}`,
			"Denoising strength 0.7, ControlNet hed, Vibe transfer 0.6, Vibe transfer 0.3, SMEA True, Decrisper True, Variety+ 19",
		},
		"NovelAI, nothing": {
			"Comment", `{"prompt":"a dog","uc":"","scale":5,"request_type":"PromptGenerateRequest","reference_strength_multiple":[],"sm":false,"dynamic_thresholding":false,"skip_cfg_above_sigma":null,"controlnet_model":null,"controlnet_strength":1.0}`, "",
		},
		"Fooocus": {
			"parameters", `{"prompt":"a dog","performance":"Lightning","refiner_model":"x","refiner_switch":0.8,"sharpness":2.0,"adm_guidance":"(1.5, 0.8, 0.3)","clip_skip":1}`,
			"Refiner x, Sharpness 2, ADM Guidance (1.5, 0.8, 0.3), Performance Lightning",
		},
		"Fooocus, a LoRA of its own": {"parameters", `{"prompt":"a dog","performance":"LCM","refiner_model":"None","clip_skip":2,"loras":[["sdxl_lcm_lora.safetensors",1]]}`, ""},
		"ComfyUI": {
			"prompt", graph(strings.Replace(comfySampler, `"model":["4",0]`, `"model":["30",0]`, 1), comfySaved[0], comfySaved[1],
				`"30":{"class_type":"FreeU_V2","inputs":{"model":["31",0],"b1":1.3}}`, `"31":{"class_type":"IPAdapterAdvanced","inputs":{"model":["32",0],"ipadapter":["32",1],"image":["33",0]}}`,
				`"32":{"class_type":"IPAdapterUnifiedLoader","inputs":{"model":["4",0],"preset":"PLUS"}}`, `"33":{"class_type":"LoadImage","inputs":{"image":"x.png"}}`),
			"node FreeU_V2, node IPAdapterAdvanced",
		},
		"ComfyUI, a last layer": {
			"prompt", graph(strings.Replace(comfySampler, `["6",0]`, `["16",0]`, 1), comfySaved[0], comfySaved[1],
				`"16":{"class_type":"CLIPTextEncode","inputs":{"text":"a dog","clip":["34",0]}}`, `"34":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["4",1]}}`,
				`"40":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-3,"clip":["4",1]}}`),
			"Clip skip 2",
		},
		"ComfyUI, a refiner": {
			"prompt", graph(`"3":{"class_type":"KSamplerAdvanced","inputs":{"add_noise":"enable","noise_seed":7,"steps":30,"start_at_step":0,"end_at_step":24,"cfg":4,"sampler_name":"ddim","scheduler":"simple","model":["4",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`,
				`"30":{"class_type":"KSamplerAdvanced","inputs":{"add_noise":"disable","noise_seed":7,"steps":30,"start_at_step":24,"end_at_step":10000,"cfg":4,"sampler_name":"ddim","scheduler":"simple","model":["31",0],"positive":["6",0],"negative":["7",0],"latent_image":["3",0]}}`,
				`"31":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"refiner.safetensors"}}`),
			"Refiner refiner.safetensors",
		},
		"ComfyUI, begun later": {
			"prompt", graph(`"3":{"class_type":"KSamplerAdvanced","inputs":{"add_noise":"enable","noise_seed":7,"steps":30,"start_at_step":12,"end_at_step":10000,"cfg":4,"sampler_name":"ddim","scheduler":"simple","model":["4",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`),
			"Denoising strength 0.6",
		},
	} {
		r, _, err := Read(pngWith(t, c.keyword, c.text))
		told := ""
		for _, n := range r.Notes {
			if _, made, is := strings.Cut(n.Error(), "it was made with "); is {
				told, _, _ = strings.Cut(made, " too, which is left out")
			}
		}
		if err != nil || told != c.told {
			t.Errorf("%s: %q, want %q (%q, %v)", name, told, c.told, r.Notes, err)
		}
	}
}

// TestTakenOver: what other programs call by a name of their own and Realword has.
func TestTakenOver(t *testing.T) {
	rescaled := `"30":{"class_type":"RescaleCFG","inputs":{"model":["4",0],"multiplier":0.7}}`
	for name, text := range map[string][2]string{
		"InvokeAI": {"invokeai_metadata", `{"positive_prompt":"a dog","cfg_rescale_multiplier":0.7}`},
		"ComfyUI":  {"prompt", "{" + strings.Join(append([]string{strings.Replace(comfySampler, `"model":["4",0]`, `"model":["30",0]`, 1), rescaled}, comfyBase...), ",") + "}"},
	} {
		if r, _, err := Read(pngWith(t, text[0], text[1])); err != nil || r.Rescale != 0.7 || len(r.Notes) > 0 {
			t.Errorf("%s: %g, %q, %v", name, r.Rescale, r.Notes, err)
		}
	}
	r, _, err := Read(pngWith(t, "Comment", `{"prompt":"2girls, beach, ","uc":"","steps":28,"scale":5,"seed":7,"v4_prompt":{"caption":{"base_caption":"2girls, beach",
		"char_captions":[{"char_caption":"girl, red hair","centers":[{"x":0.3,"y":0.5}]},{"char_caption":""},{"char_caption":"girl, blue hair"}]},"use_coords":true},
		"v4_negative_prompt":{"caption":{"base_caption":"","char_captions":[{"char_caption":"hat"},{"char_caption":""}]}}}`))
	if err != nil || r.Prompt != "2girls, beach, girl, red hair, girl, blue hair" || r.Negative != "hat" || len(r.Notes) != 1 || !strings.Contains(r.Notes[0].Error(), "their places are ignored") {
		t.Errorf("NovelAI: %q, %q, %q, %v", r.Prompt, r.Negative, r.Notes, err)
	}
}

// TestRecipeBehindADamagedPart: a part of the file whose checksum is wrong is passed over, not all that follows it.
func TestRecipeBehindADamagedPart(t *testing.T) {
	const header = 8 + 25
	file := pngWith(t, "parameters", "a dog\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 5")
	gamma := chunk("gAMA", "\x00\x00\xb1\x8f")
	gamma[len(gamma)-1]++
	if r, _, err := Read(slices.Concat(file[:header], gamma, file[header:])); err != nil || r.Prompt != "a dog" {
		t.Error(r.Prompt, err)
	}
}

// comfyBase are nodes of ComfyUI's usual graph.
var comfyBase = []string{
	`"4":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sdxl.safetensors"}}`, `"5":{"class_type":"EmptyLatentImage","inputs":{"width":1152,"height":896,"batch_size":1}}`,
	`"6":{"class_type":"CLIPTextEncode","inputs":{"text":"a dog on the beach","clip":["4",1]}}`, `"7":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry","clip":["4",1]}}`,
}

// comfySampler is the sampler of that graph, and comfySaved what makes a picture of it.
const comfySampler = `"3":{"class_type":"KSampler","inputs":{"seed":7,"steps":30,"cfg":4.0,"sampler_name":"ddim","scheduler":"sgm_uniform","denoise":1,
	"model":["4",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}`

var comfySaved = []string{
	`"8":{"class_type":"VAEDecode","inputs":{"samples":["3",0],"vae":["4",2]}}`,
	`"9":{"class_type":"SaveImage","inputs":{"filename_prefix":"ComfyUI","images":["8",0]}}`,
}

func checkForeign(t *testing.T, name string, file []byte, want Recipe, notes []string) {
	t.Helper()
	got, foreign, err := Read(file)
	if err != nil || !foreign {
		t.Errorf("%s: foreign %v, %v", name, foreign, err)
		return
	}
	a, b := got.Request, want.Request
	if got.Model != want.Model || got.Program != want.Program || a.Prompt != b.Prompt || a.Negative != b.Negative || a.Steps != b.Steps || a.CFG != b.CFG ||
		!slices.Equal(a.Seeds, b.Seeds) || a.Width != b.Width || a.Height != b.Height || a.Sampler != b.Sampler ||
		a.LoRAs != b.LoRAs || a.Rescale != b.Rescale {
		t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
	}
	if len(got.Notes) != len(notes) {
		t.Errorf("%s: notes %q, want %q", name, got.Notes, notes)
		return
	}
	for i := range notes {
		if !strings.Contains(got.Notes[i].Error(), notes[i]) {
			t.Errorf("%s: note %q does not say %s", name, got.Notes[i], notes[i])
		}
	}
}

// pngWith is a PNG file with a text chunk.
func pngWith(t testing.TB, keyword, text string) []byte {
	t.Helper()
	file, err := picture.Encode(image.NewNRGBA(image.Rect(0, 0, 1, 1)), picture.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	const header = 8 + 25
	out := append([]byte(nil), file[:header]...)
	out = append(out, chunk("tEXt", keyword+"\x00"+text)...)
	return append(out, file[header:]...)
}

// chunk is a chunk of a PNG file.
func chunk(kind, body string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(out, kind+body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// FuzzForeignRecipe wants an answer for whatever stands under the keywords of other programs, in bounds and readable again.
func FuzzForeignRecipe(f *testing.F) {
	keywords := []string{"parameters", "invokeai_metadata", "sd-metadata", "prompt", "Comment"}
	for i, text := range []string{
		"a dog\nNegative prompt: blurry\nSteps: 28, Sampler: Euler a, CFG scale: 6.5, Seed: 3141592653, Size: 832x1216, Model: x\nTemplate: a {dog|cat}",
		`{"positive_prompt":"a dog","negative_prompt":"","seed":7,"cfg_scale":7.5,"steps":1e2,"width":512,"height":512,"model":{"name":"x"}}`,
		`{"image":{"prompt":[{"prompt":"a [b] dog","weight":1}],"steps":30,"seed":7}}`,
		"{" + strings.Join(append([]string{`"3":{"inputs":{"seed":7,"steps":30,"cfg":4,"sampler_name":"ddim","positive":["6",0],"negative":["7",0],"latent_image":["5",0]},"is_changed":[NaN]}`}, comfyBase...), ",") + "}",
		`{"prompt":"a dog","uc":"","scale":4,"steps":30}`,
		`{"sui_image_params":{"prompt":"a","seed":-1,"steps":"x"}}`, `{"prompt":"a","performance":"Speed","resolution":"(1, 2)","styles":"['a']"}`,
	} {
		f.Add(uint8(i%len(keywords)), text)
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		r, foreign, err := Read(pngWith(t, keywords[int(which)%len(keywords)], text))
		if err != nil {
			return
		}
		if !foreign || r.problem() != "" || r.Steps < 0 || r.Steps > 10000 || r.CFG != 0 && !(r.CFG >= 1 && r.CFG <= inference.MaxCFG) || len(r.Seeds) > 1 || !utf8.ValidString(r.Prompt+r.Negative) {
			t.Fatalf("%+v", r)
		}
		for _, n := range r.Notes {
			if len(n.Error()) > 2000 {
				t.Fatalf("a note of %d bytes", len(n.Error()))
			}
		}
	})
}
