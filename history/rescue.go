package history

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"realword/inference/files"
)

// Rescued is what Rescue has brought over.
type Rescued struct {
	Sessions, Rounds, Pictures, Jobs int    // that are new here
	Merged                           string // sessions that were here already and have got what they lacked, by their numbers: "3, 5"
	Lost                             int    // places and records that could not be read
	Stranger                         bool   // the file is no history, as far as anybody can tell
}

// Rescue takes everything out of a damaged history that can still be read, and is what was written: sessions with their drafts, rounds,
// pictures, step data, references and the queue. The damaged file, which SetAside has moved away, and its blobs stay as they are.
// Pictures stay in the files where they are. Each session comes over whole or, with an error that is returned with those of others,
// not at all. In a history that holds nothing yet, everything keeps its number. What is here already stays as it is, and is not brought
// twice: a session of which something is here gets what it lacks.
func (s *Store) Rescue(path string) (Rescued, error) {
	sessions, err := s.Sessions()
	if err != nil {
		return Rescued{}, err
	}
	return s.bring(path, len(sessions) == 0)
}

// bring is Rescue of a history that is damaged or whole. With same, everything keeps its number.
func (s *Store) bring(path string, same bool) (Rescued, error) {
	var out Rescued
	f, err := files.Open(path)
	if err != nil {
		return out, explain(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return out, explain(path, err)
	}
	r := gather(f, info.Size(), strings.TrimSuffix(path, filepath.Ext(path))+".blobs")
	out.Stranger = r.strange
	var errs []error
	var into []string
	pictures, moved := map[uint64]uint64{}, map[uint64]uint64{}
	for _, a := range r.archives() {
		var one Imported
		lost, merged := 0, false
		err := s.update(func(c *change) error {
			lost = 0
			i := importer{change: c, source: r, pictures: pictures, lost: &lost, same: same, brought: map[Item]bool{}}
			err := i.session(a)
			one, merged = i.out, i.merged
			if err != nil {
				return err
			}
			return i.trash(a)
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("session %d: %w", a.Session.ID, err))
			continue
		}
		moved[a.Session.ID] = one.Session
		switch {
		case !merged:
			out.Sessions++
		case one.Rounds+one.Pictures > 0:
			into = append(into, fmt.Sprint(one.Session))
		}
		out.Rounds += one.Rounds
		out.Pictures += one.Pictures
		r.lost += lost
	}
	out.Merged = strings.Join(slices.Compact(into), ", ")
	for _, j := range r.jobs() {
		if j.Round != 0 {
			j.Parked, j.Died = j.Parked || j.Attempts >= 2, append(j.Died, j.Round)
		}
		j.Session, j.Round = moved[j.Session], 0
		if !same { // they have other numbers here
			j.Died = nil
		}
		here := false
		err := s.update(func(c *change) error {
			i := importer{change: c, source: r, lost: &r.lost}
			var err error
			if here, err = c.hasJob(j); here || err != nil {
				return err
			}
			if j.References, err = i.references(j.References); err != nil {
				return err
			}
			var parents []uint64
			for _, p := range j.Parents {
				if pictures[p] != 0 {
					parents = append(parents, pictures[p])
				}
			}
			j.Parents = parents
			if !same || c.Bucket(jobBucket).Get(key(j.ID)) != nil {
				j.ID = 0
			}
			if j.ID, err = c.Bucket(jobBucket).idFor(j.ID); err != nil {
				return err
			}
			return errors.Join(c.retainAll(j.References), put(c.Bucket(jobBucket), j.ID, j), c.setOrder(append(order(c.Tx), j.ID)))
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("a queued job: %w", err))
			continue
		}
		if !here {
			out.Jobs++
		}
	}
	out.Lost = r.lost
	return out, errors.Join(errs...)
}

// hasJob tells whether a queued job of another history waits here, too, or was made here meanwhile.
func (c *change) hasJob(j Job) (bool, error) {
	jobs, err := allJobs(c.Tx)
	if err != nil || slices.ContainsFunc(jobs, func(o Job) bool {
		return o.Added.Equal(j.Added) && o.Session == j.Session && bytes.Equal(o.Recipe, j.Recipe)
	}) {
		return err == nil, err
	}
	for _, id := range under(c.Tx, ofSessionBucket, key(j.Session)) {
		r, err := getRound(c.Tx, id)
		if err != nil {
			return false, err
		}
		if r.Status == Complete && !r.Started.Before(j.Added) && bytes.Equal(r.Recipe, j.Recipe) {
			return true, nil
		}
	}
	return false, nil
}

// remains are the records that a damaged file still has, opened, by bucket and key.
type remains struct {
	records map[string]map[string][]byte
	later   map[string]map[string]func() ([]byte, error) // thumbnails and small blobs: read when they are wanted
	blobs   string                                       // the folder of large ones
	lost    int
	strange bool // nothing says that it is a history: no schema, and not one record
	foreign bool // of another schema: records have no checksum that is known, and are taken by the columns that they have
}

// columns tell records of sessions, rounds and pictures apart where no checksum does: those that it must have, and one that it must not.
var columns = map[string]struct {
	must []string
	not  string
}{
	string(sessionBucket): {[]string{"id", "uid", "created"}, "session"},
	string(roundBucket):   {[]string{"id", "uid", "session", "recipe"}, "seed"},
	string(pictureBucket): {[]string{"id", "uid", "round", "seed"}, "recipe"},
}

// fits tells whether a value is a record of a bucket by its columns: JSON with the number that it lies under.
func fits(bucket string, key, value []byte) bool {
	of, known := columns[bucket]
	var has map[string]json.RawMessage
	if !known || len(key) != 8 || len(value) == 0 || value[0] != '{' || json.Unmarshal(value, &has) != nil || string(has["id"]) != strconv.FormatUint(binary.BigEndian.Uint64(key), 10) {
		return false
	}
	for _, name := range of.must {
		if has[name] == nil {
			return false
		}
	}
	return has[of.not] == nil
}

// open is the value of a record, sealed or, in a history of another schema, by its columns.
func (r *remains) open(bucket, key, value []byte) ([]byte, error) {
	open, err := openSeal(bucket, key, value)
	if err != nil && r.foreign && fits(string(bucket), key, value) {
		return value, nil
	}
	return open, err
}

// whole buckets are gathered at once, large ones are read later.
var (
	gathered = [][]byte{sessionBucket, roundBucket, pictureBucket, galleryBucket, stepBucket, jobBucket}
	readLate = [][]byte{thumbnailBucket, inlineBucket}
)

// gather reads what there is: from the newest tree and, where something of it is missing, from the one before it and from every page that
// looks like one of a history.
func gather(file *os.File, size int64, blobs string) *remains {
	r := &remains{records: map[string]map[string][]byte{}, later: map[string]map[string]func() ([]byte, error){}, blobs: blobs}
	for _, b := range gathered {
		r.records[string(b)] = map[string][]byte{}
	}
	for _, b := range readLate {
		r.later[string(b)] = map[string]func() ([]byte, error){}
	}
	r.records[string(metaBucket)] = map[string][]byte{}
	p, err := readPages(file, size)
	if err != nil {
		p = &pages{file: file, size: size, pageSize: 1 << 12}
		r.lost++
	}
	var used []uint64
	for _, m := range p.metas {
		found := p.schemaOf(m)
		r.foreign = r.foreign || found != 0 && found != schema[0]
	}
	for n, m := range p.metas {
		m.pages = min(m.pages, uint64(size/p.pageSize))
		w := p.walker(m)
		w.damaged = func(error) error {
			if n == 0 {
				r.lost++
			}
			return nil
		}
		w.visit = func(bucket []byte, e element) error {
			if !r.take(bucket, e) && n == 0 {
				r.lost++
			}
			return nil
		}
		_ = w.tree(m.root, nil, nil, nil, 0) // neither of the two ends it
		if n == 0 {
			used = w.used
		}
		if r.lost == 0 { // what the other tree has more was deleted, or belongs to a change in which a program died
			break
		}
	}
	if r.lost > 0 {
		r.carve(p, used)
	}
	r.strange = !slices.ContainsFunc(p.metas, func(m metaPage) bool { return p.schemaOf(m) != 0 })
	for _, records := range r.records {
		r.strange = r.strange && len(records) == 0
	}
	return r
}

// take keeps a record unless there is one of its key, and tells whether it was whole.
func (r *remains) take(bucket []byte, e element) bool {
	if late := r.later[string(bucket)]; late != nil {
		if late[string(e.key)] == nil {
			late[string(e.key)] = e.value
		}
		return true
	}
	have := r.records[string(bucket)]
	if have == nil || have[string(e.key)] != nil {
		return true
	}
	value, err := e.value()
	if err == nil && string(bucket) == string(metaBucket) && string(e.key) != string(orderKey) {
		return true
	}
	if err == nil {
		value, err = r.open(bucket, e.key, value)
	}
	if err != nil {
		return false
	}
	have[string(e.key)] = slices.Clone(value)
	return true
}

// carve looks through the pages that no tree led to. Checksums say of which bucket a record is. Old
// versions of records lie about, and what was deleted; of several versions the longest is taken, since records grow.
func (r *remains) carve(p *pages, used []uint64) {
	all := metaPage{pages: uint64(p.size / p.pageSize)}
	found := map[string]map[string][]byte{}
	for id := uint64(2); id < all.pages; id++ {
		if id/64 < uint64(len(used)) && used[id/64]&(1<<(id%64)) != 0 {
			continue
		}
		page, err := p.open(all, id)
		if err != nil || page.flags != leafPage {
			continue
		}
		_ = page.each(func(e element) error { // up to where it is damaged
			if len(e.key) == 32 && r.later[string(inlineBucket)][string(e.key)] == nil {
				r.later[string(inlineBucket)][string(e.key)] = e.value // its name says whether it is one
			}
			value, err := e.value()
			if err != nil || len(value) > 1<<24 {
				return err
			}
			if len(e.key) == 8 && r.thumbnail(e.key, value) != nil {
				if late := r.later[string(thumbnailBucket)]; late[string(e.key)] == nil {
					late[string(e.key)] = e.value
				}
				return nil
			}
			for _, b := range gathered {
				if open, err := r.open(b, e.key, value); err == nil {
					if found[string(b)] == nil {
						found[string(b)] = map[string][]byte{}
					}
					if old := found[string(b)][string(e.key)]; old == nil || len(old) < len(open) {
						found[string(b)][string(e.key)] = slices.Clone(open)
					}
				}
			}
			return nil
		})
	}
	for b, records := range found {
		for k, v := range records {
			if r.records[b][k] == nil {
				r.records[b][k] = v
			}
		}
	}
}

// thumbnail is the PNG of a thumbnail's record, nil where it is none.
func (r *remains) thumbnail(key, value []byte) []byte {
	if data := openThumbnail(key, value); data != nil {
		return data
	}
	if r.foreign && strings.HasPrefix(string(value), "\x89PNG\r\n\x1a\n") {
		return value
	}
	return nil
}

// read implements source, for thumbnails.
func (r *remains) read(name string, limit int64) ([]byte, error) {
	value := r.later[string(thumbnailBucket)][name]
	if value == nil {
		return nil, ErrNoPicture
	}
	sealed, err := value()
	if err != nil {
		return nil, err
	}
	data := r.thumbnail([]byte(name), sealed)
	if data == nil {
		return nil, errors.New("the thumbnail is damaged")
	}
	if int64(len(data)) > limit {
		return nil, errOutsideLimit
	}
	return data, nil
}

// blob implements source.
func (r *remains) blob(sha string) ([]byte, error) {
	sum, err := Reference{SHA256: sha}.sum()
	if err != nil {
		return nil, err
	}
	if value := r.later[string(inlineBucket)][string(sum)]; value != nil {
		if data, err := value(); err == nil && verified(Damaged, "", sum, data) == nil {
			return data, nil
		}
	}
	name := hex.EncodeToString(sum)
	path := filepath.Join(r.blobs, name[:2], name)
	data, err := files.Read(path, maxEntry)
	if err == nil {
		err = verified(Spoiled, path, sum, data)
	}
	return data, err
}

// decoded are the records of a bucket in the order of their numbers. Those that are no JSON are lost.
func decoded[T any](r *remains, bucket []byte) (ids []uint64, list map[uint64]T) {
	list = map[uint64]T{}
	for k, value := range r.records[string(bucket)] {
		var one T
		if len(k) != 8 || json.Unmarshal(value, &one) != nil {
			r.lost++
			continue
		}
		id := binary.BigEndian.Uint64([]byte(k))
		ids = append(ids, id)
		list[id] = one
	}
	slices.Sort(ids)
	return ids, list
}

// archives are the sessions as an import takes them, with what fits together of them.
func (r *remains) archives() []archive {
	_, sessions := decoded[Session](r, sessionBucket)
	roundIDs, rounds := decoded[Round](r, roundBucket)
	pictureIDs, pictures := decoded[Picture](r, pictureBucket)
	steps := map[uint64][]archivedStep{}
	for _, k := range slices.Sorted(maps.Keys(r.records[string(stepBucket)])) {
		record, err := decodeStepRecord("", r.records[string(stepBucket)][k])
		if len(k) != 12 || err != nil {
			r.lost++
			continue
		}
		id := binary.BigEndian.Uint64([]byte(k))
		steps[id] = append(steps[id], archivedStep{int(binary.BigEndian.Uint32([]byte(k[8:]))), record})
	}
	// What a lost record held together is held together by an empty one.
	for _, id := range pictureIDs {
		round := pictures[id].Round
		if _, there := rounds[round]; there {
			continue
		}
		orphaned := Round{ID: round, Plan: Plan{Recipe: json.RawMessage(`{}`)}, Status: Interrupted}
		if row, err := decodeRow(r.records[string(galleryBucket)][string(key(id))]); err == nil {
			orphaned.Session = row.session
		}
		rounds[round] = orphaned
		roundIDs = append(roundIDs, round)
	}
	slices.Sort(roundIDs)
	unique := map[string]bool{}
	uid := func(have string) string {
		if b, err := hex.DecodeString(have); err != nil || len(b) != 16 || unique[have] {
			return newUID()
		}
		unique[have] = true
		return have
	}
	list := map[uint64]*archive{}
	for id, one := range sessions {
		one.ID, one.UID = id, uid(one.UID)
		list[id] = &archive{Format: archiveFormat, Session: one}
	}
	for _, id := range roundIDs {
		one := rounds[id]
		if list[one.Session] == nil {
			list[one.Session] = &archive{Format: archiveFormat, Session: Session{ID: one.Session, UID: newUID(), Created: one.Started}}
		}
		one.ID, one.UID = id, uid(one.UID)
		a := list[one.Session]
		a.Rounds = append(a.Rounds, one)
	}
	for _, id := range pictureIDs {
		one := pictures[id]
		one.ID, one.UID, one.Steps, one.StepBytes = id, uid(one.UID), 0, 0
		a := list[rounds[one.Round].Session]
		p := archivedPicture{Picture: one, KeptSteps: steps[id]}
		if r.later[string(thumbnailBucket)][string(key(id))] != nil {
			p.Thumb = string(key(id))
		}
		a.Pictures = append(a.Pictures, p)
	}
	var out []archive
	for _, id := range slices.Sorted(maps.Keys(list)) {
		out = append(out, *list[id])
	}
	if len(out) > 0 && out[0].Session.ID == 0 {
		out = append(out[1:], out[0]) // it takes a number that nothing else has
	}
	return out
}

// jobs are the rounds that waited, in their order.
func (r *remains) jobs() []Job {
	ids, jobs := decoded[Job](r, jobBucket)
	place := map[uint64]int{}
	for b := r.records[string(metaBucket)][string(orderKey)]; len(b) >= 8; b = b[8:] {
		place[binary.BigEndian.Uint64(b)] = len(place) + 1
	}
	slices.SortStableFunc(ids, func(a, b uint64) int {
		return cmp.Compare(cmp.Or(place[a], 1<<30), cmp.Or(place[b], 1<<30))
	})
	var list []Job
	for _, id := range ids {
		list = append(list, jobs[id])
	}
	return list
}

// trash throws away again what lay in the trash and is new here.
func (i *importer) trash(a archive) error {
	mark := func(at time.Time, item Item) error {
		if at.IsZero() || !i.brought[item] {
			return nil
		}
		return i.markOne(at, item)
	}
	if !i.merged {
		i.fresh(SessionItem, i.out.Session)
	}
	err := mark(a.Session.Trashed, Item{SessionItem, i.out.Session})
	for _, r := range a.Rounds {
		err = errors.Join(err, mark(r.Trashed, Item{RoundItem, i.known(RoundItem, r.UID)}))
	}
	for _, p := range a.Pictures {
		err = errors.Join(err, mark(p.Trashed, Item{PictureItem, i.known(PictureItem, p.UID)}))
	}
	return err
}
