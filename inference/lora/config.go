package lora

import (
	"bytes"
	"cmp"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"realword/inference/files"
)

// PEFT's save_pretrained writes two files into a folder: the tensors, and beside them how strong they are meant to be.
const (
	peftTensors = "adapter_model"
	peftConfig  = "adapter_config.json"
)

// Config is the path of PEFT's configuration of a LoRA file, "" where there is none: NAME.adapter_config.json, as Take keeps it, or
// adapter_config.json in a folder that has it for this file.
func Config(path string) string {
	dir, base := filepath.Split(path)
	name := strings.TrimSuffix(base, filepath.Ext(base))
	if own := filepath.Join(dir, name+"."+peftConfig); files.Exists(own) {
		return own
	}
	beside := filepath.Join(dir, peftConfig)
	if !files.Exists(beside) || name != peftTensors && !alone(dir) {
		return ""
	}
	return beside
}

// alone tells that one file of a folder at most may be a LoRA: it was renamed, then.
func alone(dir string) bool {
	list, err := files.Visible(cmp.Or(dir, "."))
	n := 0
	for _, e := range list {
		if slices.Contains(Extensions, strings.ToLower(filepath.Ext(e.Name()))) {
			n++
		}
	}
	return err == nil && n <= 1
}

// config is what PEFT says of the strength of its tensors.
type config struct {
	network
	any    bool     // of every network
	Alpha  float64  `json:"lora_alpha"`
	Other  float64  `json:"alpha"` // the same, of LoHa and LoKr
	Rank   int      `json:"r"`
	Alphas patterns `json:"alpha_pattern"`
	Root   bool     `json:"use_rslora"`
}

// patterns are the alphas of some modules; the first that fits counts, in the order in which they are written.
type patterns []pattern

type pattern struct {
	module *regexp.Regexp
	alpha  float64
}

// UnmarshalJSON implements json.Unmarshaler: a map would lose the order.
func (p *patterns) UnmarshalJSON(data []byte) error {
	const most = 10_000 // far more than a model has modules
	d := json.NewDecoder(bytes.NewReader(data))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return err // null
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var alpha float64
		if err := d.Decode(&alpha); err != nil {
			return err
		}
		text, _ := key.(string)
		module, err := regexp.Compile(`^(?:.*\.)?(?:` + text + `)$`)
		if err != nil { // what only Python's expressions have
			module = regexp.MustCompile(`^(?:.*\.)?` + regexp.QuoteMeta(text) + `$`)
		}
		if len(*p) < most {
			*p = append(*p, pattern{module, alpha})
		}
	}
	return nil
}

// addConfig adds a configuration, if it says a strength.
func (f *File) addConfig(text []byte, c config) bool {
	err := json.Unmarshal(files.JSON(text), &c)
	if c.Alpha = cmp.Or(c.Alpha, c.Other); err != nil || c.Alpha == 0 {
		return false
	}
	f.configs = append(f.configs, c)
	return true
}

// readConfigs reads how PEFT scales: from the file itself, or from the configuration beside it.
func (f *File) readConfigs() {
	if text := f.data.Metadata()["lora_adapter_metadata"]; text != "" {
		var all map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &all) != nil {
			return
		}
		for prefix, n := range map[string]network{"unet.": unet, "text_encoder.": text1, "text_encoder_2.": text2} {
			own := map[string]json.RawMessage{}
			for key, value := range all {
				if rest, ok := strings.CutPrefix(key, prefix); ok {
					own[rest] = value
				}
			}
			again, _ := json.Marshal(own) // of what was read
			f.addConfig(again, config{network: n})
		}
		return
	}
	const most = 1 << 20
	if path := Config(f.path); path != "" {
		if text, err := files.Read(path, most); err == nil && f.addConfig(text, config{any: true}) {
			f.beside = text
		}
	}
}

// configOf is the configuration that a module goes by, and the module's name in its network.
func (f *File) configOf(m *module) (c config, rest string, ok bool) {
	n, rest := split(m.name)
	for _, c := range f.configs {
		if c.any || c.network == n {
			return c, rest, true
		}
	}
	return c, rest, false
}

// unscaled tells that PEFT has written the file and that nothing says how strong it is.
func (f *File) unscaled() bool {
	for _, m := range f.modules {
		if _, _, ok := f.configOf(m); !ok && strings.HasPrefix(m.name, "base_model.model.") && m.keys["alpha"] == "" {
			return true
		}
	}
	return false
}
