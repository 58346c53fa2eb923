package history

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/inference/files"
)

var aPNG = []byte(pngSignature + "the rest of it")

// finished is a store with one session: two rounds, the second goes on from a picture of the first.
func finished(t testing.TB) (*Store, uint64) {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "history.db"))
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	session, err := s.NewSession("ball", noon)
	must(err)
	reference, err := s.PutReference(Reference{Name: "ball.png"}, bytes.Repeat([]byte("ball"), 20_000))
	must(err)
	must(s.SetDraft(session, json.RawMessage(`{"prompt":"next"}`), []Reference{reference}))
	var parents []uint64
	for range 2 {
		round, err := s.BeginRound(Plan{
			Session: session, Recipe: json.RawMessage(`{"prompt":"a red ball"}`), Prompt: "a red ball", Words: []string{"ball"},
			References: []Reference{reference}, Parents: parents,
		}, noon)
		must(err)
		picture, err := s.StartCell(round, 42, 3, json.RawMessage(`{"of":"a cell"}`))
		must(err)
		for i := range 3 {
			step := Step{Index: i, Clean: make([]float32, 20_000), Scores: [][]float32{{1, float32(i)}}}
			if i == 1 {
				step.State = []byte("exact")
			}
			must(s.AddStep(picture, step))
		}
		_, err = finish(s, picture, Picture{File: "ball.png", Width: 64, Height: 64, Thumbnail: []byte("thumb")}, aPNG)
		must(err)
		must(errors.Join(s.SetStar(picture, true), s.End(round, Complete, nil, noon)))
		parents = []uint64{picture}
	}
	return s, session
}

// told is everything about a session that has to survive a journey, without the IDs.
func told(t *testing.T, s *Store, session uint64) any {
	t.Helper()
	one, err1 := s.Session(session)
	rounds, err2 := s.SessionRounds(session)
	if err := errors.Join(err1, err2, s.Check()); err != nil {
		t.Fatal(err)
	}
	one.ID = 0
	place := map[uint64]int{}
	out := []any{one}
	for _, r := range rounds {
		var inner []any
		for _, p := range r.Parents {
			inner = append(inner, place[p])
		}
		for _, p := range r.Pictures {
			place[p.ID] = len(place) + 1
			full, err := s.Picture(p.ID)
			if err != nil {
				t.Fatal(err)
			}
			png, err := os.ReadFile(p.File)
			if err != nil {
				t.Fatal(err)
			}
			for i := range p.Steps {
				step, err := s.Step(p.ID, i, true)
				if err != nil {
					t.Fatal(err)
				}
				inner = append(inner, step)
			}
			full.ID, full.Round, full.File = 0, 0, ""
			inner = append(inner, full, png)
		}
		for _, ref := range r.References {
			data, err := s.ReferenceData(ref.SHA256)
			inner = append(inner, data, err)
		}
		r.ID, r.Session, r.Parents, r.Pictures = 0, 0, nil, nil
		out = append(out, r, inner)
	}
	return out
}

func TestExportImport(t *testing.T) {
	from, session := finished(t)
	path := filepath.Join(t.TempDir(), "ball.zip")
	if missing, err := from.ExportFile(t.Context(), session, path); len(missing) > 0 || err != nil {
		t.Fatal(missing, err)
	}
	to := open(t, filepath.Join(t.TempDir(), "history.db"))
	for range 2 { // other IDs than there
		if _, err := to.BeginRound(Plan{}, noon); err != nil {
			t.Fatal(err)
		}
	}
	for turn, want := range []Imported{{Session: 3, Rounds: 2, Pictures: 2, Fresh: true}, {Session: 3}, {Session: 3, Pictures: 1}} {
		got, err := to.Import(path)
		if got != want || err != nil {
			t.Fatalf("import %d: %+v, %v, want %+v", turn, got, err, want)
		}
		if got, want := told(t, to, 3), told(t, from, session); turn < 2 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nwant\n%+v", got, want)
		}
		if turn == 1 { // what was thrown away for good comes back
			rounds, err := to.SessionRounds(3)
			if err != nil {
				t.Fatal(err)
			}
			err = to.Trash(noon, Item{PictureItem, rounds[0].Pictures[0].ID}, Item{SessionItem, 3})
			if err == nil {
				err = to.Restore(Item{SessionItem, 3})
			}
			if _, empty := to.Empty(noon.Add(1)); errors.Join(err, empty) != nil {
				t.Fatal(err, empty)
			}
		}
	}
	// Its files are called as they were, those of a name that is taken with a number behind it.
	names := map[string]bool{}
	for _, s := range []*Store{from, to} {
		rounds, err := s.SessionRounds(map[*Store]uint64{from: session, to: 3}[s])
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rounds {
			for _, p := range r.Pictures {
				name := filepath.Base(p.File)
				if was := strings.TrimSuffix(strings.TrimSuffix(name, ".png"), "-2") + ".png"; s == to && !names[name] && !names[was] {
					t.Errorf("a picture that came in is called %s, and there were %v", name, names)
				}
				names[name] = names[name] || s == from
			}
		}
	}
	// At home it changes nothing.
	if got, err := from.Import(path); got != (Imported{Session: session}) || err != nil {
		t.Errorf("import at home: %+v, %v", got, err)
	}
}

