package history

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"realword/inference/files"
)

// An archive is one session as a zip: session.json, and, stored without compression (which they have or do not need), the entries
// that it names: pictures/N.png, thumbnails/N.png, blobs/SHA-256. Names in the zip are never used as paths.
type archive struct {
	Format   int               `json:"format"` // archiveFormat
	Session  Session           `json:"session"`
	Rounds   []Round           `json:"rounds"`
	Pictures []archivedPicture `json:"pictures"`
}

type archivedPicture struct {
	Picture
	Name      string         `json:"name,omitempty"` // of the file, for people; of a finished picture also where that could not be read
	Entry     string         `json:"entry,omitempty"`
	Thumb     string         `json:"thumb,omitempty"`
	KeptSteps []archivedStep `json:"kept_steps,omitempty"`
}

type archivedStep struct {
	Index int `json:"index"`
	stepRecord
}

const (
	archiveFormat = 1
	manifestName  = "session.json"
	maxManifest   = 64 << 20
	maxRecord     = 4 << 20 // of the manifest
	maxRounds     = 20_000
	maxPictures   = 50_000
	maxLinks      = 1000 // parents or words of a round
	maxEntry      = 1 << 30
	pngSignature  = "\x89PNG\r\n\x1a\n"
)

// Export writes a session as one zip, without what is in the trash. It returns what is not there any more or cannot be read, for people:
// the files of pictures and the names of references, each once, and steps as one for each picture. All else is in the zip.
func (s *Store) Export(session uint64, w io.Writer) (missing []string, err error) {
	z := zip.NewWriter(w)
	err = s.view(func(tx *bbolt.Tx) error {
		e := exporter{s: s, tx: tx, zip: z, blobs: map[string]bool{}}
		err := e.session(session)
		missing = e.missing
		return err
	})
	return missing, errors.Join(err, z.Close())
}

// ExportFile is Export to a file, which it replaces; what was there stays until the new one is whole. It ends with the context, and leaves
// nothing then; what exports of programs that died have left in the folder goes.
func (s *Store) ExportFile(ctx context.Context, session uint64, path string) (missing []string, err error) {
	files.Sweep(filepath.Dir(path))
	err = files.Put(path, s.how, func(w io.Writer) (err error) {
		missing, err = s.Export(session, ending{ctx, w})
		return err
	})
	return missing, explain(path, err)
}

// ending writes until a context ends.
type ending struct {
	context.Context
	io.Writer
}

func (e ending) Write(data []byte) (int, error) {
	if err := e.Err(); err != nil {
		return 0, err
	}
	return e.Writer.Write(data)
}

type exporter struct {
	s       *Store
	tx      *bbolt.Tx
	zip     *zip.Writer
	blobs   map[string]bool // false: it cannot be read
	missing []string
}

