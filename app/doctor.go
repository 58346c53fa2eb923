package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"realword/inference/files"
	"realword/inference/ort"
)

// finding is one line of the doctor.
type finding struct {
	name   string
	ok     bool
	needed bool // pictures cannot be made without it
	detail string
	remedy string // where it is not ok
}

func newDoctor() *cobra.Command {
	var m machine
	var all bool
	c := &cobra.Command{
		Use: "doctor", Short: "say what makes pictures on this machine, what would be faster, and what to do for it",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			findings, w := examine(c, m)
			out := c.OutOrStdout()
			for _, s := range advise(findings, w) {
				fmt.Fprintln(out, s.text)
				if s.remedy != "" {
					fmt.Fprintln(out, "  ->", s.remedy)
				}
			}
			if all {
				fmt.Fprintln(out)
				report(out, findings)
			} else {
				fmt.Fprintln(out, "`realword doctor --all` lists everything that was looked for.")
			}
			if !ableTo(findings) {
				return errReported
			}
			return nil
		},
	}
	c.Flags().StringVar(&m.model, "model", "", "model folder (default: the built-in model)")
	c.Flags().BoolVar(&all, "all", false, "list everything that was looked for, each library by itself")
	return c
}

// ableTo tells whether pictures can be made.
func ableTo(findings []finding) bool {
	return !slices.ContainsFunc(findings, func(f finding) bool { return f.needed && !f.ok })
}

// report prints the findings, and whether pictures can be made.
func report(out io.Writer, findings []finding) {
	for _, f := range findings {
		word := "found"
		if !f.ok {
			word = "missing"
		}
		fmt.Fprintf(out, "%-8s %-15s %s\n", word, f.name, f.detail)
		if !f.ok && f.remedy != "" {
			fmt.Fprintf(out, "%-24s -> %s\n", "", f.remedy)
		}
	}
	if ableTo(findings) {
		fmt.Fprintln(out, "Pictures can be made on this machine.")
	} else {
		fmt.Fprintln(out, "Pictures cannot be made until what is missing above is installed.")
	}
}

func examine(c *cobra.Command, m machine) ([]finding, ways) {
	w := ways{embedded: m.model == ""}
	list := []finding{{name: "Realword", ok: true, detail: fmt.Sprintf("%s, %s, %s/%s, %d CPU cores", version, runtime.Version(), runtime.GOOS,
		runtime.GOARCH, runtime.NumCPU())}}
	list = append(list, examineRuntime(c.Context(), &w)...)
	list = append(list, examineModel(c, m), examineFolder("Cache", os.UserCacheDir, true), examineFolder("History", os.UserConfigDir, false),
		examineDisplay())
	if runtime.GOOS == "linux" {
		list = append(list, examineDrivers())
	}
	return list, w
}

func examineRuntime(ctx context.Context, w *ways) []finding {
	library := finding{name: "ONNX Runtime", needed: true}
	rt, err := ort.New(ort.Options{})
	if err != nil {
		library.detail, library.remedy = lastRemedy(err)
		return []finding{library}
	}
	library.ok, w.threads, w.library, w.cards = true, rt.Threads(), rt.Library(), ort.GraphicsCards()
	library.detail = fmt.Sprintf("%s, %s", rt.Version(), rt.Library())
	if sum, err := files.SumOf(rt.Library()); err == nil {
		library.detail += fmt.Sprintf(" (SHA-256 %.12s…)", sum)
	}
	return append([]finding{
		library,
		{name: "CPU", ok: true, detail: fmt.Sprintf("%d threads", rt.Threads())},
		examineOpenVINO(ctx, rt.Library(), w),
	}, append(examineWebGPU(ctx, rt.Library(), w), examineCUDA(ctx, rt.Library(), w)...)...)
}

