package history

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

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
