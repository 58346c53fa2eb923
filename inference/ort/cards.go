package ort

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"realword/inference/session"
)

// pciDevices is where Linux lists what is on the PCI bus.
var pciDevices = "/sys/bus/pci/devices"

// GraphicsCards names the makers of the graphics cards that Linux lists, whether they have a driver or not: AMD, Intel or NVIDIA. Cards
// of others, which virtual machines and servers have for a screen, compute nothing. The list is empty on other systems.
func GraphicsCards() (makers []string) {
	classes, _ := filepath.Glob(filepath.Join(pciDevices, "*", "class"))
	for _, path := range classes {
		class, _ := os.ReadFile(path)
		vendor, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "vendor"))
		maker := map[string]string{"0x1002": "AMD", "0x8086": "Intel", "0x10de": "NVIDIA"}[strings.TrimSpace(string(vendor))]
		if strings.HasPrefix(string(class), "0x03") && maker != "" && !slices.Contains(makers, maker) {
			makers = append(makers, maker)
		}
	}
	slices.Sort(makers)
	return makers
}

// CardMemory says how much memory the graphics card of a device (see ParseDevice) has, and how much of it is free now, in bytes. Both are 0
// where the system does not tell, or tells it of several cards and not which of them the device is. NVIDIA's own program is asked where
// there is one, which may take a second.
func CardMemory(ctx context.Context, device string) (free, total int64) {
	kind, index, err := ParseDevice(device)
	if err != nil || kind == CPU {
		return 0, 0
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ask := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=memory.free,memory.total,name", "--format=csv,noheader,nounits")
	table, _ := hidden(ask).Output()
	cards := nvidiaCards(string(table))
	if kind == CUDA {
		return cudaCard(cards, index, os.Getenv("CUDA_VISIBLE_DEVICES"), os.Getenv("CUDA_DEVICE_ORDER"))
	}
	// Vulkan counts them in an order of its own, and Intel's beside them.
	if cards = append(cards, amdCards()...); kind != WebGPU || index > 0 || len(cards) != 1 {
		return 0, 0
	}
	return cards[0].free, cards[0].total
}

// Card implements session.Carded. Only the provider beside the library has all operators of the graphs made for CUDA.
func (r *Runtime) Card() (c session.Card, ok bool) {
	switch d := r.device.(type) {
	case *cuda:
		c = session.Card{Name: d.place(), Graphs: d.plugin == nil, Fused: true}
		c.Free, c.Total = r.asked()
		if c.Total == 0 {
			if cards, _, err := GPUs(LoadComponents(r.library)); err == nil && d.index < len(cards) {
				c.Total = int64(cards[d.index].Memory) //nolint:gosec // no card has so much
			}
		}
		return c, true
	case *webGPU:
		c = session.Card{Name: d.place(), Halves: d.halves, Fused: d.fused}
		free, total := r.asked()
		if c.Free, c.Total = ofAdapter(d.adapter, free, total); c.Total == 0 && d.adapter.rank == integrated && r.shared != nil {
			c.Free, c.Total = ofShared(r.shared())
		}
		return c, true
	}
	return c, false
}

// ofAdapter is the memory of a card as its interface for graphics and its driver tell it, which may speak of another card: one where they
// differ by more than an eighth.
func ofAdapter(a Adapter, free, total int64) (int64, int64) {
	told := int64(a.Memory) //nolint:gosec // no card has so much
	switch {
	case a.Software:
		return 0, 0 // it is the processor's
	case told == 0 && a.rank == discrete, told > 0 && max(told, total)-min(told, total) <= told/8:
		return free, max(told, total)
	}
	return 0, told
}

// ofShared is the memory of a card of Apple's, which is the machine's: Metal recommends to take no more than two thirds of it
// (recommendedMaxWorkingSetSize, which large machines have more of), and what other programs hold is gone.
func ofShared(all, left int64) (free, total int64) {
	total = all / 3 * 2
	return min(max(left, 1), total), total
}

// cardMemory is what a graphics card has.
type cardMemory struct {
	name        string
	free, total int64
}

// nvidiaCards reads lines of "free MiB, total MiB, name".
func nvidiaCards(table string) (list []cardMemory) {
	for line := range strings.Lines(table) {
		fields := strings.SplitN(strings.TrimSpace(line), ", ", 3)
		if len(fields) != 3 {
			continue
		}
		free, err := strconv.ParseInt(fields[0], 10, 32)
		total, err2 := strconv.ParseInt(fields[1], 10, 32)
		if err == nil && err2 == nil && free >= 0 && total >= free {
			list = append(list, cardMemory{fields[2], free << 20, total << 20})
		}
	}
	return list
}

// cudaCard is the card that CUDA gives a number to. It counts those that are visible, the fastest first; nvidia-smi all by their place on
// the bus. Where cards differ and that order was not asked for, which one it is cannot be said.
func cudaCard(cards []cardMemory, index int, visible, order string) (free, total int64) {
	for _, c := range cards {
		if c.name != cards[0].name && order != "PCI_BUS_ID" {
			return 0, 0
		}
	}
	if visible != "" {
		list := strings.Split(visible, ",")
		if index >= len(list) {
			return 0, 0
		}
		n, err := strconv.Atoi(strings.TrimSpace(list[index]))
		if err != nil { // by its UUID
			return 0, 0
		}
		index = n
	}
	if index < 0 || index >= len(cards) {
		return 0, 0
	}
	return cards[index].free, cards[index].total
}

// amdCards are those whose driver is Linux's own.
func amdCards() (list []cardMemory) {
	all, _ := filepath.Glob(filepath.Join(pciDevices, "*", "mem_info_vram_total"))
	for _, path := range all {
		number := func(name string) int64 {
			text, _ := os.ReadFile(filepath.Join(filepath.Dir(path), name))
			n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			return n
		}
		if total, used := number("mem_info_vram_total"), number("mem_info_vram_used"); total > 0 && used >= 0 && used <= total {
			list = append(list, cardMemory{"AMD", total - used, total})
		}
	}
	return list
}
