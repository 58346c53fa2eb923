package journal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/history"
)

func TestTree(t *testing.T) {
	// A round is its number and the pictures that it goes on from; its own pictures are ten times its number and one more.
	round := func(id uint64, parents ...uint64) history.Round {
		return history.Round{ID: id, Plan: history.Plan{Parents: parents}, Pictures: []history.Picture{{ID: 10 * id, File: "a"}, {ID: 10*id + 1, File: "b"}}}
	}
	gone := round(2)
	gone.Trashed = time.Now()
	stopped := round(3)
	stopped.Pictures = nil
	for name, c := range map[string]struct {
		rounds []history.Round
		want   string // number@column,level<parent
	}{
		"none":           {nil, ""},
		"no relation":    {[]history.Round{round(1), round(2)}, "1@0,0 2@1,0"},
		"a line":         {[]history.Round{round(1), round(2, 10), round(3, 21)}, "1@0,0 2@0,1<1 3@0,2<2"},
		"a fork":         {[]history.Round{round(1), round(2, 10), round(3, 11), round(4, 20)}, "1@0,0 2@0,1<1 3@1,1<1 4@0,2<2"},
		"two trees":      {[]history.Round{round(1), round(2), round(3, 10), round(4, 10), round(5, 20)}, "1@0,0 2@2,0 3@0,1<1 4@1,1<1 5@2,1<2"},
		"two parents":    {[]history.Round{round(1), round(2), round(3, 20, 10)}, "1@0,0 2@1,0 3@1,1<2"},
		"elsewhere":      {[]history.Round{round(5, 10)}, "5@0,0"},
		"trash":          {[]history.Round{round(1), gone, round(4, 20)}, "1@0,0 4@1,0"},
		"nothing to see": {[]history.Round{stopped, round(4)}, "4@0,0"},
		"not a tree":     {[]history.Round{round(1, 20), round(2, 10)}, "1@0,0 2@0,1<1"},
	} {
		var got []string
		nodes := Tree(c.rounds)
		for _, n := range nodes {
			text := fmt.Sprintf("%d@%d,%d", n.ID, n.Column, n.Level)
			if n.Parent >= 0 {
				text += fmt.Sprintf("<%d", nodes[n.Parent].ID)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
		for i, a := range nodes {
			if slices.ContainsFunc(nodes[:i], func(b Node) bool { return a.Level == b.Level && a.Column == b.Column }) {
				t.Errorf("%s: two rounds at one place", name)
			}
		}
	}
}
