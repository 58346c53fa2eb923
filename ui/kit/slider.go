package kit

import (
	"cmp"
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
)

// The γ between which the paper finds that both the word and the likeness are kept.
const SafeLow, SafeHigh = 0.15, 0.4

// Dial is a slider under its name and its value, which can be dragged, turned and typed.
type Dial struct {
	*fyne.Container
	name   *Line
	Value  *Line
	Slider *Slider
	number *Number
	format func(float64) string
}

// NewDial makes a dial from low to high. changed is called on the window's goroutine for every change by the user.
func NewDial(name string, low, high, step float64, format func(float64) string, changed func(float64), behind ...fyne.CanvasObject) *Dial {
	d := &Dial{name: Caption(name), Value: Caption(""), format: format}
	d.Value.Color = theme.ColorNameForeground
	d.Slider = NewSlider(low, high)
	d.Slider.Step = step
	d.number = NewNumber(d.Value, d.Slider, format)
	d.Slider.OnChanged = func(v float64) {
		d.Value.Set(format(v))
		d.number.Follow()
		d.Container.Refresh()
		changed(v)
	}
	head := container.NewBorder(nil, nil, nil, d.number, Whole(d.name, nil))
	d.Container = container.New(Stacked{-2}, container.New(Inset{4, 0}, head), container.NewStack(append(behind, Track(d.Slider))...),
		container.New(Inset{4, 0}, d.number.Said))
	return d
}

// Explain has a sentence come up under the pointer, and answers the dial.
func (d *Dial) Explain(about string) *Dial {
	d.Slider.Explain(func() string { return about })
	return d
}

// Picture has a picture stand over that sentence, and answers the dial.
func (d *Dial) Picture(picture func() image.Image) *Dial {
	d.Slider.tip.Picture = picture
	return d
}

// Set shows a value without calling back.
func (d *Dial) Set(v float64) {
	if text := d.format(v); text != d.Value.Text {
		d.Value.Set(text)
		d.Container.Refresh()
	}
	if d.Slider.Value != v {
		d.Slider.Value = v
		d.Slider.Refresh()
	}
	d.number.Follow()
}

// Remark is what is said of a value that was typed; "": nothing.
func (d *Dial) Remark() string { return d.number.Said.Text }

// Unsay takes away what was said of a value that was typed.
func (d *Dial) Unsay() { d.number.Unsay() }

func (d *Dial) Limit(high float64) {
	if d.Slider.Max != high {
		d.Slider.Max = high
		d.Slider.Refresh()
	}
}

// Band lies behind a slider and marks the values between from and to.
type Band struct{ Low, High, From, To float64 }

// The track of Fyne's slider begins and ends this far inside the widget; see its endOffset.
func trackInset() float32 {
	return (theme.IconInlineSize()-4)/2 + theme.InnerPadding() - 1.5
}

func (b Band) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	pad := trackInset()
	at := func(v float64) float32 { return pad + float32((v-b.Low)/(b.High-b.Low))*(size.Width-2*pad) }
	for _, o := range objects {
		place(o, at(b.From), size.Height/2-5, at(b.To)-at(b.From), 10)
	}
}

func (b Band) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// Track gives a slider a track that can be seen on panels; Fyne paints it like the inside of text fields.
func Track(s *Slider) fyne.CanvasObject {
	return newThemed(renamed{Theme(), theme.ColorNameInputBackground, ColorTrack}, s)
}

// ShortTrack is a Track in a row, so large in texts of the usual size: its knob grows with the texts, and so does the way that it has. A
// height of 0 is the slider's own.
func ShortTrack(s *Slider, size fyne.Size) fyne.CanvasObject {
	return container.New(short{size}, Track(s))
}

type short struct{ size fyne.Size }

func (s short) MinSize(objects []fyne.CanvasObject) fyne.Size {
	scale := max(TextScale(), 1)
	return fyne.NewSize(s.size.Width*scale, cmp.Or(s.size.Height*scale, largest(objects).Height))
}

func (short) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

// NarrowTrack is a Track where there is no more room for larger texts: its knob stays as small as it is with those of the usual size.
func NarrowTrack(s *Slider) fyne.CanvasObject {
	return newThemed(smallKnob{renamed{Theme(), theme.ColorNameInputBackground, ColorTrack}}, s)
}

type smallKnob struct{ renamed }

func (k smallKnob) Size(name fyne.ThemeSizeName) float32 {
	size := k.renamed.Size(name)
	if name == theme.SizeNameInlineIcon {
		size /= max(TextScale(), 1)
	}
	return size
}
