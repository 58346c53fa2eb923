package bundle

import "image"

// earlier are the models that the program had inside in earlier versions, with the size of their pictures. Nobody has them any more, but
// histories and pictures name them.
var earlier = map[string]image.Point{"Realword Toybox": image.Pt(128, 128)}

// Earlier tells whether a model was inside an earlier version of the program, and is no more; own is the size of its pictures.
func Earlier(model string) (own image.Point, ok bool) {
	own, ok = earlier[model]
	return own, ok
}
