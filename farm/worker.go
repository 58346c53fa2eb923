package farm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/memory"
	"realword/inference/message"
)

// Engine makes the pictures of one model; inference.Engine is one.
type Engine interface {
	Start(context.Context, inference.Request) (inference.Job, error)
}

// Model is a model that a worker has.
type Model struct {
	ID     string // see ModelID
	Name   string
	Engine Engine
	Card   []byte // what a computer without the model must know of it to ask for pictures; see bundle.Card; nil: it is not told
}

// WorkerOptions say what a worker is.
type WorkerOptions struct {
	Name    string        // of the computer, for people
	Device  string        // what it computes on, for people
	Version string        // of the program
	Models  []Model       // at least one, unless it fetches some
	Keep    time.Duration // between two kept States of a picture; 0: 2 s
	Silence time.Duration // after which an engine that has stopped in the middle of a picture has lost it to others; 0: 5 min
	Supply  *Supply       // gets models for which pictures wait; nil: it makes those that it has
	// What it has of memory; may be slow. nil: it says nothing of it, and takes pictures whatever they need.
	Memory func(context.Context) Memory
	Force  bool // takes pictures that need more than there is
}

// WorkerInfo is what a worker says of itself.
type WorkerInfo struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Device  string            `json:"device"`
	Version string            `json:"version"`
	Models  map[string]string `json:"models"`            // names by ID
	Cards   map[string]string `json:"cards,omitempty"`   // SHA-256 of blobs with them, by ID
	Seconds float64           `json:"seconds,omitempty"` // of one pass lately; 0: not known yet
	Picture float64           `json:"picture,omitempty"` // seconds of a whole picture lately
	Made    int               `json:"made"`
	Doing   string            `json:"doing,omitempty"` // "JOB.PICTURE" in work
	With    string            `json:"with,omitempty"`  // ID of the model that it is of
	Step    int               `json:"step,omitempty"`  // of it, from 1
	Steps   int               `json:"steps,omitempty"`
	Prompt  string            `json:"prompt,omitempty"`  // the beginning of it
	Problem string            `json:"problem,omitempty"` // of the last picture
	Said    *message.Parts    `json:"said,omitempty"`    // the same, as package message has it; nil: it is no such error
	Plan    *memory.Plan      `json:"plan,omitempty"`    // what that one needs, where memory is the problem
	Full    bool              `json:"full,omitempty"`    // it has made a picture and waits for room on the farm
	Memory  Memory            `json:"memory,omitzero"`
	Fetches *Fetches          `json:"fetches,omitempty"` // a model that it gets; nil: none
}

// worker takes pictures of several models, one at a time.
type worker struct {
	*Conn
	options    WorkerOptions
	last       string    // the model of the last picture: it is open
	shown      time.Time // when the cards were put on the farm
	held       time.Time // since when pictures wait and this worker leaves them to others
	asked      time.Time // when it looked last whether what it has on the farm is there
	reconnects uint64    // that there had been when it was
	resting    map[string]rest

	mu        sync.Mutex
	info      WorkerInfo
	models    []Model                       // more may come; none changes
	consumers map[string]jetstream.Consumer // by model
	waken     func()                        // ends waiting for a picture, because there is one more model; nil: nobody waits
}

