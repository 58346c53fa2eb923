package inference

import (
	"context"
	"image"
	"sync"

	"realword/inference/files"
	"realword/inference/keep"
	"realword/inference/lora"
	"realword/inference/memory"
	"realword/inference/message"
	"realword/inference/picture"
	"realword/inference/tensor"
)

// Engine runs the requests of one model, one at a time in the order in which they were started. One worker goroutine owns
// every session. Its methods may be called from any goroutine.
type Engine struct {
	model  Model
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	jobs   chan *job
	worker sync.WaitGroup
	closed error // of closing the sessions; valid after worker.Wait

	mu    sync.Mutex
	views lru[viewKey, preparedReference] // of references; guarded by mu
	notes lru[string, []string]           // of pictures, by SHA-256: what was lost when they were read; guarded by mu
	masks lru[string, readMask]           // painted, by SHA-256 of their files as given; guarded by mu
	inits lru[string, readPicture]        // pictures to begin with, by SHA-256; guarded by mu

	hints hinting // of likeness

	library *lora.Library           // guarded by mu
	loras   lru[loraFile, seenLoRA] // guarded by mu
	called  map[string]seenLoRA     // by name, as it was looked at last; guarded by mu

	works func(bool) // see OnWork

	graphs     *Graphs // the worker's; others only ask for sizes and weights
	reading    sync.Mutex
	sizes      *memory.Model // guarded by reading; nil where they are not known
	changeable *Weights      // guarded by reading; nil where they are not known
}

// viewKey is one picture seen in one way.
type viewKey struct {
	sha256 string
	square picture.Square
}

// preparedReference is what is kept of a reference that was decoded.
type preparedReference struct {
	views *tensor.Tensor // [5, 3, V, V]
	small []byte         // see picture.Small
}

// readMask is a painted mask that was read.
type readMask struct {
	painted Painted // as it is kept
	mask    *image.Gray
}

// readPicture is what is kept of a picture to begin with.
type readPicture struct {
	size  image.Point
	small []byte // see picture.Small
}

// What the engine keeps between jobs, and how many jobs may wait. At SDXL size the views of a reference are 9 MB and its
// tokens 12 MB.
const (
	keptViews   = 8
	keptTokens  = 16
	keptClasses = 64
	keptNotes   = 256
	keptMasks   = 8
	keptInits   = 8
	keptLoRAs   = 64
	maxWaiting  = 256
)

