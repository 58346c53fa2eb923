package history

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"go.etcd.io/bbolt"

	"realword/inference/tensor"
)

// Step is what is kept of one denoising step. Numbers are kept as half floats over the largest magnitude of their slice: to one
// part in 2048, above 2⁻¹⁴ of that magnitude.
type Step struct {
	Index  int         // 0-based
	Clean  []float32   // predicted clean latent x0 [C, h, w]
	Cross  [][]float32 // raw cross-attention per subject, grid order; nil for a subject without
	Scores [][]float32 // refined scores (Eq. 12) per subject, likewise
	State  []byte      // exact state to go on from, bytes of the caller; nil: none. Not read by Steps
	Small  []byte      // a small PNG of the picture so far, which is its thumbnail until it is finished; nil: none. Never read
}

// stepRecord is where a step's blobs are.
type stepRecord struct {
	Data       string `json:"data"` // SHA-256
	Bytes      int64  `json:"bytes"`
	State      string `json:"state,omitempty"`
	StateBytes int64  `json:"state_bytes,omitempty"`
}

const maxSteps = 10_000 // of one picture

func stepKey(picture uint64, index int) []byte {
	return binary.BigEndian.AppendUint32(key(picture), uint32(index))
}

// AddStep journals a step of a picture. A step of the same index is replaced.
func (s *Store) AddStep(picture uint64, step Step) error {
	if step.Index < 0 || step.Index >= maxSteps {
		return fmt.Errorf("step %d: %w", step.Index, errOutsideLimit)
	}
	data, err := encodeStep(step)
	if err != nil {
		return err
	}
	return s.update(func(c *change) error {
		err := c.addStep(picture, step.Index, data, step.State)
		if err == nil && len(step.Small) > 0 {
			err = c.putThumbnail(picture, step.Small)
		}
		return err
	})
}

func (c *change) addStep(picture uint64, index int, data, state []byte) error {
	p, err := getPicture(c.Tx, picture)
	if err != nil {
		return err
	}
	k := stepKey(picture, index)
	if old := c.Bucket(stepBucket).Get(k); old != nil {
		r, err := c.decodeStepRecord(old)
		if err == nil {
			err = c.dropStep(&p, k, r)
		}
		if err != nil {
			return err
		}
	}
	r := stepRecord{Bytes: int64(len(data)), StateBytes: int64(len(state))}
	if r.Data, err = c.keep(data); err != nil {
		return err
	}
	if len(state) > 0 {
		if r.State, err = c.keep(state); err != nil {
			return err
		}
	}
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	p.Steps++
	p.StepBytes += r.Bytes + r.StateBytes
	return errors.Join(c.Bucket(stepBucket).Put(k, value), c.putPicture(p))
}

// keep stores a blob, counts a use of it, and returns its SHA-256 in hex.
func (c *change) keep(data []byte) (string, error) {
	sum, err := c.putBlob(data)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum), c.retain(sum)
}

func (c *change) decodeStepRecord(value []byte) (stepRecord, error) {
	return decodeStepRecord(c.s.path, value)
}

func decodeStepRecord(path string, value []byte) (stepRecord, error) {
	var r stepRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return r, &Error{Damaged, path, fmt.Errorf("a step: %w", err)}
	}
	return r, nil
}

func (c *change) dropStep(p *Picture, k []byte, r stepRecord) error {
	for _, sha := range []string{r.Data, r.State} {
		if sha == "" {
			continue
		}
		sum, err := Reference{SHA256: sha}.sum()
		if err == nil {
			err = c.release(sum)
		}
		if err != nil {
			return err
		}
	}
	p.Steps--
	p.StepBytes -= r.Bytes + r.StateBytes
	return c.Bucket(stepBucket).Delete(k)
}

// dropSteps removes every step of a picture.
func (c *change) dropSteps(picture uint64) error {
	p, err := getPicture(c.Tx, picture)
	if err != nil {
		return err
	}
	for _, i := range stepIndexes(c.Tx, picture) {
		k := stepKey(picture, i)
		r, err := c.decodeStepRecord(c.Bucket(stepBucket).Get(k))
		if err == nil {
			err = c.dropStep(&p, k, r)
		}
		if err != nil {
			return err
		}
	}
	return c.putPicture(p)
}

func stepIndexes(tx *bbolt.Tx, picture uint64) []int {
	var list []int
	prefix, c := key(picture), in(tx, stepBucket).Cursor()
	for k, _ := c.Seek(prefix); len(k) == 12 && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		list = append(list, int(binary.BigEndian.Uint32(k[8:])))
	}
	return list
}

// Steps returns the indexes of the steps that are kept of a picture, in order.
func (s *Store) Steps(picture uint64) ([]int, error) {
	return read(s, func(tx *bbolt.Tx) ([]int, error) { return stepIndexes(tx, picture), nil })
}

