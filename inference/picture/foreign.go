package picture

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"realword/inference/files"
	"realword/inference/message"
)

// This file reads what other programs than A1111 write into PNG files: JSON, in text chunks of their own keywords.

// foreignReader reads the JSON that a program writes under a keyword. It answers false for what it does not know.
type foreignReader struct {
	keyword string
	read    func(map[string]any, *Metadata) bool
}

// foreignReaders are those of keywords other than `parameters`, the likeliest first.
var foreignReaders = []foreignReader{
	{"invokeai_metadata", readInvoke},
	{"sd-metadata", readOldInvoke},
	{"prompt", readComfy},
	{"Comment", readNovel},
}

// foreignKeyword tells whether something is read under a keyword.
func foreignKeyword(keyword string) bool {
	return keyword == parametersKeyword || slices.ContainsFunc(foreignReaders, func(f foreignReader) bool { return f.keyword == keyword })
}

// readForeign fills in prompts and settings from the text chunks of another program: JSON, or the `parameters` text of A1111.
func (m *Metadata) readForeign(texts map[string]string) {
	parameters, plain := texts[parametersKeyword]
	if object, ok := jsonObject(parameters); ok {
		plain = false
		texts[parametersKeyword] = ""
		if readSwarm(object, m) || readFooocus(object, m) {
			return
		}
	}
	if plain { // perhaps a prompt that only begins like JSON
		m.Prompt, m.Negative, m.Settings = ParseParameters(parameters)
		m.Notes = behindSettings(parameters)
		m.used(weighed(m.Settings))
		m.civitai()
		return
	}
	for _, f := range foreignReaders {
		if object, ok := jsonObject(texts[f.keyword]); ok && f.read(object, m) {
			return
		}
	}
	if parameters != "" { // JSON of nobody we know: at least it can be seen
		m.Prompt = parameters
	}
}

// jsonObject reads a JSON object with its numbers as they are written.
func jsonObject(text string) (map[string]any, bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return nil, false
	}
	object, ok := jsonValue(string(files.JSON([]byte(text)))).(map[string]any) // ComfyUI's graphs hold NaN
	return object, ok
}

// jsonValue reads JSON, nil for what is none.
func jsonValue(text string) (v any) {
	if checkRecipe(text) != nil { // also bounds the depth
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// set adds a setting in A1111's words, if there is a value.
func (m *Metadata) set(key string, value any) {
	if text := scalar(value); text != "" {
		m.Settings = append(m.Settings, KeyValue{key, text})
	}
}

// size adds the size of the picture, if both sides are there.
func (m *Metadata) size(width, height any) {
	if w, h := scalar(width), scalar(height); w != "" && h != "" {
		m.set("Size", w+"x"+h)
	}
}

// keys are where a program keeps what all of them have; an empty one is nowhere.
type keys struct{ prompt, negative, sampler, guidance, width, height, model string }

// take reads what all programs have, and which one it was.
func (m *Metadata) take(o map[string]any, k keys, version string) {
	m.Prompt, m.Negative = words(o[k.prompt]), words(o[k.negative])
	m.set("Steps", o["steps"])
	m.set("Sampler", o[k.sampler])
	m.set("CFG scale", o[k.guidance])
	m.set("Seed", o["seed"])
	m.size(o[k.width], o[k.height])
	m.set("Model", o[k.model])
	m.set("Version", strings.TrimSpace(version))
}

// scalar is a text or a number of JSON as text, "" for anything else. Whole numbers have no point.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		text := v.String()
		if f, err := v.Float64(); err == nil && strings.ContainsAny(text, ".eE") && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
		return text
	}
	return ""
}