// Work takes pictures from the farm and makes them until the context ends; then what is in work is handed over from its last step. The
// farm being gone is no reason to return. Several devices are several calls.
func (c *Conn) Work(ctx context.Context, o WorkerOptions) error {
	w := &worker{Conn: c, options: o, consumers: map[string]jetstream.Consumer{}, shown: time.Now(), resting: map[string]rest{}}
	w.options.Keep, w.options.Silence = cmp.Or(o.Keep, 2*time.Second), cmp.Or(o.Silence, 5*time.Minute)
	w.info = WorkerInfo{
		ID: nuid.Next(), Name: o.Name, Device: o.Device, Version: o.Version, Models: map[string]string{}, Cards: map[string]string{},
	}
	for _, m := range o.Models {
		if err := w.add(ctx, m); err != nil {
			return err
		}
	}
	if len(o.Models) > 0 {
		w.last = o.Models[0].ID
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beat sync.WaitGroup
	if o.Memory != nil {
		w.look(ctx)
		beat.Go(func() { w.measure(beating) })
	}
	beat.Go(func() { w.beat(beating) })
	if o.Supply != nil {
		supplied, end := context.WithCancel(ctx)
		var supply sync.WaitGroup
		supply.Go(func() { w.supply(supplied) })
		defer func() {
			end()
			supply.Wait()
		}()
	}
	defer func() {
		stop()
		beat.Wait()
		if !c.Connected() { // what it said of itself goes by its age
			return
		}
		gone, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = c.workers.Purge(gone, w.info.ID)
		_ = c.nc.FlushWithContext(gone)
	}()
	w.reconnects = c.nc.Stats().Reconnects
	failed := false
	for ctx.Err() == nil {
		w.restore(ctx, failed)
		if time.Since(w.shown) > renewBlobs/2 || w.untold() {
			_ = w.showCards(ctx) // or the next time
		}
		m, model, err := w.next(ctx)
		if failed = err != nil; failed {
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
			continue
		}
		if m != nil {
			w.take(ctx, m, model)
		}
	}
	return nil
}

// consumerOf is the consumer of a model's pictures.
func consumerOf(id, name string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: consumerName + id, FilterSubject: jobSubject + "." + id + ".>", AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		MaxDeliver: -1, MaxAckPending: 10_000, Description: name,
	}
}

// add has the worker take pictures of one more model.
func (w *worker) add(ctx context.Context, m Model) error {
	var consumer jetstream.Consumer
	err := again(ctx, func(ctx context.Context) (err error) {
		consumer, err = w.jobs.CreateOrUpdateConsumer(ctx, consumerOf(m.ID, m.Name))
		return err
	})
	if err == nil {
		err = w.showCard(ctx, m)
	}
	if err != nil && !isFull(err) { // it can help without, and tells later
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.models = append(slices.Clip(w.models), m)
	w.consumers = maps.Clone(w.consumers)
	w.consumers[m.ID] = consumer
	w.info.Models = maps.Clone(w.info.Models)
	w.info.Models[m.ID] = m.Name
	if w.waken != nil {
		w.waken()
	}
	return nil
}

// restore brings back what the worker has on the farm where that was set up anew: it looks after the connection was lost, and now and then
// while no picture can be had.
func (w *worker) restore(ctx context.Context, failed bool) {
	reconnects := w.nc.Stats().Reconnects
	if reconnects == w.reconnects && !failed || time.Since(w.asked) < patience {
		return
	}
	models, _ := w.all()
	var err error
	for _, m := range models {
		few, cancel := context.WithTimeout(ctx, patience)
		if _, err = w.jobs.Consumer(few, consumerName+m.ID); errors.Is(err, jetstream.ErrConsumerNotFound) {
			_, err = w.jobs.CreateOrUpdateConsumer(few, consumerOf(m.ID, m.Name))
		}
		cancel()
		if err != nil {
			break
		}
	}
	if w.asked = time.Now(); err == nil && reconnects != w.reconnects {
		w.reconnects, w.shown = reconnects, time.Time{} // the cards may be gone, too
	}
}

// all are the models that the worker has, and their consumers.
func (w *worker) all() ([]Model, map[string]jetstream.Consumer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.models, w.consumers
}

// untold tells whether there was no room for a card.
func (w *worker) untold() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.models, func(m Model) bool { return m.Card != nil && w.info.Cards[m.ID] == "" })
}

// showCards puts the cards of the models on the farm again before they are too old there.
func (w *worker) showCards(ctx context.Context) error {
	models, _ := w.all()
	for _, m := range models {
		if err := w.showCard(ctx, m); err != nil {
			return err
		}
	}
	w.shown = time.Now()
	return nil
}

