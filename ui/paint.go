package ui

import (
	"image"
	"image/color"
	"image/draw"

	xdraw "golang.org/x/image/draw"

	"realword/inference"
	"realword/inference/picture"
)

// scene is a picture as the stage shows it. It is a value that a painter reads on another goroutine; pictures and masks in
// it are never written again.
type scene struct {
	base          image.Image
	masks         []picture.Layer
	opacity       float64 // of the masks; 0 hides them
	width, height int     // of the result
}

// sceneKey is equal for scenes that look the same: a preview belongs to one step, whose masks never change.
type sceneKey struct {
	base          image.Image
	opacity       float64
	width, height int
}

func (s scene) key() sceneKey {
	if len(s.masks) == 0 {
		s.opacity = 0
	}
	return sceneKey{s.base, s.opacity, s.width, s.height}
}

// paint makes the opaque picture, width × height pixels, that the screen shows without further scaling; nil if there is none.
func (s scene) paint() *image.RGBA {
	if s.base == nil || s.base.Bounds().Empty() || s.width < 1 || s.height < 1 {
		return nil
	}
	var out *image.RGBA
	if preview, ok := s.base.(*image.RGBA); ok {
		out = picture.Upscale(preview, s.width, s.height, true)
	} else {
		out = image.NewRGBA(image.Rect(0, 0, s.width, s.height))
		draw.Draw(out, out.Rect, image.Black, image.Point{}, draw.Src)
		xdraw.CatmullRom.Scale(out, out.Rect, s.base, s.base.Bounds(), draw.Over, nil)
	}
	if s.opacity <= 0 || len(s.masks) == 0 {
		return out
	}
	// A mask of the wrong size is not drawn; the picture matters more.
	if tinted, err := picture.Overlay(out, s.masks, picture.Heat, s.opacity); err == nil {
		out = tinted
	}
	if lined, err := picture.Overlay(out, s.masks, picture.Outline, min(1, 2*s.opacity)); err == nil {
		out = lined
	}
	return out
}

// masksOf are the masks of a step in the styles of its subjects.
func masksOf(step *inference.StepDone) []picture.Layer {
	var layers []picture.Layer
	for i, s := range step.Subjects {
		layers = append(layers, picture.Layer{
			Grid:  picture.Grid{Width: step.GridWidth, Height: step.GridHeight, Values: s.Mask},
			Style: picture.SubjectStyle(i),
		})
	}
	return layers
}

// filmScene is the strip of all steps under the stage.
type filmScene struct {
	steps         []inference.StepDone
	places        int // on the strip
	opacity       float64
	width, height int // pixels of the whole strip
	empty         color.Color
}

type filmKey struct {
	last          *image.RGBA
	steps         int
	opacity       float64
	width, height int
	empty         color.Color
}

func (f filmScene) key() filmKey {
	k := filmKey{steps: len(f.steps), opacity: f.opacity, width: f.width, height: f.height, empty: f.empty}
	if k.steps > 0 {
		k.last = f.steps[k.steps-1].Preview
	}
	return k
}

func (f filmScene) paint() *image.RGBA {
	if f.width < 1 || f.height < 1 || f.places < 1 {
		return nil
	}
	out := image.NewRGBA(image.Rect(0, 0, f.width, f.height))
	draw.Draw(out, out.Rect, image.NewUniform(f.empty), image.Point{}, draw.Src)
	for i := range f.steps {
		step := &f.steps[i]
		if step.Preview == nil || step.Preview.Rect.Empty() || step.Step >= f.places {
			continue
		}
		tile := image.Rect(step.Step*f.width/f.places, 0, (step.Step+1)*f.width/f.places-1, f.height)
		// The middle of the picture fills the tile.
		b := step.Preview.Bounds()
		size := image.Pt(f.height*b.Dx()/b.Dy(), f.height)
		if size.X < tile.Dx() {
			size = image.Pt(tile.Dx(), tile.Dx()*b.Dy()/b.Dx())
		}
		small := scene{base: step.Preview, masks: masksOf(step), opacity: f.opacity, width: size.X, height: size.Y}.paint()
		if small != nil {
			draw.Draw(out, tile, small, image.Pt((size.X-tile.Dx())/2, (size.Y-tile.Dy())/2), draw.Src)
		}
	}
	return out
}
