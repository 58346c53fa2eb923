package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"realword/inference/message"
	"realword/inference/tensor"
)

// Fallback is a Runtime that computes on a device and, from the first DeviceError on, on the processor: the call in which the
// device fails is made again there, so a generation goes on from where it was. What the device kept is computed again
// where it is next read. It goes back to a device whose memory was too little by Again, to a lost one only in a new Fallback. Provider and
// Again may be called from any goroutine.
type Fallback struct {
	device Runtime
	cpu    func() (Runtime, error)

	mu    sync.Mutex
	now   Runtime
	why   error // a sentence of package message; nil: it is where it was
	short bool  // of memory
}

var (
	_ Runtime   = (*Fallback)(nil)
	_ Placed    = (*Fallback)(nil)
	_ Inspector = (*Fallback)(nil)
	_ Carded    = (*Fallback)(nil)
	_ Compiler  = (*Fallback)(nil)
)

// NewFallback returns a runtime that starts on device. cpu is called once at most, when it is needed.
func NewFallback(device Runtime, cpu func() (Runtime, error)) *Fallback {
	return &Fallback{device: device, cpu: sync.OnceValues(cpu), now: device}
}

// Describe implements Runtime.
func (f *Fallback) Describe() string { return f.current().Describe() }

// Provider implements Placed.
func (f *Fallback) Provider() (name, why string) {
	now := f.current()
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := now.(Placed); ok {
		name, _ = p.Provider()
	}
	if f.why != nil {
		why = f.why.Error()
	}
	return name, why
}

// Why is why the device is not used any more, as package message says it; nil while it is.
func (f *Fallback) Why() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why
}

// Again has the device used again, if it was left because its memory was too little for something: that may have been one large picture, or
// another program.
func (f *Fallback) Again() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.short {
		f.now, f.why, f.short = f.device, nil, false
	}
}

// Weights implements Inspector: a file has the same weights on every device.
func (f *Fallback) Weights(path string) ([]Weight, error) {
	i, ok := f.device.(Inspector)
	if !ok {
		return nil, fmt.Errorf("the runtime of %s does not tell what %s holds", f.device.Describe(), path)
	}
	return i.Weights(path)
}

// Card implements Carded: it is the device's while that is used.
func (f *Fallback) Card() (c Card, ok bool) {
	if card, is := f.current().(Carded); is {
		return card.Card()
	}
	return Card{}, false
}

// Compiled implements Compiler: graphs are compiled while the device is used.
func (f *Fallback) Compiled(path string, opts Options, changed bool) (o Opened, ok bool) {
	if c, is := f.current().(Compiler); is {
		return c.Compiled(path, opts, changed)
	}
	return Opened{}, false
}

