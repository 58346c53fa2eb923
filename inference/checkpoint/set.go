package checkpoint

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"realword/inference/message"
	"realword/inference/tensor"
)

// Set watches that every tensor of a source is used exactly once. Whoever builds a network names what it
// uses; at the end Err reports everything that is wrong, together. It is for one goroutine.
type Set struct {
	Source
	uses     map[string]int
	ignores  []ignore
	problems Problems
}

type ignore struct {
	pattern *regexp.Regexp
	reason  string
}

// NewSet returns a set over src with nothing used.
func NewSet(src Source) *Set { return &Set{Source: src, uses: map[string]int{}} }

// Use records that tensors are used, for builders that read them later or point into the file.
func (s *Set) Use(names ...string) {
	for _, name := range names {
		if _, _, ok := s.Shape(name); !ok {
			s.problems = append(s.problems, Problem{Key: name, Kind: Missing})
			continue
		}
		s.uses[name]++
		if problem, unread := s.unread(name); unread {
			s.problems = append(s.problems, problem)
		}
	}
}

// unread says why a tensor that is there cannot be read.
func (s *Set) unread(name string) (Problem, bool) {
	if _, dtype, _ := s.Shape(name); dtype != tensor.Invalid {
		return Problem{}, false
	}
	_, err := s.Source.Read(name)
	why := "it cannot be read"
	if e, ok := errors.AsType[*UnsupportedError](err); ok {
		why = e.Problem.Error() + ", which Realword does not read: " + e.Remedy.Error()
	}
	return Problem{Key: name, Kind: Unread, Note: why}, true
}

// Ignore declares that tensors whose whole name matches the regular expression are not needed, and why. It panics when the
// expression is invalid: patterns are part of the program.
func (s *Set) Ignore(pattern, reason string) {
	s.ignores = append(s.ignores, ignore{regexp.MustCompile("^(?:" + pattern + ")$"), reason})
}

// Unused returns the names of tensors that were neither used nor ignored, sorted. Those that could not be read are none of them, nor
// are integers, booleans and tensors without elements: they count or mark something, and no network learns them.
func (s *Set) Unused() []string {
	var names []string
	for _, e := range s.Entries() {
		if s.uses[e.Name] == 0 && e.DType.Float() && tensor.Count(e.Shape) > 0 && s.ignoredBy(e.Name) == nil {
			names = append(names, e.Name)
		}
	}
	return names
}

// Ignored lists the unused tensors that were declared as not needed, and those that are no weights.
func (s *Set) Ignored() []Ignored {
	var out []Ignored
	for _, e := range s.Entries() {
		switch by := s.ignoredBy(e.Name); {
		case s.uses[e.Name] > 0:
		case by != nil:
			out = append(out, Ignored{e.Name, by.reason})
		case e.DType != tensor.Invalid && (!e.DType.Float() || tensor.Count(e.Shape) == 0):
			out = append(out, Ignored{e.Name, NoWeight})
		}
	}
	return out
}

// NoWeight is the reason why Set.Ignored lists a tensor that nobody declared.
const NoWeight = "it holds no weights"

func (s *Set) ignoredBy(name string) *ignore {
	for i := range s.ignores {
		if s.ignores[i].pattern.MatchString(name) {
			return &s.ignores[i]
		}
	}
	return nil
}

// Err returns all problems as Problems: missing and misshapen tensors, those used twice, and those left over. It is nil when
// every tensor was used exactly once or ignored.
func (s *Set) Err() error {
	all := slices.Clone(s.problems)
	for name, n := range s.uses {
		if n > 1 {
			all = append(all, Problem{Key: name, Kind: UsedAgain, Note: fmt.Sprintf("%d times", n)})
		}
	}
	for _, name := range s.Unused() {
		shape, _, _ := s.Shape(name)
		all = append(all, Problem{Key: name, Kind: Extra, Found: shape})
	}
	return all.orNil()
}

// ProblemKind says what is wrong with a tensor.
type ProblemKind int

// What can be wrong with a tensor of a checkpoint.
const (
	Missing   ProblemKind = iota // wanted and not there
	Extra                        // there and not wanted
	Misshapen                    // there with another shape than wanted
	UsedAgain                    // wanted more than once
	Ambiguous                    // several tensors for one name
	Unread                       // there in a form that Realword does not read
)

// Problem is one tensor that does not fit.
type Problem struct {
	Key   string
	Kind  ProblemKind
	Found []int
	Note  string
}

func (p Problem) String() string {
	key := clip(p.Key)
	switch p.Kind {
	case Missing:
		return key + ": missing"
	case Extra:
		return fmt.Sprintf("%s: not part of the model, found shape %v", key, p.Found)
	case Misshapen:
		return fmt.Sprintf("%s: found shape %v, %s", key, p.Found, p.Note)
	case UsedAgain:
		return key + ": used " + p.Note
	}
	return key + ": " + p.Note
}

// Problems are all tensors that do not fit, sorted by key when they come from Err or Rename.
type Problems []Problem

func (p Problems) Error() string { return p.Told().Error() }

// Told is the error for any language; what is wrong with which tensor is English.
func (p Problems) Told() *message.Error {
	if len(p) == 1 {
		return message.Note("the weights do not fit the model: %s", p[0].String())
	}
	const shown = 40
	var lines []string
	for i, one := range p {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(p)-shown))
			break
		}
		lines = append(lines, one.String())
	}
	return message.Note("the weights do not fit the model: %d tensors are wrong:\n\t%s", len(p), strings.Join(lines, "\n\t"))
}

// orNil sorts the problems and drops repetitions.
func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortFunc(p, func(a, b Problem) int { return strings.Compare(a.Key+"\x00"+a.String(), b.Key+"\x00"+b.String()) })
	return slices.CompactFunc(p, func(a, b Problem) bool { return a.Key == b.Key && a.String() == b.String() })
}
