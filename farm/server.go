package farm

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"realword/inference/files"
	"realword/inference/message"
)

// ServerOptions say how a farm is served.
type ServerOptions struct {
	Dir    string // its own folder: keys, certificate and everything that is queued; made where it is not there
	Listen string // host:port; an empty host means every address of this computer, port 0 a free one; empty means 127.0.0.1:0
	// bytes that may be queued and kept; 0: a tenth of what is free, at least 1 GB
	MaxBytes int64
	// told of every computer that was refused; may be nil
	OnRefused func(text string)
}

// Server is an embedded NATS server with JetStream: one for a home or a small studio.
type Server struct {
	dir    string
	print  string // fingerprint of the certificate
	server *server.Server
	stop   chan struct{}
	done   sync.WaitGroup

	release func() // of the folder

	mu      sync.Mutex
	options *server.Options
	let     []Key // who is let in
}

// maxMessage is what one message may hold: a State of a picture of 2048 × 2048 pixels fits.
const maxMessage = 8 << 20

// Serve starts a server, or says why not. Only who has a key from Pair is let in, and only over TLS. The owner's own pairing is in the
// folder, for this user of this computer. Close must be called in the end.
func Serve(o ServerOptions) (s *Server, err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, message.Errorf("the farm's folder cannot be made: %w: choose another one", err)
	}
	release, free, err := files.TryLock(filepath.Join(o.Dir, "serve.lock"))
	if err != nil {
		return nil, err
	}
	if !free { // two on one store would ruin it
		return nil, message.New("this farm is served already, by another window or by realword farm: use that one, or end it first")
	}
	s, err = serve(o)
	if err != nil {
		release()
		return nil, err
	}
	s.release = release
	return s, nil
}

func serve(o ServerOptions) (*Server, error) {
	certificate, err := certificateIn(o.Dir)
	if err != nil {
		return nil, err
	}
	host, portText, err := net.SplitHostPort(cmp.Or(o.Listen, "127.0.0.1:0"))
	port, portErr := strconv.Atoi(portText)
	if err != nil || portErr != nil || port < 0 || port > 65535 {
		return nil, message.Errorf("%s is no address to listen at: give host:port, such as 0.0.0.0:4222", o.Listen)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	if o.MaxBytes == 0 {
		free, err := files.Free(o.Dir)
		if err != nil {
			return nil, err
		}
		o.MaxBytes = max(free/10, 1<<30)
	}
	s := &Server{dir: o.Dir, print: fingerprintOf(certificate.Leaf), stop: make(chan struct{})}
	s.options = &server.Options{
		ServerName: "realword", Host: cmp.Or(host, "0.0.0.0"), Port: port, NoSigs: true, NoLog: true, MaxPayload: maxMessage,
		MaxControlLine: 4096, AuthTimeout: 5, TLSTimeout: 5, WriteDeadline: 10 * time.Second, PingInterval: 5 * time.Second, MaxPingsOut: 2,
		TLS: true, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13},
		JetStream: true, StoreDir: filepath.Join(o.Dir, "store"), JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: o.MaxBytes,
		SyncInterval: 5 * time.Second, MaxTracedMsgLen: -1,
	}
	if s.let, err = Keys(o.Dir); err != nil {
		return nil, err
	}
	s.options.Nkeys = users(s.let)
	if port > 0 { // the server would keep to itself that it cannot listen, and be waited for
		try, err := net.Listen("tcp", net.JoinHostPort(s.options.Host, portText))
		if err != nil {
			return nil, message.Errorf("the farm cannot listen at %s: check whether another program uses that port", o.Listen)
		}
		if err := try.Close(); err != nil {
			return nil, err
		}
	}
	if s.server, err = server.NewServer(s.options); err != nil {
		return nil, err
	}
	if o.OnRefused != nil {
		s.server.SetLoggerV2(&refusals{say: o.OnRefused}, false, false, false)
	}
	s.server.Start()
	if !s.server.ReadyForConnections(20 * time.Second) {
		s.server.Shutdown()
		return nil, message.Errorf("the farm cannot listen at %s: check whether another program uses that port", o.Listen)
	}
	if !s.server.JetStreamEnabled() {
		s.server.Shutdown()
		return nil, message.Errorf("the farm's store in %s cannot be opened: check whether another farm uses it, or the disk is full", s.options.StoreDir)
	}
	if err := s.owner(); err != nil {
		s.Close()
		return nil, err
	}
	s.done.Go(s.follow)
	return s, nil
}

// refusals is a logger of which only what concerns people stays, as sentences.
type refusals struct {
	say func(string)

	mu   sync.Mutex
	told map[string]time.Time // by the address of who was refused: one that has been let out tries again several times a second
}

