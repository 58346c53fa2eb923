package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/assets"
)

// TestUnpackBelievesNothing: a description that leads out of the model's folder, or makes no sense, is refused before anything is written.
func TestUnpackBelievesNothing(t *testing.T) {
	b, err := Extract(assets.Model(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	description, paths, err := b.Parcel()
	if err != nil {
		t.Fatal(err)
	}
	if again, _, err := b.Parcel(); err != nil || string(again) != string(description) {
		t.Errorf("the same model is said in other bytes: %v", err)
	}
	if strings.Contains(string(description), filepath.Dir(b.Dir())) {
		t.Error("it says where the model lies here")
	}
	good, err := Unpack(description)
	if err != nil || len(good.Parts) != len(b.manifest.Files) {
		t.Fatalf("%d parts of %d files, %v", len(good.Parts), len(b.manifest.Files), err)
	}
	for _, p := range good.Parts {
		if info, err := os.Stat(paths[p.SHA256]); err != nil || info.Size() != p.Size {
			t.Errorf("%s: %v", p.Path, err)
		}
	}
	sum := strings.Repeat("0a", 32)
	name := func(name string) func(*parcel) {
		return func(p *parcel) { p.Manifest.Files[name], p.Sizes[sum] = sum, 5 }
	}
	outside := func(f MappedFile) func(*parcel) {
		return func(p *parcel) { p.Manifest.Mapped, p.Sizes[sum] = []MappedFile{f}, 5 }
	}
	some := ""
	for n := range b.manifest.Files {
		some = n
		break
	}
	for what, change := range map[string]func(*parcel){
		"above": name("../x"), "far above": name("weights/../../x"), "from the root": name("/etc/cron.d/x"), "a drive": name(`C:\x`),
		"a stream": name("x:y"), "backwards": name(`..\x`), "hidden": name(".bashrc"), "nothing": name(""), "the folder": name("."),
		"a line break": name("a\nb"), "the manifest": name(ManifestName), "the manifest, otherwise": name("Manifest.JSON"),
		"a file in a file": name(some + "/x"), "twice": name(strings.ToUpper(some)), "where checkpoints lie": name("mapped/" + sum),
		"where they lie, otherwise": name("MAPPED/x"), "a long name": name(strings.Repeat("x", 300)), "a double": name("weights//x"),
		"a sum in capitals": func(p *parcel) { p.Manifest.Files["x"], p.Sizes[strings.ToUpper(sum)] = strings.ToUpper(sum), 5 },
		"no sum":            func(p *parcel) { p.Manifest.Files["x"], p.Sizes["x"] = "x", 5 },
		"a path as a sum":   func(p *parcel) { p.Manifest.Files["x"], p.Sizes["../../x"] = "../../x", 5 },
		"no size":           func(p *parcel) { p.Manifest.Files["x"] = sum },
		"less than nothing": func(p *parcel) { p.Manifest.Files["x"], p.Sizes[sum] = sum, -5 },
		"too much":          func(p *parcel) { p.Manifest.Files["x"], p.Sizes[sum] = sum, mostPart+1 },
		"too many": func(p *parcel) {
			for i := range maxParts + 1 {
				name(strings.Repeat("x", i%199+1) + strings.Repeat("y", i/199))(p)
			}
		},
		"checkpoints without a name":  outside(MappedFile{Size: 5, SHA256: sum}),
		"checkpoints of another size": outside(MappedFile{Named: "/x", Size: 6, SHA256: sum}),
		"checkpoints with a path as sum": func(p *parcel) {
			p.Manifest.Mapped, p.Sizes["../x"] = []MappedFile{{Named: "/x", Size: 5, SHA256: "../x"}}, 5
		},
		"another schema": func(p *parcel) { p.Manifest.Schema++ },
		"no graphs":      func(p *parcel) { p.Manifest.Graphs = nil },
	} {
		var p parcel
		if err := json.Unmarshal(description, &p); err != nil {
			t.Fatal(err)
		}
		change(&p)
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := Unpack(data); err == nil {
			t.Errorf("%s: %d parts", what, len(a.Parts))
		}
	}
	for n := 0; n < len(description); n += max(len(description)/50, 1) {
		if _, err := Unpack(description[:n]); err == nil {
			t.Errorf("%d of %d bytes are read", n, len(description))
		}
	}
	// A path that the sender claims for a checkpoint is not read here: it lies in the folder.
	var p parcel
	if err := json.Unmarshal(description, &p); err != nil {
		t.Fatal(err)
	}
	outside(MappedFile{Path: "/etc/passwd", Named: "/home/ada/x.safetensors", Size: 5, SHA256: sum})(&p)
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Unpack(data)
	if err != nil || a.Manifest.Mapped[0].Path == "/etc/passwd" || a.Parts[len(a.Parts)-1].Path != "mapped/"+sum {
		t.Errorf("%+v, %v", a.Manifest.Mapped, err)
	}
}
