package recipe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"reflect"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/picture"
)

// small is a PNG file of one colour.
func small(t testing.TB, c color.Color) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	img.Set(0, 0, c)
	img.Set(1, 0, c)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// chessRound is a finished picture of two subjects, one of them with two references.
func chessRound(t testing.TB) (inference.PictureReady, bundle.Manifest) {
	ref := func(name, digits string, c color.Color) inference.Reference {
		return inference.Reference{Name: name, SHA256: strings.Repeat(digits, 64)[:64], Square: picture.Square{Fit: picture.Crop}, Data: small(t, c)}
	}
	ready := inference.PictureReady{
		Seed:  965400086,
		Image: image.NewNRGBA(image.Rect(0, 0, 8, 4)),
		Recipe: inference.Request{
			Prompt: "a dog and a dog playing chess", Seeds: []uint64{965400086},
			Settings: inference.Settings{
				Negative: "blurry, lowres", Preset: "paper", Width: 8, Height: 4, Steps: 25, Stop: 12, CFG: 7.5, Sampler: "ddim", MaskSource: "low_cross_high_self",
			},
			Subjects: []inference.Subject{
				{Word: inference.Word{Text: "dog", Occurrence: 1}, Scope: 0.2, References: []inference.Reference{ref("/home/ann/rex.png", "3f2a9c01de4b5c6d", color.White)}},
				{Word: inference.Word{Text: "dog", Occurrence: 2}, Scope: 0.25, References: []inference.Reference{ref("tom.png", "77aa10b2c3", color.Black), ref(`C:\cats\side.png`, "0123456789abcdef", color.White)}},
			},
		},
	}
	return ready, bundle.Manifest{
		Name: "sd_xl_base_1.0", Files: map[string]string{"unet.onnx": "aa"}, Sources: map[string]string{"sd_xl_base_1.0.safetensors": "31e35c80fc4829d14f90153f4c74cd59c90b779f6afe05a74cd6120b893f7e5b"},
	}
}

// The line that other programs read, letter by letter.
func TestParametersOfPictures(t *testing.T) {
	p, m := chessRound(t)
	plain := p
	plain.Recipe = inference.Request{Prompt: "a red ball", Settings: inference.Settings{Steps: 20, CFG: 3.5, Sampler: "dpm++", Stop: 10}}
	toybox := bundle.Manifest{Name: "Realword Toybox", Sources: map[string]string{"a": "1234567890ab", "b": "ab"}}
	for _, c := range []struct {
		p    inference.PictureReady
		m    bundle.Manifest
		e    Embed
		want string
	}{
		{p, m, Embed{Program: "realword 1.0.0"}, `a dog and a dog playing chess
Negative prompt: blurry, lowres
Steps: 25, Sampler: DDIM, CFG scale: 7.5, Seed: 965400086, Size: 8x4, Model hash: 31e35c80fc, Model: sd_xl_base_1.0, RNG: CPU, ` +
			`RealCustom subjects: dog<-ref1 3f2a9c01de scope 0.2; dog#2<-ref2 77aa10b2c3 + ref3 0123456789 scope 0.25, RealCustom stop step: 12, ` +
			`RealCustom refs: "ref1: 3f2a9c01de, ref2: 77aa10b2c3, ref3: 0123456789", Version: realword 1.0.0`},
		{plain, toybox, Embed{}, "a red ball\nSteps: 20, Sampler: DPM++ 2S, CFG scale: 3.5, Seed: 965400086, Size: 8x4, Model: Realword Toybox, RNG: CPU"},
	} {
		file, err := EncodePNG(c.p, c.m, c.e)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(file, []byte("tEXtparameters\x00"+c.want)) {
			got, _ := picture.ReadMetadata(file)
			t.Errorf("the file does not have\n%s\nbut %+v", c.want, got)
		}
	}
}

