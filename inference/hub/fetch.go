package hub

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // git names its files by it
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"realword/inference/files"
	"realword/inference/message"
)

const (
	atOnce   = 3       // files, or repositories that a plan asks for
	partial  = ".part" // ends the name of a file that is not whole; bundle knows it
	lockName = ".lock"
	// spare is what a disk keeps free beside a download: the bundle that is made of it.
	spare = 256 << 20
)

// Progress is how far a download is.
type Progress struct {
	Done, All int64         // bytes, with those that were there before
	Fetched   int64         // bytes that came over the network
	Speed     float64       // bytes per second, over the last seconds; 0: not known
	Left      time.Duration // 0: not known
	What      string        // file at work
	Waiting   error         // why nothing moves; nil: something does
}

// state lies beside a partial file.
type state struct {
	Size   int64
	SHA256 string `json:",omitempty"`
	Git    string `json:",omitempty"`
	Done   int64  // bytes that have reached the disk
}

func errBusy(dir string) error {
	return message.Errorf("another Realword is working on %s: wait for it, or stop it", dir)
}

// Fetch brings the files of a plan into dir, which keeps it; progress may be nil and is called from one goroutine at a time. See the
// package for what holds when it ends early.
func (c *Client) Fetch(ctx context.Context, p Plan, dir string, progress func(Progress)) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return message.Errorf("the folder for downloads cannot be made: %w: choose another folder for models", err)
	}
	release, free, err := files.TryLock(filepath.Join(dir, lockName))
	if err != nil {
		return message.Errorf("the folder for downloads cannot be written to: %w: choose another folder for models", err)
	}
	if !free {
		return errBusy(dir)
	}
	defer release()
	if err := p.save(dir); err != nil {
		return c.diskError(dir, err)
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type job struct {
		Got
		File
	}
	var jobs []job
	m := newMeter(progress, p.Bytes(), c.quiet)
	defer m.end()
	for _, g := range p.Parts {
		for _, f := range g.Files {
			at := f.at(dir, g)
			if info, err := os.Stat(at); err == nil && files.IsFile(info.Mode()) && info.Size() == f.Size {
				m.set(at, f.Size, 0)
				continue
			}
			jobs = append(jobs, job{g, f})
		}
	}
	if missing := c.Missing(p, dir); missing > 0 {
		if err := files.Fits(dir, missing+spare); err != nil {
			return err
		}
	}
	// Large files first, so that the last minutes are not those of one connection.
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(b.Size, a.Size) })
	queue := make(chan job, len(jobs))
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	var working sync.WaitGroup
	for range min(atOnce, len(jobs)) {
		working.Go(func() {
			for j := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := c.file(ctx, j.Got, j.File, dir, m); err != nil {
					cancel(err) // the first one is the cause
				}
			}
		})
	}
	working.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	m.wait(nil)
	return nil
}

// Missing is how many bytes of a plan are neither in its folder, nor, as far as sizes tell, elsewhere on this machine where Fetch would
// take them from.
func (c *Client) Missing(p Plan, dir string) (missing int64) {
	for _, g := range p.Parts {
		for _, f := range g.Files {
			if here := f.here(dir, g); here < f.Size && len(c.places(g, f, dir)) == 0 {
				missing += f.Size - here
			}
		}
	}
	return missing
}

// newHash is the hash that the hub tells of a file, and what it must be; nil where it tells none.
func (f File) newHash() (hash.Hash, string) {
	switch {
	case f.SHA256 != "":
		return sha256.New(), f.SHA256
	case f.Git != "":
		h := sha1.New() //nolint:gosec // see above
		fmt.Fprintf(h, "blob %d\x00", f.Size)
		return h, f.Git
	}
	return nil, ""
}

// checksum takes the bytes of a file one after the other.
type checksum struct {
	hash.Hash
	want string
}

func (f File) checksum() checksum {
	h, want := f.newHash()
	if h == nil {
		h = sha256.New()
	}
	return checksum{h, want}
}

func (d checksum) wrong() (got string, bad bool) {
	got = hex.EncodeToString(d.Sum(nil))
	return got, d.want != "" && !strings.EqualFold(got, d.want)
}

