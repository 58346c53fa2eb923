package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// bbolt follows what pages say of each other without a look: one that leads back to itself overflows the stack, which nothing can
// catch. So this file reads them itself, once, before bbolt may. It is also what reads the pieces of a damaged file.

// Sizes and marks of bbolt's file format, version 2. Its numbers are in the machine's order, which is little endian wherever Realword
// runs.
const (
	pageHeader    = 16 // id (8), flags (2), count (2), overflow (4)
	pageElement   = 16 // of a branch: position (4), key size (4), page (8); of a leaf: flags, position, key size, value size
	bucketHeader  = 16 // root (8), sequence (8); root 0: a page follows
	metaSize      = 64 // magic, version, page size, flags, root (16), freelist, pages, transaction, checksum
	boltMagic     = 0xED0CDAED
	boltVersion   = 2
	branchPage    = 0x01
	leafPage      = 0x02
	freelistPage  = 0x10
	noFreelist    = ^uint64(0)
	bucketElement = 0x01

	maxDepth = 64 // of pages below one another: a tree of that many levels does not fit on any disk
)

// pages reads a bbolt file without trusting it.
type pages struct {
	file     io.ReaderAt
	size     int64
	pageSize int64
	metas    []metaPage // that are whole, the newest first
}

type metaPage struct {
	root, freelist, pages, transaction uint64
}

// readPages finds the size of the pages and where the trees begin.
func readPages(file io.ReaderAt, size int64) (*pages, error) {
	p := &pages{file: file, size: size}
	// Not every page size has a whole first page; the second page tells the size, too.
	for _, at := range []int64{0, 1 << 12, 1 << 14, 1 << 16, 1 << 10, 1 << 11, 1 << 13, 1 << 15} {
		m, pageSize, ok := readMeta(file, at)
		if !ok || at != 0 && at != pageSize || p.pageSize != 0 && p.pageSize != pageSize {
			continue
		}
		p.pageSize = pageSize
		if len(p.metas) == 1 && m.transaction > p.metas[0].transaction {
			p.metas = []metaPage{m, p.metas[0]}
		} else {
			p.metas = append(p.metas, m)
		}
	}
	if len(p.metas) == 0 {
		return nil, errors.New("neither of its first pages is whole")
	}
	return p, nil
}

func readMeta(file io.ReaderAt, at int64) (m metaPage, pageSize int64, ok bool) {
	b := make([]byte, pageHeader+metaSize)
	if _, err := file.ReadAt(b, at); err != nil {
		return m, 0, false
	}
	b = b[pageHeader:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:56])
	le := binary.LittleEndian
	pageSize = int64(le.Uint32(b[8:]))
	if le.Uint32(b) != boltMagic || le.Uint32(b[4:]) != boltVersion || le.Uint64(b[56:]) != sum.Sum64() ||
		pageSize < 1<<10 || pageSize > 1<<16 || pageSize&(pageSize-1) != 0 {
		return m, 0, false
	}
	return metaPage{le.Uint64(b[16:]), le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:])}, pageSize, true
}

// run is a page with those that it overflows into, as far as they are read.
type run struct {
	p     *pages
	at    int64 // in the file
	size  int64
	head  []byte
	flags uint16
	count int
}

