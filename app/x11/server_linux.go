package x11

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// Data is one thing in several forms, by their names.
type Data map[string][]byte

// ErrTooLarge is the error of Paste for more than it may take.
var ErrTooLarge = errors.New("what is in the clipboard is too large")

// Server is the connection.
type Server struct {
	conn  *xgb.Conn
	win   xproto.Window
	root  xproto.Window
	piece int // how many bytes go into one request

	pasting sync.Mutex
	told    chan xgb.Event // SelectionNotify and PropertyNotify for Paste

	mu      sync.Mutex
	atoms   map[string]xproto.Atom
	names   map[xproto.Atom]string
	offers  map[xproto.Atom]Data // by selection
	parts   map[part]*rest
	drag    *Drag
	stopped error // why the connection is of no use any more
}

// part is a property through which a large form goes piece by piece, and rest is what has not gone yet.
type part struct {
	window   xproto.Window
	property xproto.Atom
}
type rest struct {
	data []byte
	form xproto.Atom
}

// Open connects to the server that DISPLAY names.
func Open() (*Server, error) {
	xgb.Logger.SetOutput(io.Discard) // it tells of what is no trouble, such as a server that asks for no authority
	conn, err := xgb.NewConn()
	if err != nil {
		return nil, fmt.Errorf("the X server does not answer: %w", err)
	}
	setup := xproto.Setup(conn)
	screen := setup.DefaultScreen(conn)
	s := &Server{
		conn: conn, root: screen.Root, told: make(chan xgb.Event, 64), piece: min(int(setup.MaximumRequestLength)*4-64, 1<<18),
		atoms: map[string]xproto.Atom{}, names: map[xproto.Atom]string{}, offers: map[xproto.Atom]Data{}, parts: map[part]*rest{},
	}
	if s.win, err = xproto.NewWindowId(conn); err == nil {
		err = xproto.CreateWindowChecked(conn, 0, s.win, s.root, -10, -10, 1, 1, 0, xproto.WindowClassInputOnly, 0,
			xproto.CwOverrideRedirect|xproto.CwEventMask, []uint32{1, xproto.EventMaskPropertyChange}).Check()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the X server gives no window: %w", err)
	}
	go s.run()
	return s, nil
}

// Close ends the connection, and with it what it offers.
func (s *Server) Close() { s.conn.Close() }

// atom is the number of a name.
func (s *Server) atom(name string) xproto.Atom {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, known := s.atoms[name]; known {
		return a
	}
	reply, err := xproto.InternAtom(s.conn, false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0
	}
	s.atoms[name], s.names[reply.Atom] = reply.Atom, name
	return reply.Atom
}

// name is what a number stands for; "" where it is none.
func (s *Server) name(a xproto.Atom) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, known := s.names[a]; known {
		return name
	}
	reply, err := xproto.GetAtomName(s.conn, a).Reply()
	if err != nil {
		return ""
	}
	s.atoms[reply.Name], s.names[a] = a, reply.Name
	return reply.Name
}

// run takes what the server tells, until the connection ends.
func (s *Server) run() {
	for {
		event, err := s.conn.WaitForEvent()
		switch e := event.(type) {
		case nil:
			if err == nil {
				s.mu.Lock()
				s.stopped = errors.New("the X server has ended the connection")
				s.mu.Unlock()
				close(s.told)
				return
			}
			// An error is of a window that has gone meanwhile.
		case xproto.SelectionRequestEvent:
			s.serve(e)
		case xproto.SelectionClearEvent:
			s.mu.Lock()
			delete(s.offers, e.Selection)
			s.mu.Unlock()
		case xproto.PropertyNotifyEvent:
			if e.Window != s.win {
				if e.State == xproto.PropertyDelete {
					s.send(part{e.Window, e.Atom})
				}
			} else if e.State == xproto.PropertyNewValue {
				s.tell(e)
			}
		case xproto.SelectionNotifyEvent:
			s.tell(e)
		case xproto.ClientMessageEvent:
			s.mu.Lock()
			d := s.drag
			s.mu.Unlock()
			if d != nil {
				d.hear(e)
			}
		}
	}
}

// tell hands an event to Paste, if it has a use for it.
func (s *Server) tell(e xgb.Event) {
	select {
	case s.told <- e:
	default: // nobody pastes
	}
}

// offer makes the data what a selection holds.
func (s *Server) offer(selection string, d Data) error {
	for form := range d {
		s.atom(form)
	}
	a := s.atom(selection)
	s.mu.Lock()
	stopped := s.stopped
	s.offers[a] = d
	s.mu.Unlock()
	if stopped != nil {
		return stopped
	}
	if err := xproto.SetSelectionOwnerChecked(s.conn, s.win, a, xproto.TimeCurrentTime).Check(); err != nil {
		return fmt.Errorf("the X server takes nothing: %w", err)
	}
	if owner, err := xproto.GetSelectionOwner(s.conn, a).Reply(); err != nil || owner.Owner != s.win {
		return errors.New("another program keeps what it has put there")
	}
	return nil
}

// Copy puts the data into the clipboard.
func (s *Server) Copy(d Data) error { return s.offer("CLIPBOARD", d) }

