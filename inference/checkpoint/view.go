package checkpoint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"realword/inference/tensor"
)

// View is a Source under other names, with small changes of layout. Nothing is read before Read is called.
type View struct {
	entries []Entry
	derived map[string]derivation
	ignored []Ignored
}

// derivation says how a tensor of a view is made.
type derivation struct {
	Entry
	read     func() (*tensor.Tensor, error)
	location func() (Location, bool)
}

// Rule renames the tensors whose whole name matches a regular expression. Of several rules the first that matches counts; a
// name that none matches stays.
type Rule struct {
	Match string
	// To has the new name, in which $1 or ${1} stand for what the groups matched. With more than one name the tensor is cut along
	// its first dimension into as many equal parts. With none it is left out.
	To []string
	// Reason says why a tensor is left out.
	Reason string
	// Squeeze turns a 1×1 convolution [O I 1 1] into the matrix [O I]; other shapes stay.
	Squeeze bool
	// Transpose swaps the dimensions of a matrix.
	Transpose bool
}

// Rename applies rules to all names of src. It fails when two tensors get the same name or a tensor cannot be cut.
func Rename(src Source, rules ...Rule) (*View, error) {
	patterns := make([]*regexp.Regexp, len(rules))
	for i, r := range rules {
		p, err := regexp.Compile("^(?:" + r.Match + ")$")
		if err != nil {
			return nil, fmt.Errorf("rename rule %d: %w", i, err)
		}
		patterns[i] = p
	}
	v := &View{derived: map[string]derivation{}}
	from := map[string]string{}
	var problems Problems
	for _, e := range src.Entries() {
		i := slices.IndexFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(e.Name) })
		rule := Rule{To: []string{"$0"}}
		pattern := wholeName
		if i >= 0 {
			rule, pattern = rules[i], patterns[i]
		}
		if len(rule.To) == 0 {
			v.ignored = append(v.ignored, Ignored{e.Name, rule.Reason})
			continue
		}
		match := pattern.FindStringSubmatchIndex(e.Name)
		for part, template := range rule.To {
			name := string(pattern.ExpandString(nil, template, e.Name, match))
			if other, taken := from[name]; taken {
				problems = append(problems, Problem{Key: name, Kind: Ambiguous, Note: fmt.Sprintf("%q and %q both become it", other, e.Name)})
				continue
			}
			from[name] = e.Name
			d, ok := derive(src, e, name, rule, part)
			if !ok {
				problems = append(problems, Problem{Key: e.Name, Kind: Misshapen, Found: e.Shape, Note: ruleShape(rule)})
				break
			}
			v.add(d)
		}
	}
	if err := problems.orNil(); err != nil {
		return nil, err
	}
	sortEntries(v.entries)
	return v, nil
}

var wholeName = regexp.MustCompile(".*")

func ruleShape(r Rule) string {
	if r.Transpose {
		return "wanted a matrix"
	}
	return fmt.Sprintf("wanted a first dimension divisible by %d", len(r.To))
}

func derive(src Source, e Entry, name string, rule Rule, part int) (derivation, bool) {
	if e.DType == tensor.Invalid { // only whoever needs it hears why it cannot be read
		return derivation{Entry: Entry{Name: name, Shape: e.Shape}, read: func() (*tensor.Tensor, error) { return src.Read(e.Name) }}, true
	}
	shape, parts := slices.Clone(e.Shape), len(rule.To)
	if n := len(shape); rule.Squeeze && n == 4 && shape[2] == 1 && shape[3] == 1 {
		shape = shape[:2]
	}
	if parts > 1 {
		if len(shape) == 0 || shape[0]%parts != 0 {
			return derivation{}, false
		}
		shape[0] /= parts
	}
	if rule.Transpose {
		if len(shape) != 2 {
			return derivation{}, false
		}
		shape[0], shape[1] = shape[1], shape[0]
	}
	d := derivation{Entry: Entry{Name: name, DType: e.DType, Shape: shape}}
	d.read = func() (*tensor.Tensor, error) {
		t, err := src.Read(e.Name)
		if err != nil {
			return nil, err
		}
		t = cut(t, part, parts)
		if rule.Transpose {
			return transpose(t, shape), nil
		}
		t.Shape = slices.Clone(shape)
		return t, nil
	}
	d.location = func() (Location, bool) {
		l, ok := locate(src, e.Name)
		l.Bytes /= int64(parts)
		l.Offset += l.Bytes * int64(part)
		l.Dense = l.Dense && !rule.Transpose
		return l, ok
	}
	return d, true
}

