package picture

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"realword/inference/message"
)

// This file reads the graphs of ComfyUI.

// comfy is a graph of ComfyUI: nodes by their numbers.
type comfy map[string]any

// samples tells whether a node is a sampler: it has both conditions, or a guider that has them, and a latent picture to begin with.
func (g comfy) samples(id string) bool {
	in := g.inputs(id)
	return has(in, "latent_image") && (has(in, "positive") || has(in, "guider"))
}

// idle are nodes of ComfyUI's own that do nothing where nobody reads what they make. Any other node that nobody reads may save or show it.
var idle = regexp.MustCompile(`^(KSampler|KSamplerAdvanced|SamplerCustom|SamplerCustomAdvanced|VAEDecode|VAEDecodeTiled|VAEEncode|` +
	`VAEEncodeTiled|VAEEncodeForInpaint|InpaintModelConditioning|SetLatentNoiseMask|LatentUpscale|LatentUpscaleBy|LatentBlend|` +
	`LatentComposite|LatentFromBatch|RepeatLatentBatch|ImageScale|ImageScaleBy|ImageScaleToTotalPixels|ImageUpscaleWithModel|ImageBlend|` +
	`ImageSharpen|ImageInvert|ImageCrop|ImageBatch|ImagePadForOutpaint)$`)

// taking is the part of a graph that took part in a picture. ComfyUI writes all of its nodes, and runs those alone from which the inputs of
// nodes come that save or show something: here, nodes that nobody reads, of what samplers have made. Where there are none it is everything.
func (g comfy) taking() comfy {
	readers := map[string][]string{}
	var samplers []string
	for id := range g {
		for _, from := range g.from(id) {
			readers[from] = append(readers[from], id)
		}
		if g.samples(id) {
			samplers = append(samplers, id)
		}
	}
	drawn := reached(samplers, func(id string) []string { return readers[id] })
	ends := func(without *regexp.Regexp) (ends []string) {
		left := map[string]int{} // that read it and may do something
		var unread []string
		for id := range drawn {
			if left[id] = len(readers[id]); left[id] == 0 {
				unread = append(unread, id)
			}
		}
		for len(unread) > 0 {
			id := unread[len(unread)-1]
			unread = unread[:len(unread)-1]
			if without == nil || !without.MatchString(g.class(id)) {
				ends = append(ends, id)
				continue
			}
			for _, from := range g.from(id) {
				if left[from]--; left[from] == 0 && drawn[from] {
					unread = append(unread, from)
				}
			}
		}
		return ends
	}
	found := ends(idle)
	if len(found) == 0 { // a graph without its end
		found = ends(nil)
	}
	if len(found) == 0 { // a circle
		return g
	}
	part := comfy{}
	for id := range reached(found, g.from) {
		part[id] = g[id]
	}
	return part
}

// reached are nodes, and what can be reached from them.
func reached(from []string, next func(string) []string) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		id := from[len(from)-1]
		from = from[:len(from)-1]
		if !seen[id] {
			seen[id] = true
			from = append(from, next(id)...)
		}
	}
	return seen
}

// from are the nodes from which the inputs of a node come, of a switch the one that it takes.
func (g comfy) from(id string) (list []string) {
	in := g.inputs(id)
	switches := strings.Contains(strings.ToLower(g.class(id)), "switch")
	for key := range in {
		if to := link(in[key]); g.inputs(to) != nil && (!switches || !switchedOff(in, key)) {
			list = append(list, to)
		}
	}
	return list
}

// numbered is the end of the name of an input that is one of several.
var numbered = regexp.MustCompile(`\d+$`)

// switchedOff tells whether a switch says that it takes another input than this one.
func switchedOff(in map[string]any, key string) bool {
	if on, known := in["switch"].(bool); known {
		return key == "on_true" && !on || key == "on_false" && on
	}
	chosen, one := cmp.Or(scalar(in["select"]), scalar(in["Input"])), numbered.FindString(key)
	return chosen != "" && one != "" && one != chosen
}

