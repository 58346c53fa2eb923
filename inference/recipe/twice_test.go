package recipe

import (
	"strings"
	"testing"
)

func TestTwice(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "[]": "", `"a"`: "", `{"a":"a","b":["a","a",{"a":1}],"c":{"a":{"a":2}}}`: "", `[{"a":1},{"a":2}]`: "",
		`{"a":1,"b":{},"a":2}`: "a", `{"a":[],"A":2}`: "A", `[{"a":{"x":1,"y":[{}],"x":2}}]`: "x", `{"a":1,"\u0061":2}`: "a",
		`{"a":1,`: "", `{"a":1,"a"`: "a", `{"a" 1 "a"}`: "",
		strings.Repeat("[", 100000): "",
	} {
		if got := Twice([]byte(text)); got != want {
			t.Errorf("%.60s: %q, want %q", text, got, want)
		}
	}
}
