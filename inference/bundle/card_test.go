package bundle

import (
	"bytes"
	"reflect"
	"testing"

	"realword/assets"
	"realword/inference/prompt"
)

// A card reads a prompt as its model does and has everything of the manifest but where files lie; what is damaged is refused.
func TestCard(t *testing.T) {
	b, err := Extract(assets.Model(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b.manifest.Mapped = []MappedFile{{Path: "/home/ada/secret.safetensors", Size: 5, SHA256: "abc"}}
	data, err := b.Card()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := b.Card(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("another card of the same model: %v", err)
	}
	card, err := ReadCard(data)
	if err != nil {
		t.Fatal(err)
	}
	if !card.IsCard() || b.IsCard() {
		t.Error("a card is taken for the model")
	}
	text := "a dog on the beach, Ünïcode"
	if got, want := card.Tokenizer(0).Read(text, prompt.Reading{}), b.Tokenizer(0).Read(text, prompt.Reading{}); !reflect.DeepEqual(got, want) {
		t.Error("it reads a prompt in another way")
	}
	m := card.Manifest()
	if m.Mapped[0].Path != "" || m.Mapped[0].SHA256 != "abc" || !reflect.DeepEqual(m.Presets, b.manifest.Presets) || !reflect.DeepEqual(m.Files, b.manifest.Files) {
		t.Errorf("the card says %+v", m.Mapped)
	}
	t.Logf("the card has %d kB", len(data)/1000)
	for n := 0; n < len(data); n += max(len(data)/40, 1) {
		if _, err := ReadCard(data[:n]); err == nil {
			t.Errorf("%d of %d bytes are read", n, len(data))
		}
	}
}
