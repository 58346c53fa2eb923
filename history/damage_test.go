package history

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"realword/inference/plain"
	"realword/inference/wait"
)

// grown writes a history with trees of several levels.
func grown(t testing.TB, path string) {
	t.Helper()
	s := open(t, path)
	err := s.update(func(c *change) error {
		var last uint64
		for n := range 400 {
			session := uint64(0)
			if n > 0 && n%40 != 0 {
				session = uint64(1 + n/40)
			}
			r := Round{Plan: Plan{Session: session, Prompt: fmt.Sprintf("a dog %d on the beach", n), Words: []string{"dog"}, Recipe: json.RawMessage(fmt.Sprintf(`{"schema":1,"prompt":"a dog %d"}`, n))}, Status: Complete, Started: noon}
			if last != 0 && n%3 == 0 {
				r.Parents = []uint64{last}
			}
			if err := c.beginRound(&r); err != nil {
				return err
			}
			p, err := c.newPicture(Picture{Round: r.ID, Seed: uint64(n), File: fmt.Sprintf("/pictures/%d.png", n), Width: 128, Height: 128}, append(libraryThumb(n), make([]byte, n*5)...))
			if err != nil {
				return err
			}
			last = p.ID
			for i := range 3 {
				data, err := encodeStep(Step{Index: i, Clean: []float32{float32(n), float32(i)}})
				if err == nil {
					err = c.addStep(p.ID, i, data, nil)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	var ref Reference
	if err == nil {
		ref, err = s.PutReference(Reference{Name: "dog.png"}, []byte("a picture of a dog"))
	}
	if err == nil {
		err = s.SetDraft(3, json.RawMessage(`{"prompt":"draft"}`), []Reference{ref})
	}
	if err == nil {
		_, err = s.Enqueue(Plan{Session: 2, Prompt: "waits", Recipe: json.RawMessage(`{"schema":1}`), References: []Reference{ref}}, noon)
	}
	if err = errors.Join(err, s.Trash(noon, Item{PictureItem, 17}, Item{SessionItem, 5}), s.SetStar(9, true), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// facts are all that a history says, by what it is about. Errors say nothing.
func facts(s *Store, errs *[]error) map[string]any {
	out := map[string]any{}
	note := func(err error) {
		if err != nil {
			*errs = append(*errs, err)
		}
	}
	sessions, err := s.Sessions()
	note(err)
	for _, one := range sessions {
		out[fmt.Sprint("session ", one.ID)] = one
		rounds, err := s.SessionRounds(one.ID)
		note(err)
		for _, r := range rounds {
			for _, p := range r.Pictures {
				whole, err := s.Picture(p.ID)
				note(err)
				if err == nil {
					out[fmt.Sprint("picture ", p.ID)] = whole
				}
				steps, err := s.Steps(p.ID)
				note(err)
				for _, i := range steps {
					step, err := s.Step(p.ID, i, true)
					note(err)
					if err == nil {
						out[fmt.Sprint("step ", p.ID, " ", i)] = step
					}
				}
			}
			r.Pictures = nil
			out[fmt.Sprint("round ", r.ID)] = r
		}
		for _, ref := range one.References {
			data, err := s.ReferenceData(ref.SHA256)
			note(err)
			if err == nil {
				out["reference "+ref.SHA256] = string(data)
			}
		}
	}
	jobs, err := s.Jobs()
	note(err)
	for _, j := range jobs {
		out[fmt.Sprint("job ", j.ID)] = j
	}
	return out
}

// wrong lists what is said otherwise than it is.
func wrong(said, truth map[string]any) (list []string) {
	for what, value := range said {
		if !reflect.DeepEqual(value, truth[what]) {
			list = append(list, what)
		}
	}
	return list
}

const testPage = 4096 // the page size of the files that tests write

// spoil damages a history file in one of many ways, and says how.
func spoil(r *rand.Rand, whole []byte) ([]byte, string) {
	b := bytes.Clone(whole)
	n := len(b) / testPage
	page := func() int { return 2 + r.IntN(n-2) }
	flags := func(p int) uint16 { return binary.LittleEndian.Uint16(b[p*testPage+8:]) }
	branch := func() int {
		for range 1000 {
			if p := page(); flags(p) == branchPage {
				return p
			}
		}
		return page()
	}
	switch kind := r.IntN(10); kind {
	case 0:
		at := r.IntN(len(b))
		b[at] ^= 1 << r.IntN(8)
		return b, fmt.Sprint("a bit of byte ", at)
	case 1:
		at := page()*testPage + r.IntN(64)
		b[at] ^= byte(1 + r.IntN(255))
		return b, fmt.Sprint("the head of a page, byte ", at)
	case 2:
		p := page()
		clear(b[p*testPage : (p+1)*testPage])
		return b, fmt.Sprint("zeros in page ", p)
	case 3:
		p, q := page(), page()
		copy(b[p*testPage:(p+1)*testPage], whole[q*testPage:(q+1)*testPage])
		return b, fmt.Sprintf("page %d is page %d", p, q)
	case 4: // with the number that is wanted, as a disk would that wrote the wrong sector
		p, q := page(), page()
		copy(b[p*testPage+8:(p+1)*testPage], whole[q*testPage+8:(q+1)*testPage])
		return b, fmt.Sprintf("page %d has the bytes of page %d", p, q)
	case 5:
		size := r.IntN(len(b))
		return b[:size], fmt.Sprint("cut to ", size)
	case 6: // a branch that leads elsewhere: to itself, up, or across
		p := branch()
		i := r.IntN(max(1, int(binary.LittleEndian.Uint16(b[p*testPage+10:]))))
		to := page()
		if r.IntN(3) == 0 {
			to = p
		}
		if at := p*testPage + pageHeader + i*pageElement + 8; at+8 <= len(b) {
			binary.LittleEndian.PutUint64(b[at:], uint64(to))
		}
		return b, fmt.Sprintf("branch %d leads to %d", p, to)
	case 7: // the first pages, with a checksum that is right
		for at := range 2 {
			m := b[at*testPage+pageHeader:]
			switch r.IntN(4) {
			case 0:
				binary.LittleEndian.PutUint64(m[16:], r.Uint64()>>r.IntN(64)) // root
			case 1:
				binary.LittleEndian.PutUint64(m[32:], uint64(page())) // list of free pages
			case 2:
				binary.LittleEndian.PutUint64(m[40:], r.Uint64()>>r.IntN(64)) // pages
			case 3:
				binary.LittleEndian.PutUint32(m[8:], uint32(r.Uint64()>>r.IntN(64))) // page size
			}
			sum := fnv.New64a()
			_, _ = sum.Write(m[:56])
			binary.LittleEndian.PutUint64(m[56:], sum.Sum64())
		}
		return b, "first pages that lie"
	case 8: // lengths and positions of elements
		p := page()
		at := p*testPage + pageHeader + r.IntN(8)*pageElement + 4*r.IntN(4)
		binary.LittleEndian.PutUint32(b[at:], uint32(r.Uint64()>>r.IntN(64)))
		return b, fmt.Sprint("an element of page ", p)
	default:
		for range 1 + r.IntN(200) {
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
		}
		return b, "many bytes"
	}
}

// Damaged histories never end the program, by a crash or by going on for ever, and never say what is not so: they are refused, with
// the file kept as it is, or what is said is right. What is not lost comes into a new history. REALWORD_DAMAGES says how many.
func TestDamagedHistories(t *testing.T) {
	plain.Run(t)
	n := 15
	if s := os.Getenv("REALWORD_DAMAGES"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "whole.db")
	grown(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	var errs []error
	truth := facts(s, &errs)
	if err := errors.Join(append(errs, s.Close())...); err != nil || len(truth) != 10+400+400+1200+1+1 {
		t.Fatalf("%d facts, %v", len(truth), err)
	}
	r := rand.New(rand.NewPCG(11, 44))
	refused, complete, saved := 0, 0, 0
	var slowest time.Duration
	for i := range n {
		spoiled, how := spoil(r, whole)
		one := filepath.Join(dir, "one")
		path := filepath.Join(one, "history.db")
		if err := errors.Join(os.RemoveAll(one), os.Mkdir(one, 0o700), os.WriteFile(path, spoiled, 0o600)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		done := make(chan struct{})
		go func() {
			select {
			case <-done:
			case <-time.After(wait.Longest):
				panic(fmt.Sprintf("damage %d, %s: it hangs", i, how))
			}
		}()
		s, err := Options{unsynced: true}.Open(path)
		if err != nil {
			refused++
			var known *Error
			if !errors.As(err, &known) || known.Kind != Damaged && known.Kind != Newer {
				t.Errorf("damage %d, %s: %v", i, how, err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, spoiled) {
				t.Errorf("damage %d, %s: opening changed the file", i, how)
			}
			aside, err := SetAside(path, noon)
			if err != nil {
				t.Fatal(err)
			}
			if s, err = (Options{unsynced: true}).Open(path); err != nil {
				t.Fatalf("damage %d, %s: no new history: %v", i, how, err)
			}
			got, err := s.Rescue(aside)
			if err != nil {
				t.Errorf("damage %d, %s: %v", i, how, err)
			}
			saved += got.Pictures
			if got.Pictures == 400 && got.Rounds == 400 && got.Lost == 0 && got.Jobs == 1 {
				complete++
			}
			if err := s.Check(); err != nil {
				t.Errorf("damage %d, %s: what came over does not fit together: %.400v", i, how, err)
			}
			said := facts(s, new([]error))
			for _, what := range wrong(said, truth) {
				if !rescuedRight(said[what], truth[what]) {
					t.Errorf("damage %d, %s: of %s came over\n%.400v, was\n%.400v", i, how, what, said[what], truth[what])
				}
			}
		} else {
			said := facts(s, new([]error))
			for _, what := range wrong(said, truth) {
				if p, picture := said[what].(Picture); picture && p.Thumbnail == nil {
					if was, same := truth[what].(Picture); same {
						was.Thumbnail = nil
						if same = reflect.DeepEqual(p, was); same {
							continue // a damaged thumbnail is not shown
						}
					}
				}
				t.Errorf("damage %d, %s: %s is wrong and nothing says so", i, how, what)
			}
		}
		_, err1 := s.Find(Filter{Text: "dog"})
		_, err2 := s.Usage()
		_, err3 := s.TrashCan()
		_, err4 := s.BeginRound(Plan{Recipe: json.RawMessage(`{}`)}, noon)
		_, err5 := s.Empty(noon.Add(time.Hour))
		_, err6 := s.TrimSteps(1000)
		_ = errors.Join(err1, err2, err3, err4, err5, err6, s.Close())
		close(done)
		slowest = max(slowest, time.Since(begun))
	}
	t.Logf("%d damages: %d refused, of which %d came over complete; on average %d of 400 pictures came over; slowest %v", n, refused, complete, saved/max(1, refused), slowest)
}

// rescuedRight tells whether a record that came over is the one that was, apart from what it held together: references, parents and
// steps that were lost.
func rescuedRight(got, want any) bool {
	switch got := got.(type) {
	case Session:
		was, known := want.(Session)
		if len(got.References) == 0 {
			was.References = nil
		}
		if !known || got.Draft == nil { // of which only the rounds are left
			return got.Draft == nil && got.References == nil
		}
		if got.Trashed.IsZero() {
			was.Trashed = got.Trashed
		}
		return reflect.DeepEqual(got, was)
	case Round:
		was, known := want.(Round)
		if !known || got.Prompt == "" && string(got.Recipe) == "{}" {
			return true // an empty one for its pictures
		}
		if len(got.Parents) == 0 {
			was.Parents = nil
		}
		was.Session = got.Session // its session's record was lost
		return reflect.DeepEqual(got, was)
	case Picture:
		was := want.(Picture)
		if len(got.Thumbnail) == 0 {
			was.Thumbnail, got.Thumbnail = nil, nil
		}
		was.Steps, was.StepBytes = got.Steps, got.StepBytes
		if got.Trashed.IsZero() { // what says that it is in the trash was lost: it is back, which loses nothing
			was.Trashed = got.Trashed
		}
		was.Starred = got.Starred
		return reflect.DeepEqual(got, was)
	case Job:
		was := want.(Job)
		was.Session, was.References = got.Session, got.References
		return reflect.DeepEqual(got, was)
	}
	return false
}

// Branches that lead back to themselves or up: bbolt overflowed the stack over one and went round for ever in the other. With
// REALWORD_WILD, a folder, also the files there that people met.
func TestDamageInCircles(t *testing.T) {
	plain.Run(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "whole.db")
	grown(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for p := 2; p < len(whole)/testPage; p++ {
		if binary.LittleEndian.Uint16(whole[p*testPage+8:]) == branchPage {
			b := bytes.Clone(whole)
			binary.LittleEndian.PutUint64(b[p*testPage+pageHeader+8:], uint64(p))
			files[fmt.Sprint("page ", p)] = b
		}
	}
	if len(files) < 3 {
		t.Fatalf("there are %d branches", len(files))
	}
	if wild := os.Getenv("REALWORD_WILD"); wild != "" {
		for _, name := range []string{"history-crash.db.gz", "history-hang.db.gz"} {
			f, err := os.Open(filepath.Join(wild, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			if files[name], err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
	}
	refused := 0
	for name, data := range files {
		path := filepath.Join(t.TempDir(), "history.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path)
		if err == nil { // a page that is not in use
			if err := errors.Join(s.Check(), s.Close()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		refused++
		var known *Error
		if !errors.As(err, &known) || known.Kind != Damaged || !strings.Contains(err.Error(), "page") {
			t.Errorf("%s: %v", name, err)
		}
		aside, err := SetAside(path, noon)
		if err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
		got, err := s.Rescue(aside)
		if t.Logf("%s: %+v", name, got); err != nil || got.Pictures == 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %.300v", name, err)
		}
	}
	if refused < 10 {
		t.Errorf("%d of %d were refused", refused, len(files))
	}
}

// A byte that changes is named: which record it is in.
func TestDamageOfAByteIsNamed(t *testing.T) {
	plain.Run(t)
	path := filepath.Join(t.TempDir(), "history.db")
	grown(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(`"prompt":"a dog 123 on the beach"`)
	at := bytes.LastIndex(whole, text)
	copy(whole[at:], `"prompt":"a cat`)
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "job 124") {
		t.Errorf("%v", err)
	}
}
