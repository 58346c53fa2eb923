package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"realword/inference/checkpoint"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/tensor"
)

// blackFile holds the visual tokens of the black picture. It is no part of the manifest: it comes into being at the first use of
// the release preset, because an import runs no networks, and whoever removes it loses a few seconds.
const blackFile = "black.safetensors"

// Black returns the visual tokens [1, n, C] of the black picture, which the release preset shows to the unconditional pass, as
// KeepBlack stored them. It returns nil when there are none, when they are damaged, and when another runtime or another vision
// network computed them: by describes the runtime (session.Runtime's Describe), because the last bits depend on it.
func (b *Bundle) Black(by string) *tensor.Tensor {
	f, err := checkpoint.Open(filepath.Join(b.dir, blackFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	shape, _, ok := f.Shape("tokens")
	if v := b.manifest.Vision; !ok || !slices.Equal(shape, []int{1, v.Tokens, v.Width}) {
		return nil
	}
	t, err := f.Read("tokens")
	if err != nil {
		return nil
	}
	meta, now := f.Metadata(), b.blackMetadata(by, t)
	for key, want := range now {
		if meta[key] != want {
			return nil
		}
	}
	return t
}

// KeepBlack stores the visual tokens of the black picture for Black, in one step: readers see the old file or the new one. A bundle
// on a read-only disk gives an error, with which nothing is lost.
func (b *Bundle) KeepBlack(by string, tokens *tensor.Tensor) error {
	if v := b.manifest.Vision; !slices.Equal(tokens.Shape, []int{1, v.Tokens, v.Width}) {
		return fmt.Errorf("keep the black picture: tokens have the shape %v, wanted [1 %d %d]", tokens.Shape, v.Tokens, v.Width)
	}
	if err := files.Put(filepath.Join(b.dir, blackFile), files.Unsynced, func(w io.Writer) error {
		return tensor.WriteSafetensors(w, map[string]*tensor.Tensor{"tokens": tokens}, b.blackMetadata(by, tokens))
	}); err != nil {
		return fmt.Errorf("keep the black picture: %w", err)
	}
	return nil
}

// blackMetadata says what tokens belong to, and their own checksum.
func (b *Bundle) blackMetadata(by string, tokens *tensor.Tensor) map[string]string {
	raw := make([]byte, 4*len(tokens.F32))
	if err := tensor.EncodeFloats(raw, tokens.F32, tensor.F32); err != nil {
		return map[string]string{"sha256": err.Error()}
	}
	network := sha256.New()
	for _, name := range []string{b.manifest.Graphs[graph.Vision], "weights/vision.bin"} {
		fmt.Fprintln(network, b.manifest.Files[name])
	}
	for _, f := range b.manifest.Mapped {
		fmt.Fprintln(network, f.SHA256)
	}
	return map[string]string{"runtime": by, "network": hex.EncodeToString(network.Sum(nil)), "sha256": files.Sum(raw)}
}
