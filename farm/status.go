package farm

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"realword/inference/bundle"
	"realword/inference/message"
)

// Workers are the computers that are there, by name, without those that say far too much of themselves.
func (c *Conn) Workers(ctx context.Context) (list []WorkerInfo, err error) {
	err = again(ctx, func(ctx context.Context) error {
		list = nil
		watch, err := c.workers.WatchAll(ctx, jetstream.IgnoreDeletes())
		if err != nil {
			return err
		}
		defer func() { _ = watch.Stop() }()
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case e, ok := <-watch.Updates():
				if !ok {
					return jetstream.ErrNoHeartbeat // the list is not whole
				}
				if e == nil {
					return nil
				}
				var i WorkerInfo
				if len(e.Value()) <= maxInfo && unmarshal(e.Value(), &i) == nil && i.ID == e.Key() {
					list = append(list, i)
				}
			}
		}
	})
	slices.SortFunc(list, func(a, b WorkerInfo) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return list, err
}

// Forget takes a computer that was let out from those that are there.
func (c *Conn) Forget(ctx context.Context, name string) error {
	all, err := c.Workers(ctx)
	for _, w := range all {
		if w.Name == name {
			err = errors.Join(err, c.workers.Purge(ctx, w.ID))
		}
	}
	return err
}

// Status is how a farm is.
type Status struct {
	Workers []WorkerInfo
	Waiting int   // pictures that nobody makes yet
	Running int   // pictures in work
	Bytes   int64 // that are queued and kept
	// waiting and running pictures of which no computer that is there has the model, by its name
	Orphans map[string]int
}

// Status asks how the farm is.
func (c *Conn) Status(ctx context.Context) (s Status, err error) {
	if s.Workers, err = c.Workers(ctx); err != nil {
		return s, err
	}
	info, err := c.jobs.Info(ctx)
	if err != nil {
		return s, explain(err)
	}
	s.Waiting = int(info.State.Msgs)
	for consumer := range c.jobs.ListConsumers(ctx).Info() {
		s.Running += consumer.NumAckPending
		id := strings.TrimPrefix(consumer.Name, consumerName)
		there := slices.ContainsFunc(s.Workers, func(w WorkerInfo) bool { _, has := w.Models[id]; return has })
		if left := int(consumer.NumPending) + consumer.NumAckPending; !there && left > 0 {
			if s.Orphans == nil {
				s.Orphans = map[string]int{}
			}
			s.Orphans[consumer.Config.Description] += left
		}
	}
	s.Waiting = max(s.Waiting-s.Running, 0)
	account, err := c.js.AccountInfo(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
		return s, explain(err)
	}
	if account != nil {
		s.Bytes = int64(account.Store)
	}
	return s, nil
}

// Card is what a computer without a model must know of it to ask for pictures, for bundle.ReadCard: of the model with the ID that a
// computer which is there has.
func (c *Conn) Card(ctx context.Context, id string) ([]byte, error) {
	all, err := c.Workers(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		if sum := w.Cards[id]; sum != "" {
			return c.blob(ctx, sum, bundle.MaxCard)
		}
	}
	return nil, message.New("no computer that is there tells about this model: start realword worker on one that has it")
}

// HasModel tells whether a computer that is there has the model.
func (c *Conn) HasModel(ctx context.Context, id string) (bool, error) {
	all, err := c.Workers(ctx)
	return slices.ContainsFunc(all, func(w WorkerInfo) bool { _, has := w.Models[id]; return has }), err
}