func (w *worker) showCard(ctx context.Context, m Model) error {
	if m.Card == nil {
		return nil
	}
	sum, err := w.putBlob(ctx, m.Card)
	if err == nil {
		w.change(func(i *WorkerInfo) {
			i.Cards = maps.Clone(i.Cards)
			i.Cards[m.ID] = sum
		})
	}
	return err
}

// change changes what is known of the worker; beat tells the farm.
func (w *worker) change(f func(*WorkerInfo)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.info)
}

// beatEvery is how often a worker says that it is there.
const beatEvery = time.Second

// beat says that the worker is there, and what it does.
func (w *worker) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		w.mu.Lock()
		data, err := json.Marshal(w.info)
		w.mu.Unlock()
		if err == nil {
			// not acknowledged: the next one follows
			_ = w.nc.Publish("$KV."+workerBucket+"."+w.info.ID, data)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// next waits a while for a picture of any model. A picture of the model that is open comes first.
func (w *worker) next(ctx context.Context) (jetstream.Msg, *Model, error) {
	models, _ := w.all()
	if len(models) == 0 { // it gets one, perhaps
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
		return nil, nil, nil
	}
	known := len(models)
	models, within := w.awake(models)
	if len(models) == 0 {
		select {
		case <-ctx.Done():
		case <-time.After(within):
		}
		return nil, nil, nil
	}
	slices.SortStableFunc(models, func(a, b Model) int {
		return len(strings.TrimPrefix(a.ID, w.last)) - len(strings.TrimPrefix(b.ID, w.last))
	})
	if !w.held.IsZero() {
		if models = w.worthwhile(ctx, models, 0); len(models) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
			return nil, nil, nil
		}
	}
	m, model, err := w.fetch(ctx, models, known, within)
	if m != nil && w.held.IsZero() && len(w.worthwhile(ctx, []Model{*model}, 1)) == 0 { // only now, so that who has nothing to do is quiet
		_ = m.Nak()
		return nil, nil, nil
	}
	if m != nil {
		w.held = time.Time{}
	}
	return m, model, err
}

// idle is how long a worker that has nothing to do waits for one answer.
const idle = 20 * time.Second

// fetch waits a while for a picture of any of the models. known is how many the worker had when they were chosen.
func (w *worker) fetch(ctx context.Context, models []Model, known int, within time.Duration) (jetstream.Msg, *Model, error) {
	_, consumers := w.all()
	if len(models) > 1 {
		for i := range models {
			if m, err := one(consumers[models[i].ID].FetchNoWait(1)); m != nil || err != nil {
				return m, &models[i], err
			}
		}
	}
	wait, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	w.mu.Lock()
	w.waken = cancel
	more := len(w.models) > known
	w.mu.Unlock()
	if more { // since they were counted
		return nil, nil, nil
	}
	type got struct {
		m     jetstream.Msg
		model *Model
		err   error
	}
	results := make(chan got, len(models))
	for i := range models {
		go func() {
			m, err := one(consumers[models[i].ID].Fetch(1, jetstream.FetchContext(wait)))
			if m != nil {
				cancel()
			}
			results <- got{m, &models[i], err}
		}()
	}
	var first got
	for range models {
		switch g := <-results; {
		case g.m != nil && first.m != nil:
			_ = g.m.Nak() // two at once: somebody else, or the next time
		case g.m != nil, first.err == nil && first.m == nil:
			first = g
		}
	}
	if first.m != nil || ctx.Err() != nil || errors.Is(first.err, context.DeadlineExceeded) || errors.Is(first.err, context.Canceled) {
		first.err = nil
	}
	return first.m, first.model, first.err
}

// one is the message of a batch of one.
func one(batch jetstream.MessageBatch, err error) (jetstream.Msg, error) {
	if err != nil {
		return nil, err
	}
	var m jetstream.Msg
	for m = range batch.Messages() {
	}
	return m, batch.Error()
}

