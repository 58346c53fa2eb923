package ui

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/subjects"
	"realword/ui/uitest"
)

func TestTwoHundredFilesAtOnce(t *testing.T) {
	b := ready(t, nil)
	paths := uitest.Files(t, t.TempDir(), 200)
	for _, i := range []int{0, 3, 4, 5, 6, 7} {
		if err := os.WriteFile(paths[i], []byte("no picture"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.drop(nil, paths...)
	if len(b.state.Form.Cards) != state.MostPictures || b.state.Form.Cards[0].Ref.Name != "p001.png" {
		t.Errorf("%d pictures, first %s", len(b.state.Form.Cards), b.state.Form.Cards[0].Ref.Name)
	}
	if want := "162 of 200 pictures were not added: the limit is 32 at once."; !strings.HasPrefix(b.subjects.Remark.Text, want) || b.subjects.Remark.Hidden {
		t.Errorf("says %q", b.subjects.Remark.Text)
	}
	lines := strings.Split(b.subjects.PickNote.Text, "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "p000.png") || !strings.HasPrefix(lines[3], "3 more files") {
		t.Errorf("errors %q", lines)
	}
	b.drop(nil, paths[100])
	if len(b.state.Form.Cards) != state.MostPictures || b.subjects.Remark.Hidden {
		t.Errorf("one more: %d, %q", len(b.state.Form.Cards), b.subjects.Remark.Text)
	}
}

func TestDroppedFolders(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	dir := t.TempDir()
	uitest.Files(t, dir, 2)
	for name, data := range map[string]string{"notes.txt": "x", ".hidden.png": "x", "broken.png": "x", "Scan 1.TIF": "II*\x00", "._scan.tif": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "inner.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	b.drop(nil, dir)
	if got := bondsIn(b.state.State); got != "p000.png=#0 p001.png=#0" {
		t.Errorf("bonds %q", got)
	}
	if !strings.Contains(b.subjects.PickNote.Text, "broken.png") || strings.Contains(b.subjects.PickNote.Text, "notes") {
		t.Errorf("says %q", b.subjects.PickNote.Text)
	}
	if said := b.subjects.PickNote.Text; !strings.Contains(said, "Scan 1.TIF: this is a TIFF") || strings.Contains(said, "._scan") {
		t.Errorf("says %q", said)
	}
	b.drop(nil, t.TempDir())
	if !strings.Contains(b.subjects.PickNote.Text, "has no pictures in it") {
		t.Errorf("says %q", b.subjects.PickNote.Text)
	}
	b.drop(b.stage.Picture, dir) // where a single file would be asked for its recipe
	if len(b.state.Form.Cards) != 4 {
		t.Errorf("%d cards", len(b.state.Form.Cards))
	}
}

func TestDropOnACardJoinsItsSubject(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog and a cat")
	first := uitest.File(t, "dog.png", uitest.PNG(uitest.Red))
	b.drop(nil, first, uitest.File(t, "cat.png", uitest.PNG(uitest.Green)))
	b.win.Resize(fyne.NewSize(1100, 701)) // lays everything out
	blue := uitest.Red
	blue.B = 0xff
	b.drop(b.cardAt(0), uitest.File(t, "side.png", uitest.PNG(blue)))
	if got := layoutIn(b.state.Form); got != "dog.png+side.png=dog cat.png=cat" {
		t.Fatalf("layout %q", got)
	}
	b.drop(b.cardAt(0), first)
	if len(b.state.Form.Cards) != 3 || !strings.Contains(b.subjects.Remark.Text, "is already here, for “dog”") {
		t.Errorf("%d cards, says %q", len(b.state.Form.Cards), b.subjects.Remark.Text)
	}
	b.drop(b.chipOf(4), first) // One2Many
	if got := layoutIn(b.state.Form); got != "dog.png+side.png=dog cat.png+dog.png=cat" || b.subjects.Remark.Hidden {
		t.Errorf("layout %q, says %q", got, b.subjects.Remark.Text)
	}
	c := b.cardAt(0)
	test.Tap(c.Thumbs.Objects[1].(*kit.Tile))
	if c.Picture().Ref.Name != "side.png" {
		t.Errorf("the square shows %s", c.Picture().Ref.Name)
	}
	test.Tap(c.Minus)
	if got := layoutIn(b.state.Form); got != "dog.png=dog cat.png+dog.png=cat" {
		t.Errorf("layout %q", got)
	}
}

func TestPaste(t *testing.T) {
	var data []byte
	var files []string
	var err error
	b := ready(t, func(o *Options) { o.Paste = func() (Pasted, error) { return Pasted{Picture: data, Files: files}, err } })
	b.subjects.PromptChanged("a dog")
	b.subjects.Paste(state.Target{})
	b.settle()
	if !strings.Contains(b.subjects.PickNote.Text, "no picture in the clipboard") {
		t.Errorf("says %q", b.subjects.PickNote.Text)
	}
	data = uitest.PNG(uitest.Red)
	b.chipOf(1).TypedShortcut(&fyne.ShortcutPaste{})
	b.settle()
	if got := bondsIn(b.state.State); got != "clipboard.png=dog#1" {
		t.Errorf("bonds %q", got)
	}
	data = uitest.PNG(uitest.Green)
	b.cardAt(0).TypedShortcut(&fyne.ShortcutPaste{})
	b.settle()
	if got := layoutIn(b.state.Form); got != "clipboard.png+clipboard.png=dog" {
		t.Errorf("layout %q", got)
	}
	b.app.Clipboard().SetContent("runs")
	b.subjects.Prompt.TypedShortcut(&fyne.ShortcutPaste{Clipboard: b.app.Clipboard()})
	b.settle()
	if len(b.state.Form.Cards) != 2 || !strings.Contains(b.subjects.Prompt.Text, "runs") {
		t.Errorf("text must be pasted as text: %q", b.subjects.Prompt.Text)
	}
	// Files of a file manager, which says them as text, too; and a JPEG file of a browser.
	files = uitest.Files(t, t.TempDir(), 2)
	b.app.Clipboard().SetContent(strings.Join(files, "\n"))
	b.subjects.Prompt.TypedShortcut(&fyne.ShortcutPaste{Clipboard: b.app.Clipboard()})
	b.settle()
	if c := b.state.Form.Cards; len(c) != 4 || c[2].Ref.Name != "p000.png" || strings.Contains(b.subjects.Prompt.Text, "p000") {
		t.Errorf("of two files: %s; the prompt is %q", layoutIn(b.state.Form), b.subjects.Prompt.Text)
	}
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, image.NewNRGBA(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	data, files = jpg.Bytes(), nil
	b.subjects.Paste(state.Target{})
	b.settle()
	if c := b.state.Form.Cards; len(c) != 5 || c[4].Ref.Name != "clipboard.jpg" {
		t.Errorf("of a JPEG picture: %s, %v", layoutIn(b.state.Form), b.state.PickErr)
	}
}

func TestALostWordIsMendedWithOneClick(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.subjects.PromptChanged("a puppy")
	if !b.cardAt(0).Look.WordLost || !b.set.Generate.Disabled() || !b.set.Remedy.Visible() || b.cardAt(0).Remedy.Hidden {
		t.Fatalf("lost %v, reasons %q", b.cardAt(0).Look.WordLost, b.set.Reasons.Text)
	}
	test.Tap(b.set.Remedy)
	if got := bondsIn(b.state.State); got != "dog.png=puppy#1" || b.set.Generate.Disabled() || b.set.Remedy.Visible() {
		t.Errorf("bonds %q, reasons %q", got, b.set.Reasons.Text)
	}
}

func TestTheSquareIsWhatTheEncoderSees(t *testing.T) {
	b := ready(t, nil)
	wide := image.NewNRGBA(image.Rect(0, 0, 1200, 300)) // larger than the card keeps, and clear at the left
	for y := range 300 {
		for x := 600; x < 1200; x++ {
			wide.SetNRGBA(x, y, uitest.Red)
		}
	}
	b.drop(nil, uitest.File(t, "wide.png", uitest.Encode(wide)))
	c := b.cardAt(0)
	c.Toggle()
	ref := func() inference.Reference { return b.state.Form.Cards[0].Ref }
	for name, square := range map[string]picture.Square{
		"crop":       {Fit: picture.Crop, Crop: picture.Box{Left: 0.5, Right: 0.75, Bottom: 1}},
		"stretch":    {Fit: picture.Stretch},
		"background": {Fit: picture.Pad, Background: "#00ff00"},
	} {
		b.subjects.SetSquare(c.Shown, square, true)
		b.until("the square is made", func() bool { return !b.subjects.Squarer.Working() && len(b.posted) == 0 })
		want, _, err := picture.Prepare(wide, square, uitest.Toybox.Vision.Reference)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := b.state.Form.Cards[0].View.(*image.RGBA)
		if !ok || string(got.Pix) != string(want.Pix) || ref().Square != square {
			t.Errorf("%s: the card shows another square", name)
		}
	}
	test.Tap(c.Editor.Fits[picture.Crop])
	b.until("the square is made", func() bool { return !b.subjects.Squarer.Working() && len(b.posted) == 0 })
	if !c.Editor.CropRow.Visible() {
		t.Fatal("no square to drag")
	}
	c.Editor.Crop.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	if box := ref().Square.Crop; box.Left <= 0.375 || box.Right-box.Left > 0.2501 || ref().Square.Validate() != nil {
		t.Errorf("the box %+v", box)
	}
	c.Editor.Code.SetText("red")
	c.Editor.ColorTyped("red")
	if c.Editor.CodeNote.Hidden || ref().Square.Background != "" && ref().Square.Background != "#00ff00" {
		t.Errorf("a colour that is none: %q", ref().Square.Background)
	}
	b.settle()
}

// Wherever it is dragged, the square stays a square of pixels inside of the picture.
func TestDraggedSquares(t *testing.T) {
	for _, pixels := range []image.Point{{1200, 300}, {300, 1200}, {5, 5}, {1, 900}} {
		for _, x := range []float64{-1e9, -1, 0, 3.3, 700, 1e9} {
			for _, side := range []float64{-5, 0, 1, 77.7, 1e9} {
				box := subjects.SquareAt(pixels, x, 150, side)
				w, h := (box.Right-box.Left)*float64(pixels.X), (box.Bottom-box.Top)*float64(pixels.Y)
				if err := (picture.Square{Fit: picture.Crop, Crop: box}).Validate(); err != nil || w-h > 0.01 || h-w > 0.01 {
					t.Fatalf("%v at %g, side %g: %+v, %v", pixels, x, side, box, err)
				}
			}
		}
	}
}

// The situations of cards and words, as markup.
func TestLookOfCards(t *testing.T) {
	plain.Run(t)
	for name, do := range map[string]func(*bench){
		"bound":  func(*bench) {},
		"lost":   func(b *bench) { b.subjects.PromptChanged("a puppy and a cat") },
		"muted":  func(b *bench) { b.subjects.CardActs().Mute(b.cardAt(0).Look.ID) },
		"chosen": func(b *bench) { b.subjects.TapCard(b.cardAt(0).Look.ID) },
		"two pictures": func(b *bench) {
			b.subjects.TakeTo(state.Target{Card: b.cardAt(0).Look.ID}, []string{uitest.File(b.t, "side.png", uitest.PNG(uitest.Red))})
			b.settle()
		},
		"too long": func(b *bench) { b.subjects.PromptChanged("a dog and a cat on the beach near the sea") },
		"editing":  func(b *bench) { b.cardAt(0).Toggle() },
	} {
		t.Run(name, func(t *testing.T) {
			b := ready(t, nil)
			b.subjects.PromptChanged("a dog and a cat")
			b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Green)))
			do(b)
			b.settle()
			w := test.NewTempWindow(t, kit.NewColumn(8, b.cardAt(0), b.subjects.Chips))
			w.Resize(fyne.NewSize(420, 420))
			test.AssertRendersToMarkup(t, "card-"+strings.ReplaceAll(name, " ", "-")+".xml", w.Canvas())
		})
	}
}

// TestReadingSays wants a word about a picture that takes a moment, and about what was lost when it was read.
func TestReadingSays(t *testing.T) {
	b := ready(t, nil)
	gate := make(chan []byte)
	b.subjects.Bring(state.Target{}, func() ([]state.Source, []error) {
		return []state.Source{{Name: "large.png", Read: func() ([]byte, error) { return <-gate, nil }}}, nil
	})
	b.until("the window says what it reads", func() bool { return b.subjects.Remark.Visible() && b.subjects.Remark.Text == "Reading large.png…" })
	cut := uitest.PNG(uitest.Red)
	gate <- cut[:len(cut)-12]
	b.settle()
	if want := "large.png: The file is damaged: its end is missing, but the picture is complete."; len(b.state.Form.Cards) != 1 || b.subjects.Remark.Text != want {
		t.Errorf("%d cards, says %q, want %q", len(b.state.Form.Cards), b.subjects.Remark.Text, want)
	}
}

// TestLookWhereFilesAreDropped (rev16, no. 3): a page goes away for them and lets nothing below it have them by its place, and behind a sheet
// nothing is changed.
func TestLookWhereFilesAreDropped(t *testing.T) {
	plain.Run(t)
	b := ready(t, func(o *Options) { o.Farm = t.TempDir() })
	rex := uitest.File(t, "rex.png", uitest.PNG(uitest.Red))
	b.drop(nil, rex)
	b.settle()
	for i, page := range []*kit.Screen{b.gallery.Screen, b.grid.Screen, b.computers.Screen} {
		page.Show()
		b.settle()
		b.drop(b.cardAt(0), uitest.File(t, fmt.Sprintf("%d.png", i), uitest.PNG(uitest.Green)))
		b.settle()
		if n := len(b.state.Form.Groups()); page.Shown() || n != i+2 {
			t.Errorf("page %d: it is still up: %v; %d subjects", i, page.Shown(), n)
		}
	}
	b.grid.Show()
	b.drop(nil, uitest.File(t, "x.heic", []byte("\x00\x00\x00\x18ftypheic")))
	b.settle()
	if b.state.PickErr == nil || b.grid.Shown() {
		t.Errorf("what is refused: %v, behind a page: %v", b.state.PickErr, b.grid.Shown())
	}
	n := len(b.state.Form.Cards)
	b.prefs.Show()
	b.drop(nil, rex)
	b.settle()
	if len(b.state.Form.Cards) != n || !strings.HasPrefix(b.notice.Now.Text, "Close the dialog") {
		t.Errorf("behind a sheet: %d cards, were %d; it says %q", len(b.state.Form.Cards), n, b.notice.Now.Text)
	}
	b.Back()
	b.drop(nil, rex)
	b.settle()
	if len(b.state.Form.Cards) != n+1 {
		t.Errorf("without the sheet: %d cards, were %d", len(b.state.Form.Cards), n)
	}
}
