package ort

// strangers is not asked on Windows, where programs lie in folders that the system guards.
func strangers(string, int) string { return "" }
