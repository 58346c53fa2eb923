package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/models/modelstest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// running is a house in which a job of the open model runs, and another one waits.
func running(t *testing.T) *bench {
	t.Helper()
	b, _ := newBench(t)
	b.Layers.Back()
	b.Change(func(s *state.State) {
		for range 2 {
			s.Queue, _ = s.Queue.Add(state.Task{Request: inference.Request{Prompt: "a dog"}, Model: "toybox"}, false)
		}
		*s = s.Begin(s.Queue.Waiting[0], 1, 2)
	})
	b.Use(modelstest.BigPath)
	if !b.sheetSays("A job is running with toybox. One more is queued.") {
		t.Fatal("nobody asks")
	}
	return b
}

// ends has the running job end, as the queue does, and says that a job may have ended.
func (b *bench) ends() {
	b.Change(func(s *state.State) {
		*s = s.Apply(s.Queue.Followed().Task.ID, inference.Done{})
		b.Follow()
	})
}

func TestAnotherModelIsUsed(t *testing.T) {
	b, _ := newBench(t)
	b.Change(func(s *state.State) {
		s.Form.Prompt, s.Form.Negative = "a dog on the beach", "blurry"
		s.Form.Cards = []state.Card{{ID: 1, Word: uitest.Word("dog")}}
	})
	b.list.Select(1)
	test.Tap(b.buttons["use"])
	b.has("Opening the model…")
	b.Settle()
	f := b.State.Form
	if f.Prompt != "a dog on the beach" || f.Negative != "blurry" || len(f.Cards) != 1 || f.Steps != 50 || f.Stop != 25 || f.CFG != 12.5 {
		t.Errorf("%+v", f)
	}
	if w := b.State.Words; len(w) != 5 || w[2].Past || !w[3].Past {
		t.Errorf("the words are read as another model reads them: %+v", w)
	}
	if b.Status.Text != "RealCustom++" || !b.buttons["use"].Hidden || !b.buttons["remove"].Disabled() {
		t.Errorf("%q; it can be used %v", b.Status.Text, !b.buttons["use"].Hidden)
	}
	for _, part := range []string{"Pictures are now 1024 × 1024.", "50 steps"} {
		if !strings.Contains(b.notice.Now.Text, part) {
			t.Errorf("%q is not said: %q", part, b.notice.Now.Text)
		}
	}
	if told := b.State.Shelf.Told; told != "RealCustom++ is now in use." || strings.Contains(b.notice.Now.Text, told) { // the page says it
		t.Errorf("the page says %q, beside it stands %q", told, b.notice.Now.Text)
	}
	if got := strings.Join(b.told, ", "); got != "another size, used "+modelstest.BigPath+", idle" {
		t.Errorf("the window hears %s", got)
	}
	if !b.engines[""].closed.Load() || b.engines[modelstest.BigPath].closed.Load() || b.Engine() != Engine(b.engines[modelstest.BigPath]) {
		t.Error("the engine of before is open, or the new one is not")
	}
	b.Close()
	if !b.engines[modelstest.BigPath].closed.Load() {
		t.Error("the end leaves an engine open")
	}
}

// Where the page is not shown, a notice says what is in use now.
func TestUsedBesideThePage(t *testing.T) {
	b, _ := newBench(t)
	b.Hide()
	b.Use(modelstest.BigPath)
	b.Settle()
	if !strings.HasPrefix(b.notice.Now.Text, "RealCustom++ is now in use.") || b.State.Shelf.Told != "" {
		t.Errorf("it says %q, and the page %q", b.notice.Now.Text, b.State.Shelf.Told)
	}
}

func TestAModelThatCannotBeUsed(t *testing.T) {
	b, m := newBench(t)
	m.Models = append(m.Models, state.Model{Path: "/models/Other", Manifest: modelstest.Big})
	b.Reload()
	b.Settle()
	b.Use("/models/Other")
	b.Settle()
	if b.State.Model.Name != "toybox" || b.engines[""].closed.Load() || b.State.Shelf.Moving || !b.notice.Now.Bad || !strings.Contains(b.notice.Now.Text, "The folder is not there.") {
		t.Errorf("%s, %q", b.State.Model.Name, b.notice.Now.Text)
	}
	if got := strings.Join(b.told, ", "); got != "idle" {
		t.Errorf("the window hears %s", got)
	}
	b.host.Hinders = func() error { return errors.New("a picture is being made again: wait") }
	b.asked()
	b.Use(modelstest.BigPath)
	b.Settle()
	if b.has("A picture is being made again: wait."); len(b.asked()) > 0 {
		t.Error("it is opened all the same")
	}
}

