package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// model is what a history should hold, in plain maps. Each operation is a function of the seed and its number, so that another
// process can carry on with it.
type model struct {
	seed                                         uint64
	ops                                          int
	lastSession, lastRound, lastPicture, lastJob uint64
	sessions                                     map[uint64]Session
	rounds                                       map[uint64]Round
	pictures                                     map[uint64]Picture
	png                                          map[uint64][]byte // of pictures that the store wrote
	steps                                        map[uint64]map[int]Step
	jobs                                         []Job
	data                                         map[string][]byte // of references, also of those that are gone
}

func newModel(seed uint64) *model {
	return &model{
		seed: seed, sessions: map[uint64]Session{}, rounds: map[uint64]Round{}, pictures: map[uint64]Picture{}, png: map[uint64][]byte{},
		steps: map[uint64]map[int]Step{}, data: map[string][]byte{},
	}
}

// reopened is what closing and opening does: jobs that ran wait again.
func (m *model) reopened() {
	for i := range m.jobs {
		if j := &m.jobs[i]; j.Round != 0 {
			j.Round, j.Parked, j.Died = 0, j.Attempts >= 2, append(slices.Clone(j.Died), j.Round)
		}
	}
}

var words = []string{"dog", "cat", "Teapot", "chair", "dogged"}

