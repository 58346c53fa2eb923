package kit

import (
	"image/color"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"realword/inference/picture"
)

// Colours beyond Fyne's own.
const (
	ColorPlate  fyne.ThemeColorName = "realwordPlate"  // panels on the background
	ColorWell   fyne.ThemeColorName = "realwordWell"   // sunken areas: stage, drop well
	ColorRaised fyne.ThemeColorName = "realwordRaised" // cards, chips
	ColorLine   fyne.ThemeColorName = "realwordLine"   // hairlines around them
	ColorTrack  fyne.ThemeColorName = "realwordTrack"  // slider tracks
	ColorSafe   fyne.ThemeColorName = "realwordSafe"   // safe band of γ_scope
)

// SubjectColor is the colour of a subject on masks, words and cards.
func SubjectColor(i int) color.NRGBA { return color.NRGBA(picture.SubjectStyle(i).Color) }

// NRGBA is a colour of the theme as pixels have it.
func NRGBA(c color.Color) color.NRGBA { return color.NRGBAModel.Convert(c).(color.NRGBA) }

func SubjectLetter(i int) string { return string(rune('A' + i%26)) }

// studioTheme is a quiet frame for pictures: neutral greys, one accent, light or dark as the system says.
// When the user has chosen one, it is that one; texts have the size that the user has chosen.
type studioTheme struct{ fyne.Theme }

// Theme is the look of the window.
func Theme() fyne.Theme { return studioTheme{theme.DefaultTheme()} }

type pair struct{ Light, Dark color.NRGBA }

func Grey(v uint8) color.NRGBA { return color.NRGBA{v, v, v, 0xff} }

var Palette = map[fyne.ThemeColorName]pair{
	theme.ColorNameBackground:          {color.NRGBA{0xec, 0xeb, 0xe8, 0xff}, color.NRGBA{0x15, 0x16, 0x18, 0xff}},
	ColorPlate:                         {color.NRGBA{0xf9, 0xf8, 0xf6, 0xff}, color.NRGBA{0x1d, 0x1e, 0x21, 0xff}},
	ColorWell:                          {color.NRGBA{0xe3, 0xe1, 0xdd, 0xff}, color.NRGBA{0x11, 0x12, 0x14, 0xff}},
	ColorRaised:                        {color.NRGBA{0xff, 0xff, 0xff, 0xff}, color.NRGBA{0x28, 0x2a, 0x2e, 0xff}},
	ColorLine:                          {color.NRGBA{0xd8, 0xd5, 0xcf, 0xff}, color.NRGBA{0x36, 0x39, 0x3e, 0xff}},
	ColorTrack:                         {color.NRGBA{0xd3, 0xd0, 0xca, 0xff}, color.NRGBA{0x3d, 0x40, 0x46, 0xff}},
	ColorSafe:                          {color.NRGBA{0x2f, 0x9e, 0x6e, 0x66}, color.NRGBA{0x35, 0xc2, 0x8b, 0x66}},
	theme.ColorNameForeground:          {color.NRGBA{0x24, 0x25, 0x28, 0xff}, color.NRGBA{0xe6, 0xe6, 0xe4, 0xff}},
	theme.ColorNamePlaceHolder:         {color.NRGBA{0x74, 0x74, 0x76, 0xff}, color.NRGBA{0x90, 0x93, 0x98, 0xff}},
	theme.ColorNameDisabled:            {color.NRGBA{0xae, 0xac, 0xa8, 0xff}, color.NRGBA{0x5c, 0x5f, 0x65, 0xff}},
	theme.ColorNameDisabledButton:      {color.NRGBA{0xe3, 0xe1, 0xdd, 0xff}, color.NRGBA{0x26, 0x28, 0x2b, 0xff}},
	theme.ColorNameButton:              {color.NRGBA{0xe9, 0xe7, 0xe3, 0xff}, color.NRGBA{0x2d, 0x2f, 0x34, 0xff}},
	theme.ColorNameInputBackground:     {color.NRGBA{0xff, 0xff, 0xff, 0xff}, color.NRGBA{0x15, 0x16, 0x18, 0xff}},
	theme.ColorNameInputBorder:         {color.NRGBA{0xd3, 0xd0, 0xca, 0xff}, color.NRGBA{0x3a, 0x3d, 0x43, 0xff}},
	theme.ColorNameOverlayBackground:   {color.NRGBA{0xf4, 0xf3, 0xf0, 0xff}, color.NRGBA{0x22, 0x23, 0x27, 0xff}},
	theme.ColorNameMenuBackground:      {color.NRGBA{0xfb, 0xfa, 0xf8, 0xff}, color.NRGBA{0x26, 0x28, 0x2c, 0xff}},
	theme.ColorNameSeparator:           {color.NRGBA{0xdd, 0xda, 0xd5, 0xff}, color.NRGBA{0x2e, 0x30, 0x34, 0xff}},
	theme.ColorNameScrollBar:           {color.NRGBA{0x00, 0x00, 0x00, 0x50}, color.NRGBA{0xff, 0xff, 0xff, 0x40}},
	theme.ColorNamePrimary:             {color.NRGBA{0x3b, 0x5b, 0xdb, 0xff}, color.NRGBA{0x6d, 0x8b, 0xff, 0xff}},
	theme.ColorNameFocus:               {color.NRGBA{0x3b, 0x5b, 0xdb, 0x40}, color.NRGBA{0x6d, 0x8b, 0xff, 0x44}},
	theme.ColorNameSelection:           {color.NRGBA{0x3b, 0x5b, 0xdb, 0x38}, color.NRGBA{0x6d, 0x8b, 0xff, 0x48}},
	theme.ColorNameForegroundOnPrimary: {Grey(0xff), color.NRGBA{0x0e, 0x12, 0x22, 0xff}},
	theme.ColorNameHover:               {color.NRGBA{0x00, 0x00, 0x00, 0x0c}, color.NRGBA{0xff, 0xff, 0xff, 0x10}},
	theme.ColorNamePressed:             {color.NRGBA{0x00, 0x00, 0x00, 0x1c}, color.NRGBA{0xff, 0xff, 0xff, 0x20}},
	theme.ColorNameWarning:             {color.NRGBA{0xa8, 0x5f, 0x00, 0xff}, color.NRGBA{0xf0, 0xb0, 0x4c, 0xff}},
	theme.ColorNameError:               {color.NRGBA{0xc0, 0x30, 0x2b, 0xff}, color.NRGBA{0xff, 0x7b, 0x72, 0xff}},
	theme.ColorNameSuccess:             {color.NRGBA{0x2f, 0x8f, 0x63, 0xff}, color.NRGBA{0x35, 0xc2, 0x8b, 0xff}},
}

