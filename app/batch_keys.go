package main

import (
	"reflect"
	"slices"
	"strings"
)

// perFolder are keys of a recipe that a line of a batch, which is one picture, does not take.
var perFolder = []string{"seeds", "grid"}

// batchKeys are the keys of a line of a batch, or of one of its subjects: those of a struct, with the structs that it embeds.
func batchKeys(of reflect.Type) []string {
	var keys []string
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Anonymous {
			keys = append(keys, batchKeys(f.Type)...)
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key != "" && key != "-" && !slices.Contains(keys, key) && !slices.Contains(perFolder, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// otherKeys are what keys of a batch are called elsewhere: by options, by grids, by other programs, in the papers.
var otherKeys = map[string]string{
	"size": `"width" and "height"`, "resolution": `"width" and "height"`, "lora": `"loras"`,
	"tstop": `"stop"`, "area": `"scope"`, "gamma": `"scope"`,
	"cfgscale": `"cfg"`, "guidance": `"cfg"`, "guidancescale": `"cfg"`, "negativeprompt": `"negative"`, "rescale": `"guidance_rescale"`,
	"reference": `"references"`, "picture": `"references"`, "subject": `"subjects"`, "region": `"mask"`,
	"count":     `a line with a "seed" for each picture`,
	"scheduler": `"sampler"`, "out": "the option --out", "model": "the option --model",
}

// likeKey is a hint at the key that may have been meant.
func likeKey(name string) string {
	bare := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
	}
	if other := otherKeys[bare(name)]; other != "" {
		return ": did you mean " + other + "?"
	}
	best, least := "", 3
	for _, key := range append(batchKeys(reflect.TypeFor[batchLine]()), batchKeys(reflect.TypeFor[batchSubject]())...) {
		if d := typos(bare(key), bare(name)); d < least && d < len(key) {
			best, least = key, d
		}
	}
	if best == "" {
		return ": docs/command-line.md has a table of all keys"
	}
	return `: did you mean "` + best + `"?`
}
