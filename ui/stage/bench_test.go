package stage

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// dog is the request of a picture of a dog.
var dog = inference.Request{Prompt: "a dog", Seeds: []uint64{7}, Subjects: []inference.Subject{{Word: uitest.Word("dog"), Scope: 0.2}}}

// bench is the stage in a house of its own.
type bench struct {
	*Panel
	*roomtest.House

	sizes     Sizes
	made      []state.Task // what was asked for
	inspected []int        // subjects whose masks were
	dropped   []state.Shot
}

func newBench(t *testing.T, change func(*Host)) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t)}
	host := Host{
		State: b.Now, Change: b.Change, Refresh: b.House.Refresh, Post: b.Post, Background: b.Background, Layers: &b.Layers,
		Commands: b.Commands, Painted: func(time.Time) {}, Make: func(task state.Task) { b.made = append(b.made, task) },
		Sizes: func() Sizes { return b.sizes }, Resize: func(s Sizes, _ bool) { b.sizes = s; b.Spare(1000); b.House.Refresh() },
		Read: func(state.Shot) func() state.Shot { return nil }, Ghost: kit.NewGhost(),
	}
	if change != nil {
		change(&host)
	}
	b.Panel = New(host)
	content := container.NewStack(container.NewBorder(nil, container.NewVBox(b.Tools, b.Border, b.Film), nil, nil, b.Body), host.Ghost.Layer)
	b.OnInspect = func(subject int) { b.inspected = append(b.inspected, subject) }
	b.OnHeight = content.Refresh
	b.OnDropped = func(shot state.Shot, _ fyne.Position) { b.dropped = append(b.dropped, shot) }
	b.Move(content, func() []command.Action {
		return slices.Concat(b.FileActions(), b.MaskActions(), b.ViewActions())
	}, func() { b.Panel.Refresh(); b.RefreshSides(); b.FollowTools() }, b.Working)
	return b
}

// Refresh makes the stage equal to the state.
func (b *bench) Refresh() { b.House.Refresh() }

// send applies an event of a run.
func (b *bench) send(e inference.Event) {
	b.Change(func(s *state.State) { *s = s.Apply(0, e) })
}

// picture is a round that makes one picture in three steps.
func (b *bench) picture(r inference.Request) {
	b.State = b.State.Begin(state.Task{}, 1, 2)
	b.State.Queue.Flights[0].Run.Subjects = r.Subjects
	b.send(inference.StageStarted{Stage: inference.StageDenoise})
	for step := range 3 {
		b.send(uitest.Step(step, 3, 2, len(r.Subjects)))
	}
	b.send(uitest.Picture(r, 0))
	b.State.Shots[len(b.State.Shots)-1].Path = "/pictures/7.png"
	b.send(inference.Done{})
	b.Settle()
}