func TestSwitchWhileAJobRuns(t *testing.T) {
	name := func(b *bench) string {
		b.Settle()
		return fmt.Sprint(b.State.Model.Name, " ", b.State.Shelf.Next != nil)
	}
	t.Run("no", func(t *testing.T) {
		b := running(t)
		b.pressSheet("Cancel")
		if b.ends(); name(b) != "toybox false" {
			t.Error("it was switched")
		}
	})
	t.Run("later", func(t *testing.T) {
		b := running(t)
		b.pressSheet("When the queue is done")
		if b.ends(); name(b) != "toybox true" {
			t.Errorf("%s, and a job waits", name(b))
		}
		b.Change(func(s *state.State) { *s = s.Begin(s.Queue.Waiting[0], 1, 2) })
		if b.ends(); name(b) != "RealCustom++ false" {
			t.Errorf("%s after the last job", name(b))
		}
	})
	t.Run("now", func(t *testing.T) {
		b := running(t)
		b.pressSheet("Stop the job and switch")
		if !slices.Equal(b.told, []string{"stop"}) || name(b) != "toybox true" {
			t.Errorf("%v, %s", b.told, name(b))
		}
		if b.ends(); name(b) != "RealCustom++ false" || b.State.Queue.Waiting[0].Needs != "toybox" || !strings.Contains(b.notice.Now.Text, "One job is waiting for its own model.") {
			t.Errorf("%s, %q", name(b), b.notice.Now.Text)
		}
	})
}

func TestTheModelOfTheStart(t *testing.T) {
	for _, c := range []struct {
		places       Places
		asked, model string
		says         string
	}{
		{Places{}, "", "toybox", ""},
		{Places{Last: modelstest.BigPath}, modelstest.BigPath, "RealCustom++", ""},
		{Places{Given: modelstest.BigPath, Last: "/gone"}, modelstest.BigPath, "RealCustom++", ""},
		{Places{Last: "/gone"}, "/gone,", "toybox", "The model you used last cannot be opened. The folder is not there. The built-in model is open instead."},
	} {
		b, _ := started(t, c.places)
		if got := strings.Join(b.asked(), ","); got != c.asked || b.State.Model.Name != c.model || b.notice.Now.Text != c.says {
			t.Errorf("%+v: %s was asked for, %s is open, %q", c.places, got, b.State.Model.Name, b.notice.Now.Text)
		}
		if !slices.Equal(b.told, []string{"ready"}) {
			t.Errorf("%+v: the window hears %v", c.places, b.told)
		}
	}
	b, _ := started(t, Places{Last: "/gone"})
	if test.Tap(b.notice.Act); !b.Shown() || !b.notice.Hidden {
		t.Error("the button does not lead to the models")
	}
	b, _ = started(t, Places{Given: "/gone"}) // what was asked for is not replaced
	if b.Engine() != nil || b.State.Model != nil || b.State.ModelErr == nil || b.Status.Text != "no model" || len(b.told) > 0 {
		t.Errorf("%v, %q, %v", b.State.ModelErr, b.Status.Text, b.told)
	}
	b.Close()
}

// atStart is the page as at the start of the program: the model used last takes its time to open, until its answer comes, and so do others.
func atStart(t *testing.T, last string, others ...string) (b *bench, answers map[string]chan error) {
	t.Helper()
	b, _ = newBench(t)
	b.engine = nil
	b.Change(func(s *state.State) { s.Model, s.Shelf.Opened, s.Shelf.Using = nil, false, "" })
	b.places.Last, answers = last, map[string]chan error{last: make(chan error)}
	for _, path := range others {
		answers[path] = make(chan error)
	}
	open := b.host.Open
	b.host.Open = func(ctx context.Context, path string) (Engine, error) {
		if answer := answers[path]; answer != nil {
			if err := <-answer; err != nil {
				return nil, err
			}
		}
		return open(ctx, path)
	}
	b.Start()
	return b, answers
}

