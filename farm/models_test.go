package farm

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"realword/assets"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/wait"
)

// toybox is the built-in model in a folder of its own.
func toybox(t *testing.T) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Extract(assets.Model(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plenty is a larder that takes any model.
func plenty(t *testing.T) Larder {
	return Larder{Dir: filepath.Join(t.TempDir(), "models"), Most: 1 << 40}
}

// offered is the offer of the only model that is sent.
func (b *bench) offered(c *Conn) (o Offer) {
	b.t.Helper()
	b.until("a model is offered", func() bool {
		list, err := c.Offers(b.t.Context())
		if err == nil && len(list) == 1 {
			o = list[0]
		}
		return err == nil && len(list) == 1
	})
	return o
}

func (b *bench) helper(name string) *Conn {
	b.t.Helper()
	p, err := b.server.Pair(name, Helper)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.dial(p)
}

func (b *bench) offer(c *Conn, m *bundle.Bundle) (stop func()) {
	b.t.Helper()
	stop, err := c.Offer(m)
	if err != nil {
		b.t.Fatal(err)
	}
	return stop
}

// isWhole tells that a model came as it was sent.
func isWhole(t *testing.T, dir string, want *bundle.Bundle) {
	t.Helper()
	got, err := bundle.Open(dir)
	if err == nil {
		err = got.CheckFiles(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if ModelID(got.Manifest()) != ModelID(want.Manifest()) {
		t.Error("it is another model")
	}
}

// isNone tells that no folder in a larder can be taken for a model.
func isNone(t *testing.T, l Larder) {
	t.Helper()
	all, err := os.ReadDir(l.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range all {
		if _, err := bundle.Look(filepath.Join(l.Dir, e.Name())); err == nil || !strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is taken for a model", e.Name())
		}
	}
	if list := l.Fetched(); len(list) > 0 {
		t.Errorf("there are models: %q", list)
	}
}

// TestAWorkerFetchesTheModelOfAJob: pictures wait for a model that no computer has; one that may gets it from the client and makes them.
func TestAWorkerFetchesTheModelOfAJob(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	b.offer(b.client, m)
	r := request("dog", 3, 2)
	job, err := b.client.Queue(m.Manifest()).Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	id := ModelID(m.Manifest())
	if s, err := b.client.Status(t.Context()); err != nil || s.Orphans[m.Manifest().Name] != 2 {
		t.Errorf("the farm does not say that pictures wait for the model: %+v, %v", s, err)
	}
	larder := plenty(t)
	var opened atomic.Int32
	var said sync.Map
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := b.helper("learner")
	go func() {
		_ = c.Work(ctx, WorkerOptions{Name: "learner", Supply: &Supply{Larder: larder, Say: func(s string) { said.Store(s, true) }, Open: func(_ context.Context, dir string) (Model, error) {
			opened.Add(1)
			got, err := bundle.Open(dir)
			if err != nil {
				return Model{}, err
			}
			return Model{ID: ModelID(got.Manifest()), Name: got.Manifest().Name, Engine: &fakeEngine{step: time.Millisecond}}, nil
		}}})
	}()
	same(t, r, collect(t, job))
	isWhole(t, filepath.Join(larder.Dir, id), m)
	if n := opened.Load(); n != 1 {
		t.Errorf("the model was opened %d times", n)
	}
	told := false
	said.Range(func(k, _ any) bool {
		told = told || strings.Contains(k.(string), files.Bytes(b.offered(c).Bytes)) && strings.Contains(k.(string), "licence")
		return true
	})
	if !told {
		t.Error("its owner is not told what is fetched, how much, and under which licence")
	}
	if list := larder.Fetched(); len(list) != 1 {
		t.Errorf("at the next start there are %q", list)
	}
}

// TestAFetchGoesOn: cut off at many places, by the computer that sends or by the one that gets, it goes on where it was.
func TestAFetchGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	stop := b.offer(b.client, m)
	larder := plenty(t)
	cuts := 0
	var last int64
	var received uint64
	for at := int64(0); ; {
		c := b.helper("getter")
		o := b.offered(c)
		before := c.nc.Stats().InBytes
		at = last + o.Bytes/6
		ctx, cancel := context.WithCancel(t.Context())
		dir, err := larder.Fetch(ctx, c, o, func(done, _ int64) {
			if last = max(last, done); done >= at {
				cancel()
			}
		})
		cancel()
		received += c.nc.Stats().InBytes - before
		c.Close()
		if err == nil {
			isWhole(t, dir, m)
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		isNone(t, larder)
		if cuts++; cuts == 2 { // meanwhile the sender is another one, from a server that was started again
			stop()
			listen := b.server.Address()
			b.server.Close()
			b.serve(listen)
			b.until("the client is back", b.client.Connected)
			b.offer(b.client, m)
		}
	}
	o := b.offered(b.helper("last"))
	if cuts < 4 || received > uint64(o.Bytes)*2 {
		t.Errorf("%d cuts, %s received of a model of %s", cuts, files.Bytes(int64(received)), files.Bytes(o.Bytes))
	}
	if again, err := larder.Fetch(t.Context(), b.helper("again"), o, nil); err != nil || again != filepath.Join(larder.Dir, o.ID) {
		t.Errorf("a model that is there: %q, %v", again, err)
	}
}

// TestTheSenderGoesAndComesBack while a worker fetches: it says why nothing moves, and goes on.
func TestTheSenderGoesAndComesBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	job, err := b.client.Queue(m.Manifest()).Start(t.Context(), request("dog", 2, 1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := b.helper("waiter")
	go func() {
		_ = c.Work(ctx, WorkerOptions{Name: "waiter", Supply: &Supply{Larder: plenty(t), Open: func(_ context.Context, dir string) (Model, error) {
			return Model{ID: filepath.Base(dir), Name: "Toybox", Engine: &fakeEngine{}}, nil
		}}})
	}()
	b.until("it says that nobody sends the model", func() bool {
		all, err := b.client.Workers(t.Context())
		return err == nil && len(all) == 1 && all[0].Fetches != nil && strings.Contains(all[0].Fetches.Reason().Error(), "realword farm with --model")
	})
	b.offer(b.client, m)
	collected := collect(t, job)
	if len(of[inference.Done](collected)) != 1 {
		t.Errorf("%v", collected[len(collected)-1])
	}
	b.until("it fetches nothing any more", func() bool {
		all, err := b.client.Workers(t.Context())
		return err == nil && len(all) == 1 && all[0].Fetches == nil && all[0].Models[ModelID(m.Manifest())] != ""
	})
}

// offering is a farm whose client offers a model, with a helper and the offer as it sees it.
func offering(t *testing.T) (b *bench, m *bundle.Bundle, c *Conn, o Offer) {
	t.Helper()
	b = newBench(t)
	m = toybox(t)
	b.offer(b.client, m)
	c = b.helper("getter")
	return b, m, c, b.offered(c)
}

// TestWrongBytes: a file that is another one than the model's, on either side, never becomes one of the model.
func TestWrongBytes(t *testing.T) {
	t.Parallel()
	_, m, c, o := offering(t)
	larder := plenty(t)
	large := largest(t, m.Dir())
	good, err := os.ReadFile(large)
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(path string, n int) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt([]byte{^good[n]}, int64(n))
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	spoil(large, len(good)/2)
	if _, err := larder.Fetch(t.Context(), c, o, nil); err == nil || !strings.Contains(err.Error(), "damaged: run realword model verify") {
		t.Errorf("wrong bytes: %v", err)
	}
	isNone(t, larder)
	if err := os.Truncate(large, int64(len(good)/3)); err != nil { // it was cut short
		t.Fatal(err)
	}
	if _, err := larder.Fetch(t.Context(), c, o, nil); err == nil {
		t.Error("a model with a file that is too short came")
	}
	isNone(t, larder)
	if err := os.WriteFile(large, good, 0o600); err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(m.Dir(), large)
	if err != nil {
		t.Fatal(err)
	}
	// Half of it is here, with a wrong byte, as after a crash of the machine; and a file that is none of the model.
	half := filepath.Join(larder.Dir, halfPrefix+o.ID)
	if err := os.WriteFile(filepath.Join(half, rel), good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	spoil(filepath.Join(half, rel), 7)
	if err := errors.Join(os.WriteFile(filepath.Join(half, "run.sh"), []byte("x"), 0o700), os.Symlink("/etc/passwd", filepath.Join(half, "a link"))); err != nil {
		t.Fatal(err)
	}
	dir, err := larder.Fetch(t.Context(), c, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, dir, m)
	for _, name := range []string{"run.sh", "a link"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is in the model", name)
		}
	}
}

// largest is the largest file of a folder.
func largest(t *testing.T, dir string) (path string) {
	t.Helper()
	var most int64
	err := filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && info.Size() > most {
			path, most = p, info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWhatIsNotAllowedIsNotFetched: by its size, by its licence, and by the room on the disk, with a sentence that says what to do.
func TestWhatIsNotAllowedIsNotFetched(t *testing.T) {
	t.Parallel()
	_, _, c, o := offering(t)
	for name, k := range map[string]struct {
		change func(*Larder)
		want   string
	}{
		"too large": {func(l *Larder) { l.Most = o.Bytes - 1 }, "--fetch allows"},
		"with what there is": {func(l *Larder) {
			l.Most = o.Bytes + 10
			if err := errors.Join(os.MkdirAll(filepath.Join(l.Dir, "another"), 0o700), os.WriteFile(filepath.Join(l.Dir, "another", "file"), make([]byte, 11), 0o600)); err != nil {
				t.Fatal(err)
			}
		}, "11 bytes of the"},
		"another licence": {func(l *Larder) { l.Licences = []string{"MIT", "none at all"} }, "--licence"},
	} {
		l := plenty(t)
		k.change(&l)
		if _, err := l.Fetch(t.Context(), c, o, nil); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(l.Dir, o.ID)); err == nil {
			t.Errorf("%s: the model came", name)
		}
	}
	l := plenty(t)
	l.Licences = []string{"MIT", strings.ToUpper(o.Licence)}
	if _, err := l.Fetch(t.Context(), c, o, nil); err != nil {
		t.Errorf("a licence that is allowed: %v", err)
	}
}

// TestHalvesGo: what came of a model that nobody fetches any more goes after a week, and before where another one needs the room.
func TestHalvesGo(t *testing.T) {
	t.Parallel()
	_, _, c, o := offering(t)
	l := plenty(t)
	half := func(id string, age time.Duration) string {
		dir := filepath.Join(l.Dir, halfPrefix+id)
		file, then := filepath.Join(dir, "unet.bin"), time.Now().Add(-age)
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(file, make([]byte, 90), 0o600), os.Chtimes(file, then, then), os.Chtimes(dir, then, then)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	there := func(dir string) bool {
		_, err := os.Stat(dir)
		return err == nil
	}
	old, young, busy := half("old", 8*24*time.Hour), half("young", time.Hour), half("busy", 8*24*time.Hour)
	release, free, err := files.Claim(l.Dir, "busy")
	if err != nil || !free {
		t.Fatal(free, err)
	}
	defer release()
	if _, err := l.Fetch(t.Context(), c, o, nil); err != nil {
		t.Fatal(err)
	}
	if there(old) || !there(young) || !there(busy) {
		t.Errorf("old %v, young %v, being fetched %v", there(old), there(young), there(busy))
	}
	if err := os.RemoveAll(filepath.Join(l.Dir, o.ID)); err != nil {
		t.Fatal(err)
	}
	l.Most = o.Bytes + files.FolderSize(busy) + 50
	if _, err := l.Fetch(t.Context(), c, o, nil); err != nil {
		t.Error(err)
	}
	if there(young) || !there(busy) {
		t.Errorf("where there is no room: young %v, being fetched %v", there(young), there(busy))
	}
}

// TestQuestionsForOtherFiles: who may fetch a model reads that one's files and nothing else, and a worker's key cannot offer one.
func TestQuestionsForOtherFiles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	c := b.helper("curious")
	if stop, err := c.Offer(m); err == nil {
		defer stop()
	}
	if list, err := b.client.Offers(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("a worker offers %+v, %v", list, err)
	}
	b.offer(b.client, m)
	o := b.offered(c)
	for _, q := range []any{
		pieceOf{File: "../../etc/passwd", N: 10},
		pieceOf{File: "/etc/passwd", N: 10},
		pieceOf{File: filepath.Join(m.Dir(), bundle.ManifestName), N: 10},
		pieceOf{File: bundle.ManifestName, N: 10},
		pieceOf{File: strings.Repeat("0", 64), N: 10},
		pieceOf{File: o.Parcel, At: -1, N: 10},
		pieceOf{File: o.Parcel, N: 1 << 40},
		pieceOf{File: o.Parcel, N: -1},
		pieceOf{File: o.Parcel, At: 1 << 60, N: 1},
		pieceOf{},
		"no question", nil,
	} {
		data, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.nc.Request(modelSubject+"."+o.Parcel, data, wait.Longest)
		if err != nil || answer.Header.Get(wrongHeader) == "" || len(answer.Data) > 0 {
			t.Errorf("%s is answered: %d bytes, %v", data, len(answer.Data), err)
		}
	}
}

// TestLyingOffers: nothing comes of an offer that says another thing than what is sent.
func TestLyingOffers(t *testing.T) {
	t.Parallel()
	b, _, c, o := offering(t)
	for name, change := range map[string]func(*Offer){
		"another model": func(o *Offer) { o.ID = strings.Repeat("a", 24) },
		"smaller":       func(o *Offer) { o.Bytes /= 2 },
		"a path":        func(o *Offer) { o.ID = "../../../../tmp/x" },
		"a cut parcel":  func(o *Offer) { o.Length-- },
	} {
		lie, l := o, plenty(t)
		change(&lie)
		if _, err := l.Fetch(t.Context(), c, lie, nil); err == nil {
			t.Errorf("%s: it came", name)
		}
		isNone(t, l)
	}
	// Offers that make no sense are not even seen.
	sub, err := b.client.nc.Subscribe(offersSubject, func(m *nats.Msg) {
		_ = m.Respond([]byte(`{"id":"../x","parcel":"y","bytes":1,"length":1}`))
		_ = m.Respond([]byte(`{`))
		_ = m.Respond(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	var list []Offer
	b.until("the good one is heard", func() bool { list, err = c.Offers(t.Context()); return err != nil || len(list) > 0 })
	if err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// fetchUntil is a process that fetches the only model that is offered.
func fetchUntil(ctx context.Context, line, dir string) error {
	p, err := ParsePairing(line)
	if err != nil {
		return err
	}
	a, err := p.Access()
	if err != nil {
		return err
	}
	c, err := Dial(ctx, a)
	if err != nil {
		return err
	}
	defer c.Close()
	for ctx.Err() == nil {
		list, err := c.Offers(ctx)
		if err == nil && len(list) == 1 {
			_, err = Larder{Dir: dir, Most: 1 << 40}.Fetch(ctx, c, list[0], func(int64, int64) { time.Sleep(10 * time.Millisecond) })
			return err
		}
	}
	return ctx.Err()
}

// TestAFetchThatIsKilled with signal 9 at any moment leaves no half model, and the next one ends it.
func TestAFetchThatIsKilled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	b.offer(b.client, m)
	p, err := b.server.Pair("mortal", Helper)
	if err != nil {
		t.Fatal(err)
	}
	larder := plenty(t)
	id := ModelID(m.Manifest())
	for kills := 0; ; kills++ {
		one := process(t, "fetch", p.String(), larder.Dir)
		done := make(chan error, 1)
		go func() { done <- one.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(time.Duration(rand.IntN(300)+50) * time.Millisecond):
			if kills < 12 {
				_ = one.Process.Kill()
				<-done
				if list := larder.Fetched(); len(list) == 0 {
					isNone(t, larder)
					continue
				}
			} else if err := <-done; err != nil { // in peace
				t.Fatal(err)
			}
		}
		isWhole(t, filepath.Join(larder.Dir, id), m)
		t.Logf("whole after %d kills", kills)
		return
	}
}

// The only picture that waits is in work when its computer goes: another one may fetch the model, and makes it.
func TestWhoFetchesTakesOver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	b.offer(b.client, m)
	id := ModelID(m.Manifest())
	began := make(chan bool, 9)
	first := b.helper("first")
	go func() {
		_ = first.Work(t.Context(), WorkerOptions{Name: "first", Models: []Model{{ID: id, Name: "toy", Engine: &fakeEngine{step: time.Hour, started: func(inference.Request) { began <- true }}}}})
	}()
	r := request("dog", 60, 1)
	job, err := b.client.Queue(m.Manifest()).Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	wait.For(t, "the picture's beginning", began)
	first.Close() // as by a power cut
	larder := plenty(t)
	c := b.helper("learner")
	go func() {
		_ = c.Work(t.Context(), WorkerOptions{Name: "learner", Supply: &Supply{Larder: larder, Open: func(_ context.Context, dir string) (Model, error) {
			got, err := bundle.Open(dir)
			if err != nil {
				return Model{}, err
			}
			return Model{ID: ModelID(got.Manifest()), Name: got.Manifest().Name, Engine: &fakeEngine{step: time.Millisecond}}, nil
		}}})
	}()
	if got := of[inference.PictureReady](collect(t, job)); len(got) != 1 {
		t.Errorf("%d pictures; fetched %v", len(got), larder.Fetched())
	}
}

// TestTheSameModelIsUsedInTheSameWay: of which two computers would make two pictures is not one model.
func TestTheSameModelIsUsedInTheSameWay(t *testing.T) {
	m := bundle.Manifest{Files: map[string]string{"unet.onnx": "1"}, Text: bundle.Text{TimeIDs: 6}}
	other := m
	if other.Text.HeightFirst = true; ModelID(m) == ModelID(other) {
		t.Error("the one is told the width first, the other the height")
	}
}

// TestWhatIsThereStaysUntilAFetchIsWhole: a folder that this version cannot read may be a model of a newer one.
func TestWhatIsThereStaysUntilAFetchIsWhole(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	b.offer(b.client, m)
	larder := plenty(t)
	c := b.helper("getter")
	o := b.offered(c)
	there := filepath.Join(larder.Dir, o.ID, "weights")
	if err := errors.Join(os.MkdirAll(filepath.Dir(there), 0o700), os.WriteFile(there, []byte("of a newer version"), 0o600)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := larder.Fetch(ctx, c, o, func(done, _ int64) {
		if done > o.Bytes/2 {
			cancel()
		}
	})
	if data, gone := os.ReadFile(there); !errors.Is(err, context.Canceled) || string(data) != "of a newer version" {
		t.Errorf("%v; what was there is %q, %v", err, data, gone)
	}
	dir, err := larder.Fetch(t.Context(), c, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, dir, m)
}
