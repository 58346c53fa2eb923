package state

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/schedule"
	"realword/ui/i18n"
)

// Side is one side of a grid as it is typed.
type Side struct {
	Key    string // of inference.AxisKeys; "": this side has no values
	Values string // with commas between them, or with semicolons, which leaves commas to decimals
}

// SideKeys are what a side can be of in the window, in the order in which they are offered.
func SideKeys() []string {
	return []string{"scope", "stop", inference.AxisSeed, inference.AxisReference, "preset", "cfg", "steps", "sampler", inference.AxisSwift}
}

// SideName is what a side is called.
func SideName(key string) string {
	switch key {
	case "scope":
		return i18n.T("Area γ")
	case "stop":
		return i18n.T("Masks settle after (T_stop)")
	case inference.AxisSeed:
		return i18n.T("Seed")
	case inference.AxisReference:
		return i18n.T("Picture of the subject")
	case "preset":
		return i18n.T("Preset")
	case "cfg":
		return i18n.T("Guidance scale")
	case "steps":
		return i18n.T("Steps")
	case "sampler":
		return i18n.T("Sampler")
	case inference.AxisSwift:
		return i18n.T("Exact or swift")
	}
	return i18n.T("Nothing else")
}

// SideLabel names value i of a side over its cells.
func SideLabel(a inference.Axis, i int) string {
	text := a.Text(i)
	switch a.Key {
	case "scope":
		return "γ " + text
	case "stop":
		return "T_stop " + text
	case inference.AxisSeed:
		return i18n.T("seed %s", text)
	case "sampler":
		return SamplerName(text)
	case "preset":
		return PresetName(text)
	case inference.AxisSwift:
		if text == inference.AxisApprox {
			return i18n.T("Swift (approximate)")
		}
		return i18n.T("Exact")
	case "cfg", "steps":
		return SideName(a.Key) + " " + text
	}
	return text
}

// SideValues are values to begin with.
func (s State) SideValues(key string) string {
	switch key {
	case "scope":
		return "0.1, 0.2, 0.3, 0.4"
	case "stop":
		steps := max(s.Form.Steps, 4)
		return strings.Join([]string{strconv.Itoa(steps / 4), strconv.Itoa(steps / 2), strconv.Itoa(steps * 3 / 4)}, ", ")
	case inference.AxisSeed:
		first := min(s.Form.Seed, SeedLimit-4)
		return strconv.FormatUint(first, 10) + "-" + strconv.FormatUint(first+3, 10)
	case inference.AxisReference:
		var names []string
		for _, ref := range s.sideReferences() {
			names = append(names, ref.Name)
		}
		return strings.Join(names, ", ")
	case "preset":
		if s.Model != nil {
			return strings.Join(s.Model.PresetNames(), ", ")
		}
	case "cfg":
		return "3, 5, 7.5"
	case "steps":
		return "10, 25, 50"
	case "sampler":
		return "ddim, dpm++, euler"
	case inference.AxisSwift:
		return inference.AxisExact + ", " + inference.AxisApprox
	}
	return ""
}

// sideReferences are the pictures of the first subject that has several, or else of the first.
func (s State) sideReferences() []inference.Reference {
	_, refs := s.sideSubject()
	return refs
}

func (s State) sideSubject() (int, []inference.Reference) {
	subjects := s.Form.Subjects()
	if len(subjects) == 0 {
		return 0, nil
	}
	j := max(slices.IndexFunc(subjects, func(one inference.Subject) bool { return len(one.References) > 1 }), 0)
	return j + 1, subjects[j].References
}

// axis reads a side. What it cannot read, the engine says.
func (s State) axis(side Side) inference.Axis {
	a := inference.Axis{Key: side.Key}
	switch side.Key {
	case "":
		return a
	case inference.AxisReference:
		a.Subject, a.References = s.sideSubject()
		return a
	}
	split := ","
	if strings.Contains(side.Values, ";") {
		split = ";"
	}
	for _, v := range strings.Split(side.Values, split) {
		v = strings.TrimSpace(v)
		seeds := inference.SeedRange(v)
		switch {
		case v == "":
		case side.Key == inference.AxisSeed && seeds != nil:
			a.Values = append(a.Values, seeds...)
		case side.Key == "scope" || side.Key == "cfg":
			if n, err := inference.ParseDecimal(v); err == nil {
				v = strconv.FormatFloat(n, 'g', -1, 64)
			}
			a.Values = append(a.Values, v)
		default:
			a.Values = append(a.Values, s.called(side.Key, v))
		}
	}
	return a
}