// TestARescueKnowsWhichFilesWereNeverHere: nobody looks for them.
func TestARescueKnowsWhichFilesWereNeverHere(t *testing.T) {
	s, session := finished(t)
	rounds, err := s.SessionRounds(session)
	if err == nil {
		err = os.Remove(rounds[1].Pictures[0].File)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.zip")
	if _, err := s.ExportFile(t.Context(), session, path); err != nil {
		t.Fatal(err)
	}
	old := open(t, filepath.Join(t.TempDir(), "history.db"))
	_, err = old.Import(path)
	if err = errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	to := open(t, filepath.Join(t.TempDir(), "history.db"))
	if _, err := to.Rescue(old.path); err != nil {
		t.Fatal(err)
	}
	all, err := to.Rounds()
	if err != nil || len(all) != 2 {
		t.Fatal(len(all), err)
	}
	for _, r := range all {
		for _, p := range r.Pictures {
			if _, err := os.Stat(p.File); p.Absent != errors.Is(err, os.ErrNotExist) {
				t.Errorf("absent %v: %v", p.Absent, err)
			}
		}
	}
}

// TestTheFileOfAPictureComesLater: who exported a session without the file of a picture has found it, and exports again.
func TestTheFileOfAPictureComesLater(t *testing.T) {
	s, session := finished(t)
	rounds, err := s.SessionRounds(session)
	if err != nil {
		t.Fatal(err)
	}
	lost := rounds[1].Pictures[0].File
	part, whole := filepath.Join(t.TempDir(), "part.zip"), filepath.Join(t.TempDir(), "whole.zip")
	export := func(path string, without int) {
		t.Helper()
		if missing, err := s.ExportFile(t.Context(), session, path); len(missing) != without || err != nil {
			t.Fatal(missing, err)
		}
	}
	export(whole, 0)
	if err := os.Rename(lost, lost+".away"); err != nil {
		t.Fatal(err)
	}
	export(part, 1)
	to, late := open(t, filepath.Join(t.TempDir(), "history.db")), open(t, filepath.Join(t.TempDir(), "history.db"))
	for _, c := range []struct {
		path string
		want Imported
	}{
		{part, Imported{Session: 1, Rounds: 2, Pictures: 2, Fileless: 1, Fresh: true}},
		{part, Imported{Session: 1}},
		{whole, Imported{Session: 1, Pictures: 1}},
		{whole, Imported{Session: 1}},
		{part, Imported{Session: 1}},
	} {
		if got, err := to.Import(c.path); err != nil || got != c.want {
			t.Errorf("%s: %+v, want %+v, %v", filepath.Base(c.path), got, c.want, err)
		}
	}
	if _, err := late.Import(part); err != nil {
		t.Fatal(err)
	}
	beside, err := Options{Pictures: t.TempDir()}.OpenBeside(late.path) // the window had the history open
	if err != nil {
		t.Fatal(err)
	}
	_, err = beside.Import(whole)
	if err = errors.Join(err, beside.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := late.TakeIn(); err != nil || got.Sessions != 0 || got.Rounds != 0 || got.Pictures != 1 {
		t.Errorf("from beside: %+v, %v", got, err)
	}
	for _, s := range []*Store{to, late} {
		all, err := s.Rounds()
		if err != nil || len(all) != 2 {
			t.Fatal(len(all), err)
		}
		for _, r := range all {
			for _, p := range r.Pictures {
				data, err := os.ReadFile(p.File)
				if err != nil || p.Absent || p.SHA256 != files.Sum(data) || p.Bytes != int64(len(data)) {
					t.Errorf("a file of %d bytes, %v: %+v", len(data), err, p)
				}
			}
		}
	}
	again := filepath.Join(t.TempDir(), "again.zip")
	if missing, err := to.ExportFile(t.Context(), 1, again); len(missing) > 0 || err != nil {
		t.Errorf("exported again without %q, %v", missing, err)
	}
}

func TestExportNamesMissingPictures(t *testing.T) {
	s, session := finished(t)
	rounds, err := s.SessionRounds(session)
	if err != nil {
		t.Fatal(err)
	}
	lost := rounds[1].Pictures[0].File
	if err := errors.Join(os.Remove(lost), s.Trash(noon, Item{RoundItem, rounds[0].ID})); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.zip")
	if missing, err := s.ExportFile(t.Context(), session, path); !reflect.DeepEqual(missing, []string{lost}) || err != nil {
		t.Fatal(missing, err)
	}
	to := open(t, filepath.Join(t.TempDir(), "history.db"))
	got, err := to.Import(path)
	if err != nil || got != (Imported{Session: 1, Rounds: 1, Pictures: 1, Fileless: 1, Fresh: true}) {
		t.Fatalf("%+v, %v", got, err)
	}
	// It was not stopped: it is finished, and its file is not there, also where the export is of an earlier version, which only left it out.
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	older := open(t, filepath.Join(t.TempDir(), "history.db"))
	data = rewrite(t, data, zip.Store, func(name string, data []byte) (string, []byte) {
		return name, bytes.Replace(data, []byte(`"name":"`+filepath.Base(lost)+`",`), nil, 1)
	})
	if got, err := older.ImportFrom("older.zip", bytes.NewReader(data), int64(len(data))); err != nil || got.Fileless != 1 {
		t.Errorf("of an earlier version: %+v, %v", got, err)
	}
	for _, s := range []*Store{to, older} {
		p, err := s.Picture(1)
		if _, there := os.Stat(p.File); err != nil || !p.Finished() || !errors.Is(there, os.ErrNotExist) || !p.Absent || p.Steps != 3 {
			t.Errorf("the picture without a file: %+v, %v, %v", p, err, there)
		}
		if again, err := s.ExportFile(t.Context(), 1, path+"2"); !reflect.DeepEqual(again, []string{p.File}) || err != nil {
			t.Errorf("exported again without %q, %v", again, err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(p.File), 0o700), os.WriteFile(p.File, aPNG, 0o600), s.MovePicture(1, p.File)); err != nil {
			t.Fatal(err)
		}
		if p, err = s.Picture(1); err != nil || p.Absent {
			t.Errorf("made again: %+v, %v", p, err)
		}
	}
	if _, err := s.ExportFile(t.Context(), 99, path); !errors.Is(err, ErrNoSession) {
		t.Errorf("no session: %v", err)
	}
	if _, err := to.Import(path); err != nil {
		t.Errorf("a failed export replaced the file: %v", err)
	}
}

// rewrite makes another zip of one: each entry goes through edit, which may drop or change it.
func rewrite(t testing.TB, whole []byte, method uint16, edit func(name string, data []byte) (string, []byte)) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		name, data := edit(f.Name, data)
		if name == "" {
			continue
		}
		entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = entry.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestImportRefuses(t *testing.T) {
	from, session := finished(t)
	var whole bytes.Buffer
	if _, err := from.Export(session, &whole); err != nil {
		t.Fatal(err)
	}
	manifest := func(old, replacement string) func(string, []byte) (string, []byte) {
		return func(name string, data []byte) (string, []byte) {
			if name != manifestName {
				return name, data
			}
			changed := strings.Replace(string(data), old, replacement, 1)
			if changed == string(data) {
				t.Fatalf("the manifest has no %s:\n%s", old, data)
			}
			return name, []byte(changed)
		}
	}
	spoil := func(prefix string, replacement []byte) func(string, []byte) (string, []byte) {
		return func(name string, data []byte) (string, []byte) {
			if strings.HasPrefix(name, prefix) {
				return name, replacement
			}
			return name, data
		}
	}
	first, err := from.Round(1)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]Kind{"newer format": Newer, "path for a blob": Torn, "path for a picture": Torn, "no pictures": Torn}
	for name, edit := range map[string]func(string, []byte) (string, []byte){
		"newer format":       manifest(`"format":1,"session":{`, `"format":2,"sessions":[],"session":{"uid":7,`),
		"no JSON":            manifest(`"format"`, `"format`),
		"no round":           manifest(`"round":1`, `"round":77`),
		"own parent":         manifest(`"parents":[1]`, `"parents":[2]`),
		"strange status":     manifest(`"complete"`, `"hacked"`),
		"same UID":           manifest(first.UID, first.Pictures[0].UID),
		"short UID":          manifest(first.UID, "00"),
		"path for a blob":    manifest(`"data":"`, `"data":"../../`),
		"path for a picture": manifest(`"entry":"`, `"entry":"../`),
		"endless step":       manifest(`"index":2`, `"index":2000000`),
		"step twice":         manifest(`"index":2`, `"index":1`),
		"impossible size":    manifest(`"width":64`, `"width":-64`),
		"other bytes":        spoil("blobs/", []byte("other")),
		"no PNG":             spoil("pictures/", []byte("#!/bin/sh")),
		"other PNG":          spoil("pictures/", []byte(pngSignature)),
		"no pictures":        func(n string, d []byte) (string, []byte) { return strings.ReplaceAll(n, "pictures/0.png", ""), d },
		"no manifest":        func(n string, d []byte) (string, []byte) { return strings.ReplaceAll(n, manifestName, ""), d },
		"entry twice":        func(n string, d []byte) (string, []byte) { return strings.ReplaceAll(n, "1.png", "0.png"), d },
		"huge thumbnail":     spoil("thumbnails/", make([]byte, maxThumbnail+1)),
	} {
		refuses(t, name, cmp.Or(kinds[name], Hostile), rewrite(t, whole.Bytes(), zip.Store, edit))
	}
	same := func(n string, d []byte) (string, []byte) { return n, d }
	refuses(t, "compressed", Hostile, rewrite(t, whole.Bytes(), zip.Deflate, same))
	refuses(t, "cut off", Torn, whole.Bytes()[:whole.Len()-100])
	refuses(t, "cut in half", Torn, whole.Bytes()[:whole.Len()/2])
	refuses(t, "empty", Hostile, nil)
	refuses(t, "text", Hostile, []byte("no zip at all"))
	other := rewrite(t, whole.Bytes(), zip.Store, func(n string, d []byte) (string, []byte) { return "photos/" + n, d })
	refuses(t, "another zip", Hostile, other)
	refuses(t, "half of another zip", Hostile, other[:len(other)/2])
	flipped := bytes.Clone(whole.Bytes())
	flipped[bytes.Index(flipped, []byte("ballball"))] ^= 1
	refuses(t, "flipped bit", Torn, flipped)
	flipped = bytes.Clone(whole.Bytes())
	flipped[bytes.LastIndex(flipped, []byte("PK\x03\x04"))] ^= 1 // of the manifest
	refuses(t, "a header that is none", Torn, flipped)

	to := open(t, filepath.Join(t.TempDir(), "history.db"))
	path := filepath.Join(t.TempDir(), "same.zip")
	if err := os.WriteFile(path, rewrite(t, whole.Bytes(), zip.Store, same), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := to.Import(path); err != nil {
		t.Errorf("without a change: %v", err)
	}
}

// refuses imports a zip into an empty history and looks that nothing of it stays.
func refuses(t *testing.T, name string, kind Kind, data []byte) {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "history.db"))
	path := filepath.Join(t.TempDir(), "hostile.zip")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Import(path)
	var known *Error
	if !errors.As(err, &known) || known.Kind != kind || known.Path != path {
		t.Errorf("%s: %v", name, err)
	}
	sessions, err := s.Sessions()
	if extra, swept := s.Sweep(); len(sessions) > 0 || extra > 0 || errors.Join(err, swept, s.Check()) != nil {
		t.Errorf("%s: %d sessions and %d files are left, %v, %v", name, len(sessions), extra, err, swept)
	}
	if files, _ := os.ReadDir(s.pictures); len(files) > 0 {
		t.Errorf("%s: %v is left", name, files)
	}
}

