package session

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"realword/history"
	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Keeper keeps the session that is worked at.
type Keeper struct {
	host Host
	kept []byte // the form as it was kept last
	away *away  // from the user's own session, while the example is looked at

	wishes int // for a session, that the user had: the newest is granted

	opens bool          // the history is being opened
	then  *before       // it is to be opened once more where that fails: something was done about it meanwhile; nil: it is not
	pause time.Duration // until a history that another program has open is tried again
}

// New makes the keeper; Open begins.
func New(h Host) *Keeper { return &Keeper{host: h, pause: 3 * time.Second} }

// Open opens the history and takes up the session that was worked at last, unless something was done meanwhile.
func (k *Keeper) Open() { k.open(before{}, false) }

// before is what was kept of the window's work in a history that is opened again.
type before struct {
	session uint64         // that was worked at; 0: none
	tasks   map[int]uint64 // that wait, with their numbers in the history
}

// open is Open. What waits, and was kept before, waits once. A history that another program has open is tried until it is free: mostly it
// is a window that is still closing. again tells that it was tried before, and nothing is said where that is so still.
func (k *Keeper) open(was before, again bool) {
	switch {
	case k.host.OpenHistory == nil:
		return
	case k.opens:
		if !again {
			k.then = &was
		}
		return
	}
	k.opens = true
	see, wish := k.host.Eye(), k.wishes
	k.host.Background(func() func() {
		s, err := k.host.OpenHistory()
		left := ""
		if err == nil && k.host.Unrescued != nil {
			left = k.host.Unrescued()
		}
		var last opened
		var took func()
		var trouble error
		found, goesOn := false, false
		if err == nil {
			was.tasks = stillThere(s, was.tasks)
			session, gone := s.Session(was.session)
			goesOn = gone == nil && session.Trashed.IsZero()
			took = k.host.OnOpened(s)
			var list []history.Session
			if list, trouble = s.Sessions(); trouble == nil {
				var newest history.Session
				own := slices.DeleteFunc(list, k.example)
				if newest, found = lastSession(own); found {
					opened := kit.Late(k.host.Post, k.opening)
					last, trouble = readSession(s, newest.ID, see)
					opened()
				}
			}
		}
		return func() {
			then := k.then
			if k.opens, k.then = false, nil; then != nil && err != nil {
				k.open(*then, false)
				return
			}
			if isBusy(err) {
				time.AfterFunc(k.pause, func() {
					if k.host.Context.Err() == nil {
						k.host.Post(func() { k.retry(true) })
					}
				})
				if again {
					return
				}
			}
			k.host.Change(func(now *state.State) {
				now.History.Open, now.History.Err = err == nil, err
				if err == nil {
					k.host.Journal.Open(s)
					now.Queue.Waiting = slices.DeleteFunc(slices.Clone(now.Queue.Waiting), func(t state.Task) bool { return was.tasks[t.ID] != 0 })
					now.History.Err = trouble
					switch {
					case found && trouble == nil && k.wishes == wish && k.Untouched():
						k.takeUp(last)
					case goesOn && k.host.Journal.Session() == 0:
						k.host.Journal.SetSession(was.session)
					case found && trouble == nil && was.session == 0:
						k.host.OnQuicker(last.session.ID)
					}
					took() // they come back with all others, and what the window has besides goes to the session that is current now
				}
			})
			k.Keep() // a window that closes looks no more
			if left != "" {
				k.host.OnOffer(i18n.T("Realword ended while it brought over what can be read of a damaged history. That history is kept as %s.", left))
			}
		}
	})
}

// opening says that the last session is being opened, or no more.
func (k *Keeper) opening(on bool) {
	text := i18n.T("Opening the last session…")
	k.host.Change(func(s *state.State) {
		switch {
		case on && k.Untouched():
			s.Remark = text
		case !on && s.Remark == text:
			s.Remark = ""
		}
	})
}

// stillThere are those of the tasks that a history has among its jobs.
func stillThere(s *history.Store, tasks map[int]uint64) map[int]uint64 {
	jobs, err := s.Jobs()
	left := map[int]uint64{}
	for task, id := range tasks {
		if err == nil && slices.ContainsFunc(jobs, func(j history.Job) bool { return j.ID == id }) {
			left[task] = id
		}
	}
	return left
}

