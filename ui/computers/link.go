package computers

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"realword/farm"
	"realword/inference/bundle"
	"realword/ui/i18n"
	"realword/ui/state"
)

// Link is this computer's server, where it shares its queue, and its connection to the farm that it belongs to.
type Link struct {
	dir, listen string
	told        func() // something has changed; called from any goroutine

	wake chan struct{} // the farm that this computer belongs to is another one, or somebody looks

	handed *handed       // the jobs of this window that a farm has
	done   chan struct{} // closed when all is
	doing  sync.Mutex    // one of what the user asks for at a time

	mu     sync.Mutex
	server *farm.Server
	line   *line // nil: there is no connection
	left   int   // how often a connection was ended
	now    Farm
	looked bool // somebody looks at the computers

	open *bundle.Bundle // that other computers may fetch; nil: none
	sent sent
}

// line is a connection to a farm, and the jobs that are there by it.
type line struct {
	*farm.Conn
	ctx  context.Context         // ends before the connection, and why is how those jobs end
	end  context.CancelCauseFunc // of ctx
	jobs sync.WaitGroup          // grows under the mutex of its link alone
}

// sent is a model that other computers can fetch from here.
type sent struct {
	model *bundle.Bundle
	conn  *farm.Conn
	stop  func()
}

// Farm is how the farm is, as a value.
type Farm struct {
	Sharing string // where the server of this computer listens; "": it does not
	Joined  farm.Joined
	Belongs bool  // this computer belongs to a farm, which Joined is
	Reached bool  // once at least: jobs can be handed over
	Away    bool  // it does not answer now
	Err     error // why it cannot be reached
	Status  farm.Status
	Keys    []farm.Key // who may reach the server of this computer
}

// How often a farm is looked at, and reached for.
const (
	lookOften  = time.Second // while somebody looks
	lookSeldom = 5 * time.Second
	reachAgain = 5 * time.Second
	reachOwn   = 30 * time.Second // the farm of this computer, that another program may serve
)

// patience is how long jobs may take to be taken back from a farm that is left.
const patience = 3 * time.Second

// newLink begins to reach for the farm that this computer belongs to, if it does, until the context ends.
func newLink(ctx context.Context, dir, listen string, told func()) *Link {
	l := &Link{dir: dir, listen: listen, told: told, wake: make(chan struct{}, 1), done: make(chan struct{}), handed: newHanded(dir)}
	go l.run(ctx)
	return l
}

// Now is how the farm is.
func (l *Link) Now() Farm {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// Conn is the connection to the farm; nil while there is none.
func (l *Link) Conn() *farm.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line == nil {
		return nil
	}
	return l.line.Conn
}

// enter is the way onto the farm for one job, which is over with jobs.Done; nil while there is none.
func (l *Link) enter() *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line != nil {
		l.line.jobs.Add(1)
	}
	return l.line
}

// Look has the computers be looked at more often.
func (l *Link) Look(on bool) {
	l.mu.Lock()
	changed := on != l.looked
	l.looked = on
	l.mu.Unlock()
	if changed && on {
		l.stir()
	}
}

func (l *Link) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Link) set(f func(*Farm)) {
	l.mu.Lock()
	f(&l.now)
	l.mu.Unlock()
	l.told()
}

// run reaches for the farm and looks at it.
func (l *Link) run(ctx context.Context) {
	defer l.close()
	for ctx.Err() == nil {
		rest := l.step(ctx)
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-time.After(rest):
		}
	}
}

// step reaches for the farm or looks at it, and answers when to do so again.
func (l *Link) step(ctx context.Context) time.Duration {
	if conn := l.Conn(); conn != nil {
		return l.look(ctx, conn)
	}
	left := l.settled()
	joined, access, err := farm.Farm(l.dir, hostname())
	if err != nil {
		if errors.Is(err, farm.ErrNone) {
			err = nil
		}
		if now := l.Now(); now.Belongs || now.Err != nil || err != nil {
			l.set(func(f *Farm) {
				f.Belongs, f.Reached, f.Away, f.Joined, f.Err, f.Status = false, false, false, farm.Joined{}, err, farm.Status{}
			})
		}
		return time.Hour
	}
	conn, err := farm.Dial(ctx, access)
	var one *line
	if err == nil {
		one = &line{Conn: conn}
		one.ctx, one.end = context.WithCancelCause(ctx)
	}
	l.mu.Lock()
	same := l.left == left
	if same {
		l.line = one
	}
	l.mu.Unlock()
	if !same { // this farm was left meanwhile
		if one != nil {
			one.end(nil)
			one.Close()
		}
		return 0
	}
	if err != nil {
		if now := l.Now(); joined.Own && now.Sharing == "" { // nobody serves it now, which is no trouble
			if now.Belongs || now.Reached || now.Err != nil {
				l.set(func(f *Farm) { *f = Farm{} })
			}
			return reachOwn
		}
		l.set(func(f *Farm) { f.Joined, f.Belongs, f.Away, f.Err = joined, true, true, err })
		return reachAgain
	}
	conn.OnChange(func(connected bool, why error) {
		if l.Conn() == conn {
			l.set(func(f *Farm) {
				f.Away, f.Err = !connected, nil
				if errors.Is(why, farm.ErrRefused) { // which no waiting mends
					f.Err = why
				}
			})
			l.stir()
		}
	})
	l.set(func(f *Farm) { f.Joined, f.Belongs, f.Reached, f.Away, f.Err = joined, true, true, false, nil })
	return l.look(ctx, conn)
}