func (e *exporter) session(id uint64) error {
	session, err := getSession(e.tx, id)
	if err != nil {
		return err
	}
	session.Trashed = time.Time{}
	if session.Draft, err = withoutPaths(session.Draft); err != nil {
		return err
	}
	if session.References, err = e.references(session.References); err != nil {
		return err
	}
	a := archive{Format: archiveFormat, Session: session}
	for _, id := range under(e.tx, ofSessionBucket, key(id)) {
		r, err := fullRound(e.tx, id)
		if err != nil {
			return err
		}
		if !r.Trashed.IsZero() {
			continue
		}
		if r.References, err = e.references(r.References); err != nil {
			return err
		}
		if r.Recipe, err = withoutPaths(r.Recipe); err != nil {
			return err
		}
		if strings.ContainsAny(r.Error, `/\`) {
			r.Error = "" // it names a file of this machine
		}
		a.Rounds = append(a.Rounds, r)
		for _, p := range r.Pictures {
			if !p.Trashed.IsZero() {
				continue
			}
			one, err := e.picture(p, len(a.Pictures))
			if err != nil {
				return err
			}
			a.Pictures = append(a.Pictures, one)
		}
	}
	manifest, err := e.zip.Create(manifestName)
	if err != nil {
		return err
	}
	return json.NewEncoder(manifest).Encode(a)
}

// withoutPaths leaves the last part of every path of this machine in JSON, and all else as it is. What people wrote into prompts is no
// path.
func withoutPaths(data json.RawMessage) (json.RawMessage, error) {
	if len(data) == 0 {
		return data, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("a recipe cannot be exported: %w", err)
	}
	found := false
	var clean func(v any) any
	clean = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, one := range v {
				if name := strings.ToLower(k); name != "prompt" && name != "negative" && name != "text" {
					v[k] = clean(one)
				}
			}
		case []any:
			for i, one := range v {
				v[i] = clean(one)
			}
		case string:
			if isPath(v) {
				found = true
				return files.Base(v)
			}
		}
		return v
	}
	if v = clean(v); !found {
		return data, nil
	}
	return json.Marshal(v)
}

// isPath tells whether a text is an absolute path of any system.
func isPath(text string) bool {
	drive := len(text) > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/')
	return len(text) > 1 && (text[0] == '/' || strings.HasPrefix(text, `\\`) || drive)
}

func (e *exporter) store(name string, data []byte) error {
	w, err := e.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

// references writes what can be read of references, and is the list of these, without folders in their names.
func (e *exporter) references(list []Reference) (out []Reference, err error) {
	for _, r := range list {
		r.Name = files.Base(r.Name)
		there, err := e.blob(r.SHA256)
		if err != nil {
			return nil, err
		}
		if there {
			out = append(out, r)
		} else if !slices.Contains(e.missing, r.Name) {
			e.missing = append(e.missing, r.Name)
		}
	}
	return out, nil
}

// blob writes a blob, once. there is false where it cannot be read.
func (e *exporter) blob(sha string) (there bool, err error) {
	if there, done := e.blobs[sha]; sha == "" || done {
		return there || sha == "", nil
	}
	data, bad := e.s.readHex(e.tx, sha)
	if e.blobs[sha] = bad == nil; bad != nil {
		return false, nil
	}
	return true, e.store("blobs/"+sha, data)
}

func (e *exporter) picture(p Picture, n int) (archivedPicture, error) {
	out := archivedPicture{Picture: p}
	var err error
	if out.Recipe, err = withoutPaths(p.Recipe); err != nil {
		return out, err
	}
	out.File, out.SHA256, out.Pixels, out.Inside = "", "", "", false
	if p.Finished() {
		var data []byte
		var err error
		if p.File != "" {
			data, err = files.Read(p.File, maxEntry)
		} else {
			p.File = fmt.Sprintf("picture-%d.png", p.Seed) // as it is told
			data, err = e.s.readHex(e.tx, p.Pixels)
		}
		if out.Name = files.Base(p.File); err != nil || !bytes.HasPrefix(data, []byte(pngSignature)) {
			e.missing = append(e.missing, p.File)
		} else {
			out.SHA256, out.Entry = files.Sum(data), fmt.Sprintf("pictures/%d.png", n)
			if err := e.store(out.Entry, data); err != nil {
				return out, err
			}
		}
	}
	if thumb := openThumbnail(key(p.ID), in(e.tx, thumbnailBucket).Get(key(p.ID))); thumb != nil {
		out.Thumb = fmt.Sprintf("thumbnails/%d.png", n)
		if err := e.store(out.Thumb, thumb); err != nil {
			return out, err
		}
	}
	lost := false
	for _, i := range stepIndexes(e.tx, p.ID) {
		r, err := decodeStepRecord(e.s.path, in(e.tx, stepBucket).Get(stepKey(p.ID, i)))
		if err != nil {
			return out, err
		}
		data, err1 := e.blob(r.Data)
		state, err2 := e.blob(r.State)
		if err := errors.Join(err1, err2); err != nil {
			return out, err
		}
		if lost = lost || !data || !state; !state {
			r.State, r.StateBytes = "", 0
		}
		if data {
			out.KeptSteps = append(out.KeptSteps, archivedStep{i, r})
		}
	}
	if lost {
		e.missing = append(e.missing, fmt.Sprintf("steps of picture %d", p.ID))
	}
	return out, nil
}

// Archived tells whether a file is a session that Export wrote, of this version or another one, as far as its beginning says: whether it
// is whole, Import says, also of one whose end is missing.
func Archived(path string) bool {
	f, err := files.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return exported(f)
	}
	i := slices.IndexFunc(z.File, func(e *zip.File) bool { return e.Name == manifestName })
	if i < 0 {
		return false
	}
	r, err := z.File[i].Open()
	if err != nil {
		return false
	}
	defer r.Close()
	d := json.NewDecoder(io.LimitReader(r, 1<<10))
	for _, want := range []json.Token{json.Delim('{'), "format"} {
		if t, err := d.Token(); err != nil || t != want {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}

// Imported is what an import brought.
type Imported struct {
	Session          uint64 // the new one, or the one of the same origin that was there
	Rounds, Pictures int    // that were not there yet, and pictures whose files were not
	Fileless         int    // of these pictures, finished ones whose files were gone when the session was exported
	Fresh            bool   // the session was not here before
	Back             bool   // it was in the trash
}

// Import reads a session that Export wrote, under new IDs. What is there already, by origin, stays as it is, so importing twice
// adds nothing, but for the file of a picture that an earlier export was without; equal references are kept once. It is one change: all
// of it is there or nothing. A zip that Export would not have written is refused with an *Error of kind Hostile, one of a later Export as
// Newer, and one that has lost something as Torn.
func (s *Store) Import(path string) (Imported, error) {
	f, err := files.Open(path)
	if err != nil {
		return Imported{}, explain(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Imported{}, explain(path, err)
	}
	return s.ImportFrom(path, f, info.Size())
}

// ImportFrom is Import of bytes; name is for errors.
func (s *Store) ImportFrom(name string, r io.ReaderAt, size int64) (Imported, error) {
	return s.importFrom(name, r, size, false)
}

// ImportInside is ImportFrom, but for the files: pictures stay in the history until somebody saves them.
func (s *Store) ImportInside(name string, r io.ReaderAt, size int64) (Imported, error) {
	return s.importFrom(name, r, size, true)
}

func (s *Store) importFrom(name string, r io.ReaderAt, size int64, inside bool) (Imported, error) {
	bad := func(err error) error { return &Error{blame(err), name, err} }
	z, err := openArchive(r, size)
	if err != nil {
		return Imported{}, bad(err)
	}
	var out Imported
	err = s.update(func(c *change) error {
		i := importer{change: c, source: z, pictures: map[uint64]uint64{}, inside: inside}
		err := i.session(z.archive)
		out = i.out
		var known *Error
		if err != nil && !errors.As(explain(s.path, err), &known) {
			err = bad(err)
		}
		return err
	})
	if err != nil {
		return Imported{}, err
	}
	return out, nil
}

// Errors of archives that Export may have written.
var (
	errLater  = fmt.Errorf("this Realword reads %d", archiveFormat)
	errAbsent = errors.New("it is missing")
)

// blame is what kind of trouble an archive is that cannot be imported for a reason.
func blame(err error) Kind {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, errLater):
		return Newer
	case errors.Is(err, errAbsent), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, &corrupt):
		return Torn
	}
	return Hostile
}

// exported tells whether bytes begin as what Export writes, whose list is at its end: with an entry of a name that it gives.
func exported(r io.ReaderAt) bool {
	const fixed = 30 // of the header, before the name
	head := make([]byte, fixed+128)
	n, _ := r.ReadAt(head, 0)
	if n < fixed || !bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return false
	}
	name := string(head[fixed:min(n, fixed+int(binary.LittleEndian.Uint16(head[26:])))])
	sum, blob := strings.CutPrefix(name, "blobs/")
	return blob && len(sum) == 2*sha256.Size || name == "pictures/0.png" || name == "thumbnails/0.png" || name == manifestName
}

// zipped is an archive whose form has been checked: what it names is in it, and everything in it fits its size.
type zipped struct {
	archive
	entries map[string]*zip.File
	uids    map[string]bool
}

func openArchive(r io.ReaderAt, size int64) (*zipped, error) {
	reader, err := zip.NewReader(r, size)
	if err != nil && !exported(r) {
		return nil, fmt.Errorf("it is no zip: %v", err) //nolint:errorlint // it is not torn
	}
	if err != nil {
		return nil, err
	}
	z := &zipped{entries: map[string]*zip.File{}, uids: map[string]bool{}}
	var sum uint64
	for _, f := range reader.File {
		if z.entries[f.Name] != nil {
			return nil, fmt.Errorf("it has %q twice", f.Name)
		}
		z.entries[f.Name] = f
	}
	if z.entries[manifestName] == nil {
		return nil, fmt.Errorf("it has no %s", manifestName)
	}
	if err := z.manifest(); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	for _, f := range reader.File {
		stored := f.Method == zip.Store && f.CompressedSize64 == f.UncompressedSize64
		if !stored && f.Name != manifestName {
			return nil, fmt.Errorf("%q is compressed", f.Name)
		}
		if sum += f.CompressedSize64; f.CompressedSize64 > uint64(size) || sum > uint64(size) {
			return nil, errors.New("its entries overlap")
		}
	}
	return z, z.check()
}

// manifest reads the records one by one, and stops at the first that cannot be right: a small file may unpack to one of any size.
func (z *zipped) manifest() error {
	r, err := z.entries[manifestName].Open()
	if err != nil {
		return err
	}
	defer r.Close()
	in := &bounded{r: io.LimitReader(r, maxManifest+1)}
	d := json.NewDecoder(in)
	next := func(to any) error {
		in.left = maxRecord
		return d.Decode(to)
	}
	// list reads an array, or null, through one.
	list := func(most int, one func() error) error {
		t, err := d.Token()
		if t == nil || err != nil {
			return err
		}
		if t != json.Delim('[') {
			return errors.New("there is no list where one should be")
		}
		for n := 0; d.More(); n++ {
			if n == most {
				return fmt.Errorf("more than %d records", most)
			}
			if err := one(); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	}
	in.left = maxRecord
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("it is no record: %w", err)
	}
	seen := map[string]bool{}
	for d.More() {
		in.left = maxRecord
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if seen[name] {
			return fmt.Errorf("%q is there twice", name)
		}
		seen[name] = true
		switch name {
		case "format":
			if err = next(&z.Format); err == nil && z.Format > archiveFormat {
				err = fmt.Errorf("it has format %d, and %w", z.Format, errLater)
			}
		case "session":
			err = next(&z.Session)
		case "rounds":
			err = list(maxRounds, func() error {
				var r Round
				if err := next(&r); err != nil {
					return err
				}
				z.Rounds = append(z.Rounds, r)
				return z.unique(r.UID)
			})
		case "pictures":
			err = list(maxPictures, func() error {
				var p archivedPicture
				if err := next(&p); err != nil {
					return err
				}
				z.Pictures = append(z.Pictures, p)
				return z.unique(p.UID)
			})
		default:
			var skipped json.RawMessage
			err = next(&skipped)
		}
		if err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// bounded ends with an error where one record is too long.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errOutsideLimit
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// unique refuses a UID that is none, or that something in the archive has already.
func (z *zipped) unique(uid string) error {
	if b, err := hex.DecodeString(uid); err != nil || len(b) != 16 || z.uids[uid] {
		return fmt.Errorf("the UID %.40q is malformed or there twice", uid)
	}
	z.uids[uid] = true
	return nil
}

func (z *zipped) read(name string, limit int64) ([]byte, error) {
	f := z.entries[name]
	switch {
	case f == nil:
		return nil, fmt.Errorf("%q: %w", name, errAbsent)
	case f.UncompressedSize64 > uint64(limit):
		return nil, fmt.Errorf("%q: %w", name, errOutsideLimit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errOutsideLimit
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return data, nil
}

// blob reads a blob and compares it with its name.
func (z *zipped) blob(sha string) ([]byte, error) {
	data, err := z.read("blobs/"+sha, maxEntry)
	if err != nil {
		return nil, err
	}
	if files.Sum(data) != sha {
		return nil, fmt.Errorf("the blob %s has other bytes", sha)
	}
	return data, nil
}

// check looks at everything that the records say of each other.
func (z *zipped) check() error {
	if z.Format != archiveFormat {
		return fmt.Errorf("it has format %d, and this Realword reads %d", z.Format, archiveFormat)
	}
	if err := z.unique(z.Session.UID); err != nil {
		return err
	}
	rounds := map[uint64]bool{}
	for n, r := range z.Rounds {
		if n > 0 && r.ID <= z.Rounds[n-1].ID {
			return fmt.Errorf("job %d is not in order", r.ID)
		}
		rounds[r.ID] = true
		if !slices.Contains([]Status{Interrupted, Complete, Cancelled, Failed}, r.Status) {
			return fmt.Errorf("job %d has the status %q", r.ID, r.Status)
		}
		if len(r.Parents) > maxLinks || len(r.Words) > maxLinks {
			return fmt.Errorf("job %d has %d parents and %d words", r.ID, len(r.Parents), len(r.Words))
		}
	}
	pictures := map[uint64]uint64{} // -> round
	for _, p := range z.Pictures {
		if _, twice := pictures[p.ID]; twice || !rounds[p.Round] || p.Width < 0 || p.Height < 0 || p.Width > 1<<16 || p.Height > 1<<16 {
			return fmt.Errorf("picture %d is there twice, of no job, or of an impossible size", p.ID)
		}
		pictures[p.ID] = p.Round
		steps := map[int]bool{}
		for _, s := range p.KeptSteps {
			if steps[s.Index] || s.Index < 0 || s.Index >= maxSteps {
				return fmt.Errorf("step %d of picture %d", s.Index, p.ID)
			}
			steps[s.Index] = true
		}
	}
	for _, r := range z.Rounds { // so that no round descends from itself
		for _, p := range r.Parents {
			if pictures[p] >= r.ID {
				return fmt.Errorf("job %d continues a later one", r.ID)
			}
		}
	}
	return nil
}

// source is what the things that an archive names are read from.
type source interface {
	read(name string, limit int64) ([]byte, error)
	blob(sha string) ([]byte, error)
}

type importer struct {
	*change
	source
	pictures map[uint64]uint64 // ID in the archive -> ID here
	out      Imported
	lost     *int // of a rescue: counts what cannot be read, which is left out; nil: it is an error
	same     bool // of a rescue: everything keeps its number, and pictures their files
	merged   bool // of a rescue: the session was here already
	inside   bool // no files of pictures are written
	brought  map[Item]bool
}

// fresh notes that something was not here before.
func (i *importer) fresh(kind ItemKind, id uint64) {
	if i.brought != nil {
		i.brought[Item{kind, id}] = true
	}
}

// leave tells whether something that cannot be read may be left out.
func (i *importer) leave(err error) bool {
	if err != nil && i.lost != nil {
		*i.lost++
		return true
	}
	return false
}

// known returns the ID that a thing of this origin has here; 0: it is new.
func (c *change) known(kind ItemKind, uid string) uint64 { return known(c.Tx, kind, uid) }

func known(tx *bbolt.Tx, kind ItemKind, uid string) uint64 {
	id := in(tx, uidBucket).Get(append([]byte{byte(kind)}, uid...))
	if id == nil {
		return 0
	}
	return binary.BigEndian.Uint64(id)
}

// hereAlready are the rounds of an archive that this history has, by their IDs in it. Of a rescue, where records are lost, a round is
// here, too, if one of its pictures is.
func (i *importer) hereAlready(a archive) map[uint64]uint64 {
	rounds := map[uint64]uint64{}
	for _, r := range a.Rounds {
		rounds[r.ID] = i.known(RoundItem, r.UID)
	}
	if i.lost == nil {
		return rounds
	}
	for _, p := range a.Pictures {
		if here := i.known(PictureItem, p.UID); here != 0 && rounds[p.Round] == 0 {
			if old, err := getPicture(i.Tx, here); err == nil {
				rounds[p.Round] = old.Round
			}
		}
	}
	return rounds
}

// sessionOf is the session here that one of an archive is; 0: it is new. Of a rescue, which may know it by another UID, it is that of its
// rounds.
func (i *importer) sessionOf(a archive, rounds map[uint64]uint64) uint64 {
	if id := i.known(SessionItem, a.Session.UID); id != 0 || i.lost == nil {
		return id
	}
	for _, r := range a.Rounds {
		if old, err := getRound(i.Tx, rounds[r.ID]); err == nil {
			return old.Session
		}
	}
	return 0
}

// outOfTrash tells whether what is new in a session of a rescue gets one of its own: who threw the session away here has not seen it.
func (i *importer) outOfTrash(a archive, id uint64, rounds map[uint64]uint64) (bool, error) {
	fresh := slices.ContainsFunc(a.Rounds, func(r Round) bool { return rounds[r.ID] == 0 })
	if id == 0 || i.lost == nil || !a.Session.Trashed.IsZero() || !fresh {
		return false, nil
	}
	here, err := getSession(i.Tx, id)
	return !here.Trashed.IsZero(), err
}

func (i *importer) session(a archive) error {
	rounds, added := i.hereAlready(a), []Round{}
	id := i.sessionOf(a, rounds)
	alone, err := i.outOfTrash(a, id, rounds)
	if err != nil {
		return err
	}
	if alone {
		id, a.Session.UID = 0, "" // newSession gives it one
	}
	if i.merged = id != 0; id == 0 {
		references, err := i.references(a.Session.References)
		if err != nil {
			return err
		}
		session := Session{UID: a.Session.UID, Name: a.Session.Name, Created: a.Session.Created, Draft: a.Session.Draft, References: references}
		if i.same {
			session.ID = a.Session.ID
		}
		if session, err = i.newSession(session); err == nil {
			err = i.retainAll(references)
		}
		if err != nil {
			return err
		}
		id, i.out.Fresh = session.ID, true
	} else if i.lost == nil { // a rescue leaves the trash as it is
		here, err := getSession(i.Tx, id)
		if err != nil {
			return err
		}
		i.out.Back = !here.Trashed.IsZero()
		if err := i.markOne(time.Time{}, Item{SessionItem, id}); err != nil {
			return err
		}
	}
	i.out.Session = id
	complete := map[uint64]bool{}
	for _, r := range a.Rounds {
		complete[r.ID] = r.Status == Complete
		here := rounds[r.ID]
		if here == 0 {
			n := r
			n.Session, n.Parents, n.Job, n.Resume, n.Trashed = id, nil, 0, 0, time.Time{}
			if !i.same {
				n.ID = 0
			}
			if i.lost == nil { // what somebody has sent is no kin
				n.Kin = nil
			}
			var err error
			if n.References, err = i.references(n.References); err != nil {
				return err
			}
			if err := i.beginRound(&n); err != nil {
				return err
			}
			here = n.ID
			i.fresh(RoundItem, here)
			n.Parents = r.Parents
			added = append(added, n)
		} else if old, err := getRound(i.Tx, here); err != nil {
			return err
		} else if old.Session != id && i.lost == nil {
			return fmt.Errorf("job %d belongs to another session", r.ID)
		}
		rounds[r.ID] = here
	}
	i.out.Rounds = len(added)
	for _, p := range a.Pictures {
		if err := i.picture(p, rounds[p.Round], complete[p.Round]); err != nil {
			return err
		}
	}
	for _, r := range added { // now that their parents have IDs
		var parents []uint64
		for _, p := range r.Parents {
			parents = append(parents, i.pictures[p])
		}
		for _, uid := range r.Kin {
			parents = append(parents, i.known(PictureItem, uid))
		}
		r.Parents, r.Kin = nil, nil
		for _, here := range parents {
			if here == 0 || slices.Contains(r.Parents, here) {
				continue // it is not in this archive, or was deleted
			}
			r.Parents = append(r.Parents, here)
			if err := i.Bucket(childBucket).Put(key(here, r.ID), nil); err != nil {
				return err
			}
		}
		if err := put(i.Bucket(roundBucket), r.ID, r); err != nil {
			return err
		}
	}
	return nil
}

// references makes sure that the bytes of references are here, and returns those that are.
func (i *importer) references(list []Reference) (here []Reference, err error) {
	for _, r := range list {
		sum, err := r.sum()
		if i.leave(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if e, found := blobEntryOf(i.Tx, sum); !found || !i.s.whole(sum, e) {
			data, err := i.blob(r.SHA256)
			if !found && i.leave(err) {
				continue
			}
			if err == nil {
				_, err = i.putBlob(data)
			} else if found { // it stays as damaged as it is
				err = nil
			}
			if err != nil {
				return nil, err
			}
		}
		here = append(here, r)
	}
	return here, nil
}

// absent gives a finished picture that the archive has no file of one that is not there, called as nothing is that is written later.
// Exports of earlier versions say that it was finished by its round alone, where that is complete.
func (i *importer) absent(p *Picture, name string) error {
	dir, err := filepath.Abs(i.s.pictures)
	if err == nil {
		p.File, p.Absent = filepath.Join(dir, fmt.Sprintf("%s-%s.png", safeStem(name), p.UID)), true
		i.out.Fileless++
	}
	return err
}

// fill gives a picture that is here already its file, where that was gone when its session was exported before.
func (i *importer) fill(p archivedPicture, here uint64) error {
	kept := i.lost != nil && p.File != "" && !p.Absent
	if i.inside || !kept && p.Entry == "" {
		return nil
	}
	one, err := getPicture(i.Tx, here)
	if err != nil || !one.Absent {
		return err
	}
	one.Absent = false
	i.out.Pictures++
	if kept {
		one.File, one.SHA256, one.Bytes = p.File, p.SHA256, p.Bytes
		return i.putPicture(one)
	}
	return i.entry(one, p)
}

// entry gives a picture the file that the archive has of it.
func (i *importer) entry(one Picture, p archivedPicture) error {
	png, err := i.read(p.Entry, maxEntry)
	if err != nil {
		return err
	}
	if one.SHA256 = files.Sum(png); one.SHA256 != p.SHA256 || !strings.HasPrefix(string(png[:min(8, len(png))]), pngSignature) {
		return fmt.Errorf("%q is no PNG, or not the one that was exported", p.Entry)
	}
	if one.Inside = i.inside; one.Inside {
		one.SHA256 = ""
		one.Pixels, err = i.keep(png)
	} else {
		one.File, err = i.writePicture(safeStem(p.Name), png)
	}
	if err != nil {
		return err
	}
	one.Bytes = int64(len(png))
	return i.putPicture(one)
}

func (i *importer) picture(p archivedPicture, round uint64, complete bool) error {
	if here := i.known(PictureItem, p.UID); here != 0 {
		i.pictures[p.ID] = here
		return i.fill(p, here)
	}
	var thumb []byte
	if p.Thumb != "" {
		var err error
		if thumb, err = i.read(p.Thumb, maxThumbnail); err != nil && !i.leave(err) {
			return err
		}
	}
	fresh := Picture{UID: p.UID, Round: round, Seed: p.Seed, Width: p.Width, Height: p.Height, Starred: p.Starred, Pinned: p.Pinned}
	fresh.Cell, fresh.Recipe = p.Cell, p.Recipe
	fresh.Likeness = p.Likeness[:min(len(p.Likeness), mostLikeness)]
	if i.lost != nil {
		fresh.File, fresh.SHA256, fresh.Bytes, fresh.Absent = p.File, p.SHA256, p.Bytes, p.Absent
	}
	if i.lost == nil && !i.inside && p.Entry == "" && (p.Name != "" || complete) {
		if err := i.absent(&fresh, cmp.Or(p.Name, fmt.Sprint(p.Seed, ".png"))); err != nil {
			return err
		}
	}
	if i.same {
		fresh.ID = p.ID
	}
	one, err := i.newPicture(fresh, thumb)
	if err != nil {
		return err
	}
	i.pictures[p.ID] = one.ID
	i.fresh(PictureItem, one.ID)
	i.out.Pictures++
	if i.lost != nil && p.Pixels != "" {
		data, err := i.blob(p.Pixels)
		if err == nil {
			one.Bytes, one.Inside = p.Bytes, p.Inside
			one.Pixels, err = i.keep(data)
			err = errors.Join(err, i.putPicture(one))
		} else if i.leave(err) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	if p.Entry != "" {
		if err := i.entry(one, p); err != nil {
			return err
		}
	}
	for _, s := range p.KeptSteps {
		data, err := i.blob(s.Data)
		if err == nil {
			_, err = decodeStep(data)
		}
		if i.leave(err) {
			continue
		}
		if err != nil {
			return err
		}
		var state []byte
		if s.State != "" {
			if state, err = i.blob(s.State); err != nil && !i.leave(err) {
				return err
			}
		}
		if err := i.addStep(one.ID, s.Index, data, state); err != nil {
			return err
		}
	}
	return nil
}