// slow is how many times the seconds of the others a worker may take before it holds back.
const slow = 3

// worthwhile are those of the models of which the worker should take a picture; it holds so many of them already. One that is much slower
// than the others leaves them what they will have made before it would be ready.
func (w *worker) worthwhile(ctx context.Context, models []Model, holds int) (list []Model) {
	w.mu.Lock()
	mine := w.info.Picture
	w.mu.Unlock()
	if mine == 0 {
		return models
	}
	all, err := w.Workers(ctx)
	if err != nil {
		return models
	}
	waiting := 0
	_, consumers := w.all()
	for _, m := range models {
		fastest, rate, busy := 0., 0., 0
		for _, o := range all {
			if o.ID == w.info.ID {
				continue
			}
			if o.Doing != "" && o.With == m.ID {
				busy++
			}
			if _, same := o.Models[m.ID]; same && o.Picture > 0 {
				if fastest == 0 || o.Picture < fastest {
					fastest = o.Picture
				}
				rate += 1 / o.Picture
			}
		}
		if fastest == 0 || mine < slow*fastest {
			list = append(list, m)
			continue
		}
		info, err := consumers[m.ID].Info(ctx)
		if err != nil {
			return models
		}
		wait := int(info.NumPending) + max(info.NumAckPending-busy, 0) // given back, and what this one holds, are not pending to the server
		if waiting += wait; float64(wait)/rate > mine {
			list = append(list, m)
		}
	}
	if waiting = max(waiting, holds); waiting == 0 {
		w.held = time.Time{}
	} else if w.held.IsZero() {
		w.held = time.Now()
	}
	// What the others leave for so long, for whatever reason, this one would have made.
	if !w.held.IsZero() && time.Since(w.held).Seconds() > mine {
		return models
	}
	return list
}

// task is a picture in work.
type task struct {
	*worker
	msg     jetstream.Msg
	model   *Model
	job     string
	picture int
	tries   int      // this one included
	refused []string // IDs of workers that do not take it
	failed  []string // IDs of workers that failed at it, from the step that it goes on from
	avoid   string   // ID of a worker whose picture came back wrong; "": none did
	request inference.Request
	from    *inference.State // where it goes on; nil: at its beginning
	resumed bool             // from was kept by a computer that had the picture
	began   time.Time

	blobs  []string        // events that are on the farm, also of who began
	events [][]byte        // those that are not yet
	state  inference.State // the newest
	kept   time.Time       // when one was
	passes int             // made
	last   int             // passes that a Progress told
	pulse  pulse
}

// pulse tells whether an engine still gets on with a picture, once it has made a step: before, it may have to open and compile.
type pulse struct {
	mu      sync.Mutex
	heard   time.Time // the last event; zero: no step was made
	longest time.Duration
}

// hear is told that an event came.
func (p *pulse) hear(step bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.heard.IsZero():
		p.longest = max(p.longest, time.Since(p.heard))
	case !step:
		return
	}
	p.heard = time.Now()
}

// silent tells whether nothing has come for so long, and for many times as long as it took until now: what slow computers do between two
// steps, or to decode a picture, is work.
func (p *pulse) silent(limit time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.heard.IsZero() && time.Since(p.heard) > max(limit, 20*p.longest)
}

func (t *task) key() string { return unit(t.job, t.picture) }

// take makes a picture, and answers for its message.
func (w *worker) take(ctx context.Context, m jetstream.Msg, model *Model) {
	h := m.Headers()
	n, err := strconv.Atoi(h.Get(pictureHeader))
	t := &task{worker: w, msg: m, model: model, job: h.Get(jobHeader), picture: n, avoid: h.Get(avoidHeader), began: time.Now()}
	if err != nil || n < 0 || !strings.HasSuffix(m.Subject(), "."+t.key()) {
		_ = m.TermWithReason("its headers do not fit its subject")
		return
	}
	working, stop := context.WithCancelCause(ctx)
	var beat sync.WaitGroup
	beat.Go(func() { t.beat(working, stop) })
	defer func() {
		stop(nil)
		beat.Wait()
		w.change(func(i *WorkerInfo) { i.Doing, i.With, i.Prompt, i.Step, i.Steps = "", "", "", 0, 0 })
	}()
	w.last = model.ID
	t.work(working)
}

