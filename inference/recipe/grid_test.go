package recipe

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"realword/inference"
)

// TestGridsInPictures writes the sheet of a grid and reads it again: all but folders of this machine comes back.
func TestGridsInPictures(t *testing.T) {
	p, m := chessRound(t)
	sum := strings.Repeat("ab", 32)
	p.Recipe.Grid = &inference.Grid{
		Rows:    inference.Axis{Key: inference.AxisReference, Subject: 1, References: []inference.Reference{{Name: "/home/ann/zoe-at-home.png", SHA256: sum, Small: []byte("small")}}},
		Columns: inference.Axis{Key: "stop", Values: []string{"6", "12"}}, Made: []int{1},
	}
	p.Recipe.Grid.Rows.References[0].Data = []byte("x")
	p.Recipe.Width, p.Recipe.Height = 4321, 1234
	file, err := EncodePNG(p, m, Embed{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Recipe.Grid.Rows.References[0].Name != "/home/ann/zoe-at-home.png" || bytes.Contains(file, []byte("ann")) {
		t.Error("the request was changed, or the file tells of this machine")
	}
	if !bytes.Contains(file, []byte("Size: 4321x1234")) {
		t.Error("other programs are not told the size of a cell")
	}
	r, _, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &inference.Grid{
		Rows:    inference.Axis{Key: inference.AxisReference, Subject: 1, References: []inference.Reference{{Name: "zoe-at-home.png", SHA256: sum}}},
		Columns: inference.Axis{Key: "stop", Values: []string{"6", "12"}},
	}
	if !reflect.DeepEqual(r.Grid, want) || string(r.Thumbnails[sum]) != "small" {
		t.Errorf("%+v", r.Grid)
	}
	if file, err = EncodePNG(p, m, Embed{NoThumbnails: true}); err != nil || bytes.Contains(file, []byte("zoe-at")) {
		t.Errorf("the name of a picture that is not to be seen is told: %v", err)
	}
}

// TestGridsOfStrangers have bounds.
func TestGridsOfStrangers(t *testing.T) {
	for _, grid := range []string{
		`{"columns":{"key":""}}`, `{"columns":{"key":"width","values":["8"]}}`, `{"columns":{"key":"seed"}}`,
		`{"columns":{"key":"seed","values":["1"],"subject":-1}}`, `{"columns":{"key":"reference","references":[{"name":"x"}]}}`,
		`{"columns":{"key":"seed","values":["` + strings.Repeat(`1","`, 300) + `1"]}}`,
		`{"columns":{"key":"seed","values":["` + strings.Repeat(`1`, 1<<17) + `"]}}`,
		`{"columns":{"key":"seed","values":["1"]},"rows":{"key":"x","values":["1"]}}`,
	} {
		if _, err := Parse([]byte(`{"schema":1,"prompt":"a dog","grid":` + grid + `}`)); err == nil {
			t.Errorf("%.60s is taken", grid)
		}
	}
	if r, err := Parse([]byte(`{"schema":1,"prompt":"a dog","grid":{"columns":{"key":"seed","values":["1"]}}}`)); err != nil || r.Grid.Len() != 1 {
		t.Errorf("%+v, %v", r.Grid, err)
	}
}
