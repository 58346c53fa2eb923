package farm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/memory"
	"realword/inference/message"
)

// Protocol is the version of what this package puts on the wire. Computers with another one are refused by name.
var Protocol = fmt.Sprintf("1.%d", inference.WireVersion)

// The names of everything in JetStream. A subject of the queue is jobSubject.MODEL.JOB.PICTURE, so that a model's pictures are one
// consumer's, and a job is cancelled by purging its subject.
const (
	jobStream      = "REALWORD_JOBS"
	jobSubject     = "realword.job"
	eventSubject   = "realword.event"    // .JOB.PICTURE: events of a picture, as they come; nobody need listen
	passSubject    = "realword.progress" // .JOB.PICTURE: passes of a picture
	cancelSubject  = "realword.cancel"   // .JOB
	resultBucket   = "REALWORD_RESULTS"  // JOB.PICTURE: Result
	stateBucket    = "REALWORD_STATES"   // JOB.PICTURE: the last kept State, as bytes
	tryBucket      = "REALWORD_TRIES"    // JOB.PICTURE: try
	workerBucket   = "REALWORD_WORKERS"  // WORKER: WorkerInfo
	farmBucket     = "REALWORD_FARM"     // protocol
	blobStore      = "REALWORD_BLOBS"    // files of requests and events of results, by SHA-256
	jobHeader      = "Realword-Job"
	pictureHeader  = "Realword-Picture"
	fromHeader     = "Realword-From"  // blob with the State that the request goes on from
	avoidHeader    = "Realword-Avoid" // the worker whose result the client did not take
	protocolKey    = "protocol"
	consumerName   = "model-"         // .MODEL
	aliveFor       = 10 * time.Second // how long a computer counts as there that says nothing
	ackWait        = 6 * time.Second  // how long a picture may be in silence before another computer gets it
	keepResults    = 7 * 24 * time.Hour
	keepBlobs      = 30 * 24 * time.Hour
	renewBlobs     = 7 * 24 * time.Hour
	maxTries       = 3
	maxRefusals    = 64
	maxFiles       = 64        // of a request
	maxFileBytes   = 256 << 20 // of all of them
	maxResultBytes = 512 << 20
	maxInfo        = 256 << 10 // of what a computer says of itself
)

// helperPermissions is what a worker's key may do: take from the queue and say how it goes, but neither queue nor delete.
func helperPermissions() *server.Permissions {
	publish := []string{
		eventSubject + ".>", passSubject + ".>", "$JS.ACK.>", "$JS.API.INFO", "$JS.API.STREAM.INFO.*",
		"$JS.API.STREAM.MSG.GET.*", "$JS.API.DIRECT.GET.>",
		"$JS.API.CONSUMER.>", "$JS.FC.>", "_INBOX.>",
	}
	for _, b := range []string{resultBucket, stateBucket, tryBucket, workerBucket} {
		publish = append(publish, "$KV."+b+".>")
	}
	publish = append(publish, offersSubject, modelSubject+".>")                            // for models that they lack
	publish = append(publish, "$O."+blobStore+".>", "$JS.API.STREAM.PURGE.OBJ_"+blobStore) // an object's own remains
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish, Deny: []string{"$JS.API.CONSUMER.DELETE." + jobStream + ".>"}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>", cancelSubject + ".>", "$KV." + workerBucket + ".>", "$JS.FC.>"}},
	}
}

// ErrNoFarm is that a NATS server has no farm.
var ErrNoFarm = message.New("there is a NATS server, but no farm on it yet: run realword farm with --server there first")

// Conn is an open way into a farm. It goes on reaching for a server that is gone. Close must be called in the end.
type Conn struct {
	name    string
	nc      *nats.Conn
	js      jetstream.JetStream
	jobs    jetstream.Stream
	results jetstream.KeyValue
	states  jetstream.KeyValue
	tries   jetstream.KeyValue
	workers jetstream.KeyValue
	blobs   jetstream.ObjectStore

	renewed *uint64 // pictures that waited in a farm of an earlier version, which this connection made one of this version

	mu      sync.Mutex
	changed []func(connected bool, why error)
	long    map[*context.CancelCauseFunc]bool // ends what would wait long for answers that are lost with the connection
}