// file brings one file to its place.
func (c *Client) file(ctx context.Context, g Got, f File, dir string, m *meter) error {
	at := f.at(dir, g)
	if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
		return message.Errorf("the folder for downloads cannot be made: %w: choose another folder for models", err)
	}
	if found, err := c.elsewhere(ctx, g, f, at, dir, m); err != nil || found {
		return err
	}
	part, err := os.OpenFile(at+partial, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return message.Errorf("%s cannot be written: %w: choose another folder for models", at, err)
	}
	w := &writing{c: c, f: f, part: part, note: at + partial + ".json", checksum: f.checksum(), m: m, at: at}
	err = w.whole(ctx, g)
	if w.broken {
		note := os.Remove(w.note)
		if errors.Is(note, fs.ErrNotExist) { // it was not written yet
			note = nil
		}
		err = errors.Join(err, part.Close(), os.Remove(at+partial), note)
		m.set(at, 0, 0)
		return err
	}
	if err == nil {
		err = part.Sync()
	} else {
		w.keep() // what is there stays for the next time
	}
	if closing := part.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = files.Rename(at+partial, at)
	}
	if err != nil {
		return c.diskError(dir, err)
	}
	_ = os.Remove(w.note) // nobody reads it without the partial file
	return nil
}

// writing is a file on its way.
type writing struct {
	checksum
	c      *Client
	f      File
	part   *os.File
	note   string // path of its state
	at     string // that it gets
	done   int64  // bytes written and hashed
	synced int64  // of them on the disk for sure
	m      *meter
	broken bool // what was fetched is of no use
}

// keep makes what was written last.
func (w *writing) keep() {
	if w.part.Sync() == nil && writeJSON(w.note, state{w.f.Size, w.f.SHA256, w.f.Git, w.done}) == nil {
		w.synced = w.done
	}
}

// resume finds out what an earlier attempt has left, and hashes it: it may not be what was fetched any more.
func (w *writing) resume(ctx context.Context) error {
	data, err := files.Read(w.note, 1<<16)
	var s state
	if err != nil || json.Unmarshal(data, &s) != nil || s.Size != w.f.Size || s.SHA256 != w.f.SHA256 || s.Git != w.f.Git || s.Done < 0 ||
		s.Done > s.Size {
		s.Done = 0
	}
	info, err := w.part.Stat()
	if err != nil {
		return err
	}
	if info.Size() < s.Done {
		s.Done = 0
	}
	if err := w.part.Truncate(s.Done); err != nil {
		return err
	}
	buffer := make([]byte, 1<<20)
	for w.done < s.Done {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := w.part.Read(buffer[:min(int64(len(buffer)), s.Done-w.done)])
		if err != nil {
			return err
		}
		_, _ = w.Write(buffer[:n]) // a hash takes everything
		w.done += int64(n)
		w.m.set(w.at, w.done, 0)
	}
	w.synced = w.done
	return nil
}

// whole fetches until the file is whole and right.
func (w *writing) whole(ctx context.Context, g Got) error {
	if err := w.resume(ctx); err != nil {
		return err
	}
	resumed := w.done > 0
	pause := func(why *Problem, wait time.Duration) error {
		w.m.wait(message.Errorf("%v. Trying again in %d s.", why.Text, int(wait.Round(time.Second).Seconds())))
		defer w.m.wait(nil)
		return w.c.pause(ctx, wait)
	}
	if err := w.c.again(ctx, patience, pause, func() (bool, error) {
		before := w.done
		err := w.stream(ctx, g)
		return w.done > before, err
	}); err != nil {
		return err
	}
	if got, bad := w.wrong(); bad {
		w.broken = true
		why := message.New("something in between, perhaps a proxy, changes the data")
		if resumed {
			why = message.New("a part from an earlier attempt may have been damaged")
		}
		return message.Errorf("%s arrived with other content than the hub lists (hash %.12s, wanted %.12s) and was deleted: try again; %v", w.f.Path,
			got, w.want, why)
	}
	return nil
}

