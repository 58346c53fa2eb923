package state

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"realword/inference/bundle"
	"realword/inference/hub"
	"realword/inference/message"
	"realword/ui/i18n"
	"realword/ui/wording"
)

// Models keeps the models that the window can open. Its methods may block and are called off the window's goroutine, one or
// several at a time. Errors are sentences with their remedy. Checkpoints of the user are read and never changed.
type Models interface {
	// Folder is where models are kept unless the user chooses another place.
	Folder() string
	// List answers the model inside the program first, then those of the folder, then those that lie elsewhere, each by name. What
	// cannot be used is listed with its error. Folders that are gone are listed too.
	List(folder string, elsewhere []string) ([]Model, error)
	// Free is how many bytes the disk of a folder, which need not exist yet, has left.
	Free(folder string) (int64, error)
	// Inspect says what lies at a path and what its import into a folder would do; see bundle.Inspect. base may be empty.
	Inspect(ctx context.Context, path, folder, base, prediction string) (bundle.Inspection, error)
	// Import makes a model in folder and answers its path. When it fails or ctx ends, nothing is left.
	Import(ctx context.Context, i Import, progress bundle.Progress) (string, error)
	// Check compares every file of a model with what was imported.
	Check(ctx context.Context, path string, progress bundle.Progress) error
	// Rename gives a model another name.
	Rename(path, name string) error
	// Remove takes a model out of its folder; undo puts it back as long as the program runs.
	Remove(path string) (undo func() error, err error)

	// Catalogue are the models that can be downloaded.
	Catalogue() []hub.Entry
	// Memory is how many bytes the program may take.
	Memory() int64
	// Unfinished are the downloads into a folder that were begun and not imported.
	Unfinished(folder string) []hub.Unfinished
	// Plan says what a download into a folder consists of; it asks the hub unless it was begun already.
	Plan(ctx context.Context, folder string, e hub.Entry) (hub.Plan, error)
	// Missing is how many bytes of a plan are neither in its folder nor elsewhere on this machine where Get takes them from.
	Missing(folder string, p hub.Plan) int64
	// Licences are those of a plan.
	Licences(p hub.Plan) []hub.Licence
	// Get downloads, imports, deletes what the model does not need and answers its path. When it fails or ctx ends, what was fetched
	// is kept, and the next Get goes on; with a path, the model is there and something else went wrong.
	Get(ctx context.Context, g Get, fetching func(hub.Progress), importing bundle.Progress) (string, error)
	// Discard deletes what was fetched.
	Discard(folder string, e hub.Entry) error
	// Token says where the token for the hub comes from ("" is: there is none), and the page that makes one; see hub.Client.TokenFrom.
	Token() (from, page string)
	// SetToken keeps a token, or with "" forgets it.
	SetToken(token string) error
}

// Get is a model that is to be downloaded and made.
type Get struct {
	Plan   hub.Plan
	Folder string // that it is made in
	Name   string // of the model
	Keep   bool   // all that was downloaded stays
}

// Import is a model that is to be made.
type Import struct {
	Source, Base string // checkpoints; Base may be empty
	Prediction   string // how it was trained, where its files do not count: one of bundle.Predictions, or ""
	Name         string // of the model
	Folder       string // that it is made in
	Copy         bool   // all weights go into it; else those that can be read in the checkpoints stay there
}

// Model is one model that the window can open.
type Model struct {
	Path       string           // its folder; "" is the model inside the program
	Manifest   *bundle.Manifest // nil where it cannot be read
	Bytes      int64            // on disk
	Mapped     int64            // bytes that it reads out of the user's own files
	Source     string           // checkpoints that it was made of; "": not known
	Bare       bool             // those were downloaded, and their weights are not there any more: the model has copies
	Base       string           // other text-to-image model under them; "": none
	Prediction string           // see Import
	Licence    string           // as the hub says, of a download; "": not known
	Downloaded bool             // those were downloaded for it, and go with it
	Card       bool             // it is on the computers of the farm alone; Path is the file that says what it is
	Elsewhere  bool             // it lies outside the folder of models
	State      ModelState
	Err        error // why it cannot be used, with the remedy; nil when State is ModelReady
}

// ModelState is whether a model can be used.
type ModelState int