// Dial reaches a farm. With make, what the farm needs in JetStream is made where it is not there; replicas is on how many servers each
// of it lies, 1 unless it is a cluster. Errors say what helps: a refused key, another protocol, no answer.
func Dial(ctx context.Context, a Access) (*Conn, error) { return dial(ctx, a, -1) }

// Found is Dial that makes the streams and buckets of a farm where they are not there yet, each on so many servers of a cluster; with 0 on
// as many as before, or one. A farm of an earlier version is emptied and becomes one of this version: see Renewed. The key must be a
// client's.
func Found(ctx context.Context, a Access, replicas int) (*Conn, error) {
	return dial(ctx, a, max(replicas, 0))
}

// Renewed is how many pictures waited in a farm of an earlier version, and are gone since Found has made it one of this version.
func (c *Conn) Renewed() (dropped uint64, renewed bool) {
	if c.renewed == nil {
		return 0, false
	}
	return *c.renewed, true
}

func dial(ctx context.Context, a Access, replicas int) (c *Conn, err error) {
	c = &Conn{name: a.Name}
	if c.nc, err = a.connect(c.change); err != nil {
		return nil, err
	}
	nc := c.nc
	defer func() {
		if err != nil {
			nc.Close()
			if err = explain(err); absent(err) && ctx.Err() == nil { // it did when it was called
				err = a.away(err)
			}
		}
	}()
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(10*time.Second)); err != nil {
		return nil, err
	}
	if replicas >= 0 {
		if err := c.found(ctx, replicas); err != nil {
			return nil, err
		}
	}
	if c.jobs, err = c.js.Stream(ctx, jobStream); errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, ErrNoFarm
	}
	for _, b := range []struct {
		name string
		kv   *jetstream.KeyValue
	}{{resultBucket, &c.results}, {stateBucket, &c.states}, {tryBucket, &c.tries}, {workerBucket, &c.workers}} {
		if err == nil {
			*b.kv, err = c.js.KeyValue(ctx, b.name)
		}
	}
	if err == nil {
		c.blobs, err = c.js.ObjectStore(ctx, blobStore)
	}
	if err != nil {
		return nil, err
	}
	if err := c.agree(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// found makes what a farm needs.
func (c *Conn) found(ctx context.Context, replicas int) error {
	if replicas == 0 {
		replicas = 1
		if s, err := c.js.Stream(ctx, jobStream); err == nil {
			replicas = max(s.CachedInfo().Config.Replicas, 1)
		}
	}
	_, err := c.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: jobStream, Subjects: []string{jobSubject + ".>"}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		Duplicates: 10 * time.Minute, Replicas: replicas, Description: "pictures to be made",
	})
	for _, b := range []jetstream.KeyValueConfig{
		{Bucket: resultBucket, TTL: keepResults, Description: "pictures that were made"},
		{Bucket: stateBucket, TTL: keepResults, MaxValueSize: maxMessage, Description: "where a picture goes on"},
		{Bucket: tryBucket, TTL: keepResults, Description: "how often a picture was begun"},
		{Bucket: workerBucket, TTL: aliveFor, Storage: jetstream.MemoryStorage, Description: "computers that are there"},
		{Bucket: farmBucket, Description: "the version"},
	} {
		if err == nil {
			b.Replicas = replicas
			_, err = c.js.CreateOrUpdateKeyValue(ctx, b)
		}
	}
	if err == nil {
		_, err = c.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: blobStore, TTL: keepBlobs, Replicas: replicas, Description: "files of jobs and results",
		})
	}
	if err == nil {
		var kv jetstream.KeyValue
		if kv, err = c.js.KeyValue(ctx, farmBucket); err == nil {
			if _, err = kv.Create(ctx, protocolKey, []byte(Protocol)); errors.Is(err, jetstream.ErrKeyExists) {
				err = c.renew(ctx, kv)
			}
		}
	}
	return err
}

