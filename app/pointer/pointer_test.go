package pointer

import (
	"testing"

	"github.com/go-gl/glfw/v3.4/glfw"
)

func TestHeldKeys(t *testing.T) {
	for _, c := range []struct {
		key  glfw.Key
		name string
		want bool
	}{
		{glfw.KeyEnter, "", false},
		{glfw.KeyKPEnter, "", false},
		{glfw.KeySpace, " ", false},
		{glfw.KeyEscape, "", false},
		{glfw.KeyF5, "", false},
		{glfw.KeyN, "n", false},
		{glfw.KeyQ, "a", false}, // of a French keyboard
		{glfw.KeyN, "т", false}, // of a Russian one
		{glfw.KeyZ, "z", true},
		{glfw.KeyW, "z", true}, // French
		{glfw.KeyZ, "я", true}, // Russian
		{glfw.KeyLeft, "", true},
		{glfw.KeyBackspace, "", true},
		{glfw.KeyKPAdd, "+", true},
		{glfw.KeyMinus, "-", true},
		{glfw.KeyLeftBracket, "[", true},
	} {
		if got := repeats(c.key, c.name); got != c.want {
			t.Errorf("key %d (%q) repeats: %v", c.key, c.name, got)
		}
	}
}