// Step returns one step, or ErrNoStep. State is read only when it is wanted.
func (s *Store) Step(picture uint64, index int, state bool) (Step, error) {
	var step Step
	err := s.view(func(tx *bbolt.Tx) error {
		value := in(tx, stepBucket).Get(stepKey(picture, index))
		if value == nil || index < 0 {
			return fmt.Errorf("step %d of picture %d: %w", index, picture, ErrNoStep)
		}
		r, err := decodeStepRecord(s.path, value)
		if err != nil {
			return err
		}
		data, err := s.readHex(tx, r.Data)
		if err != nil {
			return err
		}
		if step, err = decodeStep(data); err != nil {
			return &Error{Damaged, s.path, err}
		}
		step.Index = index
		if state && r.State != "" {
			step.State, err = s.readHex(tx, r.State)
		}
		return err
	})
	return step, err
}

func (s *Store) readHex(tx *bbolt.Tx, sha string) ([]byte, error) {
	sum, err := Reference{SHA256: sha}.sum()
	if err != nil {
		return nil, err
	}
	return s.readBlob(tx, sum)
}

// TrimSteps removes step data of the oldest pictures until all of it takes at most budget bytes, and returns how many bytes went.
// Pinned pictures and those that are not finished keep theirs, even where that leaves more than the budget.
func (s *Store) TrimSteps(budget int64) (int64, error) {
	var freed int64
	err := s.update(func(c *change) error {
		freed = 0
		var total int64
		type candidate struct{ picture, bytes uint64 }
		var oldest []candidate
		err := c.Bucket(galleryBucket).ForEach(func(k, v []byte) error {
			r, err := decodeRow(v)
			if err != nil {
				return &Error{Damaged, s.path, err}
			}
			total += int64(r.steps)
			if r.steps > 0 && r.flags&pinned == 0 {
				oldest = append(oldest, candidate{binary.BigEndian.Uint64(k), r.steps})
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, o := range oldest {
			if total-freed <= budget {
				break
			}
			p, err := getPicture(c.Tx, o.picture)
			if err != nil {
				return err
			}
			r, err := getRound(c.Tx, p.Round)
			if err != nil {
				return err
			}
			if p.File == "" && r.Ended.IsZero() && o.picture == c.Bucket(pictureBucket).Sequence() {
				continue // it is being made
			}
			if err := c.dropSteps(o.picture); err != nil {
				return err
			}
			freed += int64(o.bytes)
		}
		return nil
	})
	if err != nil {
		freed = 0
	}
	return freed, err
}

const stepVersion = 1

// encodeStep packs the numbers of a step: a version, the counts of cross and scores, then clean, cross and scores, each a length, a
// scale and half floats, little endian.
func encodeStep(s Step) ([]byte, error) {
	if len(s.Cross) > math.MaxUint16 || len(s.Scores) > math.MaxUint16 {
		return nil, fmt.Errorf("a step of %d subjects: %w", max(len(s.Cross), len(s.Scores)), errOutsideLimit)
	}
	b := []byte{stepVersion}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s.Cross)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s.Scores)))
	for _, values := range slices.Concat([][]float32{s.Clean}, s.Cross, s.Scores) {
		var scale float32
		for _, v := range values {
			if a := float32(math.Abs(float64(v))); a > scale && a <= math.MaxFloat32 {
				scale = a
			}
		}
		if scale == 0 {
			scale = 1
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(values)))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(scale))
		for _, v := range values {
			b = binary.LittleEndian.AppendUint16(b, tensor.ToF16(float32(float64(v)/float64(scale))))
		}
	}
	return b, nil
}

func decodeStep(b []byte) (Step, error) {
	var s Step
	if len(b) < 5 || b[0] != stepVersion {
		return s, errors.New("the data of a step has an unknown form")
	}
	cross, scores := int(binary.LittleEndian.Uint16(b[1:])), int(binary.LittleEndian.Uint16(b[3:]))
	b = b[5:]
	var all [][]float32
	for range 1 + cross + scores {
		if len(b) < 8 {
			return s, errors.New("the data of a step is cut off")
		}
		n, scale := uint64(binary.LittleEndian.Uint32(b)), math.Float32frombits(binary.LittleEndian.Uint32(b[4:]))
		if b = b[8:]; uint64(len(b)) < 2*n {
			return s, errors.New("the data of a step is cut off")
		}
		var values []float32 // nil where there were none
		for i := range n {
			values = append(values, tensor.FromF16(binary.LittleEndian.Uint16(b[2*i:]))*scale)
		}
		all, b = append(all, values), b[2*n:]
	}
	if len(b) > 0 {
		return s, fmt.Errorf("%d bytes follow the data of a step", len(b))
	}
	s.Clean = all[0]
	if cross > 0 {
		s.Cross = all[1 : 1+cross]
	}
	if scores > 0 {
		s.Scores = all[1+cross:]
	}
	return s, nil
}
