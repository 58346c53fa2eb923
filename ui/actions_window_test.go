package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
)

// What a browser hands over for a picture that is dragged out of it comes as a file whose path is an address: it is said to be saved
// first, and not that there is no such file.
func TestADroppedAddressIsNoFile(t *testing.T) {
	b := ready(t, nil)
	for _, path := range []string{"https://example.org/a/dog.png", "data:/image/png;base64,AAAA"} {
		b.Dropped(fyne.NewPos(600, 400), []fyne.URI{storage.NewFileURI(path)})
		if err := b.state.PickErr; err == nil || !strings.Contains(err.Error(), "save it first, then drop the file") {
			t.Errorf("%s: it says %v", path, err)
		}
	}
	b.Dropped(fyne.NewPos(600, 400), nil)
	if err := b.state.PickErr; err == nil || !strings.HasPrefix(err.Error(), "nothing that was dropped is a file") {
		t.Errorf("nothing: it says %v", err)
	}
	for _, path := range []string{"/home/a/dog.png", "C:/Users/a/dog.png", "/C:/dog.png", "/home/a:b/https:/dog.png", "dog.png"} {
		if isAddress(path) {
			t.Errorf("%s is taken for an address", path)
		}
	}
}
