package grid

import (
	"fyne.io/fyne/v2"

	"realword/ui/kit"
)

// table lays out labels and cells: columns' labels first, then those of the rows, then the cells row by row.
type table struct {
	rows, columns int
	cell          fyne.Size
}

const tableGap = 6

func (t *table) margins(objects []fyne.CanvasObject) (left, top float32) {
	for i, o := range objects {
		switch size := o.MinSize(); {
		case i < t.columns:
			top = max(top, size.Height+tableGap)
		case i < t.columns+t.rows:
			left = max(left, size.Width+tableGap)
		}
	}
	return max(left, 96), top
}

// Layout implements fyne.Layout.
func (t *table) Layout(objects []fyne.CanvasObject, _ fyne.Size) {
	left, top := t.margins(objects)
	for i, o := range objects {
		at := func(row, column int) fyne.Position {
			return fyne.NewPos(left+float32(column)*(t.cell.Width+tableGap), top+float32(row)*(t.cell.Height+tableGap))
		}
		switch {
		case i < t.columns:
			o.Move(fyne.NewPos(at(0, i).X, 0))
			o.Resize(fyne.NewSize(t.cell.Width, top-tableGap))
		case i < t.columns+t.rows:
			h := o.MinSize().Height
			o.Move(fyne.NewPos(0, at(i-t.columns, 0).Y+(t.cell.Height-h)/2))
			o.Resize(fyne.NewSize(left-tableGap, h))
		default:
			n := i - t.columns - t.rows
			o.Move(at(n/t.columns, n%t.columns))
			o.Resize(t.cell)
		}
	}
}

// MinSize implements fyne.Layout.
func (t *table) MinSize(objects []fyne.CanvasObject) fyne.Size {
	if t.columns == 0 {
		return fyne.Size{}
	}
	left, top := t.margins(objects)
	// the bars have their place below and beside it
	size := fyne.NewSize(left+float32(t.columns)*(t.cell.Width+tableGap), top+float32(t.rows)*(t.cell.Height+tableGap))
	return size.AddWidthHeight(kit.BarWidth, kit.BarWidth)
}
