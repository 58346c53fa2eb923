package stage

import (
	"fyne.io/fyne/v2"

	"realword/ui/command"
)

// PictureMenu is what is done with the picture in view, and with how it is seen.
var PictureMenu = command.Context{
	"picture.copy", "picture.file", "picture.show", "file.save", "",
	"picture.reference", "recall.all", "recall.seed", "recall.prompt", "",
	"picture.redo", "picture.second", "view.compare", "view.compare.text", "",
	"view.inspect", "view.masks", "view.zoom.fit", "view.live",
}

// ThumbMenu is what is done with the picture of a thumbnail, which is in view then.
var ThumbMenu = command.Context{
	"picture.copy", "picture.file", "picture.show", "file.save", "",
	"picture.reference", "recall.all", "recall.seed", "recall.prompt", "",
	"picture.redo", "picture.second", "view.compare", "view.compare.text", "",
	"view.live",
}

// menuOf shows a picture of the window and its menu. Compared, it is what the picture that was in view is compared with.
func (p *Panel) menuOf(shot int, at fyne.Position) {
	if p.host.State().View.Shot != shot {
		p.view(shot)
	}
	p.host.Commands.Menu(at, ThumbMenu)
}
