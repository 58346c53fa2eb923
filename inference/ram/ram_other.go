//go:build !linux && !windows && !darwin

package ram

func available() int64 { return Unknown }
func used() int64      { return 0 }
func total() int64     { return 0 }