// Untouched tells whether nothing was set since the window was opened, or a session was begun, nor is on its way.
func (k *Keeper) Untouched() bool { return k.empty() && k.host.State().Occupied() == nil }

// empty tells whether there is nothing in the session.
func (k *Keeper) empty() bool {
	s := k.host.State()
	f := s.Form
	own := slices.ContainsFunc(s.Shots, func(shot state.Shot) bool { return !shot.Guest })
	return f.Prompt == "" && strings.TrimSpace(f.Negative) == "" && len(f.Cards) == 0 && !own
}

// freshen tells of a session that the user has come to and that is empty.
func (k *Keeper) freshen() {
	if k.Untouched() {
		k.host.OnFresh()
	}
}

// takeUp makes a session the current one. Pictures that are in this window alone stay in view of the user, who is told of them.
func (k *Keeper) takeUp(o opened) {
	k.wishes++
	if k.example(o.session) {
		k.lookAt(o)
		return
	}
	k.away = nil
	k.host.Journal.SetSession(o.session.ID)
	k.host.Change(func(s *state.State) {
		s.History.Name, s.History.Example, s.History.Up = o.session.Name, false, s.History.Up+1
		s.Form = o.form.Settle(s.Model)
		s.Words = k.host.Words(s.Form.Prompt)
		s.Selected, s.Latest, s.Pending = 0, 0, inference.Word{}
		s.PickErr, s.ActionErr = o.missing, nil
		s.Shots, s.View = among(s.Guests(), o.shots)
		s.Last = state.Round{}
		k.kept = draft(s.Form)
		k.host.OnTakenUp()
	})
}

// among are the pictures of a session behind those of others, and the newest of them in view.
func among(guests, own []state.Shot) ([]state.Shot, state.View) {
	all := slices.Concat(guests, own)
	if len(own) == 0 {
		return all, state.View{Shot: -1, Step: -1}
	}
	return all, state.View{Shot: len(all) - 1, Step: -1}
}

// draft is a form as it is kept.
func draft(f state.Form) []byte {
	data, err := json.Marshal(f)
	if err != nil {
		panic(err) // a field of Form that JSON does not know: a mistake of ours, found by every test with a store
	}
	return data
}

// Keep journals the form when it has changed.
func (k *Keeper) Keep() {
	s := k.host.State()
	if !s.History.Open || k.away != nil && k.host.Journal.Session() == 0 {
		return
	}
	now := draft(s.Form)
	if bytes.Equal(now, k.kept) || k.kept == nil && k.empty() {
		return
	}
	k.kept = now
	data, err := json.Marshal(state.Draft{Schema: state.DraftSchema, Saved: time.Now(), Form: s.Form})
	if err != nil {
		return
	}
	var pictures []inference.Reference
	for _, c := range s.Form.Cards {
		pictures = append(pictures, c.Ref)
		if mask := c.Region; !mask.IsZero() { // also one that could not be read now
			pictures = append(pictures, inference.Reference{Name: mask.FileName(c.Word), SHA256: mask.SHA256, Data: mask.Data})
		}
	}
	k.host.Journal.KeepDraft(data, pictures)
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
			case <-k.host.Context.Done():
				return
			case <-tick.C:
				if !k.host.Resting() { // nothing is typed into a window that rests
					k.host.Post(k.Keep)
				}
			}
		}
	}()
}

// Told is told of every change of the history, off the window's goroutine.
func (k *Keeper) Told(err error) {
	k.host.Post(func() {
		if h := k.host.State().History; err != nil || h.Err != nil && h.Open {
			k.host.Change(func(s *state.State) { s.History.Err = err })
		}
	})
}

