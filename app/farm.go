package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"realword/farm"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/memory"
	"realword/inference/ort"
	"realword/inference/session"
)

// farmPort is where a farm listens unless it is told otherwise.
const farmPort = "7422"

// farmDir is the folder of this computer's farm, or of its way to one.
func farmDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the farm: %w: set HOME", err)
	}
	return filepath.Join(dir, "realword", "farm"), nil
}

// reach says by which farm a command goes.
type reach struct {
	server, credentials string
}

func (r *reach) flags(c *cobra.Command) {
	c.Flags().StringVar(&r.server, "server", "", "addresses of a NATS server or cluster that exists, with commas between (default: the farm that this computer serves or has joined)")
	c.Flags().StringVar(&r.credentials, "creds", "", "file with the credentials for --server")
}

// access is the way into the farm.
func (r reach) access() (farm.Access, error) {
	name, err := os.Hostname()
	if err != nil {
		name = "a computer"
	}
	if r.server != "" {
		if r.credentials != "" { // what is no file would be waited for
			if _, err := files.Read(r.credentials, 1<<20); err != nil {
				return farm.Access{}, fmt.Errorf("the credentials cannot be read: %w", err)
			}
		}
		return farm.Credentials(name, r.server, r.credentials), nil
	}
	if r.credentials != "" {
		return farm.Access{}, usagef("--creds needs --server")
	}
	dir, err := farmDir()
	if err != nil {
		return farm.Access{}, err
	}
	_, a, err := farm.Farm(dir, name)
	return a, err
}

func (r reach) dial(ctx context.Context) (*farm.Conn, error) {
	a, err := r.access()
	if err != nil {
		return nil, err
	}
	return farm.Dial(ctx, a)
}

func newFarm() *cobra.Command {
	var r reach
	var listen string
	var room float64
	var replicas int
	var models []string
	c := &cobra.Command{
		Use:   "farm",
		Short: "let other computers make pictures for this one",
		Long: `Serve a farm from this computer until it is interrupted: a queue that other computers take pictures from.
Pair each of them once: "realword farm pair NAME" prints a line, and "realword worker LINE" there makes it help.
With --server, the farm lies on a NATS server that exists, and this command only prepares it.`,
		Example: `  realword farm
  realword farm pair workstation        # prints the line for "realword worker"
  realword farm pair laptop --client    # prints the line for "realword farm join"
  realword generate --farm --prompt "a dog on the beach" --subject dog=dog.png --count 100 --out out
  realword farm --server nats://10.0.0.5:4222 --creds farm.creds --replicas 3`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			const most = 1e6 // GB
			if c.Flags().Changed("room") && !(room > 0 && room <= most) {
				return usagef("--room %g: give a number of GB, above 0 and at most %g", room, float64(most))
			}
			if replicas < 1 || replicas > 5 {
				return usagef("--replicas %d: 1 to 5 servers of a cluster can keep the same", replicas)
			}
			if r.server == "" && c.Flags().Changed("replicas") {
				return usagef("--replicas is for --server")
			}
			if r.server != "" {
				if len(models) > 0 {
					return usagef("--model is for a farm that this computer serves; with --server, realword generate --farm sends its model while it waits")
				}
				if !c.Flags().Changed("replicas") {
					replicas = 0 // a cluster's farm keeps what it has
				}
				return prepareFarm(c.Context(), r, replicas, c.OutOrStdout())
			}
			return serveFarm(c.Context(), farm.ServerOptions{
				Listen: listen, MaxBytes: int64(room * 1e9), OnRefused: func(text string) { fmt.Fprintln(c.ErrOrStderr(), "realword:", text) },
			}, models, c.OutOrStdout())
		},
	}
	r.flags(c)
	c.Flags().StringVar(&listen, "listen", "0.0.0.0:"+farmPort, "address to listen at")
	decimalFlag(c.Flags(), &room, "room", 0, "GB that may be queued and kept (default: a tenth of what is free)")
	c.Flags().StringArrayVar(&models, "model", nil, "model folder that workers with --fetch may get from here, repeatable")
	wholeFlag(c.Flags(), &replicas, "replicas", 1, "with --server: on how many servers of the cluster everything lies; a farm that is there keeps its own where this is left out")
	c.AddCommand(newFarmPair(), newFarmRevoke(), newFarmJoin(), newFarmStatus(), newFarmCard())
	return c
}

