package stage

import (
	"image"
	"image/color"
	"image/draw"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// The size of a sample in the legend, in units.
const sampleWidth, sampleHeight = 72, 26

// showLegend explains the film: every line and colour of it beside what it means.
func (p *Panel) showLegend() {
	col := func(n fyne.ThemeColorName) color.NRGBA { return kit.NRGBA(theme.ColorForWidget(n, p.film)) }
	primary, faint := col(theme.ColorNamePrimary), col(theme.ColorNameDisabled)
	rows := kit.NewColumn(8)
	add := func(text string, paint func(img *image.RGBA)) {
		const fine = 2 // pixels of a unit
		img := image.NewRGBA(image.Rect(0, 0, fine*sampleWidth, fine*sampleHeight))
		draw.Draw(img, img.Rect, image.NewUniform(col(kit.ColorWell)), image.Point{}, draw.Src)
		paint(img)
		sample := canvas.NewImageFromImage(img)
		sample.ScaleMode, sample.CornerRadius = canvas.ImageScaleSmooth, 4
		label := widget.NewLabel(text)
		label.Wrapping = fyne.TextWrapWord
		drawn := container.NewCenter(container.New(kit.Fixed{Width: sampleWidth, Height: sampleHeight}, sample))
		rows.Add(container.NewBorder(nil, nil, drawn, nil, label))
	}
	fill := func(img *image.RGBA, r image.Rectangle, c color.Color) {
		draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Over)
	}
	// curve draws a mask that comes to rest, from left to right.
	curve := func(img *image.RGBA, style int, high float32) {
		var line []picture.Point
		for x := range 9 {
			line = append(line, picture.Point{X: float32(4 + 17*x), Y: 46 - high/float32(1+x)})
		}
		picture.DrawLine(img, line, 3, picture.SubjectStyle(style).Dash, kit.SubjectColor(style))
	}
	level := func(img *image.RGBA) {
		picture.DrawLine(img, []picture.Point{{X: 0, Y: 38}, {X: 144, Y: 38}}, 2, picture.Dotted, faint)
	}
	add(i18n.T("How much each mask changed from one step to the next. Below the dotted line it is at rest."), func(img *image.RGBA) {
		level(img)
		curve(img, 0, 40)
		curve(img, 1, 28)
	})
	add(i18n.T("Upright line: from here on all masks are at rest, so that they could settle here."), func(img *image.RGBA) {
		level(img)
		curve(img, 0, 40)
		picture.DrawLine(img, []picture.Point{{X: 80, Y: 2}, {X: 80, Y: 52}}, 2, picture.Solid, faint)
	})
	add(i18n.T("Shaded: a mask moves again although it was at rest."), func(img *image.RGBA) {
		fill(img, image.Rect(92, 0, 116, 52), theme.ColorForWidget(theme.ColorNameFocus, p.film))
		level(img)
		curve(img, 0, 40)
	})
	add(i18n.T("Where a subject acts at each step, in its own colour and beside its letter."), func(img *image.RGBA) {
		for style := range 2 {
			own := kit.SubjectColor(style)
			for step := range 4 {
				fill(img, image.Rect(4+36*step, 4+24*style, 36+36*step, 24+24*style), color.NRGBA{0x40, 0x44, 0x48, 0xff})
				fill(img, image.Rect(10+36*step+8*style, 8+24*style, 22+36*step+8*style, 20+24*style), own)
			}
		}
	})
	add(i18n.T("Blue: the masks follow the words. Grey: they have settled (T_stop), and there is no guidance any more."), func(img *image.RGBA) {
		fill(img, image.Rect(0, 22, 70, 30), primary)
		fill(img, image.Rect(70, 22, 144, 30), faint)
	})
	add(i18n.T("The marker of the next job: its masks settle here. Drag it, turn the wheel over it, or use the arrow keys."), func(img *image.RGBA) {
		fill(img, image.Rect(0, 24, 144, 28), col(kit.ColorLine))
		fill(img, image.Rect(0, 24, 70, 28), primary)
		fill(img, image.Rect(64, 12, 78, 40), primary)
	})
	add(i18n.T("Hollow marker: where the masks of this film could settle. Enter takes it for the next job."), func(img *image.RGBA) {
		fill(img, image.Rect(0, 24, 144, 28), col(kit.ColorLine))
		fill(img, image.Rect(46, 12, 60, 40), primary)
		fill(img, image.Rect(49, 15, 57, 37), col(kit.ColorWell))
	})
	p.host.Layers.Sheet(i18n.T("What the film shows"), fyne.NewSize(560, 430), kit.NewPage(rows))
}
