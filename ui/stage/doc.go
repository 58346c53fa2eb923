// Package stage is the picture in the middle of the window and the film under it: the picture as large as it goes, zoomed, with masks
// over it or another one beside it, the film of its steps, the plan of the next run, and their export; beside it the tools for what is
// seen and the thumbnails of the finished pictures.
//
// Contract: Panel renders the state that its Host answers, and keeps only how one looks at it: the lens, the zoom and the comparison. What
// the user does goes out through the Host's functions and the fields On…; it knows neither the window nor another room. All of it belongs
// to Fyne's goroutine, but for scene, filmScene and filmCopy: values that are painted and written on others.
package stage
