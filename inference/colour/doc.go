// Package colour brings the colours of pictures to sRGB: from ICC profiles (grey, RGB and CMYK; curves, matrices and tables), from
// the code points of video (cICP) and from PNG's gamma and chromaticities.
//
// Contract: pure Go, nothing of Realword imported. Profiles come from strangers: a damaged or hostile one is an error, never a panic,
// and costs time and memory in proportion to its bytes. A Space never changes after it was made, so many goroutines may use it.
// Results are within 3 of 255 of LittleCMS with the perceptual intent.
package colour