// step does the next operation in the model and, unless it is nil, in a store.
func (m *model) step(s *Store) error {
	rnd := rand.New(rand.NewPCG(m.seed, uint64(m.ops)))
	at := noon.Add(time.Duration(m.ops) * time.Minute)
	m.ops++
	pick := func(ids []uint64) uint64 { return ids[rnd.IntN(len(ids))] }
	sessions, rounds, pictures := sorted(m.sessions), sorted(m.rounds), sorted(m.pictures)
	var failed error
	do := func(call func() error) {
		if s != nil && failed == nil {
			failed = call()
		}
	}
	same := func(got, want uint64, err error) error {
		if err == nil && got != want {
			return fmt.Errorf("the ID is %d, want %d", got, want)
		}
		return err
	}
	references := func() []Reference {
		var list []Reference
		for range rnd.IntN(3) {
			data := bytes.Repeat([]byte{byte(rnd.IntN(6) + 1)}, 1+rnd.IntN(2)*40_000)
			sum := sha256.Sum256(data)
			want := Reference{Name: fmt.Sprint(data[0], ".png"), SHA256: hex.EncodeToString(sum[:])}
			m.data[want.SHA256] = data
			do(func() error {
				got, err := s.PutReference(Reference{Name: want.Name}, data)
				if err == nil && got != want {
					return fmt.Errorf("PutReference = %v, want %v", got, want)
				}
				return err
			})
			list = append(list, want)
		}
		return list
	}
	plan := func() Plan {
		word := words[rnd.IntN(len(words))]
		p := Plan{
			Recipe: json.RawMessage(fmt.Sprintf(`{"n":%d}`, rnd.IntN(100))), Prompt: "a " + word + " on the beach", Words: []string{word},
			References: references(),
		}
		if len(sessions) > 0 && rnd.IntN(4) > 0 {
			p.Session = pick(sessions)
		}
		if len(pictures) > 0 && rnd.IntN(2) == 0 {
			p.Parents = []uint64{pick(pictures)}
		}
		return p
	}
	begin := func(r Round) uint64 {
		if was := m.sessions[r.Session]; r.Session == 0 || !was.Trashed.IsZero() {
			m.lastSession++
			m.sessions[m.lastSession] = Session{ID: m.lastSession, Name: was.Name, Created: at}
			r.Session = m.lastSession
			for i, j := range m.jobs {
				if was.ID != 0 && j.Session == was.ID && j.Round == 0 {
					m.jobs[i].Session = r.Session
				}
			}
		}
		m.lastRound++
		r.ID, r.Started, r.Status = m.lastRound, at, Interrupted
		m.rounds[r.ID] = r
		return r.ID
	}
	switch op := rnd.IntN(24); {
	case op == 0:
		m.lastSession++
		m.sessions[m.lastSession] = Session{ID: m.lastSession, Name: "s", Created: at}
		do(func() error { id, err := s.NewSession("s", at); return same(id, m.lastSession, err) })
	case op <= 3 || len(rounds) == 0:
		p := plan()
		id := begin(Round{Plan: p})
		do(func() error { got, err := s.BeginRound(p, at); return same(got, id, err) })
	case op <= 7 || len(pictures) == 0:
		m.lastPicture++
		p := Picture{ID: m.lastPicture, Round: pick(rounds), Seed: uint64(rnd.IntN(5))}
		do(func() error { id, err := s.StartPicture(p.Round, p.Seed); return same(id, p.ID, err) })
		m.pictures[p.ID] = p
	case op <= 12:
		p := m.pictures[pick(pictures)]
		n := 8 + rnd.IntN(2)*20_000
		step := Step{Index: rnd.IntN(4), Clean: make([]float32, n), Scores: [][]float32{{1, 0.5, float32(rnd.IntN(9)) / 8}, nil}}
		for i := range step.Clean {
			step.Clean[i] = float32(i%8) / 8
		}
		step.Clean[0] = 1 // so that the scale is 1 and half floats are exact
		step.Clean[1] = float32(rnd.IntN(9)) / 8
		if rnd.IntN(3) == 0 {
			step.State = bytes.Repeat([]byte{byte(rnd.IntN(3))}, 1+rnd.IntN(2)*50_000)
		}
		do(func() error { return s.AddStep(p.ID, step) })
		if m.steps[p.ID] == nil {
			m.steps[p.ID] = map[int]Step{}
		}
		m.steps[p.ID][step.Index] = step
	case op <= 14:
		p := m.pictures[pick(pictures)]
		if p.File != "" {
			break
		}
		png := bytes.Repeat([]byte{byte(rnd.IntN(256))}, 1+rnd.IntN(5000))
		p.File, p.Width, p.Height, p.Bytes, p.Thumbnail = "a dog.png", 64, 32, int64(len(png)), []byte("thumb")
		sum := sha256.Sum256(png)
		p.SHA256 = hex.EncodeToString(sum[:])
		do(func() error {
			_, err := finish(s, p.ID, p, png)
			return err
		})
		m.pictures[p.ID], m.png[p.ID] = p, png
	case op == 15:
		r := m.rounds[pick(rounds)]
		r.Status, r.Ended, r.Error = Failed, at, "no"
		do(func() error { return s.End(r.ID, Failed, errors.New("no"), at) })
		m.rounds[r.ID] = r
		m.jobs = slices.DeleteFunc(m.jobs, func(j Job) bool { return j.ID == r.Job && j.Round == r.ID })
	case op == 16:
		p := m.pictures[pick(pictures)]
		p.Starred = !p.Starred
		do(func() error { return s.SetStar(p.ID, p.Starred) })
		m.pictures[p.ID] = p
	case op == 17:
		p := m.pictures[pick(pictures)]
		p.Pinned = !p.Pinned
		do(func() error { return s.SetPin(p.ID, p.Pinned) })
		m.pictures[p.ID] = p
	case op == 18 && len(sessions) > 0:
		one := m.sessions[pick(sessions)]
		one.Draft, one.References = json.RawMessage(fmt.Sprintf(`{"d":%d}`, rnd.IntN(9))), references()
		do(func() error { return s.SetDraft(one.ID, one.Draft, one.References) })
		m.sessions[one.ID] = one
	case op == 19:
		m.lastJob++
		j := Job{ID: m.lastJob, Plan: plan(), Added: at}
		do(func() error { id, err := s.Enqueue(j.Plan, at); return same(id, j.ID, err) })
		m.jobs = append(m.jobs, j)
	case op == 20 && len(m.jobs) > 0:
		i := rnd.IntN(len(m.jobs))
		j := m.jobs[i]
		switch rnd.IntN(6) {
		case 4:
			do(func() error { return s.LeaveJob(j.ID) })
			if j.Round != 0 {
				j.Round, j.Died, j.Attempts = 0, append(slices.Clone(j.Died), j.Round), j.Attempts-1
			}
			m.jobs = slices.Insert(slices.Delete(m.jobs, i, i+1), 0, j)
		case 5:
			p := plan()
			if j.Round != 0 {
				break
			}
			do(func() error { return s.SetPlan(j.ID, p) })
			p.Session = j.Session
			m.jobs[i].Plan = p
		case 0:
			to := rnd.IntN(len(m.jobs))
			do(func() error { return s.MoveJob(j.ID, to) })
			m.jobs = slices.Insert(slices.Delete(m.jobs, i, i+1), to, j)
		case 1:
			do(func() error { return s.RemoveJob(j.ID) })
			m.jobs = slices.Delete(m.jobs, i, i+1)
		case 2:
			do(func() error { return s.Unpark(j.ID) })
			m.jobs[i].Parked, m.jobs[i].Attempts = false, 0
		default:
			if j.Parked || j.Round != 0 {
				break
			}
			id := begin(Round{Plan: j.Plan, Job: j.ID})
			do(func() error { got, err := s.StartJob(j.ID, at); return same(got, id, err) })
			m.jobs[i].Attempts, m.jobs[i].Round, m.jobs[i].Session = j.Attempts+1, id, m.rounds[id].Session
		}
	case op == 21:
		item := m.anyItem(rnd)
		do(func() error { return s.Trash(at, item) })
		m.mark(item, at)
	case op == 22:
		item := m.anyItem(rnd)
		do(func() error { return s.Restore(item) })
		m.mark(item, time.Time{})
	case op == 23 && rnd.IntN(3) == 0:
		before := at.Add(-time.Duration(rnd.IntN(60)) * time.Minute)
		n := len(m.pictures)
		m.empty(before)
		do(func() error { got, err := s.Empty(before); return same(uint64(got), uint64(n-len(m.pictures)), err) })
	case op == 23:
		budget := int64(rnd.IntN(400_000))
		want := m.trim(budget)
		do(func() error { got, err := s.TrimSteps(budget); return same(uint64(got), uint64(want), err) })
	}
	return failed
}

