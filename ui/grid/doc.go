// Package grid is the room of the grids: a page on which pictures of one job that differ in one or two things are asked for, and on which
// they appear.
//
// Contract: the page lies over the others, as those of the history and the models do. What is shown is a job of the history, read on
// Background whenever it may have changed; of the running job the cell in work shows its newest step. The page makes no picture and writes
// no history: it puts a job into the queue, also for the cells that a grid still lacks. It belongs to Fyne's goroutine.
package grid
