package files

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// pythons finds what Python's json writes for numbers that JSON has not; strings are found whole, so that none is looked for in them.
var pythons = regexp.MustCompile(`"(?:[^"\\]|\\(?s:.))*"|-?Infinity|NaN`)

// JSON is the JSON of a file as it should be written: without the byte-order mark of some editors, and with null for the NaN and the
// infinities that Python writes, as in the configuration of diffusers' DPMSolverMultistepScheduler. What is sound is returned as it is.
func JSON(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if json.Valid(data) {
		return data
	}
	return pythons.ReplaceAllFunc(data, func(found []byte) []byte {
		if found[0] == '"' {
			return found
		}
		return []byte("null")
	})
}
