package state

import (
	"strings"
	"testing"

	"realword/inference"
	"realword/ui/uitest"
)

// TestChipsAreLookedAtOnce: the words of a long prompt with several subjects show what each is for, and each subject is looked for once and
// not once for each word, since every change of the window asks.
func TestChipsAreLookedAtOnce(t *testing.T) {
	const piece = "a small brown dog with a pink hat on the sunny beach, watercolour by many artists, "
	looks := func(pieces int) (State, []ChipLook) {
		text := strings.Repeat(piece, pieces)
		s := State{Model: uitest.Toybox, Form: Form{Prompt: text}, Words: PlainWords(text)}
		for i := range 4 {
			s.Form.Cards = append(s.Form.Cards, Card{
				ID: i + 1, Group: i + 1, Word: inference.Word{Text: "dog with a pink hat", Occurrence: i + 1}, Ref: refOf("a", "a"),
			})
		}
		s.Pending = inference.Word{Text: "beach", Occurrence: 2}
		s.Words[len(s.Words)-1].Past = true
		return s, s.ChipLooks()
	}
	s, got := looks(5)
	nth := map[string]int{}
	subject, left := -1, 0
	for i, w := range s.Words {
		nth[w.Text]++
		if w.Text == "dog" && nth["dog"] <= 4 {
			subject, left = nth["dog"]-1, 5
		}
		if left--; left < 0 {
			subject = -1
		}
		last := i == len(s.Words)-1
		if l := got[i]; l.Subject != subject || l.Waiting != (w.Text == "beach" && nth["beach"] == 2) || l.Cut != last || l.Within || l.Text != w.Text {
			t.Errorf("word %d: %+v, want subject %d", i, l, subject)
		}
	}
	cost := func(pieces int) float64 {
		s, _ := looks(pieces)
		return testing.AllocsPerRun(3, func() { s.ChipLooks() })
	}
	if short, long := cost(5), cost(20); long > 2*short {
		t.Errorf("a prompt four times as long costs %g allocations, a short one %g", long, short)
	}
}