func FuzzImport(f *testing.F) {
	from, session := finished(f)
	var whole bytes.Buffer
	if _, err := from.Export(session, &whole); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(importAny)
}

// importAny imports bytes into an empty history, which stays sound.
func importAny(t *testing.T, data []byte) {
	dir, err := os.MkdirTemp("", "realword")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := Options{unsynced: true}.Open(filepath.Join(dir, "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.ImportFrom("fuzz.zip", bytes.NewReader(data), int64(len(data)))
	var known *Error
	if err != nil && (!errors.As(err, &known) || !slices.Contains([]Kind{Hostile, Newer, Torn}, known.Kind)) {
		t.Errorf("%v", err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	for round := range uint64(100) { // what was taken can be shown
		if _, err := s.Round(round); err != nil && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
}

// FuzzManifest puts any records over sound entries.
func FuzzManifest(f *testing.F) {
	from, session := finished(f)
	var whole bytes.Buffer
	if _, err := from.Export(session, &whole); err != nil {
		f.Fatal(err)
	}
	rewrite(f, whole.Bytes(), zip.Store, func(name string, data []byte) (string, []byte) {
		if name == manifestName {
			f.Add(data)
		}
		return name, data
	})
	f.Fuzz(func(t *testing.T, manifest []byte) {
		data := rewrite(t, whole.Bytes(), zip.Store, func(name string, data []byte) (string, []byte) {
			if name == manifestName {
				return name, manifest
			}
			return name, data
		})
		importAny(t, data)
	})
}

// TestArchived: what Export wrote is known by what is in it, whatever it is called, and so is what a later Realword will write, and what
// has lost its end; no other zip is.
func TestArchived(t *testing.T) {
	s, session := finished(t)
	dir := t.TempDir()
	zipped := func(name, entry, content string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create(entry)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		path := filepath.Join(dir, name)
		if err = errors.Join(err, z.Close(), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	exported := filepath.Join(dir, "exported")
	if _, err := s.ExportFile(t.Context(), session, exported); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.zip")
	if data, err := os.ReadFile(exported); err != nil || os.WriteFile(cut, data[:len(data)/2], 0o600) != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		exported: true,
		zipped("later.zip", manifestName, `{"format":2,"something":[]}`):   true,
		zipped("notes.zip", "notes.txt", "notes"):                          false,
		zipped("other.zip", manifestName, `{"cookies":[]}`):                false,
		zipped("list.zip", manifestName, `[1]`):                            false,
		zipped("text.zip", manifestName, `format`):                         false,
		zipped("deep.zip", "backup/"+manifestName, `{"format":1}`):         false,
		zipped("long.zip", manifestName, strings.Repeat(" ", maxRecord+1)): false,
		cut:                            true, // its end says so
		dir:                            false,
		filepath.Join(dir, "none.zip"): false,
	} {
		if got := Archived(path); got != want {
			t.Errorf("%s: %v", filepath.Base(path), got)
		}
	}
}

// TestAnExportThatIsInterrupted leaves nothing, and what one has left whose program died goes with the next.
func TestAnExportThatIsInterrupted(t *testing.T) {
	s, session := finished(t)
	dir := t.TempDir()
	left := filepath.Join(dir, ".realword-0123456789abcdef")
	if err := os.WriteFile(left, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := s.ExportFile(ctx, session, filepath.Join(dir, "session.zip"))
	entries, err1 := os.ReadDir(dir)
	if !errors.Is(err, context.Canceled) || err1 != nil || len(entries) > 0 {
		t.Errorf("it has left %v, %v, %v", entries, err, err1)
	}
}
