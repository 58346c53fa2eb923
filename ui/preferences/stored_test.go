package preferences

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestStoredPresetsAreRead: the presets of a Realword whose settings were not one struct yet are what they were, and are written
// under the same keys.
func TestStoredPresetsAreRead(t *testing.T) {
	b := newBench(t, nil)
	b.app.Preferences().SetString(ownPresetsKey, string(uitest.Read(t, "testdata/presets.json")))
	got := b.Presets()
	want := state.OwnPresets{
		{Name: "Bold", Settings: inference.Settings{Preset: "paper", Steps: 9, Stop: 4, CFG: 9, Negative: " "}},
		{Name: "soft", Settings: inference.Settings{Preset: "release", Steps: 30, Stop: 9, CFG: 5, Negative: "rain", Scope: 0.3, Sampler: "ddim", MaskSource: "low_cross", RawMask: true}},
		{Name: "layers", Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 12, CFG: 7.5, MaskNorm: "min_max_per_channel", Negative: " "}},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for i, p := range got {
		if f := (state.Form{}).WithOwn(p, uitest.Toybox); !f.IsOwn(p) || f.IsOwn(got[(i+1)%3]) {
			t.Errorf("%s: taken over it is %+v", p.Name, f.Settings)
		}
	}
	b.KeepPresets(got)
	var before, after []json.RawMessage
	if err := json.Unmarshal(uitest.Read(t, "testdata/presets.json"), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b.app.Preferences().String(ownPresetsKey)), &after); err != nil || len(after) != len(before) {
		t.Fatal(err, len(after))
	}
	for i := range before {
		if a, b := uitest.Keys(t, before[i]), uitest.Keys(t, after[i]); !reflect.DeepEqual(a, b) {
			t.Errorf("%s\nbecame %s", before[i], after[i])
		}
	}
}

// Where nothing can be kept, it is said why, and not that another folder may be chosen: there is none to choose.
func TestNoOtherFolderForThePreferences(t *testing.T) {
	d := New(fyne.CurrentApp())
	d.app = elsewhere{d.app, uitest.File(t, "a file", nil)}
	if err := d.Kept(); err == nil || strings.Contains(err.Error(), "choose") || !strings.Contains(err.Error(), d.folder()) {
		t.Errorf("it says: %v", err)
	}
}

// elsewhere is a program whose preferences are to be in a folder of that path.
type elsewhere struct {
	fyne.App
	path string
}

func (e elsewhere) Storage() fyne.Storage { return rooted{e.App.Storage(), e.path} }

type rooted struct {
	fyne.Storage
	path string
}

func (r rooted) RootURI() fyne.URI { return storage.NewFileURI(r.path) }
