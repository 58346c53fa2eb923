package ui

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

func storedFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "stored", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// keysOf are the keys and values of a JSON object, but for those that say that something is not set.
func keysOf(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	for key, value := range object {
		if value == "" || value == " " {
			delete(object, key)
		}
	}
	return object
}

// TestStoredPresetsAreRead: the presets of a Realword whose settings were not one struct yet are what they were, and are written
// under the same keys.
func TestStoredPresetsAreRead(t *testing.T) {
	b := ready(t, nil)
	b.app.Preferences().SetString(ownPresetsKey, string(storedFile(t, "presets.json")))
	got := readPresets(b.app.Preferences())
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
	savePresets(b.app.Preferences(), got)
	var before, after []json.RawMessage
	if err := json.Unmarshal(storedFile(t, "presets.json"), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b.app.Preferences().String(ownPresetsKey)), &after); err != nil || len(after) != len(before) {
		t.Fatal(err, len(after))
	}
	for i := range before {
		if a, b := keysOf(t, before[i]), keysOf(t, after[i]); !reflect.DeepEqual(a, b) {
			t.Errorf("%s\nbecame %s", before[i], after[i])
		}
	}
}

// TestStoredSessionsAreRead: an exported session of such a Realword has its form, its pictures, how they were made, and the states
// to go on from.
func TestStoredSessionsAreRead(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.Import(filepath.Join("testdata", "stored", "session.zip"))
	if err != nil {
		t.Fatal(err)
	}
	one, err := openSession(s, in.Session, state.Eye{Model: uitest.Toybox})
	if err != nil || one.missing != nil || len(one.shots) != 2 {
		t.Fatalf("%v, %v, %d pictures", err, one.missing, len(one.shots))
	}
	want := inference.Settings{
		Preset: "release", Negative: " ", Steps: 50, Stop: 9, CFG: 4.5, Sampler: "ddim", MaskSource: "low_cross",
		MaskNorm: "min_max_per_channel", Width: 640, Height: 512,
	}
	if f := one.form; f.Settings != want || f.Prompt != "a dog on the beach" || f.Seed != 12 || !f.KeepSeed || f.Count != 3 || len(f.Cards) != 1 || f.Cards[0].Scope != 0.3 || f.Cards[0].View == nil {
		t.Errorf("%+v", f)
	}
	var kept, again struct{ Form json.RawMessage }
	data, err := json.Marshal(state.Draft{Form: one.form})
	if err != nil || json.Unmarshal(data, &again) != nil || json.Unmarshal(storedFile(t, "draft.json"), &kept) != nil {
		t.Fatal(err)
	}
	if a, b := keysOf(t, kept.Form), keysOf(t, again.Form); !reflect.DeepEqual(a, b) {
		t.Errorf("%s\nbecame %s", kept.Form, again.Form)
	}
	for _, shot := range one.shots {
		r, err := journal.Recall(s, shot.Kept)
		if err != nil || len(r.Missing) > 0 {
			t.Fatal(err, r.Missing)
		}
		kept, err := journal.KeptState(s, shot.Kept)
		if err != nil || kept == nil || kept.Steps != r.Recipe.Steps || kept.Step != r.Recipe.Stop || kept.Sampler != r.Recipe.Sampler {
			t.Errorf("%v, a state of %+v for %+v", err, kept, r.Recipe.Settings)
		}
		if strings.HasPrefix(r.Recipe.Prompt, "a dog") && (r.Recipe.Stop != 24 || !r.Recipe.RawMask || r.Recipe.Negative != "rain") {
			t.Errorf("%+v", r.Recipe.Settings)
		}
	}
}
