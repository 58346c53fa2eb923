package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// describe is a queue as text: the running round in brackets, the waiting ones, "!" for those that cannot run, and "paused".
func describe(q Queue) string {
	out := []string{}
	for _, f := range q.Flights {
		out = append(out, fmt.Sprintf("[%d]", f.Task.ID))
	}
	for _, t := range q.Waiting {
		mark := ""
		if !t.Able() {
			mark = "!"
		}
		out = append(out, fmt.Sprint(t.ID, mark))
	}
	if q.Paused {
		out = append(out, "paused")
	}
	return strings.Join(out, " ")
}

func TestQueue(t *testing.T) {
	add := func(q Queue) Queue { q, _ = q.Add(Task{}, false); return q }
	first := func(q Queue) Queue { q, _ = q.Add(Task{}, true); return q }
	next := func(q Queue) Queue {
		if t, ok := q.Next(); ok {
			return q.Begin(t, Round{})
		}
		return q
	}
	move := func(id, by int) func(Queue) Queue { return func(q Queue) Queue { return q.Move(id, by) } }
	remove := func(id int) func(Queue) Queue { return func(q Queue) Queue { return q.Remove(id) } }
	park := func(id int) func(Queue) Queue {
		return func(q Queue) Queue { return q.Change(id, func(t *Task) { t.Parked = true }) }
	}
	lose := func(id int) func(Queue) Queue {
		return func(q Queue) Queue { return q.Change(id, func(t *Task) { t.Missing = []string{"rex.png"} }) }
	}
	pause := func(q Queue) Queue { q.Paused = true; return q }
	resume := func(q Queue) Queue { q.Paused = false; return q }
	done := func(q Queue) Queue { return q.End(q.Followed().Task.ID, false) }
	fail := func(q Queue) Queue { return q.End(q.Followed().Task.ID, true) }
	three := []func(Queue) Queue{add, add, add}
	for name, c := range map[string]struct {
		do   []func(Queue) Queue
		want string
	}{
		"nothing":                {nil, ""},
		"nothing to begin":       {[]func(Queue) Queue{next}, ""},
		"one":                    {[]func(Queue) Queue{add, next}, "[1]"},
		"one at a time":          {append(three, next, next), "[1] 2 3"},
		"in order":               {append(three, next, done, next), "[2] 3"},
		"to the front":           {append(three, next, first), "[1] 4 2 3"},
		"paused":                 {append(three, pause, next), "1 2 3 paused"},
		"paused while one runs":  {append(three, next, pause, done, next), "2 3 paused"},
		"goes on":                {append(three, next, pause, done, resume, next), "[2] 3"},
		"a failure pauses":       {append(three, next, fail, next), "2 3 paused"},
		"the last one fails":     {[]func(Queue) Queue{add, next, fail}, ""},
		"up":                     {append(three, move(3, -1)), "1 3 2"},
		"down":                   {append(three, move(1, 1)), "2 1 3"},
		"beyond the top":         {append(three, move(2, -7)), "2 1 3"},
		"beyond the end":         {append(three, move(1, 7)), "2 3 1"},
		"move what is not there": {append(three, move(9, 1)), "1 2 3"},
		"remove":                 {append(three, remove(2)), "1 3"},
		"remove twice":           {append(three, remove(2), remove(2)), "1 3"},
		"remove the running one": {append(three, next, remove(1)), "[1] 2 3"},
		"parked":                 {append(three, park(1), next), "[2] 1! 3"},
		"missing pictures":       {append(three, lose(1), lose(2), lose(3), next), "1! 2! 3!"},
		"numbers are not reused": {append(three, remove(3), add), "1 2 4"},
		"cleared":                {append(three, next, pause, Queue.Clear), "[1]"},
	} {
		var q Queue
		for _, do := range c.do {
			before := describe(q)
			copied := q
			q = do(q)
			if describe(copied) != before {
				t.Fatalf("%s: a step changed the queue before it", name)
			}
		}
		if got := describe(q); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSeedsOfARound(t *testing.T) {
	for _, c := range []struct {
		seeds []uint64
		want  string
	}{
		{nil, ""},
		{[]uint64{7}, "7"},
		{[]uint64{7, 8}, "7, 8"},
		{[]uint64{7, 8, 9, 10}, "7–10"},
		{[]uint64{9, 7, 8}, "9, 7, 8"},
		{[]uint64{SeedLimit - 2, SeedLimit - 1, 0}, "4294967294–0"},
	} {
		if got := SeedList(c.seeds); got != c.want {
			t.Errorf("%v: %q, want %q", c.seeds, got, c.want)
		}
	}
}

// A list of numbers, moved by hand, is what the queue must agree with.
func TestQueuePlacesAgreeWithAList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var q Queue
	var model []int
	for range 2000 {
		switch n := len(model); rng.IntN(4) {
		case 0:
			var id int
			first := rng.IntN(2) == 0
			q, id = q.Add(Task{}, first)
			if first {
				model = slices.Insert(model, 0, id)
			} else {
				model = append(model, id)
			}
		case 1:
			if n == 0 {
				continue
			}
			id, place := model[rng.IntN(n)], rng.IntN(n+1)
			q = q.Place(id, place)
			// Whatever stood before the place still stands before it.
			var before []int
			for _, have := range model[:place] {
				if have != id {
					before = append(before, have)
				}
			}
			rest := slices.DeleteFunc(slices.Clone(model), func(have int) bool { return have == id })
			model = slices.Insert(rest, len(before), id)
		case 2:
			if n > 8 {
				id := model[rng.IntN(n)]
				q.Chosen = id
				i := slices.Index(model, id)
				q, model = q.Remove(id), slices.Delete(model, i, i+1)
				if i < len(model) && q.Target() != model[i] {
					t.Fatalf("%d is chosen after its neighbour went, want %d", q.Target(), model[i])
				}
			}
		}
		var got []int
		for _, task := range q.Waiting {
			got = append(got, task.ID)
		}
		if !slices.Equal(got, model) {
			t.Fatalf("the queue is %v, want %v", got, model)
		}
		if len(model) > 0 && !slices.Contains(model, q.Target()) {
			t.Fatalf("%d is chosen of %v", q.Target(), model)
		}
	}
}
