package session

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"realword/history"
	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/state"
	"realword/ui/wording"
)

// Keeper keeps the session that is worked at.
type Keeper struct {
	Host
	kept []byte // the form as it was kept last
}

// Open opens the history and takes up the session that was worked at last, unless something was done meanwhile.
func (k *Keeper) Open() {
	if k.OpenHistory == nil {
		return
	}
	see := k.Eye()
	k.Background(func() func() {
		s, err := k.OpenHistory()
		var last opened
		var took func()
		var trouble error
		found := false
		if err == nil {
			took = k.OnOpened(s)
			var list []history.Session
			if list, trouble = s.Sessions(); trouble == nil {
				var newest history.Session
				if newest, found = lastSession(list); found {
					last, trouble = readSession(s, newest.ID, see)
				}
			}
		}
		return func() {
			k.State.History.Open, k.State.History.Err = err == nil, err
			if err == nil {
				k.Journal.Open(s)
				took()
				k.State.History.Err = trouble
				if found && trouble == nil && k.untouched() {
					k.takeUp(last)
				}
			}
			k.Changed()
		}
	})
}

// untouched tells whether nothing was set since the window was opened.
func (k *Keeper) untouched() bool {
	f := k.State.Form
	return f.Prompt == "" && strings.TrimSpace(f.Negative) == "" && len(f.Cards) == 0 && len(k.State.Shots) == 0 && !k.State.Busy()
}

// takeUp makes a session the current one.
func (k *Keeper) takeUp(o opened) {
	k.State.History.Name = o.session.Name
	k.Journal.SetSession(o.session.ID)
	k.State.Form = o.form.Settle(k.State.Model)
	k.State.Words = k.Words(k.State.Form.Prompt)
	k.State.Selected, k.State.Pending = 0, inference.Word{}
	k.State.PickErr = o.missing
	k.kept = k.draftNow()
	k.State.Shots, k.State.View = o.shots, state.View{Shot: len(o.shots) - 1, Step: -1}
	k.State.Run = state.Round{}
	k.State.ActionErr = nil
	k.OnTakenUp()
	k.Changed()
}

// draftNow is the form as it is kept.
func (k *Keeper) draftNow() []byte {
	form, err := json.Marshal(k.State.Form)
	if err != nil {
		panic(err) // a field of Form that JSON does not know: a mistake of ours, found by every test with a store
	}
	return form
}

// Keep journals the form when it has changed.
func (k *Keeper) Keep() {
	if !k.State.History.Open {
		return
	}
	now := k.draftNow()
	if bytes.Equal(now, k.kept) || k.kept == nil && k.untouched() {
		return
	}
	k.kept = now
	data, err := json.Marshal(state.Draft{Schema: state.DraftSchema, Saved: time.Now(), Form: k.State.Form})
	if err != nil {
		return
	}
	var pictures []inference.Reference
	for _, c := range k.State.Form.Cards {
		pictures = append(pictures, c.Ref)
		if mask := c.Region; len(mask.Data) > 0 {
			pictures = append(pictures, inference.Reference{Name: mask.FileName(c.Word), SHA256: mask.SHA256, Data: mask.Data})
		}
	}
	k.Journal.KeepDraft(data, pictures)
}

// draftEvery is how often the form is looked at for changes; so much of what was typed is lost at most.
const draftEvery = 400 * time.Millisecond

// Watch keeps the form until the window closes.
func (k *Keeper) Watch() {
	go func() {
		tick := time.NewTicker(draftEvery)
		defer tick.Stop()
		for {
			select {
			case <-k.Context.Done():
				return
			case <-tick.C:
				if !k.Resting() { // nothing is typed into a window that rests
					k.Post(k.Keep)
				}
			}
		}
	}()
}

// Told is told of every change of the history, off the window's goroutine.
func (k *Keeper) Told(err error) {
	k.Post(func() {
		if err == nil && k.State.History.Err != nil && k.State.History.Open {
			k.State.History.Err = nil
			k.Changed()
		} else if err != nil {
			k.State.History.Err = err
			k.Changed()
		}
	})
}

// LoadView reads what is missing of the kept picture on the stage.
func (k *Keeper) LoadView() {
	at, shot, s := k.State.View.Shot, k.State.Shot(), k.Journal.Store()
	if shot == nil || shot.Kept == 0 || shot.Loaded || s == nil || k.State.Model == nil || shot.Image != nil && shot.Film != nil {
		return
	}
	k.State.Shots = slices.Clone(k.State.Shots)
	for i := range k.State.Shots { // one film of the history is in memory at a time
		if old := &k.State.Shots[i]; old.Loaded && i != at {
			old.Film, old.Loaded = nil, false
		}
	}
	k.State.Shots[at].Loaded = true
	before, m := k.State.Shots[at], *k.State.Model
	k.Background(func() func() {
		loaded := loadShot(s, before, m)
		return func() {
			i := slices.IndexFunc(k.State.Shots, func(s state.Shot) bool { return s.Kept == before.Kept })
			if i < 0 || !k.State.Shots[i].Loaded {
				return
			}
			k.State.Shots = slices.Clone(k.State.Shots)
			k.State.Shots[i] = loaded
			k.Changed()
		}
	})
}