// refusedAgain is after how long a computer that goes on to try is told of once more.
const refusedAgain = 10 * time.Minute

func (r *refusals) Noticef(string, ...any) {}
func (r *refusals) Debugf(string, ...any)  {}
func (r *refusals) Tracef(string, ...any)  {}
func (r *refusals) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	if !strings.Contains(text, "authentication error") {
		r.say(text)
		return
	}
	from, _, _ := strings.Cut(text, " ") // "10.0.0.7:40312 - cid:9 - authentication error - Nkey …"
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	r.mu.Lock()
	again := time.Since(r.told[from]) < refusedAgain
	if !again {
		if r.told == nil || len(r.told) > 1000 {
			r.told = map[string]time.Time{}
		}
		r.told[from] = time.Now()
	}
	r.mu.Unlock()
	if !again {
		r.say(fmt.Sprintf("a computer at %s was turned away: it has no pairing with this farm, or it was let out; \"realword farm pair NAME\" lets it in", from))
	}
}
func (r *refusals) Errorf(format string, v ...any) { r.Warnf(format, v...) }
func (r *refusals) Fatalf(format string, v ...any) { r.Warnf(format, v...) }

// Close ends the server. What is queued stays in its folder.
func (s *Server) Close() {
	close(s.stop)
	s.done.Wait()
	s.server.Shutdown()
	s.server.WaitForShutdown()
	if s.release != nil {
		s.release()
	}
}

// Address is where the server listens, as this computer reaches it.
func (s *Server) Address() string {
	a, ok := s.server.Addr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	if a.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port))
	}
	return a.String()
}

// Addresses is where other computers may reach the server, the likeliest first: every address of this one, or the one that was asked for.
func (s *Server) Addresses() []string {
	a, ok := s.server.Addr().(*net.TCPAddr)
	if !ok || !a.IP.IsUnspecified() {
		return []string{s.Address()}
	}
	port := strconv.Itoa(a.Port)
	var list []string
	all, err := net.InterfaceAddrs()
	for _, address := range all {
		if n, ok := address.(*net.IPNet); err == nil && ok && n.IP.IsGlobalUnicast() {
			list = append(list, net.JoinHostPort(n.IP.String(), port))
		}
	}
	slices.SortStableFunc(list, func(a, b string) int { return strings.Count(a, ":") - strings.Count(b, ":") }) // IPv4 first
	return append(list, s.Address())
}

// Key is a computer that may reach the farm. Of its key the server has the public half.
type Key struct {
	Name   string    `json:"name"`
	Role   Role      `json:"role"`
	Public string    `json:"public"`
	Since  time.Time `json:"since"`
}

// keyFile is where a farm keeps who may reach it.
func keyFile(dir string) string { return filepath.Join(dir, "keys.json") }

// Keys are the computers that may reach the farm of a folder, whether it is served or not.
func Keys(dir string) (keys []Key, err error) {
	data, err := files.Read(keyFile(dir), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &keys)
	}
	if err != nil {
		return nil, message.Errorf("the farm's keys in %s cannot be read (%w): remove the file and pair every computer again", keyFile(dir), err)
	}
	return keys, nil
}

// change writes the keys of a folder as f makes them. A server that runs sees it within a second.
func change(dir string, f func([]Key) ([]Key, error)) error {
	release, err := files.Lock(filepath.Join(dir, "keys.lock"))
	if err != nil {
		return err
	}
	defer release()
	keys, err := Keys(dir)
	if err == nil {
		keys, err = f(keys)
	}
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return err
	}
	return files.Write(keyFile(dir), files.Private, data)
}

// Pair lets one more computer in and returns its pairing, which is not kept: whoever loses it pairs again. A name that is there is
// replaced, so that the old line does not work any more. That of the farm's owner cannot be: see owner.
func Pair(dir, name string, role Role, servers []string, fingerprint string) (Pairing, error) {
	if name == ThisComputer {
		return Pairing{}, message.New("this computer is there already: give the other one another name")
	}
	return pair(dir, name, role, servers, fingerprint)
}

func pair(dir, name string, role Role, servers []string, fingerprint string) (Pairing, error) {
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Pairing{}, message.Errorf("%q cannot be a computer's name: give 1 to 64 letters", name)
	}
	key, err := nkeys.CreateUser()
	if err != nil {
		return Pairing{}, err
	}
	seed, err := key.Seed()
	if err != nil {
		return Pairing{}, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return Pairing{}, err
	}
	p := Pairing{Name: name, Role: role, Servers: servers, Certificate: fingerprint, Seed: string(seed)}
	err = change(dir, func(keys []Key) ([]Key, error) {
		left := slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k.Name == name && k.Role == role })
		p.Replaces = len(left) < len(keys)
		return append(left, Key{name, role, public, time.Now().UTC().Truncate(time.Second)}), nil
	})
	return p, err
}