func sorted[T any](m map[uint64]T) []uint64 { return slices.Sorted(maps.Keys(m)) }

func (m *model) anyItem(rnd *rand.Rand) Item {
	sessions, rounds, pictures := sorted(m.sessions), sorted(m.rounds), sorted(m.pictures)
	switch n := rnd.IntN(8); {
	case n == 0:
		return Item{SessionItem, sessions[rnd.IntN(len(sessions))]}
	case n <= 2:
		return Item{RoundItem, rounds[rnd.IntN(len(rounds))]}
	default:
		return Item{PictureItem, pictures[rnd.IntN(len(pictures))]}
	}
}

func (m *model) mark(item Item, at time.Time) {
	switch item.Kind {
	case SessionItem:
		v := m.sessions[item.ID]
		v.Trashed = at
		m.sessions[item.ID] = v
	case RoundItem:
		v := m.rounds[item.ID]
		v.Trashed = at
		m.rounds[item.ID] = v
	default:
		v := m.pictures[item.ID]
		v.Trashed = at
		m.pictures[item.ID] = v
	}
}

func (m *model) empty(before time.Time) {
	gone := func(at time.Time) bool { return !at.IsZero() && at.Before(before) }
	for id, v := range m.sessions {
		if gone(v.Trashed) {
			delete(m.sessions, id)
		}
	}
	m.jobs = slices.DeleteFunc(m.jobs, func(j Job) bool { _, ok := m.sessions[j.Session]; return !ok && j.Session != 0 })
	for id, v := range m.rounds {
		if _, ok := m.sessions[v.Session]; !ok || gone(v.Trashed) {
			delete(m.rounds, id)
		}
	}
	for id, v := range m.pictures {
		if _, ok := m.rounds[v.Round]; !ok || gone(v.Trashed) {
			delete(m.pictures, id)
			delete(m.png, id)
			delete(m.steps, id)
		}
	}
	left := func(parents []uint64) (out []uint64) {
		for _, p := range parents {
			if _, ok := m.pictures[p]; ok {
				out = append(out, p)
			}
		}
		return out
	}
	for id, v := range m.rounds {
		v.Parents = left(v.Parents)
		m.rounds[id] = v
	}
	for i := range m.jobs {
		m.jobs[i].Parents = left(m.jobs[i].Parents)
	}
}

func (m *model) stepBytes(picture uint64) (n int64) {
	for _, s := range m.steps[picture] {
		data, _ := encodeStep(s)
		n += int64(len(data) + len(s.State))
	}
	return n
}

func (m *model) trim(budget int64) (freed int64) {
	var total int64
	for id := range m.pictures {
		total += m.stepBytes(id)
	}
	for _, id := range sorted(m.pictures) {
		p := m.pictures[id]
		if total-freed <= budget {
			break
		}
		if p.Pinned || p.File == "" && m.rounds[p.Round].Ended.IsZero() && id == m.lastPicture {
			continue
		}
		freed += m.stepBytes(id)
		delete(m.steps, id)
	}
	return freed
}