func serveFarm(ctx context.Context, o farm.ServerOptions, models []string, out io.Writer) (err error) {
	if o.Dir, err = farmDir(); err != nil {
		return err
	}
	var sent []*bundle.Bundle
	for _, path := range models {
		b, err := bundle.OpenContext(ctx, path, nil)
		if err != nil {
			return err
		}
		sent = append(sent, b)
	}
	s, err := farm.Serve(o)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := farm.Own(o.Dir)
	if err != nil {
		return err
	}
	a, err := p.Access()
	if err != nil {
		return err
	}
	conn, err := farm.Found(ctx, a, 1)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, b := range sent {
		if _, err := conn.Offer(b); err != nil {
			return err
		}
	}
	tellRenewed(conn, out)
	fmt.Fprintf(out, "The farm is at %s. Interrupt to end it; what is queued stays.\n", s.Address())
	keys, err := farm.Keys(o.Dir)
	if err != nil {
		return err
	}
	if len(keys) < 2 { // nobody but this computer
		p, err := s.Pair("worker", farm.Helper)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "To let another computer help, run there:\n\n  realword worker %s\n\n", p)
	}
	<-ctx.Done()
	return nil
}

// prepareFarm makes what a farm needs on a server that exists.
func prepareFarm(ctx context.Context, r reach, replicas int, out io.Writer) error {
	a, err := r.access()
	if err != nil {
		return err
	}
	conn, err := farm.Found(ctx, a, replicas)
	if err != nil {
		return err
	}
	conn.Close()
	tellRenewed(conn, out)
	fmt.Fprintf(out, "The farm on %s is ready. Run realword worker and realword generate --farm with the same --server.\n", r.server)
	return nil
}

// tellRenewed says what became of a farm of an earlier version.
func tellRenewed(c *farm.Conn, out io.Writer) {
	if dropped, renewed := c.Renewed(); renewed {
		fmt.Fprintf(out, "note: the farm was of an earlier version: what waited there is gone (pictures: %d); update Realword on all of its computers\n", dropped)
	}
}

func newFarmPair() *cobra.Command {
	var client bool
	c := &cobra.Command{
		Use:   "pair NAME",
		Short: "print the line that lets one more computer in",
		Long:  "Print a line that lets one more computer in. It is a secret, and works until \"realword farm revoke NAME\".\nA NAME that is paired already gets a new line, and its old one ends.",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := farmDir()
			if err != nil {
				return err
			}
			role, what := farm.Helper, "realword worker"
			if client {
				role, what = farm.Client, "realword farm join"
			}
			p, err := farm.PairHere(dir, args[0], role)
			if err != nil {
				return err
			}
			if p.Replaces {
				fmt.Fprintf(c.ErrOrStderr(), "note: %s was paired already; the line from then does not work any more\n", args[0])
			}
			fmt.Fprintf(c.ErrOrStderr(), "On %s, run: %s LINE\n", args[0], what)
			fmt.Fprintln(c.OutOrStdout(), p)
			settle(c.Context(), p)
			return nil
		},
	}
	c.Flags().BoolVar(&client, "client", false, "for a computer that hands over jobs, not for one that makes pictures")
	return c
}

// settle waits until a farm that is served takes a pairing, so that a script may use it at once. Where it is not served, nobody is waited
// for.
func settle(ctx context.Context, p farm.Pairing) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	a, err := p.Access()
	for err == nil {
		var conn *farm.Conn
		if conn, err = farm.Dial(ctx, a); err == nil {
			conn.Close()
			return
		}
		if errors.Is(err, farm.ErrRefused) && ctx.Err() == nil {
			err = nil
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func newFarmRevoke() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "let a computer out: its connection ends, its line never works again",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := farmDir()
			if err != nil {
				return err
			}
			if err := farm.Revoke(dir, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is let out: its line never works again.\n", args[0])
			return nil
		},
	}
}

