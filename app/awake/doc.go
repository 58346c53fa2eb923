// Package awake keeps the computer from going to sleep by itself while the program works: systems count what the user does, and not what a
// program computes.
//
// Contract: Hold may be called on any goroutine, any number of times, and waits for nobody; what it asks for holds until its end is called,
// once, or the process ends in whatever way. The user can still put the computer to sleep, and the screen goes dark as always. It asks
// Windows, macOS by Apple's caffeinate, and on Linux the session of the desktop or logind over D-Bus; who does not answer or refuses it is
// let be, because a computer that goes to sleep does no harm to a job. It imports nothing of Realword.
package awake
