package reuse

import (
	"fyne.io/fyne/v2"

	"realword/ui/i18n"
	"realword/ui/kit"
)

// margin is two dials for what lies around a subject that is made again.
type margin struct {
	box           fyne.CanvasObject
	grow, feather *kit.Dial
	first         [2]int
	changed       func(grow, feather int) // by the user
}

// newMargin makes the dials, which begin with a margin.
func newMargin(grow, feather int) *margin {
	m := &margin{first: [2]int{grow, feather}, changed: func(int, int) {}}
	pixels := func(v float64) string { return i18n.T("%d px", int(v)) }
	turned := func(float64) { m.changed(int(m.grow.Slider.Value), int(m.feather.Slider.Value)) }
	most := float64(max(8*grow, 1))
	m.grow = kit.NewDial(i18n.T("Around the subject"), 0, most, 1, pixels, turned).
		Explain(i18n.T("How far around the subject everything is made anew: more gives it room for another shape."))
	m.feather = kit.NewDial(i18n.T("Soft edge"), 0, most, 1, pixels, turned).
		Explain(i18n.T("How far from there the old picture goes over into the new one: more hides the border better."))
	m.box = kit.NewColumn(2, m.grow.Container, m.feather.Container)
	m.reset()
	return m
}

func (m *margin) reset() {
	m.grow.Set(float64(m.first[0]))
	m.feather.Set(float64(m.first[1]))
}