func (t studioTheme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if l := currentLook(); !l.system {
		variant = l.variant
	}
	c, ok := Palette[name]
	switch {
	case !ok:
		return t.Theme.Color(name, variant)
	case variant == theme.VariantLight:
		return c.Light
	}
	return c.Dark
}

func (t studioTheme) Size(name fyne.ThemeSizeName) float32 {
	scale := TextScale()
	switch name {
	case theme.SizeNameText:
		return 13 * scale
	case theme.SizeNameCaptionText:
		return 11.5 * scale
	case theme.SizeNameSubHeadingText:
		return 15 * scale
	case theme.SizeNameHeadingText:
		return t.Theme.Size(name) * scale
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 7
	case theme.SizeNameInlineIcon:
		return 18 * scale
	case theme.SizeNameScrollBar:
		return BarWidth
	}
	return t.Theme.Size(name)
}

// look is the user's choice of colours and text size. The theme reads it at every question, so that every copy of the theme
// agrees.
type look struct {
	variant fyne.ThemeVariant
	system  bool    // the variant is the system's
	scale   float32 // of texts, 1 is 100 %
}

var looks atomic.Pointer[look]

// SetLook chooses "light", "dark" or "system", and the size of texts in percent. The window is drawn that way once the application's
// theme is set again.
func SetLook(name string, percent int) {
	l := look{system: name == "system", scale: float32(percent) / 100, variant: theme.VariantDark}
	if name == "light" {
		l.variant = theme.VariantLight
	}
	looks.Store(&l)
}

func currentLook() look {
	if l := looks.Load(); l != nil {
		return *l
	}
	return look{system: true, scale: 1}
}

// TextScale is the size of texts as a factor; what holds texts grows with it.
func TextScale() float32 { return currentLook().scale }

func Icon(name, path string) fyne.Resource {
	return fyne.NewStaticResource(name,
		[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`+
			`<path fill="#000" fill-rule="evenodd" d="`+path+`"/></svg>`))
}

// Square gives its objects a side that grows with the texts, up to Most where that is not 0.
type Square struct{ Side, Most float32 }

func (s Square) MinSize([]fyne.CanvasObject) fyne.Size {
	side := s.Side * max(TextScale(), 1)
	if s.Most > 0 {
		side = min(side, s.Most)
	}
	return fyne.NewSquareSize(side)
}

func (s Square) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }
