package farm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/message"
)

// This file is how a computer gets a model that it lacks: one that has it offers it, and answers with pieces of its files, which are asked
// for by their SHA-256. Nothing of it is kept by the server.

const (
	offersSubject = "realword.models" // who offers models answers with Offer
	modelSubject  = "realword.model"  // .PARCEL: pieces of the files of a model
	wrongHeader   = "Realword-Wrong"  // of an answer: why there is no piece

	pieceBytes = 512 << 10 // below what any server passes on
	pieces     = 4         // on their way at once
	offersWait = 400 * time.Millisecond
	sendWait   = 15 * time.Second // for a piece, until the sender counts as away
	spareBytes = 256 << 20        // stay free on the disk
)

// Offer is a model that a computer sends to those that lack it.
type Offer struct {
	ID      string `json:"id"` // see ModelID
	Name    string `json:"name"`
	Licence string `json:"licence,omitempty"` // that the model states
	Bytes   int64  `json:"bytes"`             // of its files
	Parcel  string `json:"parcel"`            // SHA-256 of what bundle.Unpack reads
	Length  int64  `json:"length"`            // of that
}

// pieceOf is a question for a piece of a file.
type pieceOf struct {
	File string `json:"f"` // its SHA-256
	At   int64  `json:"at"`
	N    int64  `json:"n"`
}

// Offer sends the model to every computer that asks for it, until stop or the end of the connection.
func (c *Conn) Offer(b *bundle.Bundle) (stop func(), err error) {
	description, paths, err := b.Parcel()
	if err != nil {
		return nil, err
	}
	a, err := bundle.Unpack(description)
	if err != nil {
		return nil, err
	}
	m := b.Manifest()
	o := Offer{
		ID: ModelID(m), Name: m.Name, Licence: m.Licence, Bytes: a.Size, Parcel: files.Sum(description), Length: int64(len(description)),
	}
	card, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	told, err := c.nc.Subscribe(offersSubject, func(m *nats.Msg) { _ = m.Respond(card) })
	if err != nil {
		return nil, err
	}
	sent, err := c.nc.QueueSubscribe(modelSubject+"."+o.Parcel, "senders", func(m *nats.Msg) {
		answer := nats.NewMsg(m.Reply)
		var q pieceOf
		var err error
		if err = unmarshal(m.Data, &q); err == nil {
			answer.Data, err = q.read(paths, description, o.Parcel)
		}
		if err != nil {
			answer.Header.Set(wrongHeader, err.Error())
		}
		_ = m.RespondMsg(answer)
	})
	if err != nil {
		_ = told.Unsubscribe()
		return nil, err
	}
	return func() { _, _ = told.Unsubscribe(), sent.Unsubscribe() }, c.nc.Flush()
}

// read answers a question: nothing is read but files of the model.
func (q pieceOf) read(paths map[string]string, description []byte, parcel string) ([]byte, error) {
	if q.At < 0 || q.N < 1 || q.N > pieceBytes {
		return nil, errors.New("this is no piece of a file")
	}
	if q.File == parcel {
		if q.At >= int64(len(description)) {
			return nil, io.EOF
		}
		return description[q.At:min(q.At+q.N, int64(len(description)))], nil
	}
	path, ok := paths[q.File]
	if !ok {
		return nil, errors.New("the model has no such file")
	}
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, q.N)
	n, err := f.ReadAt(data, q.At)
	if n == 0 && err != nil {
		return nil, err
	}
	return data[:n], nil
}

// Offers are the models that computers of the farm send, by name; two that are the same in everything count once.
func (c *Conn) Offers(ctx context.Context) (list []Offer, err error) {
	inbox := c.nc.NewInbox()
	answers, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := c.nc.PublishRequest(offersSubject, inbox, nil); err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, offersWait)
	defer cancel()
	for len(list) < 1000 {
		m, err := answers.NextMsgWithContext(wait)
		if err != nil {
			break // nobody, or nobody else
		}
		var o Offer
		if json.Unmarshal(m.Data, &o) == nil && o.shaped() && o.Bytes > 0 && o.Length > 0 &&
			o.Length <= bundle.MaxParcel && !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b Offer) int { return strings.Compare(a.Name+a.Parcel, b.Name+b.Parcel) })
	return list, ctx.Err()
}

