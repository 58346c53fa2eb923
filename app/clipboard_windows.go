package main

import "realword/app/hdrop"

func filesInClipboard() ([]string, error)   { return hdrop.Paste() }
func filesToClipboard(paths []string) error { return hdrop.Copy(paths) }
