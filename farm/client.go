package farm

import (
	"context"
	"errors"
	"fmt"
	"image"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/message"
)

// Queue hands the requests of one model over to a farm. It stands where an engine of package inference stands.
type Queue struct {
	conn     *Conn
	model    string // see ModelID
	manifest bundle.Manifest

	Handing func(job string) // called by Start before the farm has anything of the job, which has this ID; nil: nobody asks
}

// Queue is the farm as an engine for the model.
func (c *Conn) Queue(m bundle.Manifest) *Queue {
	return &Queue{conn: c, model: ModelID(m), manifest: m}
}

func (c *Conn) queueOf(modelID string) *Queue { return &Queue{conn: c, model: modelID} }

// Start hands a resolved request over, one message for each picture, and returns the job. The farm has it, and makes it whatever becomes
// of this process, when Start returns; the events then come as those of an engine. Cancelling the context or the job takes what is not
// made off the queue. Errors say what helps: the farm does not answer, its store is full.
func (q *Queue) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	if len(r.Seeds) == 0 {
		return nil, message.New("the request is not resolved: it has no seeds")
	}
	j := &Job{
		ID: nuid.Next(), queue: q, request: r, events: make(chan inference.Event), passes: make([]inference.Progress, len(r.Seeds)),
		began: time.Now(), answers: make(chan int, len(r.Seeds)), makers: map[int]string{}, early: map[int]taken{},
	}
	if n := len(r.Files()); n > maxFiles {
		return nil, message.Errorf("the job has %d pictures, and at most %d are taken", n, maxFiles)
	}
	if r.Grid != nil {
		if j.cells = r.Cells(q.manifest); len(j.cells) != len(r.Seeds) {
			return nil, message.New("the request is not resolved: it has not one seed for every cell of its grid")
		}
	}
	for n := range r.Seeds {
		if r.Grid == nil || !slices.Contains(r.Grid.Made, n) {
			j.wanted = append(j.wanted, n)
		}
	}
	j.ctx, j.cancel = context.WithCancelCause(ctx)
	if q.Handing != nil {
		q.Handing(j.ID)
	}
	err := j.listen()
	if err == nil {
		err = j.hand(j.ctx)
	}
	if err != nil {
		j.next.stop()
		if j.takeBack() == nil {
			j.forgetAll()
		}
		j.cancel(err) // and what listens for results
		return nil, err
	}
	q.consume(j.ctx)
	go j.deliver()
	return j, nil
}

// consume makes the consumer of the model's pictures where there is none. Also where no computer had the model yet: a computer that can get
// it, and who looks at the farm, sees what waits.
func (q *Queue) consume(ctx context.Context) {
	few, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, _ = q.conn.jobs.CreateConsumer(few, consumerOf(q.model, q.manifest.Name))
}

// Job is a job on a farm.
type Job struct {
	ID      string
	queue   *Queue
	request inference.Request
	cells   []inference.Request // of a grid, each a request of its own; nil: pictures differ in their seeds
	wanted  []int               // pictures that are to be made: of a grid, without the cells that are there
	from    string              // blob with the State that the request goes on from
	next    turn                // of the picture whose turn comes
	ctx     context.Context
	cancel  context.CancelCauseFunc
	events  chan inference.Event
	answers chan int // pictures of which there is a result
	began   time.Time

	left     bool           // see Left
	early    map[int]taken  // pictures that were taken off the farm before their turn
	cleaning sync.WaitGroup // what the farm needs no more is being removed

	mu     sync.Mutex
	passes []inference.Progress // of every picture
	makers map[int]string       // the computers that made pictures, by picture
}

// Makers are the names of the computers that have made pictures of the job so far, by picture.
func (j *Job) Makers() map[int]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.makers)
}

// Workers are the computers of its farm; see Conn.
func (j *Job) Workers(ctx context.Context) ([]WorkerInfo, error) { return j.queue.conn.Workers(ctx) }

// Helped tells whether one of these computers has a picture of the job in work, or has its model and nothing to do, so that it takes one in
// a moment. Of a job whose pictures are all made, nobody has one.
func (j *Job) Helped(workers []WorkerInfo) bool {
	return len(j.Makers()) >= len(j.wanted) || slices.ContainsFunc(workers, func(w WorkerInfo) bool {
		id, _, _ := strings.Cut(w.Doing, ".")
		_, has := w.Models[j.queue.model]
		return id == j.ID || has && id == ""
	})
}