// beat keeps the message while it is worked on and gets on, and ends the work where the message is not in the queue any more: whoever took
// it off has told so, but what is told while this computer begins, or while the line is cut, is not heard.
func (t *task) beat(ctx context.Context, end context.CancelCauseFunc) {
	tick := time.NewTicker(ackWait / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !t.pulse.silent(t.options.Silence) {
				_ = t.msg.InProgress()
			}
			if t.taken(ctx) {
				end(errDone)
				return
			}
		}
	}
}

// taken tells whether the message is not in the queue any more.
func (t *task) taken(ctx context.Context) bool {
	about, err := t.msg.Metadata()
	if err != nil {
		return false
	}
	try, cancel := context.WithTimeout(ctx, ackWait/4)
	defer cancel()
	_, err = t.jobs.GetMsg(try, about.Sequence.Stream)
	return errors.Is(err, jetstream.ErrMsgNotFound)
}

// errDone is that the picture was there, or that nobody wants it any more.
var errDone = errors.New("done")

func (t *task) work(ctx context.Context) {
	err := t.prepare(ctx)
	if err == nil {
		err = t.make(ctx)
	}
	if errors.Is(context.Cause(ctx), errDone) {
		err = errDone
	}
	var trouble error
	if !errors.Is(err, errDone) && !errors.Is(err, errOtherTakes) && ctx.Err() == nil {
		trouble = err
	}
	t.says(trouble)
	ending, cancel := t.ending(ctx, toEnd)
	defer cancel()
	switch {
	case err == nil:
		delete(t.resting, t.model.ID)
		t.acknowledge(ending)
	case errors.Is(err, errDone):
		t.acknowledge(ending)
	case ctx.Err() != nil: // this worker leaves: hand over
		t.keep(ending, true)
		_ = t.msg.Nak()
	case errors.Is(err, errOtherTakes):
		_ = t.msg.NakWithDelay(leftFor())
	case errors.As(err, new(crowded)):
		t.rests(t.model.ID)
		t.tries-- // it was not begun
		t.tried(ending, err.Error())
		_ = t.msg.NakWithDelay(restFirst)
	case errors.As(err, new(refused)):
		if lacksMemory(err) {
			t.rests(t.model.ID) // the next one of the job needs as much
		}
		t.refused = append(slices.Clone(t.refused), t.info.ID)
		if len(t.refused) >= maxRefusals || t.alone(ending, t.refused) {
			t.park(ctx, err)
			return
		}
		t.tries-- // it was not begun
		t.tried(ending, err.Error())
		_ = t.msg.NakWithDelay(200 * time.Millisecond)
	case t.tries >= maxTries || errors.As(err, new(hopeless)):
		t.park(ctx, err)
	default:
		t.rests(t.model.ID) // its card may be lost: it would be the first at every picture, and spoil them all
		t.failed = append(slices.Clone(t.failed), t.info.ID)
		t.tried(ending, err.Error())
		_ = t.msg.NakWithDelay(t.resting[t.model.ID].last + time.Second) // after others, should nobody else be there to make them first
	}
}

// hopeless is an error that another try will have, too.
type hopeless struct{ error }

func (h hopeless) Unwrap() error { return h.error }

// refused is an error of a computer that does not take a picture at all: another one may.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

// errOtherTakes is that this computer leaves the picture to another one that may take it.
var errOtherTakes = errors.New("another computer takes it")

