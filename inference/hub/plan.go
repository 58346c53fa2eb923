package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"realword/assets"
	"realword/inference/files"
	"realword/inference/message"
)

// Entry is a model of the catalogue.
type Entry struct {
	Name   string // to ask for it
	Title  string // for people
	About  string // what it is good for
	Family string // as bundle.Manifest has it
	Preset string // that fits it
	Bytes  int64  // about what is fetched; the hub's own sizes are in a Plan
	Memory int64  // free memory with which a picture of its own size is made at full speed
	Least  int64  // with less it is not made at all
	Base   string // path below the download folder of the text-to-image model under it; "": the source has its own
	Parts  []Part
}

// Part is what an entry takes from one repository.
type Part struct {
	Into       string // folder below the download folder; the first part is the source of the import
	Repository string // OWNER/NAME
	Revision   string // branch, tag or commit
	Licence    string // its name; "": its page says
	LicenceAt  string `json:"licence_at"` // address of its text, below the endpoint
	Gated      bool   // it wants its terms accepted
	Files      []Want
}

// Want is a file, or several, that an import needs.
type Want struct {
	Any      []string // patterns as of path.Match; the first that matches is taken, with all that it matches
	Optional bool     // without it the import works as well
}

// Source is the path below the download folder that is imported.
func (e Entry) Source() string { return e.Parts[0].Into }

// Gated tells whether some of it wants its terms accepted.
func (e Entry) Gated() bool {
	return slices.ContainsFunc(e.Parts, func(p Part) bool { return p.Gated })
}

// Catalogue are the models that there are.
func Catalogue() []Entry {
	list, err := parse(assets.Catalogue)
	if err != nil {
		panic(err) // a test reads it
	}
	return list
}

func parse(data []byte) ([]Entry, error) {
	var list []Entry
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.Name == "" || e.Name != path.Base(e.Name) || strings.HasPrefix(e.Name, ".") || len(e.Parts) == 0 {
			return nil, fmt.Errorf("%q is no entry of a catalogue", e.Name)
		}
		for _, p := range e.Parts {
			if !filepath.IsLocal(p.Into) || strings.Count(p.Repository, "/") != 1 || p.Revision == "" {
				return nil, fmt.Errorf("%s: %+v is no part", e.Name, p)
			}
			for _, w := range p.Files {
				for _, pattern := range w.Any {
					if _, err := path.Match(pattern, ""); err != nil || !filepath.IsLocal(pattern) {
						return nil, fmt.Errorf("%s: %q is no pattern", e.Name, pattern)
					}
				}
			}
		}
	}
	return list, nil
}