// made notes who made a picture.
func (j *Job) made(n int, worker string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.makers[n] = worker
}

// one is the request of one picture, complete.
func (j *Job) one(n int) inference.Request {
	r := j.request
	if j.cells != nil {
		r = j.cells[n]
	} else {
		r.Seeds = r.Seeds[n : n+1]
	}
	r.Subjects = inference.CloneSubjects(r.Subjects)
	return r
}

// Events implements inference.Job.
func (j *Job) Events() <-chan inference.Event { return j.events }

// Left tells, once the events have ended, whether the farm may have pictures of the job still: it was away when they were to be taken back.
// Conn.TakeBack takes them back later.
func (j *Job) Left() bool { return j.left }

// Cancel implements inference.Job.
func (j *Job) Cancel() { j.cancel(context.Canceled) }

// light is a request without the bytes that travel by themselves.
func light(r inference.Request) inference.Request {
	r.Subjects = inference.CloneSubjects(r.Subjects)
	for i := range r.Subjects {
		r.Subjects[i].Anchors = nil
		for k := range r.Subjects[i].References {
			r.Subjects[i].References[k].Small = nil
		}
	}
	if r.Init != nil {
		begin := *r.Init
		r.Init = &begin
	}
	for _, f := range r.Files() {
		*f.Data = nil
	}
	r.From = nil
	return r
}

// hand puts everything on the farm.
func (j *Job) hand(ctx context.Context) error {
	if err := j.put(ctx); err != nil {
		return err
	}
	const together = 256 // messages on their way
	for part := range slices.Chunk(j.wanted, together) {
		if err := again(ctx, func(ctx context.Context) error { return j.publish(ctx, part, "", "") }); err != nil {
			return err
		}
	}
	return nil
}