// LoadView reads what is missing of the kept picture on the stage, and lets go of what is kept and not looked at. It is called whenever the
// state is shown.
func (k *Keeper) LoadView() {
	k.begun()
	k.seeOff()
	if fewer, ok := k.host.State().Shed(); ok {
		k.host.Change(func(s *state.State) { s.Shots = fewer })
	}
	now, store := k.host.State(), k.host.Journal.Store()
	shot := now.Shot()
	if shot == nil || shot.Kept == 0 || store == nil || now.Model == nil {
		return
	}
	known := shot.Bare && now.Model.Named(shot.Model) // its model has been opened since
	if !known && (shot.Loaded || shot.Image != nil && shot.Film != nil) {
		return
	}
	before, m := *shot, *now.Model
	before.Loaded = true
	k.host.Change(func(s *state.State) {
		s.Shots = slices.Clone(s.Shots)
		for i := range s.Shots { // one film of the history is in memory at a time
			if old := &s.Shots[i]; old.Loaded {
				old.Film, old.Loaded = nil, false
			}
		}
		s.Shots[s.View.Shot].Loaded, s.Shots[s.View.Shot].Bare = true, false
	})
	k.host.Background(func() func() {
		loaded := loadShot(store, before, m)
		return func() {
			if i := indexOf(k.host.State(), before.Kept); i >= 0 && k.host.State().Shots[i].Loaded {
				k.host.Change(func(s *state.State) {
					s.Shots = slices.Clone(s.Shots)
					loaded.Likeness, loaded.Trashed = s.Shots[i].Likeness, s.Shots[i].Trashed // they may have come meanwhile
					s.Shots[i] = loaded
				})
			}
		}
	})
}

// seeOff lets go of the pictures of other sessions that are somewhere else by now, and not in view. While the example is looked at, the
// user's own session waits for them.
func (k *Keeper) seeOff() {
	s := k.host.State()
	shown := s.Shot()
	safe := func(shot state.Shot) bool {
		return shot.Guest && !shot.Here() && (shown == nil || shown.Image != shot.Image || shown.Kept != shot.Kept)
	}
	if k.away == nil && slices.ContainsFunc(s.Shots, safe) {
		k.host.Change(func(s *state.State) {
			*s = s.Without(safe)
			k.host.OnBinned()
		})
	}
}

// Reader answers what reads a picture of the history whole, off the window's goroutine; nil where it cannot be read now.
func (k *Keeper) Reader(shot state.Shot) func() state.Shot {
	store, model := k.host.Journal.Store(), k.host.State().Model
	if store == nil || model == nil {
		return nil
	}
	m := *model
	return func() state.Shot { return loadShot(store, shot, m) }
}

// here reads something for the session that is up, and shows it unless another one has come up meanwhile.
func (k *Keeper) here(slow func() (show func())) {
	up := k.host.State().History.Up
	k.host.Background(func() func() {
		show := slow()
		return func() {
			if k.host.State().History.Up == up {
				show()
			}
		}
	})
}

// Show puts a picture of the history on the stage, with its film.
func (k *Keeper) Show(id uint64) { k.ShowThen(id, func() {}) }

// ShowThen is Show, and then is called once the picture is there. Nothing of it comes into another session.
func (k *Keeper) ShowThen(id uint64, then func()) {
	if i := indexOf(k.host.State(), id); i >= 0 {
		k.host.Change(func(s *state.State) { s.View = state.View{Shot: i, Step: -1} })
		then()
		return
	}
	store := k.host.Journal.Store()
	if store == nil {
		return
	}
	k.here(func() func() {
		shot, err := keptShot(store, id)
		return func() {
			k.host.Change(func(s *state.State) {
				if s.ActionErr = err; err == nil {
					shot.Elsewhere = true
					s.Shots = append(slices.Clip(s.Shots), shot)
					s.View = state.View{Shot: len(s.Shots) - 1, Step: -1}
				}
			})
			if err == nil {
				then()
			}
		}
	})
}

// Stopped puts a picture that was stopped behind those that were made, as its last step shows it, while the session of its job is up, which
// still tells: its end is written down later than it is shown. The stage goes over to it where it showed that step as the newest.
func (k *Keeper) Stopped(id uint64, still func() bool) {
	store := k.host.Journal.Store()
	if store == nil || k.host.Closing() {
		return
	}
	k.host.Background(func() func() {
		shot, err := keptShot(store, id)
		show := func() {
			if !still() || indexOf(k.host.State(), id) >= 0 {
				return
			}
			k.host.Change(func(s *state.State) {
				s.Shots = append(slices.Clip(s.Shots), shot)
				if s.View.Shot < 0 && !s.Busy() {
					s.View = state.View{Shot: len(s.Shots) - 1, Step: -1}
				}
			})
		}
		return func() {
			switch {
			case err != nil || shot.Stopped == 0: // the tree says what is the matter
			case k.away != nil && !still():
				k.away.late = append(k.away.late, show)
			default:
				show()
			}
		}
	})
}

