package lora

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"realword/inference/files"
	"realword/inference/message"
)

// Use is a LoRA as a request names it.
type Use struct {
	Name   string  // of its file, without folder and extension
	Weight float64 // MinWeight to MaxWeight
	SHA256 string  // of the file, hex; "" where nobody has read it yet
	Off    bool    // it is kept in a list, and not used
	Unread string  // what else stands behind the name that other programs give a meaning to; Format leaves it out
}

// Bounds of weights, and of how many may be used at once.
const (
	MinWeight, MaxWeight = -2, 2
	MaxUses              = 16
)

const open, off = "<lora:", "off"

// Format writes uses as Parse reads them: <lora:name:0.8>, with the file's SHA-256 and "off" behind the weight where there are such.
func Format(uses []Use) string {
	var b strings.Builder
	for _, u := range uses {
		b.WriteString(open + CleanName(u.Name) + ":" + strconv.FormatFloat(u.Weight, 'g', -1, 64))
		for _, more := range []string{u.SHA256, map[bool]string{true: off}[u.Off]} {
			if more != "" {
				b.WriteString(":" + more)
			}
		}
		b.WriteString(">")
	}
	return b.String()
}

// Parse reads uses. Space and commas may lie between them.
func Parse(text string) ([]Use, error) {
	uses, rest := Cut(text)
	if strings.Trim(rest, ", \t\n") != "" {
		return nil, message.Errorf("%q is no LoRA: write <lora:name:0.8>", files.Shown(rest, 60))
	}
	if len(uses) > MaxUses {
		return nil, message.Errorf("%d LoRAs are more than %d: leave some out", len(uses), MaxUses)
	}
	for _, u := range uses {
		if err := CheckWeight(u.Name, u.Weight); err != nil {
			return nil, err
		}
	}
	return uses, nil
}

// CheckWeight says that a weight is out of bounds.
func CheckWeight(name string, weight float64) error {
	if !(weight >= MinWeight && weight <= MaxWeight) { // also catches NaN
		return message.Errorf("the weight %g of the LoRA %s is outside −2 to 2: 0.5 to 1 is usual", weight, name)
	}
	return nil
}

// begins is where a LoRA of A1111's may begin, in any case of its letters.
var begins = regexp.MustCompile(`(?i)<(?:lora|lyco):`)

// Cut takes what A1111 writes of LoRAs out of a prompt: <lora:name>, <lora:name:0.8>, and, with the text encoder's weight first,
// <lora:name:0.5:0.8> and <lora:name:te=0.5:unet=0.8>, of which the U-Net's counts. Other programs' <lyco:…> mean the
// same. The rest is the prompt without them.
func Cut(prompt string) (uses []Use, rest string) {
	var b strings.Builder
	for {
		at := begins.FindStringIndex(prompt)
		if at == nil {
			break
		}
		from := at[0]
		size := strings.IndexAny(prompt[from+1:], "<>")
		if size < 0 || prompt[from+1+size] == '<' {
			b.WriteString(prompt[:from+1])
			prompt = prompt[from+1:]
			continue
		}
		b.WriteString(strings.TrimSuffix(prompt[:from], " "))
		if use, ok := parseOne(prompt[from+len(open) : from+1+size]); ok {
			uses = append(uses, use)
		} else {
			b.WriteString(prompt[len(strings.TrimSuffix(prompt[:from], " ")) : from+size+2])
		}
		prompt = prompt[from+size+2:]
	}
	if rest = b.String() + prompt; len(uses) > 0 {
		rest = strings.TrimSpace(rest)
	}
	return uses, rest
}

func parseOne(inside string) (u Use, ok bool) {
	parts := strings.Split(inside, ":")
	u = Use{Name: strings.TrimSpace(norm.NFC.String(parts[0])), Weight: 1}
	said, position := map[string]float64{}, 0
	var unread []string
	for _, p := range parts[1:] {
		key, value, named := strings.Cut(strings.TrimSpace(p), "=")
		if !named {
			key, value = strconv.Itoa(position), key
			position++
		}
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case value == off:
			u.Off = true
		case len(value) == 64 && isHex(value):
			u.SHA256 = value
		case slices.Contains(weights, key) && err == nil && !math.IsNaN(number) && !math.IsInf(number, 0):
			said[key] = number
		case slices.Contains(weights, key) && key != "1": // other programs say something else there
			return u, false
		case value != "": // weights of blocks, the steps at which it acts, a rank
			unread = append(unread, strings.TrimSpace(p))
		}
	}
	u.Unread = strings.Join(unread, ":")
	for _, key := range weights {
		if weight, ok := said[key]; ok {
			u.Weight = weight
		}
	}
	return u, u.Name != "" && len(u.Name) < 256
}

// weights are where A1111 has that of the U-Net, by position or name; each counts in place of those before it. The text encoder's stands
// for both where it is alone.
var weights = []string{"0", "te", "1", "unet"}

func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdef") == ""
}

// CleanName is the name of a file as Use has it: without what would end it.
func CleanName(name string) string {
	name = norm.NFC.String(name) // a Mac's files have accents as letters of their own, what people type has not
	return cmp.Or(strings.TrimSpace(strings.NewReplacer(":", "_", "<", "_", ">", "_", "\n", " ").Replace(name)), "lora")
}
