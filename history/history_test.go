package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/inference/files"

	"go.etcd.io/bbolt"
)

func TestUnknown(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "h.db"))
	_, round := s.Round(7)
	_, session := s.Session(7)
	_, picture := s.Picture(7)
	_, step := s.Step(7, 0, false)
	_, reference := s.ReferenceData(strings.Repeat("07", 32))
	_, begun := s.BeginRound(Plan{Session: 7}, noon)
	_, child := s.BeginRound(Plan{Parents: []uint64{7}}, noon)
	_, bound := s.BeginRound(Plan{References: []Reference{{Name: "7.png", SHA256: "zz"}}}, noon)
	finished := s.FinishPicture(7, Picture{})
	_, started := s.StartJob(7, noon)
	for what, got := range map[string]struct{ err, want error }{
		"Round": {round, ErrNotFound}, "End": {s.End(7, Complete, nil, noon), ErrNotFound},
		"Session": {session, ErrNoSession}, "BeginRound": {begun, ErrNoSession}, "SetDraft": {s.SetDraft(7, nil, nil), ErrNoSession},
		"Picture": {picture, ErrNoPicture}, "parent": {child, ErrNoPicture}, "FinishPicture": {finished, ErrNoPicture},
		"AddStep": {s.AddStep(7, Step{}), ErrNoPicture}, "SetStar": {s.SetStar(7, true), ErrNoPicture},
		"Trash": {s.Trash(noon, Item{RoundItem, 7}), ErrNotFound},
		"Step":  {step, ErrNoStep}, "ReferenceData": {reference, ErrNoReference},
		"StartJob": {started, ErrNoJob}, "MoveJob": {s.MoveJob(7, 0), ErrNoJob},
	} {
		if !errors.Is(got.err, got.want) || !strings.Contains(got.err.Error(), "7") && what != "ReferenceData" {
			t.Errorf("%s: %v", what, got.err)
		}
	}
	if !errors.Is(bound, ErrNoReference) || !strings.Contains(bound.Error(), "7.png") {
		t.Errorf("reference of a round: %v", bound)
	}
	if list, err := s.Rounds(); len(list) != 0 || err != nil {
		t.Errorf("failed calls left %v, %v", list, err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

// sample writes a history with some of everything and returns its path.
func sample(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "history.db")
	s, m := open(t, path), newModel(9)
	for m.ops < 120 {
		if err := m.step(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	whole, err := os.ReadFile(sample(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	edit := func(do func(*bbolt.Tx) error) func(string) error {
		return func(path string) error {
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(do), db.Close())
		}
	}
	for name, c := range map[string]struct {
		spoil func(path string) error
		kind  Kind
	}{
		"older":      {edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(schemaKey, []byte{schema[0] - 1}) }), Older},
		"newer":      {edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(schemaKey, []byte{schema[0] + 1}) }), Newer},
		"much newer": {edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(schemaKey, []byte("2.0.0")) }), Newer},
		"another's":  {edit(func(tx *bbolt.Tx) error { return errors.Join(tx.DeleteBucket(metaBucket)) }), Damaged},
		"text":       {func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("no database. "), 9999), 0o600) }, Damaged},
		"one byte":   {func(p string) error { return os.Truncate(p, 1) }, Damaged},
		"two pages":  {func(p string) error { return os.Truncate(p, 8192) }, Damaged},
		"half":       {func(p string) error { return os.Truncate(p, int64(len(whole)/2)) }, Damaged},
		"a page short": {func(p string) error {
			var size int64
			err := edit(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })(p)
			return errors.Join(err, os.Truncate(p, size-4096))
		}, Damaged},
		"no middle":    {func(p string) error { return overwrite(p, 4*4096, len(whole)) }, Damaged},
		"locked":       {func(p string) error { open(t, p); return nil }, Busy},
		"a folder":     {func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, Unreachable},
		"below a file": {func(p string) error { return nil }, Unreachable},
	} {
		path := filepath.Join(t.TempDir(), "history.db")
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(path); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name == "below a file" {
			path = filepath.Join(path, "history.db")
		}
		before, _ := os.ReadFile(path)
		_, err := Options{Wait: 10 * time.Millisecond, unsynced: true}.Open(path)
		var known *Error
		if !errors.As(err, &known) || known.Kind != c.kind || !strings.Contains(known.Error(), ": ") ||
			!strings.Contains(err.Error(), filepath.Dir(filepath.Dir(path))) {
			t.Errorf("%s: %v", name, err)
		}
		if want := fmt.Sprintf("it has schema %d, this Realword knows %d)", schema[0]+1, schema[0]); name == "newer" && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, not %s", name, err, want)
		}
		if after, _ := os.ReadFile(path); name != "locked" && !bytes.Equal(before, after) {
			t.Errorf("%s: opening changed the file", name)
		}
		if c.kind != Damaged {
			continue
		}
		aside, err := SetAside(path, noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if kept, _ := os.ReadFile(aside); !bytes.Equal(kept, before) {
			t.Errorf("%s: setting it aside lost the file", name)
		}
		open(t, path)
	}
}

