package session

import (
	"slices"

	"realword/history"
	"realword/inference"
	"realword/ui/state"
)

// Example is the finished session that comes with the program.
type Example struct {
	UID   string                               // by which every history knows it
	Bring func(*history.Store) (uint64, error) // puts it into a history where it is not yet, and answers its number there
}

// away is the user's own session while the example is looked at.
type away struct {
	own    func() uint64 // its number; 0: it is not begun
	back   func()        // to its place in the journal
	was    state.State
	kept   []byte
	thrown bool     // it is in the trash, or was deleted for good
	late   []func() // what comes to it meanwhile is shown in it
}

// example tells whether a session is the one that comes with the program. One that somebody has worked at, in an earlier Realword,
// has settings of its own and is a session like others.
func (k *Keeper) example(s history.Session) bool {
	return s.UID != "" && s.UID == k.host.Example.UID && len(s.Draft) == 0
}

// CanShowExample tells whether the example can be looked at now.
func (k *Keeper) CanShowExample() bool {
	s := k.host.State()
	return k.host.Example.Bring != nil && s.History.Open && !s.History.Example && s.Occupied() == nil
}

// ShowExample shows the example beside the user's own session, which waits until the example is closed.
func (k *Keeper) ShowExample() {
	store := k.host.Journal.Store()
	if !k.CanShowExample() || store == nil || k.host.Closing() {
		return
	}
	see := k.host.Eye()
	k.bring(func() (opened, error) {
		id, err := k.host.Example.Bring(store)
		if err != nil {
			return opened{}, err
		}
		return readSession(store, id, see)
	})
}

// lookAt shows the example: as it was left, but with a seed of its own, so that Generate makes another picture, in a session of the user's.
func (k *Keeper) lookAt(o opened) {
	if k.away == nil {
		k.away = &away{was: k.host.State(), kept: k.kept}
		k.away.own, k.away.back = k.host.Journal.Apart()
		k.away.was.Shots = slices.Clone(k.away.was.Shots)
		for i := range k.away.was.Shots {
			if shot := &k.away.was.Shots[i]; shot.Image == nil || shot.Film == nil { // what is being read finds it no more
				shot.Loaded = false
			}
		}
	}
	k.host.Change(func(s *state.State) {
		s.History.Name, s.History.Example, s.History.Up = "", true, s.History.Up+1
		s.Form = o.form.Settle(s.Model)
		s.Form.Seed, s.Form.KeepSeed, s.Form.Spent = state.DrawSeed(), false, false
		s.Words = k.host.Words(s.Form.Prompt)
		s.Selected, s.Latest, s.Pending = 0, 0, inference.Word{}
		s.PickErr, s.ActionErr = o.missing, nil
		own := slices.Clone(o.shots)
		for i := range own {
			own[i].Elsewhere = true
		}
		s.Shots, s.View = among(s.Guests(), own)
		s.Last = state.Round{}
		k.kept = draft(s.Form)
		k.host.OnTakenUp()
	})
}

// begun notes that something was made of the example: what is on the screen is a session of the user's own from then on.
func (k *Keeper) begun() {
	if k.away != nil && k.host.Journal.Session() != 0 {
		k.away = nil
		k.host.Change(func(s *state.State) { s.History.Example = false })
	}
}

// home are the pictures of a session as they were, but for those that came along into another state: there they may have got a file. Behind
// them are the others that are in this window alone.
func home(was []state.Shot, now state.State) []state.Shot {
	list := slices.Clone(was)
	own := state.State{Shots: was}
	for _, shot := range now.Shots {
		switch i := own.Find(shot); {
		case !shot.Guest && !shot.Here():
		case i >= 0:
			shot.Guest, shot.Elsewhere = was[i].Guest, was[i].Elsewhere
			list[i] = shot
		case shot.Here():
			shot.Guest, shot.Elsewhere = true, true
			list = append(list, shot)
		}
	}
	return list
}

// CloseExample leads back to the user's own session as it was, and to an empty one where that was thrown away meanwhile.
func (k *Keeper) CloseExample() {
	if k.away == nil || k.host.Closing() || k.occupied() {
		return
	}
	if k.away.thrown {
		k.New()
		return
	}
	a := k.away
	k.wishes++
	k.away, k.kept = nil, a.kept
	a.back()
	k.host.Change(func(s *state.State) {
		s.History.Name, s.History.Example, s.History.Up = a.was.History.Name, false, s.History.Up+1
		s.Form, s.Shots, s.View, s.Last = a.was.Form.Settle(s.Model), home(a.was.Shots, *s), a.was.View, a.was.Last
		s.Words = k.host.Words(s.Form.Prompt)
		s.Selected, s.Latest, s.Pending = a.was.Selected, a.was.Latest, a.was.Pending
		s.PickErr, s.ActionErr = a.was.PickErr, nil
		k.host.OnTakenUp()
	})
	for _, show := range a.late {
		show()
	}
	k.freshen()
}