// TestTheUserOvertakesTheStart: the user does not wait for a large model, goes over to the small one and begins a job. Then the large one is
// open, or cannot be opened.
func TestTheUserOvertakesTheStart(t *testing.T) {
	for _, err := range []error{nil, errors.New("the drive does not answer")} {
		b, answers := atStart(t, modelstest.BigPath)
		b.list.Select(0)
		test.Tap(b.buttons["use"])
		b.Until("the small model is open", func() bool { return b.Engine() != nil && !b.State.Shelf.Moving })
		b.Change(func(s *state.State) {
			s.Queue, _ = s.Queue.Add(state.Task{Request: inference.Request{Prompt: "a dog"}, Model: "toybox"}, false)
			*s = s.Begin(s.Queue.Waiting[0], 1, 2)
		})
		job, said := b.Engine(), b.notice.Now.Text
		answers[modelstest.BigPath] <- err
		b.Settle()
		if b.State.Model.Name != "toybox" || b.State.ModelErr != nil || b.Engine() != job || b.notice.Now.Text != said {
			t.Errorf("%v: toybox was chosen, and %s is open; %v; %q", err, b.State.Model.Name, b.State.ModelErr, b.notice.Now.Text)
		}
		if err == nil && !b.engines[modelstest.BigPath].closed.Load() {
			t.Error("the engine of the large model is left open")
		}
	}
}

// TestTheStartComesWhileAnotherOpens: the model of the start is open while the one that the user has chosen meanwhile is being opened. It
// steps in when that one cannot be opened, and only then.
func TestTheStartComesWhileAnotherOpens(t *testing.T) {
	for _, err := range []error{nil, errors.New("the drive does not answer")} {
		b, answers := atStart(t, modelstest.BigPath, "")
		b.Use("")
		answers[modelstest.BigPath] <- nil
		b.Until("the large model waits", func() bool { return b.late != nil })
		if b.Engine() != nil {
			t.Error("the model of the start is open while the user goes over to another one")
		}
		answers[""] <- err
		b.Settle()
		want := "toybox"
		if err != nil {
			want = "RealCustom++"
		}
		if m := b.State.Model; m == nil || m.Name != want || b.engines[modelstest.BigPath].closed.Load() != (err == nil) {
			t.Errorf("%v: %+v is open", err, m)
		}
	}
}

// TestTheModelInUseIsRenamed: jobs that were made with it are still its own.
func TestTheModelInUseIsRenamed(t *testing.T) {
	b, _ := started(t, Places{Last: modelstest.BigPath})
	b.Show()
	b.Settle()
	b.rename(state.Model{Path: modelstest.BigPath, Manifest: modelstest.Big})
	field, _ := found(b, func(*kit.Field) bool { return true })
	field.SetText("Crayons")
	b.pressSheet("Rename")
	b.Settle()
	if m := b.State.Model; m.Name != "Crayons" || b.Status.Text != "Crayons" || !slices.Equal(m.Was, []string{"RealCustom++"}) {
		t.Errorf("%s, before %q", m.Name, m.Was)
	}
}

// TestTheNameOfTheModelIsASwitch: under it are all models that can be gone over to, though the page was never up.
func TestTheNameOfTheModelIsASwitch(t *testing.T) {
	b, m := newBench(t)
	m.Models = append(m.Models, state.Model{Path: "/models/Broken", Err: errors.New("a file is missing")})
	b.Hide()
	b.engine = nil
	b.Change(func(s *state.State) { s.Shelf.List = nil })
	b.Start()
	b.Settle()
	item := func(label string) *fyne.MenuItem {
		t.Helper()
		for _, i := range b.switches() {
			if i.Label == label {
				return i
			}
		}
		t.Fatalf("%q is not in the menu", label)
		return nil
	}
	if i := item(b.State.Model.Name); !i.Checked || i.Disabled {
		t.Errorf("the model in use: %+v", i)
	}
	if i := item("Broken"); !i.Disabled {
		t.Errorf("a broken model can be chosen: %+v", i)
	}
	b.host.Hinders = func() error { return errors.New("a picture is being made again: wait") }
	item("RealCustom++").Action()
	if b.Settle(); b.Shown() || b.State.Model.Name == "RealCustom++" || !strings.Contains(b.notice.Now.Text, "made again: wait") {
		t.Errorf("%s, %q", b.State.Model.Name, b.notice.Now.Text)
	}
	b.host.Hinders = func() error { return nil }
	item("RealCustom++").Action()
	if b.Settle(); b.State.Model.Name != "RealCustom++" || b.Status.Text != "RealCustom++" || !item("RealCustom++").Checked {
		t.Errorf("%s, %q", b.State.Model.Name, b.Status.Text)
	}
	item("Get real models…").Action()
	if !b.Shown() || !b.State.Shelf.Getting {
		t.Error("the catalogue is not up")
	}
	b.Say(strings.Repeat("long ", 20))
	if n := len([]rune(b.Status.Text)); n > longest {
		t.Errorf("%d characters in the head", n)
	}
}