// shaped tells whether ID and parcel look as they must: they become names of files.
func (o Offer) shaped() bool { return modelID.MatchString(o.ID) && files.IsSum(o.Parcel) }

var modelID = regexp.MustCompile(`^[0-9a-f]{24}$`)

// Larder is the folder of the models that a computer has fetched, and what its owner allows there.
type Larder struct {
	Dir      string
	Most     int64    // bytes of all models in it
	Licences []string // of which a model must state one; empty: any, or none
}

// errAway is that nobody sends a model any more.
var errAway = message.New("the computer that is sending the model does not answer")

// errDamaged is that other bytes came than the model has.
var errDamaged = message.New("it came damaged: run realword model verify on the computer that sends it")

// Fetch brings the model of an offer into the larder, whole or not at all, and returns its folder. What is there of an earlier try is
// taken up. progress is told of bytes that are there, from one goroutine; it may be nil. One program fetches a model at a time, another
// one waits for it. Errors say what the owner can do.
func (l Larder) Fetch(ctx context.Context, c *Conn, o Offer, progress func(done, total int64)) (dir string, err error) {
	if !o.shaped() {
		return "", errDamaged
	}
	dir = filepath.Join(l.Dir, o.ID)
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return "", message.Errorf("the folder for models cannot be made: %w: choose another folder for models", err)
	}
	for {
		release, free, err := files.Claim(l.Dir, o.ID)
		if err != nil {
			return "", err
		}
		if free {
			defer release()
			break
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	if _, err := bundle.Look(dir); err == nil {
		return dir, nil
	}
	l.tidy(o.ID, keepHalves)
	err = l.allows(o)
	if errors.As(err, new(overLimit)) && l.tidy(o.ID, 0) {
		err = l.allows(o)
	}
	if err != nil {
		return "", err
	}
	description, err := c.piecesOf(ctx, o, o.Parcel, o.Length)
	if err != nil {
		return "", err
	}
	a, err := bundle.Unpack(description)
	if err != nil {
		return "", err
	}
	if ModelID(a.Manifest) != o.ID || a.Size != o.Bytes {
		return "", errDamaged
	}
	half := filepath.Join(l.Dir, halfPrefix+o.ID)
	f := &fetching{Conn: c, offer: o, total: a.Size, tell: progress}
	if err := l.clear(half, a); err != nil {
		return "", err
	}
	fits := func() error { return files.Fits(l.Dir, a.Size-files.FolderSize(half)+spareBytes) }
	if full := (*files.FullError)(nil); errors.As(fits(), &full) && (!l.tidy(o.ID, 0) || fits() != nil) {
		return "", noRoom(full)
	}
	for _, p := range a.Parts {
		if err := f.part(ctx, half, p); err != nil {
			if files.IsFull(err) {
				err = noRoom(&files.FullError{Dir: l.Dir, Need: a.Size - files.FolderSize(half)})
			}
			return "", err
		}
	}
	if err := os.RemoveAll(dir); err != nil { // what is there is no model of this version
		return "", err
	}
	return dir, a.Settle(half, dir)
}

// noRoom is a full disk as another computer can say it.
func noRoom(e *files.FullError) error {
	return message.Errorf("%s has %s free, less than the %s needed; free up space or choose a folder on another disk", e.Dir, files.Bytes(e.Free),
		files.Bytes(e.Need))
}

// halfPrefix begins the name of the folder of a model that is not whole.
const halfPrefix = ".fetching-"

// allows says why a model is not wanted here.
func (l Larder) allows(o Offer) error {
	if len(l.Licences) > 0 && !slices.ContainsFunc(l.Licences, func(s string) bool { return strings.EqualFold(s, o.Licence) }) {
		return message.Errorf("the model %s states the licence %q, which this computer does not take: name it in --licence to allow it", files.Shown(o.Name, 60),
			files.Shown(o.Licence, 60))
	}
	there := files.FolderSize(l.Dir) - files.FolderSize(filepath.Join(l.Dir, halfPrefix+o.ID))
	if there+o.Bytes > l.Most {
		return overLimit{message.Errorf("the model %s has %s, and %s of the %s that --fetch allows are used: allow more, or delete models in %s", files.Shown(o.Name, 60),
			files.Bytes(o.Bytes), files.Bytes(there), files.Bytes(l.Most), l.Dir)}
	}
	return nil
}

// overLimit is that a model is more than its owner allows here.
type overLimit struct{ error }

func (o overLimit) Unwrap() error { return o.error }

// keepHalves is how long what came of a model is kept for the next try.
const keepHalves = 7 * 24 * time.Hour

// tidy removes what came of models other than the one with this ID, which nobody fetches now nor has for so long, and tells whether there
// was any.
func (l Larder) tidy(but string, unused time.Duration) (any bool) {
	all, _ := os.ReadDir(l.Dir)
	for _, e := range all {
		id, half := strings.CutPrefix(e.Name(), halfPrefix)
		if !half || id == but {
			continue
		}
		release, free, err := files.Claim(l.Dir, id)
		if err != nil || !free {
			continue
		}
		if dir := filepath.Join(l.Dir, e.Name()); time.Since(lastWritten(dir)) >= unused {
			any = os.RemoveAll(dir) == nil || any
		}
		release()
	}
	return any
}

// lastWritten is when a file of a folder, or the folder, was written last.
func lastWritten(dir string) (last time.Time) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			if info, err := d.Info(); err == nil && info.ModTime().After(last) {
				last = info.ModTime()
			}
		}
		return nil
	})
	return last
}

