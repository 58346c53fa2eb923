package models

import (
	"reflect"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/ui/kit"
)

// TestTheBarComesToRest: one that is only hidden goes on to be drawn sixty times a second, until Fyne has forgotten what else is there.
func TestTheBarComesToRest(t *testing.T) {
	test.NewTempApp(t)
	for _, drawn := range []bool{false, true} {
		p := &Page{looking: kit.NewColumn(0)}
		p.look(true)
		bar := p.looking.Objects[0].(fyne.Widget)
		moves := func() bool {
			return reflect.ValueOf(test.WidgetRenderer(bar)).Elem().FieldByName("wasRunning").Bool()
		}
		if drawn && !moves() {
			t.Error("it does not move")
		}
		p.look(false)
		if moves() || p.Animated() {
			t.Errorf("drawn %v: the bar moves when nothing is looked at", drawn)
		}
	}
}