// differs compares everything that a store answers with the model.
func (m *model) differs(s *Store) error {
	var all []error
	same := func(what string, got, want any, err error) {
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", what, err))
		} else if !reflect.DeepEqual(got, want) {
			all = append(all, fmt.Errorf("%s:\n%+v\nwant\n%+v", what, got, want))
		}
	}
	sessions, err := s.Sessions()
	got := map[uint64]Session{}
	for _, v := range sessions {
		v.UID = ""
		got[v.ID] = v
	}
	same("sessions", got, m.sessions, err)
	rounds, err := s.Rounds()
	gotRounds, wantRounds := map[uint64]Round{}, map[uint64]Round{}
	for _, r := range rounds {
		r.UID = ""
		for i := range r.Pictures {
			r.Pictures[i] = comparable(r.Pictures[i])
		}
		gotRounds[r.ID] = r
	}
	for id, r := range m.rounds {
		for _, p := range sorted(m.pictures) {
			if m.pictures[p].Round == id {
				one := m.want(p)
				one.Thumbnail = nil
				r.Pictures = append(r.Pictures, one)
			}
		}
		wantRounds[id] = r
	}
	same("rounds", gotRounds, wantRounds, err)
	list, err := s.Pictures(sorted(m.pictures))
	var wantList []Picture
	for _, id := range sorted(m.pictures) {
		wantList = append(wantList, m.want(id))
	}
	for i, p := range list {
		if png, ours := m.png[p.ID]; ours {
			data, err := os.ReadFile(p.File)
			same("file of a picture", data, png, err)
		}
		list[i] = comparable(p)
	}
	same("pictures", append([]Picture(nil), list...), wantList, err)
	for id := range m.pictures {
		indexes, err := s.Steps(id)
		same("steps", indexes, slices.Sorted(maps.Keys(m.steps[id])), err)
		for i, want := range m.steps[id] {
			step, err := s.Step(id, i, true)
			same("a step", step, want, err)
		}
	}
	jobs, err := s.Jobs()
	same("jobs", append([]Job{}, jobs...), append([]Job{}, m.jobs...), err)
	var references []Reference
	for _, v := range m.sessions {
		references = append(references, v.References...)
	}
	for _, v := range m.rounds {
		references = append(references, v.References...)
	}
	for _, v := range m.jobs {
		references = append(references, v.References...)
	}
	for _, r := range references {
		data, err := s.ReferenceData(r.SHA256)
		same("a reference", data, m.data[r.SHA256], err)
	}
	for _, f := range []Filter{{}, {Trashed: true}, {Starred: true}, {Session: 2}, {Text: "BEACH dog"}, {Text: "word:dogg"}, {Text: "seed:3 a"}} {
		ids, err := s.Find(f)
		same(fmt.Sprintf("%+v", f), ids, m.find(f), err)
	}
	usage, err := s.Usage()
	for id, u := range usage {
		u.References = 0 // tested by themselves
		usage[id] = u
	}
	same("usage", usage, m.usage(), err)
	return errors.Join(append(all, s.Check())...)
}

func (m *model) usage() map[uint64]Usage {
	out := map[uint64]Usage{}
	for id := range m.sessions {
		out[id] = Usage{}
	}
	for _, r := range m.rounds {
		u := out[r.Session]
		u.Rounds++
		out[r.Session] = u
	}
	for _, id := range sorted(m.pictures) {
		p := m.want(id)
		r := m.rounds[p.Round]
		u := out[r.Session]
		u.Pictures++
		u.Bytes += p.Bytes
		u.Steps += p.StepBytes
		if p.Trashed.IsZero() && r.Trashed.IsZero() && m.sessions[r.Session].Trashed.IsZero() {
			u.Newest = id
		}
		out[r.Session] = u
	}
	return out
}

// want is what the store should say of a picture.
func (m *model) want(id uint64) Picture {
	p := m.pictures[id]
	p.Steps, p.StepBytes = len(m.steps[id]), m.stepBytes(id)
	return comparable(p)
}

// comparable leaves out what differs from run to run. The file is compared by its bytes.
func comparable(p Picture) Picture {
	p.UID = ""
	if p.SHA256 != "" {
		p.File = "written"
	}
	return p
}

func (m *model) find(f Filter) (ids []uint64) {
	for _, id := range slices.Backward(sorted(m.pictures)) {
		p := m.pictures[id]
		r := m.rounds[p.Round]
		trash := !p.Trashed.IsZero() || !r.Trashed.IsZero() || !m.sessions[r.Session].Trashed.IsZero()
		ok := trash == f.Trashed && (!f.Starred || p.Starred) && (f.Session == 0 || f.Session == r.Session)
		switch f.Text {
		case "BEACH dog":
			ok = ok && strings.Contains(r.Prompt, "dog")
		case "word:dogg":
			ok = ok && r.Words[0] == "dogged"
		case "seed:3 a":
			ok = ok && p.Seed == 3
		}
		if ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Options{unsynced: true}.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Random operations in a store and in the model, with the file closed and opened again every few of them.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(2) {
		path := filepath.Join(t.TempDir(), "folder", "history.db")
		s, m := open(t, path), newModel(seed)
		for m.ops < 240 {
			if err := m.step(s); err != nil {
				t.Fatalf("seed %d, operation %d: %v", seed, m.ops-1, err)
			}
			if m.ops%16 > 0 {
				continue
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
			m.reopened()
			if err := m.differs(s); err != nil {
				t.Fatalf("seed %d, after operation %d: %v", seed, m.ops-1, err)
			}
		}
		if extra, err := s.Sweep(); extra > 0 || err != nil {
			t.Errorf("%d files were left behind, %v", extra, err)
		}
	}
}