// examineOpenVINO tries the processor by way of OpenVINO, where that is there.
func examineOpenVINO(ctx context.Context, library string, w *ways) finding {
	f := finding{name: "OpenVINO", detail: "it is not there", remedy: "for large models on an x86-64 processor: " + ort.FetchOpenVINO}
	path := openVINO(library)
	if path == "" {
		w.noOpenVINO, w.half = ort.MayHaveOpenVINO(), hasHalf()
		return f
	}
	f.remedy = "the CPU is used without it"
	var said []string
	for _, device := range openVINOs() {
		v := known(ctx, library, device, true)
		if !v.Usable {
			said = append(said, fmt.Sprintf("%s: %s", device, v.Reason))
			continue
		}
		f.ok = true
		said = append(said, fmt.Sprintf("%s: self-test matches the CPU, %.1f times as fast at large products", device, v.faster()))
	}
	w.processor = onProcessor(ctx, library)
	f.detail = strings.Join(append(said, path), "; ")
	return f
}

// examineWebGPU tries the graphics card by way of WebGPU, which needs no library but the driver's own.
func examineWebGPU(ctx context.Context, library string, w *ways) []finding {
	f := finding{
		name: "WebGPU", detail: "the system shows no graphics card with a Vulkan driver",
		remedy: "without a graphics card there is nothing to do, the CPU is used; with one, " + ort.GraphicsDriver,
	}
	if !mayHaveWebGPU() {
		return []finding{f}
	}
	v := known(ctx, library, "webgpu", true)
	w.webgpu = &v
	if f.ok = v.Usable; f.ok {
		f.detail = fmt.Sprintf("%s, %.0f GB, %s, self-test matches the CPU", v.Card, float64(v.Memory)/1e9, v.Driver)
	} else {
		f.detail, f.remedy = v.Reason, newerDriver(runtime.GOOS)+"; until then the CPU is used"
	}
	return append([]finding{f}, otherCards(v)...)
}

// otherCards are those beside the one that WebGPU takes by itself.
func otherCards(v verdict) (list []finding) {
	for i, c := range v.Cards {
		if i == 0 {
			continue
		}
		f := finding{name: fmt.Sprintf("webgpu:%d", i), ok: true, detail: fmt.Sprintf("%s; --device webgpu:%d computes on it", c.Text, i)}
		if c.Why != "" {
			f.detail = c.Text + "; " + c.Why
		}
		list = append(list, f)
	}
	return list
}

// examineCUDA tells of every library that CUDA needs and, where all are there, tries the graphics card.
func examineCUDA(ctx context.Context, library string, w *ways) []finding {
	components := ort.Components(library)
	if len(components) == 0 {
		return nil // there is no CUDA for this system
	}
	card := finding{
		name: "CUDA", detail: "a library is missing",
		remedy: "without an NVIDIA graphics card there is nothing to do: the CPU is used",
	}
	if ort.Usable(components) {
		v := known(ctx, library, "cuda", true)
		w.cuda = &v
		if card.ok = v.Usable; len(v.Components) > 0 {
			components = v.Components // which tell also whether they can be loaded
		}
		card.detail, card.remedy = v.Reason, "update the NVIDIA driver and the libraries above; until then the CPU is used"
		if v.Usable {
			card.detail = fmt.Sprintf("%s, %.0f GB, driver for CUDA %s, self-test matches the CPU", v.Card, float64(v.Memory)/1e9, v.CUDA)
		}
	}
	w.components = components
	var list []finding
	for _, c := range components {
		f := finding{name: c.Name, ok: c.State == ort.Found, detail: c.Path, remedy: c.Remedy}
		switch c.State {
		case ort.Found:
		case ort.Missing:
			f.detail = c.File
		default:
			f.detail = fmt.Sprintf("%s: %s (%s)", c.File, c.State, c.Note)
		}
		list = append(list, f)
	}
	return append(list, card)
}

