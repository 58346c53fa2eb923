package picture

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"realword/inference/message"
)

// This file says in A1111's words what other programs have done to a picture that is not among what all of them have.

// named is a text of JSON, or the name of a model that is an object.
func named(v any) string {
	o := object(v)
	return cmp.Or(scalar(v), scalar(o["name"]), scalar(o["model_name"]))
}

// on notes that something was on.
func (m *Metadata) on(key string, on bool) {
	if on {
		m.set(key, "True")
	}
}

// each notes the entries of a list that are on, by the names of their models, which lie under one of the keys.
func (m *Metadata) each(key string, v any, keys ...string) {
	list, _ := v.([]any)
	for _, e := range list {
		o := object(e)
		if o["isEnabled"] == false {
			continue
		}
		name := scalar(e)
		for _, k := range keys {
			name = cmp.Or(name, named(o[k]), named(object(o[k])["model"]))
		}
		m.set(key, cmp.Or(name, "True"))
	}
}

// skipped notes the layer of a text encoder that was the last, which programs count from the end: -1 or 1 for the last itself.
func (m *Metadata) skipped(layer any) {
	m.set("Clip skip", strings.TrimPrefix(scalar(layer), "-"))
}

// furtherSwarm: SwarmUI writes the settings of the groups that were on.
func (m *Metadata) furtherSwarm(p map[string]any) {
	m.set("Denoising strength", p["initimagecreativity"])
	m.set("Variation seed strength", p["variationseedstrength"])
	for _, key := range []string{"controlnetmodel", "controlnettwomodel", "controlnetthreemodel"} {
		m.set("ControlNet", p[key])
	}
	if share := scalar(p["refinercontrolpercentage"]); share != "" && share != "0" {
		model := scalar(p["refinermodel"])
		if strings.HasPrefix(model, "(") { // the same
			model = ""
		}
		m.set("Refiner", strings.TrimSpace(model+" "+share))
	}
	m.set("Hires upscale", p["refinerupscale"])
	m.skipped(p["clipstopatlayer"])
	if way := scalar(p["seamlesstileable"]); way != "false" {
		m.set("Tiling", way)
	}
}

// quick are the names of LoRAs that make pictures in few steps.
var quick = regexp.MustCompile(`(?i)lcm|lightning|hyper`)

// furtherFooocus: Fooocus sharpens inside of the networks, always.
func (m *Metadata) furtherFooocus(o map[string]any) {
	m.set("Refiner", o["refiner_model"])
	m.set("Sharpness", o["sharpness"])
	m.set("ADM Guidance", o["adm_guidance"])
	m.set("FreeU", o["freeu"])
	if layer := scalar(o["clip_skip"]); layer != "2" { // that of SDXL
		m.skipped(layer)
	}
	switch way := scalar(o["performance"]); way {
	case "", "Speed", "Quality":
	default: // is a LoRA
		for _, l := range m.LoRAs {
			if quick.MatchString(l.Key) {
				return
			}
		}
		m.set("Performance", way)
	}
}

// furtherInvoke is of InvokeAI since 3.0.
func (m *Metadata) furtherInvoke(o map[string]any) {
	if !strings.Contains(scalar(o["generation_mode"]), "txt2img") {
		m.set("Denoising strength", o["strength"])
	}
	if skipped, err := strconv.Atoi(scalar(o["clip_skip"])); err == nil && skipped > 0 {
		m.skipped(strconv.Itoa(skipped + 1))
	}
	m.on("Tiling", o["seamless_x"] == true || o["seamless_y"] == true)
	m.set("CFG rescale", o["cfg_rescale_multiplier"])
	m.set("RNG", strings.ToUpper(scalar(o["rand_device"])))
	m.set("Refiner", named(o["refiner_model"]))
	m.on("Hires upscale", o["hrf_enabled"] == true)
	m.set("Hires upscale", o["upscale_scale"])
	canvas := object(o["canvas_v2_metadata"])
	m.each("ControlNet", o["controlnets"], "control_model")
	if !has(o, "controlnets") {
		m.each("ControlNet", canvas["controlLayers"], "controlAdapter")
	}
	m.each("T2I-Adapter", o["t2iAdapters"], "t2i_adapter_model")
	m.each("IP-Adapter", o["ipAdapters"], "ip_adapter_model")
	if !has(o, "ipAdapters") {
		m.each("IP-Adapter", o["ref_images"], "config", "ipAdapter")
	}
	if m.each("Regional guidance", o["regions"]); !has(o, "regions") {
		m.each("Regional guidance", canvas["regionalGuidance"])
	}
}

