// Package command is the table of everything that the user can do: it makes the menus, hears the keys, draws the tool buttons and the
// sheet in which keys are changed, so that each action is written down once, beside the panel that does it.
//
// Contract: it knows actions and no panel; who owns a window gives it the table (All), the user's own keys (Own) and says what becomes of
// new ones (OnKeys). Everything belongs to Fyne's goroutine.
package command
