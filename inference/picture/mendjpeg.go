package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/bits"
	"sync"
)

// huffman is a table of a JPEG file: for every 16 bits the length of the code that they begin with and its symbol; length 0 is none.
type huffman [1 << 16]struct{ length, symbol uint8 }

// code is how a symbol is written.
type code struct {
	bits   uint16
	length uint8
}

// usual are the Huffman tables of the standard's annex K, which nearly every encoder uses.
type usual struct {
	segment []byte // DHT with all four of them
	dc, ac  [256]code
}

// usualTables takes the tables from Go's own encoder.
var usualTables = sync.OnceValue(func() *usual {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1, 1)), nil) // a buffer does not fail
	file := b.Bytes()
	u := &usual{}
	for at := 2; at+4 <= len(file) && file[at+1] != 0xda; {
		n := 2 + int(file[at+2])<<8 + int(file[at+3])
		if file[at+1] == 0xc4 {
			u.segment = append(u.segment, file[at:at+n]...)
			eachTable(file[at+4:at+n], func(class, id byte, counts, symbols []byte) {
				if id != 0 {
					return
				}
				codes := &u.dc
				if class == 1 {
					codes = &u.ac
				}
				eachCode(counts, symbols, func(bits uint16, length, symbol uint8) { codes[symbol] = code{bits, length} })
			})
		}
		at += n
	}
	return u
})

// eachTable calls visit with every table of a DHT segment's body that is whole.
func eachTable(body []byte, visit func(class, id byte, counts, symbols []byte)) {
	for len(body) >= 17 {
		n := 0
		for _, c := range body[1:17] {
			n += int(c)
		}
		if n > 256 || 17+n > len(body) {
			return
		}
		visit(body[0]>>4, body[0]&15, body[1:17], body[17:17+n])
		body = body[17+n:]
	}
}

// eachCode calls visit with the codes of a table, as the standard's annex C makes them.
func eachCode(counts, symbols []byte, visit func(bits uint16, length, symbol uint8)) {
	next, i := 0, 0
	for length := 1; length <= 16; length++ {
		for range counts[length-1] {
			if next >= 1<<length {
				return
			}
			visit(uint16(next), uint8(length), symbols[i])
			next++
			i++
		}
		next <<= 1
	}
}

// mendJPEG writes a file anew out of what can be understood of a sequential JPEG file: it decodes its codes to symbols, never to
// pixels, and writes them with the usual tables. Blocks that are lost become grey; a restart marker is where reading goes on after
// damage, and is not missed where it is lost alone. good of all blocks were there. ok is false where the headers are not enough.
func mendJPEG(data []byte, j *jpegFile) (mended []byte, good, all int, ok bool) {
	m := mender{data: data, file: j}
	if len(j.components) == 0 || len(j.components) > 4 || j.width == 0 || j.height == 0 {
		return nil, 0, 0, false
	}
	for _, c := range j.components {
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return nil, 0, 0, false
		}
		m.maxH, m.maxV = max(m.maxH, int(c.h)), max(m.maxV, int(c.v))
	}
	m.out = append(make([]byte, 0, len(data)+len(data)/8), data[:2]...)
	eachTable(usualTables().segment[4:], m.define) // for files without
	scans := 0
	for at := 2; at+4 <= len(data); {
		marker := data[at+1]
		if data[at] != 0xff || marker == 0xff || marker == 0 || marker >= 0xd0 && marker <= 0xd8 {
			at++
			continue
		}
		n := 2 + int(data[at+2])<<8 + int(data[at+3])
		if marker == 0xd9 || n < 4 || at+n > len(data) {
			break
		}
		segment := data[at : at+n]
		at += n
		switch {
		case marker == 0xc4:
			eachTable(segment[4:], m.define)
		case marker == 0xdd && n == 6:
			m.interval = int(segment[4])<<8 | int(segment[5])
		case marker == 0xda:
			if scans++; scans > len(j.components) { // each component comes once
				return append(m.out, 0xff, 0xd9), m.good, m.all, true
			}
			if scans == 1 {
				m.out = append(m.out, usualTables().segment...)
			}
			if at, ok = m.scan(segment, at); !ok {
				return nil, 0, 0, false
			}
		default:
			m.out = append(m.out, segment...)
		}
	}
	return append(m.out, 0xff, 0xd9), m.good, m.all, m.all > 0
}

