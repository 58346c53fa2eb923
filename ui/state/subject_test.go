package state

import (
	"fmt"
	"strings"
	"testing"

	"realword/inference"
	"realword/ui/uitest"
)

// layout prints the subjects from top to bottom: pictures, word, and (off) or the reach when they are not the usual.
func layout(f Form) string {
	var list []string
	for _, g := range f.Groups() {
		var names []string
		for _, c := range f.Pictures(g) {
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
		"the word moves with all":     {several().Bind(3, uitest.Word("hat")), "1+3=hat@0.3 2=cat"},
		"without a word they stay":    {several().Bind(1, none), "1+3=@0.3 2=cat"},
		"bound to a word that is had": {two().WithScope(1, 0.3).Bind(2, uitest.Word("dog")), "1+2=dog@0.3"},
		"one picture goes":            {several().Remove(1), "3=dog@0.3 2=cat"},
		"the subject goes":            {several().RemoveSubject(3), "2=cat"},
		"one of none":                 {two().Remove(9), "1=dog 2=cat"},
		"joined":                      {two().Join(1, Card{Ref: inference.Reference{Name: "new"}}), "1+new=dog 2=cat"},
		"joined without a word":       {boundTo(prompt, "1").Form.Join(1, Card{Ref: inference.Reference{Name: "new"}}), "1+new="},
		"joined, then bound":          {boundTo(prompt, "1", "2").Form.Join(1, Card{Ref: inference.Reference{Name: "new"}}).Bind(3, uitest.Word("hat")), "1+new=hat 2="},
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