// open looks at the head of a page.
func (p *pages) open(m metaPage, id uint64) (r run, err error) {
	if id < 2 || id >= m.pages || id >= uint64(p.size/p.pageSize) {
		return r, fmt.Errorf("page %d is not in the file", id)
	}
	r = run{p: p, at: int64(id) * p.pageSize, size: p.pageSize, head: make([]byte, p.pageSize)}
	if _, err := p.file.ReadAt(r.head, r.at); err != nil {
		return r, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	if got := binary.LittleEndian.Uint64(r.head); got != id {
		return r, fmt.Errorf("page %d says that it is %d", id, got)
	}
	overflow := uint64(binary.LittleEndian.Uint32(r.head[12:]))
	if id+overflow >= m.pages || id+overflow >= uint64(p.size/p.pageSize) {
		return r, fmt.Errorf("page %d reaches beyond the file", id)
	}
	r.size += int64(overflow) * p.pageSize
	r.flags, r.count = binary.LittleEndian.Uint16(r.head[8:]), int(binary.LittleEndian.Uint16(r.head[10:]))
	return r, nil
}

// bytes are n bytes from an offset of the page on.
func (r run) bytes(at, n int64) ([]byte, error) {
	if at < 0 || n < 0 || at > r.size || n > r.size-at {
		return nil, errors.New("an element reaches beyond its page")
	}
	if at+n <= int64(len(r.head)) {
		return r.head[at : at+n : at+n], nil
	}
	b := make([]byte, n)
	_, err := r.p.file.ReadAt(b, r.at+at)
	return b, err
}

// element is one of a page.
type element struct {
	key   []byte
	page  uint64                 // of a branch
	flags uint32                 // of a leaf
	value func() ([]byte, error) // of a leaf: read when it is wanted
}

// each calls do with every element of a branch or leaf page until do says no. What is wrong with the page ends it with an error.
func (r run) each(do func(element) error) error {
	table, err := r.bytes(pageHeader, int64(r.count)*pageElement)
	if err != nil {
		return err
	}
	for i := range r.count {
		e, le := table[i*pageElement:], binary.LittleEndian
		var out element
		at := int64(pageHeader + i*pageElement) // positions count from their element
		if r.flags == branchPage {
			out.page = le.Uint64(e[8:])
			out.key, err = r.bytes(at+int64(le.Uint32(e)), int64(le.Uint32(e[4:])))
		} else {
			out.flags = le.Uint32(e)
			from, keySize, valueSize := at+int64(le.Uint32(e[4:])), int64(le.Uint32(e[8:])), int64(le.Uint32(e[12:]))
			if from+keySize+valueSize > r.size {
				return errors.New("an element reaches beyond its page")
			}
			out.key, err = r.bytes(from, keySize)
			out.value = func() ([]byte, error) { return r.bytes(from+keySize, valueSize) }
		}
		if err != nil {
			return err
		}
		if len(out.key) == 0 && r.flags == leafPage || len(out.key) > 1<<15 {
			return fmt.Errorf("an element has a key of %d bytes", len(out.key))
		}
		if err := do(out); err != nil {
			return err
		}
	}
	return nil
}

// walker goes through the trees of a file.
type walker struct {
	*pages
	meta metaPage
	used []uint64 // a bit for every page
	only []byte   // the bucket that is walked; nil: all of them
	// visit is called with every record; an error ends the walk.
	visit func(bucket []byte, e element) error
	// damaged is called with what is wrong; nil goes on beside it, an error ends the walk.
	damaged func(error) error
}

func (p *pages) walker(m metaPage) *walker {
	pages := min(m.pages, uint64(p.size/p.pageSize))
	return &walker{pages: p, meta: m, used: make([]uint64, pages/64+1)}
}

// take marks pages as used, and complains about those that are already.
func (w *walker) take(id uint64, size int64) error {
	for i := id; i < id+uint64(size/w.pageSize); i++ {
		if w.used[i/64]&(1<<(i%64)) != 0 {
			return fmt.Errorf("page %d is used twice", i)
		}
		w.used[i/64] |= 1 << (i % 64)
	}
	return nil
}

// tree walks the pages below one. Keys lie in [low, high); a nil high has no limit. inside is the bucket that the tree is of, nil for
// the one of all buckets.
func (w *walker) tree(id uint64, inside, low, high []byte, depth int) error {
	r, err := w.open(w.meta, id)
	if err == nil && depth > maxDepth {
		err = errors.New("its pages lie deeper than any history's")
	}
	if err == nil {
		err = w.take(id, r.size)
	}
	if err == nil && r.flags != leafPage && r.flags != branchPage {
		err = fmt.Errorf("page %d is of no kind that belongs there", id)
	}
	if err == nil && r.flags == branchPage && r.count == 0 {
		err = fmt.Errorf("page %d leads nowhere", id)
	}
	if err != nil {
		return w.damaged(err)
	}
	return w.elements(r, id, inside, low, high, depth)
}

func (w *walker) elements(r run, id uint64, inside, low, high []byte, depth int) error {
	var last []byte
	var below []element
	first := true
	var stopped error
	err := r.each(func(e element) error {
		stopped = func() error {
			if !first && bytes.Compare(e.key, last) <= 0 || bytes.Compare(e.key, low) < 0 || high != nil && bytes.Compare(e.key, high) >= 0 {
				return w.damaged(fmt.Errorf("page %d: a key is not in order", id))
			}
			first, last = false, e.key
			switch {
			case r.flags == branchPage:
				below = append(below, e)
				return nil
			case inside == nil:
				return w.bucket(e, depth)
			case e.flags != 0:
				return w.damaged(fmt.Errorf("page %d: there is a bucket in the bucket %q", id, inside))
			}
			return w.visit(inside, e)
		}()
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		if err = w.damaged(fmt.Errorf("page %d: %w", id, err)); err != nil {
			return err
		}
	}
	for i, e := range below {
		until := high
		if i+1 < len(below) {
			until = below[i+1].key
		}
		if err := w.tree(e.page, inside, e.key, until, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// bucket walks one of the file's buckets: a tree of its own, or a page in its value.
func (w *walker) bucket(e element, depth int) error {
	if e.flags != bucketElement {
		return w.damaged(errors.New("there is a record outside of the buckets"))
	}
	value, err := e.value()
	if err == nil && len(value) < bucketHeader {
		err = fmt.Errorf("the bucket %.20q is cut off", e.key)
	}
	if err != nil {
		return w.damaged(err)
	}
	name := bytes.Clone(e.key)
	if w.only != nil && string(w.only) != string(name) {
		return nil
	}
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		return w.tree(root, name, nil, nil, depth+1)
	}
	page := value[bucketHeader:]
	if len(page) < pageHeader || binary.LittleEndian.Uint16(page[8:]) != leafPage {
		return w.damaged(fmt.Errorf("the bucket %.20q is cut off", name))
	}
	r := run{p: w.pages, size: int64(len(page)), head: page, flags: leafPage, count: int(binary.LittleEndian.Uint16(page[10:]))}
	return w.elements(r, 0, name, nil, nil, depth+1)
}

// free checks the list of free pages against those that are in use: a page on both is written over sooner or later.
func (w *walker) free() error {
	if w.meta.freelist == noFreelist {
		return nil
	}
	r, err := w.open(w.meta, w.meta.freelist)
	if err == nil {
		err = w.take(w.meta.freelist, r.size)
	}
	if err == nil && r.flags != freelistPage {
		err = errors.New("the list of free pages is not where it should be")
	}
	if err != nil {
		return err
	}
	n, at := int64(r.count), int64(pageHeader)
	if r.count == 0xFFFF { // the first number is the count
		b, err := r.bytes(at, 8)
		if err != nil {
			return err
		}
		if n = int64(binary.LittleEndian.Uint64(b)); n < 0 || n > w.size {
			return errors.New("the list of free pages is too long")
		}
		at += 8
	}
	list, err := r.bytes(at, 8*n)
	if err != nil {
		return err
	}
	for ; len(list) > 0; list = list[8:] {
		id := binary.LittleEndian.Uint64(list)
		if id < 2 || id >= w.meta.pages {
			return fmt.Errorf("a free page is %d", id)
		}
		if id < uint64(len(w.used))*64 {
			if err := w.take(id, w.pageSize); err != nil {
				return err
			}
		}
	}
	return nil
}

// schemaOf is the schema that a file says it has, 0 where it says none.
func (p *pages) schemaOf(m metaPage) byte {
	var found byte
	w := p.walker(m)
	w.only = metaBucket
	w.damaged = func(error) error { return nil }
	w.visit = func(_ []byte, e element) error {
		if string(e.key) == string(schemaKey) {
			if v, err := e.value(); err == nil && len(v) == 1 {
				found = v[0]
			}
		}
		return nil
	}
	_ = w.tree(m.root, nil, nil, nil, 0)
	return found
}

// soundPages walks through a whole file, as bbolt will see it, and returns what is wrong with it: with its pages, or with records
// that have a checksum.
func soundPages(file io.ReaderAt, size int64) error {
	p, err := readPages(file, size)
	if err != nil {
		return err
	}
	m := p.metas[0]
	if want := int64(m.pages) * p.pageSize; want > size || m.pages > uint64(size) {
		return fmt.Errorf("%d of %d bytes are there", size, want)
	}
	// The schema tells whether there are checksums. It lies among the records, so it is looked for first.
	sealed := p.schemaOf(m) == schema[0]
	w := p.walker(m)
	w.damaged = func(err error) error { return err }
	w.visit = func(bucket []byte, e element) error {
		if !sealed || !isSealed(bucket) {
			return nil
		}
		v, err := e.value()
		if err == nil {
			_, err = openSeal(bucket, e.key, v)
		}
		return err
	}
	if err := w.tree(m.root, nil, nil, nil, 0); err != nil {
		return err
	}
	return w.free()
}
