package history

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What goes on from pictures of the history while that is open elsewhere is below them once it has joined it, in their session. Where they
// are gone by then, or their session is or lies in the trash, it comes all the same.
func TestKinComesTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	s := open(t, path)
	begin := func(s *Store, p Plan) (picture Picture) {
		t.Helper()
		p.Recipe = []byte(`{"schema":1}`)
		round, err := s.BeginRound(p, noon)
		if err != nil {
			t.Fatal(err)
		}
		id, err := s.StartPicture(round, 7)
		if err == nil {
			err = s.FinishPicture(id, Picture{File: "/pictures/a.png", Width: 64, Height: 48})
		}
		if err == nil {
			err = s.End(round, Complete, nil, noon)
		}
		if err == nil {
			picture, err = s.Picture(id)
		}
		if err != nil {
			t.Fatal(err)
		}
		return picture
	}
	mine, err := s.NewSession("foxes", noon)
	if err != nil {
		t.Fatal(err)
	}
	kept, doomed, thrown := begin(s, Plan{Session: mine}), begin(s, Plan{}), begin(s, Plan{})
	beside := func(of Picture) {
		t.Helper()
		b, err := Options{}.OpenBeside(path)
		if err != nil {
			t.Fatal(err)
		}
		round, err1 := s.Round(of.Round)
		session, err2 := s.Session(round.Session)
		id, err3 := b.Join(session)
		again, err4 := b.Join(session)
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil || id != again {
			t.Fatal(err1, err2, err3, err4, id, again)
		}
		if here, err := b.Called(of.UID); here != 0 || err != nil {
			t.Errorf("the picture is beside the history, too: %d, %v", here, err)
		}
		begin(b, Plan{Session: id, Kin: []string{of.UID}})
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // they come in the order in which they ended
	}
	beside(kept)
	beside(doomed)
	beside(thrown)
	if err := s.Trash(noon, Item{SessionItem, 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Empty(noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.Trash(noon, Item{SessionItem, 3}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.TakeIn(); got != (Rescued{Sessions: 2, Rounds: 3, Pictures: 3}) || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	rounds, err := s.Rounds()
	if err != nil || len(rounds) != 5 {
		t.Fatal(len(rounds), err)
	}
	if r := rounds[0]; r.Session == 3 || !slices.Equal(r.Parents, []uint64{thrown.ID}) {
		t.Errorf("what goes on from a picture in the trash is %+v", r)
	} else if session, err := s.Session(r.Session); err != nil || !session.Trashed.IsZero() {
		t.Errorf("it is in %+v, %v", session, err)
	}
	if n, err := s.Empty(noon.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d pictures went with the trash, %v", n, err)
	}
	if rounds, err = s.Rounds(); err != nil || len(rounds) != 4 || len(rounds[0].Parents) != 0 {
		t.Fatal(rounds, err)
	}
	slices.Reverse(rounds)
	if r := rounds[1]; r.Session != mine || !slices.Equal(r.Parents, []uint64{kept.ID}) || r.Kin != nil {
		t.Errorf("what goes on from a picture is %+v", r)
	}
	if r := rounds[2]; r.Session == mine || len(r.Parents) != 0 || r.Kin != nil {
		t.Errorf("what goes on from one that is gone is %+v", r)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}
