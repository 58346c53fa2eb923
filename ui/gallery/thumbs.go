package gallery

import (
	"errors"
	"image"
	"slices"
	"sync"

	"realword/history"
	"realword/history/journal"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/ui/kit"
	"realword/ui/state"
)

// thumb is a picture of the gallery as its cell shows it.
type thumb struct {
	image   image.Image // nil: it has no thumbnail
	starred bool
	round   uint64 // that it was made in
	missing bool   // its file is not where it was
	whole   bool   // it was finished
	stopped int    // else the step that it stopped at; 0: none is kept
	live    bool   // it is being made, and another one soon
}

// thumbs reads thumbnails off the window's goroutine, those asked for last first, and keeps the most recent ones. get and
// forget belong to the window's goroutine.
type thumbs struct {
	read  func(ids []uint64, side int, m *bundle.Manifest) map[uint64]*thumb // off the window's goroutine
	post  func(func())
	side  func() int              // longer side of what is wanted, in pixels; nil is the usual one
	model func() *bundle.Manifest // that is open; nil, or answering nil: none
	came  func(ids []uint64)      // on the window's goroutine: these can be shown now

	kept  map[uint64]*thumb
	order []uint64 // of kept, the least recently used first

	mu     sync.Mutex
	large  int // what side said last
	open   *bundle.Manifest
	wanted []uint64 // the newest last
	busy   bool
}

const (
	thumbsKept   = 600 // of 64 kB at most: 40 MB
	largeKept    = 240 // of 256 kB at most: 60 MB
	thumbsWanted = 120 // what was asked for before was scrolled past
	thumbsBatch  = 16
)

// get is a thumbnail, or nil while it is being read.
func (t *thumbs) get(id uint64) *thumb {
	if have := t.kept[id]; have != nil {
		if i := slices.Index(t.order, id); i >= 0 && i < len(t.order)-1 {
			t.order = append(slices.Delete(t.order, i, i+1), id)
		}
		return have
	}
	side := journal.ThumbSide
	if t.side != nil {
		side = t.side()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.large = side
	if t.model != nil {
		t.open = t.model()
	}
	if i := slices.Index(t.wanted, id); i >= 0 {
		t.wanted = slices.Delete(t.wanted, i, i+1)
	}
	t.wanted = append(t.wanted, id)
	if n := len(t.wanted) - thumbsWanted; n > 0 {
		t.wanted = slices.Delete(t.wanted, 0, n)
	}
	if !t.busy {
		t.busy = true
		go t.work()
	}
	return nil
}

// round is the job of a picture whose thumbnail is here, or 0.
func (t *thumbs) round(id uint64) uint64 {
	if have := t.kept[id]; have != nil {
		return have.round
	}
	return 0
}

// forgetLive drops thumbnails of what was being made when they were read.
func (t *thumbs) forgetLive() {
	for id, one := range t.kept {
		if one.live {
			t.forget(id)
		}
	}
}

// forget drops thumbnails that have changed; all of them without arguments.
func (t *thumbs) forget(ids ...uint64) {
	if len(ids) == 0 {
		t.kept, t.order = nil, nil
	}
	for _, id := range ids {
		delete(t.kept, id)
		t.order = slices.DeleteFunc(t.order, func(o uint64) bool { return o == id })
	}
}

func (t *thumbs) work() {
	for {
		t.mu.Lock()
		from := max(len(t.wanted)-thumbsBatch, 0)
		batch := slices.Clone(t.wanted[from:])
		t.wanted = t.wanted[:from]
		if len(batch) == 0 {
			t.busy = false
			t.mu.Unlock()
			return
		}
		side, open := t.large, t.open
		t.mu.Unlock()
		read := t.read(batch, side, open)
		t.post(func() { t.keep(batch, read) })
	}
}

// working tells whether thumbnails are being read.
func (t *thumbs) working() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busy
}

func (t *thumbs) keep(ids []uint64, read map[uint64]*thumb) {
	if t.kept == nil {
		t.kept = map[uint64]*thumb{}
	}
	for _, id := range ids {
		if t.kept[id] == nil {
			t.order = append(t.order, id)
		}
		if t.kept[id] = read[id]; read[id] == nil {
			t.kept[id] = &thumb{}
		}
	}
	t.mu.Lock()
	most := thumbsKept
	if t.large > journal.ThumbSide {
		most = largeKept
	}
	t.mu.Unlock()
	for len(t.order) > most {
		delete(t.kept, t.order[0])
		t.order = t.order[1:]
	}
	t.came(ids)
}