// readComfy reads the graph that ComfyUI has run. It is a program, so only what it says without doubt is taken: values on which all of its
// samplers that took part agree, found by following the links from their inputs.
func readComfy(o map[string]any, m *Metadata) bool {
	g := comfy(o).taking()
	ids := slices.Sorted(maps.Keys(g))
	samplers := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !g.samples(id) })
	if len(samplers) == 0 {
		return false
	}
	var unclear []error
	doubt := func(about error) {
		if !slices.ContainsFunc(unclear, func(had error) bool { return had.Error() == about.Error() }) {
			unclear = append(unclear, about)
		}
	}
	value := func(about error, find func(id string) (string, bool)) string {
		found := ""
		for i, id := range samplers {
			v, ok := find(id)
			if !ok || i > 0 && v != found {
				doubt(about)
				return ""
			}
			found = v
		}
		return found
	}
	follow := func(through []string, keys ...string) func(string) (string, bool) {
		return func(id string) (string, bool) {
			v := g.find(id, through, keys, maxComfy)
			return v, v != ""
		}
	}
	m.Prompt = value(message.New("prompt"), func(id string) (string, bool) { return g.condition(id, "positive") })
	m.Negative = value(message.New("negative prompt"), func(id string) (string, bool) { return g.condition(id, "negative") })
	m.set("Steps", value(message.New("steps"), follow([]string{"sigmas", "steps"}, "steps")))
	m.set("Sampler", value(message.New("sampler"), follow([]string{"sampler", "sampler_name"}, "sampler_name")))
	m.set("Schedule type", value(message.New("schedule type"), func(id string) (string, bool) { return g.spacing(id), true }))
	m.set("CFG scale", value(message.New("guidance"), follow([]string{"guider", "cfg"}, "cfg")))
	m.set("Seed", value(message.New("seed"), follow([]string{"noise", "seed", "noise_seed"}, "seed", "noise_seed")))
	m.set("Size", value(message.New("size"), func(id string) (string, bool) {
		w := g.find(id, []string{"latent_image", "width"}, []string{"width", "empty_latent_width"}, maxComfy)
		h := g.find(id, []string{"latent_image", "height"}, []string{"height", "empty_latent_height"}, maxComfy)
		return w + "x" + h, w != "" && h != ""
	}))
	for _, id := range samplers {
		if begun, ok := follow([]string{"sigmas", "denoise"}, "denoise")(id); ok && begun != "1" {
			m.set("Denoising strength", begun)
			break
		}
	}
	m.set("Version", "ComfyUI")
	var loras []KeyValue
	for _, id := range ids {
		in := g.inputs(id)
		own := comfyLoRAs(in)
		if from := link(in["lora_name"]); from != "" {
			if own[0].Key = g.find(from, nil, []string{"lora_name", "string"}, maxComfy); own[0].Key == "" {
				doubt(message.New("LoRA"))
			}
		}
		if from := link(in["strength_model"]); from != "" && own[0].Key != "" {
			if own[0].Value = g.find(from, nil, []string{"float", "number"}, maxComfy); own[0].Value == "" {
				doubt(message.New("weight of a LoRA"))
			}
		}
		loras = append(loras, own...)
	}
	m.used(loras)
	g.further(ids, samplers, m)
	if len(unclear) > 0 {
		list := unclear[0]
		for _, about := range unclear[1:] {
			list = message.Note("%s, %s", list, about)
		}
		m.Notes = append(m.Notes, message.Note("its graph is ambiguous about: %s", list))
	}
	return true
}

// comfyLoRAs are the LoRAs that a node loads: ComfyUI's own has one, rgthree's Power Lora Loader an object for each, and stacks
// number them.
func comfyLoRAs(in map[string]any) []KeyValue {
	loras := []KeyValue{{scalar(in["lora_name"]), cmp.Or(scalar(in["strength_model"]), scalar(in["lora_model_strength"]))}}
	count, err := strconv.Atoi(scalar(in["lora_count"]))
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if one := object(in[key]); one["on"] != false {
			loras = append(loras, KeyValue{scalar(one["lora"]), scalar(one["strength"])})
		}
		of, numbered := strings.CutPrefix(key, "lora_name_")
		if n, _ := strconv.Atoi(of); !numbered || err == nil && n > count || scalar(in["switch_"+of]) == "Off" {
			continue
		}
		weights := []string{"lora_wt_", "model_weight_", "model_str_"}
		if scalar(in["input_mode"]) == "advanced" {
			slices.Reverse(weights)
		}
		found := KeyValue{Key: scalar(in[key])}
		for _, w := range weights {
			found.Value = cmp.Or(found.Value, scalar(in[w+of]))
		}
		loras = append(loras, found)
	}
	return loras
}

// maxComfy is how many links are followed to a value.
const maxComfy = 32

func (g comfy) inputs(id string) map[string]any { return object(object(g[id])["inputs"]) }

func (g comfy) class(id string) string { return scalar(object(g[id])["class_type"]) }

// link is the node that an input comes from, "" for a value of its own.
func link(v any) string {
	if list, ok := v.([]any); ok && len(list) == 2 {
		return scalar(list[0])
	}
	return ""
}

// find is the first value under one of the keys, in a node or in those that its inputs named in through come from. Values that have
// been turned into nodes of their own lie under "value" there.
func (g comfy) find(id string, through, keys []string, depth int) string {
	in := g.inputs(id)
	if in == nil || depth == 0 {
		return ""
	}
	for _, key := range append(slices.Clone(keys), "value") {
		if text := scalar(in[key]); text != "" {
			return text
		}
	}
	for _, key := range through {
		if to := link(in[key]); to != "" {
			if (key == "width" || key == "height") && g.chooses(to) {
				return ""
			}
			return g.find(to, through, keys, depth-1)
		}
	}
	return ""
}

