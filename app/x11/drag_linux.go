package x11

import (
	"os"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// Drag is something that is dragged over windows of other programs, while a button is held. The windows of this program are none of them.
type Drag struct {
	s     *Server
	forms []xproto.Atom

	moves chan struct{}
	ends  chan bool // true: let go, false: given up
	heard chan xproto.ClientMessageEvent
	done  chan bool

	over     xproto.Window // 0: no window that takes anything
	version  uint32
	accepted bool // what is over would take it
	asked    bool // and has not answered yet where it is now
	moved    bool // since it was asked
}

// How long other programs may take: to say whether they take what is over them, which a test that is slow lengthens, and to take it.
var answerPatience = time.Second

const (
	dropPatience = 10 * time.Second
	dndVersion   = 5
)

// Begin begins to drag.
func (s *Server) Begin(d Data) (*Drag, error) {
	if err := s.offer("XdndSelection", d); err != nil {
		return nil, err
	}
	drag := &Drag{
		s: s, moves: make(chan struct{}, 1), ends: make(chan bool, 1), heard: make(chan xproto.ClientMessageEvent, 16),
		done: make(chan bool, 1),
	}
	for form := range d {
		drag.forms = append(drag.forms, s.atom(form))
	}
	s.mu.Lock()
	s.drag = drag
	s.mu.Unlock()
	go drag.run()
	return drag, nil
}

// Move follows the pointer, which is somewhere else now.
func (d *Drag) Move() {
	select {
	case d.moves <- struct{}{}:
	default:
	}
}

// Drop lets go where the pointer is. The answer comes once: whether a window has taken it.
func (d *Drag) Drop() <-chan bool {
	d.ends <- true
	return d.done
}

// Cancel gives up: what is under the pointer forgets it.
func (d *Drag) Cancel() { d.ends <- false }

// hear takes what a window says.
func (d *Drag) hear(e xproto.ClientMessageEvent) {
	select {
	case d.heard <- e:
	default:
	}
}

func (d *Drag) run() {
	taken := false
	defer func() {
		d.s.mu.Lock()
		if d.s.drag == d {
			d.s.drag = nil
		}
		d.s.mu.Unlock()
		d.done <- taken
	}()
	for {
		select {
		case <-d.moves:
			d.follow()
		case e := <-d.heard:
			d.answer(e)
		case drop := <-d.ends:
			if drop {
				d.follow()
				d.wait(answerPatience, func() bool { return !d.asked })
			}
			if d.over != 0 && drop && d.accepted {
				d.say("XdndDrop", 0, xproto.TimeCurrentTime, 0, 0)
				finished := false
				for after := time.After(dropPatience); !finished; {
					select {
					case e := <-d.heard:
						finished = d.s.name(e.Type) == "XdndFinished"
						taken = finished
					case <-after:
						finished = true
					}
				}
			} else {
				d.leave()
			}
			return
		}
	}
}

// wait takes answers until one makes an end, or for so long.
func (d *Drag) wait(most time.Duration, end func() bool) {
	for after := time.After(most); !end(); {
		select {
		case e := <-d.heard:
			d.answer(e)
		case <-after:
			return
		}
	}
}

// answer takes what the window under the pointer says of what it would do.
func (d *Drag) answer(e xproto.ClientMessageEvent) {
	words := e.Data.Data32
	if d.s.name(e.Type) != "XdndStatus" || len(words) < 2 || xproto.Window(words[0]) != d.over {
		return
	}
	d.accepted, d.asked = words[1]&1 != 0, false
	if d.moved {
		d.follow()
	}
}

// follow tells the window under the pointer where the pointer is, and the one that it has left that it has.
func (d *Drag) follow() {
	over, version, x, y := d.under()
	if over != d.over {
		d.leave()
		if d.over, d.version = over, version; over != 0 {
			more := uint32(0)
			if len(d.forms) > 3 {
				more = 1
				list := make([]byte, 4*len(d.forms))
				for i, a := range d.forms {
					xgb.Put32(list[4*i:], uint32(a))
				}
				xproto.ChangeProperty(d.s.conn, xproto.PropModeReplace, d.s.win, d.s.atom("XdndTypeList"), xproto.AtomAtom, 32,
					uint32(len(d.forms)), list)
			}
			first := [3]uint32{}
			for i := range first[:min(len(d.forms), 3)] {
				first[i] = uint32(d.forms[i])
			}
			d.say("XdndEnter", min(version, dndVersion)<<24|more, first[0], first[1], first[2])
		}
	}
	if over == 0 {
		return
	}
	if d.moved = d.asked; d.asked { // it is told again once it has answered
		return
	}
	d.asked = true
	d.say("XdndPosition", 0, uint32(uint16(x))<<16|uint32(uint16(y)), xproto.TimeCurrentTime, uint32(d.s.atom("XdndActionCopy")))
}

// leave tells the window under the pointer that nothing is over it any more.
func (d *Drag) leave() {
	if d.over != 0 {
		d.say("XdndLeave", 0, 0, 0, 0)
	}
	d.over, d.accepted, d.asked, d.moved = 0, false, false, false
}

func (d *Drag) say(message string, words ...uint32) {
	e := xproto.ClientMessageEvent{
		Format: 32, Window: d.over, Type: d.s.atom(message),
		Data: xproto.ClientMessageDataUnionData32New(append([]uint32{uint32(d.s.win)}, words...)),
	}
	xproto.SendEvent(d.s.conn, false, d.over, 0, string(e.Bytes()))
}

// under is the window under the pointer that takes what is dropped, 0 for none, and where the pointer is on the screen.
func (d *Drag) under() (w xproto.Window, version uint32, x, y int16) {
	for at := d.s.root; ; {
		p, err := xproto.QueryPointer(d.s.conn, at).Reply()
		if err != nil {
			return 0, 0, x, y
		}
		x, y = p.RootX, p.RootY
		if at = p.Child; at == 0 {
			return 0, 0, x, y
		}
		if version = d.property(at, "XdndAware"); version >= 3 {
			if d.property(at, "_NET_WM_PID") == uint32(os.Getpid()) {
				return 0, 0, x, y
			}
			return at, version, x, y
		}
	}
}

// property is a number that a window has; 0 where it has not.
func (d *Drag) property(w xproto.Window, name string) uint32 {
	r, err := xproto.GetProperty(d.s.conn, false, w, d.s.atom(name), xproto.GetPropertyTypeAny, 0, 1).Reply()
	if err != nil || len(r.Value) < 4 {
		return 0
	}
	return xgb.Get32(r.Value)
}
