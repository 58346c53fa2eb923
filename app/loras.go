package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"

	"realword/inference"
	"realword/inference/lora"
)

// loras is the folder of the user's LoRAs, with those that options name.
var loras = sync.OnceValue(func() *lora.Library { return lora.NewLibrary(dataFolder("loras")) })

// noLoRA leaves out those of a recipe. An empty option does not: that may be a script's empty variable.
const noLoRA = "none"

// loraFlag is the option --lora: every one adds a LoRA.
type loraFlag struct {
	of   *inference.Settings
	none *bool // nil: there is no recipe
}

// String implements pflag.Value.
func (f loraFlag) String() string {
	if f.none != nil && *f.none {
		return noLoRA
	}
	return f.of.LoRAs
}

// Type implements pflag.Value.
func (loraFlag) Type() string { return "string" }

// Set implements pflag.Value. It reads FILE[:W], where FILE is a file or the name of one in the folder of LoRAs. A colon belongs to the
// file unless a number follows it and no such file exists.
func (f loraFlag) Set(text string) error {
	use := lora.Use{Name: text, Weight: 1}
	there := func(path string) bool { _, err := os.Stat(path); return !errors.Is(err, fs.ErrNotExist) }
	if at := strings.LastIndex(text, ":"); at > 0 && !there(text) {
		if weight, err := inference.ParseDecimal(text[at+1:]); err == nil {
			use.Name, use.Weight = text[:at], weight
		}
	}
	if use.Name == "" {
		return errors.New("name a file, or a LoRA of the folder " + loras().Dir)
	}
	if there(use.Name) {
		use.Name = loras().Name(use.Name)
	} else if _, err := loras().Find(lora.NameOf(use.Name)); err == nil {
		use.Name = lora.NameOf(use.Name)
	} else if _, err := loras().Find(use.Name); err != nil && text == noLoRA && f.none != nil {
		*f.none = true
		return nil
	} else if err != nil {
		return inference.LoRAError{Err: errors.New("there is no such file, nor a LoRA of that name in the folder " + loras().Dir)}
	}
	if err := lora.CheckWeight(use.Name, use.Weight); err != nil {
		return err
	}
	uses, err := lora.Parse(f.of.LoRAs)
	if err != nil {
		return err
	}
	f.of.LoRAs = lora.Format(append(uses, use))
	return nil
}
