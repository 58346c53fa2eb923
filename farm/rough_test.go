package farm

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/lora"
	"realword/inference/message"
	"realword/inference/session"
	"realword/inference/wait"
)

// TestARequestWithTenThousandReferences: the client refuses it, and a computer that gets it all the same reads none of them.
func TestARequestWithTenThousandReferences(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.worker("one", &fakeEngine{step: time.Millisecond})
	r := request("dog", 3, 1)
	one := r.Subjects[0].References[0]
	r.Subjects[0].References = slices.Repeat([]inference.Reference{one}, 10_000)
	if _, err := b.queue.Start(t.Context(), r); err == nil || !strings.Contains(err.Error(), "10000 pictures, and at most 64") {
		t.Errorf("the client says %v", err)
	}
	result := b.forged("m1", "FORGED", r)
	if !strings.Contains(result.Problem, "10000 pictures") {
		t.Errorf("parked as %q", result.Problem)
	}
	same(t, request("cat", 3, 2), collect(t, b.start(request("cat", 3, 2)))) // the worker goes on
}

// forged is what becomes of a request of one picture that no client of this package would send.
func (b *bench) forged(model, job string, r inference.Request) (result Result) {
	b.t.Helper()
	data, err := inference.EncodeRequest(r)
	if err != nil {
		b.t.Fatal(err)
	}
	m := &nats.Msg{Subject: strings.Join([]string{jobSubject, model, job, "0"}, "."), Data: data, Header: nats.Header{}}
	m.Header.Set(jobHeader, job)
	m.Header.Set(pictureHeader, "0")
	if _, err := b.client.js.PublishMsg(b.t.Context(), m); err != nil {
		b.t.Fatal(err)
	}
	b.until("it is parked", func() bool {
		data, err := get(b.t.Context(), b.client.results, unit(job, 0))
		return err == nil && unmarshal(data, &result) == nil
	})
	return result
}

// TestARequestNamesNoPlace: nothing that a request says is taken for a file of the worker, though it is there and of the right kind.
func TestARequestNamesNoPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	engine := inference.New(nowhere{}, m)
	t.Cleanup(func() { engine.Close() })
	loras := t.TempDir()
	engine.UseLoRAs(lora.NewLibrary(filepath.Join(loras, "folder")))
	b.workOf("one", m, engine)
	place, err := filepath.Abs(filepath.Join("..", "assets", "samples", "dog.png"))
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(loras, "secret.safetensors")
	if err := os.WriteFile(secret, []byte("no matter"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := inference.Request{Prompt: "a dog", Seeds: []uint64{1}}
	for name, k := range map[string]struct {
		lie  func(*inference.Request)
		want string
	}{
		"a reference's name": {func(r *inference.Request) {
			r.Subjects = []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: place}}}}
		}, "no longer on the farm"},
		"a reference's sum": {func(r *inference.Request) {
			r.Subjects = []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "dog.png", SHA256: place}}}}
		}, "no longer on the farm"},
		"a picture to begin with": {func(r *inference.Request) {
			r.Init = &inference.Init{Name: place, SHA256: "../../" + place, Strength: 0.5}
		}, "no longer on the farm"},
		"a LoRA beside the folder": {func(r *inference.Request) { r.LoRAs = "<lora:../secret:1>" }, "there is no LoRA called"},
		"a LoRA anywhere":          {func(r *inference.Request) { r.LoRAs = "<lora:" + secret + ":1>" }, "there is no LoRA called"},
	} {
		r := plain
		k.lie(&r)
		result := b.forged(ModelID(m.Manifest()), "FORGED"+sumOf([]byte(name))[:8], r)
		if !strings.Contains(result.Problem, k.want) {
			t.Errorf("%s: %q", name, result.Problem)
		}
	}
}

// TestNoClockIsBelieved: nothing that crosses the wire has a moment in it, so that a clock that is an hour off changes nothing; ages are
// the server's.
func TestNoClockIsBelieved(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(at string, of reflect.Type)
	walk = func(at string, of reflect.Type) {
		if of == reflect.TypeFor[time.Time]() {
			t.Errorf("%s is a moment", at)
		}
		if seen[of] {
			return
		}
		seen[of] = true
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(at, of.Elem())
		case reflect.Struct:
			for f := range of.Fields() {
				walk(at+"."+f.Name, f.Type)
			}
		}
	}
	for _, v := range []any{
		WorkerInfo{},
		Result{},
		try{},
		Pairing{},
		inference.Request{},
		inference.State{},
		inference.StageStarted{},
		inference.DeviceChanged{},
		inference.Progress{},
		inference.StepDone{},
		inference.PictureReady{},
	} {
		walk(reflect.TypeOf(v).Name(), reflect.TypeOf(v))
	}
}

