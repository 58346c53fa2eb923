package checkpoint

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"realword/inference/message"
)

type format int

const (
	unknownFile format = iota
	zipFile
	safetensorsFile
)

// kind recognises the two formats that are read. A file that starts like safetensors but whose header cannot be right is
// left to the parser, which says what is wrong with it, unless it is plainly text.
func kind(head []byte, size int64) format {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return zipFile
	case len(head) >= 9 && (head[8] == '{' || binary.LittleEndian.Uint64(head) <= uint64(size)) && !text(head):
		return safetensorsFile
	}
	return unknownFile
}

// stranger names a file that is not a checkpoint for what it is.
func stranger(head []byte) error {
	again := message.Note("download the weights themselves")
	trimmed := strings.ToLower(strings.TrimLeft(string(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))), " \t\r\n"))
	switch {
	case len(head) == 0:
		return &FormatError{Problem: message.Note("the file is empty"), Remedy: message.Note("get it again")}
	case bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/spec/")):
		return &UnsupportedError{
			Problem: message.Note("this is a Git LFS pointer, not the weights"),
			Remedy:  message.Note("run `git lfs pull`, or download the weights themselves"),
		}
	case strings.HasPrefix(trimmed, "<!doctype html"), strings.HasPrefix(trimmed, "<html"), strings.HasPrefix(trimmed, "<?xml"):
		return &UnsupportedError{
			Problem: message.Note("this is a web page, not the weights (a download that needed a login saves one)"),
			Remedy:  again,
		}
	case bytes.HasPrefix(head, legacyMagic), len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return &UnsupportedError{Problem: message.Note("this is a bare pickle, such as PyTorch wrote before version 1.6"), Remedy: resave}
	case bytes.HasPrefix(head, []byte("GGUF")):
		return &UnsupportedError{
			Problem: message.Note("this is a GGUF file"),
			Remedy:  message.Note("use the safetensors file that it was made from"),
		}
	case bytes.HasPrefix(head, []byte("\x89HDF")):
		return &UnsupportedError{
			Problem: message.Note("this is an HDF5 file"),
			Remedy:  message.Note("use the PyTorch or safetensors weights"),
		}
	case bytes.HasPrefix(head, []byte("\x1f\x8b")), bytes.HasPrefix(head, []byte("7z\xbc\xaf")), bytes.HasPrefix(head, []byte("Rar!")),
		bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")), bytes.HasPrefix(head, []byte("\xfd7zXZ")):
		return &UnsupportedError{Problem: message.Note("this is a compressed archive"), Remedy: message.Note("unpack it first")}
	case text(head):
		return &UnsupportedError{Problem: message.Note("this is a text file, not the weights"), Remedy: again}
	case len(head) < 9:
		return &FormatError{Problem: message.Note("the file is too short to be a checkpoint")}
	}
	return &UnsupportedError{
		Problem: message.Note("this is neither a safetensors file nor a PyTorch ZIP file"),
		Remedy:  message.Note("use weights in one of these formats, and get the file again if it should be one"),
	}
}

// legacyMagic starts the pickle of PyTorch's magic number, the first thing in files older than 1.6.
var legacyMagic = []byte{0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19}

// text reports whether the start of a file reads as text: UTF-8 (a rune may be cut at the end) without control characters.
func text(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(head)
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' {
			return false
		}
		head = head[n:]
	}
	return true
}
