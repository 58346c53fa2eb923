// Package reuse takes a finished picture into the next job: its recipe, or parts of it, or the picture itself, as a
// reference or to be made again: one of its subjects, or all of it larger.
//
// Contract: Desk reads and asks, on a sheet where there is something to choose, and hands the result to Host.Change, or a job to
// Host.Make; it keeps nothing and knows neither the window nor another room. Files and the history are read on other goroutines, through
// Host.Background; all else belongs to Fyne's. A file that says nothing about how it was made goes to Host.OnFile.
package reuse