// The states of a model.
const (
	ModelReady   ModelState = iota
	ModelMissing            // files are missing, or the whole folder
	ModelDamaged            // files are not as they were imported, or cannot be read
)

// Name is what the model is called.
func (m Model) Name() string {
	if m.Manifest != nil && m.Manifest.Name != "" {
		return m.Manifest.Name
	}
	return filepath.Base(m.Path)
}

// familyName is what people call a family.
func familyName(family string) string {
	switch family {
	case "sdxl":
		return "SDXL"
	case "sd15":
		return "Stable Diffusion 1.5"
	}
	return family
}

// Shelf is what the window knows of the models.
type Shelf struct {
	List   []Model
	Listed bool   // it was read once
	Free   int64  // bytes left on the disk of the folder; -1: not known
	Using  string // path of the open model
	Opened bool   // Using means something
	Next   *Model // is opened as soon as the queue is through; nil: none
	Hasty  bool   // Next does not wait for the queue, only for the running job
	Moving bool   // another model is being opened
	Chosen string // path of the model whose details are shown
	Adding *Adding
	Tasks  []ModelTask // the first import or check runs, and the first download; the others wait
	Checks map[string]CheckResult
	Err    error  // of the last thing done
	Told   string // of the last thing done

	Getting   bool // the catalogue is shown
	Catalogue []hub.Entry
	Memory    int64            // bytes that the program may take; 0: not known yet
	Begun     []hub.Unfinished // downloads that were begun, also those that run
	Planning  string           // name of the entry that the hub is asked about

	Last int // ID of a task given last
}

// CheckResult is how a check of a model's files came out.
type CheckResult struct {
	At  time.Time
	Err error
}

// Adding is a checkpoint that was named, before it is imported.
type Adding struct {
	Path, Base string
	Prediction string // see Import
	Looking    bool   // it is being inspected
	Found      bundle.Inspection
	Folder     string // that it goes to
	Name       string // that the model gets
	Copy       bool   // the user wants all weights in the model
	Free       int64  // bytes left on the disk that it goes to; -1: not known
	Again      string // path of the model that it is made anew for, or ""
}

// ModelTask is an import, a check or a download.
type ModelTask struct {
	ID        int
	Import    Import // of an import
	Check     string // path of the model that is checked; Import is empty
	Get       *Get   // of a download; Import is empty
	Name      string
	What      string        // the file at work
	Done, All int64         // bytes
	Began     time.Time     // zero: it waits
	Remaining time.Duration // 0: not known yet
	Speed     float64       // of a download, bytes per second
	Waiting   string        // why a download does not move; "": it does
	Importing bool          // a download is here and being imported
	Ending    bool          // it was cancelled
	Expected  int64         // bytes that it reads and writes
	Again     string        // path of the model that the import replaces, or ""
}

// Find is the model of a path.
func (s Shelf) Find(path string) (Model, bool) {
	i := slices.IndexFunc(s.List, func(m Model) bool { return m.Path == path })
	if i < 0 {
		return Model{}, false
	}
	return s.List[i], true
}

// Called is a model that can be used and has, or had, the name that a recipe tells.
func (s Shelf) Called(name string) (Model, bool) {
	i := slices.IndexFunc(s.List, func(m Model) bool { return name != "" && m.Err == nil && m.Manifest != nil && m.Manifest.Named(name) })
	if i < 0 {
		return Model{}, false
	}
	return s.List[i], true
}

// ChosenModel is the model whose details are shown: the one in use unless the user chose another.
func (s Shelf) ChosenModel() (Model, bool) {
	if m, ok := s.Find(s.Chosen); ok {
		return m, true
	}
	if m, ok := s.Find(s.Using); ok {
		return m, true
	}
	return Model{}, false
}

// InUse tells whether a model is the open one.
func (s Shelf) InUse(path string) bool { return s.Opened && s.Using == path }

// Busy tells whether a task concerns a model.
func (s Shelf) Busy(path string) bool {
	return slices.ContainsFunc(s.Tasks, func(t ModelTask) bool { return t.Check != "" && t.Check == path })
}

// Sources are the models that another base can go under: those whose checkpoints are known, each checkpoint once.
func (s Shelf) Sources() []Model {
	var list []Model
	for _, m := range s.List {
		if m.Source != "" && !m.Bare && !slices.ContainsFunc(list, func(have Model) bool { return have.Source == m.Source }) {
			list = append(list, m)
		}
	}
	return list
}

