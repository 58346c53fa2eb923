// Package hdrop is how files go between this program and others on Windows: the list of files in the clipboard (CF_HDROP), as the Explorer
// copies and pastes it, and a file that is dragged out of the window (OLE).
//
// Contract: Paste and Copy may be called on any goroutine; another program that has the clipboard open is waited for shortly. A Drag
// belongs to the goroutine of the window that it leaves, which has to stay on one thread; where a file goes, it is copied and never moved.
// On other systems the package is empty.
package hdrop