// leftFor is how long a picture stays away that a computer leaves to another one: from a fifth of a second to two. The server gives what
// comes back to who has waited longest, so after equal times the same pictures would come back to the same computers in the same order, for
// ever.
func leftFor() time.Duration { return time.Second/5 + rand.N(9*time.Second/5) }

// alone tells whether every computer that is there with the model has refused the picture. It looks twice: who says at that very moment
// that it is there may be missing in a list.
func (t *task) alone(ctx context.Context, refused []string) bool {
	for look := range 2 {
		if look > 0 {
			select {
			case <-ctx.Done():
				return false
			case <-time.After(beatEvery * 3 / 2):
			}
		}
		all, err := t.Workers(ctx)
		if err != nil {
			return false
		}
		another := slices.ContainsFunc(all, func(w WorkerInfo) bool {
			_, has := w.Models[t.model.ID]
			return has && !slices.Contains(refused, w.ID)
		})
		if another {
			return false
		}
	}
	return true
}

// before is what the farm knows of earlier tries; the zero one where there were none.
func (t *task) before(ctx context.Context) (before try, err error) {
	data, err := get(ctx, t.Conn.tries, t.key())
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return before, nil
	}
	if err == nil {
		err = unmarshal(data, &before)
	}
	return before, err
}

// prepare finds out whether the picture is still wanted, counts the try, and reads what the request needs.
func (t *task) prepare(ctx context.Context) (err error) {
	switch _, err := get(ctx, t.results, t.key()); {
	case err == nil:
		return errDone
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return err
	}
	if err := t.resume(ctx); err != nil {
		return err
	}
	before, err := t.before(ctx)
	t.tries, t.refused = 1, before.Refused
	if slices.Contains(before.Refused, t.info.ID) {
		if !t.alone(ctx, before.Refused) {
			return errOtherTakes
		}
		return hopeless{errors.New(before.Why)}
	}
	if err == nil && before.Step == stepOf(t.from) {
		t.tries, t.failed = before.N+1, before.Failed
	}
	// Where it was this computer that failed at it, or answered wrong, the next try is somebody else's. All that leave it to others are
	// looked at together: two that knew of different ones would leave it to each other for ever.
	leave := append(slices.Clone(t.failed), t.avoid)
	if slices.Contains(leave, t.info.ID) && !t.alone(ctx, append(leave, t.refused...)) {
		return errOtherTakes
	}
	if t.tries > maxTries { // it ended the process each time
		return hopeless{message.Errorf("%d computers began and did not finish it, %q last: %s", before.N, before.Worker,
			cmp.Or(before.Why, "they were gone without a word"))}
	}
	t.tried(ctx, "")
	if t.request, err = inference.DecodeRequest(t.msg.Data()); err != nil {
		return refused{err} // of another version than this program's: of another computer's, perhaps
	}
	if err := t.fits(); err != nil {
		return err
	}
	return t.complete(ctx)
}

// resume reads the State that somebody kept.
func (t *task) resume(ctx context.Context) error {
	data, err := get(ctx, t.states, t.key())
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	blobs, s, err := decodeKept(data)
	if err == nil { // otherwise it is of another version: from the beginning
		t.from, t.blobs = &s, blobs
	}
	return nil
}

// complete reads the files of the request.
func (t *task) complete(ctx context.Context) error {
	list := t.request.Files()
	if len(list) > maxFiles {
		return hopeless{message.Errorf("the job has %d pictures, and at most %d are taken", len(list), maxFiles)}
	}
	if len(t.request.Seeds) != 1 {
		return hopeless{message.New("the job is not one picture")}
	}
	left := int64(maxFileBytes)
	for _, f := range list {
		data, err := t.blob(ctx, *f.SHA256, left)
		if err != nil {
			return hopelessUnlessAbsent(err)
		}
		*f.Data, left = data, left-int64(len(data))
	}
	if t.from == nil {
		return t.given(ctx)
	}
	t.request.From, t.resumed = t.from, true
	return nil
}