// TestStepsThatLie: of the steps of another computer nothing comes on that ends the program of who draws it.
func TestStepsThatLie(t *testing.T) {
	t.Parallel()
	for name, bend := range map[string]func(s *inference.StepDone){
		"a short preview": func(s *inference.StepDone) { s.Preview.Pix = s.Preview.Pix[:1] },
		"a large preview": func(s *inference.StepDone) { s.Preview = image.NewRGBA(image.Rect(0, 0, 1000, 1000)) },
		"a moved preview": func(s *inference.StepDone) { s.Preview.Rect = s.Preview.Rect.Add(image.Pt(-4, 0)) },
		"a wide stride":   func(s *inference.StepDone) { s.Preview.Stride = 4000 },
		"no preview":      func(s *inference.StepDone) { s.Preview = nil },
		"a large grid":    func(s *inference.StepDone) { s.GridWidth, s.GridHeight = 1000, 1000 },
		"a negative grid": func(s *inference.StepDone) { s.GridWidth, s.GridHeight = -2, -1 },
		"a short mask":    func(s *inference.StepDone) { s.Subjects[0].Mask = []float32{1} },
		"one of scores":   func(s *inference.StepDone) { s.Subjects[1].Scores = []float32{1, 2} },
		"more subjects":   func(s *inference.StepDone) { s.Subjects = append(s.Subjects, s.Subjects...) },
		"no subjects":     func(s *inference.StepDone) { s.Subjects = nil },
		"more steps":      func(s *inference.StepDone) { s.Steps = 1000 },
	} {
		b := newBench(t)
		b.worker("liar", &fakeEngine{bend: bend})
		r := request("dog", 3, 1)
		r.Subjects = append(r.Subjects, r.Subjects[0])
		steps := of[inference.StepDone](collect(t, b.start(r)))
		for _, s := range steps {
			if p := s.Preview; p != nil && (p.Rect != image.Rect(0, 0, 8, 8) || p.Stride != 32 || len(p.Pix) != 256) {
				t.Errorf("%s: a preview of %v with %d bytes in rows of %d", name, p.Rect, len(p.Pix), p.Stride)
			}
			if len(s.Subjects) != 2 || s.Steps != 3 || s.GridWidth*s.GridHeight > 2 || s.GridWidth < 0 {
				t.Errorf("%s: step %d of %d with %d subjects, %d × %d", name, s.Step, s.Steps, len(s.Subjects), s.GridWidth, s.GridHeight)
				continue
			}
			a, b := s.Subjects[0], s.Subjects[1]
			if n := s.GridWidth * s.GridHeight; len(a.Mask) != n || len(b.Mask) != n || len(a.Scores) != len(b.Scores) {
				t.Errorf("%s: masks of %d and %d for %d, scores of %d and %d", name, len(a.Mask), len(b.Mask), n, len(a.Scores), len(b.Scores))
			}
		}
		if len(steps) != 3 {
			t.Errorf("%s: %d steps came", name, len(steps))
		}
	}
}

// TestAComputerAHundredTimesSlower: it makes one picture, since nobody knows better, and then leaves the others theirs.
func TestAComputerAHundredTimesSlower(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var slow atomic.Int32
	b.worker("slow", &fakeEngine{step: 400 * time.Millisecond, started: func(inference.Request) { slow.Add(1) }})
	b.worker("fast", &fakeEngine{step: 4 * time.Millisecond})
	r := request("dog", 5, 100)
	began := time.Now()
	same(t, r, collect(t, b.start(r)))
	took := time.Since(began)
	t.Logf("100 pictures in %v: %d were begun by the slow one (alone: 200 s; the fast one alone: 2 s)", took.Round(time.Millisecond), slow.Load())
	if n := slow.Load(); n > 2+int32(took/(2*time.Second)) { // what the others leave for as long as it would take, it makes
		t.Errorf("the slow computer began %d pictures", n)
	}
}