// Reader answers what reads a picture of the history whole, off the window's goroutine; nil where it cannot be read now.
func (k *Keeper) Reader(shot state.Shot) func() state.Shot {
	store := k.Journal.Store()
	if store == nil || k.State.Model == nil {
		return nil
	}
	m := *k.State.Model
	return func() state.Shot { return loadShot(store, shot, m) }
}

// Show puts a picture of the history on the stage, with its film.
func (k *Keeper) Show(id uint64) {
	if i := slices.IndexFunc(k.State.Shots, func(s state.Shot) bool { return s.Kept == id }); i >= 0 {
		k.State.View = state.View{Shot: i, Step: -1}
		k.Changed()
		return
	}
	s := k.Journal.Store()
	if s == nil {
		return
	}
	k.Background(func() func() {
		shot, err := keptShot(s, id)
		return func() {
			if k.State.ActionErr = err; err == nil {
				shot.Elsewhere = true
				k.State.Shots = append(slices.Clip(k.State.Shots), shot)
				k.State.View = state.View{Shot: len(k.State.Shots) - 1, Step: -1}
			}
			k.Changed()
		}
	})
}

// New begins with an empty form; what was there stays in its session.
func (k *Keeper) New() {
	if k.State.Busy() || k.Closing() {
		return
	}
	k.Keep()
	form := state.NewState().Form
	k.takeUp(opened{form: form})
}

// GoOn takes up another session where it was left.
func (k *Keeper) GoOn(id uint64) {
	s := k.Journal.Store()
	if s == nil || k.State.Busy() || k.Closing() {
		return
	}
	k.Keep()
	see := k.Eye()
	k.Background(func() func() {
		one, err := readSession(s, id, see)
		return func() {
			if k.State.ActionErr = err; err == nil && !k.State.Busy() {
				k.takeUp(one)
			}
			k.Changed()
		}
	})
}

// Forget has a picture of the history read again when it is looked at.
func (k *Keeper) Forget(id uint64) {
	i := slices.IndexFunc(k.State.Shots, func(s state.Shot) bool { return s.Kept == id })
	if i < 0 {
		return
	}
	k.State.Shots = slices.Clone(k.State.Shots)
	shot := &k.State.Shots[i]
	shot.Image, shot.SaveErr, shot.Loaded = nil, nil, false
	k.Changed()
}

// Compare shows two pictures of the history side by side, once done has been told that both can be read.
func (k *Keeper) Compare(left, right uint64, done func(error)) {
	s := k.Journal.Store()
	if s == nil || k.State.Model == nil {
		return
	}
	model := *k.State.Model
	k.Background(func() func() {
		var shots []state.Shot
		for _, id := range []uint64{left, right} {
			shot, err := keptShot(s, id)
			if err != nil {
				return func() { done(err) }
			}
			shots = append(shots, loadShot(s, shot, model))
		}
		return func() {
			done(nil)
			i := k.State.Find(shots[0])
			if i < 0 {
				shots[0].Elsewhere = true
				k.State.Shots = append(slices.Clip(k.State.Shots), shots[0])
				i = len(k.State.Shots) - 1
			} else if k.State.Shots[i].Image == nil {
				k.State.Shots = slices.Clone(k.State.Shots)
				k.State.Shots[i] = shots[0]
			}
			k.State.View = state.View{Shot: i, Step: -1}
			k.OnCompare(shots[1])
		}
	})
}

// Retry opens the history again, or makes the change that failed again.
func (k *Keeper) Retry() {
	if k.Closing() {
		return
	}
	if k.State.History.Open {
		k.kept = []byte{} // the form is written once more
		k.Keep()
		return
	}
	k.Open()
}

// StartAnew moves a history that cannot be used away, and begins a new one.
func (k *Keeper) StartAnew() {
	k.Background(func() func() {
		err := k.SetAside()
		return func() {
			if err != nil {
				k.State.History.Err = err
				k.Changed()
				return
			}
			k.Open()
		}
	})
}

// Rescue moves a damaged history away, and begins a new one with everything that can be read of it.
func (k *Keeper) Rescue() {
	if k.Closing() || k.State.Busy() {
		return
	}
	k.State.History.Open = false
	k.Background(func() func() {
		err := k.Journal.Close()
		var got history.Rescued
		if err == nil {
			got, err = k.RescueHistory()
		}
		return func() {
			k.kept = nil
			k.Open()
			text := i18n.T("The new history starts with what could be read from the damaged one: sessions %d, jobs %d, pictures %d. The damaged one stays where it is.", got.Sessions, got.Rounds, got.Pictures)
			if got.Lost > 0 {
				text += " " + i18n.N(got.Lost, "%d part of it could not be read.", "%d parts of it could not be read.", got.Lost)
			}
			if err != nil {
				text = wording.Brief(err)
			}
			k.OnRescued(text, err != nil)
		}
	})
}