// Revoke lets a computer out: its connections end at once, its pairing never works again.
func Revoke(dir, name string) error {
	return change(dir, func(keys []Key) ([]Key, error) {
		left := slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k.Name == name })
		if len(left) == len(keys) {
			return nil, message.Errorf("no computer called %q is paired", name)
		}
		return left, nil
	})
}

// Pair lets one more computer in; see the function Pair.
func (s *Server) Pair(name string, role Role) (Pairing, error) {
	p, err := Pair(s.dir, name, role, s.Addresses(), s.print)
	if err == nil {
		err = s.reload()
	}
	return p, err
}

// Revoke lets a computer out at once; see the function Revoke.
func (s *Server) Revoke(name string) error {
	if err := Revoke(s.dir, name); err != nil {
		return err
	}
	return s.reload()
}

// where is what a folder says of the server that serves it, for who pairs while it runs.
type where struct {
	Servers     []string `json:"servers"`
	Certificate string   `json:"certificate"`
}

// PairHere is Pair for a farm that another process of this computer serves from the folder.
func PairHere(dir, name string, role Role) (Pairing, error) {
	var w where
	data, err := files.Read(filepath.Join(dir, "server.json"), 1<<16)
	if err == nil {
		err = json.Unmarshal(data, &w)
	}
	if err != nil {
		return Pairing{}, message.Errorf("there is no farm in %s yet: start it with realword farm", dir)
	}
	return Pair(dir, name, role, w.Servers, w.Certificate)
}

// owner writes what others of this user need to reach the server: the port may be another one than the last time.
func (s *Server) owner() error {
	data, err := json.Marshal(where{s.Addresses(), s.print})
	if err == nil {
		err = files.Write(filepath.Join(s.dir, "server.json"), files.Private, data)
	}
	if err != nil {
		return err
	}
	const name = ThisComputer
	p, err := Own(s.dir)
	keys, keysErr := Keys(s.dir)
	_, public, keyErr := p.key()
	known := errors.Join(err, keysErr, keyErr) == nil && p.Certificate == s.print && slices.ContainsFunc(keys, func(k Key) bool {
		return k.Name == name && k.Role == Client && k.Public == public // the keys may come out of a backup
	})
	if known {
		p.Servers = []string{s.Address()}
	} else if p, err = pair(s.dir, name, Client, []string{s.Address()}, s.print); err != nil {
		return err
	}
	if err := Join(s.dir, p); err != nil {
		return err
	}
	return s.reload()
}

// follow takes over keys that another process has changed.
func (s *Server) follow() {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			_ = s.reload() // keys that cannot be read now: the old ones hold
		}
	}
}

func (s *Server) reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, err := Keys(s.dir)
	if err != nil || slices.Equal(keys, s.let) {
		return err
	}
	next := s.options.Clone()
	next.Nkeys = users(keys)
	if err := s.server.ReloadOptions(next); err != nil {
		return err
	}
	s.options, s.let = next, keys
	return nil
}

// users are the keys as the server wants them, each with what its role may.
func users(keys []Key) (list []*server.NkeyUser) {
	for _, k := range keys {
		u := &server.NkeyUser{Nkey: k.Public}
		if k.Role != Client {
			u.Permissions = helperPermissions()
		}
		list = append(list, u)
	}
	if len(list) == 0 { // nobody: without a key in the list, everybody could come in
		if nobody, err := nkeys.CreateUser(); err == nil {
			public, _ := nobody.PublicKey()
			list = append(list, &server.NkeyUser{Nkey: public})
		}
	}
	return list
}

// certificateIn is the server's certificate, made where there is none. It has no use for names and times: see pinned.
func certificateIn(dir string) (tls.Certificate, error) {
	path := filepath.Join(dir, "certificate.pem")
	data, err := files.Read(path, 1<<16)
	if errors.Is(err, fs.ErrNotExist) {
		if data, err = newCertificate(); err == nil {
			err = files.Write(path, files.Private, data)
		}
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	c, err := tls.X509KeyPair(data, data)
	if err != nil {
		return c, message.Errorf("the farm's certificate %s is damaged (%w): remove it and pair every computer again", path, err)
	}
	return c, nil
}

func newCertificate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "realword farm"}, DNSNames: []string{"realword"},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(public, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}
