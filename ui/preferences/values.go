package preferences

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"

	"fyne.io/fyne/v2"

	"realword/assets/translations"
	"realword/ui/kit"
	"realword/ui/state"
)

// Values are the preferences. What goes into the picture files is kept beside them (see Embed), and so is how much step data the history
// keeps (see Budget) and the user's own presets.
type Values struct {
	Language string // BCP 47 name of a shipped one; "": that of the system
	Look     string // "system", "light" or "dark"
	TextSize int    // in percent, leastTextSize to mostTextSize

	Pictures string // folder for finished pictures; "": files.Pictures
	FileName string // pattern of their names below it, see state.FileName

	FoldLeft, FoldRight, FoldPrompt bool // panels that are away
	Room                            Room

	Model     string   // folder of the model that was chosen last; "": the one inside the program
	Models    string   // folder for models; "": that of Options.Models
	Elsewhere []string // folders of models that lie outside it

	// where a model computes that is opened: "auto", which is a graphics card where one can be used, "cpu", or "webgpu:1" and so on, which
	// is auto that takes this card before others
	Device string

	Likeness string // when hints of likeness are computed: "always", "never", or "" where they cost little

	Sharing    bool `json:",omitempty"` // the queue of this computer was shared when the window ended
	ModelsStay bool `json:",omitempty"` // no other computer gets the open model from here

	Where state.Where `json:",omitempty"` // the next job is to be made, while a farm is joined

	Notify bool // tell when a run is over and the window is not in front

	Keys map[string]string // by action, where the user has another key than the action's own; "" is none
}

// Room is what the user has made of the window's size and of that of its parts. What is 0 has its usual size.
type Room struct {
	Width, Height float32 `json:",omitempty"` // of the window
	Left, Right   float32 `json:",omitempty"` // of the columns
	Film          string  `json:",omitempty"` // "open", "closed", or "": where there is room for it
	Zoom          float32 `json:",omitempty"` // of the film's rows
	Thumb         float32 `json:",omitempty"` // of the thumbnails
}

const (
	leastTextSize, mostTextSize = 80, 200
)

// Default is what holds until the user chooses otherwise.
func Default() Values {
	return Values{Device: "auto", Look: "system", TextSize: 100, FileName: state.DefaultFileName, Notify: true}
}

// valuesKey is where the app keeps them, as JSON: what an older program wrote is completed, what a newer one wrote is kept
// out of harm by being ignored.
const valuesKey = "preferences"

// oneCard is the Device of a Card.
var oneCard = regexp.MustCompile(`^webgpu:[1-9][0-9]?$`)

// Read never fails: what cannot be used is replaced by the default, and what cannot be read is kept by itself as well.
func Read(from fyne.Preferences) Values {
	p := Default()
	if !kit.Recall(from, valuesKey, &p) {
		p = Default()
	}
	d := Default()
	if _, err := fs.Stat(translations.Files, p.Language+".json"); err != nil {
		p.Language = d.Language
	}
	if p.Look != "light" && p.Look != "dark" {
		p.Look = d.Look
	}
	if p.Device != "cpu" && !oneCard.MatchString(p.Device) {
		p.Device = d.Device
	}
	if p.TextSize < leastTextSize || p.TextSize > mostTextSize {
		p.TextSize = d.TextSize
	}
	if !slices.Contains(state.Wheres(), p.Where) {
		p.Where = d.Where
	}
	if state.CheckFileName(p.FileName) != nil {
		p.FileName = d.FileName
	}
	return p
}

// Write keeps them.
func (p Values) Write(to fyne.Preferences) {
	data, err := json.Marshal(p)
	if err != nil {
		fyne.LogError("The preferences are not kept", err) // plain values always are
		return
	}
	to.SetString(valuesKey, string(data))
}

// How much step data is kept.
const (
	budgetKey     = "history.budget" // bytes; 0: no limit
	defaultBudget = 2e9
)

// Desk knows the preferences and changes them.
type Desk struct {
	Values      // as they are now
	Host   Host // set before anything is shown or changed

	app fyne.App
}

// New reads the preferences of an app and has its windows look like them.
func New(a fyne.App) *Desk {
	d := &Desk{app: a, Values: Read(a.Preferences())}
	d.Apply()
	return d
}

// Change takes over changed preferences and keeps them.
func (d *Desk) Change(f func(*Values)) {
	before := d.Values
	f(&d.Values)
	d.Write(d.app.Preferences())
	if d.Look != before.Look || d.TextSize != before.TextSize {
		d.Apply()
	}
	d.Host.OnChange()
}

// Folder is the one for finished pictures.
func (d *Desk) Folder() string { return cmp.Or(d.Pictures, d.Host.Pictures) }

// Budget is how much step data the history keeps, in bytes; 0: no limit.
func (d *Desk) Budget() int64 {
	return int64(d.app.Preferences().FloatWithFallback(budgetKey, defaultBudget))
}

// KeepBudget notes it.
func (d *Desk) KeepBudget(bytes int64) { d.app.Preferences().SetFloat(budgetKey, float64(bytes)) }

// Reset brings back the defaults of all that is on the sheet.
func (d *Desk) Reset() {
	for _, key := range []string{bareKey, noThumbnailsKey, budgetKey} {
		d.app.Preferences().RemoveValue(key)
	}
	d.Host.OnBudget(d.Budget())
	models := d.Models
	d.Change(func(p *Values) {
		f := Default()
		p.Language, p.Look, p.TextSize, p.Pictures, p.FileName = f.Language, f.Look, f.TextSize, f.Pictures, f.FileName
		p.Models, p.Device, p.Notify = f.Models, f.Device, f.Notify
	})
	if d.Models != models {
		d.Host.OnModels()
	}
}
