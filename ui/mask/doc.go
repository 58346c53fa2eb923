// Package mask is the brush: with it the masks of subjects are painted on the picture.
//
// Contract: Panel changes the painted regions of the form that its Host answers, one stroke or turn of the wheel at a time, and keeps what
// is in hand: whose mask it is, the tool, and the mask as painted while a stroke goes on. Its Easel lies over the picture and knows where
// that is by its Ground; it knows neither the window nor another room. All of it belongs to Fyne's goroutine. Masks that it has shown are
// never written again, so that others may paint them elsewhere.
package mask