// occupied tells whether something keeps the session where it is, and says so.
func (k *Keeper) occupied() bool {
	err := k.host.State().Occupied()
	if err != nil {
		k.host.Change(func(s *state.State) { s.ActionErr = err })
	}
	return err != nil
}

// New begins with an empty form; what was there stays in its session.
func (k *Keeper) New() {
	if k.host.Closing() || k.occupied() {
		return
	}
	k.Keep()
	k.takeUp(opened{form: state.NewState().Form})
	k.host.OnFresh()
}

// GoOn takes up another session where it was left.
func (k *Keeper) GoOn(id uint64) {
	s := k.host.Journal.Store()
	if s == nil || k.host.Closing() || k.occupied() {
		return
	}
	see := k.host.Eye()
	k.bring(func() (opened, error) { return k.read(s, id, see) })
}

// bring takes up a session that is to be read before, unless the user goes on with something else until then. What was typed meanwhile
// stays in its session; where that is the one that was read, it stays in view.
func (k *Keeper) bring(read func() (opened, error)) {
	k.Keep()
	k.wishes++
	wish, kept := k.wishes, k.kept
	k.host.Background(func() func() {
		one, err := read()
		return func() {
			if k.wishes != wish {
				return
			}
			k.Keep()
			if err == nil && one.session.ID == k.host.Journal.Session() && !bytes.Equal(kept, k.kept) {
				return
			}
			k.host.Change(func(s *state.State) {
				if s.ActionErr = cmp.Or(err, s.Occupied()); s.ActionErr == nil { // something may have begun meanwhile
					k.takeUp(one)
					if !s.History.Example && one.missing == nil { // a draft with pictures that cannot be read stays as it is
						k.kept = []byte{} // it is the session that was worked at last now, also where nothing is changed in it
					}
				}
			})
		}
	})
}

// Forget has a picture of the history read again when it is looked at.
func (k *Keeper) Forget(id uint64) {
	if i := indexOf(k.host.State(), id); i >= 0 {
		k.host.Change(func(s *state.State) {
			s.Shots = slices.Clone(s.Shots)
			shot := &s.Shots[i]
			shot.Image, shot.SaveErr, shot.Loaded = nil, nil, false
		})
	}
}

// Binned takes the pictures out of the session that the history has no more, and marks those that are in the trash. It notes whether the
// user's own session, which waits behind the example, is there still.
func (k *Keeper) Binned() {
	store := k.host.Journal.Store()
	if store == nil {
		return
	}
	shots, away := k.host.State().Shots, k.away
	if away != nil {
		shots = slices.Concat(shots, away.was.Shots)
	}
	k.host.Background(func() func() {
		thrown := away != nil && isThrown(store, away.own())
		gone, trashed := map[uint64]bool{}, map[uint64]bool{}
		for _, shot := range shots {
			if shot.Kept == 0 {
				continue
			}
			p, err := store.Picture(shot.Kept)
			gone[shot.Kept] = errors.Is(err, history.ErrNoPicture)
			r, failed := store.Round(p.Round)
			in, lost := store.Session(r.Session)
			if err == nil && failed == nil && lost == nil {
				trashed[shot.Kept] = !p.Trashed.IsZero() || !r.Trashed.IsZero() || !in.Trashed.IsZero()
			}
		}
		is := func(s state.Shot) bool { return gone[s.Kept] }
		changed := func(s state.Shot) bool { return is(s) || s.Trashed != trashed[s.Kept] }
		left := func(s state.State) state.State {
			s = s.Without(is)
			s.Shots = slices.Clone(s.Shots)
			for i := range s.Shots {
				s.Shots[i].Trashed = trashed[s.Shots[i].Kept]
			}
			return s
		}
		return func() {
			if k.away != nil {
				k.away.was = left(k.away.was)
			}
			if away != nil {
				away.thrown = thrown
			}
			if now := k.host.State().Shots; slices.ContainsFunc(now, changed) {
				k.host.Change(func(s *state.State) {
					if *s = left(*s); len(s.Shots) < len(now) {
						s.ActionErr = nil
					}
					k.host.OnBinned()
				})
			}
		}
	})
}