// given reads the State that the request itself goes on from, if it does.
func (t *task) given(ctx context.Context) error {
	if sum := t.msg.Headers().Get(fromHeader); sum != "" {
		data, err := t.blob(ctx, sum, maxFileBytes)
		if err != nil {
			return hopelessUnlessAbsent(err)
		}
		s, err := inference.DecodeState(data)
		if err != nil {
			return hopeless{err}
		}
		t.from = &s
	}
	t.request.From = t.from
	return nil
}

func hopelessUnlessAbsent(err error) error {
	if absent(err) || errors.Is(err, context.Canceled) {
		return err
	}
	return hopeless{err}
}

// make runs the job, and puts its result.
func (t *task) make(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sub, err := t.nc.Subscribe(cancelSubject+"."+t.job, func(*nats.Msg) { cancel(errDone) })
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	t.worker.change(func(i *WorkerInfo) {
		i.Doing, i.With, i.Prompt, i.Steps = t.key(), t.model.ID, files.Shown(t.request.Prompt, 60), t.request.Steps
	})
	job, err := t.model.Engine.Start(ctx, t.request)
	if err != nil && t.resumed { // what was kept may be the reason: of another model or size, from a computer that lies
		t.from, t.blobs, t.resumed = nil, nil, false
		if err := t.given(ctx); err != nil {
			return err
		}
		job, err = t.model.Engine.Start(ctx, t.request)
	}
	if err != nil {
		return refused{err}
	}
	t.kept = time.Now()
	var ready *inference.PictureReady
	for e := range job.Events() {
		switch e := e.(type) {
		case inference.Failed:
			if err = e.Err; lacksMemory(err) {
				err = refused{err} // another computer may have more
			}
		case inference.PictureReady:
			e.Recipe = inference.Request{} // the client has it
			ready = &e
		default:
			t.event(ctx, e)
		}
	}
	switch {
	case err != nil:
		return cmp.Or(context.Cause(ctx), err)
	case ready == nil:
		return message.New("the engine made no picture")
	}
	return t.publish(ctx, *ready)
}

// event passes an event on, and keeps it for the result.
func (t *task) event(ctx context.Context, e inference.Event) {
	_, step := e.(inference.StepDone)
	t.pulse.hear(step)
	subject := eventSubject
	switch at := e.(type) {
	case inference.StageStarted:
		at.Picture = t.picture
		at.Provider = strings.TrimPrefix(at.Provider+" · "+t.options.Name, " · ")
		e = at
	case inference.Progress:
		subject = passSubject
		t.passes, t.last = t.passes+max(at.Pass-t.last, 0), at.Pass
	case inference.StepDone:
		at.Picture = t.picture
		t.state = at.State
		t.worker.change(func(i *WorkerInfo) { i.Step = at.Step + 1 })
		e = at
	case inference.DeviceChanged:
	default:
		return
	}
	data, err := inference.EncodeEvent(e)
	if err != nil {
		return
	}
	_ = t.nc.Publish(subject+"."+t.key(), data) // who listens gets it; the result has it, too
	if subject == eventSubject {
		t.events = append(t.events, data)
	}
	// After the last masks, too: what follows goes on from them.
	if step, is := e.(inference.StepDone); is && (time.Since(t.kept) >= t.options.Keep || step.Step+1 == t.request.Stop) {
		t.keep(ctx, false)
	}
}

// keep publishes the events so far and the newest State, from which another worker can go on. sure waits until the farm has it.
func (t *task) keep(ctx context.Context, sure bool) {
	if t.state.Latent == nil || t.state.Step >= t.request.Steps {
		return
	}
	state, err := inference.EncodeState(t.state)
	if err == nil {
		err = t.flush(ctx)
	}
	if err != nil {
		return // it begins anew, then
	}
	data := encodeKept(t.blobs, state)
	if len(data) > maxMessage-4096 {
		return
	}
	t.kept = time.Now()
	if !sure {
		_, _ = t.js.PublishAsync("$KV."+stateBucket+"."+t.key(), data)
		return
	}
	_ = again(ctx, func(ctx context.Context) error { _, err := t.states.Put(ctx, t.key(), data); return err })
}

