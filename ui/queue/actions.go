package queue

import (
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/state"
)

// targetWhere tells whether the job that the keys act on has such a place.
func (q *Queue) targetWhere(is func(state.Where) bool) bool {
	i := q.State().Queue.At(q.State().Queue.Target())
	return i >= 0 && is(q.State().Queue.Waiting[i].Where)
}

// Actions are what the user can do with jobs, by keys and menus.
func (q *Queue) Actions() []command.Action {
	waits := func() bool { return len(q.State().Queue.Waiting) > 0 }
	return []command.Action{
		{
			ID: "run.generate", Menu: command.MenuRun, Label: i18n.T("Generate"), Key: "Ctrl+Enter", Do: q.Generate, // it says why, where it cannot
		},
		{
			ID: "run.cancel", Menu: command.MenuRun, Label: i18n.T("Stop"), Key: "Ctrl+Alt+Enter", Do: q.Stop,
			Can: func() bool { return q.State().Run().Phase == state.Running },
		},
		{
			ID: "queue.next", Menu: command.MenuRun, Label: i18n.T("Generate next"), Key: "Ctrl+Shift+Enter", Do: q.GenerateNext,
			Can: func() bool { return len(q.State().Reasons()) == 0 },
		},
		{
			ID: "queue.pause", Menu: command.MenuRun, Label: i18n.T("Pause the queue"), Do: q.Pause,
			On: func() bool { return q.State().Queue.Paused },
		},
		{
			ID: "queue.up", Menu: command.MenuRun, Label: i18n.T("Move the job up"), Key: "Alt+Up",
			Do: func() { q.Move(q.State().Queue.Target(), -1) }, Can: waits,
		},
		{
			ID: "queue.down", Menu: command.MenuRun, Label: i18n.T("Move the job down"), Key: "Alt+Down",
			Do: func() { q.Move(q.State().Queue.Target(), 1) }, Can: waits,
		},
		{
			ID: "queue.hold", Label: i18n.T("Pause the job"), Do: func() { q.Hold(q.State().Queue.Target()) }, Can: waits,
			On: func() bool {
				i := q.State().Queue.At(q.State().Queue.Target())
				return i >= 0 && q.State().Queue.Waiting[i].Held
			},
		},
		{
			ID: "queue.retry", Label: i18n.T("Try again"), Do: func() { q.unpark(q.State().Queue.Target()) },
			Can: func() bool {
				i := q.State().Queue.At(q.State().Queue.Target())
				return i >= 0 && q.State().Queue.Waiting[i].Parked
			},
		},
		{
			ID: "queue.adopt", Label: i18n.T("Make with today's model"), Do: func() { q.Adopt([]int{q.State().Queue.Target()}) },
			Can: func() bool {
				i := q.State().Queue.At(q.State().Queue.Target())
				return i >= 0 && q.State().Queue.Waiting[i].Needs != ""
			},
		},
		{
			ID: "queue.here", Label: i18n.T("Make it here"), Do: func() { q.Bring(q.State().Queue.Target(), state.Here) },
			Can: func() bool { return q.targetWhere(func(w state.Where) bool { return w != state.Here }) },
		},
		{
			ID: "queue.far", Label: i18n.T("Make it on the farm"), Do: func() { q.Bring(q.State().Queue.Target(), state.Far) },
			Can: func() bool {
				return q.State().Farm.Joined && q.targetWhere(func(w state.Where) bool { return w != state.Far })
			},
		},
		{
			ID: "queue.drop", Menu: command.MenuRun, Label: i18n.T("Remove from queue"), Do: func() { q.Drop(q.State().Queue.Target()) },
			Can: waits,
		},
		{
			ID: "queue.clear", Menu: command.MenuRun, Label: i18n.T("Cancel all jobs"), Key: "Ctrl+Shift+X", Do: q.StopAll,
			Can: func() bool { return waits() || q.State().Busy() },
		},
	}
}
