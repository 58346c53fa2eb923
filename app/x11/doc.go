// Package x11 is a client of its own at the X server, for what no library of the window does: it gives pictures and files to the clipboard
// in several forms, takes them from there in any, and drags files into windows of other programs (XDND, version 5).
//
// Contract: it knows forms by their names ("image/png", "text/uri-list") and nothing of what is in them. A Server has a connection and an
// invisible window, until the program ends or the connection breaks; what it offers is there as long. Its methods may be called on any
// goroutine; Paste may take as long as the other program does. On other systems than Linux the package is empty.
package x11