// TestASlowComputerBesideAnotherModel: the fast one is at a long picture of another model, so the slow one makes what it leaves, after as
// long as that takes, and asks for it until then no more often than one can see.
func TestASlowComputerBesideAnotherModel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := func(step time.Duration, models ...string) map[string]*fakeEngine {
		list := map[string]*fakeEngine{}
		for _, m := range models {
			list[m] = &fakeEngine{step: step}
		}
		return list
	}
	second := b.client.queueOf("m2")
	one := func(prompt string) (maker string) {
		j, err := second.Start(t.Context(), request(prompt, 3, 1))
		if err != nil {
			t.Fatal(err)
		}
		collect(t, j)
		return j.(*Job).Makers()[0]
	}
	slow := b.roomy("slow", 16, engines(300*time.Millisecond, "m2"))
	one("so that it knows how long it takes")
	b.roomy("fast", 16, engines(20*time.Millisecond, "m1", "m2"))
	collect(t, b.start(request("dog", 3, 1)))
	long := b.start(request("long", 1500, 1))
	b.until("the fast one is at it", func() bool { i := b.info("fast"); return i.Doing != "" && i.Picture > 0 })
	sent := slow.nc.Stats().OutMsgs
	if maker := one("cat"); maker != "slow" {
		t.Errorf("%q made it", maker)
	}
	if n := slow.nc.Stats().OutMsgs - sent; n > 200 {
		t.Errorf("the slow computer sent %d messages for one picture", n)
	}
	long.Cancel()
	collect(t, long)
}

// TestAComputerThatLies says that it has a model and refuses every picture: others make them, and the farm says what is wrong with it.
// Where there is nobody else, the picture is parked with its reason, in words that another language can say.
func TestAComputerThatLies(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var refusals atomic.Int32
	liar := &fakeEngine{refuse: func(inference.Request) error {
		refusals.Add(1)
		return message.Errorf("the model %s is not here: import it again", "Fake")
	}}
	b.worker("liar", liar)
	_, err := last(collect(t, b.start(request("dog", 3, 1))))
	var said *message.Error
	if err == nil || !strings.Contains(err.Error(), "picture 1 could not be made on the farm: the model Fake is not here") || !errors.As(err, &said) {
		t.Fatalf("alone: %v", err)
	}
	inner, ok := said.Values[1].(*message.Error)
	if !ok || inner.Text != "the model %s is not here: import it again" || !reflect.DeepEqual(inner.Values, []any{"Fake"}) {
		t.Errorf("the reason came as %#v", said.Values[1])
	}
	b.worker("honest", &fakeEngine{step: 2 * time.Millisecond})
	b.until("both are there", func() bool { // a picture that comes before it parks again
		list, err := b.queue.conn.Workers(t.Context())
		return err == nil && len(list) == 2
	})
	before := refusals.Load()
	r := request("cat", 3, 10)
	same(t, r, collect(t, b.start(r)))
	if n := refusals.Load() - before; n > 10 {
		t.Errorf("it was asked %d times for 10 pictures", n)
	}
}

// TestEachRefusesAnother: of two computers that wait side by side each refuses one of two pictures, and makes the other one. What the one
// leaves and what the other leaves must not come back to them in the same order for ever.
func TestEachRefusesAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var both sync.WaitGroup // they have a picture each
	both.Add(2)
	for i, name := range []string{"one", "two"} {
		var asked atomic.Int32
		b.worker(name, &fakeEngine{step: time.Millisecond, refuse: func(inference.Request) error {
			if asked.Add(1) > 1 {
				return nil
			}
			both.Done()
			both.Wait()
			time.Sleep(time.Duration(i) * 60 * time.Millisecond) // one after the other: so they wait, and so the pictures come back
			return errors.New("not this one")
		}})
	}
	r := request("dog", 3, 2)
	j := b.start(r)
	if got := slices.Collect(eventsWithin(t, time.Minute, j)); !t.Failed() { // it takes 3 s, seldom 7
		same(t, r, got)
	}
}

