// Package hdrop is the list of files in the clipboard of Windows (CF_HDROP), as the Explorer copies and pastes it.
//
// Contract: Paste and Copy may be called on any goroutine; another program that has the clipboard open is waited for shortly. On other
// systems the package is empty.
package hdrop
