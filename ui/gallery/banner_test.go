package gallery

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"realword/history"
	"realword/ui/state"
)

func TestBannerSaysWhatHelps(t *testing.T) {
	of := func(k history.Kind) error {
		return fmt.Errorf("open: %w", &history.Error{Kind: k, Path: "/h/history.db", Err: errors.New("cause")})
	}
	for _, c := range []struct {
		h             state.History
		want          string
		rescue        bool
		fresh, folder bool
	}{
		{state.History{Open: true}, "", false, false, false},
		{state.History{Err: of(history.Busy)}, "History is off. Another Realword has the history /h/history.db open: close the other one and try again. Pictures are still saved.", false, false, false},
		{state.History{Err: of(history.Newer)}, "a newer Realword", false, true, true},
		{state.History{Err: of(history.Damaged)}, "is damaged", true, true, true},
		{state.History{Err: of(history.ReadOnly)}, "is read-only", false, false, true},
		{state.History{Open: true, Err: of(history.Full)}, "The last change was not recorded in the history. There is no space left", false, false, true},
		{state.History{Open: true, Err: of(history.Damaged)}, "is damaged", true, false, true},
		{state.History{Open: true, Err: of(history.Spoiled)}, "what it held is lost", false, false, true}, // a new history would lack it, too
		{state.History{Err: errors.New("something else")}, "Something else.", false, false, false},
	} {
		var full *history.Error // whose disk is perhaps that of the pictures
		text, rescue, fresh, folder := historyTrouble(c.h, true)
		if !strings.Contains(strings.ToLower(text), strings.ToLower(c.want)) || c.want == "" && text != "" || errors.As(c.h.Err, &full) && (full.Kind == history.Full || full.Kind == history.ReadOnly) && strings.Contains(text, "still saved") || rescue != c.rescue || fresh != c.fresh || folder != c.folder || strings.Contains(text, "cause") {
			t.Errorf("%+v: %q, %v, %v", c.h, text, fresh, folder)
		}
	}
}
