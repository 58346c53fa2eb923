// Package hdrop is how files and pictures go between this program and others on Windows: the list of files in the clipboard (CF_HDROP), as
// the Explorer copies and pastes it, pictures there ("PNG", CF_DIBV5, CF_DIB), a file that is dragged out of the window (OLE), and folders
// that the Explorer shows.
//
// Contract: Paste, Copy, CopyPicture and Show may be called on any goroutine; another program that has the clipboard open is waited for
// shortly. What others put there is read by the size of its block, whatever it says of itself. A Drag belongs to the goroutine of the
// window that it leaves, which has to stay on one thread; where a file goes, it is copied and never moved. On other systems nothing is
// exported.
package hdrop