// TestAnEngineThatHangs in the middle of a picture, as a driver does, loses it to another computer, which goes on from what was kept.
func TestAnEngineThatHangs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hung, release := make(chan bool, 1), make(chan bool)
	hangs := &fakeEngine{step: time.Millisecond, stepped: func(_ inference.Request, k int) {
		if k == 3 {
			hung <- true
			<-release
		}
	}}
	b.works(b.helper("hangs"), WorkerOptions{Name: "hangs", Models: []Model{{ID: "m1", Engine: hangs}}, Keep: time.Nanosecond, Silence: time.Second})
	t.Cleanup(func() { close(release) }) // before its worker is waited for
	r := request("dog", 6, 1)
	j := b.start(r)
	<-hung
	var first atomic.Int32
	first.Store(-1)
	b.worker("well", &fakeEngine{step: time.Millisecond, stepped: func(_ inference.Request, k int) { first.CompareAndSwap(-1, int32(k)) }})
	same(t, r, collect(t, j))
	if maker := j.(*Job).Makers()[0]; maker != "well" || first.Load() != 3 {
		t.Errorf("%q made it, from step %d on", maker, first.Load())
	}
}

// nowhere is a runtime of a model that nothing is computed of.
type nowhere struct{}

func (nowhere) Open(string, session.Options) (session.Session, error) {
	return nil, errors.New("a graph was opened")
}
func (nowhere) Describe() string { return "nowhere" }

// workOf begins a worker of a real engine.
func (b *bench) workOf(name string, m *bundle.Bundle, engine Engine) {
	b.works(b.helper(name), WorkerOptions{Name: name, Models: []Model{{ID: ModelID(m.Manifest()), Name: m.Manifest().Name, Engine: engine}}})
}

