// Package colour brings the colours of pictures to sRGB: from ICC profiles (grey, RGB and CMYK; curves, matrices and tables), from
// the code points of video (cICP) and from PNG's gamma and chromaticities.
//
// Contract: pure Go, and of Realword it imports nothing. Profiles are bytes of strangers: a damaged or hostile one is an error, never
// a panic, and costs time and memory in proportion to its bytes. A Space is never changed after it was made, so it may be used
// by many goroutines. Results are within 3 of 255 of LittleCMS with the perceptual intent.
package colour