func newFarmJoin() *cobra.Command {
	return &cobra.Command{
		Use:   "join PAIRING",
		Short: "hand jobs of this computer over to a farm",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := farm.ParsePairing(args[0])
			if err != nil {
				return usageError{err}
			}
			if p.Role != farm.Client {
				return usagef("this line is for realword worker: ask for one of realword farm pair NAME --client")
			}
			a, err := p.Access()
			if err != nil {
				return err
			}
			conn, err := farm.Dial(c.Context(), a)
			if err != nil {
				return err
			}
			conn.Close()
			dir, err := farmDir()
			if err != nil {
				return err
			}
			if err := farm.Join(dir, p); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "Joined. realword generate --farm makes pictures there.")
			return nil
		},
	}
}

func newFarmStatus() *cobra.Command {
	var r reach
	c := &cobra.Command{
		Use:   "status",
		Short: "computers, queue and speed",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			conn, err := r.dial(c.Context())
			if err != nil {
				return err
			}
			defer conn.Close()
			s, err := conn.Status(c.Context())
			if err != nil {
				return err
			}
			return printFarm(c.OutOrStdout(), s)
		},
	}
	r.flags(c)
	return c
}

func newFarmCard() *cobra.Command {
	var r reach
	c := &cobra.Command{
		Use:   "card MODEL FILE.card",
		Short: "fetch what must be known of a model that only the farm has",
		Long: `Write the card of a model that a computer of the farm has: its manifest and tokenizers, some hundred kilobytes in place of gigabytes.
"realword generate --farm --model FILE.card" then asks for its pictures.`,
		Args: usageArgs(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if !strings.HasSuffix(args[1], bundle.CardExtension) {
				return usagef("%s: the name of the file ends with %s", args[1], bundle.CardExtension)
			}
			conn, err := r.dial(c.Context())
			if err != nil {
				return err
			}
			defer conn.Close()
			workers, err := conn.Workers(c.Context())
			if err != nil {
				return err
			}
			for _, w := range workers {
				for id, name := range w.Models {
					if name != args[0] && id != args[0] {
						continue
					}
					data, err := conn.Card(c.Context(), id)
					if err == nil {
						_, err = bundle.ReadCard(data)
					}
					if err != nil {
						return err
					}
					return files.Write(args[1], 0, data)
				}
			}
			return fmt.Errorf("no computer of the farm that is there has a model called %q: see realword farm status", args[0])
		},
	}
	r.flags(c)
	return c
}