func examineModel(c *cobra.Command, m machine) finding {
	f := finding{name: "Model", needed: true}
	b, err := openModel(c.Context(), m.model)
	if err == nil {
		err = b.CheckFiles(c.Context())
	}
	if err != nil {
		f.detail, f.remedy = lastRemedy(err)
		return f
	}
	f.ok = true
	f.detail = fmt.Sprintf("%s, %dx%d pixels, %d files unchanged since the import, %s", b.Manifest().Name, b.Manifest().Size.Width,
		b.Manifest().Size.Height, len(b.Manifest().Files), b.Dir())
	return f
}

// examineFolder looks whether Realword's folder below a system folder can be written to.
func examineFolder(name string, base func() (string, error), needed bool) finding {
	f := finding{name: name, needed: needed, remedy: "set HOME to a folder you own, or free up space in it"}
	dir, err := base()
	if err == nil {
		dir = filepath.Join(dir, "realword")
		err = probe(dir)
	}
	if err != nil {
		f.detail, _ = lastRemedy(err)
		return f
	}
	f.ok, f.detail = true, dir
	return f
}

// examineDisplay connects to the display server as the window would, without asking it for anything.
func examineDisplay() finding {
	f := finding{name: "Display", remedy: "the window needs a desktop session; `realword generate` does not"}
	if runtime.GOOS != "linux" {
		f.ok, f.detail = true, "the system's own"
		return f
	}
	var tried []string
	for _, d := range displays(os.Getenv) {
		conn, err := net.Dial(d.network, d.address)
		if err == nil {
			conn.Close()
			f.ok, f.detail = true, d.name
			return f
		}
		tried = append(tried, fmt.Sprintf("%s does not answer (%v)", d.name, errors.Unwrap(err)))
	}
	if f.detail = strings.Join(tried, ", "); f.detail == "" {
		f.detail = "neither WAYLAND_DISPLAY nor DISPLAY is set"
	}
	return f
}

type display struct{ name, network, address string }

// displays lists where the environment says that a display server listens.
func displays(env func(string) string) []display {
	var list []display
	if name := env("WAYLAND_DISPLAY"); name != "" {
		socket := name
		if !filepath.IsAbs(name) {
			socket = filepath.Join(env("XDG_RUNTIME_DIR"), name)
		}
		list = append(list, display{"Wayland " + name, "unix", socket})
	}
	if name := env("DISPLAY"); name != "" {
		host, screen, _ := strings.Cut(name, ":")
		number, _, _ := strings.Cut(screen, ".")
		if host == "" || host == "unix" {
			list = append(list, display{"X11 " + name, "unix", "/tmp/.X11-unix/X" + number})
		} else {
			port, err := strconv.Atoi(number)
			if err != nil {
				return list
			}
			list = append(list, display{"X11 " + name, "tcp", net.JoinHostPort(host, fmt.Sprint(6000+port))})
		}
	}
	return list
}

// examineDrivers looks for OpenGL drivers of Mesa or NVIDIA; without one a window opens on no display.
func examineDrivers() finding {
	f := finding{name: "OpenGL", remedy: "for the window: sudo apt-get install libgl1-mesa-dri"}
	for _, pattern := range []string{
		"/usr/lib*/dri/*_dri.so", "/usr/lib/*/dri/*_dri.so", "/usr/lib/*/libnvidia-glcore.so*",
		"/usr/lib64/libnvidia-glcore.so*", "/usr/lib/*/libgallium*.so", "/usr/lib64/libgallium*.so",
	} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			f.ok, f.detail = true, fmt.Sprintf("drivers in %s", filepath.Dir(found[0]))
			return f
		}
	}
	f.detail = "no driver found in the usual folders"
	return f
}

// lastRemedy splits an error of this program, which ends with what to do, at its last colon or semicolon.
func lastRemedy(err error) (what, remedy string) {
	text := err.Error()
	at := max(strings.LastIndex(text, ": "), strings.LastIndex(text, "; "))
	if at < 0 {
		return text, ""
	}
	return text[:at], text[at+2:]
}