// spacings are nodes that make the levels of noise of one schedule.
var spacings = map[string]string{"KarrasScheduler": "Karras", "ExponentialScheduler": "Exponential", "BetaSamplingScheduler": "Beta"}

// spacing is where the steps of a sampler lie: what its node says, or one that makes the levels of noise, "" where nothing is said.
func (g comfy) spacing(id string) string {
	if name := g.find(id, []string{"sigmas", "scheduler"}, []string{"scheduler"}, maxComfy); name != "" {
		return name
	}
	for range maxComfy {
		if to := link(g.inputs(id)["sigmas"]); to != "" {
			id = to
		}
	}
	if class := g.class(id); strings.HasSuffix(class, "Scheduler") && class != "BasicScheduler" {
		return cmp.Or(spacings[class], class)
	}
	return ""
}

// chooses tells whether a node that has a width and a height may make others of them, by a name that it has for them.
func (g comfy) chooses(id string) bool {
	in := g.inputs(id)
	for key := range in {
		if text, is := in[key].(string); is && text != "" {
			return has(in, "width")
		}
	}
	return false
}

// condition is the text of the positive or negative condition of a sampler: that of the one node from which it comes, directly or
// through nodes that change it without adding another text. A negative condition that is zero has none.
func (g comfy) condition(id, side string) (string, bool) {
	sided := false // the side was chosen on the way
	for range maxComfy {
		in := g.inputs(id)
		text, written := in[side].(string)
		switch {
		case in == nil || has(in, "conditioning_1", "conditioning_to"): // two texts in one
			return "", false
		case written: // a loader that has the prompts, too
			return strings.TrimSpace(text), true
		case has(in, comfyTexts...):
			return g.text(in)
		case g.class(id) == "ConditioningZeroOut":
			return "", side == "negative"
		case link(in[side]) != "" && has(in, "ckpt_name"): // of such a loader, from elsewhere
			return g.worded(in[side])
		case link(in[side]) != "":
			id, sided = link(in[side]), true
		case link(in["guider"]) != "":
			id = link(in["guider"])
		case side == "negative" && !sided: // a guider without one
			return "", true
		default:
			id = link(in["conditioning"]) // none is no node
		}
	}
	return "", false
}

// comfyTexts are the inputs of nodes that encode texts. SDXL's and Flux's have one for each encoder.
var comfyTexts = []string{"text", "text_g", "text_l", "clip_l", "t5xxl"}

// text is what a node that encodes texts says, if its inputs say the same.
func (g comfy) text(in map[string]any) (string, bool) {
	found := ""
	for _, key := range comfyTexts {
		text := scalar(in[key])
		if link(in[key]) != "" {
			var ok bool
			if text, ok = g.worded(in[key]); !ok {
				return "", false
			}
		}
		if text != "" && found != "" && text != found {
			return "", false
		}
		found = cmp.Or(found, text)
	}
	return found, true
}

// Nodes of texts, by what their names say: those that show a text, hand it on, and may keep an earlier one, and those that make another one
// of it, whatever else they have.
var (
	shows = regexp.MustCompile(`(?i)show|display|preview|console`)
	makes = regexp.MustCompile(`(?i)translat|replac|random|wildcard|enhanc|expan|generat|describ|caption|interrogat|florence|regex|trim|` +
		`styler|concat|llm|gpt|llama|gemini|claude`)
	beside = regexp.MustCompile(`(?i)^(negative\w*|title|label)$`) // a text that has nothing to do with the other
)

// worded is the text of an input that comes from another node. Only nodes that hold a text or hand on one are gone through: one that has
// anything else to work with may make another text of it, and what it makes is not known.
func (g comfy) worded(v any) (string, bool) {
	for range maxComfy {
		list, linked := v.([]any)
		if !linked {
			return scalar(v), scalar(v) != ""
		}
		id := link(v)
		in, show := g.inputs(id), shows.MatchString(g.class(id))
		if in == nil || scalar(list[1]) != "0" || makes.MatchString(g.class(id)) { // another output is another text, which is not known
			return "", false
		}
		key := ""
		for _, one := range []string{"value", "prompt", "string", "text"} {
			if scalar(in[one]) != "" || link(in[one]) != "" {
				key = one
			}
		}
		if show {
			for one := range in {
				if link(in[one]) != "" && one != key { // what it shows; a text is what it showed before
					if link(in[key]) != "" {
						return "", false
					}
					key = one
				}
			}
		}
		for one := range in {
			if one != key && !show && !beside.MatchString(one) && (scalar(in[one]) != "" || link(in[one]) != "") {
				return "", false
			}
		}
		v = in[key]
	}
	return "", false
}
