package bundle

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"realword/inference/files"
	"realword/inference/message"
)

// This file is for a model on its way to another computer: a parcel says what its files are, each by its SHA-256. The checkpoint files that
// a model maps travel as they are and lie in its folder there; its graphs go on to name them as the sender does, and the manifest says
// where they are.

// MaxParcel is how many bytes the description of a model has at most, and maxParts how many files it may have.
const (
	MaxParcel = 8 << 20
	maxParts  = 4096
	mostPart  = 1 << 40
)

// mappedDir is where checkpoint files lie in the folder of a model that came from another computer, by their SHA-256.
const mappedDir = "mapped"

// parcel is what is said of a model that is sent.
type parcel struct {
	Manifest Manifest         `json:"manifest"` // of files that it maps, without paths of this computer but in what its graphs say
	Sizes    map[string]int64 `json:"sizes"`    // of files, by SHA-256
}

// Parcel says what another computer must know to fetch the model, and where its files are here, by SHA-256. The same model gives the same
// bytes.
func (b *Bundle) Parcel() (description []byte, paths map[string]string, err error) {
	p := parcel{Manifest: b.manifest, Sizes: map[string]int64{}}
	paths = map[string]string{}
	take := func(sum, path string) error {
		info, err := files.Stat(path)
		if err != nil {
			return err
		}
		paths[sum], p.Sizes[sum] = path, info.Size()
		return nil
	}
	for name, sum := range b.manifest.Files {
		if err := take(sum, filepath.Join(b.dir, filepath.FromSlash(name))); err != nil {
			return nil, nil, err
		}
	}
	p.Manifest.Mapped = slices.Clone(b.manifest.Mapped)
	for i, f := range p.Manifest.Mapped {
		if err := take(f.SHA256, f.Path); err != nil {
			return nil, nil, err
		}
		p.Manifest.Mapped[i] = MappedFile{Named: f.name(), Size: f.Size, SHA256: f.SHA256}
	}
	if description, err = json.Marshal(p); err == nil && len(description) > MaxParcel {
		err = message.Errorf("the model %s has too many files to be sent: copy its folder", b.manifest.Name)
	}
	return description, paths, err
}

// Part is a file of a model that comes from another computer.
type Part struct {
	Path   string // in the model's folder, with slashes
	SHA256 string
	Size   int64
}

// Arrival is a model that comes from another computer into a folder of its own.
type Arrival struct {
	Manifest Manifest
	Parts    []Part // by path
	Size     int64  // of all of them
}

var errParcel = message.New("what another computer says of its model makes no sense: install the same Realword on both, or copy the model's folder")

// Unpack reads what Parcel has written. Nothing of it is believed: a file lies in the model's own folder, under a name that every system
// takes, and there are not too many.
func Unpack(description []byte) (a Arrival, err error) {
	var p parcel
	if len(description) > MaxParcel || json.Unmarshal(description, &p) != nil || p.Manifest.Schema != SchemaVersion {
		return a, errParcel
	}
	m := &p.Manifest
	for i, f := range m.Mapped {
		m.Mapped[i] = MappedFile{Named: f.Named, Size: f.Size, SHA256: f.SHA256}
		m.Mapped[i].Path, err = filepath.Abs(mappedDir) // until Settle
		if err != nil || f.Named == "" || f.Size != p.Sizes[f.SHA256] {
			return a, errParcel
		}
	}
	if m.check() != nil || len(m.Files)+len(m.Mapped) > maxParts {
		return a, errParcel
	}
	there := map[string]bool{ManifestName: true}
	part := func(name, sum string) bool {
		size, key := p.Sizes[sum], strings.ToLower(name)
		ok := files.IsSum(sum) && plainName.MatchString(name) && files.IsInside(name) &&
			size > 0 && size <= mostPart && !there[key]
		for up := path.Dir(key); up != "."; up = path.Dir(up) {
			ok = ok && !there[up] // a file in a file
		}
		there[key] = true
		a.Parts, a.Size = append(a.Parts, Part{name, sum, size}), a.Size+size
		return ok && a.Size <= mostPart
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if strings.EqualFold(name, mappedDir) || strings.HasPrefix(strings.ToLower(name), mappedDir+"/") || !part(name, m.Files[name]) {
			return a, errParcel
		}
	}
	sent := map[string]bool{}
	for _, f := range m.Mapped {
		if sent[f.SHA256] {
			continue
		}
		sent[f.SHA256] = true
		if !part(mappedDir+"/"+f.SHA256, f.SHA256) {
			return a, errParcel
		}
	}
	a.Manifest = *m
	return a, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$`)

// Settle makes a folder in which all parts lie the model, under the name that it is going to have: its manifest comes last.
func (a Arrival) Settle(dir, final string) error {
	m := a.Manifest
	final, err := filepath.Abs(final)
	if err != nil {
		return err
	}
	m.Mapped = slices.Clone(m.Mapped)
	for i, f := range m.Mapped {
		info, err := os.Stat(filepath.Join(dir, mappedDir, f.SHA256))
		if err != nil {
			return err
		}
		m.Mapped[i].Path, m.Mapped[i].Modified = filepath.Join(final, mappedDir, f.SHA256), info.ModTime().UTC()
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := files.Write(filepath.Join(dir, ManifestName), 0, append(data, '\n')); err != nil {
		return err
	}
	if err := files.Rename(dir, final); err != nil {
		return err
	}
	_, err = Look(final)
	return err
}
