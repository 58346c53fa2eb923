package native

// Setenv does nothing: no library is told anything by variables on Windows.
func Setenv(_, _ string) {}
