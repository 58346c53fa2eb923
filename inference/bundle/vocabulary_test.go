package bundle

import "testing"

func TestVocabulary(t *testing.T) {
	v := &Vocabulary{Subjects: []string{"dog", "teddy bear"}, Places: []string{"on the beach"}}
	for _, c := range []struct {
		word        string
		begun, want bool
	}{
		{"dog", false, true},
		{"Dog", false, true},
		{"bear", false, true},
		{"the", false, true},
		{"cat", false, false},
		{"do", false, false},
		{"do", true, true},
		{"dogs", true, false},
		{"ear", true, false},
		{"", false, false},
	} {
		if got := v.Knows(c.word, c.begun); got != c.want {
			t.Errorf("%q, begun %t: %t", c.word, c.begun, got)
		}
	}
	var none *Vocabulary
	if !none.Knows("anything", false) {
		t.Error("a model without a list does not know a word")
	}
}
