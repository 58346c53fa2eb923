package bundle_test

import "errors"

func mkfifo(string) error { return errors.New("pipes have a namespace of their own") }
