package farm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"realword/inference/files"
	"realword/inference/message"
)

// Supply is how a worker gets models that it lacks, once its owner has allowed it.
type Supply struct {
	Larder
	Open func(ctx context.Context, dir string) (Model, error) // opens a model of the larder for this worker
	Say  func(text string)                                    // tells the owner what is fetched; nil: nobody
}

// Fetches is a model that a worker gets.
type Fetches struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Done  int64          `json:"done"`
	Total int64          `json:"total"`
	Why   string         `json:"why,omitempty"`  // nothing moves
	Said  *message.Parts `json:"said,omitempty"` // the same, as package message has it
}

// Reason is why nothing moves, for people; nil while something does.
func (f *Fetches) Reason() error {
	if f == nil || f.Why == "" {
		return nil
	}
	return Result{Problem: f.Why, Said: f.Said}.problem()
}

// How often a worker looks whether pictures wait for models that it lacks, and when it tries again one that came damaged.
const (
	lookForModels = 3 * time.Second
	afterTrouble  = 30 * time.Second // that does not go away by itself
	againDamaged  = 10 * time.Minute
)

// lacking is a model for which pictures wait.
type lacking struct {
	id, name string
	waiting  int
}

// lacks are the models that pictures wait for and the worker has not, those of most pictures first.
func (w *worker) lacks(ctx context.Context) (list []lacking, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	models, _ := w.all()
	var there []WorkerInfo // asked for where it matters: this is looked at every few seconds
	consumers := w.jobs.ListConsumers(ctx)
	for c := range consumers.Info() {
		id, is := strings.CutPrefix(c.Name, consumerName)
		if !is || slices.ContainsFunc(models, func(m Model) bool { return m.ID == id }) {
			continue
		}
		waiting := int(c.NumPending)
		if c.NumAckPending > 0 {
			if there == nil {
				if there, err = w.Workers(ctx); err != nil {
					return nil, err
				}
			}
			if !slices.ContainsFunc(there, func(i WorkerInfo) bool { _, has := i.Models[id]; return has }) {
				waiting += c.NumAckPending // in work where nobody is any more
			}
		}
		if waiting > 0 {
			list = append(list, lacking{id, cmp.Or(c.Config.Description, id), waiting})
		}
	}
	slices.SortStableFunc(list, func(a, b lacking) int { return cmp.Or(b.waiting-a.waiting, strings.Compare(a.id, b.id)) })
	return list, consumers.Err()
}

// errNobody is that no computer sends a model.
var errNobody = message.New("no computer of the farm sends it: open it in the window of one that shares or has joined the farm, or start realword farm with --model")

// supply gets models as long as the context lives.
func (w *worker) supply(ctx context.Context) {
	spoilt := map[string]time.Time{} // parcels that came damaged
	told := ""
	for {
		rest := lookForModels
		list, err := w.lacks(ctx)
		if err == nil && len(list) == 0 {
			told = ""
			w.change(func(i *WorkerInfo) { i.Fetches = nil })
		}
		for _, l := range list {
			name := files.Shown(l.name, 60)
			model, err := w.get(ctx, l, name, spoilt)
			if err == nil {
				err = w.add(ctx, model)
			}
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				told = ""
				w.change(func(i *WorkerInfo) { i.Fetches = nil })
				w.say(fmt.Sprintf("helps with %s now, too", name))
				break // what waits has changed meanwhile
			}
			if !errors.Is(err, errNobody) && !errors.Is(err, errAway) && !absent(err) {
				rest = afterTrouble
			}
			w.change(func(i *WorkerInfo) {
				f := Fetches{ID: l.id, Name: name}
				if i.Fetches != nil && i.Fetches.ID == l.id {
					f = *i.Fetches
				}
				f.Why, f.Said = err.Error(), message.PartsOf(err)
				i.Fetches = &f
			})
			if text := fmt.Sprintf("cannot get the model %s yet: %v", name, err); text != told {
				told = text
				w.say(text)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

func (w *worker) say(text string) {
	if w.options.Supply.Say != nil {
		w.options.Supply.Say(text)
	}
}

// get brings a model here and opens it.
func (w *worker) get(ctx context.Context, l lacking, name string, spoilt map[string]time.Time) (m Model, err error) {
	s := w.options.Supply
	offers, err := w.Offers(ctx)
	if err != nil {
		return m, err
	}
	why := errNobody
	for _, o := range offers {
		if o.ID != l.id {
			continue
		}
		if at, is := spoilt[o.Parcel]; is && time.Since(at) < againDamaged {
			why = errDamaged
			continue
		}
		begun := false
		dir, err := s.Fetch(ctx, w.Conn, o, func(done, total int64) {
			if !begun {
				begun = true
				licence := cmp.Or(files.Shown(o.Licence, 60), "it states none")
				w.say(fmt.Sprintf("fetches the model %s, %s, licence: %s", name, files.Bytes(total), licence))
			}
			w.change(func(i *WorkerInfo) { i.Fetches = &Fetches{ID: l.id, Name: name, Done: done, Total: total} })
		})
		if errors.Is(err, errDamaged) {
			spoilt[o.Parcel] = time.Now()
		}
		if err != nil {
			why = err
			continue
		}
		if m, err = s.Open(ctx, dir); err == nil && m.ID != l.id {
			err = errDamaged
		}
		return m, err
	}
	return m, why
}