// put puts what every picture needs there, where it is not.
func (j *Job) put(ctx context.Context) error {
	c, r := j.queue.conn, j.request
	for _, f := range r.Files() {
		if len(*f.Data) == 0 {
			return message.Errorf("%s is not here: give its file", f.Name)
		}
		if _, err := c.putBlob(ctx, *f.Data); err != nil {
			return err
		}
	}
	if r.From != nil {
		state, err := inference.EncodeState(*r.From)
		if err == nil {
			j.from, err = c.putBlob(ctx, state)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// publish queues pictures. What is queued already is not queued again; retry makes it another message.
func (j *Job) publish(ctx context.Context, pictures []int, retry, avoid string) error {
	c := j.queue.conn
	var acks []jetstream.PubAckFuture
	for _, n := range pictures {
		data, err := inference.EncodeRequest(light(j.one(n)))
		if err != nil {
			return err
		}
		m := &nats.Msg{Subject: j.subject(n), Data: data, Header: nats.Header{}}
		m.Header.Set(jetstream.MsgIDHeader, unit(j.ID, n)+retry)
		m.Header.Set(jobHeader, j.ID)
		m.Header.Set(pictureHeader, strconv.Itoa(n))
		if j.from != "" {
			m.Header.Set(fromHeader, j.from)
		}
		if avoid != "" {
			m.Header.Set(avoidHeader, avoid)
		}
		ack, err := c.js.PublishMsgAsync(m)
		if err != nil {
			return err
		}
		acks = append(acks, ack)
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// subject is where a picture is queued.
func (j *Job) subject(n int) string {
	return strings.Join([]string{jobSubject, j.queue.model, unit(j.ID, n)}, ".")
}

// gone tells whether the farm has neither the message of a picture nor its result.
func (j *Job) gone(n int) bool {
	ctx, cancel := context.WithTimeout(j.ctx, patience)
	defer cancel()
	if _, err := j.queue.conn.jobs.GetLastMsgForSubject(ctx, j.subject(n)); !errors.Is(err, jetstream.ErrMsgNotFound) {
		return false
	}
	_, err := j.result(ctx, n) // asked for last: it is there before the message goes
	return errors.Is(err, jetstream.ErrKeyNotFound)
}

// takeBack takes what waits of the job off the queue, and tells who makes it to stop. After an error the farm may have it still.
func (j *Job) takeBack() error {
	c := j.queue.conn
	ctx, cancel := c.ending(j.ctx, cleanFor)
	defer cancel()
	_ = c.nc.Publish(cancelSubject+"."+j.ID, nil)
	return c.jobs.Purge(ctx, jetstream.WithPurgeSubject(jobSubject+"."+j.queue.model+"."+j.ID+".>"))
}

// TakeBack takes a job off the farm of which no Job is left, because who handed it over has died: what waits is not made, and what was made
// is removed.
func (c *Conn) TakeBack(ctx context.Context, id string) error {
	if !plainID.MatchString(id) {
		return nil // it is no job
	}
	err := again(ctx, func(ctx context.Context) error {
		return c.jobs.Purge(ctx, jetstream.WithPurgeSubject(jobSubject+".*."+id+".>"))
	})
	if err != nil {
		return err
	}
	j := &Job{ID: id, queue: c.queueOf(""), ctx: ctx}
	_ = c.nc.Publish(cancelSubject+"."+id, nil)
	for _, kv := range []jetstream.KeyValue{c.results, c.states, c.tries} {
		keys, err := kv.ListKeysFiltered(ctx, id+".*")
		if err != nil {
			return err
		}
		for key := range keys.Keys() {
			if n, err := strconv.Atoi(key[len(id)+1:]); err == nil {
				j.forget(ctx, n)
			}
		}
	}
	return ctx.Err()
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// forgetAll removes what the farm keeps of the job.
func (j *Job) forgetAll() {
	ctx, cancel := j.queue.conn.ending(j.ctx, cleanFor)
	defer cancel()
	for _, n := range j.wanted {
		if ctx.Err() != nil {
			return
		}
		j.forget(ctx, n)
	}
}

// drop removes a file. The mark that it is gone wants room itself: where there is none at all, the bytes go first.
func (c *Conn) drop(ctx context.Context, name string) {
	if !isFull(c.blobs.Delete(ctx, name)) {
		return
	}
	info, err := c.blobs.GetInfo(ctx, name)
	if err != nil {
		return
	}
	if s, err := c.js.Stream(ctx, "OBJ_"+blobStore); err == nil {
		_ = s.Purge(ctx, jetstream.WithPurgeSubject("$O."+blobStore+".C."+info.NUID))
		_ = c.blobs.Delete(ctx, name)
	}
}

// cleanFor is how long a job that is over waits for a farm that is away, to take it back and to remove what it needs no more.
const cleanFor = 10 * time.Second

// forget removes what the farm keeps of a picture. What stays for want of an answer goes by its age.
func (j *Job) forget(ctx context.Context, n int) {
	c, key := j.queue.conn, unit(j.ID, n)
	r, err := j.result(ctx, n)
	if err != nil {
		r.Blobs, _, _ = j.kept(ctx, n)
	}
	for _, name := range r.Blobs {
		c.drop(ctx, name)
	}
	for _, kv := range []jetstream.KeyValue{c.results, c.states, c.tries} {
		_ = kv.Purge(ctx, key)
	}
}

// listen makes progress, results and the events of the first picture come.
func (j *Job) listen() (err error) {
	c := j.queue.conn
	if len(j.wanted) > 0 {
		if j.next, err = j.follow(j.wanted[0]); err != nil {
			return err
		}
	}
	sub, err := c.nc.Subscribe(passSubject+"."+j.ID+".*", j.pass)
	if err != nil {
		return err
	}
	context.AfterFunc(j.ctx, func() { _ = sub.Unsubscribe() })
	var watch jetstream.KeyWatcher
	if err := again(j.ctx, func(context.Context) error { // the watcher outlives the try: it has the job's context
		watch, err = c.results.Watch(j.ctx, j.ID+".*")
		return err
	}); err != nil {
		return err
	}
	context.AfterFunc(j.ctx, func() { _ = watch.Stop() })
	go func() {
		for e := range watch.Updates() {
			if e == nil || e.Operation() != jetstream.KeyValuePut {
				continue
			}
			if n, ok := j.pictureOf(e.Key()); ok {
				var r Result
				if unmarshal(e.Value(), &r) == nil && r.Problem == "" {
					j.made(n, r.Worker)
				}
				select {
				case j.answers <- n:
				case <-j.ctx.Done():
				}
			}
		}
	}()
	return nil
}

// turn is the events of one picture as they come, from before its turn: it may have begun by then.
type turn struct {
	events chan inference.Event
	sub    *nats.Subscription
}

func (t turn) stop() {
	if t.sub != nil {
		_ = t.sub.Unsubscribe()
	}
}

// follow makes the events of one picture come.
func (j *Job) follow(n int) (t turn, err error) {
	t.events = make(chan inference.Event, 4*maxEarly)
	t.sub, err = j.queue.conn.nc.Subscribe(eventSubject+"."+unit(j.ID, n), func(m *nats.Msg) {
		if e, err := inference.DecodeEvent(m.Data); err == nil {
			select {
			case t.events <- e:
			default: // whoever reads the job is slow: the farm keeps it, too
			}
		}
	})
	return t, err
}

// pictureOf is the number at the end of a key or subject.
func (j *Job) pictureOf(key string) (n int, ok bool) {
	n, err := strconv.Atoi(key[strings.LastIndexByte(key, '.')+1:])
	return n, err == nil && n >= 0 && n < len(j.request.Seeds)
}

// pass takes the progress of one picture.
func (j *Job) pass(m *nats.Msg) {
	n, ok := j.pictureOf(m.Subject)
	e, err := inference.DecodeEvent(m.Data)
	p, isProgress := e.(inference.Progress)
	if !ok || err != nil || !isProgress || p.Pass < 0 || p.Passes <= 0 || p.Pass > p.Passes || p.Passes > 1<<20 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.passes[n] = p
}

// progress is that of the whole job: a picture of which nothing is known yet is taken to need as many passes for a step as the others.
func (j *Job) progress() inference.Progress {
	j.mu.Lock()
	defer j.mu.Unlock()
	var sum inference.Progress
	for _, n := range j.wanted {
		sum.Pass += j.passes[n].Pass
		sum.Passes += j.passesOf(n)
	}
	if elapsed := time.Since(j.began); sum.Pass > 0 {
		sum.Remaining = elapsed / time.Duration(sum.Pass) * time.Duration(sum.Passes-sum.Pass)
	}
	return sum
}

// deliver hands over events up to the last one of the job.
func (j *Job) deliver() {
	defer close(j.events)
	err := j.pictures()
	j.cleaning.Wait()
	if err != nil {
		if j.ctx.Err() != nil {
			err = context.Cause(j.ctx)
		}
		j.fail(inference.Failed{Err: err})
	} else {
		j.events <- inference.Done{Pictures: len(j.wanted), Elapsed: time.Since(j.began)}
	}
	j.cancel(context.Canceled)
}

// soon is how long the end of a job that has failed waits for the farm, which may not answer for a night.
const soon = 2 * time.Second

// fail takes a job back, and removes what was made of it. That it has failed is told soon, whatever becomes of that.
func (j *Job) fail(e inference.Failed) {
	back := make(chan struct{})
	go func() {
		defer close(back)
		j.left = j.takeBack() != nil
	}()
	wait := soon
	if !j.queue.conn.Connected() {
		wait = 0
	}
	select {
	case <-back:
	case <-time.After(wait):
	}
	j.events <- e
	if <-back; !j.left {
		j.forgetAll()
	}
}

// pictures delivers all pictures. One that cannot be made ends the job only where no other was made by then: what one picture lacks, others
// need not.
func (j *Job) pictures() error {
	defer func() { j.next.stop() }()
	there, lost := map[int]bool{}, []error(nil)
	for i, n := range j.wanted {
		now := j.next
		if j.next = (turn{}); i+1 < len(j.wanted) {
			var err error
			if j.next, err = j.follow(j.wanted[i+1]); err != nil {
				return err
			}
		}
		why, err := j.picture(n, now, there)
		delete(there, n)
		if err != nil {
			return err
		}
		if why != nil {
			if lost = append(lost, why); !j.without(n) {
				break
			}
		}
	}
	switch len(lost) {
	case 0:
		return nil
	case 1:
		return lost[0]
	}
	return message.Errorf("%d pictures are missing: %w", len(lost), lost[0])
}

// without goes on without a picture that could not be made, and tells whether another one was made.
func (j *Job) without(n int) bool {
	j.done(n)
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.makers, n) // who answered wrong
	return len(j.makers) > 0
}

// picture delivers one picture: its events as they come, and what was missed of them from what the farm keeps. lost is why it cannot be
// made; the job can go on.
func (j *Job) picture(n int, now turn, there map[int]bool) (lost, err error) {
	defer now.stop()
	out := output{job: j, picture: n, next: stepOf(j.request.From), count: j.one(n).Steps}
	if e, is := j.early[n]; is {
		delete(j.early, n)
		return nil, out.whole(e)
	}
	if !there[n] { // it may be made already, without an answer that this process saw
		if _, err := j.result(j.ctx, n); err == nil {
			there[n] = true
		}
	}
	look := time.NewTicker(2 * time.Second) // a watch may miss what came while the farm was away
	defer look.Stop()
	gone, losses := 0, 0 // looks in a row at which the farm has nothing of it
	full := false        // there was no room to hand it over again
	for retries := 0; ; {
		for !there[n] {
			select {
			case <-look.C:
				_, err := j.result(j.ctx, n)
				switch {
				case err == nil:
					there[n] = true
				case errors.Is(err, nats.ErrConnectionClosed): // nothing comes any more
					return nil, err
				case !errors.Is(err, jetstream.ErrKeyNotFound) || !j.gone(n):
					gone = 0
				default:
					gone++
				}
				if gone > 1 { // a server lost it with its power, it is too old, or the farm was set up anew
					gone, losses = 0, losses+1
					err := j.rehand(n, fmt.Sprint(".lost", losses), "")
					if full = isFull(err); err != nil && !full {
						return nil, err
					}
				}
				if !there[n] {
					j.relieve(n, there, full)
				}
			case <-j.ctx.Done():
				return nil, j.ctx.Err()
			case e := <-now.events:
				if err := out.live(e); err != nil {
					return nil, err
				}
			case k := <-j.answers:
				there[k] = true
			}
		}
		result, err := j.result(j.ctx, n)
		if errors.Is(err, jetstream.ErrKeyNotFound) { // told twice of one that was not taken
			there[n] = false
			continue
		}
		if err != nil {
			return nil, err
		}
		if result.Problem != "" {
			return message.Errorf("picture %d could not be made on the farm: %w", n+1, result.problem()), nil
		}
		events, err := j.fetch(result, n)
		if err == nil {
			if err := out.whole(taken{events, result.Worker}); err != nil {
				return nil, err
			}
			j.cleaning.Go(func() {
				ctx, cancel := context.WithTimeout(j.ctx, cleanFor)
				defer cancel()
				j.forget(ctx, n)
			})
			return nil, nil
		}
		if j.ctx.Err() != nil {
			return nil, j.ctx.Err()
		}
		retries++
		if retries >= maxTries {
			return message.Errorf("picture %d came back wrong from %q %d times (%w): let that computer out of the farm, or update it", n+1, result.Worker,
				retries, err), nil
		}
		j.forget(j.ctx, n) // and once more, by somebody else
		there[n] = false
		if err := j.rehand(n, fmt.Sprint(".again", retries), result.ID); err != nil && !isFull(err) {
			return nil, err
		}
	}
}

// taken is a picture that was read off the farm.
type taken struct {
	events []inference.Event
	worker string
}

// relieve takes a picture whose turn comes later off a farm that has no room for more, as full or a computer says, where the one whose turn
// it is may wait for it. One that is still being made does not: this process would have the whole job in memory by then.
func (j *Job) relieve(n int, there map[int]bool, full bool) {
	later := slices.DeleteFunc(slices.Clone(j.wanted), func(k int) bool { return k == n || !there[k] || j.early[k].events != nil })
	if len(later) == 0 {
		return
	}
	all, err := j.queue.conn.Workers(j.ctx)
	made := slices.ContainsFunc(all, func(w WorkerInfo) bool { return w.Doing == unit(j.ID, n) && !w.Full })
	if err != nil || made || !full && !slices.ContainsFunc(all, func(w WorkerInfo) bool { return w.Full }) {
		return
	}
	for _, k := range later {
		r, err := j.result(j.ctx, k)
		if err != nil || r.Problem != "" {
			continue
		}
		if events, err := j.fetch(r, k); err == nil {
			j.early[k] = taken{events, r.Worker}
			j.forget(j.ctx, k)
			return
		}
	}
}

// rehand has a picture made once more, and by somebody else than avoid if that can be.
func (j *Job) rehand(n int, retry, avoid string) error {
	if err := j.put(j.ctx); err != nil {
		return err
	}
	j.queue.consume(j.ctx) // of a farm that was set up anew
	return again(j.ctx, func(ctx context.Context) error { return j.publish(ctx, []int{n}, retry, avoid) })
}

// result is what the farm says of a picture; jetstream.ErrKeyNotFound where it says nothing.
func (j *Job) result(ctx context.Context, n int) (r Result, err error) {
	data, err := get(ctx, j.queue.conn.results, unit(j.ID, n))
	if err == nil {
		err = unmarshal(data, &r)
	}
	return r, err
}

// kept is what the farm keeps of a picture in work.
func (j *Job) kept(ctx context.Context, n int) (blobs []string, s inference.State, err error) {
	e, err := j.queue.conn.states.Get(ctx, unit(j.ID, n))
	if err != nil {
		return nil, s, err
	}
	return decodeKept(e.Value())
}

// read reads pieces of events.
func (j *Job) read(blobs []string) (events []inference.Event, err error) {
	left := int64(maxResultBytes)
	for _, sum := range blobs {
		data, err := j.queue.conn.blob(j.ctx, sum, left)
		if err != nil {
			return nil, err
		}
		list, err := decodeEvents(data)
		if err != nil {
			return nil, err
		}
		left, events = left-int64(len(data)), append(events, list...)
	}
	if len(events) == 0 {
		return nil, message.New("there are no events")
	}
	return events, nil
}

// fetch reads and checks the events of a result.
func (j *Job) fetch(r Result, n int) (events []inference.Event, err error) {
	if events, err = j.read(r.Blobs); err != nil {
		return nil, err
	}
	asked := j.one(n)
	ready, ok := events[len(events)-1].(inference.PictureReady)
	if !ok {
		return nil, message.New("the picture is missing")
	}
	want := image.Rect(0, 0, asked.Width, asked.Height)
	switch {
	case ready.Seed != asked.Seeds[0]:
		return nil, message.New("it is of another seed")
	case ready.Image == nil || ready.Image.Bounds() != want,
		ready.Image.Stride != 4*want.Dx() || len(ready.Image.Pix) != 4*want.Dx()*want.Dy():
		return nil, message.New("it has another size")
	}
	ready.Picture, ready.Recipe = n, asked
	events[len(events)-1] = ready
	return events, nil
}

// done counts the passes of a picture that is here as made.
func (j *Job) done(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := max(1, j.passesOf(n))
	j.passes[n] = inference.Progress{Pass: all, Passes: all}
}

// passesOf is how many passes picture n needs: what its worker said, else the most of what others say, by the steps of both; 0 where
// nobody said anything. The caller holds mu.
func (j *Job) passesOf(n int) int {
	if p := j.passes[n].Passes; p > 0 {
		return p
	}
	most := 0
	for k, p := range j.passes {
		most = max(most, p.Passes*j.steps(n)/max(1, j.steps(k)))
	}
	return most
}

// steps is how many steps picture n has.
func (j *Job) steps(n int) int {
	if j.cells != nil {
		return j.cells[n].Steps
	}
	return j.request.Steps
}

// output delivers the events of one picture in order, each once.
type output struct {
	job     *Job
	picture int
	next    int                        // the step that comes next
	count   int                        // steps of the picture
	stage   inference.Stage            // the last one that was told
	where   string                     // it computes
	early   map[int]inference.StepDone // steps that came before the one that is next
	heir    *inference.StageStarted    // who made what comes next of what the farm kept, if it was not told yet
	asked   time.Time                  // when the farm was asked for what is missing
}

func (o *output) send(e inference.Event) error {
	select {
	case o.job.events <- e:
		return nil
	case <-o.job.ctx.Done():
		return o.job.ctx.Err()
	}
}

// known are the stages of a picture in their order.
var known = []inference.Stage{
	inference.StageLoad, inference.StageEncode, inference.StageText, inference.StageVision, inference.StageDenoise, inference.StageDecode,
}

// started tells of a stage that comes after the one that was told, or that another computer goes on.
func (o *output) started(e inference.StageStarted) error {
	at, was := slices.Index(known, e.Stage), slices.Index(known, o.stage)
	switch {
	case at < 0, e.Stage == inference.StageDecode && o.next < o.count:
		return nil
	case e.Stage == inference.StageDenoise && at <= was && e.Provider != o.where:
		o.where = e.Provider
		return o.send(inference.Moved(e.Provider, message.Errorf("picture %s goes on elsewhere: %s", fmt.Sprint(o.picture+1), e.Provider)))
	case at <= was:
		return nil
	}
	e.Picture = 0
	if e.Stage == inference.StageDenoise || e.Stage == inference.StageDecode {
		e.Picture = o.picture
	}
	e.Recipe = nil
	if e.Stage == inference.StageDenoise && o.job.cells != nil {
		recipe := o.job.one(o.picture)
		e.Recipe = &recipe
	}
	o.stage, o.where = e.Stage, e.Provider
	return o.send(e)
}

// live takes an event from who makes the picture now.
func (o *output) live(e inference.Event) error {
	switch e := e.(type) {
	case inference.StageStarted:
		return o.started(e)
	case inference.StepDone:
		if e.Step < o.next || e.Step >= o.count {
			return nil
		}
		if o.early == nil {
			o.early = map[int]inference.StepDone{}
		}
		if o.early[e.Step] = e; len(o.early) > maxEarly {
			clear(o.early)
		}
		if (e.Step > o.next || o.stage != inference.StageDenoise) && time.Since(o.asked) > time.Second {
			o.asked = time.Now()
			if err := o.catchUp(); err != nil {
				return err
			}
		}
		return o.steps()
	}
	return nil
}

const maxEarly = 64

// steps delivers what follows without a gap.
func (o *output) steps() error {
	sent := false
	for o.stage == inference.StageDenoise {
		e, ok := o.early[o.next]
		if !ok {
			break
		}
		delete(o.early, o.next)
		if err := o.step(e); err != nil {
			return err
		}
		sent = true
	}
	if sent {
		return o.send(o.job.progress())
	}
	return nil
}

// catchUp delivers what the farm keeps of a picture that began before its turn.
func (o *output) catchUp() error {
	blobs, _, err := o.job.kept(o.job.ctx, o.picture)
	if err != nil {
		return nil //nolint:nilerr // nothing is kept yet, or the farm is away: the result will have it
	}
	events, err := o.job.read(blobs)
	if err != nil {
		return nil //nolint:nilerr // likewise
	}
	for _, e := range events {
		if err := o.kept(e); err != nil {
			return err
		}
	}
	return nil
}

// whole delivers what is missing of a picture that is made.
func (o *output) whole(t taken) error {
	for _, e := range t.events {
		if err := o.kept(e); err != nil {
			return err
		}
	}
	o.job.done(o.picture)
	o.job.made(o.picture, t.worker)
	return nil
}

func (o *output) step(e inference.StepDone) error {
	o.next = e.Step + 1
	e = drawable(e, o.job.one(o.picture))
	e.Picture = o.picture
	return o.send(e)
}

// drawable is a step of a picture without what nobody can draw: it comes from a computer that may be broken, or lie, and ends no program.
func drawable(e inference.StepDone, of inference.Request) inference.StepDone {
	e.Steps = of.Steps
	if p := e.Preview; p != nil {
		if w, h := p.Rect.Dx(), p.Rect.Dy(); p.Rect != image.Rect(0, 0, w, h) || p.Rect.Empty() || w > of.Width || h > of.Height ||
			p.Stride != 4*w || len(p.Pix) != 4*w*h {
			e.Preview = nil
		}
	}
	w, h := e.GridWidth, e.GridHeight
	whole := len(e.Subjects) == len(of.Subjects) && w >= 0 && h >= 0 && w <= of.Width && h <= of.Height
	for _, s := range e.Subjects {
		first := e.Subjects[0]
		for _, n := range [][2]int{{len(s.Cross), len(first.Cross)}, {len(s.Scores), len(first.Scores)}, {len(s.Mask), len(first.Mask)}} {
			whole = whole && n[0] == n[1] && (n[0] == 0 || n[0] == w*h)
		}
	}
	if !whole {
		e.GridWidth, e.GridHeight, e.Subjects = 0, 0, make([]inference.SubjectStep, len(of.Subjects))
	}
	return e
}

// kept takes an event that the farm kept: what of it did not come live.
func (o *output) kept(e inference.Event) error {
	switch e := e.(type) {
	case inference.StageStarted:
		switch begun := o.stage == inference.StageDenoise || o.stage == inference.StageDecode; {
		case e.Stage == inference.StageDenoise && begun:
			o.heir = &e // who made the steps that follow: told with the first of them that did not come live
		case e.Stage == inference.StageDenoise, e.Stage == inference.StageDecode:
			return o.started(e)
		}
	case inference.StepDone:
		if e.Step != o.next || e.Step >= o.count {
			return nil
		}
		if o.heir != nil {
			if err := o.started(*o.heir); err != nil {
				return err
			}
			o.heir = nil
		}
		return o.step(e)
	case inference.PictureReady:
		return o.send(e)
	}
	return nil
}