func printFarm(out io.Writer, s farm.Status) error {
	fmt.Fprintf(out, "%d waiting, %d in work, %s kept\n", s.Waiting, s.Running, files.Bytes(s.Bytes))
	for name, n := range s.Orphans {
		fmt.Fprintf(out, "%d of them need the model %s, which no computer that is there has\n", n, name)
	}
	if len(s.Workers) == 0 {
		fmt.Fprintln(out, "No computer helps: run realword worker on one.")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPUTER\tDEVICE\tMEMORY FREE\tMODELS\tMADE\tA PICTURE\tDOES")
	for _, w := range s.Workers {
		var models []string
		for _, name := range w.Models {
			models = append(models, name)
		}
		slices.Sort(models)
		speed, does := "", cmp.Or(w.Problem, "waits")
		if w.Picture > 0 {
			speed = fmt.Sprintf("%.1f s", w.Picture)
		}
		if w.Doing != "" && !w.Full {
			does = fmt.Sprintf("step %d of %d: %s", w.Step, w.Steps, w.Prompt)
		}
		if f := w.Fetches; f != nil {
			does += fmt.Sprintf("; fetches %s: %s of %s", f.Name, files.Bytes(f.Done), files.Bytes(f.Total))
			if why := f.Reason(); why != nil {
				does = fmt.Sprintf("cannot get %s yet: %v", f.Name, why)
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", w.Name, w.Device, memoryOf(w.Memory), strings.Join(models, ", "), w.Made, speed, does)
	}
	return table.Flush()
}

// memoryOf is what of a computer's memory is free, in a few words.
func memoryOf(m farm.Memory) string {
	var list []string
	if m.Total > 0 {
		list = append(list, fmt.Sprintf("%s of %s", files.Bytes(m.Free), files.Bytes(m.Total)))
	}
	if m.Card > 0 {
		list = append(list, fmt.Sprintf("card %s of %s", files.Bytes(m.CardFree), files.Bytes(m.Card)))
	}
	return strings.Join(list, ", ")
}

func newWorker() *cobra.Command {
	var r reach
	var m machine
	var devices, models, licences []string
	var name string
	var force bool
	var fetch float64
	c := &cobra.Command{
		Use:   "worker [PAIRING]",
		Short: "make pictures for a farm, without a window",
		Long: `Make pictures for a farm until it is interrupted. PAIRING is the line that "realword farm pair NAME" printed there; it can also stand in
the environment, as REALWORD_PAIRING, where the list of processes does not show it.
What is in work at an interrupt is handed over: another computer continues from its last step.
With --fetch, models that pictures wait for and this computer lacks are fetched from the computer that has them, and stay here.`,
		Example: `  realword worker realword-farm:…
  realword worker realword-farm:… --model ~/models/sdxl --device cuda,cuda:1
  realword worker realword-farm:… --fetch 20 --licence openrail++`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if given := strings.TrimSpace(os.Getenv("REALWORD_PAIRING")); given != "" && len(args) == 0 && r.server == "" {
				args = []string{given} // where a list of processes may show no secret
			}
			a, err := r.access()
			if len(args) == 1 {
				if r.server != "" {
					return usagef("give a pairing or --server, not both")
				}
				p, parseErr := farm.ParsePairing(args[0])
				if parseErr != nil {
					return usageError{parseErr}
				}
				a, err = p.Access()
			}
			if errors.Is(err, farm.ErrNone) {
				return errUnpaired
			}
			if err != nil {
				return err
			}
			if name != "" {
				a.Name = name
			}
			const most = 1e6 // GB
			if c.Flags().Changed("fetch") && !(fetch > 0 && fetch <= most) {
				return usagef("--fetch %g: give a number of GB, above 0 and at most %g", fetch, float64(most))
			}
			if len(licences) > 0 && fetch == 0 {
				return usagef("--licence is for --fetch")
			}
			larder := farm.Larder{Dir: dataFolder("fetched"), Most: int64(fetch * 1e9), Licences: licences}
			return work(c.Context(), a, m, models, devices, larder, force, c.ErrOrStderr())
		},
	}
	r.flags(c)
	c.Flags().StringArrayVar(&models, "model", nil, "model folder, repeatable (default: the built-in model)")
	c.Flags().StringSliceVar(&devices, "device", []string{"auto"}, "as for generate; several with commas between each make their own pictures")
	wholeFlag(c.Flags(), &m.threads, "threads", 0, "threads of one operator (default: physical cores)")
	decimalFlag(c.Flags(), &fetch, "fetch", 0, "fetch models that pictures wait for, up to so many GB in all (default: none is fetched)")
	c.Flags().StringArrayVar(&licences, "licence", nil, "with --fetch: only models that state this licence, repeatable (default: any, or none)")
	c.Flags().BoolVar(&force, "force", false, "take pictures that need more memory than there is (default: they are left to other computers)")
	c.Flags().StringVar(&name, "name", "", "what this computer is called in the farm (default: as it was paired)")
	return c
}

// errUnpaired is that a worker knows no farm.
var errUnpaired = errors.New(`this computer has no pairing: run "realword farm pair NAME" on the computer that has the farm, ` +
	`then here "realword worker PAIRING" with the line that it prints`)

// work makes pictures on every device until the context ends.
func work(ctx context.Context, a farm.Access, m machine, models, devices []string, larder farm.Larder, force bool, stderr io.Writer) error {
	conn, err := farm.Dial(ctx, a)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.OnChange(func(connected bool, why error) {
		if connected {
			fmt.Fprintln(stderr, "realword: the farm is back")
		} else if ctx.Err() == nil {
			sayAway(stderr, why)
		}
	})
	if len(models) == 0 {
		models = []string{""}
	}
	open := &workbench{machine: m, stderr: stderr}
	defer open.close()
	var all []farm.WorkerOptions
	for _, device := range devices {
		o := farm.WorkerOptions{Name: a.Name, Device: device, Version: version + " " + runtime.GOOS}
		for _, path := range models {
			model, place, err := open.open(ctx, path, device)
			if err != nil {
				return err
			}
			o.Device = cmp.Or(place, o.Device)
			o.Models = append(o.Models, model)
		}
		if larder.Most > 0 {
			for _, path := range larder.Fetched() {
				model, _, err := open.open(ctx, path, device)
				if err != nil {
					fmt.Fprintf(stderr, "note: a model that was fetched is left out: %v\n", err)
				} else if !slices.ContainsFunc(o.Models, func(m farm.Model) bool { return m.ID == model.ID }) {
					o.Models = append(o.Models, model)
				}
			}
			o.Supply = &farm.Supply{
				Larder: larder, Say: func(text string) { fmt.Fprintf(stderr, "realword: %s: %s\n", o.Name, text) },
				Open: func(ctx context.Context, dir string) (farm.Model, error) {
					model, _, err := open.open(ctx, dir, device)
					return model, err
				},
			}
		}
		computes := o.Device
		o.Force, o.Memory = force, func(ctx context.Context) (m farm.Memory) {
			m = farm.MemoryHere()
			m.CardFree, m.Card = ort.CardMemory(ctx, computes)
			return m
		}
		all = append(all, o)
	}
	var done sync.WaitGroup
	failures := make([]error, len(all))
	for i, o := range all {
		fmt.Fprintf(stderr, "realword: %s helps with %s on %s\n", o.Name, o.Models[0].Name, o.Device)
		done.Go(func() { failures[i] = conn.Work(ctx, o) })
	}
	done.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(failures...)
}

// workbench is the models that a worker has open.
type workbench struct {
	machine
	stderr io.Writer

	mu      sync.Mutex
	helpers []*helper
}

// open opens a model on a device, and says where it computes. The CPU does not step in for a card: other computers may have one that works.
func (b *workbench) open(ctx context.Context, path, device string) (m farm.Model, place string, err error) {
	one := b.machine
	one.model, one.device, one.alone = path, device, true
	e, err := one.open(ctx)
	if err != nil {
		return m, "", err
	}
	h := &helper{open: one.open, now: e, stderr: b.stderr}
	b.mu.Lock()
	b.helpers = append(b.helpers, h)
	b.mu.Unlock()
	if p, ok := e.runtime.(session.Placed); ok {
		place, _ = p.Provider()
	}
	manifest := e.bundle.Manifest()
	card, err := e.bundle.Card()
	if err != nil {
		fmt.Fprintln(b.stderr, "note:", err) // it makes pictures all the same
	}
	return farm.Model{ID: farm.ModelID(manifest), Name: manifest.Name, Engine: h, Card: card}, place, nil
}

func (b *workbench) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.helpers {
		h.engine().Close()
	}
}

// helper is a model of a worker. One whose card has failed is opened anew before the next picture; a picture that was too large for the
// card's memory is no failure of that.
type helper struct {
	open   func(context.Context) (*engine, error)
	stderr io.Writer

	mu   sync.Mutex
	now  *engine
	lost error // why it has failed; nil: it has not
}

func (h *helper) engine() *engine {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// Memory implements farm.Planner.
func (h *helper) Memory(r inference.Request) (p memory.Plan, ok bool) { return h.engine().Memory(r) }

// Start implements farm.Engine.
func (h *helper) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost != nil {
		fmt.Fprintf(h.stderr, "realword: %v: opening the model anew\n", h.lost)
		fresh, err := h.open(ctx)
		if err != nil {
			return nil, err
		}
		h.now.Close()
		h.now, h.lost = fresh, nil
	}
	job, err := h.now.Start(ctx, r)
	if err != nil {
		return nil, err
	}
	one := &helped{job, make(chan inference.Event)}
	go func() {
		defer close(one.events)
		for e := range job.Events() {
			var trouble *session.DeviceError
			if f, failed := e.(inference.Failed); failed && errors.As(f.Err, &trouble) && !trouble.OutOfMemory {
				h.mu.Lock()
				h.lost = f.Err
				h.mu.Unlock()
			}
			one.events <- e
		}
	}()
	return one, nil
}

// sayAway tells why the farm cannot be reached. Without a reason it was hung up from here.
func sayAway(stderr io.Writer, why error) {
	switch {
	case errors.Is(why, farm.ErrRefused):
		fmt.Fprintf(stderr, "realword: %v\n", why)
	case why != nil:
		fmt.Fprintf(stderr, "realword: the farm is away (%v); waiting for it\n", why)
	}
}

// helped is a job whose end a helper looks at.
type helped struct {
	inference.Job
	events chan inference.Event
}

// Events implements inference.Job.
func (h *helped) Events() <-chan inference.Event { return h.events }

// starter makes the pictures of resolved requests: an engine here, or a farm.
type starter interface {
	Start(context.Context, inference.Request) (inference.Job, error)
}

// far hands the requests of a model over to a farm, and sends it to workers that lack it. close must be called in the end.
func far(ctx context.Context, r reach, e *engine, send bool, stderr io.Writer) (to starter, close func(), err error) {
	conn, err := r.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn.OnChange(func(connected bool, why error) {
		if !connected && ctx.Err() == nil {
			sayAway(stderr, why)
		}
	})
	m := e.bundle.Manifest()
	id := farm.ModelID(m)
	look, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	q := &queue{Queue: conn.Queue(m)}
	if has, err := conn.HasModel(look, id); err == nil && !has {
		q.said.Store(true)
		fmt.Fprintf(stderr, "note: no computer of the farm that is there has the model %s; the job waits for one, or for a worker that fetches it (--fetch)\n", m.Name)
	}
	if send && !e.bundle.IsCard() {
		if _, err := conn.Offer(e.bundle); err != nil {
			fmt.Fprintf(stderr, "note: workers cannot fetch the model from here: %v\n", err)
		}
	}
	return q, conn.Close, nil
}

// queue hands requests over to a farm, and says once where no computer makes what it has got.
type queue struct {
	*farm.Queue
	said atomic.Bool
}

// Start implements starter.
func (q *queue) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	job, err := q.Queue.Start(ctx, r)
	if j, is := job.(*farm.Job); is {
		return queued{j, q}, err
	}
	return job, err
}

