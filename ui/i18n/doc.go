// Package i18n says what the window says in the language of the user.
//
// Contract: T, Errorf and N take English, written out in the call, and answer the translation in assets/translations, or English
// where there is none. Numbers take the plural form that CLDR has for them. The language is one for the whole process; everything here
// may be called from any goroutine. It imports nothing of Fyne and nothing of Realword.
package i18n