// Two histories that are set aside within a second are both there afterwards.
func TestSetAsideOverwritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	seen := map[string]bool{}
	for _, text := range []string{"one", "two", "three"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		aside, err := SetAside(path, noon)
		if data, _ := os.ReadFile(aside); err != nil || string(data) != text || seen[aside] {
			t.Errorf("%s is set aside as %s, which holds %q, %v", text, aside, data, err)
		}
		seen[aside] = true
	}
}

// keepOne keeps a picture whose pixels are nowhere else, and is its number.
func keepOne(t *testing.T, s *Store) uint64 {
	t.Helper()
	round, err := s.BeginRound(Plan{Recipe: json.RawMessage(`{}`)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.StartPicture(round, 1)
	if err == nil {
		err = s.KeepPixels(id, Picture{Width: 8, Height: 8}, append([]byte(pngSignature), bytes.Repeat([]byte("p"), 1<<20)...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A history whose file was taken away without its blobs: SetAside was killed, or somebody has moved the file. The one that begins in its
// place sweeps nothing of it away.
func TestSweepLeavesTheBlobsOfAnother(t *testing.T) {
	for name, aside := range map[string]string{"set aside by half": "history-20260101-000000.db", "moved": "mine.db"} {
		path := filepath.Join(t.TempDir(), "history.db")
		aside = filepath.Join(filepath.Dir(path), aside)
		older := filepath.Join(filepath.Dir(path), "history-20250101-000000.db")
		s := open(t, path)
		id := keepOne(t, s)
		if err := errors.Join(s.Close(), os.Rename(path, aside), os.WriteFile(older, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
		if n, err := s.Sweep(); n != 0 || err != nil {
			t.Errorf("%s: %d files are swept away, %v", name, n, err)
		}
		if name == "moved" { // whoever moves it back finds the folder by its name
			list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "history-*.blobs"))
			if err != nil || len(list) != 1 {
				t.Fatalf("%s: the blobs are in %q, %v", name, list, err)
			}
			continue
		}
		if _, err := s.Rescue(aside); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Pixels(id); err != nil {
			t.Errorf("%s: the only copy of the picture: %v", name, err)
		}
	}
}

// What a crash left goes wherever the history lies: these names are patterns to a search for files.
func TestSweepBelowAnyName(t *testing.T) {
	for _, name := range []string{"[AI] art", "a[b"} {
		s := open(t, filepath.Join(t.TempDir(), name, "history.db"))
		left := s.blobFile(make([]byte, 32))
		if err := errors.Join(os.MkdirAll(filepath.Dir(left), 0o700), os.WriteFile(left, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Sweep(); n != 1 || err != nil {
			t.Errorf("%s: %d files are swept away, %v", name, n, err)
		}
	}
}

// Blobs that cannot be renamed (their folder is in use; here, the name would be too long) keep their history where it is.
func TestSetAsideTakesBoth(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("h", 255-len(asideStamp)-len(".blobs")+1)+".db")
	s := open(t, path)
	id := keepOne(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var known *Error
	if _, err := SetAside(path, noon); !errors.As(err, &known) {
		t.Errorf("setting aside by half: %v", err)
	}
	if _, err := open(t, path).Pixels(id); err != nil {
		t.Error(err)
	}
}

func overwrite(path string, from, to int) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, to-from), int64(from))
	return errors.Join(err, f.Close())
}

// Any single damaged page is an error somewhere, or does not matter; it never is a panic.
func TestDamagedPages(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(sample(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for page := 0; page < len(whole)/4096; page += 1 + page/8 {
		path := filepath.Join(dir, fmt.Sprint(page, ".db"))
		spoiled := bytes.Clone(whole)
		for i := range 4096 {
			spoiled[page*4096+i] ^= byte(0x5a + i%7)
		}
		if err := os.WriteFile(path, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Options{unsynced: true}.Open(path)
		if err != nil {
			refused++
			continue
		}
		_, err1 := s.Rounds()
		_, err2 := s.Find(Filter{Text: "dog"})
		_, err3 := s.Usage()
		_, err4 := s.BeginRound(Plan{Recipe: json.RawMessage(`{}`)}, noon)
		if errors.Join(err1, err2, err3, err4, s.Check()) != nil {
			refused++
		}
		if err := s.Close(); err != nil {
			t.Logf("page %d: %v", page, err)
		}
	}
	if refused == 0 {
		t.Error("no damage was seen")
	}
}

// A job over which the program dies twice waits until somebody says otherwise.
func TestCrashingJobIsParked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	s := open(t, path)
	if _, err := s.Enqueue(Plan{Recipe: json.RawMessage(`{}`)}, noon); err != nil {
		t.Fatal(err)
	}
	for crash := range 3 {
		_, err := s.StartJob(1, noon)
		if parked := crash == 2; parked != (err != nil) {
			t.Fatalf("start %d: %v", crash, err)
		}
		if _, err := s.StartJob(1, noon); err == nil {
			t.Error("a job ran twice at once")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
	}
	if jobs, err := s.Jobs(); err != nil || len(jobs) != 1 || !jobs[0].Parked || jobs[0].Round != 0 {
		t.Fatalf("jobs %+v, %v", jobs, err)
	}
	if err := s.Unpark(1); err != nil {
		t.Fatal(err)
	}
	round, err := s.StartJob(1, noon)
	if err := errors.Join(err, s.End(round, Complete, nil, noon)); err != nil {
		t.Fatal(err)
	}
	if jobs, err := s.Jobs(); len(jobs) != 0 || err != nil {
		t.Errorf("a finished job is in the queue: %+v, %v", jobs, err)
	}
	rounds, err := s.SessionRounds(1)
	if err != nil || len(rounds) != 3 {
		t.Errorf("the attempts are %d rounds of one session, want 3, %v", len(rounds), err)
	}
}

// Small and large numbers keep their order, which is what a scope is recomputed from.
func TestStepPrecision(t *testing.T) {
	want := Step{Clean: []float32{-7.25, 3.1, 0, 1e-3}, Cross: [][]float32{nil, {1e-9, 2.5e-9, 2e-9}}, Scores: [][]float32{{65504 * 4, 1}, {}}}
	data, err := encodeStep(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeStep(data)
	if err != nil {
		t.Fatal(err)
	}
	close := func(a, b []float32) {
		if len(a) != len(b) {
			t.Fatalf("%v, want %v", a, b)
		}
		for i := range a {
			if math.Abs(float64(a[i]-b[i])) > math.Abs(float64(b[i]))/2000 {
				t.Errorf("%v, want %v", a, b)
			}
		}
	}
	close(got.Clean, want.Clean)
	close(got.Cross[1], want.Cross[1])
	close(got.Scores[0], want.Scores[0])
	if got.Cross[0] != nil || got.Scores[1] != nil || len(data) != 5+5*8+2*9 {
		t.Errorf("%+v in %d bytes", got, len(data))
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	data, _ = encodeStep(Step{Clean: []float32{inf, nan, 2}})
	if got, err := decodeStep(data); err != nil || got.Clean[0] != inf || got.Clean[1] == got.Clean[1] || got.Clean[2] != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestReferencesAreKeptOnceAndWhileNeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	s := open(t, path)
	big := bytes.Repeat([]byte("x"), inlineLimit+1)
	a, err1 := s.PutReference(Reference{Name: "a.png"}, big)
	b, err2 := s.PutReference(Reference{Name: "b.png"}, big)
	unused, err3 := s.PutReference(Reference{Name: "c.png"}, []byte("small"))
	session, err4 := s.NewSession("", noon)
	if err := errors.Join(err1, err2, err3, err4, s.SetDraft(session, nil, []Reference{a, b})); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(s.blobs, "*", "*"))
	if usage, err := s.Usage(); len(files) != 1 || usage[session].References != int64(len(big)) || err != nil {
		t.Errorf("files %v, usage %+v, %v", files, usage, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if _, err := s.ReferenceData(unused.SHA256); !errors.Is(err, ErrNoReference) {
		t.Errorf("an unused reference: %v", err)
	}
	if data, err := s.ReferenceData(a.SHA256); !bytes.Equal(data, big) || err != nil {
		t.Errorf("a used reference: %d bytes, %v", len(data), err)
	}
	if err := os.WriteFile(files[0], []byte("spoiled"), 0o600); err != nil {
		t.Fatal(err)
	}
	var known *Error
	if _, err := s.ReferenceData(a.SHA256); !errors.As(err, &known) || known.Kind != Spoiled {
		t.Errorf("a spoiled file: %v", err)
	}
	if err := s.SetDraft(session, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(files[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of a reference that nobody needs: %v", err)
	}
	if _, err := s.PutReference(Reference{Name: "empty.png"}, nil); err == nil {
		t.Error("an empty reference was taken")
	}
}

// finish writes a picture into the pictures folder, as a window does, and journals it.
func finish(s *Store, id uint64, p Picture, png []byte) (string, error) {
	path := filepath.Join(s.pictures, fmt.Sprintf("%d-%s", id, p.File))
	if err := os.MkdirAll(s.pictures, 0o777); err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".part", png, 0o666); err != nil {
		return "", err
	}
	if err := os.Rename(path+".part", path); err != nil { // whole or not at all, also where the program is killed
		return "", err
	}
	p.File, p.SHA256 = path, files.Sum(png)
	return path, s.FinishPicture(id, p)
}

// Two pictures have one file: an earlier Realword gave its name again when the user had deleted it in the file manager. It goes with the
// last of them.
func TestEmptySparesFilesOfOtherPictures(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "h.db"))
	round, err := s.BeginRound(Plan{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	var ids [2]uint64
	file := ""
	for i := range ids {
		id, err1 := s.StartPicture(round, 1000)
		file = filepath.Join(s.pictures, "1000-0001.png")
		err2 := errors.Join(os.MkdirAll(s.pictures, 0o700), os.WriteFile(file, []byte(onePNG), 0o600))
		err3 := s.FinishPicture(id, Picture{File: file, SHA256: files.Sum([]byte(onePNG))})
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	if list, err := s.Files(); err != nil || !slices.Equal(list, []string{file, file}) {
		t.Errorf("Files = %q, %v", list, err)
	}
	for i, id := range ids {
		if err := s.Trash(noon, Item{PictureItem, id}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Empty(noon.Add(1)); n != 1 || err != nil {
			t.Errorf("Empty = %d, %v", n, err)
		}
		if _, err := os.Stat(file); (err == nil) != (i == 0) {
			t.Errorf("after %d of 2 pictures the file is there: %v", i+1, err == nil)
		}
	}
}

// What the user changed, or wrote elsewhere, is not deleted with its picture.
func TestEmptySparesFilesOfTheUser(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "h.db"))
	round, err := s.BeginRound(Plan{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(dir, "elsewhere.png")
	if err := os.WriteFile(elsewhere, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var files [2]string
	for i := range files {
		id, err1 := s.StartPicture(round, 1)
		file, err2 := finish(s, id, Picture{File: "dog.png"}, []byte("png"))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		files[i] = file
	}
	mine, err1 := s.StartPicture(round, 1)
	err2 := s.FinishPicture(mine, Picture{File: elsewhere})
	err = errors.Join(
		err1, err2,
		os.WriteFile(files[1], []byte("retouched"), 0o600),
		s.Trash(noon, Item{RoundItem, round}),
	)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Empty(noon); n != 0 || err != nil {
		t.Errorf("Empty(before) = %d, %v", n, err)
	}
	if n, err := s.Empty(noon.Add(1)); n != 3 || err != nil {
		t.Errorf("Empty = %d, %v", n, err)
	}
	for file, want := range map[string]bool{files[0]: false, files[1]: true, elsewhere: true} {
		if _, err := os.Stat(file); (err == nil) != want {
			t.Errorf("%s is there: %v", file, err == nil)
		}
	}
}

func TestSafeStem(t *testing.T) {
	for name, want := range map[string]string{
		"a dog.png": "a-dog", "../../etc/passwd": "passwd", `C:\x\y.png`: "y", "": "picture", "...": "picture", "hund & größe!.png": "hund-größe",
		strings.Repeat("a", 300): strings.Repeat("a", 64),
	} {
		if got := safeStem(name); got != want {
			t.Errorf("safeStem(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzRecords(f *testing.F) {
	step, _ := encodeStep(Step{Clean: []float32{1, 2}, Scores: [][]float32{{3}}})
	f.Add(step)
	f.Add(row{1, 2, 3, 4, 5, 6}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeStep(b); err == nil {
			again, err := encodeStep(s)
			if err != nil || len(again) != len(b) {
				t.Errorf("%x became %x, %v", b, again, err)
			}
		}
		if r, err := decodeRow(b); err == nil && !reflect.DeepEqual(r.encode(), b) {
			t.Errorf("%x became %x", b, r.encode())
		}
		for _, term := range terms(string(b)) {
			if term == "" || len(term) > 64 {
				t.Errorf("term %q of %q", term, b)
			}
		}
		safe := safeStem(string(b))
		if safe == "" || strings.ContainsAny(safe, `/\.:`) {
			t.Errorf("file name %q of %q", safe, b)
		}
	})
}

// What the system says becomes a kind with a remedy; anything else stays what it is.
func TestExplain(t *testing.T) {
	at := func(err error) error { return &os.PathError{Op: "open", Path: "/disk/file", Err: err} }
	for _, c := range []struct {
		err  error
		kind Kind
	}{
		{at(syscall.EACCES), ReadOnly},
		{at(syscall.EROFS), ReadOnly},
		{at(syscall.ENOTDIR), Unreachable},
		{at(os.ErrNotExist), Unreachable},
		{fmt.Errorf("write: %w", at(syscall.ENOSPC)), Full},
		{errors.New("file resize error: " + syscall.ENOSPC.Error()), Full},
	} {
		if runtime.GOOS == "windows" && c.kind == Full {
			c.err = at(syscall.Errno(112))
		}
		var known *Error
		if err := explain("history.db", c.err); !errors.As(err, &known) || known.Kind != c.kind || !strings.Contains(err.Error(), ": ") {
			t.Errorf("%v became %v", c.err, err)
		}
	}
	if err := explain("history.db", ErrNoJob); !errors.Is(err, ErrNoJob) || explain("history.db", nil) != nil {
		t.Errorf("ErrNoJob became %v", err)
	}
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		return // to whom nothing is read-only
	}
	path := sample(t, t.TempDir())
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	var known *Error
	if _, err := Open(path); !errors.As(err, &known) || known.Kind != ReadOnly {
		t.Errorf("a read-only file: %v", err)
	}
}

// A file that the caller wrote is deleted with the trash only if the history was told its SHA-256 and it is still the same.
func TestEmptyDeletesFilesThatWereWrittenForTheHistory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "history.db"))
	round, err := s.BeginRound(Plan{Recipe: []byte(`{}`)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	var items []Item
	for i, sum := range []string{"", "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", strings.Repeat("0", 64)} {
		file := filepath.Join(dir, fmt.Sprint(i, ".png"))
		if err := os.WriteFile(file, []byte("foo"), 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := s.StartPicture(round, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.FinishPicture(id, Picture{File: file, SHA256: sum}); err != nil {
			t.Fatal(err)
		}
		items = append(items, Item{PictureItem, id})
	}
	if err := s.Trash(noon, items...); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Empty(noon.Add(time.Second)); n != 3 || err != nil {
		t.Fatalf("%d pictures went, %v", n, err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.png"))
	if len(left) != 2 || filepath.Base(left[0]) != "0.png" || filepath.Base(left[1]) != "2.png" {
		t.Errorf("left: %v", left)
	}
}
