package inference

import (
	"image"
	"strings"
	"testing"

	"realword/inference/bundle"
)

// today is a model that earlier ones have left pictures and jobs to.
var today = bundle.Manifest{
	Name: "Toybox 2", Size: bundle.Size{Width: 256, Height: 256, Min: 64, Max: 512, Multiple: 32},
	Schedule: bundle.Schedule{TrainSteps: 1000},
	Presets:  map[string]bundle.Preset{"paper": {Sampler: "ddim", Steps: 25, Stop: 10, CFG: 4, Scope: 0.25, MaskSource: "low_cross_high_self"}},
}

func TestRequestsOfAnotherModel(t *testing.T) {
	own := image.Pt(128, 128)
	at := func(w, h int, more func(*Request)) Request {
		r := Request{Prompt: "a dog", Settings: Settings{Preset: "paper", Width: w, Height: h, Steps: 30}, Seeds: []uint64{7}}
		if more != nil {
			more(&r)
		}
		return r
	}
	for name, c := range map[string]struct {
		r     Request
		was   string
		own   image.Point
		want  image.Point
		check func(Request) bool
	}{
		"its own size":        {at(128, 128, nil), "Toybox", own, image.Pt(0, 0), func(r Request) bool { return r.Steps == 30 && r.Seeds[0] == 7 }},
		"another size":        {at(192, 128, nil), "Toybox", own, image.Pt(192, 128), nil},
		"one nobody can make": {at(96, 48, nil), "Toybox", own, image.Pt(384, 192), nil}, // of its shape, and about as many pixels as usual
		"not known":           {at(128, 128, nil), "Toybox", image.Point{}, image.Pt(128, 128), nil},
		"the same model":      {at(128, 128, nil), "Toybox 2", own, image.Pt(128, 128), nil},
		"no model":            {at(128, 128, nil), "", own, image.Pt(128, 128), nil},
		"a part of a picture": {
			at(128, 128, func(r *Request) { r.Init = &Init{Region: Painted{SHA256: "ab"}} }), "Toybox", own, image.Pt(128, 128), nil,
		},
		"begins with a picture": {at(128, 128, func(r *Request) { r.Init = &Init{} }), "Toybox", own, image.Point{}, nil},
		"a preset of its own": {
			at(128, 128, func(r *Request) { r.Preset = "mine" }), "Toybox", own, image.Point{}, func(r Request) bool { return r.Preset == "" },
		},
		"a step": {at(128, 128, func(r *Request) { r.From = &State{} }), "Toybox", own, image.Point{}, func(r Request) bool { return r.From == nil }},
		"half a grid": {
			at(128, 128, func(r *Request) { r.Grid = &Grid{Of: 3, Made: []int{0, 1}} }), "Toybox", own,
			image.Point{},
			func(r Request) bool { return r.Grid.Of == 0 && r.Grid.Made == nil },
		},
	} {
		got := c.r.For(today, c.was, c.own)
		if size := image.Pt(got.Width, got.Height); size != c.want || c.check != nil && !c.check(got) {
			t.Errorf("%s: %v, want %v; %+v", name, size, c.want, got)
		}
		if name == "half a grid" && c.r.Grid.Of != 3 {
			t.Error("the grid of the caller was changed")
		}
	}
}

// What speaks against going on with a picture names what helps, and numbers that work.
func TestGoingOnWithAPicture(t *testing.T) {
	say := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for name, c := range map[string]struct{ got, want string }{
		"redo":                    {say(CanRedo(today, "Toybox 2", image.Pt(256, 256))), ""},
		"redo, a small one":       {say(CanRedo(today, "Toybox 2", image.Pt(128, 128))), ""}, // somebody wanted it so
		"redo, another model's":   {say(CanRedo(today, "Toybox", image.Pt(256, 192))), ""},
		"redo, its small one":     {say(CanRedo(today, "Toybox", image.Pt(128, 128))), "make a second pass of it first, and redo the subject in that"},
		"redo, an odd one":        {say(CanRedo(today, "Toybox", image.Pt(240, 240))), "make a second pass of it first, and redo the subject in that"},
		"redo, a huge one":        {say(CanRedo(today, "SDXL", image.Pt(1024, 1024))), "makes at most 512 × 512: open a model for such sizes"},
		"second pass":             {say(CanScale(today, image.Pt(256, 256), 2)), ""},
		"second pass, up to most": {say(CanScale(today, image.Pt(384, 256), 1.33)), ""},
		"second pass, too large":  {say(CanScale(today, image.Pt(384, 256), 2)), "2 times 384 × 256 is more than the 512 × 512 that the model Toybox 2 makes at most: choose a scale of at most 1.33"},
		"second pass of the most": {say(CanScale(today, image.Pt(512, 512), 2)), "no larger one can be made of it; open a model for larger pictures"},
		"second pass, no scale":   {say(CanScale(today, image.Pt(128, 128), 5)), "1.5 and 2 work well"},
		"another":                 {say(Another(today, "Toybox")), "made with the model Toybox: what is new in it is drawn by Toybox 2"},
		"the same":                {say(Another(today, "Toybox 2")), ""},
		"nobody knows":            {say(Another(today, "")), ""},
	} {
		if (c.got == "") != (c.want == "") || !strings.HasSuffix(c.got, c.want) {
			t.Errorf("%s: %q, want …%q", name, c.got, c.want)
		}
	}
	for size, want := range map[image.Point]float64{image.Pt(512, 64): 1, image.Pt(384, 256): 1.33, image.Pt(256, 256): 2, image.Pt(64, 64): 4} {
		if got := LargestScale(today, size); got != want {
			t.Errorf("%v can be made %g times as large, not %g", size, want, got)
		}
		r, err := SecondPass(today, Request{Settings: Settings{Width: size.X, Height: size.Y}}, Init{}, want, nil)
		if want > 1 && (err != nil || !today.Size.Makes(image.Pt(r.Width, r.Height))) {
			t.Errorf("%v at %g becomes %d × %d, %v", size, want, r.Width, r.Height, err)
		}
	}
}

// Whole pictures that begin with another one are not what the model learned at that size, and have their layout already.
func TestStrayOfARequest(t *testing.T) {
	far := Request{Settings: Settings{Width: 512, Height: 512}}
	if err := far.Stray(today); err == nil || !strings.Contains(err.Error(), "far larger") {
		t.Errorf("512 × 512: %v", err)
	}
	far.Init = &Init{}
	if err := far.Stray(today); err != nil {
		t.Errorf("with a picture to begin with: %v", err)
	}
	far.Init.Region = Painted{SHA256: "ab"}
	if far.Stray(today) == nil {
		t.Error("a part of a picture of 512 × 512 is not said to be far")
	}
}