// What goes into a picture comes out again, all but the bytes of references and what tells of this machine.
func TestRecipeRoundTrip(t *testing.T) {
	p, m := chessRound(t)
	file, err := EncodePNG(p, m, Embed{Program: "realword 1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := EncodePNG(p, m, Embed{Program: "realword 1.0.0"}); !bytes.Equal(file, again) {
		t.Error("the same picture gave other bytes")
	}
	for _, private := range []string{"/home", "ann", `C:\`, "cats"} {
		if bytes.Contains(file, []byte(private)) {
			t.Errorf("the file tells %q", private)
		}
	}
	got, foreign, err := Read(file)
	if err != nil || foreign {
		t.Fatal(err, foreign)
	}
	want := p.Recipe
	want.UncondAttention = inference.PlainAttention // which is not written
	want.Subjects = inference.CloneSubjects(want.Subjects)
	want.Subjects[0].References[0].Name, want.Subjects[1].References[1].Name = "rex.png", "side.png"
	for i := range want.Subjects {
		for j := range want.Subjects[i].References {
			want.Subjects[i].References[j].Data = nil
		}
	}
	if !reflect.DeepEqual(got.Request, want) {
		t.Errorf("got  %+v\nwant %+v", got.Request, want)
	}
	if got.Model != m.Name || got.Program != "realword 1.0.0" || got.Bundle != BundleDigest(m) || len(got.Bundle) != 64 || got.Noise == "" || len(got.Thumbnails) != 3 {
		t.Errorf("got %+v", got)
	}
	img, _, err := picture.Decode(got.Thumbnails[want.Subjects[0].References[0].SHA256], picture.Limits{})
	if err != nil || img.Rect.Dx() != picture.SmallSide || img.Pix[0] != 255 {
		t.Errorf("thumbnail: %v", err)
	}
	drawn := p // what a resolved request has is not drawn again: the file could not even be read
	drawn.Recipe.Subjects = inference.CloneSubjects(p.Recipe.Subjects)
	drawn.Recipe.Subjects[0].References[0].Data, drawn.Recipe.Subjects[0].References[0].Small = []byte("no picture"), []byte("small")
	if data, err := EncodePNG(drawn, m, Embed{}); err != nil {
		t.Error(err)
	} else if r, _, err := Read(data); err != nil || string(r.Thumbnails[want.Subjects[0].References[0].SHA256]) != "small" {
		t.Errorf("thumbnails %q, %v", r.Thumbnails, err)
	}
	if p.Recipe.Subjects[0].References[0].Name != "/home/ann/rex.png" {
		t.Error("the caller's request was changed")
	}
	m.Files["unet.onnx"] = "ab"
	if BundleDigest(m) == got.Bundle {
		t.Error("another model has the same digest")
	}

	small, err := EncodePNG(p, m, Embed{NoThumbnails: true})
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := Read(small); err != nil || len(r.Thumbnails) > 0 || r.Program != "" || r.Prompt != want.Prompt {
		t.Errorf("%v, %+v", err, r)
	}
	if said, err := picture.ReadMetadata(small); err != nil || strings.Contains(fmt.Sprintf("%s %+v", said.Recipe, said), "rex") || !strings.Contains(string(said.Recipe), want.Subjects[0].References[0].SHA256) {
		t.Errorf("without thumbnails it names the file, or nothing: %s, %v", said.Recipe, err)
	}
	bare, err := EncodePNG(p, m, Embed{Program: "realword 1.0.0", Nothing: true})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := picture.ReadMetadata(bare); err != nil || !reflect.DeepEqual(m, picture.Metadata{}) {
		t.Errorf("a bare picture says %+v, %v", m, err)
	}
	if _, _, err := Read(bare); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

func TestReadForeignRecipe(t *testing.T) {
	text := func(settings string) []byte {
		file, err := picture.Encode(image.NewNRGBA(image.Rect(0, 0, 1, 1)), picture.Metadata{Prompt: "a cat", Negative: "rain", Settings: []picture.KeyValue{
			{Key: "Steps", Value: "20"}, {Key: "Sampler", Value: "Restart"}, {Key: "CFG scale", Value: "7"}, {Key: "Seed", Value: settings}, {Key: "Version", Value: "v1.9"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	r, foreign, err := Read(text("42"))
	want := Recipe{Schema: Schema, Program: "v1.9", Request: inference.Request{Prompt: "a cat", Settings: inference.Settings{Negative: "rain", Steps: 20, CFG: 7}, Seeds: []uint64{42}}}
	if len(r.Notes) != 1 || r.Notes[0].Error() != "its sampler, \"Restart\", is not one of Realword's" {
		t.Error(r.Notes)
	}
	r.Notes = nil
	if err != nil || !foreign || !reflect.DeepEqual(r, want) {
		t.Errorf("%+v, %v, %v", r, foreign, err)
	}
	if r, _, err := Read(text("-1")); err != nil || len(r.Seeds) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestParseRecipeRefuses(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for recipe, want := range map[string]string{
		``:                                 "damaged",
		`[]`:                               "damaged",
		`{}`:                               "damaged",
		`{"schema":1,"steps":5,"Steps":6}`: `it says "Steps" twice`,
		`{"schema":2,"steps":"many"}`:      "version 2",
		`{"schema":1,"steps":"many"}`:      "steps is a string",
		`{"schema":1,"steps":-1}`:          "-1 as the number of steps",
		`{"schema":1,"stop":1000000}`:      "1000000 as the T_stop",
		`{"schema":1,"cfg":1e9}`:           "guidance scale",
		`{"schema":1,"width":-8}`:          "-8",
		`{"schema":1,"uncond_every":0}`:    "1 runs it at every step",
		`{"schema":1,"prompt":"` + strings.Repeat("a", maxRecipeText+1) + `"}`:                                "a prompt of more",
		`{"schema":1,"seeds":[` + strings.Repeat("1,", maxRecipePictures) + `1]}`:                             "257 seeds",
		`{"schema":1,"subjects":[` + strings.Repeat("{},", maxRecipeSubjects) + `{}]}`:                        "65 subjects",
		`{"schema":1,"subjects":[{}]}`:                                                                        "without a word",
		`{"schema":1,"subjects":[{"word":{"text":"a"},"scope":2}]}`:                                           "a scope of 2",
		`{"schema":1,"subjects":[{"word":{"text":"a"},"references":[{"sha256":"../../etc"}]}]}`:               "without a SHA-256",
		`{"schema":1,"subjects":[{"word":{"text":"a"},"references":[{"sha256":"` + sum + sum + `"}]}]}`:       "without a SHA-256",
		`{"schema":1,"subjects":[{"word":{"text":"a"},"references":[` + strings.Repeat("{},", 256) + `{}]}]}`: "257 references",
	} {
		if _, err := Parse([]byte(recipe)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: it says %v, want %q", recipe, err, want)
		}
	}
	r, err := Parse([]byte(`{"schema":1,"new":{"a":1},"subjects":[{"word":{"text":"a"},"references":[{"name":"../..\\x.png","sha256":"` + sum + `"},{"name":"..","sha256":"` + sum + `"}]}]}`))
	if err != nil || r.Subjects[0].References[0].Name != "x.png" {
		t.Errorf("%+v, %v", r, err)
	}
}

// FuzzReadRecipe wants an answer for any file and any recipe, and one that can be written again.
func FuzzReadRecipe(f *testing.F) {
	p, m := chessRound(f)
	file, err := EncodePNG(p, m, Embed{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	recipe, err := New(p.Recipe, "toybox")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(recipe))
	f.Add([]byte(`{"schema":1,"subjects":[{"word":{"text":"a","occurrence":2},"scope":1}],"thumbnails":{"":"AAAA"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, _, err := Read(data); err == nil {
			if _, err := json.Marshal(r); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Parse(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil {
			t.Fatalf("%s became %s: %v", data, again, err)
		}
		if third, _ := json.Marshal(back); !bytes.Equal(third, again) {
			t.Fatalf("%s became %s", again, third)
		}
	})
}

// presets is a model as far as Defaults looks at it.
func presets() bundle.Manifest {
	return bundle.Manifest{Size: bundle.Size{Width: 16, Height: 16}, Presets: map[string]bundle.Preset{
		"paper":   {Sampler: "ddim", Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.2, MaskSource: "low_cross_high_self"},
		"release": {Sampler: "dpm++", Steps: 25, Stop: 12, CFG: 3.5, Scope: 0.25, MaskSource: "all_cross", Negative: "ugly", Fit: "stretch", UncondVision: true},
	}}
}

// TestRecipesOfEarlierVersions said neither that there was no negative prompt nor that references were padded.
func TestRecipesOfEarlierVersions(t *testing.T) {
	old := `{"schema":1,"model":"m","prompt":"a dog","preset":"release","sampler":"dpm++","subjects":[{"word":{"text":"dog"},"references":[{"name":"a.png","sha256":"` +
		strings.Repeat("ab", 32) + `","square":{}}]}]}`
	r, err := Parse([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	done := inference.Defaults(presets(), r.Request)
	if done.Negative != " " || done.Subjects[0].References[0].Square.Fit != picture.Pad {
		t.Errorf("%+v", done)
	}
}

// TestRecipesAreWrittenTheSame: what was read is written as it was.
func TestRecipesAreWrittenTheSame(t *testing.T) {
	m := presets()
	for _, r := range []inference.Request{{}, {Settings: inference.Settings{Negative: " "}}, {Settings: inference.Settings{Preset: "release"}}, {Settings: inference.Settings{Preset: "release", Negative: " "}}} {
		r.Prompt, r.Subjects = "a dog", []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "a.png", SHA256: strings.Repeat("ab", 32)}}}}
		first, err := New(inference.Defaults(m, r), "m")
		if err != nil {
			t.Fatal(err)
		}
		read, err := Parse(first)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := New(inference.Defaults(m, read.Request), "m"); err != nil || string(again) != string(first) {
			t.Errorf("%s\nagain %s: %v", first, again, err)
		}
	}
}

// TestInitInPictures writes a picture that began with another one and reads it again.
func TestInitInPictures(t *testing.T) {
	p, m := chessRound(t)
	sum := strings.Repeat("ab", 32)
	p.Recipe.Init = &inference.Init{Name: "/home/ann/start.png", SHA256: sum, Strength: 0.6, Data: small(t, color.White), Small: small(t, color.Black)}
	file, err := EncodePNG(p, m, Embed{Program: "realword 1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Recipe.Init.Name != "/home/ann/start.png" || bytes.Contains(file, []byte("ann")) {
		t.Error("the request was changed, or the file tells of this machine")
	}
	if !bytes.Contains(file, []byte(", Denoising strength: 0.6, ")) {
		t.Error("other programs are not told the strength")
	}
	r, _, err := Read(file)
	if err != nil || !reflect.DeepEqual(r.Init, &inference.Init{Name: "start.png", SHA256: sum, Strength: 0.6}) || !bytes.Equal(r.Thumbnails[sum], small(t, color.Black)) {
		t.Errorf("%+v, %v", r.Init, err)
	}
	if file, err = EncodePNG(p, m, Embed{NoThumbnails: true}); err != nil || bytes.Contains(file, []byte("start.png")) {
		t.Errorf("the name of a picture that is not to be seen is told: %v", err)
	}
	region, err := picture.EncodePainted(&image.Gray{Pix: []byte{255, 0}, Stride: 2, Rect: image.Rect(0, 0, 2, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p.Recipe.Init.Region = inference.Painted{SHA256: files.Sum(region), Data: region}
	if file, err = EncodePNG(p, m, Embed{}); err != nil {
		t.Fatal(err)
	}
	if r, _, err := Read(file); err != nil || !bytes.Equal(r.Init.Region.Data, region) {
		t.Errorf("the region came back as %+v, %v", r.Init, err)
	}
	for _, wrong := range []inference.Init{
		{SHA256: "abc", Strength: 0.5}, {SHA256: sum}, {SHA256: sum, Strength: 2}, {SHA256: sum, Strength: 1, Region: inference.Painted{SHA256: "abc"}},
	} {
		p.Recipe.Init = &wrong
		data, err := New(p.Recipe, "m")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(data); err == nil || !strings.Contains(err.Error(), "not valid") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

// TestZerosOfRecipes: what is written is what is used, 0 too.
func TestZerosOfRecipes(t *testing.T) {
	r, err := Parse([]byte(`{"schema":1,"prompt":"a dog","swift":true,"mask_rest":0,"mask_settle":0,"cfg_interval":"0","uncond_every":1}`))
	want := inference.Settings{Swift: true, Rest: inference.NoShare, Settle: inference.NoShare, Interval: "0", Every: 1}
	if r.Negative, r.Fit, r.UncondAttention = "", "", ""; err != nil || r.Settings != want {
		t.Errorf("%v: it is %+v, want %+v", err, r.Settings, want)
	}
}