// TestAStateOfAnotherModel in a request: the engine that gets it says of which model it is, and nothing is computed.
func TestAStateOfAnotherModel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := toybox(t)
	engine := inference.New(nowhere{}, m)
	t.Cleanup(func() { engine.Close() })
	b.workOf("one", m, engine)
	dog, err := os.ReadFile(filepath.Join("..", "assets", "samples", "dog.png"))
	if err != nil {
		t.Fatal(err)
	}
	r := inference.Request{Prompt: "a dog"}
	r.Subjects = []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "dog.png", Data: dog}}}}
	if r, err = engine.Resolve(r); err != nil {
		t.Fatal(err)
	}
	shape := m.Manifest().Latent
	state := inference.State{
		Step: 1, Width: r.Width, Height: r.Height, Steps: r.Steps, Sampler: r.Sampler, Seed: r.Seeds[0],
		Latent: make([]float32, shape.Channels*r.Width*r.Height/shape.Factor/shape.Factor),
	}
	for name, k := range map[string]struct {
		lie  func(*inference.State)
		want string
	}{
		"another model": {func(s *inference.State) { s.Model = "SDXL" }, "belongs to the model SDXL, and this is " + m.Manifest().Name},
		"another size":  {func(s *inference.State) { s.Width *= 2 }, "the kept step belongs to"},
		"of nothing":    {func(s *inference.State) { s.Latent = nil }, "a latent of 0 values"},
		"its end":       {func(s *inference.State) { s.Step = 1 << 40 }, "the kept step is followed by"},
	} {
		s := state
		s.Model = m.Manifest().Name
		k.lie(&s)
		r.From = &s
		job, err := b.client.Queue(m.Manifest()).Start(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := last(collect(t, job)); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAKeptStateOfAnotherModel, which a computer that lies has put where a picture in work goes on: the picture begins anew.
func TestAKeptStateOfAnotherModel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := request("dog", 5, 2)
	j := b.start(r)
	state, err := inference.EncodeState(inference.State{Step: 3, Model: "SDXL", Width: 1024, Height: 1024, Steps: 5, Latent: []float32{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	liar := b.helper("liar")
	for n, data := range [][]byte{encodeKept([]string{"nothing"}, state), encodeKept(nil, state)} {
		if _, err := liar.states.Put(t.Context(), unit(j.(*Job).ID, n), data); err != nil {
			t.Fatal(err)
		}
	}
	b.worker("honest", &fakeEngine{step: time.Millisecond, refuse: func(r inference.Request) error {
		if r.From != nil && r.From.Model != "" {
			return errors.New("the kept step belongs to another model")
		}
		return nil
	}})
	same(t, r, collect(t, j))
}

func last(events []inference.Event) (inference.Event, error) {
	e := events[len(events)-1]
	if f, ok := e.(inference.Failed); ok {
		return e, f.Err
	}
	return e, nil
}

// TestStepsDoneTwice: a computer that is gone without a word costs what it made since its last kept step, and nothing else.
func TestStepsDoneTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var mu sync.Mutex
	made := map[string][]int{}
	engine := func(name string, step time.Duration) *fakeEngine {
		return &fakeEngine{step: step, stepped: func(_ inference.Request, k int) {
			mu.Lock()
			defer mu.Unlock()
			made[name] = append(made[name], k)
		}}
	}
	steps := func(name string) int { mu.Lock(); defer mu.Unlock(); return len(made[name]) }
	p, err := b.server.Pair("first", Helper)
	if err != nil {
		t.Fatal(err)
	}
	first := b.dial(p)
	const keep, step = 100 * time.Millisecond, 20 * time.Millisecond
	go func() {
		_ = first.Work(t.Context(), WorkerOptions{Name: "first", Device: "fake", Models: []Model{{ID: "m1", Name: "Fake", Engine: engine("first", step)}}, Keep: keep})
	}()
	r := request("dog", 60, 1)
	j := b.start(r)
	done := make(chan []inference.Event, 1)
	go func() { done <- collect(t, j) }()
	b.until("it is on its way", func() bool { return steps("first") > 25 })
	first.nc.Close() // pulled out
	at := steps("first")
	_, state, err := j.(*Job).kept(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	b.worker("second", engine("second", time.Millisecond))
	same(t, r, <-done)
	mu.Lock()
	defer mu.Unlock()
	began := made["second"][0]
	twice := at - began
	t.Logf("%d steps when it was pulled out, %d were kept, the next one began with step %d: %d done twice; between two kept states lie %d", at, state.Step, began, twice, int(keep/step))
	if began < state.Step || began == 0 {
		t.Errorf("the second computer began with step %d, and %d were kept", began, state.Step)
	}
	if limit := at - state.Step; twice > limit {
		t.Errorf("%d steps were done twice, at most %d are wanted", twice, limit)
	}
}

// TestTheStepOfTheLastMasksIsKept, however seldom others are.
func TestTheStepOfTheLastMasksIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.helper("first")
	go func() {
		_ = first.Work(t.Context(), WorkerOptions{
			Name: "first", Models: []Model{{ID: "m1", Name: "Fake", Engine: &fakeEngine{step: 20 * time.Millisecond}}}, Keep: time.Hour,
		})
	}()
	r := request("dog", 3000, 1)
	r.Stop = 7
	j := b.start(r)
	b.until("a step is kept", func() bool {
		_, state, err := j.(*Job).kept(t.Context(), 0)
		return err == nil && state.Step == 7
	})
	first.nc.Close()
	j.Cancel()
	collect(t, j)
}

// TestAnIdleComputerIsQuiet: who has made a picture and has nothing to do asks for nothing but the next one.
func TestAnIdleComputerIsQuiet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, err := b.server.Pair("one", Helper)
	if err != nil {
		t.Fatal(err)
	}
	c := b.dial(p)
	b.work(c, "one", &fakeEngine{step: time.Millisecond})
	collect(t, b.start(request("dog", 2, 1)))
	b.until("it has nothing to do", func() bool {
		s, err := b.client.Status(t.Context())
		return err == nil && s.Running == 0 && s.Workers[0].Made == 1 && s.Workers[0].Doing == ""
	})
	// Four times it says that it is there; in between it asks once at most, on a machine of any speed.
	beats, err := c.nc.SubscribeSync("$KV." + workerBucket + ".>")
	if err != nil {
		t.Fatal(err)
	}
	beat := func() {
		if _, err := beats.NextMsg(wait.Longest); err != nil {
			t.Fatal(err)
		}
	}
	for try := range 6 { // what it says once more after a picture may come late
		beat()
		before := c.nc.Stats().OutMsgs
		for range 4 {
			beat()
		}
		asked := int(c.nc.Stats().OutMsgs-before) - 4
		if t.Logf("it asks %d times", asked); asked <= 1 {
			return
		} else if try == 5 {
			t.Errorf("an idle computer goes on to ask: %d times in 4 s", asked)
		}
	}
}

func TestTheReasonOfAResult(t *testing.T) {
	r := Result{Problem: "true", Said: &message.Parts{Text: "false"}}
	if err := r.problem(); err.Error() != "true" {
		t.Errorf("a reason that says two things is %v", err)
	}
	if err := (Result{Problem: "it broke", Said: message.PartsOf(hopeless{fmt.Errorf("it broke")})}).problem(); err.Error() != "it broke" {
		t.Error(err)
	}
	if said := message.PartsOf(hopeless{message.Errorf("%s broke", "it")}); said == nil || said.Text != "%s broke" {
		t.Errorf("what gives up is said as %+v", said)
	}
}