// FreeName is a name that no model has yet.
func (s Shelf) FreeName(name string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(s.List, func(m Model) bool { return strings.EqualFold(m.Name(), name) }) ||
			slices.ContainsFunc(s.Tasks, func(t ModelTask) bool {
				return strings.EqualFold(t.Import.Name, name) || t.Get != nil && strings.EqualFold(t.Get.Name, name)
			})
	}
	for n := 2; ; n++ {
		if !taken(name) {
			return name
		}
		base := name
		if i := strings.LastIndex(name, " "); i > 0 && name[i+1:] == fmt.Sprint(n-1) {
			base = name[:i]
		}
		name = fmt.Sprintf("%s %d", base, n)
	}
}

// Line is the second line of a model in the list.
func (s Shelf) Line(m Model) string {
	var parts []string
	if m.Manifest != nil && m.Manifest.Family != "" {
		parts = append(parts, familyName(m.Manifest.Family))
	}
	if m.Bytes > 0 {
		parts = append(parts, wording.Bytes(m.Bytes))
	}
	switch {
	case m.State == ModelMissing:
		parts = append(parts, i18n.T("files are missing"))
	case m.State == ModelDamaged:
		parts = append(parts, i18n.T("damaged"))
	case s.InUse(m.Path):
		parts = append(parts, i18n.T("in use"))
	case s.Next != nil && s.Next.Path == m.Path:
		parts = append(parts, i18n.T("next"))
	}
	return strings.Join(parts, " · ")
}

// Verdict says how a model is, in one or more sentences; bad tells that it cannot be used.
func (s Shelf) Verdict(m Model) (text string, bad bool) {
	if m.Err != nil {
		return wording.Sentence(m.Err), true
	}
	text = i18n.T("Ready.")
	if m.Path == "" {
		text = i18n.T("Ready. It is a toy: it shows the method at work and knows only the few things it was trained on.")
	}
	if s.InUse(m.Path) {
		text = i18n.T("In use.")
		if m.Path == "" {
			text = i18n.T("In use. It is a toy: it shows the method at work and knows only the few things it was trained on.")
		}
	}
	if m.Card {
		text += " " + wording.Sentence(bundle.ErrCard)
	}
	switch check, ok := s.Checks[m.Path]; {
	case ok && check.Err != nil:
		return wording.Sentence(check.Err), true
	case ok:
		text += " " + i18n.T("Checked at %s: no file has changed since the import.", check.At.Local().Format("15:04"))
	}
	return text, false
}

// Fact is one line of a table of facts.
type Fact struct {
	What, Is string
	At       string // address of a page about it; "": none
}

// Facts are what there is to know of a model.
func (m Model) Facts() []Fact {
	var list []Fact
	add := func(what, is string) {
		if is != "" {
			list = append(list, Fact{What: what, Is: is})
		}
	}
	if f := m.Manifest; f != nil {
		add(i18n.T("Family"), familyName(f.Family))
		add(i18n.T("Pictures"), sizeFact(*f))
		add(i18n.T("References"), i18n.T("%d × %d pixels", f.Vision.Reference, f.Vision.Reference))
		add(i18n.T("Precision"), strings.TrimSuffix(wording.Sentence(message.Make(f.Precision, []any{}...)), "."))
	}
	if m.Bytes > 0 {
		add(i18n.T("On disk"), wording.Bytes(m.Bytes))
	}
	if m.Mapped > 0 {
		if m.Downloaded {
			add(i18n.T("Downloaded files"), i18n.T("%s used in place, deleted with the model", wording.Bytes(m.Mapped)))
		} else {
			add(i18n.T("Your own files"), i18n.T("%s used in place: keep them where they are", wording.Bytes(m.Mapped)))
		}
	}
	add(i18n.T("Made of"), wording.Path(m.Source))
	add(i18n.T("Base model"), wording.Path(m.Base))
	folder := wording.Path(m.Path)
	if m.Path == "" {
		folder = i18n.T("built in")
	}
	add(i18n.T("Folder"), folder)
	if m.Manifest != nil {
		list = append(list, licenceFacts(cmp.Or(m.Manifest.Licence, m.Licence))...)
	}
	return list
}