type mender struct {
	data       []byte
	file       *jpegFile
	maxH, maxV int
	dc, ac     [4]*huffman
	interval   int
	out        []byte
	good, all  int

	// Reading: the bytes from at on, and the bits that were taken from them and are not used.
	at     int
	bits   uint64
	have   int
	marked bool // the data ends here, with a marker or with the file
	marker int  // there is none between at and here

	// Writing.
	pending uint64
	waiting int
}

func (m *mender) define(class, id byte, counts, symbols []byte) {
	if id > 3 || class > 1 {
		return
	}
	t := new(huffman)
	eachCode(counts, symbols, func(bits uint16, length, symbol uint8) {
		first := int(bits) << (16 - length)
		for i := range 1 << (16 - length) {
			t[first+i].length, t[first+i].symbol = length, symbol
		}
	})
	if class == 0 {
		m.dc[id] = t
	} else {
		m.ac[id] = t
	}
}

// scanPart is a component of a scan.
type scanPart struct {
	dc, ac    *huffman
	blocks    int // of every unit
	last, now int // DC values: the last one that was written, and that was read
}

// scan copies the data of a scan that begins at a position, after its header. It returns where the next segment begins.
func (m *mender) scan(header []byte, at int) (next int, ok bool) {
	if len(header) < 6 || int(header[4]) < 1 || len(header) != 8+2*int(header[4]) {
		return 0, false
	}
	n := int(header[4])
	parts := make([]scanPart, n)
	w, h := 8*m.maxH, 8*m.maxV
	width, height := m.file.width, m.file.height
	fresh := append([]byte(nil), header...)
	for i := range parts {
		id, tables := header[5+2*i], header[6+2*i]
		if tables>>4 > 3 || tables&15 > 3 {
			return 0, false
		}
		parts[i].dc, parts[i].ac = m.dc[tables>>4], m.ac[tables&15]
		fresh[6+2*i] = 0
		found := false
		for _, c := range m.file.components {
			if c.id != id {
				continue
			}
			found = true
			parts[i].blocks = int(c.h) * int(c.v)
			if n == 1 { // a component alone comes block by block
				parts[i].blocks = 1
				width, height = (width*int(c.h)+m.maxH-1)/m.maxH, (height*int(c.v)+m.maxV-1)/m.maxV
				w, h = 8, 8
			}
		}
		if !found || parts[i].dc == nil || parts[i].ac == nil {
			return 0, false
		}
	}
	m.out = append(m.out, fresh...)
	m.at, m.bits, m.have, m.marked = at, 0, 0, false
	units := ((width + w - 1) / w) * ((height + h - 1) / h)
	lost := 0 // intervals that are to be left grey
	for done, number := 0, 0; done < units; number++ {
		count := units - done
		if m.interval > 0 {
			count = min(count, m.interval)
		}
		done += count
		for i := range parts {
			parts[i].now = 0
		}
		alive := lost == 0
		for range count {
			for i := range parts {
				for range parts[i].blocks {
					m.all++
					switch {
					case !alive:
						m.grey(&parts[i])
					case m.block(&parts[i]):
						m.good++
					default:
						alive = false
					}
				}
			}
		}
		if lost > 0 {
			lost--
			continue
		}
		if m.interval > 0 && done < units {
			lost = m.restart(number, alive)
		}
	}
	m.flush()
	// The next segment is the next marker that is no part of the data.
	for at = m.at; at+1 < len(m.data); at++ {
		if c := m.data[at+1]; m.data[at] == 0xff && c != 0 && c != 0xff && (c < 0xd0 || c > 0xd7) {
			break
		}
	}
	return at, true
}

// restart goes to where the interval after the given one begins and says how many are lost before it. Without a marker at the end of a
// good interval, the next marker tells whether this one was lost (then its interval follows) or the interval was longer than it seemed.
func (m *mender) restart(number int, alive bool) (lost int) {
	for ; m.have >= 8; m.have -= 8 { // bytes that were taken and not used
		if m.at--; m.data[m.at] == 0 && m.at > 0 && m.data[m.at-1] == 0xff {
			m.at--
		}
	}
	m.bits, m.have, m.marked = 0, 0, false
	at := max(m.marker, m.at) // looked for once only
	for at+1 < len(m.data) && (m.data[at] != 0xff || m.data[at+1] == 0 || m.data[at+1] == 0xff) {
		at++
	}
	m.marker = at
	ahead := -1 // it is no restart marker, or there is none
	if at+1 < len(m.data) && m.data[at+1] >= 0xd0 && m.data[at+1] <= 0xd7 {
		ahead = (int(m.data[at+1]&7) - number) & 7
	}
	switch {
	case ahead > 0 && alive && at > m.at: // goes on here
		return 0
	case ahead < 0 && !alive:
		m.at, m.marked = at, true
		return 0
	case ahead < 0:
		return 0
	}
	m.at = at + 2
	if ahead > 4 { // one that was before
		return 0
	}
	return ahead
}