// renew makes a farm of an earlier version one of this version. What is queued and kept there goes: nobody can read it any more.
func (c *Conn) renew(ctx context.Context, version jetstream.KeyValue) error {
	e, err := version.Get(ctx, protocolKey)
	if err != nil || !earlier(string(e.Value())) {
		return err
	}
	var dropped uint64
	for _, name := range []string{jobStream, "KV_" + resultBucket, "KV_" + stateBucket, "KV_" + tryBucket, "OBJ_" + blobStore} {
		s, err := c.js.Stream(ctx, name)
		if err == nil && name == jobStream {
			dropped = s.CachedInfo().State.Msgs
		}
		if err == nil {
			err = s.Purge(ctx)
		}
		if err != nil {
			return err
		}
	}
	if _, err = version.Put(ctx, protocolKey, []byte(Protocol)); err == nil {
		c.renewed = &dropped
	}
	return err
}

// earlier tells whether a version of the wire is one before this program's.
func earlier(version string) bool {
	of := func(text string) (major, minor int) {
		_, _ = fmt.Sscanf(text, "%d.%d", &major, &minor)
		return major, minor
	}
	major, minor := of(version)
	myMajor, myMinor := of(Protocol)
	return major < myMajor || major == myMajor && minor < myMinor
}

// agree refuses a farm of another version.
func (c *Conn) agree(ctx context.Context) error {
	kv, err := c.js.KeyValue(ctx, farmBucket)
	if err != nil {
		return err
	}
	e, err := kv.Get(ctx, protocolKey)
	if err != nil {
		return err
	}
	if theirs := string(e.Value()); theirs != Protocol {
		return message.Errorf("the farm speaks version %.20q and this program %q: install the same Realword on every computer", theirs, Protocol)
	}
	return nil
}

// Close ends the connection. Jobs stay queued, and whoever waits for the events of one hears that it has failed.
func (c *Conn) Close() { c.nc.Close() }

// ID tells this farm from others, also from one that was set up anew at the same address.
func (c *Conn) ID() string { return c.jobs.CachedInfo().Created.UTC().Format(time.RFC3339Nano) }

// Connected tells whether the farm answers.
func (c *Conn) Connected() bool { return c.nc.IsConnected() }

// ending is for what ends something, also where ctx has ended. It lasts as long as limit, but where ctx has ended and the farm is away no
// longer than patience.
func (c *Conn) ending(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	go func() {
		select {
		case <-ctx.Done():
		case <-last.Done():
		}
		tick := time.NewTicker(patience / 10)
		defer tick.Stop()
		for there := time.Now(); last.Err() == nil; {
			select {
			case <-last.Done():
			case <-tick.C:
				if c.Connected() {
					there = time.Now()
				} else if time.Since(there) > patience {
					cancel()
				}
			}
		}
	}()
	return last, cancel
}

// OnChange calls f whenever the connection was lost or is back, off the caller's goroutine.
func (c *Conn) OnChange(f func(connected bool, why error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = append(c.changed, f)
}

func (c *Conn) change(connected bool, why error) {
	c.mu.Lock()
	list := c.changed
	if !connected {
		for end := range c.long {
			(*end)(nats.ErrDisconnected)
		}
	}
	c.mu.Unlock()
	for _, f := range list {
		f(connected, why)
	}
}

// explain says what a server's refusal means.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err):
		return message.Errorf("the farm's store is full (%w): wait until results are fetched, or give the farm more room", err)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return message.Errorf("the NATS server has no JetStream for this account (%w): enable it there", err)
	case errors.Is(err, nats.ErrPermissionViolation):
		return message.Errorf("this pairing may not do that (%w): pair the computer again with the right role", err)
	}
	return err
}

// isFull tells that the farm has no room for something.
func isFull(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && full(api)
}

// full tells that the server has no room: insufficient resources, insufficient storage, a message that could not be stored.
func full(e *jetstream.APIError) bool {
	return e.ErrorCode == 10023 || e.ErrorCode == 10047 || e.ErrorCode == 10077
}

// again does something that a server's absence alone makes fail until it succeeds, the context ends, or it fails for another reason.
func again(ctx context.Context, do func(context.Context) error) error {
	return againWithin(ctx, patience, do)
}