// stream fetches from where the file ends, in one request.
func (w *writing) stream(ctx context.Context, g Got) error {
	if w.done == w.f.Size {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	header := http.Header{}
	if w.done > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", w.done))
	}
	answer, err := w.c.ask(ctx, w.c.resolve(g, w.f), g.Repository, g.Repository+"/"+w.f.Path, header)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if isPage(answer) && !slices.Contains([]string{".html", ".htm"}, path.Ext(w.f.Path)) {
		return &Problem{Text: errPortal, Err: errPortal}
	}
	if err := w.fits(answer); err != nil {
		return err
	}
	if answer.StatusCode == http.StatusOK && w.done > 0 { // it knows no ranges
		if err := w.restart(); err != nil {
			return err
		}
	}
	cut := message.New("nothing arrived for too long")
	watch := time.AfterFunc(w.c.stall, func() { cancel(cut) })
	defer watch.Stop()
	buffer := make([]byte, 32<<10) // what a killed program may fetch again beside a chunk
	for {
		n, err := answer.Body.Read(buffer)
		if w.done+int64(n) > w.f.Size {
			return w.lie(w.done + int64(n))
		}
		if n > 0 {
			watch.Reset(w.c.stall)
			if err := w.put(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case w.done == w.f.Size && (err != nil || answer.ContentLength >= 0):
			return nil
		case errors.Is(err, io.EOF):
			return &Problem{
				Text: message.Errorf("the connection was lost while downloading %s: try again; what was downloaded is kept", w.f.Path),
				Err:  io.ErrUnexpectedEOF, retry: true,
			}
		case err != nil && errors.Is(context.Cause(ctx), cut):
			return &Problem{Text: message.Errorf("the download of %s stalled: try again; what was downloaded is kept", w.f.Path), Err: cut, retry: true}
		case err != nil:
			return w.c.noAnswer(ctx, err)
		}
	}
}

// put writes and hashes what came.
func (w *writing) put(p []byte) error {
	n, err := w.c.write(w.part, p)
	_, _ = w.Write(p[:n])
	w.done += int64(n)
	w.m.set(w.at, w.done, int64(n))
	if err != nil {
		return err
	}
	if w.done-w.synced >= w.c.chunk {
		w.keep()
	}
	return nil
}

func (w *writing) restart() error {
	w.done, w.synced, w.checksum = 0, 0, w.f.checksum()
	w.m.set(w.at, 0, 0)
	if _, err := w.part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return w.part.Truncate(0)
}

// fits compares what an answer says of its size with what the hub has listed. An answer that does not fit may be of something in between,
// and says nothing against what came before it.
func (w *writing) fits(answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		if answer.ContentLength >= 0 && answer.ContentLength != w.f.Size {
			return w.other(answer.ContentLength)
		}
		return nil
	}
	var first, last int64
	var all string // or *: the server does not know, and the checksum says whether it is the same file (RFC 9110, 14.4)
	if _, err := fmt.Sscanf(answer.Header.Get("Content-Range"), "bytes %d-%d/%s", &first, &last, &all); err != nil || first != w.done {
		w.broken = true
		return message.Errorf("the download of %s cannot be resumed (Content-Range %q, wanted from %d) and was deleted: try again", w.f.Path,
			answer.Header.Get("Content-Range"), w.done)
	}
	if size, err := strconv.ParseInt(all, 10, 64); all != "*" && (err != nil || size != w.f.Size) {
		return w.other(size)
	}
	return nil
}

// other is the error of an answer of another size than the hub listed, of which nothing was taken.
func (w *writing) other(size int64) error {
	if w.done == 0 {
		return w.lie(size)
	}
	return message.Errorf("%s has %d bytes in this answer, but the hub lists %d: try again; what was downloaded is kept. If this repeats, a proxy changes it, or the publisher is just replacing it",
		w.f.Path, size, w.f.Size)
}

// lie is the error of a file whose size is not what the hub listed.
func (w *writing) lie(size int64) error {
	w.broken = true
	return message.Errorf("%s has %d bytes, but the hub lists %d: it was deleted. Try again; if this repeats, a proxy changes it, or the publisher is just replacing it", w.f.Path, size, w.f.Size)
}

// resolve is the address of a file.
func (c *Client) resolve(g Got, f File) string {
	var parts []string
	for part := range strings.SplitSeq(f.Path, "/") {
		parts = append(parts, url.PathEscape(part))
	}
	return c.Endpoint + "/" + g.Repository + "/resolve/" + url.PathEscape(g.Commit) + "/" + strings.Join(parts, "/")
}

// diskError words what the disk said.
func (c *Client) diskError(dir string, err error) error {
	if files.IsFull(err) {
		return message.Errorf("the disk of %s is full: free up space and resume, what was downloaded is kept; or cancel the download and choose another folder for models: %w", dir, err)
	}
	if errors.Is(err, syscall.EFBIG) { // more than 4 GiB on FAT32: it would end so again
		return message.Errorf("the disk of %s takes no files of this size: cancel the download and choose a folder for models on another disk: %w", dir, err)
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		return message.Errorf("%w: check that the disk of %s is connected and writable, then resume", err, dir)
	}
	return err
}

// places are the files that may be a file of a plan, by their size: in the cache of the hub's own tools and in other downloads beside
// this one.
func (c *Client) places(g Got, f File, dir string) (found []string) {
	if _, want := f.newHash(); want == "" {
		return nil // nobody could tell
	}
	var places []string
	if c.Cache != "" {
		repository := filepath.Join(c.Cache, "models--"+strings.ReplaceAll(g.Repository, "/", "--"))
		places = append(places, filepath.Join(repository, "blobs", cmp.Or(f.SHA256, f.Git)),
			filepath.Join(repository, "snapshots", g.Commit, filepath.FromSlash(f.Path)))
	}
	if f.SHA256 != "" {
		models := filepath.Dir(filepath.Clean(dir))
		beside, _ := os.ReadDir(models)
		for _, model := range beside {
			places = append(places, filepath.Join(models, model.Name(), g.Into, filepath.FromSlash(f.Path)))
		}
	}
	for _, place := range places {
		real, err := filepath.EvalSymlinks(place)
		if err != nil || real == f.at(dir, g) {
			continue
		}
		if info, err := os.Stat(real); err == nil && files.IsFile(info.Mode()) && info.Size() == f.Size {
			found = append(found, real)
		}
	}
	return found
}

