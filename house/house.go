// Package house has the tests that look at the repository as a whole: which package may import what, the map of packages and the names in
// CONTRIBUTING.md, the links of the documents, what the Makefile makes of another system, and that the program is of one piece there.
//
// Contract: it holds tests only. They ask the go command, git and make, whose answers Go cannot know to be the same as before, so
// `make test` runs them each time, and nothing that takes long belongs here.
package house
