package session

import (
	"context"
	"image"
	"strings"
	"testing"

	"realword/history"
	"realword/inference"
	"realword/inference/picture"
	"realword/ui/state"
	"realword/ui/uitest"
)

// slow reads pictures once it is let.
type slow struct{ gate chan struct{} }

func (e slow) Read(ctx context.Context, ref inference.Reference) (*image.NRGBA, picture.Info, error) {
	<-e.gate
	return picture.DecodeContext(ctx, ref.Data, picture.Limits{})
}

// TestTheNewestWishIsGranted: a session that takes long to read does not come up over what the user has begun since, and takes no words away.
func TestTheNewestWishIsGranted(t *testing.T) {
	type wish struct {
		*bench
		gate             chan struct{}
		dog, ball, house uint64 // sessions: the first is slow, the last in view
	}
	typed := func(b wish, text string) {
		b.Change(func(s *state.State) { s.Form.Prompt = text })
	}
	for name, c := range map[string]struct {
		do         func(b wish)
		view, kept string // that comes up, and that is somewhere in the history
	}{
		"a new one": {func(b wish) {
			b.GoOn(b.dog)
			b.New()
			typed(b, "a boat")
		}, "a boat", "a house"},
		"another one": {func(b wish) {
			b.GoOn(b.dog)
			b.GoOn(b.ball)
		}, "a ball", "a house"},
		"the example": {func(b wish) {
			b.GoOn(b.dog)
			b.ShowExample()
		}, "a dog on the beach", "a house"},
		"a new one after the example": {func(b wish) {
			b.ShowExample()
			b.New()
		}, "", "a house"},
		"words before it comes": {func(b wish) {
			b.GoOn(b.dog)
			typed(b, "a house with a garden")
		}, "a dog", "a house with a garden"},
		"words before itself comes": {func(b wish) {
			b.GoOn(b.dog)
			b.gate <- struct{}{}
			b.Settle()
			b.GoOn(b.dog)
			typed(b, "a dog that runs")
		}, "a dog that runs", "a dog that runs"},
	} {
		gate, on := make(chan struct{}), false
		b := wish{bench: withExample(t, t.TempDir())}
		b.gate = gate
		b.host.Eye = func() state.Eye {
			e := state.Eye{Model: uitest.Toybox}
			if on {
				e.Engine = slow{gate}
			}
			return e
		}
		b.Change(func(s *state.State) {
			s.Form.Prompt, s.Form.Cards = "a dog", []state.Card{cardOf(1, "dog", uitest.PNG(uitest.Red))}
		})
		for _, one := range []struct {
			to   *uint64
			next string
		}{{&b.dog, "a ball"}, {&b.ball, "a house"}, {&b.house, ""}} {
			b.Keep()
			b.Settle()
			if *one.to = b.host.Journal.Session(); one.next != "" {
				b.New()
				typed(b, one.next)
			}
		}
		on = true
		c.do(b)
		close(gate)
		b.Settle()
		if got := b.Now().Form.Prompt; got != c.view {
			t.Errorf("%s: in view is %q, want %q", name, got, c.view)
		}
		b.Keep()
		b.Settle()
		var all strings.Builder
		list, err := b.host.Journal.Store().Sessions()
		for _, s := range list {
			all.Write(s.Draft)
		}
		if err != nil || !strings.Contains(all.String(), `"`+c.kept+`"`) {
			t.Errorf("%s: %q is in none of %d sessions, %v", name, c.kept, len(list), err)
		}
	}
}

// TestANewSessionStaysEmpty: the last one, which was being read still, does not come up over it.
func TestANewSessionStaysEmpty(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	b.Change(func(s *state.State) { s.Form.Prompt = "a dog" })
	b.end()
	gate := make(chan struct{})
	b = newBenchOf(t, dir, func(b *bench) {
		open := b.host.OpenHistory
		b.host.OpenHistory = func() (*history.Store, error) { <-gate; return open() }
		b.Open()
		b.New()
		close(gate)
	})
	if b.Now().Form.Prompt != "" || len(b.quicker) != 1 {
		t.Errorf("%q comes up over a new session", b.Now().Form.Prompt)
	}
}
