package recipe

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Twice is a key that an object of a JSON text has more than once, whatever its case, as typed the second time; "" where none has.
// encoding/json takes the last of them in silence. What is no JSON has none from the place on where it ends to be it.
func Twice(text []byte) string {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	type level struct {
		seen map[string]bool // nil for a list
		key  bool            // a key or the end comes next
	}
	var stack []level
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		top := len(stack) - 1
		if top >= 0 && stack[top].key {
			if name, ok := token.(string); ok {
				folded := strings.ToLower(name)
				if stack[top].seen[folded] {
					return name
				}
				stack[top].seen[folded], stack[top].key = true, false
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{map[string]bool{}, true})
			continue
		case json.Delim('['):
			stack = append(stack, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
			top--
		}
		if top >= 0 && stack[top].seen != nil {
			stack[top].key = true
		}
	}
}
