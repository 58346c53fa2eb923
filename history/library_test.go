package history

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"
	"time"
)

// TestMakeLibrary writes a history of 10 000 pictures in 100 sessions to the file that REALWORD_LIBRARY names, to look at the
// window with it: move it to realword/history.db in the folder for settings.
func TestMakeLibrary(t *testing.T) {
	path := os.Getenv("REALWORD_LIBRARY")
	if path == "" {
		t.Skip("REALWORD_LIBRARY names no file")
	}
	s := open(t, path)
	thing := [...]string{"dog", "cat", "robot", "teapot", "dinosaur"}
	where := [...]string{"on the beach", "in the snow", "in a forest", "on a table", "under water", "at night"}
	err := s.update(func(c *change) error {
		var session uint64
		var r Round
		for i := range 10_000 {
			if i%100 == 0 {
				session = 0 // a new one
			}
			if i%4 == 0 {
				word := thing[i/4%len(thing)]
				at := noon.Add(time.Duration(i) * time.Minute)
				r = Round{Plan: Plan{Session: session, Prompt: fmt.Sprintf("a %s %s", word, where[i/20%len(where)]), Words: []string{word}}, Status: Complete, Started: at}
				r.Recipe = []byte(`{"prompt":"` + r.Prompt + `"}`)
				if err := c.beginRound(&r); err != nil {
					return err
				}
				session = r.Session
			}
			if _, err := c.newPicture(Picture{Round: r.ID, Seed: uint64(i), File: fmt.Sprintf("/pictures/%05d.png", i), Width: 1024, Height: 1024}, libraryThumb(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// libraryThumb is a picture like no other.
func libraryThumb(n int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 128, 128))
	for y := range 128 {
		for x := range 128 {
			r := (x-64)*(x-64) + (y-64)*(y-64)
			c := color.RGBA{uint8(n*37 + x), uint8(n*91 + y), uint8(n * 53), 255}
			if r < 900+n%1000 {
				c = color.RGBA{uint8(255 - n*17), uint8(n * 29), uint8(x ^ y ^ n), 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory
	return b.Bytes()
}