// called is the value that a text of a side means: as its name is written in files, or in the window, in capitals or not.
func (s State) called(key, text string) string {
	var names []string
	switch key {
	case "preset":
		if s.Model != nil {
			names = s.Model.PresetNames()
		}
	case inference.AxisSwift:
		names = []string{inference.AxisExact, inference.AxisApprox}
	}
	for _, name := range names {
		shown := SideLabel(inference.Axis{Key: key, Values: []string{name}}, 0)
		if strings.EqualFold(text, name) || strings.EqualFold(text, shown) {
			return name
		}
	}
	return text
}

// GridRequest is the request of the form as a grid of these sides; of one side alone it is one row.
func (s State) GridRequest(rows, columns Side) inference.Request {
	r := s.Form.Request()
	r.Seeds = r.Seeds[:min(len(r.Seeds), 1)]
	if columns.Key == "" {
		rows, columns = columns, rows
	}
	r.Grid = &inference.Grid{Rows: s.axis(rows), Columns: s.axis(columns)}
	return r
}

// CheckSides says what is wrong with the sides of a grid of GridRequest, by their names in the window, and which values a side can have.
// What the engine alone can tell, such as sides that change nothing, is passed over.
func CheckSides(r inference.Request, m bundle.Manifest) error {
	for _, a := range r.Grid.Axes() {
		switch name := SideName(a.Key); {
		case a.Key == inference.AxisReference && a.Len() == 0:
			return i18n.Errorf("the side %q of the grid needs a subject: bind a word to a picture", name)
		case a.Len() == 0:
			return i18n.Errorf("the side %q of the grid has no values: give some", name)
		}
	}
	if key := r.Grid.Rows.Key; key == r.Grid.Columns.Key && key != "" {
		return i18n.Errorf("both sides of the grid are %q: choose another one for one of them", SideName(key))
	}
	for _, a := range r.Grid.Axes() {
		steps := m.Schedule.TrainSteps
		if a.Key == "stop" {
			for _, c := range r.Cells(m) { // the other side may be of steps
				steps = min(steps, max(c.Steps, 1))
			}
		}
		for _, v := range a.Values {
			if err := checkValue(*a, v, m, steps); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkValue says what a side can have instead of a value; nil where it can have it. steps is the most of a side that counts steps.
func checkValue(a inference.Axis, value string, m bundle.Manifest, steps int) error {
	name := SideName(a.Key)
	names := func(all ...string) error {
		if slices.Contains(all, value) {
			return nil
		}
		return i18n.Errorf("%s cannot be %q: choose from %s", name, value, strings.Join(all, ", "))
	}
	switch number, err := inference.ParseDecimal(value); a.Key {
	case "scope":
		if err != nil || number <= 0 || number > 1 {
			return i18n.Errorf("%s cannot be %q: give numbers above 0 and up to 1; 0.2 is 20 %%", name, value)
		}
	case "cfg":
		if err != nil || number < 1 || number > inference.MaxCFG {
			return i18n.Errorf("%s cannot be %q: give numbers from %d to %d", name, value, 1, inference.MaxCFG)
		}
	case inference.AxisSeed:
		if _, err := strconv.ParseUint(value, 10, 64); err != nil {
			return i18n.Errorf("%s cannot be %q: give whole numbers, or ranges such as 7-9 of up to %d", name, value, inference.MaxCells)
		}
	case "steps", "stop":
		if n, err := strconv.Atoi(value); err != nil || n < 1 || n > steps {
			return i18n.Errorf("%s cannot be %q: give whole numbers from %d to %d", name, value, 1, steps)
		}
	case "preset":
		return names(m.PresetNames()...)
	case inference.AxisSwift:
		return names(inference.AxisExact, inference.AxisApprox)
	case "sampler":
		if _, err := schedule.Find(value); err != nil {
			return names(schedule.Samplers()...)
		}
	}
	return nil
}

// Faster is how many percent of the passes of the U-Net T_stop and swift save, at least, against an exact picture whose masks follow the
// words to the end; 0 where that is not known.
func (s State) Faster() int {
	if s.Model == nil {
		return 0
	}
	r := s.Form.Request()
	r.Seeds = []uint64{0} // the passes of all pictures are as many
	whole := r
	whole.Settings = r.WithoutApproximations()
	whole.Stop = r.Complete(*s.Model).Steps
	have, _ := inference.Passes(*s.Model, r)
	all, _ := inference.Passes(*s.Model, whole)
	return int(math.Round(100 * (1 - float64(have)/float64(max(all, 1)))))
}

// GridCost says how many pictures a grid has and how many passes of the U-Net it takes; nothing where it cannot be.
func (s State) GridCost(r inference.Request) (pictures, passes int) {
	if s.Model == nil || r.Grid == nil || r.Grid.Columns.Key == "" || r.Grid.Len() > inference.MaxCells {
		return 0, 0
	}
	passes, _ = inference.Passes(*s.Model, r)
	return r.Grid.Len(), passes
}