func (f *Fallback) current() Runtime {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// leave goes over to the processor because of err, when that is an error of the device; else, or where there is no processor to
// go to, it returns false.
func (f *Fallback) leave(err error) bool {
	var trouble *DeviceError
	if !errors.As(err, &trouble) {
		return false
	}
	cpu, bad := f.cpu()
	if bad != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != cpu {
		f.now, f.short = cpu, trouble.OutOfMemory
		f.why = message.Errorf("%s failed, so the CPU goes on: %s", trouble.Device, trouble.Why)
		if trouble.OutOfMemory {
			f.why = message.Errorf("%s has not enough memory for this picture, so the CPU goes on: choose a smaller size, or close other programs that use the graphics card", trouble.Device)
		}
	}
	return true
}

// Open implements Runtime.
func (f *Fallback) Open(path string, opts Options) (Session, error) {
	s := &fallbackSession{f: f, path: path, opts: opts}
	err := s.open()
	if err != nil && f.leave(err) {
		err = s.open()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// fallbackSession is a graph on the device where the runtime is now.
type fallbackSession struct {
	f    *Fallback
	path string
	opts Options
	on   Runtime // where s is open
	s    Session // nil after Close
}

var _ Keeper = (*fallbackSession)(nil)

func (s *fallbackSession) open() error {
	on := s.f.current()
	fresh, err := on.Open(s.path, s.opts)
	if err == nil {
		s.on, s.s = on, fresh
	}
	return err
}

func (s *fallbackSession) Inputs() []Port  { return s.s.Inputs() }
func (s *fallbackSession) Outputs() []Port { return s.s.Outputs() }

func (s *fallbackSession) Close() error {
	if s.s == nil {
		return nil
	}
	err := s.s.Close()
	s.s = nil
	return err
}

// attempt calls run on the device where the runtime is now, and once more where it went meanwhile.
func (s *fallbackSession) attempt(ctx context.Context, run func() error) error {
	if s.s == nil {
		return fmt.Errorf("run %s: the session is closed", s.path)
	}
	try := func() error {
		if on := s.f.current(); s.on != on {
			_ = s.s.Close() // a lost device may refuse; its memory is gone in any case
			if err := s.open(); err != nil {
				return err
			}
		}
		return run()
	}
	err := try()
	if err != nil && ctx.Err() == nil && s.f.leave(err) {
		err = try()
	}
	return err
}

func (s *fallbackSession) Run(ctx context.Context, inputs map[string]*tensor.Tensor,
	outputs ...string,
) (out map[string]*tensor.Tensor, err error) {
	err = s.attempt(ctx, func() error {
		out, err = s.s.Run(ctx, inputs, outputs...)
		return err
	})
	return out, err
}

func (s *fallbackSession) Keep(ctx context.Context, inputs map[string]*tensor.Tensor,
	outputs ...string,
) (kept map[string]Value, err error) {
	b := &batch{f: s.f, path: s.path, opts: s.opts, inputs: maps.Clone(inputs), outputs: outputs}
	err = s.attempt(ctx, func() error {
		b.on = s.on
		b.values, err = keep(ctx, s.s, inputs, outputs)
		return err
	})
	if err != nil {
		return nil, err
	}
	kept = map[string]Value{}
	for name, v := range b.values {
		kept[name] = &moving{batch: b, name: name, dtype: v.DType(), shape: v.Shape()}
	}
	return kept, nil
}

func (s *fallbackSession) RunKept(ctx context.Context, inputs map[string]*tensor.Tensor, kept map[string]Value,
	outputs ...string,
) (out map[string]*tensor.Tensor, err error) {
	err = s.attempt(ctx, func() error {
		here := map[string]Value{}
		for name, v := range kept {
			m, ours := v.(*moving)
			if !ours {
				return fmt.Errorf("run %s: input %s: the kept value is of another runtime", s.path, name)
			}
			if here[name], err = m.at(ctx, s.on); err != nil {
				return err
			}
		}
		out, err = runKept(ctx, s.s, inputs, here, outputs)
		return err
	})
	return out, err
}

// keep and runKept serve devices that cannot keep values as well: there a value is a tensor.
func keep(ctx context.Context, s Session, inputs map[string]*tensor.Tensor, outputs []string) (map[string]Value, error) {
	if k, ok := s.(Keeper); ok {
		return k.Keep(ctx, inputs, outputs...)
	}
	out, err := s.Run(ctx, inputs, outputs...)
	kept := map[string]Value{}
	for name, t := range out {
		kept[name] = held{t}
	}
	return kept, err
}

func runKept(ctx context.Context, s Session, inputs map[string]*tensor.Tensor, kept map[string]Value,
	outputs []string,
) (map[string]*tensor.Tensor, error) {
	if k, ok := s.(Keeper); ok {
		return k.RunKept(ctx, inputs, kept, outputs...)
	}
	all := maps.Clone(inputs)
	if all == nil {
		all = map[string]*tensor.Tensor{}
	}
	for name, v := range kept {
		all[name] = v.(held).t
	}
	return s.Run(ctx, all, outputs...)
}

type held struct{ t *tensor.Tensor }

func (h held) DType() tensor.DType { return h.t.DType }
func (h held) Shape() []int        { return h.t.Shape }
func (held) Close()                {}

// batch is what one Keep left, and how to make it again: its inputs are small beside its outputs.
type batch struct {
	f       *Fallback
	path    string
	opts    Options
	inputs  map[string]*tensor.Tensor
	outputs []string
	on      Runtime
	values  map[string]Value
	closed  map[string]bool
}

// move makes the values again on another device. Where that fails, the batch keeps what it had, closed, and can be moved again.
func (b *batch) move(ctx context.Context, to Runtime) (err error) {
	CloseAll(b.values)
	s, err := to.Open(b.path, b.opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	values, err := keep(ctx, s, b.inputs, b.outputs)
	if err != nil {
		return err
	}
	b.values, b.on = values, to
	for name := range b.closed {
		b.values[name].Close()
	}
	return nil
}

// moving is a kept value that follows the runtime to the processor.
type moving struct {
	batch *batch
	name  string
	dtype tensor.DType
	shape []int
}

func (m *moving) DType() tensor.DType { return m.dtype }
func (m *moving) Shape() []int        { return m.shape }

func (m *moving) Close() {
	if m.batch.closed == nil {
		m.batch.closed = map[string]bool{}
	}
	m.batch.closed[m.name] = true
	m.batch.values[m.name].Close()
}

// at returns the value on a device.
func (m *moving) at(ctx context.Context, on Runtime) (Value, error) {
	if m.batch.closed[m.name] {
		return nil, fmt.Errorf("the kept value %s is closed", m.name)
	}
	if m.batch.on != on {
		if err := m.batch.move(ctx, on); err != nil {
			return nil, err
		}
	}
	return m.batch.values[m.name], nil
}