// furtherNovel is of NovelAI. What its pictures say of persons stands beside the prompt, each with a place; without it they would be
// missing.
func (m *Metadata) furtherNovel(o map[string]any) {
	persons := func(key string, text *string) int {
		list, _ := object(object(o[key])["caption"])["char_captions"].([]any)
		found := 0
		for _, e := range list {
			if of := scalar(object(e)["char_caption"]); of != "" {
				*text = strings.TrimPrefix(strings.TrimRight(*text, ", \n")+", "+of, ", ")
				found++
			}
		}
		return found
	}
	if found := persons("v4_prompt", &m.Prompt) + persons("v4_negative_prompt", &m.Negative); found > 0 {
		m.Notes = append(m.Notes, message.New("what it says of each character stands behind its prompts: their places are ignored"))
	}
	if scalar(o["request_type"]) != "PromptGenerateRequest" {
		m.set("Denoising strength", o["strength"])
	}
	m.set("ControlNet", o["controlnet_model"])
	m.each("Vibe transfer", o["reference_strength_multiple"])
	m.each("Character reference", o["director_reference_strength_values"])
	m.on("SMEA", o["sm"] == true)
	m.on("Decrisper", o["dynamic_thresholding"] == true)
	m.set("Variety+", o["skip_cfg_above_sigma"])
}

// furtherNode are the nodes of ComfyUI that change what becomes of a picture, without those that only read their models.
var (
	furtherNode = regexp.MustCompile(`^(FreeU|Perturbed|SelfAttentionGuidance|PatchModelAddDownscale|DynamicThresholding|IPAdapter|ApplyIPAdapter|` +
		`ApplyInstantID|ApplyPulid|StyleModelApply|unCLIPConditioning|GLIGENTextBoxApply|ModelMerge|ModelSampling|UltimateSDUpscale|FaceDetailer|` +
		`ImageUpscaleWithModel)`)
	readsModels = regexp.MustCompile(`Loader|Encoder|InsightFace|Params|Weights`)
)

// further is what the nodes of a graph do beside what all programs have.
func (g comfy) further(ids, samplers []string, m *Metadata) {
	for _, id := range ids {
		in, class := g.inputs(id), g.class(id)
		switch {
		case class == "CLIPSetLastLayer":
			m.skipped(in["stop_at_clip_layer"])
		case class == "RescaleCFG":
			m.set("CFG rescale", in["multiplier"])
		case class == "TomePatchModel":
			m.set("Token merging ratio", in["ratio"])
		case class == "HypernetworkLoader":
			m.set("Hypernet", in["hypernetwork_name"])
		case link(in["control_net"]) != "":
			m.set("ControlNet", class)
		case has(in, "block_vector"), furtherNode.MatchString(class) && !readsModels.MatchString(class):
			m.set("node", class)
		}
		if class == "KSamplerAdvanced" && scalar(in["add_noise"]) == "enable" {
			from, _ := strconv.ParseFloat(scalar(in["start_at_step"]), 64)
			if of, err := strconv.ParseFloat(scalar(in["steps"]), 64); err == nil && from > 0 && from < of {
				m.set("Denoising strength", strconv.FormatFloat(1-from/of, 'g', 3, 64))
			}
		}
	}
	model := ""
	for _, id := range samplers {
		of := g.find(id, []string{"guider", "model"}, []string{"ckpt_name", "unet_name"}, maxComfy)
		if model != "" && of != model {
			m.set("Refiner", of)
		}
		model = cmp.Or(model, of)
	}
}
