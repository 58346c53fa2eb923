package recipe

import (
	"bytes"
	"encoding/json"
	"image"
	"reflect"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/picture"
)

// paintedRound is chessRound with masks: both dogs have the same one, with other meanings.
func paintedRound(t *testing.T) (p inference.PictureReady, mask []byte) {
	t.Helper()
	p, _ = chessRound(t)
	grey := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(i)
	}
	mask, err := picture.EncodePainted(grey)
	if err != nil {
		t.Fatal(err)
	}
	painted := inference.Painted{SHA256: files.Sum(mask), Data: mask}
	p.Recipe.Subjects[0].Region = inference.Region{Kind: guidance.OnlyHere, Painted: painted}
	p.Recipe.Subjects[1].Region = inference.Region{Kind: guidance.Exactly, Painted: painted}
	return p, mask
}

func TestMasksTravelWithThePicture(t *testing.T) {
	p, mask := paintedRound(t)
	_, m := chessRound(t)
	file, err := EncodePNG(p, m, Embed{NoThumbnails: true})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := Read(file)
	if err != nil || len(r.Masks) != 1 || len(r.Thumbnails) != 0 {
		t.Fatalf("%d masks, %v", len(r.Masks), err)
	}
	for j, s := range r.Subjects {
		if !reflect.DeepEqual(s.Region, p.Recipe.Subjects[j].Region) {
			t.Errorf("subject %d has %+v", j, s.Region)
		}
	}
	if said, err := picture.ReadMetadata(file); err != nil || !strings.Contains(string(file), "dog<-ref1 3f2a9c01de scope 0.2 mask only "+files.Sum(mask)[:10]+"; dog#2<-") {
		t.Errorf("%+v, %v", said, err)
	}
	if file, err = EncodePNG(p, m, Embed{}); err != nil {
		t.Fatal(err)
	}
	said, _ := picture.ReadMetadata(file)
	if r, err = Parse(said.Recipe); err != nil {
		t.Fatal(err)
	}
	r.Request = written(r.Request)
	again, err := encode(r)
	if err != nil || !bytes.Equal(again, said.Recipe) {
		t.Errorf("read and written again:\n%s\nwas\n%s", again, said.Recipe)
	}

	// A history has masks beside the recipe.
	kept, err := New(p.Recipe, "m")
	if err != nil || bytes.Contains(kept, []byte(`"masks"`)) || bytes.Count(kept, []byte(files.Sum(mask))) != 2 {
		t.Errorf("%s, %v", kept, err)
	}
	if r, err = Parse(kept); err != nil || r.Subjects[0].Region.Data != nil || r.Subjects[1].Region.Kind != guidance.Exactly {
		t.Errorf("%+v, %v", r.Subjects, err)
	}
	// A mask that is not what its hash says is none.
	other, _ := encode(Recipe{Schema: Schema, Request: written(p.Recipe), Masks: map[string][]byte{files.Sum(mask): []byte("other")}})
	if r, err = Parse(other); err != nil || r.Subjects[0].Region.Data != nil {
		t.Errorf("%+v, %v", r.Subjects[0].Region, err)
	}
	plain, _ := chessRound(t)
	if file, err = EncodePNG(plain, m, Embed{}); err != nil || bytes.Contains(file, []byte("region")) || bytes.Contains(file, []byte("masks\"")) {
		t.Errorf("without a mask the recipe has one: %v", err)
	}
}

func TestBadRegionsOfRecipes(t *testing.T) {
	p, mask := paintedRound(t)
	good, err := New(p.Recipe, "m")
	if err != nil {
		t.Fatal(err)
	}
	for from, c := range map[string]struct{ to, want string }{
		`"kind":"only"`: {`"kind":"around"`, `"around" as the meaning of a mask`},
		`"kind":"only","sha256":"` + files.Sum(mask) + `"`: {`"kind":"only"`, "a mask without a SHA-256"},
		files.Sum(mask): {"../../x", "a mask without a SHA-256"},
	} {
		bad := bytes.Replace(good, []byte(from), []byte(c.to), 1)
		if _, err := Parse(bad); !json.Valid(bad) || bytes.Equal(bad, good) || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.to, err)
		}
	}
}
