package history

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"realword/inference/plain"
)

const onePNG = pngSignature + "pixels of a dog on the beach"

// unsaved is a history with a finished picture that has no file.
func unsaved(t *testing.T, path string) (s *Store, round, picture uint64) {
	t.Helper()
	s = open(t, path)
	round, err1 := s.BeginRound(Plan{Recipe: []byte(`{"schema":1,"prompt":"a dog"}`)}, noon)
	picture, err2 := s.StartPicture(round, 7)
	err3 := s.KeepPixels(picture, Picture{Width: 640, Height: 480, Thumbnail: []byte(onePNG)}, []byte(onePNG+strings.Repeat("!", inlineLimit)))
	if err := errors.Join(err1, err2, err3, s.End(round, Complete, nil, noon)); err != nil {
		t.Fatal(err)
	}
	return s, round, picture
}

func TestPixelsAreKeptUntilTheyHaveAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "history.db")
	s, _, id := unsaved(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path) // after a restart as well
	want := onePNG + strings.Repeat("!", inlineLimit)
	data, err := s.Pixels(id)
	p, err2 := s.Picture(id)
	if err := errors.Join(err, err2, s.Check()); err != nil || string(data) != want || !p.Finished() || p.File != "" || p.Width != 640 || p.Bytes != int64(len(want)) {
		t.Fatalf("%+v, %d bytes, %v", p, len(data), err)
	}
	if err := s.KeepPixels(id, Picture{Width: 1, Height: 2}, []byte(onePNG)); err != nil { // again: the older ones go
		t.Error(err)
	}
	if data, err = s.Pixels(id); err != nil || string(data) != onePNG {
		t.Errorf("%q, %v", data, err)
	}
	file := filepath.Join(dir, "dog.png")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.MovePicture(id, file); err != nil {
		t.Error(err)
	}
	if _, err := s.Pixels(id); !errors.Is(err, ErrNoPicture) {
		t.Errorf("they are kept beside the file: %v", err)
	}
	if p, err := s.Picture(id); err != nil || p.File != file || p.Pixels != "" || !p.Finished() {
		t.Errorf("%+v, %v", p, err)
	}
	if err := s.KeepPixels(id, Picture{}, []byte(onePNG)); err == nil {
		t.Error("a picture that has a file takes pixels")
	}
	if n, err := s.Sweep(); err != nil || n != 0 {
		t.Errorf("%d files are left over, %v", n, err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestPixelsAreExportedAndGoWithTheTrash(t *testing.T) {
	s, round, id := unsaved(t, filepath.Join(t.TempDir(), "history.db"))
	r, err := s.Round(round)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	if missing, err := s.Export(r.Session, &zipped); err != nil || len(missing) > 0 {
		t.Fatal(missing, err)
	}
	other := open(t, filepath.Join(t.TempDir(), "history.db"))
	if _, err := other.ImportFrom("x.zip", bytes.NewReader(zipped.Bytes()), int64(zipped.Len())); err != nil {
		t.Fatal(err)
	}
	p, err := other.Picture(1)
	if err != nil || p.File == "" || p.Pixels != "" {
		t.Fatalf("%+v, %v", p, err)
	}
	if data, err := os.ReadFile(p.File); err != nil || !strings.HasPrefix(string(data), onePNG) {
		t.Errorf("%.40q, %v", data, err)
	}
	if err := s.Trash(noon, Item{PictureItem, id}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Empty(noon.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := s.Sweep(); n != 0 || errors.Join(err, s.Check()) != nil {
		t.Errorf("%d files are left, %v", n, err)
	}
}

// A blob whose file is gone, or was changed, takes nothing with it: its session is exported without it, and who adds the picture again has
// it again, in every job that it was in.
func TestALostBlobComesBack(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"gone":    os.Remove,
		"cut off": func(path string) error { return os.Truncate(path, 10) },
		"other bytes": func(path string) error {
			return os.WriteFile(path, bytes.Repeat([]byte("dust"), 20_000), 0o600)
		},
	} {
		s := open(t, filepath.Join(t.TempDir(), "history.db"))
		data := bytes.Repeat([]byte("ball"), 20_000)
		ref, err := s.PutReference(Reference{Name: "/home/ann/ball.png"}, data)
		if err != nil {
			t.Fatal(err)
		}
		round, err := s.BeginRound(Plan{Recipe: json.RawMessage(`{}`), References: []Reference{ref}}, noon)
		if err != nil {
			t.Fatal(err)
		}
		id, err := s.StartPicture(round, 1)
		large := make([]float32, 40_000)
		for i := range large {
			large[i] = float32(i)
		}
		for i, clean := range [][]float32{{1}, large} {
			err = errors.Join(err, s.AddStep(id, Step{Index: i, Clean: clean}))
		}
		if err != nil {
			t.Fatal(err)
		}
		list, err := filepath.Glob(filepath.Join(s.blobs, "??", "*"))
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		for _, file := range list {
			if err := spoil(file); err != nil {
				t.Fatal(err)
			}
		}
		if data, err := s.ReferenceData(ref.SHA256); err == nil || data != nil {
			t.Errorf("%s: %d bytes are read, %v", name, len(data), err)
		}
		r, err := s.Round(round)
		if err != nil {
			t.Fatal(err)
		}
		var zipped bytes.Buffer
		missing, err := s.Export(r.Session, &zipped)
		if want := []string{"ball.png", fmt.Sprintf("steps of picture %d", id)}; err != nil || !slices.Equal(missing, want) {
			t.Errorf("%s: exported without %q, %v", name, missing, err)
		}
		other := open(t, filepath.Join(t.TempDir(), "history.db"))
		if _, err := other.ImportFrom("x.zip", bytes.NewReader(zipped.Bytes()), int64(zipped.Len())); err != nil {
			t.Errorf("%s: what was exported is refused: %v", name, err)
		} else if p, err := other.Picture(1); err != nil || p.Steps != 1 {
			t.Errorf("%s: %d steps came over, %v", name, p.Steps, err)
		}
		if _, err := s.PutReference(ref, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if back, err := s.ReferenceData(ref.SHA256); err != nil || !bytes.Equal(back, data) {
			t.Errorf("%s, and added again: %v", name, err)
		}
		if e, _ := read(s, func(tx *bbolt.Tx) (blobEntry, error) {
			sum, err := ref.sum()
			e, _ := blobEntryOf(tx, sum)
			return e, err
		}); e.uses != 1 {
			t.Errorf("%s: it has %d uses", name, e.uses)
		}
	}
}

func TestExportNamesNoFolder(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "history.db"))
	ref, err := s.PutReference(Reference{Name: "/home/ann/secret project/dog.png"}, []byte(onePNG))
	if err != nil {
		t.Fatal(err)
	}
	recipe := `{"schema":1,"model":"/home/ann/models/mine","prompt":"/imagine a dog","size":12345678901234567890,"subjects":[{"references":[{"name":"C:\\Users\\Ann\\dog.png"}]}]}`
	round, err1 := s.BeginRound(Plan{Recipe: []byte(recipe), Prompt: "/imagine a dog", References: []Reference{ref}}, noon)
	r, err2 := s.Round(round)
	err3 := s.SetDraft(r.Session, []byte(`{"form":{"Last":"/home/ann/drafts/x"}}`), []Reference{ref})
	err4 := s.End(round, Failed, errors.New("cannot write /home/ann/out/dog.png: the disk is full"), noon)
	picture, err5 := s.StartPicture(round, 1)
	_, err6 := finish(s, picture, Picture{File: "dog.png"}, []byte(onePNG))
	var zipped bytes.Buffer
	_, err7 := s.Export(r.Session, &zipped)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(zipped.Bytes()), int64(zipped.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, leak := range []string{"home", "ann", "Ann", "secret", s.pictures} {
			if strings.Contains(string(data), leak) {
				t.Errorf("%s has %q: %s", f.Name, leak, data)
			}
		}
		if f.Name == manifestName && (!strings.Contains(string(data), `"prompt":"/imagine a dog"`) || !strings.Contains(string(data), `12345678901234567890`) || !strings.Contains(string(data), `"mine"`)) {
			t.Errorf("what is no path was changed: %s", data)
		}
	}
	if whole, err := s.Round(round); err != nil || string(whole.Recipe) != recipe {
		t.Errorf("the history itself was changed: %s, %v", whole.Recipe, err)
	}
}

// A session of 61 KB unpacked to 7 GB in memory.
func TestDamageBySessionBombs(t *testing.T) {
	plain.Run(t)
	uid := strings.Repeat("0", 32)
	for name, c := range map[string]struct{ head, again string }{
		"empty rounds":     {`{"format":1,"rounds":[{}`, `,{}`},
		"empty pictures":   {`{"format":1,"pictures":[{}`, `,{}`},
		"a long prompt":    {`{"format":1,"rounds":[{"uid":"` + uid + `","prompt":"x`, `xxx`},
		"parents":          {`{"format":1,"rounds":[{"uid":"` + uid + `","parents":[1`, `,1`},
		"words":            {`{"format":1,"rounds":[{"uid":"` + uid + `","words":["a"`, `,""`},
		"steps":            {`{"format":1,"pictures":[{"uid":"` + uid + `","kept_steps":[{}`, `,{}`},
		"a draft":          {`{"format":1,"session":{"draft":[0`, `,0`},
		"unknown things":   {`{"format":1,"more":[0`, `,0`},
		"many keys":        {`{"format":1`, `,"a":0`},
		"depth":            {`{"format":1,"session":{"draft":[`, `[`},
		"rounds with UIDs": {`{"format":1,"rounds":[{"uid":"` + uid + `"}`, `,{"uid":"` + uid + `"}`},
	} {
		var file bytes.Buffer
		z := zip.NewWriter(&file)
		w, err := z.Create(manifestName)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, c.head)
		some := bytes.Repeat([]byte(c.again), 1<<20/len(c.again))
		for range 12 {
			_, _ = w.Write(some)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		s := open(t, filepath.Join(t.TempDir(), "history.db"))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = s.ImportFrom("bomb.zip", bytes.NewReader(file.Bytes()), int64(file.Len()))
		runtime.ReadMemStats(&after)
		var known *Error
		if !errors.As(err, &known) || known.Kind != Hostile {
			t.Errorf("%s: %v", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 96<<20 {
			t.Errorf("%s: %d bytes took %d MB", name, file.Len(), took>>20)
		} else {
			t.Logf("%s: %d KB took %d KB in all", name, file.Len()>>10, took>>10)
		}
	}
}

// TestJobsOfASessionInTheTrash: a session that was thrown away takes nothing in any more. What waited in it goes to one of the same name, a
// grid that its program has left, too.
func TestJobsOfASessionInTheTrash(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "history.db"))
	old, err := s.NewSession("Dogs", noon)
	if err != nil {
		t.Fatal(err)
	}
	grid := Plan{Session: old, Recipe: []byte(`{"grid":1}`), Grid: true}
	round, err := s.BeginRound(grid, noon)
	if err != nil {
		t.Fatal(err)
	}
	grid.Resume = round
	var jobs []uint64
	for _, p := range []Plan{{Session: old, Recipe: []byte(`{"n":1}`)}, {Session: old, Recipe: []byte(`{"n":2}`)}, grid} {
		id, err := s.Enqueue(p, noon)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, id)
	}
	if err := s.Trash(noon, Item{SessionItem, old}); err != nil {
		t.Fatal(err)
	}
	fresh := uint64(0)
	for i, id := range jobs {
		round, err := s.StartJob(id, noon)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Round(round)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			fresh = r.Session
		}
		if one, err := s.Session(r.Session); err != nil || r.Session == old || r.Session != fresh || one.Name != "Dogs" || !one.Trashed.IsZero() {
			t.Errorf("job %d goes to session %d: %+v, %v", i, r.Session, one, err)
		}
	}
}