// patience is how long a server may take for an answer of a few bytes.
const patience = 3 * time.Second

// patienceFor is how long it may take for so many bytes: 1 MB a second is the slowest network.
func patienceFor(size int64) time.Duration {
	return patience + time.Duration(size)*time.Microsecond
}

func againWithin(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	wait := 50 * time.Millisecond
	for {
		try, cancel := context.WithTimeout(ctx, limit)
		err := do(try)
		late := try.Err() != nil // whatever it says then: the object store calls a file damaged of which half had come
		cancel()
		if err == nil || ctx.Err() != nil || !late && !absent(err) {
			return explain(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			wait = min(2*wait, time.Second)
		}
	}
}

// absent tells that the server did not answer, as opposed to saying no.
func absent(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == 503 && !full(api) // not ready, no leader
	}
	// The object store reads pieces by way of the older interface, with errors of its own.
	if old := (*nats.APIError)(nil); errors.As(err, &old) {
		return old.Code == 503 && !full(&jetstream.APIError{ErrorCode: jetstream.ErrorCode(old.ErrorCode)}) ||
			old.ErrorCode == nats.JSErrCodeConsumerNotFound // the one that read them went with its server
	}
	for _, e := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, jetstream.ErrNoStreamResponse, nats.ErrNoStreamResponse,
		nats.ErrDisconnected,
		nats.ErrConnectionReconnecting,
		nats.ErrReconnectBufExceeded, nats.ErrStaleConnection, jetstream.ErrAsyncPublishTimeout, jetstream.ErrNoHeartbeat,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Result is what became of a picture.
type Result struct {
	Worker   string         `json:"worker"`
	ID       string         `json:"id"` // of the worker
	Provider string         `json:"provider,omitempty"`
	Blobs    []string       `json:"blobs,omitempty"` // SHA-256 of its events from the first to PictureReady, in pieces
	From     int            `json:"from,omitempty"`  // the first step that this worker made
	Tries    int            `json:"tries,omitempty"`
	Problem  string         `json:"problem,omitempty"` // why there is none
	Said     *message.Parts `json:"said,omitempty"`    // the same, as package message has it; nil: it is no such error

	Plan *memory.Plan `json:"plan,omitempty"` // what it needs, where memory is why
}

// try is how often a picture was begun without a new kept step.
type try struct {
	N      int    `json:"n"`
	Step   int    `json:"step"` // the kept step that the last one began with
	Why    string `json:"why"`  // what the last one said; "" where it said nothing
	Worker string `json:"worker"`

	Refused []string `json:"refused,omitempty"` // IDs of workers that do not take it
	Failed  []string `json:"failed,omitempty"`  // IDs of workers that failed at it from Step
}

// get reads a value; jetstream.ErrKeyNotFound where there is none.
func get(ctx context.Context, kv jetstream.KeyValue, key string) (data []byte, err error) {
	err = again(ctx, func(ctx context.Context) error {
		e, err := kv.Get(ctx, key)
		if err == nil {
			data = e.Value()
		}
		return err
	})
	return data, err
}

// stepOf is the step that a run begins with that goes on from a State; nil: from noise.
func stepOf(from *inference.State) int {
	if from == nil {
		return 0
	}
	return from.Step
}

// unit is a picture in a job, as keys name it.
func unit(job string, picture int) string { return fmt.Sprintf("%s.%d", job, picture) }

// ModelID is what two computers compare to know that they have the same model: the SHA-256 of its graphs and weights, wherever they lie,
// and of how they are used.
func ModelID(m bundle.Manifest) string {
	var of struct {
		Graphs, Files map[string]string
		Outside       []string
		Schedule      bundle.Schedule
		Latent        bundle.Latent
		HeightFirst   bool `json:",omitempty"`
	}
	of.Files, of.Schedule, of.Latent, of.HeightFirst = map[string]string{}, m.Schedule, m.Latent, m.Text.HeightFirst
	for name, sum := range m.Files {
		if !strings.HasSuffix(name, ".onnx") { // graphs name the places of weights, which differ
			of.Files[name] = sum
		}
	}
	for _, f := range m.Mapped {
		of.Outside = append(of.Outside, f.SHA256)
	}
	of.Graphs = map[string]string{}
	for name, file := range m.Graphs {
		of.Graphs[string(name)] = file
		if len(m.Mapped) == 0 {
			of.Files[file] = m.Files[file]
		}
	}
	data, err := json.Marshal(of)
	if err != nil {
		panic(err) // plain values
	}
	return files.Sum(data)[:24]
}

// putBlob stores bytes under their SHA-256 unless they are there and young.
func (c *Conn) putBlob(ctx context.Context, data []byte) (name string, err error) {
	name = files.Sum(data)
	info, err := c.blobInfo(ctx, name)
	if err == nil && info.Size == uint64(len(data)) {
		if age, err := c.age(ctx, info.ModTime); err != nil || age < renewBlobs {
			return name, err
		}
	}
	if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		return name, err
	}
	return name, c.put(ctx, name, data)
}