// TestTheModelOfARecipe: what a recipe names is opened, also by a name of before, or offered for download; what then follows the opening.
func TestTheModelOfARecipe(t *testing.T) {
	b, m := newBench(t)
	renamed := *modelstest.Big
	renamed.Name, renamed.Was = "My model", []string{"Of old"}
	m.Models = append(m.Models, state.Model{Path: "/models/Mine", Manifest: &renamed}, state.Model{Path: "/models/Bad", Err: errors.New("a file is missing")})
	b.engines["/models/Mine"] = &engine{manifest: renamed}
	b.Reload()
	b.Settle()
	again := 0
	for _, name := range []string{b.State.Model.Name, "", "Bad", "nobody knows it"} {
		if text, do := b.Reach(name, nil); do != nil {
			t.Errorf("%q: %q", name, text)
		}
	}
	text, get := b.Reach("RealCustom++ on SDXL", nil)
	if get == nil || text != "Get RealCustom++ on SDXL…" {
		t.Fatalf("%q", text)
	}
	if get(); !b.State.Shelf.Getting {
		t.Error("the catalogue is not up")
	}
	text, open := b.Reach("Of old", func() { again++ })
	if text != "Open My model" {
		t.Errorf("%q", text)
	}
	b.host.Hinders = func() error { return errors.New("a picture is being made again: wait") }
	open()
	b.host.Hinders = func() error { return nil }
	b.Settle()
	b.Use(modelstest.BigPath) // the user has thought better of it
	if b.Settle(); again != 0 || b.State.Model.Name != "RealCustom++" {
		t.Errorf("%d, %s", again, b.State.Model.Name)
	}
	open()
	if b.Settle(); again != 1 || b.State.Model.Name != "My model" {
		t.Errorf("%d, %s", again, b.State.Model.Name)
	}
	b.Use(modelstest.BigPath)
	open() // refused: another one is being opened
	if b.Settle(); again != 1 {
		t.Error("it came back a second time, with another model")
	}
	b.Use("")
	if b.Settle(); again != 1 {
		t.Error("it came back a second time")
	}
}

// TestCancelTheImport: the menu cancels an import, and neither the check nor the download that comes before it in the list.
func TestCancelTheImport(t *testing.T) {
	b, _ := newBench(t)
	actions := b.Actions()
	cancel := actions[slices.IndexFunc(actions, func(a command.Action) bool { return a.ID == "models.cancel" })]
	tasks := []state.ModelTask{{ID: 101, Check: "/models/a"}, {ID: 102, Get: &state.Get{}}, {ID: 103, Name: "mine"}}
	for n, can := range map[int]bool{0: false, 1: false, 2: false, 3: true} {
		b.Change(func(s *state.State) { s.Shelf.Tasks = slices.Clone(tasks[:n]) })
		if cancel.Can() != can {
			t.Errorf("of %d tasks it can be used: %v", n, !can)
		}
		cancel.Do()
	}
	b.Change(func(s *state.State) { s.Shelf.Tasks = slices.Clone(tasks) })
	cancel.Do()
	if left := b.State.Shelf.Tasks; len(left) != 2 || left[0].ID != 101 || left[1].ID != 102 {
		t.Errorf("left are %+v", left)
	}
}