// block copies a block. Where the data ends in it or makes no sense it writes what there is of it and returns false.
func (m *mender) block(p *scanPart) bool {
	size, ok := m.symbol(p.dc)
	if ok && size > 11 && m.interval == 0 {
		size = 0 // as below
	}
	v := 0
	if ok = ok && size <= 11; ok {
		v, ok = m.take(int(size))
	}
	if !ok {
		m.grey(p)
		return false
	}
	p.now = min(max(p.now+extend(v, int(size)), -1023), 1023)
	m.difference(p, p.now)
	ac := &usualTables().ac
	for k := 1; k < 64; {
		s, ok := m.symbol(p.ac)
		run, size := int(s>>4), int(s&15)
		switch {
		case !ok || size > 10 || size > 0 && k+run > 63: // what was read of it stays
			m.put(ac[0])
			return ok && m.interval == 0 // without restarts the codes find their beat again
		case size == 0 && run != 15:
			m.put(ac[0])
			return true
		case size == 0:
			if k+16 > 63 {
				m.put(ac[0])
				return true
			}
			m.put(ac[s])
			k += 16
			continue
		}
		v, ok := m.take(size)
		if !ok {
			m.put(ac[0])
			return false
		}
		m.put(ac[s])
		m.write(uint64(v), size)
		k += run + 1
	}
	return true
}

// grey writes a block without anything.
func (m *mender) grey(p *scanPart) {
	m.difference(p, 0)
	m.put(usualTables().ac[0])
}

// difference writes the DC value of a block.
func (m *mender) difference(p *scanPart, v int) {
	d := v - p.last
	p.last = v
	size := bits.Len(uint(max(d, -d)))
	m.put(usualTables().dc[size])
	if d < 0 {
		d += 1<<size - 1
	}
	m.write(uint64(d), size)
}

// extend is the signed value of size bits (annex F.2.2.1).
func extend(v, size int) int {
	if size > 0 && v < 1<<(size-1) {
		v -= 1<<size - 1
	}
	return v
}

// fill takes bytes in until there are 16 bits, or all.
func (m *mender) fill() {
	for m.have < 16 && !m.marked {
		if m.at >= len(m.data) {
			m.marked = true
			return
		}
		b := m.data[m.at]
		if b == 0xff {
			if m.at+1 >= len(m.data) || m.data[m.at+1] != 0 {
				m.marked = true
				return
			}
			m.at++
		}
		m.at++
		m.bits, m.have = m.bits<<8|uint64(b), m.have+8
	}
}

// symbol reads a code; false at the end of the data, and where there is no such code, which costs a bit.
func (m *mender) symbol(t *huffman) (uint8, bool) {
	m.fill()
	var next uint16
	if m.have >= 16 {
		next = uint16(m.bits >> (m.have - 16))
	} else {
		next = uint16(m.bits << (16 - m.have))
	}
	e := t[next]
	if int(e.length) > m.have {
		return 0, false
	}
	if e.length == 0 {
		if m.have > 0 {
			m.have--
		}
		return 0xff, m.have > 0 // no symbol of a sequential file
	}
	m.have -= int(e.length)
	return e.symbol, true
}

func (m *mender) take(n int) (int, bool) {
	m.fill()
	if n > m.have {
		return 0, false
	}
	m.have -= n
	return int(m.bits >> m.have & (1<<n - 1)), true
}

func (m *mender) put(c code) { m.write(uint64(c.bits), int(c.length)) }

func (m *mender) write(v uint64, n int) {
	m.pending, m.waiting = m.pending<<n|v, m.waiting+n
	for m.waiting >= 8 {
		m.waiting -= 8
		b := byte(m.pending >> m.waiting)
		if m.out = append(m.out, b); b == 0xff {
			m.out = append(m.out, 0)
		}
	}
}

// flush fills the last byte with ones.
func (m *mender) flush() {
	if m.waiting > 0 {
		m.write(1<<(8-m.waiting)-1, 8-m.waiting)
	}
}
