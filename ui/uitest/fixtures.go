// Package uitest holds what tests of the window's rooms begin with: a model, pictures, steps.
//
// Contract: only tests import it; it knows no room.
package uitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/bundle"
)

// Toybox is the manifest of a small model of one size.
var Toybox = &bundle.Manifest{
	Name: "toybox", Schedule: bundle.Schedule{TrainSteps: 1000}, Size: bundle.Size{Width: 128, Height: 128},
	Vision: bundle.Vision{Reference: 64},
	Presets: map[string]bundle.Preset{
		"paper":   {Sampler: "ddim", Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.2},
		"release": {Sampler: "dpm++", Steps: 20, Stop: 10, CFG: 3.5, Scope: 0.25, Negative: "blurry", Fit: "stretch"},
	},
}

// PNG is a picture file of one colour.
func PNG(c color.Color) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return Encode(img)
}

// Encode is a picture file of the image.
func Encode(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // into memory it does not fail
	}
	return b.Bytes()
}

// Colours of pictures.
var Red, Green = color.NRGBA{0xd0, 0x20, 0x20, 0xff}, color.NRGBA{0x20, 0xc0, 0x40, 0xff}

// Grid is a mask or map of 4 × 4 with two places.
func Grid(v float32) []float32 {
	g := make([]float32, 16)
	g[5], g[6] = v, v/2
	return g
}

// Step is a finished step of a run with n subjects.
func Step(step, steps, stop, n int) inference.StepDone {
	preview := image.NewRGBA(image.Rect(0, 0, 4, 4))
	draw.Draw(preview, preview.Rect, image.NewUniform(color.NRGBA{uint8(10 * step), 100, 150, 0xff}), image.Point{}, draw.Src)
	s := inference.StepDone{Step: step, Steps: steps, Preview: preview, GridWidth: 4, GridHeight: 4, Guided: step < stop}
	for range n {
		s.Subjects = append(s.Subjects, inference.SubjectStep{Mask: Grid(1)})
	}
	return s
}

// Picture is the finished picture of a request, by its number.
func Picture(r inference.Request, picture int) inference.PictureReady {
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	draw.Draw(img, img.Rect, image.NewUniform(Green), image.Point{}, draw.Src)
	r.Seeds = r.Seeds[picture : picture+1]
	return inference.PictureReady{Picture: picture, Seed: r.Seeds[0], Image: img, Recipe: r, Elapsed: time.Second}
}

// File puts a file into a fresh folder.
func File(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Files makes n picture files of different colours and answers their paths.
func Files(t testing.TB, dir string, n int) (paths []string) {
	for i := range n {
		path := filepath.Join(dir, fmt.Sprintf("p%03d.png", i))
		c := Red
		c.G, c.B = uint8(i), uint8(i>>8)
		if err := os.WriteFile(path, PNG(c), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// Word is the first one of that text.
func Word(text string) inference.Word { return inference.Word{Text: text, Occurrence: 1} }

// Roomy is the manifest of a model that makes many sizes.
var Roomy = &bundle.Manifest{
	Name: "roomy", Schedule: bundle.Schedule{TrainSteps: 1000},
	Size: bundle.Size{Width: 1024, Height: 1024, Min: 512, Max: 2048, Multiple: 64},
	Presets: map[string]bundle.Preset{
		"paper":   {Sampler: "ddim", Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.2, MaskSource: "low_cross_high_self"},
		"release": {Sampler: "dpm++", Steps: 25, Stop: 12, CFG: 3.5, Scope: 0.25, MaskSource: "all_cross"},
	},
}

// Keys are the keys and values of a JSON object, but for those that say that something is not set.
func Keys(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	for key, value := range object {
		if value == "" || value == " " {
			delete(object, key)
		}
	}
	return object
}

// Read is a file.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Main runs the tests of a package in UTC, in which the pictures of testdata were drawn; where the system has another zone, in a process of
// their own. time.Local is not set: goroutines that libraries begin before main read it (the NATS server's does, once a second).
func Main(m *testing.M) {
	if _, east := time.Now().Zone(); east == 0 || os.Getenv("TZ") == "UTC" {
		os.Exit(m.Run())
	}
	tests := exec.Command(os.Args[0], os.Args[1:]...)
	tests.Env, tests.Stdout, tests.Stderr = append(os.Environ(), "TZ=UTC"), os.Stdout, os.Stderr
	if err := tests.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