// clear makes the folder of a model that is not whole, and removes from it what is none of the model.
func (l Larder) clear(half string, a bundle.Arrival) error {
	if err := os.MkdirAll(half, 0o700); err != nil {
		return message.Errorf("the folder for models cannot be made: %w: choose another folder for models", err)
	}
	mine := map[string]bool{}
	for _, p := range a.Parts {
		mine[filepath.FromSlash(p.Path)] = true
	}
	return filepath.WalkDir(half, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if rel, err := filepath.Rel(half, path); err != nil || !mine[rel] || !files.IsFile(d.Type()) {
			return os.Remove(path)
		}
		return nil
	})
}

// Fetched are the folders of the models in the larder.
func (l Larder) Fetched() (dirs []string) {
	all, _ := os.ReadDir(l.Dir) // that is not there has none
	for _, e := range all {
		if dir := filepath.Join(l.Dir, e.Name()); e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			if _, err := bundle.Look(dir); err == nil {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// fetching is a model on its way.
type fetching struct {
	*Conn
	offer       Offer
	done, total int64
	tell        func(done, total int64)
	told        int64
	when        time.Time
}

// come counts bytes that are there.
func (f *fetching) come(n int64) {
	f.done += n
	const often = 100 // times at least
	if f.tell != nil && (time.Since(f.when) > time.Second || f.done-f.told >= f.total/often || f.done == f.total) {
		f.told, f.when = f.done, time.Now()
		f.tell(f.done, f.total)
	}
}

// part brings one file into the folder. What is there of it is read, and what lacks is fetched; where it is another one than the model's,
// it is fetched anew, once.
func (f *fetching) part(ctx context.Context, dir string, p bundle.Part) error {
	path := filepath.Join(dir, filepath.FromSlash(p.Path))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	w := &whole{file: file, sum: sha256.New()}
	begun, err := w.readUp(ctx, p.Size, f.come)
	if err == nil {
		err = f.rest(ctx, w, p)
	}
	if errors.Is(err, errDamaged) {
		f.done -= w.n
		if err = w.empty(); err == nil && begun > 0 { // it was damaged here
			err = f.rest(ctx, w, p)
		} else {
			err = cmp.Or(err, errDamaged)
		}
		if errors.Is(err, errDamaged) {
			f.done -= w.n
			err = cmp.Or(w.empty(), err)
		}
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// rest fetches what a file lacks, and compares the whole.
func (f *fetching) rest(ctx context.Context, w *whole, p bundle.Part) error {
	err := f.each(ctx, f.offer, p.SHA256, w.n, p.Size, func(data []byte) error {
		err := w.write(data)
		if err == nil {
			f.come(int64(len(data)))
		}
		return err
	})
	if err == nil && hex.EncodeToString(w.sum.Sum(nil)) != p.SHA256 {
		return errDamaged
	}
	return err
}

// whole is a file with the SHA-256 of what is in it.
type whole struct {
	file *os.File
	sum  hash.Hash
	n    int64
}

func (w *whole) write(data []byte) error {
	if _, err := w.file.Write(data); err != nil {
		return err
	}
	w.sum.Write(data)
	w.n += int64(len(data))
	return nil
}

func (w *whole) empty() error {
	w.n = 0
	w.sum.Reset()
	if err := w.file.Truncate(0); err != nil {
		return err
	}
	_, err := w.file.Seek(0, io.SeekStart)
	return err
}

// readUp reads what is in the file, which has no more than size; come is told of it.
func (w *whole) readUp(ctx context.Context, size int64, come func(int64)) (int64, error) {
	info, err := w.file.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() > size {
		return 0, w.empty()
	}
	buffer := make([]byte, 1<<20)
	for ctx.Err() == nil {
		n, err := w.file.Read(buffer)
		w.sum.Write(buffer[:n])
		w.n += int64(n)
		come(int64(n))
		if errors.Is(err, io.EOF) {
			return w.n, nil
		}
		if err != nil {
			return w.n, err
		}
	}
	return w.n, ctx.Err()
}

// piecesOf fetches a small file into memory.
func (c *Conn) piecesOf(ctx context.Context, o Offer, sum string, size int64) (data []byte, err error) {
	err = c.each(ctx, o, sum, 0, size, func(piece []byte) error {
		data = append(data, piece...)
		return nil
	})
	if err == nil && files.Sum(data) != sum {
		return nil, errDamaged
	}
	return data, err
}

// each asks for the pieces of a file from one place on, some at once, and gives them to take in their order.
func (c *Conn) each(ctx context.Context, o Offer, sum string, from, size int64, take func([]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		data []byte
		err  error
	}
	order := make(chan chan answer, pieces-1)
	go func() {
		defer close(order)
		for at := from; at < size; at += pieceBytes {
			one := make(chan answer, 1)
			select {
			case order <- one:
			case <-ctx.Done():
				return
			}
			go func() {
				data, err := c.piece(ctx, o, pieceOf{sum, at, min(pieceBytes, size-at)})
				one <- answer{data, err}
			}()
		}
	}()
	for one := range order {
		a := <-one
		if a.err == nil {
			a.err = take(a.data)
		}
		if a.err != nil {
			return a.err
		}
	}
	return ctx.Err()
}

// piece asks for one piece, again while nobody answers, for a while.
func (c *Conn) piece(ctx context.Context, o Offer, q pieceOf) (data []byte, err error) {
	question, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, sendWait)
	defer cancel()
	err = againWithin(wait, patienceFor(pieces*pieceBytes), func(ctx context.Context) error {
		m, err := c.nc.RequestWithContext(ctx, modelSubject+"."+o.Parcel, question)
		if err != nil {
			return err
		}
		if m.Header.Get(wrongHeader) != "" || int64(len(m.Data)) != q.N {
			return errDamaged
		}
		data = m.Data
		return nil
	})
	if err != nil && wait.Err() != nil && ctx.Err() == nil {
		err = errAway
	}
	return data, err
}
