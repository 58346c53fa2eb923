package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// BarWidth is how wide a scroll bar is under the pointer. Pages leave it so much beside their content.
const BarWidth = 10

// narrow gives the content of a page the width that there is, however much it wants, beside the bar where there is one.
type narrow struct{ page *container.Scroll }

func (n *narrow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := size.Width
	if n.MinSize(objects).Height > n.page.Size().Height+0.5 {
		width = max(width-BarWidth, 0)
	}
	for _, o := range objects {
		place(o, 0, 0, width, size.Height)
	}
}

func (n *narrow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		height = max(height, o.MinSize().Height)
	}
	return fyne.NewSize(0, height)
}

// NewPage is content that scrolls up and down and is as wide as its place. Its scroll bar covers nothing of it.
func NewPage(content fyne.CanvasObject) *container.Scroll {
	n := &narrow{}
	n.page = container.NewVScroll(container.New(n, content))
	return n.page
}

// NewBand is content that scrolls from left to right and is as high as it wants; the bar is below it.
func NewBand(content fyne.CanvasObject) *container.Scroll {
	b := &band{}
	b.scroll = container.NewHScroll(container.New(b, content))
	return b.scroll
}

type band struct{ scroll *container.Scroll }

func (b *band) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, size.Width, min(size.Height, o.MinSize().Height))
	}
}

func (b *band) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := largest(objects)
	if size.Width > b.scroll.Size().Width+0.5 {
		size.Height += BarWidth
	}
	return size
}

// capped is a page in its own height, up to so many rows of text; what is longer scrolls.
type capped struct{ rows float32 }

func NewCapped(rows float32, content fyne.CanvasObject) *fyne.Container {
	return container.New(&capped{rows}, NewPage(content))
}

// Cap gives what NewCapped made another number of rows. It is laid out by whoever has it.
func Cap(o *fyne.Container, rows float32) { o.Layout.(*capped).rows = rows }

func (c *capped) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (c *capped) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		page := o.(*container.Scroll)
		if inner := page.Content.(*fyne.Container); inner.Objects[0].Visible() {
			height = max(height, page.Content.MinSize().Height)
		}
	}
	most := c.rows * 20 * TextScale()
	if len(objects) > 0 {
		if canvas := fyne.CurrentApp().Driver().CanvasForObject(objects[0]); canvas != nil {
			most = min(most, max(canvas.Size().Height*cappedShare, 40))
		}
	}
	return fyne.NewSize(0, min(height, most))
}

// cappedShare is the share of the window's height that a capped page may take.
const cappedShare = 0.15

// Under is a first object above a page in the page's own height. Where the height does not suffice for both, the first keeps its least
// height and the page scrolls.
type Under struct {
	Least func() float32 // of the first object, as long as nobody wants more than the page's usual content
	// makes what the page can do without as large as the room allows that is left over, or lacking where it is negative, or puts it away; it
	// tells whether the user wants it all the same. Nil: there is nothing
	Spare func(room float32) bool
}

// leastUnder is the least height of the first object where the user wants more below it.
const leastUnder = 150

func (u Under) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	page := objects[1].(*container.Scroll)
	page.Resize(fyne.NewSize(size.Width, page.Size().Height)) // rows that flow know their height only for a width
	content := page.Content
	measure := func() float32 {
		content.Resize(fyne.NewSize(size.Width, content.MinSize().Height))
		return content.MinSize().Height
	}
	least := u.Least()
	height := measure()
	if u.Spare != nil {
		if u.Spare(size.Height - height - max(least, leastUnder)) {
			least = min(least, leastUnder)
		}
		height = measure()
	}
	height = min(height, max(size.Height-least, min(height, leastPage*TextScale())))
	place(objects[0], 0, 0, size.Width, size.Height-height)
	place(page, 0, size.Height-height, size.Width, height)
}

// leastPage is the least height of a page below something, where its content has it: a row of it, and that there is more.
const leastPage = 26

func (u Under) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(objects[0].MinSize().Width, leastUnder+60)
}

// leeway is how much a sheet grows over its wished height before its content scrolls.
const leeway = 120

// pageIn is the part of a sheet's content that scrolls, so that the sheet can have its height; nil where none does.
func pageIn(o fyne.CanvasObject) *container.Scroll {
	switch o := o.(type) {
	case *container.Scroll:
		return o
	case *fyne.Container:
		for _, inner := range o.Objects {
			if page := pageIn(inner); page != nil {
				return page
			}
		}
	}
	return nil
}