// Find is the entry of a name.
func Find(name string) (Entry, error) {
	var names []string
	for _, e := range Catalogue() {
		if strings.EqualFold(e.Name, name) {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Entry{}, message.Errorf("there is no model %s to download: choose one of %s", name, strings.Join(names, ", "))
}

// Plan is exactly what a download fetches: commits and files as the hub had them when it was asked.
type Plan struct {
	Entry Entry
	Parts []Got
}

// Got is what a plan takes from one repository.
type Got struct {
	Into, Repository, Commit string
	Licence                  string // as the repository's page states it; "": it does not
	LicenceAt                string // address of the text or of the page, below the endpoint
	Gated                    bool
	Files                    []File
}

// File is one file of a plan.
type File struct {
	Path   string // below Into, with slashes
	Size   int64
	SHA256 string // "": the hub tells none, because it is small
	Git    string // SHA-1 that git gives it, where SHA256 is ""
}

// Bytes is the size of all files.
func (p Plan) Bytes() (n int64) {
	for _, g := range p.Parts {
		for _, f := range g.Files {
			n += f.Size
		}
	}
	return n
}

// Licence is what a part of a plan is licensed under.
type Licence struct {
	Name string // as the repository's page states it; "": it does not
	At   string // address of the text, or of the page
}

// notStated is the name of a licence in a line that has none.
const notStated = "not stated"

// String is the licence in a line: "NAME (ADDRESS)".
func (l Licence) String() string { return cmp.Or(l.Name, notStated) + " (" + l.At + ")" }

var licenceLine = regexp.MustCompile(`^(.+) \((https?://[^\s()]+)\)$`)

// ParseLicence reads what String wrote.
func ParseLicence(line string) (l Licence, found bool) {
	parts := licenceLine.FindStringSubmatch(line)
	if parts == nil {
		return Licence{}, false
	}
	if l = (Licence{parts[1], parts[2]}); l.Name == notStated {
		l.Name = ""
	}
	return l, true
}

// Licences are those of all parts, each once.
func (p Plan) Licences(c *Client) (list []Licence) {
	for _, g := range p.Parts {
		if l := (Licence{g.Licence, c.Page(g.LicenceAt)}); !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	return list
}

// treeFile is a file as the hub lists it.
type treeFile struct {
	Type, Path, OID string
	Size            int64
	LFS             *struct {
		OID  string
		Size int64
	}
}

// Plan asks the hub what an entry consists of now, for several repositories at once. Nothing is written. Of several errors, it is that of
// the first repository in the entry's order.
func (c *Client) Plan(ctx context.Context, e Entry) (Plan, error) {
	plan := Plan{Entry: e, Parts: make([]Got, len(e.Parts))}
	errs := make([]error, len(e.Parts))
	turns := make(chan struct{}, atOnce)
	var asking sync.WaitGroup
	for i, part := range e.Parts {
		asking.Go(func() {
			turns <- struct{}{}
			plan.Parts[i], errs[i] = c.part(ctx, part)
			<-turns
		})
	}
	asking.Wait()
	for _, err := range errs {
		if err != nil {
			return Plan{}, err
		}
	}
	return plan, nil
}

func (c *Client) part(ctx context.Context, part Part) (Got, error) {
	var info struct {
		SHA   string
		Gated any // false, "auto" or "manual"
		Card  struct {
			License     any
			LicenseName string `json:"license_name"`
		} `json:"cardData"`
	}
	api := c.Endpoint + "/api/models/" + part.Repository
	what := part.Repository + " (" + part.Revision + ")"
	if _, err := c.json(ctx, api+"/revision/"+url.PathEscape(part.Revision), part.Repository, what, &info); err != nil {
		return Got{}, err
	}
	got := Got{
		Into: part.Into, Repository: part.Repository, Commit: cmp.Or(info.SHA, part.Revision), Licence: part.Licence,
		LicenceAt: cmp.Or(part.LicenceAt, part.Repository),
	}
	if stated, ok := info.Card.License.(string); ok && got.Licence == "" {
		got.Licence = stated
		if stated == "other" && info.Card.LicenseName != "" {
			got.Licence = info.Card.LicenseName
		}
	}
	if gated, is := info.Gated.(bool); is && gated || !is && info.Gated != nil {
		got.Gated = true
	}
	var tree []treeFile
	for next := api + "/tree/" + url.PathEscape(got.Commit) + "?recursive=1"; next != ""; {
		var page []treeFile
		var err error
		if next, err = c.json(ctx, next, part.Repository, what, &page); err != nil {
			return Got{}, err
		}
		if len(page) == 0 {
			break // the last one, or a server that leads in a circle
		}
		if tree = append(tree, page...); len(tree) > 100_000 {
			return Got{}, message.Errorf("%s has more than 100 000 files, so it is not a model; check HF_ENDPOINT", part.Repository)
		}
	}
	for _, want := range part.Files {
		found, err := want.among(tree)
		if err != nil {
			return Got{}, fmt.Errorf("%s: %w", part.Repository, err)
		}
		if len(found) == 0 && !want.Optional {
			return Got{}, message.Errorf("%s no longer has %s: it was moved or withdrawn; see %s, or update Realword", part.Repository,
				strings.Join(want.Any, " and no "), c.Page(part.Repository))
		}
		for _, f := range found {
			if !slices.ContainsFunc(got.Files, func(have File) bool { return have.Path == f.Path }) {
				got.Files = append(got.Files, f)
			}
		}
	}
	return got, nil
}

// among are the files that are wanted of those that there are.
func (w Want) among(tree []treeFile) (found []File, err error) {
	for _, pattern := range w.Any {
		for _, t := range tree {
			if ok, _ := path.Match(pattern, t.Path); !ok || t.Type != "file" { // patterns were checked
				continue
			}
			f := File{Path: t.Path, Size: t.Size, Git: t.OID}
			if t.LFS != nil {
				f.Size, f.SHA256, f.Git = cmp.Or(t.LFS.Size, t.Size), strings.TrimPrefix(t.LFS.OID, "sha256:"), ""
			}
			if !filepath.IsLocal(filepath.FromSlash(f.Path)) || f.Size < 0 || strings.ContainsAny(f.SHA256+f.Git, `/\.`) {
				return nil, message.Errorf("the hub lists %q, which cannot be a file of a model; check HF_ENDPOINT", f.Path)
			}
			found = append(found, f)
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, nil
}

// planName is the file of a download folder that says what belongs into it. It goes when the download has been imported.
const planName = "download.json"

// save keeps a plan in its download folder, so that the download goes on after a restart.
func (p Plan) save(dir string) error { return writeJSON(filepath.Join(dir, planName), p) }

// writeJSON writes a file whole or not at all.
func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return files.Put(path, files.Unsynced, files.Data(append(data, '\n')))
}

// Load reads the plan of a download folder. It fails with fs.ErrNotExist where none was begun.
func Load(dir string) (Plan, error) {
	var p Plan
	data, err := files.Read(filepath.Join(dir, planName), 16<<20)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, message.Errorf("%s cannot be read (%w): delete it and start again; complete files are used", filepath.Join(dir, planName), err)
	}
	if len(p.Entry.Parts) == 0 {
		return p, message.Errorf("%s is empty: delete it and start again", filepath.Join(dir, planName))
	}
	for _, g := range p.Parts {
		for _, f := range g.Files {
			if !filepath.IsLocal(filepath.Join(filepath.FromSlash(g.Into), filepath.FromSlash(f.Path))) || f.Size < 0 ||
				strings.ContainsAny(f.SHA256+f.Git, `/\.`) {
				return p, message.Errorf("%s names %q, which is outside the folder: delete it and start again", filepath.Join(dir, planName), f.Path)
			}
		}
	}
	return p, nil
}

// Unfinished is a download that was begun and not imported.
type Unfinished struct {
	Dir  string
	Plan Plan
	Done int64 // bytes that are there
}

// List are the unfinished downloads below a folder, one folder each.
func List(folder string) (list []Unfinished) {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		dir := filepath.Join(folder, e.Name())
		if p, err := Load(dir); err == nil {
			list = append(list, Unfinished{dir, p, p.done(dir)})
		}
	}
	return list
}

// done is how many bytes of a plan are in its folder.
func (p Plan) done(dir string) (n int64) {
	for _, g := range p.Parts {
		for _, f := range g.Files {
			n += f.here(dir, g)
		}
	}
	return n
}

// here is how many bytes of a file are in a download folder.
func (f File) here(dir string, g Got) int64 {
	at := f.at(dir, g)
	if info, err := os.Stat(at); err == nil && info.Size() == f.Size {
		return f.Size
	}
	if info, err := os.Stat(at + partial); err == nil {
		return min(info.Size(), f.Size)
	}
	return 0
}

// at is the path of a file in a download folder.
func (f File) at(dir string, g Got) string {
	return filepath.Join(dir, filepath.FromSlash(g.Into), filepath.FromSlash(f.Path))
}

// Remove deletes a download folder with everything in it that belongs to a download. It fails where another program works on it.
func Remove(dir string) error {
	release, free, err := files.TryLock(filepath.Join(dir, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the folder is gone
	}
	if err == nil && !free {
		return errBusy(dir)
	}
	if err == nil {
		release()
	}
	if err := os.RemoveAll(dir); err != nil {
		return message.Errorf("the download cannot be deleted: %w: close programs that use it", err)
	}
	return nil
}

// Finish ends a download that was imported: files of it that keep does not want are deleted, with the folders that are empty then. It
// answers how many bytes that were.
func Finish(dir string, keep func(path string) bool) (freed int64, err error) {
	p, err := Load(dir)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, g := range p.Parts {
		for _, f := range g.Files {
			at := f.at(dir, g)
			if info, err := os.Stat(at); err != nil || keep(at) {
				continue
			} else if err := os.Remove(at); err != nil {
				errs = append(errs, err)
			} else {
				freed += info.Size()
			}
			for folder := filepath.Dir(at); folder != filepath.Clean(dir) && os.Remove(folder) == nil; folder = filepath.Dir(folder) {
			}
		}
	}
	for _, name := range []string{planName, lockName} {
		errs = append(errs, os.Remove(filepath.Join(dir, name)))
	}
	_ = os.Remove(dir) // where nothing is left in it
	return freed, errors.Join(errs...)
}