// New starts the worker of an engine. No graph is opened before the first job. Close must be called in the end. The functions
// of before are the first thing that runs on the worker's goroutine, which opens and runs every session.
func New(rt Runtime, m Model, before ...func()) *Engine {
	e := &Engine{
		works: func(bool) {},
		model: m, jobs: make(chan *job, maxWaiting), views: lru[viewKey, preparedReference]{limit: keptViews},
		notes: lru[string, []string]{limit: keptNotes}, masks: lru[string, readMask]{limit: keptMasks},
		inits: lru[string, readPicture]{limit: keptInits}, loras: lru[loraFile, seenLoRA]{limit: keptLoRAs}, called: map[string]seenLoRA{},
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.graphs = NewGraphs(rt, m)
	e.worker.Go(func() {
		for _, f := range before {
			f()
		}
		w := worker{
			engine: e, graphs: e.graphs,
			tokens: lru[viewKey, *tensor.Tensor]{limit: keptTokens}, classes: lru[viewKey, []float32]{limit: keptClasses},
		}
		e.closed = w.work(e.ctx, e.jobs)
	})
	return e
}

// Close cancels every job, waits until the running native call has ended, and closes the sessions. Every job still reports
// Failed. Close may be called again.
func (e *Engine) Close() error {
	e.cancel()
	e.worker.Wait()
	return e.closed
}

// Keep says where what the image encoders say of pictures is kept from one start of the program to the next. It is called before the
// first job; nil, as at first, keeps nothing.
func (e *Engine) Keep(in *keep.Folder) { e.graphs.store = in }

// OnWork says whom the worker tells that it begins to compute a job, or that it ends or rests. tell is called on the worker's goroutine, in
// turns, and must ask nothing of the engine or its jobs. OnWork is called before the first job.
func (e *Engine) OnWork(tell func(works bool)) { e.works = tell }

// Start checks a request as Resolve does and queues it. It answers at once: with the errors of Resolve, or with a job,
// which ends when it is done, when it is cancelled, when ctx ends, or when the engine is closed.
func (e *Engine) Start(ctx context.Context, r Request) (Job, error) {
	p, err := e.plan(ctx, r)
	if err != nil {
		return nil, err
	}
	if e.ctx.Err() != nil {
		return nil, message.New("the engine is closed: open the model again")
	}
	j := newJob(ctx, p)
	select {
	case e.jobs <- j:
		j.queued(e.ctx)
		return j, nil
	default:
		j.cancel()
		return nil, message.Errorf("%d jobs are queued: wait for some of them, or cancel them", maxWaiting)
	}
}

// Resolve returns the request with every optional field filled in: from its preset, from the model, a fresh random seed
// where there is none, and the SHA-256 of every reference. The error joins everything that is wrong with the request, each
// with its remedy; nothing of it is left for later. Resolving a resolved request changes nothing. Pictures are decoded, once
// each as long as they are among the last few, so a large new one takes a moment.
func (e *Engine) Resolve(r Request) (Request, error) { return e.ResolveContext(e.ctx, r) }

// ResolveContext is Resolve that gives up when the context ends, with the context's error.
func (e *Engine) ResolveContext(ctx context.Context, r Request) (Request, error) {
	p, err := e.plan(ctx, r)
	return p.request, err
}

// Prepare returns the loop of a request with everything encoded on graphs of the caller's, as a job begins, and the request as
// Resolve does. doing is told what begins. The loop must be closed. It runs on the calling goroutine. Errors are those of Resolve
// and of the graphs.
func (e *Engine) Prepare(ctx context.Context, g *Graphs, r Request, doing func(Stage)) (*Loop, Request, error) {
	p, err := e.plan(ctx, r)
	if err != nil {
		return nil, r, err
	}
	w := &worker{engine: e, graphs: g, tokens: lru[viewKey, *tensor.Tensor]{limit: keptTokens}}
	l, err := w.prepare(ctx, p, doing)
	return l, p.request, err
}

// Read decodes a reference for the caller to show, and keeps what the encoders see of it in its square: a request with it that is
// resolved soon need not decode it again. The reference has its SHA256, and its square the fit that the request will give it. Nothing
// of the result is the engine's. The error says what is wrong with the file.
func (e *Engine) Read(ctx context.Context, ref Reference) (*image.NRGBA, picture.Info, error) {
	img, info, err := picture.DecodeContext(ctx, ref.Data, picture.Limits{})
	if err == nil {
		_, err = e.keep(ref, img, info)
	}
	return img, info, err
}

// viewsOf returns the views of a reference, which it decodes unless it did so lately.
func (e *Engine) viewsOf(ctx context.Context, ref Reference) (preparedReference, error) {
	e.mu.Lock()
	kept, ok := e.views.get(viewKey{ref.SHA256, ref.Square})
	e.mu.Unlock()
	if ok {
		return kept, nil
	}
	img, info, err := picture.DecodeContext(ctx, ref.Data, picture.Limits{})
	if err != nil {
		return preparedReference{}, err
	}
	return e.keep(ref, img, info)
}

// keep makes of a decoded reference what is kept of it.
func (e *Engine) keep(ref Reference, img *image.NRGBA, info picture.Info) (preparedReference, error) {
	_, square, err := picture.Prepare(img, ref.Square, e.model.Manifest().Vision.Reference)
	if err != nil {
		return preparedReference{}, err
	}
	var s preparedReference
	if s.views, err = picture.Views(square); err != nil {
		return preparedReference{}, err
	}
	if s.small, err = picture.Small(img, ref.Square); err != nil {
		return preparedReference{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.views.put(viewKey{ref.SHA256, ref.Square}, s)
	if _, known := e.notes.get(ref.SHA256); !known {
		e.notes.put(ref.SHA256, info.Notes)
	}
	return s, nil
}

// readPainted returns a painted mask as it is kept, and its picture, which is only read. It decodes it unless it did so lately.
func (e *Engine) readPainted(ctx context.Context, p Painted) (readMask, error) {
	if len(p.Data) == 0 {
		return readMask{}, message.New("its picture is not here: give its file, or remove the mask")
	}
	if p.SHA256 == "" {
		p.SHA256 = files.Sum(p.Data)
	}
	e.mu.Lock()
	kept, ok := e.masks.get(p.SHA256)
	e.mu.Unlock()
	if ok {
		return kept, nil
	}
	mask, file, notes, err := picture.ReadPainted(ctx, p.Data)
	if err != nil {
		return readMask{}, err
	}
	read := readMask{Painted{SHA256: files.Sum(file), Data: file}, mask}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, again := e.masks.get(p.SHA256); !again {
		e.masks.put(p.SHA256, read)
		e.notes.put(p.SHA256, notes)
	}
	if _, known := e.masks.get(read.painted.SHA256); !known {
		e.masks.put(read.painted.SHA256, read)
	}
	return read, nil
}