// licenceFacts are the licences of a model, which its import has joined to a line. Those of the catalogue are a hub.Licence each.
func licenceFacts(line string) (list []Fact) {
	if line == "" {
		return []Fact{{What: i18n.T("Licence"), Is: i18n.T("not stated in its files: see where you got them")}}
	}
	for part := range strings.SplitSeq(line, "; ") {
		f := Fact{What: i18n.T("Licence"), Is: part}
		if l, found := hub.ParseLicence(part); found {
			f.Is, f.At = LicenceName(l), l.At
		}
		list = append(list, f)
	}
	return list
}

// LicenceName is what the window calls a licence.
func LicenceName(l hub.Licence) string { return cmp.Or(l.Name, i18n.T("not stated")) }

func sizeFact(m bundle.Manifest) string {
	if m.Size.Width == 0 {
		return ""
	}
	text := fmt.Sprintf("%d × %d", m.Size.Width, m.Size.Height)
	if m.Size.Max > m.Size.Min {
		text += i18n.T(", sides of %d to %d", m.Size.Min, m.Size.Max)
	}
	return text
}

// layoutName is what a checkpoint is recognised as.
func layoutName(in bundle.Inspection) string {
	switch {
	case in.Layout == bundle.LayoutRelease:
		return i18n.T("the released RealCustom++ checkpoints")
	case in.Layout == bundle.LayoutDiffusers:
		return i18n.T("a RealCustom++ folder in the diffusers layout")
	case in.Layout == bundle.LayoutBase && in.File:
		return i18n.T("a text-to-image model in one file, without RealCustom++ weights")
	case in.Layout == bundle.LayoutBase:
		return i18n.T("a text-to-image model in a folder, without RealCustom++ weights")
	case in.Layout == bundle.LayoutBundle:
		return i18n.T("a Realword model, ready to use")
	}
	return ""
}

// Facts are what was recognised.
func (a Adding) Facts() []Fact {
	in := a.Found
	var list []Fact
	add := func(what, is string) {
		if is != "" {
			list = append(list, Fact{What: what, Is: is})
		}
	}
	add(i18n.T("Type"), layoutName(in))
	add(i18n.T("Base model"), wording.Path(a.Base))
	add(i18n.T("Family"), familyName(in.Manifest.Family))
	if in.Layout != bundle.LayoutBase {
		add(i18n.T("Pictures"), sizeFact(in.Manifest))
	}
	if in.Tensors > 0 {
		add(i18n.T("Weights"), i18n.N(in.Tensors, "%d tensor in %s of files", "%d tensors in %s of files", in.Tensors, wording.Bytes(in.Source)))
	}
	if in.Layout == bundle.LayoutRelease || in.Layout == bundle.LayoutDiffusers {
		if a.Writes() > 0 {
			text := i18n.T("%s needed", wording.Bytes(a.Writes()))
			if a.Free >= 0 {
				text = i18n.T("%s needed, %s free", wording.Bytes(a.Writes()), wording.Bytes(a.Free))
			}
			add(i18n.T("Disk"), text)
		}
		if in.Mapped > 0 && !a.Copy {
			add(i18n.T("Used in place"), i18n.T("%s used in place: keep the checkpoints where they are", wording.Bytes(in.Mapped)))
		}
		add(i18n.T("Licence"), in.Manifest.Licence)
	}
	return list
}

// Problem says why what was named cannot be imported, "" where it can.
func (a Adding) Problem() string {
	switch in := a.Found; {
	case a.Looking:
		return ""
	case in.Problems != nil:
		return wording.Sentence(in.Problems)
	case in.Layout == bundle.LayoutBase:
		return ""
	case a.Free >= 0 && a.Writes()+Spare > a.Free && in.Layout != bundle.LayoutBundle:
		return i18n.T("The disk has no room for it: free up %s, or choose another folder for models in the preferences.",
			wording.Bytes(a.Writes()+Spare-a.Free))
	}
	return ""
}

// Writes is how many bytes the import takes from the disk.
func (a Adding) Writes() int64 {
	if a.Copy {
		return a.Found.Writes + a.Found.Mapped
	}
	return a.Found.Writes
}

// Spare is what a disk keeps free beside an import: graphs, tokenizers and what else goes on.
const Spare = 256 << 20