// elsewhere links or copies a file from one of its places when it has the hash that is wanted.
func (c *Client) elsewhere(ctx context.Context, g Got, f File, at, dir string, m *meter) (bool, error) {
	for _, place := range c.places(g, f, dir) {
		if ok, err := c.take(ctx, f, place, at, m); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// take links or copies a file that must have the right hash.
func (c *Client) take(ctx context.Context, f File, from, at string, m *meter) (bool, error) {
	temporary := at + ".taken"
	_ = os.Remove(temporary)
	defer os.Remove(temporary) // once renamed it is not there
	linked := os.Link(from, temporary) == nil
	in, err := files.Open(from)
	if err != nil {
		return false, nil // it is fetched then
	}
	defer in.Close()
	d := f.checksum()
	into := io.Writer(d)
	var out *os.File
	if !linked {
		if out, err = os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
			return false, c.diskError(filepath.Dir(at), err)
		}
		defer out.Close()
		into = io.MultiWriter(d, out)
	}
	var done int64
	for {
		n, err := io.CopyN(into, in, 4<<20)
		done += n
		m.set(at, done, 0)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, c.diskError(filepath.Dir(at), err)
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
	}
	if _, bad := d.wrong(); bad || done != f.Size {
		m.set(at, 0, 0)
		return false, nil
	}
	if out != nil {
		if err := errors.Join(out.Sync(), out.Close()); err != nil {
			return false, c.diskError(filepath.Dir(at), err)
		}
	}
	_ = in.Close() // Windows renames no file that is open, by none of its names
	_ = os.Remove(at + partial)
	_ = os.Remove(at + partial + ".json")
	return true, files.Rename(temporary, at)
}

// meter adds up what the files have. Where nothing comes it says so.
type meter struct {
	mu      sync.Mutex
	quiet   time.Duration
	silence *time.Timer    // of so long
	tell    func(Progress) // nil: nobody listens, or it is over
	all     int64
	have    map[string]int64
	sum     int64
	fetched int64
	what    string
	waiting error
	told    time.Time
	marks   []mark // of the last seconds
}

type mark struct {
	at      time.Time
	fetched int64
}

// Which it is, the server or a disk that is slow to take it, nobody knows.
var errSilent = message.New("nothing has come for some seconds: waiting")

func newMeter(tell func(Progress), all int64, quiet time.Duration) *meter {
	m := &meter{tell: tell, all: all, have: map[string]int64{}, quiet: quiet}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silence = time.AfterFunc(quiet, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.waiting == nil {
			m.waiting = errSilent
			m.send(true)
		}
	})
	return m
}

// end has it say nothing more.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silence.Stop()
	m.tell = nil
}

// set says how many bytes of a file are there, and how many of them have just come over the network.
func (m *meter) set(file string, done, fetched int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum += done - m.have[file]
	m.have[file] = done
	m.fetched += fetched
	m.what = filepath.Base(file)
	m.silence.Reset(m.quiet)
	silent := errors.Is(m.waiting, errSilent)
	if fetched > 0 || silent {
		m.waiting = nil
	}
	m.send(silent)
}

// wait says why nothing comes; nil: something is to come again.
func (m *meter) wait(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silence.Reset(m.quiet)
	m.waiting = why
	m.send(true)
}

func (m *meter) send(always bool) {
	const (
		often  = 200 * time.Millisecond
		window = 10 * time.Second
	)
	now := time.Now()
	if m.tell == nil || !always && now.Sub(m.told) < often {
		return
	}
	m.told = now
	m.marks = append(m.marks, mark{now, m.fetched})
	for len(m.marks) > 2 && now.Sub(m.marks[0].at) > window {
		m.marks = m.marks[1:]
	}
	p := Progress{Done: m.sum, All: m.all, Fetched: m.fetched, What: m.what, Waiting: m.waiting}
	if first := m.marks[0]; now.Sub(first.at) > time.Second {
		p.Speed = float64(m.fetched-first.fetched) / now.Sub(first.at).Seconds()
	}
	if p.Speed > 0 {
		p.Left = time.Duration(float64(p.All-p.Done) / p.Speed * float64(time.Second))
	}
	m.tell(p)
}