func cut(t *tensor.Tensor, part, parts int) *tensor.Tensor {
	if parts > 1 {
		n := len(t.F32) / parts
		t.F32 = slices.Clone(t.F32[part*n : (part+1)*n])
		n = len(t.I64) / parts
		t.I64 = slices.Clone(t.I64[part*n : (part+1)*n])
	}
	return t
}

// transpose returns a matrix of the given shape from one of the swapped shape.
func transpose(t *tensor.Tensor, shape []int) *tensor.Tensor {
	rows, cols := shape[0], shape[1]
	out := &tensor.Tensor{Shape: slices.Clone(shape), DType: t.DType, F32: make([]float32, len(t.F32)), I64: make([]int64, len(t.I64))}
	for r := range rows {
		for c := range cols {
			if t.DType == tensor.I64 {
				out.I64[r*cols+c] = t.I64[c*rows+r]
			} else {
				out.F32[r*cols+c] = t.F32[c*rows+r]
			}
		}
	}
	return out
}

func locate(src Source, name string) (Location, bool) {
	if l, ok := src.(interface {
		Location(name string) (Location, bool)
	}); ok {
		return l.Location(name)
	}
	return Location{}, false
}

// Join puts sources side by side: the tensor NAME of parts[P] becomes P.NAME.
func Join(parts map[string]Source) *View {
	v := &View{derived: map[string]derivation{}}
	for _, prefix := range slices.Sorted(maps.Keys(parts)) {
		src := parts[prefix]
		for _, e := range src.Entries() {
			name := e.Name
			v.add(derivation{
				Entry:    Entry{Name: prefix + "." + name, DType: e.DType, Shape: e.Shape},
				read:     func() (*tensor.Tensor, error) { return src.Read(name) },
				location: func() (Location, bool) { return locate(src, name) },
			})
		}
		if s, ok := src.(interface{ Ignored() []Ignored }); ok {
			for _, i := range s.Ignored() {
				v.ignored = append(v.ignored, Ignored{prefix + "." + i.Name, i.Reason})
			}
		}
	}
	sortEntries(v.entries)
	return v
}

// Overlay puts the tensors of over on top of those of base: where both have a name, over counts.
func Overlay(base, over Source) *View {
	v := &View{derived: map[string]derivation{}}
	for _, src := range []Source{over, base} {
		for _, e := range src.Entries() {
			if _, taken := v.derived[e.Name]; taken {
				continue
			}
			name := e.Name
			v.add(derivation{
				Entry:    e,
				read:     func() (*tensor.Tensor, error) { return src.Read(name) },
				location: func() (Location, bool) { return locate(src, name) },
			})
		}
	}
	sortEntries(v.entries)
	return v
}

func (v *View) add(d derivation) {
	v.derived[d.Name] = d
	v.entries = append(v.entries, d.Entry)
}

// Entries returns all tensors, sorted by name. The caller must not change them.
func (v *View) Entries() []Entry { return v.entries }

// Shape returns shape and stored element type of a tensor.
func (v *View) Shape(name string) ([]int, tensor.DType, bool) {
	d, ok := v.derived[name]
	return d.Shape, d.DType, ok
}

// Read reads one tensor; see Source.
func (v *View) Read(name string) (*tensor.Tensor, error) {
	d, ok := v.derived[name]
	if !ok {
		return nil, fmt.Errorf("the checkpoint has no tensor %q", clip(name))
	}
	return d.read()
}

// Location returns where a tensor lies, false when it is computed from several.
func (v *View) Location(name string) (Location, bool) {
	d, ok := v.derived[name]
	if !ok || d.location == nil {
		return Location{}, false
	}
	return d.location()
}

// Ignored lists the tensors of the source that rules left out.
func (v *View) Ignored() []Ignored { return v.ignored }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