// Alone tells whether what was named is a text-to-image model that needs RealCustom++ checkpoints over it.
func (a Adding) Alone() bool { return !a.Looking && a.Found.Layout == bundle.LayoutBase }

// Trainable tells whether it can be said how the model was trained: one of Realword's own knows.
func (a Adding) Trainable() bool {
	return !a.Looking && a.Found.Layout != "" && a.Found.Layout != bundle.LayoutBundle
}

// Agree is what the button that goes on is called; "" where there is nothing to go on with.
func (a Adding) Agree() string {
	switch {
	case a.Looking || a.Problem() != "":
		return ""
	case a.Found.Layout == bundle.LayoutBundle:
		return i18n.T("Add")
	case a.Found.Layout == bundle.LayoutRelease || a.Found.Layout == bundle.LayoutDiffusers:
		return i18n.T("Import")
	}
	return ""
}

// Text is what a task is doing.
func (t ModelTask) Text(running bool) string {
	switch {
	case t.Ending:
		return i18n.T("Stopping…")
	case !running:
		return i18n.T("waiting for its turn")
	case t.All == 0:
		return i18n.T("reading…")
	case t.Get != nil:
		return t.getText()
	}
	text := i18n.T("%s of %s", wording.Bytes(t.Done), wording.Bytes(t.All))
	if t.Remaining > 0 {
		text += i18n.T(" · about %s left", wording.Duration(t.Remaining))
	}
	return text
}

// Part is how far a task is, from 0 to 1.
func (t ModelTask) Part() float64 {
	if t.All <= 0 {
		return 0
	}
	return min(float64(t.Done)/float64(t.All), 1)
}

// Tally adds up the progress of single files. It belongs to one goroutine.
type Tally struct {
	Expected int64 // bytes in all, as far as foretold
	files    map[string][2]int64
	began    time.Time
	told     time.Time
}

// Add takes what is told of a file. show tells that it is time to show the sum.
func (t *Tally) Add(what string, done, total int64, now time.Time) (sum, all int64, left time.Duration, show bool) {
	if t.files == nil {
		t.files, t.began = map[string][2]int64{}, now
	}
	t.files[what] = [2]int64{done, total}
	for _, f := range t.files {
		sum += f[0]
		all += f[1]
	}
	all = max(all, t.Expected)
	if spent := now.Sub(t.began); spent > time.Second && sum > 0 {
		left = time.Duration(float64(spent) * float64(all-sum) / float64(sum))
	}
	if show = now.Sub(t.told) >= 100*time.Millisecond || sum == all; show {
		t.told = now
	}
	return sum, all, left, show
}

// BegunDownload is the download of an entry that was begun and does not run.
func (s Shelf) BegunDownload(name string) (hub.Unfinished, bool) {
	i := slices.IndexFunc(s.Begun, func(u hub.Unfinished) bool { return u.Plan.Entry.Name == name })
	if i < 0 || s.Fetching(name) {
		return hub.Unfinished{}, false
	}
	return s.Begun[i], true
}

// Got is the first model that was made of the download of an entry.
func (s Shelf) Got(name string) (Model, bool) {
	for _, m := range s.List {
		if m.Downloaded && filepath.Base(filepath.Dir(m.Source)) == name {
			return m, true
		}
	}
	return Model{}, false
}

// Fetching tells whether the download of an entry runs or waits.
func (s Shelf) Fetching(name string) bool {
	return slices.ContainsFunc(s.Tasks, func(t ModelTask) bool { return t.Get != nil && t.Get.Plan.Entry.Name == name })
}

// getText is what a download is doing.
func (t ModelTask) getText() string {
	if t.Importing {
		return i18n.T("importing… %s of %s", wording.Bytes(t.Done), wording.Bytes(t.All))
	}
	text := i18n.T("%s of %s", wording.Bytes(t.Done), wording.Bytes(t.All))
	if t.Waiting != "" { // which is said below
		return text
	}
	if t.Remaining > 0 && t.Remaining < 100*time.Hour {
		text += i18n.T(" · %s left", wording.Duration(t.Remaining))
	}
	if t.Speed > 0 { // last: where the row is narrow, that can be missed most easily
		text += i18n.T(" · %s/s", wording.Bytes(int64(t.Speed)))
	}
	return text
}