// flush puts the events that are not on the farm yet there.
func (t *task) flush(ctx context.Context) error {
	if len(t.events) == 0 {
		return nil
	}
	name, err := t.putOwn(ctx, encodeEvents(t.events))
	if err == nil {
		t.blobs, t.events = append(t.blobs, name), nil
	}
	return err
}

// publish puts the result under the picture's key, unless one is there.
func (t *task) publish(ctx context.Context, ready inference.PictureReady) error {
	data, err := inference.EncodeEvent(ready)
	if err != nil {
		return err
	}
	t.events = append(t.events, data)
	seconds := time.Since(t.began).Seconds() // without what it waits for room
	err = t.whenRoom(ctx, func() error {
		if err := t.flush(ctx); err != nil {
			return err
		}
		return t.answer(ctx, Result{Blobs: t.blobs, From: stepOf(t.from)})
	})
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	t.worker.change(func(i *WorkerInfo) {
		i.Made++
		if t.from == nil {
			i.Picture = seconds
		}
		if t.passes > 0 {
			i.Seconds = seconds / float64(t.passes)
		}
	})
	return nil
}

// whenRoom puts something on the farm, and waits while there is no room for it: what was made need not be made again, and nothing is begun
// meanwhile for which there would be no room either.
func (t *task) whenRoom(ctx context.Context, put func() error) error {
	for wait := restFirst; ; wait = min(2*wait, restMost) {
		err := put()
		if !isFull(err) {
			return err
		}
		t.worker.change(func(i *WorkerInfo) { i.Problem, i.Said, i.Plan, i.Full = err.Error(), message.PartsOf(err), nil, true })
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// answer puts a result; the first one stays.
func (t *task) answer(ctx context.Context, r Result) error {
	r.Worker, r.ID, r.Provider, r.Tries = t.options.Name, t.info.ID, t.options.Device, t.tries
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return again(ctx, func(ctx context.Context) error {
		_, err := t.results.Create(ctx, t.key(), data)
		if errors.Is(err, jetstream.ErrKeyExists) {
			return nil
		}
		return err
	})
}

// acknowledge takes the picture off the queue. Where no answer comes, it is delivered again, and its result is there; so it is not waited
// for long: the queue itself may be gone.
func (t *task) acknowledge(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*ackWait)
	defer cancel()
	_ = again(ctx, t.msg.DoubleAck)
}

// tried keeps how often the picture was begun.
func (t *task) tried(ctx context.Context, why string) {
	data, err := json.Marshal(try{t.tries, stepOf(t.from), why, t.options.Name, t.refused, t.failed})
	if err != nil {
		return
	}
	_ = again(ctx, func(ctx context.Context) error { _, err := t.Conn.tries.Put(ctx, t.key(), data); return err })
}

// says tells what was wrong with the last picture; nil: nothing.
func (t *task) says(err error) {
	t.worker.change(func(i *WorkerInfo) {
		i.Problem, i.Said, i.Plan, i.Full = "", nil, nil, false
		if err != nil {
			i.Problem, i.Said, i.Plan = err.Error(), message.PartsOf(err), planOf(err)
		}
	})
}

// park makes the reason the picture's result, for which it waits for room as long as the worker works.
func (t *task) park(ctx context.Context, why error) {
	reason := Result{Problem: why.Error(), Said: message.PartsOf(why), Plan: planOf(why)}
	err := t.whenRoom(ctx, func() error {
		ending, cancel := t.ending(ctx, toEnd)
		defer cancel()
		return t.answer(ending, reason)
	})
	if t.says(why); err == nil {
		ending, cancel := t.ending(ctx, toEnd)
		defer cancel()
		t.acknowledge(ending)
	}
}

// toEnd is the time that a worker has to end a picture, also where it leaves.
const toEnd = time.Minute
