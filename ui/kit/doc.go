// Package kit is what the rooms of the window are furnished with: the theme, layouts, texts, buttons, tiles, sheets and tips.
//
// Contract: it knows Fyne, the words of package i18n and the colours of subjects, and nothing else of Realword: no state, no engine, no
// panel. Everything here belongs to Fyne's goroutine, but for Newest, which is for all.
package kit
