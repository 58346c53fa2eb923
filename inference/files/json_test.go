package files

import (
	"encoding/json"
	"testing"
)

// TestJSON reads what Python writes, and changes nothing else.
func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		"\xef\xbb\xbf{\"a\": 1}":                    `{"a": 1}`,
		`{"a": -Infinity, "b": [NaN,Infinity , 1]}`: `{"a": null, "b": [null,null , 1]}`,
		`{"x: NaN, y": "a \\", "-Infinity\"": NaN}`: `{"x: NaN, y": "a \\", "-Infinity\"": null}`,
		`{"a": "NaN, Infinity", "b": 1e400}`:        `{"a": "NaN, Infinity", "b": 1e400}`,
		`{"a": NaN`:                                 `{"a": null`,
		`{"a": "` + "\n" + `NaN", "b": NaN}`:        `{"a": "` + "\n" + `NaN", "b": null}`,
		`NaN "`:                                     `null "`,
	} {
		if got := string(JSON([]byte(text))); got != want {
			t.Errorf("%s is %s, not %s", text, got, want)
		}
		if json.Valid([]byte(want)) != json.Valid(JSON([]byte(text))) {
			t.Error(text)
		}
	}
}