// queued is a job on a farm.
type queued struct {
	*farm.Job
	queue *queue
}

// unhelped is for how long a job of a farm waits for a computer before that is said, and between two looks at those that are there.
var unhelped = struct{ most, pause time.Duration }{5 * time.Second, 2 * time.Second}

// alone says what there is to say where no computer of its farm makes a job, once, until the context ends.
func (j queued) alone(ctx context.Context) <-chan string {
	said := make(chan string, 1)
	go func() {
		helped := time.Now()
		for !j.queue.said.Load() {
			switch workers, err := j.Workers(ctx); {
			case err != nil, j.Helped(workers): // a farm that is away is told of
				helped = time.Now()
			case time.Since(helped) >= unhelped.most && j.queue.said.CompareAndSwap(false, true):
				said <- "waiting for a computer of the farm: `realword farm status` shows those that are there"
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(unhelped.pause):
			}
		}
	}()
	return said
}

// ahead keeps the next jobs of a batch on their way, so that every computer of a farm has something to do.
type ahead struct {
	starter
	jobs map[string]inference.Job
	most int
}

// queue starts the first of the cases that are not started.
func (a *ahead) queue(ctx context.Context, cases []batchCase) error {
	for _, c := range cases[:min(a.most, len(cases))] {
		if a.jobs[c.name] != nil {
			continue
		}
		job, err := a.Start(ctx, c.request)
		if err != nil {
			return err
		}
		a.jobs[c.name] = job
	}
	return nil
}

// close takes back what was started and is not wanted any more.
func (a *ahead) close() {
	for _, job := range a.jobs {
		job.Cancel()
	}
	for _, job := range a.jobs {
		for range job.Events() {
		}
	}
}

// of is the job of a case that queue has started, once; further ones are started anew.
func (a *ahead) of(name string) starter { return &started{a, name} }

type started struct {
	*ahead
	name string
}

func (s *started) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	if job := s.jobs[s.name]; job != nil {
		delete(s.jobs, s.name)
		return job, nil
	}
	return s.starter.Start(ctx, r)
}
