package preferences

import (
	"cmp"
	"path/filepath"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/assets/translations"
	"realword/inference/files"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Show opens the sheet of the preferences. What is changed there holds at once, what is typed once its field is left.
func (d *Desk) Show() {
	section := func(title string, objects ...fyne.CanvasObject) fyne.CanvasObject {
		return kit.NewColumn(6, append([]fyne.CanvasObject{kit.Whole(kit.Heading(title), nil)}, objects...)...)
	}
	check := func(label string, on bool, set func(*Values, bool)) *kit.Check {
		c := kit.NewCheck(label, func(on bool) { d.Change(func(p *Values) { set(p, on) }) })
		c.Checked = on
		return c
	}

	languages, own := shipped(translations.Files, systemHas)
	language := d.languageSelect(languages, own, func(name string) { d.Change(func(p *Values) { p.Language = name }) })

	spoken := kit.Note(i18n.T("Takes effect at the next start."))
	if name := unshown(translations.Files, d.language(), systemHas); name != "" {
		spoken = kit.Note(i18n.T("No font on this computer shows %s, so the window is in English: install a font that has its letters, then start Realword again.", name))
	}

	names := []string{"system", "light", "dark"}
	looks := kit.NewRadio(i18n.T("System"), i18n.T("Light"), i18n.T("Dark"))
	looks.Horizontal, looks.Chosen = true, slices.Index(names, d.Look)
	looks.OnChanged = func(i int) { d.Change(func(p *Values) { p.Look = names[i] }) }
	look := kit.Explain(looks, i18n.T("Light, dark, or as the system is set."))
	size := kit.NewDial(i18n.T("Text size"), leastTextSize, mostTextSize, 10, func(v float64) string { return i18n.T("%.0f %%", v) },
		func(float64) {}).Explain(i18n.T("How large all texts and controls are."))
	size.Set(float64(d.TextSize))
	size.Slider.OnChangeEnded = func(v float64) { d.Change(func(p *Values) { p.TextSize = int(v) }) }

	var sheet *container.Scroll
	page := func() fyne.Scrollable { return sheet }
	folder, folderNote := d.folderField(page, i18n.T("Where finished pictures are saved."), d.Host.Pictures, d.Pictures, func(path string) {
		d.Change(func(p *Values) { p.Pictures = path })
	})

	pattern := kit.NewField(d.Host.Commands.Shortcut, false).Explain(i18n.T("How the files of new pictures are named."))
	pattern.SetText(d.FileName)
	example := kit.NewBelow(theme.ColorNamePlaceHolder)
	var right *fyne.Container
	preview := func(text string) {
		said, color := "", theme.ColorNamePlaceHolder
		if err := state.CheckFileName(text); err != nil {
			said, color = wording.Sentence(err), theme.ColorNameError
		} else {
			sub, name := state.FileName(text, state.Naming{
				At: time.Now(), Seed: 1234567, Words: []string{"dog"}, Prompt: "a dog on the beach", Model: "toybox",
			})
			said = filepath.Join(sub, name+".png")
		}
		if example.Set(said, color) && right != nil {
			right.Refresh()
		}
	}
	preview(d.FileName)
	pattern.OnChanged = preview
	whole(pattern, d.FileName, func(text string) bool { return state.CheckFileName(text) == nil }, func(text string) {
		d.Change(func(p *Values) { p.FileName = text })
	})
	parts := kit.Note(i18n.T("You can use {date} {time} {seed} {words} {prompt} {model}, and / for folders."))

	compute := d.compute()

	steps := d.Host.Steps(d.Budget())

	var written []fyne.CanvasObject
	for _, c := range metadataChecks(d.app.Preferences()) {
		written = append(written, c)
	}
	left := kit.NewColumn(18,
		section(i18n.T("Appearance"), look, size.Container),
		section(i18n.T("Language"), language, spoken),
		section(i18n.T("Steps kept for finished pictures"), steps, kit.Note(i18n.T("The oldest are removed first; pictures always stay."))),
		section(i18n.T("When a job is done"), check(i18n.T("Notify me when the window is not in front"), d.Notify,
			func(p *Values, on bool) { p.Notify = on }).Explain(i18n.T("A desktop notification says that the pictures are finished."))),
	)
	if d.Host.Models != nil {
		models, trouble := d.folderField(page, i18n.T("Where imported and downloaded models are kept."), d.Host.Models.Folder(), d.Models,
			func(path string) {
				d.Change(func(p *Values) { p.Models = path })
				d.Host.OnModels()
			})
		left.Add(section(i18n.T("Models"), kit.Caption(i18n.T("Folder for imported models")), models, trouble))
	}
	right = kit.NewColumn(18,
		section(i18n.T("Finished pictures"), kit.Caption(i18n.T("Folder")), folder, folderNote, kit.Caption(i18n.T("File name")),
			kit.InPage(pattern, page), example, parts),
		section(i18n.T("Stored in every picture"), written...),
		section(i18n.T("Compute on"), compute...),
	)
	both := container.New(kit.Inset{X: 4, Y: 4}, container.New(halves{28}, left, right))
	keys := kit.NewButton(i18n.T("Keyboard shortcuts…"), nil).Explain(i18n.T("All keys, to look up or to change."))
	reset := kit.NewButton(i18n.T("Reset all"), nil).Explain(i18n.T("Sets everything on this sheet back to how it was at the first start."))
	done := kit.NewButton(i18n.T("Done"), nil).Explain(i18n.T("Closes the sheet. Your changes already apply."))
	done.Importance = widget.HighImportance
	sheet = kit.NewPage(both)
	closeIt := d.Host.Layers.Sheet(i18n.T("Preferences"), fyne.NewSize(920, 560), sheet, reset, keys, done)
	done.OnTapped = closeIt
	keys.OnTapped = func() { closeIt(); d.Host.Commands.ShowKeys() }
	reset.OnTapped = func() {
		d.Host.Layers.Warn(i18n.T("Reset all preferences?"), i18n.T("Folders, file names, language and all else on this sheet go back to how they were at the first start."),
			i18n.T("Cancel"), i18n.T("Reset all"), func() {
				closeIt()
				d.Reset()
				d.Show()
			})
	}
}

// compute is the choice of what models compute on.
func (d *Desk) compute() []fyne.CanvasObject {
	devices, names := []string{"auto"}, []string{i18n.T("Graphics card if there is one")}
	notes := []fyne.CanvasObject{kit.Note(i18n.T("Takes effect with the next model you open."))}
	if d.Host.Cards != nil {
		for _, c := range d.Host.Cards() {
			devices, names = append(devices, c.Device), append(names, c.Name)
		}
	}
	if len(devices) > 1 || d.Device != "auto" && d.Device != "cpu" {
		notes = append(notes, kit.Note(i18n.T("Another graphics card is used from the next start of Realword.")))
	}
	if d.Device != "auto" && d.Device != "cpu" && !slices.Contains(devices, d.Device) { // it may be away for a while
		devices, names = append(devices, d.Device), append(names, d.Device)
	}
	devices, names = append(devices, "cpu"), append(names, i18n.T("CPU"))
	device := kit.NewSelect(names, nil).Explain(i18n.T("A graphics card is used once a self-test has matched the CPU."))
	device.Selected = names[max(0, slices.Index(devices, d.Device))]
	device.OnChanged = func(label string) {
		d.Change(func(p *Values) { p.Device = devices[slices.Index(names, label)] })
	}
	return append([]fyne.CanvasObject{device}, notes...)
}

// halves puts two objects side by side with a gap.
type halves struct{ gap float32 }

func (h halves) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	half := (size.Width - h.gap) / 2
	for i, o := range objects {
		o.Move(fyne.NewPos(float32(i)*(half+h.gap), 0))
		o.Resize(fyne.NewSize(half, size.Height))
	}
}