// readThumbs reads thumbnails. Those that are smaller than side are made again of the pictures' files, where these are larger, and
// handed to remade; so are those of stopped pictures of the open model that have none. Stopped ones are dimmed; those of a
// round that runs are not.
func readThumbs(s *history.Store, runs func(round uint64) bool, ids []uint64, side int, m *bundle.Manifest,
	remade func(id uint64, png []byte),
) map[uint64]*thumb {
	out := map[uint64]*thumb{}
	if s == nil {
		return out
	}
	pictures, err := s.Pictures(ids)
	if err != nil {
		return out
	}
	for _, p := range pictures {
		one, larger := thumbOf(s, p, side)
		if one.live = !one.whole && runs(p.Round); one.live {
			out[p.ID] = one
			continue
		}
		if one.stopped = journal.StoppedAt(s, p); one.stopped > 0 {
			if one.image == nil && m != nil {
				larger = one.lastStep(s, p, *m)
			}
			one.image = kit.Dimmed(one.image)
		}
		if out[p.ID] = one; larger != nil {
			remade(p.ID, larger)
		}
	}
	return out
}

// thumbOf reads the thumbnail of a picture. One that was made larger is answered as a PNG file too.
func thumbOf(s *history.Store, p history.Picture, side int) (one *thumb, larger []byte) {
	one = &thumb{round: p.Round, starred: p.Starred, missing: gone(p), whole: p.Finished()}
	if img, err := state.ReadSmall(p.Thumbnail); err == nil {
		one.image = img
	}
	if !one.missing && one.whole && softThumb(one.image, p, side) {
		if data, img := largerThumb(s, p, side); img != nil {
			one.image, larger = img, data
		}
	}
	return one, larger
}

// lastStep takes the last kept step of a stopped picture for its thumbnail, and answers that as a PNG file; nil where it cannot be had.
func (t *thumb) lastStep(s *history.Store, p history.Picture, m bundle.Manifest) []byte {
	data, err := journal.StoppedThumbnail(s, p, m, journal.ThumbSide)
	if err != nil || data == nil {
		return nil
	}
	img, err := state.ReadSmall(data)
	if err != nil {
		return nil
	}
	t.image = img
	return data
}

// softThumb tells whether a picture has more to show at a side than its thumbnail.
func softThumb(img image.Image, p history.Picture, side int) bool {
	have := 0
	if img != nil {
		have = max(img.Bounds().Dx(), img.Bounds().Dy())
	}
	return have < side && have < max(p.Width, p.Height)
}

// pictureData is the file of a finished picture, or what is kept in its place.
func pictureData(s *history.Store, p history.Picture) ([]byte, error) {
	if p.File == "" && p.Pixels != "" {
		return s.Pixels(p.ID)
	}
	return state.ReadFile(p.File)
}

// largerThumb makes a thumbnail of a finished picture, nil where that cannot be read.
func largerThumb(s *history.Store, p history.Picture, side int) ([]byte, image.Image) {
	file, err := pictureData(s, p)
	if err != nil {
		return nil, nil
	}
	whole, _, err := picture.Decode(file, picture.Limits{})
	if err != nil {
		return nil, nil
	}
	data, err := journal.Thumbnail(whole, side)
	if err != nil {
		return nil, nil
	}
	img, err := state.ReadSmall(data)
	if err != nil {
		return nil, nil
	}
	return data, img
}

// ThumbSide is the longer side of the thumbnails that look crisp in the window, in pixels.
func (g *Page) ThumbSide() int {
	if max(g.grid.side, cellSide)*kit.DensityOf(g.host.Layers.Canvas())*kit.TextScale() > journal.ThumbSide {
		return journal.LargeThumb
	}
	return journal.ThumbSide
}

// keepThumb journals a thumbnail that was made larger.
func (g *Page) keepThumb(id uint64, png []byte) {
	g.host.Journal.Do(func(s *history.Store) error {
		if err := s.SetThumbnail(id, png); !errors.Is(err, history.ErrNoPicture) {
			return err
		}
		return nil // it was deleted for good meanwhile
	})
}
