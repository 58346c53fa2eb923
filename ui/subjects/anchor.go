package subjects

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/kit"
)

// The original that a picture of an earlier round was made of stays beside it as the anchor of its subject. This is its mark.
var anchorIcon = fyne.NewStaticResource("anchor.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">`+
	`<path fill="#000" fill-rule="evenodd" d="M12 1.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4zm0 2a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4z"/>`+
	`<path fill="#000" d="M11 7.5h2V21h-2zM7.5 9.5h9v2h-9z"/>`+
	`<path fill="#000" d="M4.2 12 2 16.8l2.3-.3C5.4 20 8.4 22.4 12 22.4s6.6-2.4 7.7-5.9l2.3.3L19.8 12l-4 3.6 1.8.3c-.8 2.5-3 4.2-5.6 4.2s-4.8-1.7-5.6-4.2l1.8-.3z"/></svg>`))

// newAnchorMark is the mark, for the lower left corner of a picture.
func newAnchorMark(side float32) *fyne.Container {
	icon := widget.NewIcon(theme.NewThemedResource(anchorIcon))
	mark := container.NewStack(kit.NewPlate(kit.ColorPlate, "", side/3),
		container.New(kit.Inset{X: side / 8, Y: side / 8}, container.New(kit.Fixed{Width: side * 3 / 4, Height: side * 3 / 4}, icon)))
	return container.NewBorder(nil, kit.NewRow(0, container.New(kit.Fixed{Width: side, Height: side}, mark)), nil, nil)
}