// lasting does something with so many bytes as again does. A connection that is lost ends a try at once.
func (c *Conn) lasting(ctx context.Context, size int64, do func(context.Context) error) error {
	return againWithin(ctx, patienceFor(size), func(ctx context.Context) error {
		try, end := context.WithCancelCause(ctx)
		defer end(nil)
		c.mu.Lock()
		if c.long == nil {
			c.long = map[*context.CancelCauseFunc]bool{}
		}
		c.long[&end] = true
		c.mu.Unlock()
		err := do(try)
		c.mu.Lock()
		delete(c.long, &end)
		c.mu.Unlock()
		if err != nil && errors.Is(context.Cause(try), nats.ErrDisconnected) {
			err = nats.ErrDisconnected
		}
		return err
	})
}

func (c *Conn) put(ctx context.Context, name string, data []byte) error {
	return c.lasting(ctx, int64(len(data)), func(ctx context.Context) error {
		_, err := c.blobs.Put(ctx, jetstream.ObjectMeta{Name: name}, bytes.NewReader(data))
		return err
	})
}

// blobInfo is asked for by itself: an answer of a few bytes that is lost with the server must not be waited for as long as a file may take.
func (c *Conn) blobInfo(ctx context.Context, name string) (info *jetstream.ObjectInfo, err error) {
	err = again(ctx, func(ctx context.Context) error {
		info, err = c.blobs.GetInfo(ctx, name)
		return err
	})
	return info, err
}

// age is how old is what the farm got at a moment, by the server's clock alone. Of a server that does not say how late it is, all is old.
func (c *Conn) age(ctx context.Context, since time.Time) (age time.Duration, err error) {
	err = again(ctx, func(ctx context.Context) error {
		info, err := c.jobs.Info(ctx)
		if age = renewBlobs; err == nil && !info.TimeStamp.IsZero() {
			age = info.TimeStamp.Sub(since)
		}
		return err
	})
	return age, err
}

// putOwn stores bytes that one picture alone needs, so that they can be deleted with it: under their SHA-256 and a word of their own.
func (c *Conn) putOwn(ctx context.Context, data []byte) (name string, err error) {
	name = files.Sum(data) + "-" + nuid.Next()
	return name, c.put(ctx, name, data)
}

// blob reads what putBlob or putOwn has named, if it weighs no more than limit.
func (c *Conn) blob(ctx context.Context, name string, limit int64) (data []byte, err error) {
	sum, _, _ := strings.Cut(name, "-")
	info, err := c.blobInfo(ctx, name)
	if err == nil && info.Size > uint64(limit) {
		return nil, message.Errorf("it has %s, and at most %s are taken", files.Bytes(int64(min(info.Size, 1<<62))), files.Bytes(limit))
	}
	if err == nil {
		err = c.lasting(ctx, int64(info.Size), func(ctx context.Context) error {
			data, err = c.blobs.GetBytes(ctx, name)
			return err
		})
	}
	if name == "" || errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, message.Errorf("the file %.12s of the job is no longer on the farm: hand the job over again", name)
	}
	if err == nil && files.Sum(data) != sum {
		return nil, message.Errorf("the file %.12s of the job came damaged from the farm: hand the job over again", sum)
	}
	return data, err
}
