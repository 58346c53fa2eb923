package ui

import (
	"os"
	"testing"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/kit"
	"realword/ui/uitest"
)

// What the user has switched off is not in the files, from the next picture on.
func TestMetadataSwitches(t *testing.T) {
	b := ready(t, func(o *Options) { o.Program = "realword 1.2" })
	b.subjects.PromptChanged("a dog")
	b.drop(b.chipOf(1), uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	saved := func() (recipe.Recipe, picture.Metadata) {
		t.Helper()
		j := b.run()
		r := j.request
		r.Subjects = inference.CloneSubjects(r.Subjects) // the queue counts the passes of its own meanwhile
		r.Subjects[0].References[0].SHA256 = b.state.Form.Cards[0].Ref.SHA256
		b.send(j, uitest.Picture(r, 0))
		b.end(j, inference.Done{})
		data, err := os.ReadFile(b.state.Shots[len(b.state.Shots)-1].Path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := picture.ReadMetadata(data)
		if err != nil {
			t.Fatal(err)
		}
		r2, _, _ := recipe.Read(data)
		return r2, m
	}
	if r, m := saved(); r.Prompt != "a dog" || r.Program != "realword 1.2" || len(r.Thumbnails) != 1 || !m.Generated {
		t.Errorf("recipe %+v", r)
	}
	b.prefs.Show()
	check := func(text string) {
		t.Helper()
		c, ok := sheetOf(b, func(c *kit.Check) bool { return c.Text == text })
		if !ok {
			t.Fatal("the preferences do not have ", text)
		}
		c.SetChecked(false)
	}
	check("Small copies of the references too")
	if r, _ := saved(); r.Prompt != "a dog" || len(r.Thumbnails) != 0 {
		t.Errorf("recipe %+v", r)
	}
	check("Store in each picture how it was made")
	if _, m := saved(); m.Prompt != "" || len(m.Recipe) != 0 || m.Generated || len(m.Settings) != 0 {
		t.Errorf("a bare picture has %+v", m)
	}
}
