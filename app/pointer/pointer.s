// This file is empty: with it the compiler accepts a function without a body (pointer.go).
