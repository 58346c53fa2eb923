package roomtest

import (
	"testing"
	"time"
	_ "unsafe" // for go:linkname
)

// Forget has Fyne forget all widgets when a test has ended. Windows do so a minute after they were seen last, tests never: the later ones
// would spend a third of their time on looking through what earlier ones have left behind.
func Forget(t testing.TB) {
	t.Cleanup(func() {
		later := time.Now().Add(time.Hour)
		destroyExpiredRenderers(later)
		destroyExpiredCanvases(later)
	})
}

//go:linkname destroyExpiredRenderers fyne.io/fyne/v2/internal/cache.destroyExpiredRenderers
func destroyExpiredRenderers(now time.Time)

//go:linkname destroyExpiredCanvases fyne.io/fyne/v2/internal/cache.destroyExpiredCanvases
func destroyExpiredCanvases(now time.Time)
