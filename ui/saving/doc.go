// Package saving writes finished pictures into files, and says of which that has not worked.
//
// Contract: of the window's state the room writes what Shots say of their files, and ActionErr; it knows the window by Host alone, and no
// other room. Whatever is written is noted in the history's journal, and so is what could not be: its pixels are kept there until they
// have a file. Files are written on other goroutines, through Host.Background; all else belongs to Fyne's.
package saving
