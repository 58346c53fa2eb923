package preferences

import (
	"runtime"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference/plain"
)

// TestLookTheFontsOfEarlierLooksGo: with another size of texts all fonts are parsed anew, and those of before do not stay in memory.
func TestLookTheFontsOfEarlierLooksGo(t *testing.T) {
	plain.Run(t)
	b := newBench(t, nil)
	held := func(changes int) float64 {
		for i := range changes {
			b.Change(func(v *Values) { v.TextSize = 110 + 10*(i%2) })
			for _, style := range []fyne.TextStyle{{}, {Bold: true}, {Italic: true}, {Monospace: true}} {
				fyne.MeasureText("Realword", 13, style)
			}
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	if first, then := held(2), held(8); then > first+15 {
		t.Errorf("after two changes %.0f MB are held, after ten %.0f MB", first, then)
	}
}
