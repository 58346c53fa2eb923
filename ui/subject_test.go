package ui

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/kit"
)

// layout prints the subjects from top to bottom: pictures, word, and (off) or the reach when they are not the usual.
func layout(f Form) string {
	var list []string
	for _, g := range f.Groups() {
		var names []string
		for _, c := range f.pictures(g) {
			names = append(names, c.Ref.Name)
		}
		c := f.Cards[g.Cards[0]]
		text := strings.Join(names, "+") + "=" + c.Word.Text
		if c.Off {
			text += "(off)"
		}
		if c.Scope > 0 {
			text += fmt.Sprint("@", c.Scope)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func TestSubjects(t *testing.T) {
	prompt := "a dog and a cat and a hat"
	two := func() Form { return boundTo(prompt, "1=dog", "2=cat").Form }
	several := func() Form { return boundTo(prompt, "1=dog", "2=cat", "3=dog").Form.WithScope(1, 0.3) }
	for name, c := range map[string]struct {
		got  Form
		want string
	}{
		"pictures of one word":        {several(), "1+3=dog@0.3 2=cat"},
		"swap":                        {two().WithScope(1, 0.3).Swap(1, 2), "2=dog@0.3 1=cat"},
		"swap one against two":        {several().Swap(2, 3), "2=dog@0.3 1+3=cat"},
		"swap twice":                  {several().Swap(1, 2).Swap(1, 2), "1+3=dog@0.3 2=cat"},
		"swap with itself":            {several().Swap(1, 3), "1+3=dog@0.3 2=cat"},
		"swap with none":              {two().Swap(1, 9), "1=dog 2=cat"},
		"mute takes all pictures":     {several().Mute(3, true), "1+3=dog(off)@0.3 2=cat"},
		"solo":                        {several().Solo(2), "1+3=dog(off)@0.3 2=cat"},
		"solo of another":             {two().Solo(2).Solo(1), "1=dog 2=cat(off)"},
		"solo ends":                   {several().Solo(2).Solo(2), "1+3=dog@0.3 2=cat"},
		"move down":                   {several().Move(1, 1), "2=cat 1+3=dog@0.3"},
		"move out of the list":        {two().Move(1, -1).Move(2, 1), "1=dog 2=cat"},
		"the word moves with all":     {several().Bind(3, word("hat")), "1+3=hat@0.3 2=cat"},
		"without a word they stay":    {several().Bind(1, none), "1+3=@0.3 2=cat"},
		"bound to a word that is had": {two().WithScope(1, 0.3).Bind(2, word("dog")), "1+2=dog@0.3"},
		"one picture goes":            {several().Remove(1), "3=dog@0.3 2=cat"},
		"the subject goes":            {several().RemoveSubject(3), "2=cat"},
		"one of none":                 {two().Remove(9), "1=dog 2=cat"},
		"joined":                      {two().Join(1, Card{Ref: inference.Reference{Name: "new"}}), "1+new=dog 2=cat"},
		"joined without a word":       {boundTo(prompt, "1").Form.Join(1, Card{Ref: inference.Reference{Name: "new"}}), "1+new="},
		"joined, then bound":          {boundTo(prompt, "1", "2").Form.Join(1, Card{Ref: inference.Reference{Name: "new"}}).Bind(3, word("hat")), "1+new=hat 2="},
	} {
		t.Run(name, func(t *testing.T) {
			if got := layout(c.got); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestOnePictureForTwoWords(t *testing.T) {
	s := boundTo("a dog and a cat", "both=dog")
	s.Form.Cards[0].Ref.SHA256 = "s"
	form, id := s.Form.Share(1)
	s.Form, s.Selected = form, id
	s = s.Click(s.Words[4])
	if got := layout(s.Form); got != "both=dog both=cat" {
		t.Fatalf("layout %q", got)
	}
	s.Form = s.Form.WithScope(1, 0.3)
	subjects := s.Form.Request().Subjects
	if len(subjects) != 2 || subjects[0].References[0].SHA256 != subjects[1].References[0].SHA256 || subjects[0].Scope != 0.3 || subjects[1].Scope != 0 {
		t.Errorf("subjects %+v", subjects)
	}
	if got := s.Form.Twins(1); len(got) != 1 || got[0] != id {
		t.Errorf("twins %v", got)
	}
	if len(s.Reasons()) > 0 {
		t.Errorf("reasons %q", s.Reasons())
	}
}

func TestWhatIsLeftOutTakesNoPart(t *testing.T) {
	s := boundTo("a dog", "1=dog", "2=cat", "3")
	s.Form = s.Form.Solo(1)
	if r := s.Reasons(); len(r) > 0 {
		t.Errorf("reasons %q", r)
	}
	if got := s.Form.Request().Subjects; len(got) != 1 || got[0].Word.Text != "dog" {
		t.Errorf("subjects %+v", got)
	}
}

// pictureFiles makes n picture files of different colours and answers their paths.
func pictureFiles(t *testing.T, dir string, n int) (paths []string) {
	for i := range n {
		path := filepath.Join(dir, fmt.Sprintf("p%03d.png", i))
		c := red
		c.G, c.B = uint8(i), uint8(i>>8)
		if err := os.WriteFile(path, pngOf(c), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestTwoHundredFilesAtOnce(t *testing.T) {
	b := ready(t, nil)
	paths := pictureFiles(t, t.TempDir(), 200)
	for _, i := range []int{0, 3, 4, 5, 6, 7} {
		if err := os.WriteFile(paths[i], []byte("no picture"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.drop(nil, paths...)
	if len(b.state.Form.Cards) != mostPictures || b.state.Form.Cards[0].Ref.Name != "p001.png" {
		t.Errorf("%d pictures, first %s", len(b.state.Form.Cards), b.state.Form.Cards[0].Ref.Name)
	}
	if want := "162 of 200 pictures were not added: the limit is 32 at once."; !strings.HasPrefix(b.remark.Text, want) || b.remark.Hidden {
		t.Errorf("says %q", b.remark.Text)
	}
	lines := strings.Split(b.pickNote.Text, "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "p000.png") || !strings.HasPrefix(lines[3], "3 more files") {
		t.Errorf("errors %q", lines)
	}
	b.drop(nil, paths[100])
	if len(b.state.Form.Cards) != mostPictures || b.remark.Hidden {
		t.Errorf("one more: %d, %q", len(b.state.Form.Cards), b.remark.Text)
	}
}

func TestDroppedFolders(t *testing.T) {
	b := ready(t, nil)
	b.promptChanged("a dog")
	dir := t.TempDir()
	pictureFiles(t, dir, 2)
	for name, data := range map[string]string{"notes.txt": "x", ".hidden.png": "x", "broken.png": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "inner.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	b.drop(nil, dir)
	if got := bonds(b.state); got != "p000.png=#0 p001.png=#0" {
		t.Errorf("bonds %q", got)
	}
	if !strings.Contains(b.pickNote.Text, "broken.png") || strings.Contains(b.pickNote.Text, "notes") {
		t.Errorf("says %q", b.pickNote.Text)
	}
	b.drop(nil, t.TempDir())
	if !strings.Contains(b.pickNote.Text, "has no pictures in it") {
		t.Errorf("says %q", b.pickNote.Text)
	}
	b.drop(b.stage, dir) // where a single file would be asked for its recipe
	if len(b.state.Form.Cards) != 4 {
		t.Errorf("%d cards", len(b.state.Form.Cards))
	}
}

func TestDropOnACardJoinsItsSubject(t *testing.T) {
	b := ready(t, nil)
	b.promptChanged("a dog and a cat")
	first := write(t, "dog.png", pngOf(red))
	b.drop(nil, first, write(t, "cat.png", pngOf(green)))
	b.win.Resize(fyne.NewSize(1100, 701)) // lays everything out
	blue := red
	blue.B = 0xff
	b.drop(b.cardAt(0), write(t, "side.png", pngOf(blue)))
	if got := layout(b.state.Form); got != "dog.png+side.png=dog cat.png=cat" {
		t.Fatalf("layout %q", got)
	}
	b.drop(b.cardAt(0), first)
	if len(b.state.Form.Cards) != 3 || !strings.Contains(b.remark.Text, "is already here, for “dog”") {
		t.Errorf("%d cards, says %q", len(b.state.Form.Cards), b.remark.Text)
	}
	b.drop(b.chipOf(4), first) // One2Many
	if got := layout(b.state.Form); got != "dog.png+side.png=dog cat.png+dog.png=cat" || b.remark.Hidden {
		t.Errorf("layout %q, says %q", got, b.remark.Text)
	}
	c := b.cardAt(0)
	test.Tap(c.thumbs.Objects[1].(*kit.Tile))
	if c.picture().Ref.Name != "side.png" {
		t.Errorf("the square shows %s", c.picture().Ref.Name)
	}
	test.Tap(c.minus)
	if got := layout(b.state.Form); got != "dog.png=dog cat.png+dog.png=cat" {
		t.Errorf("layout %q", got)
	}
}

func TestPaste(t *testing.T) {
	var data []byte
	var err error
	b := ready(t, func(o *Options) { o.PasteImage = func() ([]byte, error) { return data, err } })
	b.promptChanged("a dog")
	b.paste(target{})
	b.settle()
	if !strings.Contains(b.pickNote.Text, "no picture in the clipboard") {
		t.Errorf("says %q", b.pickNote.Text)
	}
	data = pngOf(red)
	b.chipOf(1).TypedShortcut(&fyne.ShortcutPaste{})
	b.settle()
	if got := bonds(b.state); got != "clipboard.png=dog#1" {
		t.Errorf("bonds %q", got)
	}
	data = pngOf(green)
	b.cardAt(0).TypedShortcut(&fyne.ShortcutPaste{})
	b.settle()
	if got := layout(b.state.Form); got != "clipboard.png+clipboard.png=dog" {
		t.Errorf("layout %q", got)
	}
	b.app.Clipboard().SetContent("runs")
	b.prompt.TypedShortcut(&fyne.ShortcutPaste{Clipboard: b.app.Clipboard()})
	b.settle()
	if len(b.state.Form.Cards) != 2 || !strings.Contains(b.prompt.Text, "runs") {
		t.Errorf("text must be pasted as text: %q", b.prompt.Text)
	}
}

func TestALostWordIsMendedWithOneClick(t *testing.T) {
	b := ready(t, nil)
	b.promptChanged("a dog")
	b.drop(nil, write(t, "dog.png", pngOf(red)))
	b.promptChanged("a puppy")
	if !b.cardAt(0).look.lost || !b.set.generate.Disabled() || !b.set.remedy.Visible() || b.cardAt(0).remedy.Hidden {
		t.Fatalf("lost %v, reasons %q", b.cardAt(0).look.lost, b.set.reasons.Text)
	}
	test.Tap(b.set.remedy)
	if got := bonds(b.state); got != "dog.png=puppy#1" || b.set.generate.Disabled() || b.set.remedy.Visible() {
		t.Errorf("bonds %q, reasons %q", got, b.set.reasons.Text)
	}
}

func TestTheSquareIsWhatTheEncoderSees(t *testing.T) {
	b := ready(t, nil)
	wide := image.NewNRGBA(image.Rect(0, 0, 1200, 300)) // larger than the card keeps, and clear at the left
	for y := range 300 {
		for x := 600; x < 1200; x++ {
			wide.SetNRGBA(x, y, red)
		}
	}
	b.drop(nil, write(t, "wide.png", encode(t, wide)))
	c := b.cardAt(0)
	c.toggle()
	ref := func() inference.Reference { return b.state.Form.Cards[0].Ref }
	for name, square := range map[string]picture.Square{
		"crop":       {Fit: picture.Crop, Crop: picture.Box{Left: 0.5, Right: 0.75, Bottom: 1}},
		"stretch":    {Fit: picture.Stretch},
		"background": {Fit: picture.Pad, Background: "#00ff00"},
	} {
		b.setSquare(c.shown, square, true)
		b.until("the square is made", func() bool { return !b.squarer.Working() && len(b.posted) == 0 })
		want, _, err := picture.Prepare(wide, square, toybox.Vision.Reference)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := b.state.Form.Cards[0].View.(*image.RGBA)
		if !ok || string(got.Pix) != string(want.Pix) || ref().Square != square {
			t.Errorf("%s: the card shows another square", name)
		}
	}
	test.Tap(c.editor.fits[picture.Crop])
	b.until("the square is made", func() bool { return !b.squarer.Working() && len(b.posted) == 0 })
	if !c.editor.cropRow.Visible() {
		t.Fatal("no square to drag")
	}
	c.editor.crop.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	if box := ref().Square.Crop; box.Left <= 0.375 || box.Right-box.Left > 0.2501 || ref().Square.Validate() != nil {
		t.Errorf("the box %+v", box)
	}
	c.editor.code.SetText("red")
	c.editor.colorTyped("red")
	if c.editor.codeNote.Hidden || ref().Square.Background != "" && ref().Square.Background != "#00ff00" {
		t.Errorf("a colour that is none: %q", ref().Square.Background)
	}
	b.settle()
}

// Wherever it is dragged, the square stays a square of pixels inside of the picture.
func TestDraggedSquares(t *testing.T) {
	for _, pixels := range []image.Point{{1200, 300}, {300, 1200}, {5, 5}, {1, 900}} {
		for _, x := range []float64{-1e9, -1, 0, 3.3, 700, 1e9} {
			for _, side := range []float64{-5, 0, 1, 77.7, 1e9} {
				box := squareAt(pixels, x, 150, side)
				w, h := (box.Right-box.Left)*float64(pixels.X), (box.Bottom-box.Top)*float64(pixels.Y)
				if err := (picture.Square{Fit: picture.Crop, Crop: box}).Validate(); err != nil || w-h > 0.01 || h-w > 0.01 {
					t.Fatalf("%v at %g, side %g: %+v, %v", pixels, x, side, box, err)
				}
			}
		}
	}
}

// The situations of cards and words, as markup.
func TestCardSituations(t *testing.T) {
	for name, do := range map[string]func(*bench){
		"bound":  func(*bench) {},
		"lost":   func(b *bench) { b.promptChanged("a puppy and a cat") },
		"muted":  func(b *bench) { b.cardActs().mute(b.cardAt(0).look.ID) },
		"chosen": func(b *bench) { b.tapCard(b.cardAt(0).look.ID) },
		"two pictures": func(b *bench) {
			b.takeTo(target{card: b.cardAt(0).look.ID}, []string{write(b.t, "side.png", pngOf(red))})
			b.settle()
		},
		"too long": func(b *bench) { b.promptChanged("a dog and a cat on the beach near the sea") },
		"editing":  func(b *bench) { b.cardAt(0).toggle() },
	} {
		t.Run(name, func(t *testing.T) {
			b := ready(t, nil)
			b.promptChanged("a dog and a cat")
			b.drop(nil, write(t, "dog.png", pngOf(green)))
			do(b)
			b.settle()
			w := test.NewTempWindow(t, kit.NewColumn(8, b.cardAt(0), b.chips))
			w.Resize(fyne.NewSize(420, 420))
			test.AssertRendersToMarkup(t, "card-"+strings.ReplaceAll(name, " ", "-")+".xml", w.Canvas())
		})
	}
}

func encode(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestReadingSays wants a word about a picture that takes a moment, and about what was lost when it was read.
func TestReadingSays(t *testing.T) {
	b := ready(t, nil)
	gate := make(chan []byte)
	b.bring(target{}, func() ([]source, []error) {
		return []source{{name: "large.png", read: func() ([]byte, error) { return <-gate, nil }}}, nil
	})
	b.until("the window says what it reads", func() bool { return b.remark.Visible() && b.remark.Text == "Reading large.png…" })
	cut := pngOf(red)
	gate <- cut[:len(cut)-12]
	b.settle()
	if want := "large.png: The file is damaged: its end is missing, but the picture is complete."; len(b.state.Form.Cards) != 1 || b.remark.Text != want {
		t.Errorf("%d cards, says %q, want %q", len(b.state.Form.Cards), b.remark.Text, want)
	}
}
