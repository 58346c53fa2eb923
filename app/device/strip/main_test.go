package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// build makes an entry for an architecture out of its code, with a header of 64 bytes and padding to 8.
func build(sm int, code string) []byte {
	e := make([]byte, 64, 64+len(code)+8)
	le := binary.LittleEndian
	le.PutUint16(e, 2)
	le.PutUint32(e[4:], 64)
	le.PutUint32(e[28:], uint32(sm))
	e = append(e, code...)
	for len(e)%8 != 0 {
		e = append(e, 0)
	}
	le.PutUint64(e[8:], uint64(len(e)-64))
	return e
}

func pack(entries ...[]byte) []byte {
	body := slices.Concat(entries...)
	c := make([]byte, 16)
	binary.LittleEndian.PutUint32(c, magic)
	binary.LittleEndian.PutUint16(c[6:], 16)
	binary.LittleEndian.PutUint64(c[8:], uint64(len(body)))
	return append(c, body...)
}

func TestOneArchitectureIsKept(t *testing.T) {
	tiny := build(80, ".text._Zk")
	softmax := build(90, ".text._Z7softmaxv and its code")
	both := pack(build(80, ".text._Z7softmaxv, and more than the tiny one"), softmax)
	experts := pack(build(90, ".text._ZN9MoeFCGemmEv: a long one, longer than that of the other architecture"))
	mixed := pack(build(90, ".text._ZN9MoeFCGemmEv.text._Z3addv"))
	old := pack(tiny)
	section := slices.Concat(both, make([]byte, 24), experts, mixed, old) // padding between containers
	starts := []int{0, len(both) + 24, len(both) + 24 + len(experts), len(both) + 24 + len(experts) + len(mixed)}
	was := len(section)
	c, err := strip(section, 90, kernels)
	if err != nil || c.containers != 4 || c.kept != 2 || c.unneeded != 1 || c.without != 1 || len(section) != was {
		t.Fatalf("%+v, %v", c, err)
	}
	for i, want := range [][]byte{softmax, tiny, build(90, ".text._ZN9MoeFCGemmEv.text._Z3addv"), tiny} {
		at := starts[i]
		size := int(binary.LittleEndian.Uint64(section[at+8:]))
		if got := section[at+16:][:size]; !bytes.Equal(got, want) {
			t.Errorf("container %d holds %q, wanted %q", i, got, want)
		}
	}
	if bytes.Contains(section, []byte("MoeFCGemmEv: a long one")) || bytes.Contains(section, []byte("more than the tiny one")) {
		t.Error("what was left out is still there")
	}
}

func TestDamagedContainers(t *testing.T) {
	good := pack(build(90, ".text._Z3addv"))
	tooLong := slices.Clone(good)
	binary.LittleEndian.PutUint64(tooLong[8:], 1<<40)
	inside := slices.Clone(good)
	binary.LittleEndian.PutUint64(inside[16+8:], 1<<40)
	for name, section := range map[string][]byte{"container": tooLong, "entry": inside} {
		if _, err := strip(section, 90, kernels); err == nil {
			t.Errorf("a damaged %s was not noticed", name)
		}
	}
	if _, err := strip(good, 90, func(entry) ([]string, error) { return nil, errors.New("no zstd") }); err == nil || !strings.Contains(err.Error(), "no zstd") {
		t.Error(err)
	}
}