// settled waits until nothing that the user has asked for is under way, and answers how often a connection was ended.
func (l *Link) settled() int {
	l.doing.Lock()
	defer l.doing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}

// Send has the computers of the farm get a model from here, if they lack it and may; nil: none.
func (l *Link) Send(b *bundle.Bundle) {
	l.mu.Lock()
	changed := b != l.open
	l.open = b
	l.mu.Unlock()
	if changed {
		l.stir()
	}
}

// send offers what Send has said.
func (l *Link) send(conn *farm.Conn) {
	l.mu.Lock()
	model := l.open
	l.mu.Unlock()
	if l.sent.model == model && l.sent.conn == conn {
		return
	}
	if l.sent.stop != nil {
		l.sent.stop()
	}
	l.sent = sent{model: model, conn: conn}
	if model != nil {
		if stop, err := conn.Offer(model); err == nil { // else who wants it hears that nobody sends it
			l.sent.stop = stop
		}
	}
}

// look asks how the farm is.
func (l *Link) look(ctx context.Context, conn *farm.Conn) time.Duration {
	l.send(conn)
	l.handed.takeBack(ctx, conn)
	try, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	status, err := conn.Status(try)
	var keys []farm.Key
	if l.Now().Sharing != "" {
		keys, _ = farm.Keys(l.dir) // what cannot be read is not shown
	}
	if l.Conn() != conn {
		return 0
	}
	l.set(func(f *Farm) {
		f.Away, f.Keys = !conn.Connected(), keys
		if err == nil {
			f.Status, f.Err = status, nil
		} else if conn.Connected() {
			f.Err = err
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.looked {
		return lookOften
	}
	return lookSeldom
}

// close ends everything, once the jobs are taken back.
func (l *Link) close() {
	defer close(l.done)
	l.hangUp()
	l.handed.close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		l.server.Close()
	}
	l.server = nil
}

// hangUp ends the connection, so that the next one is to the farm that this computer belongs to then. Jobs are taken back before.
func (l *Link) hangUp() {
	l.set(func(f *Farm) { f.Reached = false }) // first: what waits again must not begin at once
	l.mu.Lock()
	one := l.line
	l.line = nil
	l.left++
	l.mu.Unlock()
	if one == nil {
		return
	}
	one.end(state.ErrRecalled)
	back := make(chan struct{})
	go func() { one.jobs.Wait(); close(back) }()
	select {
	case <-back:
	case <-time.After(patience):
	}
	one.Close()
}

// errJoined is why a computer that has joined a farm does not share its own queue.
func errJoined() error { return i18n.Errorf("this computer belongs to another farm: leave it first") }

// Share begins to serve a farm.
func (l *Link) Share(ctx context.Context) error {
	l.doing.Lock()
	defer l.doing.Unlock()
	if l.Now().Sharing != "" {
		return nil
	}
	if joined, _, err := farm.Farm(l.dir, hostname()); err == nil && !joined.Own { // whose line would be forgotten
		return errJoined()
	}
	server, err := farm.Serve(farm.ServerOptions{Dir: l.dir, Listen: l.listen})
	if err != nil {
		return err
	}
	_, access, err := farm.Farm(l.dir, hostname())
	if err == nil {
		var conn *farm.Conn
		if conn, err = farm.Found(ctx, access, 1); err == nil {
			conn.Close()
		}
	}
	if err != nil {
		server.Close()
		return err
	}
	l.hangUp()
	l.mu.Lock()
	if ctx.Err() != nil { // the window closes
		l.mu.Unlock()
		server.Close()
		return ctx.Err()
	}
	l.server = server
	l.mu.Unlock()
	l.set(func(f *Farm) { f.Sharing = strings.Join(server.Addresses(), ", ") })
	l.stir()
	return nil
}

// Unshare ends the server. What is queued stays in its folder.
func (l *Link) Unshare() {
	l.doing.Lock()
	defer l.doing.Unlock()
	l.hangUp()
	l.mu.Lock()
	server := l.server
	l.server = nil
	l.mu.Unlock()
	if server != nil {
		server.Close()
	}
	l.set(func(f *Farm) { *f = Farm{} })
	l.stir()
}

// Pair is the line that lets one more computer in.
func (l *Link) Pair(name string, role farm.Role) (farm.Pairing, error) {
	l.doing.Lock()
	defer l.doing.Unlock()
	l.mu.Lock()
	server := l.server
	l.mu.Unlock()
	if server == nil {
		return farm.Pairing{}, i18n.Errorf("this computer does not share its queue: start sharing first")
	}
	p, err := server.Pair(strings.TrimSpace(name), role)
	l.stir()
	return p, err
}

// Revoke lets a computer out.
func (l *Link) Revoke(name string) error {
	l.doing.Lock()
	defer l.doing.Unlock()
	defer l.stir()
	conn := l.Conn()
	l.mu.Lock()
	server := l.server
	l.mu.Unlock()
	if server == nil {
		return farm.Revoke(l.dir, name)
	}
	err := server.Revoke(name)
	if err == nil && conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_ = conn.Forget(ctx, name) // or it goes by its age
	}
	return err
}

// Join has this computer belong to a farm, by a pairing.
func (l *Link) Join(ctx context.Context, line string) error {
	l.doing.Lock()
	defer l.doing.Unlock()
	line = strings.TrimSpace(line)
	if i := strings.LastIndexByte(line, ' '); i >= 0 { // with the command before it
		line = line[i+1:]
	}
	p, err := farm.ParsePairing(line)
	if err != nil {
		return err
	}
	if p.Role != farm.Client {
		return i18n.Errorf("this line is for a computer that makes pictures: run “realword worker” there with it, and ask for a line for one that asks for pictures")
	}
	access, err := p.Access()
	if err != nil {
		return err
	}
	return l.become(ctx, access, func() error { return farm.Join(l.dir, p) })
}

// JoinServer has this computer belong to the farm on a NATS server that exists; the farm is made there where it is not.
func (l *Link) JoinServer(ctx context.Context, address, credentials string) error {
	l.doing.Lock()
	defer l.doing.Unlock()
	address = strings.TrimSpace(address)
	access := farm.Credentials(hostname(), address, credentials)
	return l.become(ctx, access, func() error { return farm.JoinServer(l.dir, address, credentials) })
}

// become tries a farm, and keeps it.
func (l *Link) become(ctx context.Context, access farm.Access, keep func() error) error {
	if l.Now().Sharing != "" {
		return i18n.Errorf("this computer shares its own queue: stop sharing first")
	}
	try, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conn, err := patiently(try, farm.Barred, func() (*farm.Conn, error) { return farm.Dial(try, access) })
	if errors.Is(err, farm.ErrNoFarm) {
		conn, err = farm.Found(try, access, 1)
	}
	if err != nil {
		return err
	}
	conn.Close()
	if err := keep(); err != nil {
		return err
	}
	l.hangUp()
	l.stir()
	return nil
}

// patiently dials again while macOS may be asking the user whether the program may into the local network.
func patiently(ctx context.Context, asking func(error) bool, dial func() (*farm.Conn, error)) (conn *farm.Conn, err error) {
	for {
		if conn, err = dial(); !asking(err) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return conn, err
		case <-time.After(time.Second):
		}
	}
}

// Leave forgets the farm that this computer belongs to.
func (l *Link) Leave() error {
	l.doing.Lock()
	defer l.doing.Unlock()
	err := farm.Leave(l.dir)
	l.hangUp()
	l.set(func(f *Farm) { *f = Farm{Sharing: f.Sharing} })
	l.stir()
	return err
}

// hostname is what this computer is called.
func hostname() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return farm.ThisComputer
}

// firstAddress is what of a list of addresses people are shown: one that others reach.
func firstAddress(list string) string {
	first, _, _ := strings.Cut(list, ", ")
	if host, _, err := net.SplitHostPort(first); err == nil && host == "" {
		return list
	}
	return first
}
