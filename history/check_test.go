package history

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"

	"go.etcd.io/bbolt"
)

// Check reads everything and returns what does not fit together, joined; nil for a sound history. It takes long for a large
// one.
func (s *Store) Check() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	err := s.view(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			all = append(all, err)
		}
		if len(all) > 0 {
			return nil // the pages themselves are damaged
		}
		w := wanted{index: map[string]map[string]string{}, uses: map[string]uint32{}}
		if err := w.collect(s, tx); err != nil {
			return err
		}
		for _, b := range [][]byte{galleryBucket, ofSessionBucket, ofRoundBucket, childBucket, termBucket, trashBucket, uidBucket} {
			found := map[string]string{}
			_ = in(tx, b).ForEach(func(k, v []byte) error { found[string(k)] = string(v); return nil })
			want := w.index[string(b)]
			if want == nil {
				want = map[string]string{}
			}
			if !maps.Equal(found, want) {
				wrong("the index %q has\n%q\nwant\n%q", b, found, want)
			}
		}
		counted := map[string]uint32{}
		err := in(tx, blobBucket).ForEach(func(sum, _ []byte) error {
			e, _ := blobEntryOf(tx, sum)
			if e.uses > 0 {
				counted[string(sum)] = e.uses
			} else if in(tx, looseBucket).Get(sum) == nil {
				wrong("the blob %x is unused and kept", sum)
			}
			data, err := s.readBlob(tx, sum)
			if err != nil || uint64(len(data)) != e.size {
				wrong("the blob %x: %d of %d bytes, %w", sum, len(data), e.size, err)
			}
			return nil
		})
		if !reflect.DeepEqual(counted, w.uses) {
			wrong("the uses of blobs are\n%v\nwant\n%v", hexKeys(counted), hexKeys(w.uses))
		}
		_ = in(tx, inlineBucket).ForEach(func(sum, _ []byte) error {
			if _, found := blobEntryOf(tx, sum); !found {
				wrong("the small blob %x is unknown", sum)
			}
			return nil
		})
		_ = in(tx, thumbnailBucket).ForEach(func(k, _ []byte) error {
			if in(tx, pictureBucket).Get(k) == nil {
				wrong("the thumbnail %x has no picture", k)
			}
			return nil
		})
		return err
	})
	return errors.Join(append(all, err)...)
}

func hexKeys(m map[string]uint32) map[string]uint32 {
	out := map[string]uint32{}
	for k, v := range m {
		out[hex.EncodeToString([]byte(k))[:8]] = v
	}
	return out
}

// wanted is what the records say that indexes and counts should be.
type wanted struct {
	index map[string]map[string]string // bucket -> key -> value
	uses  map[string]uint32
}

func (w *wanted) put(bucket, key, value []byte) {
	if w.index[string(bucket)] == nil {
		w.index[string(bucket)] = map[string]string{}
	}
	w.index[string(bucket)][string(key)] = string(value)
}

func (w *wanted) use(sha string) error {
	sum, err := Reference{SHA256: sha}.sum()
	w.uses[string(sum)]++
	return err
}

func (w *wanted) item(kind ItemKind, uid string, id uint64, trashedAt int64, inTrash bool) {
	w.put(uidBucket, append([]byte{byte(kind)}, uid...), key(id))
	if inTrash {
		w.put(trashBucket, append([]byte{byte(kind)}, key(id)...), key(uint64(trashedAt)))
	}
}

func (w *wanted) collect(s *Store, tx *bbolt.Tx) error {
	var references []Reference
	for _, id := range under(tx, sessionBucket, nil) {
		one, err := getSession(tx, id)
		if err != nil {
			return err
		}
		w.item(SessionItem, one.UID, id, one.Trashed.UnixNano(), !one.Trashed.IsZero())
		references = append(references, one.References...)
	}
	for _, id := range under(tx, roundBucket, nil) {
		r, err := getRound(tx, id)
		if err != nil {
			return err
		}
		w.item(RoundItem, r.UID, id, r.Trashed.UnixNano(), !r.Trashed.IsZero())
		w.put(ofSessionBucket, key(r.Session, id), nil)
		for _, p := range r.Parents {
			w.put(childBucket, key(p, id), nil)
			if parent, err := getPicture(tx, p); err != nil || parent.Round >= id {
				return fmt.Errorf("round %d goes on from picture %d of round %d: %w", id, p, parent.Round, err)
			}
		}
		for _, k := range termKeys(r) {
			w.put(termBucket, k, nil)
		}
		references = append(references, r.References...)
	}
	steps, bytesOf := map[uint64]int{}, map[uint64]int64{}
	err := in(tx, stepBucket).ForEach(func(k, v []byte) error {
		r, err := decodeStepRecord(s.path, v)
		if err != nil {
			return err
		}
		picture := binary.BigEndian.Uint64(k)
		steps[picture]++
		bytesOf[picture] += r.Bytes + r.StateBytes
		if r.State != "" {
			err = w.use(r.State)
		}
		return errors.Join(err, w.use(r.Data))
	})
	if err != nil {
		return err
	}
	for _, id := range under(tx, pictureBucket, nil) {
		p, err := getPicture(tx, id)
		if err != nil {
			return err
		}
		r, err := getRound(tx, p.Round)
		if err != nil {
			return err
		}
		one, err := getSession(tx, r.Session)
		if err != nil {
			return err
		}
		if p.Steps != steps[id] || p.StepBytes != bytesOf[id] {
			return fmt.Errorf("picture %d has %d steps of %d bytes, says %d of %d", id, steps[id], bytesOf[id], p.Steps, p.StepBytes)
		}
		delete(steps, id)
		if p.Pixels != "" {
			references = append(references, Reference{SHA256: p.Pixels})
		}
		w.item(PictureItem, p.UID, id, p.Trashed.UnixNano(), !p.Trashed.IsZero())
		w.put(galleryBucket, key(id), rowOf(p, r, one).encode())
		w.put(ofRoundBucket, key(p.Round, id), nil)
	}
	if len(steps) > 0 {
		return fmt.Errorf("there are steps of pictures that are gone: %v", steps)
	}
	jobs, err := allJobs(tx)
	if err != nil {
		return err
	}
	if n := len(under(tx, jobBucket, nil)); n != len(jobs) {
		return fmt.Errorf("%d jobs are in order, there are %d", len(jobs), n)
	}
	for _, j := range jobs {
		references = append(references, j.References...)
	}
	for _, r := range references {
		if err := w.use(r.SHA256); err != nil {
			return err
		}
	}
	return nil
}