// isThrown tells whether a session that was begun is in the trash, or was deleted for good.
func isThrown(s *history.Store, id uint64) bool {
	if id == 0 {
		return false
	}
	session, err := s.Session(id)
	return errors.Is(err, history.ErrNoSession) || err == nil && !session.Trashed.IsZero()
}

// indexOf is where a picture of the history is among the shots; -1: it is not.
func indexOf(s state.State, kept uint64) int {
	return slices.IndexFunc(s.Shots, func(s state.Shot) bool { return s.Kept == kept })
}

// Compare shows two pictures of the history side by side, once done has been told that both can be read. Nothing of it, and no done, comes
// into another session.
func (k *Keeper) Compare(left, right uint64, done func(error)) {
	store, now := k.host.Journal.Store(), k.host.State()
	switch {
	case store == nil:
		return
	case now.Model == nil:
		done(cmp.Or(now.ModelErr, errors.New(i18n.T("The model is still opening."))))
		return
	}
	model := *now.Model
	k.here(func() func() {
		var shots []state.Shot
		for _, id := range []uint64{left, right} {
			shot, err := keptShot(store, id)
			if err != nil {
				return func() { done(err) }
			}
			shots = append(shots, loadShot(store, shot, model))
		}
		return func() {
			done(nil)
			k.host.Change(func(s *state.State) {
				i := s.Find(shots[0])
				if i < 0 {
					shots[0].Elsewhere = true
					s.Shots = append(slices.Clip(s.Shots), shots[0])
					i = len(s.Shots) - 1
				} else if s.Shots[i].Image == nil {
					shots[0].Trashed = s.Shots[i].Trashed
					s.Shots = slices.Clone(s.Shots)
					s.Shots[i] = shots[0]
				}
				s.View = state.View{Shot: i, Step: -1}
				k.host.OnCompare(shots[1])
			})
		}
	})
}

// Retry opens the history again, or makes the change that failed again.
func (k *Keeper) Retry() { k.retry(false) }

// retry is Retry; again tells that nobody asked for it.
func (k *Keeper) retry(again bool) {
	now := k.host.State().History
	switch {
	case k.host.Closing(), again && (now.Open || !isBusy(now.Err)):
	case now.Open:
		k.kept = []byte{} // the form is written once more
		k.Keep()
		k.host.Journal.Retry()
	default:
		k.open(before{}, again)
	}
}

// isBusy tells whether another program has the history.
func isBusy(err error) bool {
	var trouble *history.Error
	return errors.As(err, &trouble) && trouble.Kind == history.Busy
}

// StartAnew moves a history that cannot be used away, and begins a new one.
func (k *Keeper) StartAnew() {
	k.host.Background(func() func() {
		err := k.host.SetAside()
		return func() {
			if err != nil {
				k.host.Change(func(s *state.State) { s.History.Err = err })
				return
			}
			k.Open()
		}
	})
}

// Rescue moves a damaged history away, and begins a new one with everything that can be read of it.
func (k *Keeper) Rescue() {
	if k.host.Closing() {
		return
	}
	if k.host.State().Busy() {
		k.host.OnOffer(i18n.T("A damaged history can be read when no job runs: wait for the job, or stop it."))
		return
	}
	k.away = nil
	k.wishes++
	k.host.Change(func(s *state.State) { s.History.Open, s.History.Example = false, false })
	k.host.Background(func() func() {
		was := before{k.host.Journal.Session(), k.host.Journal.Tasks()}
		err := k.host.Journal.Close()
		var got history.Rescued
		if err == nil {
			got, err = k.host.RescueHistory()
		}
		return func() {
			k.kept = nil
			k.open(was, false)
			text := i18n.T("The new history starts with what could be read from the damaged one: sessions %d, jobs %d, pictures %d. The damaged one stays where it is.", got.Sessions, got.Rounds, got.Pictures)
			if got.Lost > 0 {
				text += " " + i18n.N(got.Lost, "%d part of it could not be read.", "%d parts of it could not be read.", got.Lost)
			}
			if err != nil {
				text = wording.Brief(err)
			}
			k.host.OnRescued(text, err != nil)
		}
	})
}
