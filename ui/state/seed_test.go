package state

import "testing"

func TestParseSeed(t *testing.T) {
	for text, ok := range map[string]bool{"0": true, "4294967295": true, " 12 ": true, "-1": true, "": true, "4294967296": false, "x": false, "1.5": false, "-2": false} {
		if _, err := ParseSeed(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if seed, _ := ParseSeed(" 12 "); seed != 12 {
		t.Errorf("got %d", seed)
	}
}
