package ort

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"realword/inference/message"
	"realword/inference/ort/internal/native"
)

// ONNX Runtime 1.30 has no option that names an adapter of WebGPU: powerPreference ranks cards of their own and those that share the
// processor's memory against each other, and of several of one kind it takes the one that the system names first. (Its pull requests 32234
// and 32319 would add one.) On Linux, Vulkan's loader names first what a variable says.

// choice is how the library is brought to a card.
type choice struct {
	preference string // value of powerPreference; "": the library's own
	first      string // "vendor:device" that Vulkan has to name first; "": whatever is
}

// choose says how the library is brought to a card of a list, which is sorted by rank; on is the system.
func choose(list []Adapter, index int, on string) (c choice, err error) {
	a, best, twin := list[index], list[0], -1
	for i, earlier := range list[:index] {
		if earlier.rank != a.rank {
			continue
		}
		c.first = a.id
		if earlier.id == a.id {
			twin = i
		}
	}
	switch {
	case a.rank == integrated && best.rank == discrete:
		c.preference = "low-power"
	case a.rank != best.rank:
		return c, message.Errorf("WebGPU computes on %s only where there is no other graphics card", a.Name)
	}
	switch {
	case twin >= 0:
		return c, message.Errorf("webgpu:%d is the same kind of card as webgpu:%d (%s), and WebGPU takes the first of them", index, twin, a.Name)
	case c.first != "" && on == "windows":
		return c, message.Errorf("Windows decides which of such cards WebGPU takes: choose %s for Realword under Settings, System, Display, Graphics", a.Name)
	case c.first != "" && on != "linux":
		return c, message.Errorf("the system decides which of such cards WebGPU takes, and that is %s", best.Name)
	}
	return c, nil
}

// Choosable says why a card of the list of Adapters cannot be computed on; nil: it may be.
func Choosable(list []Adapter, index int) error {
	_, err := choose(list, index, runtime.GOOS)
	return err
}

// taken is the card that WebGPU computes on in this process: the library keeps it while anything uses it.
var taken struct {
	sync.Mutex
	list []Adapter // as they were when it was taken
	card *webGPU
}

// take is the card with an index, as the library can be brought to it, and the list that it is of.
func take(library string, index int) (w *webGPU, list []Adapter, err error) {
	if list = taken.list; taken.card == nil {
		if list, err = Adapters(library); err != nil {
			return nil, nil, message.Errorf("WebGPU does not start: %w", err)
		}
	}
	switch have := taken.card; {
	case len(list) == 0:
		return nil, nil, fmt.Errorf("%w: %s", ErrNoAdapter, GraphicsDriver)
	case index >= len(list):
		return nil, nil, message.Errorf("there is no device webgpu:%d: the system has %s", index, named(list))
	case have != nil && have.index != index:
		return nil, nil, message.Errorf("WebGPU computes on %s until Realword is restarted", have.adapter.Name)
	case have != nil:
		return &webGPU{index: index, adapter: have.adapter, preference: have.preference}, list, nil
	}
	c, err := choose(list, index, runtime.GOOS)
	if err != nil {
		return nil, nil, err
	}
	w = &webGPU{index: index, adapter: list[index], preference: c.preference}
	if c.first != "" {
		err = w.comeFirst(library)
	}
	return w, list, err
}

// nameFirst has Vulkan name the cards of an id before others of their kind; "": as the user has it.
func nameFirst(id string) {
	vendor, device, _ := strings.Cut(id, ":")
	for name, value := range map[string]string{
		"VK_LOADER_DEVICE_SELECT": "0x" + vendor + ":0x" + device,
		"MESA_VK_DEVICE_SELECT":   id, // of the layer by which Mesa puts the card of the screen first
	} {
		if id == "" {
			value = os.Getenv(name)
		}
		native.Setenv(name, value)
	}
}

// comeFirst has Vulkan name the card before others of its kind.
func (w *webGPU) comeFirst(library string) error {
	nameFirst(w.adapter.id)
	list, err := Adapters(library)
	if err != nil {
		return message.Errorf("WebGPU does not start: %w", err)
	}
	i := slices.IndexFunc(list, func(a Adapter) bool { return a.rank == w.adapter.rank })
	if i < 0 || list[i].id != w.adapter.id {
		return message.Errorf("webgpu:%d cannot be chosen: Vulkan goes on naming another card first; install a newer Vulkan loader", w.index)
	}
	return nil
}

// named is a list for people: webgpu:0 (its name), webgpu:1 (its name).
func named(list []Adapter) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = fmt.Sprintf("webgpu:%d (%s)", i, a.Name)
	}
	return strings.Join(names, ", ")
}