// words is a text, or the texts of a list with a comma between them, as Fooocus keeps what its styles have made of a prompt.
func words(v any) string {
	list, ok := v.([]any)
	if !ok {
		return scalar(v)
	}
	var texts []string
	for _, one := range list {
		if text := scalar(one); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

// has tells whether an object has one of the keys.
func has(o map[string]any, keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { _, ok := o[key]; return ok })
}

// lorasOf are the files in a list of LoRAs, with their weights: texts, lists of a text and a weight (Fooocus has a hash behind it), or
// objects that have one. A weight that is not there is "".
func lorasOf(v any) []KeyValue {
	var of []KeyValue
	list, _ := v.([]any)
	for _, e := range list {
		found := KeyValue{scalar(e), ""}
		if pair, ok := e.([]any); ok && len(pair) > 0 {
			found.Key = scalar(pair[0])
			if len(pair) > 1 {
				found.Value = scalar(pair[1])
			}
		}
		for _, key := range []string{"model", "lora"} {
			inner := object(object(e)[key])
			found.Key = cmp.Or(found.Key, scalar(inner["name"]), scalar(inner["model_name"]))
		}
		found.Value = cmp.Or(found.Value, scalar(object(e)["weight"]))
		of = append(of, found)
	}
	return of
}

// weighed are the LoRAs of Fooocus' settings in A1111's form, which it does not name in the prompt.
func weighed(settings []KeyValue) (loras []KeyValue) {
	for _, s := range settings {
		for _, one := range strings.Split(s.Value, ", ") {
			if at := strings.LastIndex(one, ": "); s.Key == "Lora weights" && at > 0 {
				loras = append(loras, KeyValue{one[:at], one[at+2:]})
			}
		}
	}
	return loras
}

// civitai reads the list of models that Civitai's generator writes, the one place that names its LoRAs. What else it names stays there.
func (m *Metadata) civitai() {
	for i, s := range m.Settings {
		if s.Key != "Civitai resources" {
			continue
		}
		list, _ := jsonValue(s.Value).([]any)
		var more []string
		for _, one := range list {
			o := object(one)
			name := cmp.Or(scalar(o["modelName"]), scalar(o["modelVersionId"]), scalar(o["air"]))
			switch kind := strings.ToLower(scalar(o["type"])); kind {
			case "checkpoint":
				if !slices.ContainsFunc(m.Settings, func(s KeyValue) bool { return s.Key == "Model" }) {
					m.set("Model", name)
				}
			case "lora", "lycoris", "locon", "dora":
				if !strings.Contains(strings.ToLower(m.Prompt), "<lora:") { // which names the same, by their files
					m.used([]KeyValue{{name, scalar(o["weight"])}})
				}
			default:
				more = append(more, strings.TrimSpace(kind+" "+name))
			}
		}
		if list != nil {
			m.Settings[i].Value = strings.Join(more, ", ")
		}
	}
}

// used notes LoRAs that a model was used with, each once.
func (m *Metadata) used(loras []KeyValue) {
	for _, l := range loras {
		if l.Key != "" && l.Key != "None" && !slices.ContainsFunc(m.LoRAs, func(had KeyValue) bool { return had.Key == l.Key }) {
			m.LoRAs = append(m.LoRAs, l)
		}
	}
}

// readSwarm reads SwarmUI's and StableSwarmUI's {"sui_image_params": {…}}.
func readSwarm(o map[string]any, m *Metadata) bool {
	p := object(o["sui_image_params"])
	if p == nil {
		return false
	}
	m.take(p, keys{"prompt", "negativeprompt", "sampler", "cfgscale", "width", "height", "model"}, "SwarmUI "+scalar(p["swarm_version"]))
	m.set("Schedule type", p["scheduler"])
	loras := lorasOf(p["loras"])
	weights, _ := p["loraweights"].([]any)
	for i := range min(len(loras), len(weights)) {
		loras[i].Value = scalar(weights[i])
	}
	m.used(loras)
	m.furtherSwarm(p)
	return true
}

// resolution is how Fooocus writes a size.
var resolution = regexp.MustCompile(`^\(?\s*(\d+)\s*[,x×]\s*(\d+)\s*\)?$`)

// readFooocus reads Fooocus' own scheme.
func readFooocus(o map[string]any, m *Metadata) bool {
	if !has(o, "prompt", "Prompt") || !has(o, "metadata_scheme", "guidance_scale", "performance", "base_model", "full_prompt") {
		return false
	}
	if size := resolution.FindStringSubmatch(scalar(o["resolution"])); size != nil {
		o["width"], o["height"] = size[1], size[2]
	}
	m.take(o, keys{"prompt", "negative_prompt", "sampler", "guidance_scale", "width", "height", "base_model"}, scalar(o["version"]))
	m.set("Schedule type", o["scheduler"])
	loras := lorasOf(o["loras"])
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if strings.HasPrefix(key, "lora_combined_") {
			name, weight, _ := strings.Cut(scalar(o[key]), " : ")
			loras = append(loras, KeyValue{name, weight})
		}
	}
	m.used(loras)
	m.furtherFooocus(o)
	if styles := scalar(o["styles"]); styles != "" && styles != "[]" {
		m.Notes = append(m.Notes, message.Note("its styles %s added words to the prompt that are ignored", styles))
	}
	return true
}