func (h halves) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(0, 0)
	for _, o := range objects {
		size = size.Max(o.MinSize())
	}
	return fyne.NewSize(0, size.Height) // the width is the sheet's
}

// whole has a field take what is typed when the user leaves it or presses Enter, where that is right and another text than before: a job
// that ends meanwhile must not find half a name.
func whole(field *kit.Field, taken string, right func(text string) bool, take func(text string)) {
	field.Left = func() {
		if text := field.Text; text != taken && right(text) {
			taken = text
			take(text)
		}
	}
	field.OnSubmitted = func(string) { field.Take() }
}

// folderField is a field for a folder, with a button that asks for it, and the place where it says what is wrong: it takes a folder that
// nothing can be written to as well, whose disk may be away for a while. changed is told every whole path, and "" for the usual place,
// which stands in the empty field.
func (d *Desk) folderField(page func() fyne.Scrollable, about, usual, value string,
	changed func(path string),
) (row, trouble fyne.CanvasObject) {
	field := kit.NewField(d.Host.Commands.Shortcut, false).Explain(about)
	wrong := widget.NewLabel("")
	wrong.Wrapping, wrong.SizeName, wrong.Importance = fyne.TextWrapWord, theme.SizeNameCaptionText, widget.DangerImportance
	trouble = container.New(kit.Inset{X: -6, Y: -6}, wrong)
	field.SetPlaceHolder(usual)
	field.SetText(value)
	right := func(path string) bool { return path == "" || filepath.IsAbs(wording.WholePath(path)) }
	field.OnChanged = func(path string) {
		if wrong.SetText(""); !right(path) {
			wrong.SetText(i18n.T("Write the full path, starting at the root of the disk."))
		}
	}
	look := func(path string) {
		d.Host.Background(func() func() {
			err := files.Writable(path) // a drive of the network may take its time
			return func() {
				if err != nil && cmp.Or(wording.WholePath(field.Text), usual) == path {
					wrong.SetText(wording.Sentence(err))
				}
			}
		})
	}
	whole(field, value, right, func(path string) {
		path = wording.WholePath(path)
		changed(path)
		look(cmp.Or(path, usual))
	})
	look(cmp.Or(value, usual))
	if d.Host.OpenFolder == nil {
		return kit.InPage(field, page), trouble
	}
	choose := kit.NewButton(i18n.T("Choose…"), func() {
		d.Host.Background(func() func() {
			path, err := d.Host.OpenFolder()
			return func() {
				if err != nil {
					wrong.SetText(wording.Sentence(err))
				} else if path != "" {
					field.SetText(path)
					field.Take()
				}
			}
		})
	}).Explain(i18n.T("Asks for the folder."))
	return container.NewBorder(nil, nil, nil, choose, kit.InPage(field, page)), trouble
}