// serve gives a form of what a selection holds to the program that asks for it.
func (s *Server) serve(e xproto.SelectionRequestEvent) {
	property := e.Property
	if property == 0 { // of old clients
		property = e.Target
	}
	s.mu.Lock()
	d := s.offers[e.Selection]
	s.mu.Unlock()
	name := s.name(e.Target)
	data, have := d[name]
	switch {
	case name == "TARGETS" && d != nil:
		list := []xproto.Atom{e.Target}
		for form := range d {
			list = append(list, s.atom(form))
		}
		buf := make([]byte, 4*len(list))
		for i, a := range list {
			xgb.Put32(buf[4*i:], uint32(a))
		}
		xproto.ChangeProperty(s.conn, xproto.PropModeReplace, e.Requestor, property, xproto.AtomAtom, 32, uint32(len(list)), buf)
	case !have:
		property = 0
	case len(data) <= s.piece:
		xproto.ChangeProperty(s.conn, xproto.PropModeReplace, e.Requestor, property, e.Target, 8, uint32(len(data)), data)
	default: // piece by piece, each when the one before it was taken
		xproto.ChangeWindowAttributes(s.conn, e.Requestor, xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange})
		s.mu.Lock()
		s.parts[part{e.Requestor, property}] = &rest{data, e.Target}
		s.mu.Unlock()
		size := make([]byte, 4)
		xgb.Put32(size, uint32(len(data)))
		xproto.ChangeProperty(s.conn, xproto.PropModeReplace, e.Requestor, property, s.atom("INCR"), 32, 1, size)
	}
	answer := xproto.SelectionNotifyEvent{Time: e.Time, Requestor: e.Requestor, Selection: e.Selection, Target: e.Target, Property: property}
	xproto.SendEvent(s.conn, false, e.Requestor, 0, string(answer.Bytes()))
}

// send gives the next piece; an empty one is the last.
func (s *Server) send(p part) {
	s.mu.Lock()
	r := s.parts[p]
	if r == nil {
		s.mu.Unlock()
		return
	}
	now := r.data[:min(len(r.data), s.piece)]
	if r.data = r.data[len(now):]; len(now) == 0 {
		delete(s.parts, p)
	}
	s.mu.Unlock()
	xproto.ChangeProperty(s.conn, xproto.PropModeReplace, p.window, p.property, r.form, 8, uint32(len(now)), now)
}

// Paste takes what is in the clipboard in the first of the forms that it has, of at most so many bytes. No form is no error: there is
// nothing in the clipboard, or nothing of these.
func (s *Server) Paste(ctx context.Context, most int, forms ...string) (form string, data []byte, err error) {
	s.pasting.Lock()
	defer s.pasting.Unlock()
	clipboard := s.atom("CLIPBOARD")
	owner, err := xproto.GetSelectionOwner(s.conn, clipboard).Reply()
	if err != nil || owner.Owner == 0 {
		return "", nil, err
	}
	s.mu.Lock()
	mine := s.offers[clipboard]
	s.mu.Unlock()
	if owner.Owner == s.win {
		for _, form := range forms {
			if data, have := mine[form]; have {
				return form, data, nil
			}
		}
		return "", nil, nil
	}
	list, err := s.convert(ctx, clipboard, s.atom("TARGETS"), most)
	if err != nil {
		return "", nil, err
	}
	var have []string
	for i := 0; i+4 <= len(list); i += 4 {
		have = append(have, s.name(xproto.Atom(xgb.Get32(list[i:]))))
	}
	i := slices.IndexFunc(forms, func(form string) bool { return slices.Contains(have, form) })
	if i < 0 {
		return "", nil, nil
	}
	data, err = s.convert(ctx, clipboard, s.atom(forms[i]), most)
	return forms[i], data, err
}

// convert asks the program that holds a selection for one of its forms; one that it does not give is empty.
func (s *Server) convert(ctx context.Context, selection, form xproto.Atom, most int) ([]byte, error) {
	property := s.atom("REALWORD_PASTE")
	for len(s.told) > 0 {
		<-s.told
	}
	xproto.DeleteProperty(s.conn, s.win, property)
	xproto.ConvertSelection(s.conn, s.win, selection, form, property, xproto.TimeCurrentTime)
	next := func(mine func(xgb.Event) bool) error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case e, open := <-s.told:
				if !open {
					return errors.New("the X server has ended the connection")
				}
				if mine(e) {
					return nil
				}
			}
		}
	}
	given := xproto.Atom(0)
	err := next(func(e xgb.Event) bool {
		n, ok := e.(xproto.SelectionNotifyEvent)
		given = n.Property
		return ok && n.Selection == selection && n.Target == form
	})
	if err != nil || given == 0 {
		return nil, err
	}
	take := func() (*xproto.GetPropertyReply, error) {
		r, err := xproto.GetProperty(s.conn, true, s.win, property, xproto.GetPropertyTypeAny, 0, uint32(most/4+1)).Reply()
		if err == nil && (r.BytesAfter > 0 || len(r.Value) > most) {
			err = ErrTooLarge
		}
		return r, err
	}
	reply, err := take()
	if err != nil || reply.Type != s.atom("INCR") {
		if err != nil {
			return nil, err
		}
		return reply.Value, nil
	}
	for data := []byte{}; ; {
		err := next(func(e xgb.Event) bool {
			n, ok := e.(xproto.PropertyNotifyEvent)
			return ok && n.Atom == property
		})
		if err != nil {
			return nil, err
		}
		if reply, err = take(); err != nil {
			return nil, err
		}
		if len(reply.Value) == 0 {
			return data, nil
		}
		if data = append(data, reply.Value...); len(data) > most {
			return nil, ErrTooLarge
		}
	}
}
