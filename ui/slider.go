package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
)

// The γ between which the paper finds that both the word and the likeness are kept.
const safeLow, safeHigh = 0.15, 0.4

// dial is a slider under its name and its value.
type dial struct {
	*fyne.Container
	name   *line
	value  *line
	slider *slider
	format func(float64) string
}

// newDial makes a dial from low to high. changed is called on the window's goroutine for every change by the user.
func newDial(name string, low, high, step float64, format func(float64) string, changed func(float64), behind ...fyne.CanvasObject) *dial {
	d := &dial{name: caption(name), value: caption(""), format: format}
	d.value.color = theme.ColorNameForeground
	d.slider = newSlider(low, high)
	d.slider.Step = step
	d.slider.OnChanged = func(v float64) {
		d.value.set(format(v))
		d.Container.Refresh()
		changed(v)
	}
	head := container.NewBorder(nil, nil, nil, d.value, d.name)
	d.Container = container.New(stacked{-2}, container.New(inset{4, 0}, head), container.NewStack(append(behind, track(d.slider))...))
	return d
}

// set shows a value without calling back.
func (d *dial) set(v float64) {
	if text := d.format(v); text != d.value.text {
		d.value.set(text)
		d.Container.Refresh()
	}
	if d.slider.Value != v {
		d.slider.Value = v
		d.slider.Refresh()
	}
}

func (d *dial) limit(high float64) {
	if d.slider.Max != high {
		d.slider.Max = high
		d.slider.Refresh()
	}
}

// band lies behind a slider and marks the values between from and to.
type band struct{ low, high, from, to float64 }

// The track of Fyne's slider begins and ends this far inside the widget; see its endOffset.
func trackInset() float32 {
	return (theme.IconInlineSize()-4)/2 + theme.InnerPadding() - 1.5
}

func (b band) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	pad := trackInset()
	at := func(v float64) float32 { return pad + float32((v-b.low)/(b.high-b.low))*(size.Width-2*pad) }
	for _, o := range objects {
		o.Move(fyne.NewPos(at(b.from), size.Height/2-5))
		o.Resize(fyne.NewSize(at(b.to)-at(b.from), 10))
	}
}

func (b band) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// track gives a slider a track that can be seen on panels; Fyne paints it like the inside of text fields.
func track(s *slider) fyne.CanvasObject {
	return container.NewThemeOverride(s, renamed{Theme(), theme.ColorNameInputBackground, colorTrack})
}
