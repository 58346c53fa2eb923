// Package settings is the panel on the right: presets, steps, seeds, LoRAs and what unfolds under More, and below them where the run
// stands, why none can start, what it takes of the memory, and the Generate button.
//
// Contract: Panel renders the state that its Host answers and keeps only what is unfolded and half typed. What the user sets goes out
// through Host.Change and Host.Note, what they want done through the fields On…; it knows neither the window nor another room, and starts
// no run. The user's own presets are read and kept by the Host. All of it belongs to Fyne's goroutine; the memory's plan alone is worked
// out on another.
package settings