// readInvoke reads InvokeAI since 3.0.
func readInvoke(o map[string]any, m *Metadata) bool {
	if !has(o, "positive_prompt") {
		return false
	}
	model := object(o["model"])
	o["model_name"] = cmp.Or(scalar(model["name"]), scalar(model["model_name"]))
	m.take(o, keys{"positive_prompt", "negative_prompt", "scheduler", "cfg_scale", "width", "height", "model_name"},
		"InvokeAI "+scalar(o["app_version"]))
	m.used(lorasOf(o["loras"]))
	m.furtherInvoke(o)
	if text := scalar(o["positive_style_prompt"]); text != "" && text != m.Prompt && text != m.Negative {
		m.Notes = append(m.Notes, message.Note("its positive style prompt %q is ignored", text))
	}
	if text := scalar(o["negative_style_prompt"]); text != "" && text != m.Prompt && text != m.Negative {
		m.Notes = append(m.Notes, message.Note("its negative style prompt %q is ignored", text))
	}
	return true
}

// oldNegative is how InvokeAI 2 wrote the negative prompt into the prompt.
var oldNegative = regexp.MustCompile(`\[([^\[\]]*)\]`)

// readOldInvoke reads InvokeAI 2.
func readOldInvoke(o map[string]any, m *Metadata) bool {
	i := object(o["image"])
	if i == nil {
		return false
	}
	prompt := scalar(i["prompt"])
	if list, ok := i["prompt"].([]any); ok && len(list) == 1 {
		prompt = scalar(object(list[0])["prompt"])
	} else if ok {
		m.Notes = append(m.Notes, message.Note("its %d weighted prompts are ignored", len(list)))
	}
	var negative []string
	for _, n := range oldNegative.FindAllStringSubmatch(prompt, -1) {
		negative = append(negative, strings.TrimSpace(n[1]))
	}
	i["model_weights"] = o["model_weights"]
	m.take(i, keys{"", "", "sampler", "cfg_scale", "width", "height", "model_weights"}, "InvokeAI "+scalar(o["app_version"]))
	m.Prompt, m.Negative = strings.TrimSpace(oldNegative.ReplaceAllString(prompt, "")), strings.Join(negative, ", ")
	if scalar(i["type"]) == "img2img" {
		m.set("Denoising strength", i["strength"])
	}
	m.on("Tiling", i["seamless"] == true)
	m.on("Hires upscale", i["hires_fix"] == true)
	return true
}

// novelWeight is how NovelAI 4 weighs words.
var novelWeight = regexp.MustCompile(`-?\d*\.?\d+::[^:\n]{0,40}`)

// readNovel reads NovelAI's Comment.
func readNovel(o map[string]any, m *Metadata) bool {
	if !has(o, "prompt") || !has(o, "uc") || !has(o, "scale") {
		return false
	}
	m.take(o, keys{"prompt", "uc", "sampler", "scale", "width", "height", ""}, "NovelAI")
	if spacing := scalar(o["noise_schedule"]); spacing != "native" {
		m.set("Schedule type", spacing)
	}
	m.set("CFG rescale", o["cfg_rescale"])
	m.furtherNovel(o)
	if found := novelWeight.FindString(m.Prompt + "\n" + m.Negative); found != "" {
		m.Notes = append(m.Notes, message.Note("its weights, as in %q, are read as words", found))
	}
	return true
}
