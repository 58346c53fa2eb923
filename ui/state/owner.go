package state

// Owner is the State of one window, and the only one that writes it: rooms read it with Now and say with Change what is to be different.
// It belongs to Fyne's goroutine.
type Owner struct {
	State
	OnChange func() // makes everything on the screen equal to the State

	held  int  // calls of Change that are under way, and OnChange
	stale bool // the screen may differ from the State
}

// mostRenders is how often the screen follows what it changes itself, such as the text of a field. Where it does not come to rest by
// then, the next change goes on with it: a window that lags beats one that hangs.
const mostRenders = 4

// Now is the State as it is.
func (o *Owner) Now() State { return o.State }

// Change has f make the State another one, and then the screen equal to it. What is changed meanwhile, by f through others or by
// OnChange, is shown once, when that is done.
func (o *Owner) Change(f func(*State)) {
	o.held++
	f(&o.State)
	o.held--
	o.Refresh()
}

// Refresh makes the screen equal to the State, and to what else it shows.
func (o *Owner) Refresh() {
	o.stale = true
	for n := 0; o.held == 0 && o.stale && n < mostRenders; n++ {
		o.stale = false
		o.held++
		o.OnChange()
		o.held--
	}
}
