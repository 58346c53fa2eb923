// Command strip makes ONNX Runtime's CUDA provider small enough to be carried: of the kernels, which are five sixths of it, it keeps
// those of one kind of graphics card, and none that Realword's graphs never ask for. `make device-pack` runs it.
//
//	strip --sm 90 IN OUT
//
// The file keeps its size and every address: what is left out becomes zeros, which compress away. A container that loses all its
// kernels gets the smallest entry that the file has for another card, so that the driver sees what it sees on every card that a
// container was not built for: an error at the first use of one of these kernels, and of no other. The program zstd must be
// installed: kernels are compressed with it.
package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
)

func main() {
	sm := flag.Int("sm", 90, "architecture to keep, as in 90 for H100 and 80 for A100")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: strip --sm 90 IN OUT")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), flag.Arg(1), *sm); err != nil {
		fmt.Fprintln(os.Stderr, "strip:", err)
		os.Exit(1)
	}
}

func run(in, out string, sm int) error {
	library, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	file, err := elf.NewFile(bytes.NewReader(library))
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	s := file.Section(".nv_fatbin")
	if s == nil {
		return fmt.Errorf("%s holds no kernels for NVIDIA's cards", in)
	}
	counts, err := strip(library[s.Offset:s.Offset+s.FileSize], sm, kernels)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	fmt.Printf("%d containers: %d kept with %.1f MB for sm_%d, %d of kernels that are not needed, %d without any for sm_%d\n",
		counts.containers, counts.kept, float64(counts.bytes)/1e6, sm, counts.unneeded, counts.without, sm)
	if counts.kept == 0 {
		return fmt.Errorf("%s has no kernels for sm_%d", in, sm)
	}
	return os.WriteFile(out, library, 0o755)
}

// What Realword's graphs never ask for: mixtures of experts and weights of 4 or 8 bits (of large language models), attention over
// a paged cache, and attention in bfloat16.
var unneeded = regexp.MustCompile(`MoeFCGemm|fused_moe|GroupProblemShape|fpA_intB|FpAIntB|deep_gemm|kernel_mha|onnxruntime5flash.*bfloat16_t`)

// Of a container: a magic number, 16 bits each of version and length of the header, 64 bits of length of what follows. Of an
// entry: 16 bits each of kind and version, 32 of length of its header, 64 of length of its kernels; at 16 the length of them as
// they are compressed, at 28 the architecture, at 40 flags.
const (
	magic      = 0xBA55ED50
	header     = 16
	compressed = 0x8000 // with zstd
)

type counts struct {
	containers, kept, unneeded, without int
	bytes                               int
}

// entry is the code of one container for one architecture.
type entry struct {
	all, code []byte // with its header; the kernels alone
	sm        int
	packed    bool
}

// strip leaves in every container of a section what is for one architecture, where one of its kernels is needed. The section keeps
// its length. names lists the kernels of an entry.
func strip(section []byte, sm int, names func(entry) ([]string, error)) (c counts, err error) {
	le := binary.LittleEndian
	var foreign []byte // the smallest entry for another card
	err = containers(section, func(at, start, end int, list []entry) error {
		for _, e := range list {
			if e.sm != sm && (foreign == nil || len(e.all) < len(foreign)) {
				foreign = slices.Clone(e.all)
			}
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	err = containers(section, func(at, start, end int, list []entry) error {
		c.containers++
		keep := slices.DeleteFunc(list, func(e entry) bool { return e.sm != sm })
		needed := false
		for _, e := range keep {
			kernels, err := names(e)
			if err != nil {
				return err
			}
			// Without a name it is some compiler's empty unit, or of a kind that is not known here.
			needed = needed || len(kernels) == 0 || slices.ContainsFunc(kernels, func(name string) bool { return !unneeded.MatchString(name) })
		}
		switch {
		case needed:
			c.kept++
		case len(keep) > 0:
			c.unneeded++
		default:
			c.without++
		}
		var out []byte
		if needed {
			for _, e := range keep {
				out = append(out, e.all...)
			}
			c.bytes += len(out)
		} else if len(foreign) <= end-start {
			out = foreign
		}
		body := section[start:end]
		clear(body[copy(body, out):])
		le.PutUint64(section[at+8:], uint64(len(out)))
		return nil
	})
	return c, err
}

// containers calls f with every container: where it and its entries lie. f may shorten it.
func containers(section []byte, f func(at, start, end int, list []entry) error) error {
	le := binary.LittleEndian
	for at := 0; at+header <= len(section); {
		if le.Uint32(section[at:]) != magic {
			at += 8
			continue
		}
		head, size := int(le.Uint16(section[at+6:])), int(le.Uint64(section[at+8:]))
		if head < header || size < 0 || size > len(section)-at-head {
			return fmt.Errorf("a container of %d bytes at %d does not end in its section", size, at)
		}
		list, err := entries(section[at+head : at+head+size])
		if err == nil {
			err = f(at, at+head, at+head+size, list)
		}
		if err != nil {
			return fmt.Errorf("container at %d: %w", at, err)
		}
		at += head + size
	}
	return nil
}

func entries(body []byte) (list []entry, err error) {
	le := binary.LittleEndian
	for len(body) > 0 {
		if len(body) < 48 {
			return nil, errors.New("half an entry")
		}
		head, size := int(le.Uint32(body[4:])), int(le.Uint64(body[8:]))
		if head < 48 || size < 0 || head > len(body) || size > len(body)-head {
			return nil, fmt.Errorf("an entry of %d and %d bytes where %d are left", head, size, len(body))
		}
		e := entry{
			all: body[:head+size], code: body[head : head+size], sm: int(le.Uint32(body[28:])),
			packed: le.Uint64(body[40:])&compressed != 0,
		}
		if e.packed {
			n := int(le.Uint32(body[16:]))
			if n > size {
				return nil, fmt.Errorf("an entry of %d bytes, %d of them compressed", size, n)
			}
			e.code = e.code[:n] // the rest is padding
		}
		list, body = append(list, e), body[head+size:]
	}
	return list, nil
}

var kernelSection = regexp.MustCompile(`\.text\.([A-Za-z0-9_$]+)`)

// kernels lists the kernels of an entry by the names of their sections.
func kernels(e entry) ([]string, error) {
	code := e.code
	if e.packed {
		unpack := exec.Command("zstd", "-dcq")
		unpack.Stdin = bytes.NewReader(code)
		var err error
		if code, err = unpack.Output(); err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
	}
	var list []string
	for _, m := range kernelSection.FindAllSubmatch(code, -1) {
		list = append(list, string(m[1]))
	}
	return list, nil
}
