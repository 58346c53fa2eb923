package ui

import (
	"os"
	"path/filepath"
	"testing"

	"realword/ui/state"
	"realword/ui/uitest"
)

// TestPicturesStayWithTheSessionThatTheyAreFor: another one that comes up while they are chosen gets none, and this is said. None comes up
// while one is looked at.
func TestPicturesStayWithTheSessionThatTheyAreFor(t *testing.T) {
	press := func(b *bench, id string) {
		for _, a := range b.Table.List {
			if a.ID == id {
				b.Perform(a)
			}
		}
	}
	for name, ask := range map[string]func(b *bench, file, other string){
		"chosen":            func(b *bench, _, _ string) { b.subjects.ChoosePicture() },
		"chosen for a card": func(b *bench, _, _ string) { press(b, "subject.add") },
		"opened":            func(b *bench, _, _ string) { press(b, "file.open") },
		"looked at":         func(b *bench, file, _ string) { take(b.Window, []string{file}, state.Target{}, true) },
		"of no known kind": func(b *bench, _, other string) {
			take(b.Window, []string{other}, state.Target{Card: b.state.Selected}, true)
		},
	} {
		for _, leave := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				file, other := filepath.Join(dir, "rex.png"), filepath.Join(dir, "rex")
				c := uitest.Red
				c.B = 9
				for _, path := range []string{file, other} {
					if err := os.WriteFile(path, uitest.PNG(c), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				b := keeping(t, dir)
				b.subjects.PromptChanged("a dog")
				first := func() ([]byte, error) { return uitest.PNG(uitest.Red), nil }
				b.subjects.Add(state.Word{}, state.Source{Name: "first.png", Hint: "dog", Read: first})
				b.settle()
				b.state.Change(func(s *state.State) { s.Selected = s.Form.Cards[0].ID })
				ask(b, file, other)
				if leave {
					b.session.New()
				}
				want, stays := 2, b.state.Form.Prompt != ""
				if !stays {
					want = 0
				}
				b.settle()
				s, should := b.state.State, !leave || name == "looked at"
				if len(s.Form.Cards) != want || (s.PickErr == nil) != stays || stays != should {
					t.Errorf("left %v: %d cards, not %d; said is %v", leave, len(s.Form.Cards), want, s.PickErr)
				}
			})
		}
	}
}
