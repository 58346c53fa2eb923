package farm

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"realword/inference/message"
)

// Role is what a computer may do in a farm.
type Role string

// The roles.
const (
	Client Role = "client" // hands over jobs; may do everything
	Helper Role = "worker" // makes pictures; cannot queue or delete jobs
)

// Pairing is what a computer needs to reach a farm that Serve serves: one line to paste. Whoever has it can do what its role may, until
// it is revoked.
type Pairing struct {
	Name        string   `json:"n"`
	Role        Role     `json:"r"`
	Servers     []string `json:"s"` // host:port, the most likely first
	Certificate string   `json:"c"` // SHA-256 of the server's certificate, hex
	Seed        string   `json:"k"` // nkey seed of a user

	Replaces bool `json:"-"` // the name had one, which does not work any more; of a new pairing alone
}

const pairingPrefix = "realword-farm:"

// String is the line. It is a secret.
func (p Pairing) String() string {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings alone
	}
	return pairingPrefix + base64.RawURLEncoding.EncodeToString(data)
}

// ParsePairing reads a line that String wrote, with blanks around it or none.
func ParsePairing(line string) (p Pairing, err error) {
	bad := message.New("this is no pairing: copy the whole line that the farm printed, from realword-farm: to its end")
	text, ok := strings.CutPrefix(strings.TrimSpace(line), pairingPrefix)
	if !ok || len(text) > 1<<14 {
		return p, bad
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(data, &p) != nil {
		return Pairing{}, bad
	}
	print, err := hex.DecodeString(p.Certificate)
	_, keyErr := nkeys.FromSeed([]byte(p.Seed))
	if err != nil || len(print) != sha256.Size || keyErr != nil || len(p.Servers) == 0 || p.Role != Client && p.Role != Helper {
		return Pairing{}, bad
	}
	return p, nil
}

// Access is a way into a farm: of Pairing.Access, or of Credentials.
type Access struct {
	Name    string // of this computer
	servers []string
	options []nats.Option
}

// key is the pairing's own, and the public half of it, by which the server knows it.
func (p Pairing) key() (key nkeys.KeyPair, public string, err error) {
	if key, err = nkeys.FromSeed([]byte(p.Seed)); err == nil {
		public, err = key.PublicKey()
	}
	return key, public, err
}

// Access is the way that the pairing opens: TLS to the one server whose certificate the pairing names, and a key in place of a password.
func (p Pairing) Access() (Access, error) {
	key, public, err := p.key()
	if err != nil {
		return Access{}, err
	}
	a := Access{Name: p.Name, options: []nats.Option{nats.Nkey(public, key.Sign), nats.Secure(pinned(p.Certificate))}}
	for _, s := range p.Servers {
		a.servers = append(a.servers, "tls://"+s)
	}
	return a, nil
}

// Credentials is the way into a NATS server or cluster that exists: its addresses with commas between, and a file of credentials, "" for
// none. TLS there is verified as on the web.
func Credentials(name, servers, file string) Access {
	a := Access{Name: name, servers: strings.Split(servers, ",")}
	if file != "" {
		a.options = append(a.options, nats.UserCredentials(file))
	}
	return a
}

// errOther says that somebody else answers at the server's address.
var errOther = message.New("the server shows another certificate than the one in the pairing: pair this computer again, and if nobody has set up the farm anew, ask who answers there")

// pinned accepts one certificate, whatever its name and time: the pairing came by another way than the network.
func pinned(fingerprint string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares the whole certificate
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || fingerprintOf(s.PeerCertificates[0]) != fingerprint {
				return errOther
			}
			return nil
		},
	}
}

func fingerprintOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// connect reaches the farm, and goes on reaching for it as long as the connection is open.
func (a Access) connect(changed func(connected bool, why error)) (*nats.Conn, error) {
	var refused atomic.Bool
	options := append([]nats.Option{
		nats.Name(a.Name), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.Timeout(5 * time.Second), nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2),
		nats.DontRandomize(), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(64 << 20),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { changed(false, err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { // of others, who asked is told
			if is := refusal(err); is != nil && !refused.Swap(true) {
				changed(false, is) // it was let out while it was in
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			refused.Store(false)
			changed(true, nil)
		}),
	}, a.options...)
	nc, err := nats.Connect(strings.Join(a.servers, ","), options...)
	switch is := refusal(err); {
	case err == nil:
		return nc, nil
	case is != nil:
		return nil, is
	case errors.Is(err, errOther), strings.Contains(err.Error(), errOther.Error()):
		return nil, errOther
	}
	return nil, a.away(err)
}

// away is that the farm does not answer, as an error says.
func (a Access) away(err error) error { return a.awayOn(runtime.GOOS, err) }

func (a Access) awayOn(system string, err error) error {
	if barred(system, err) {
		return message.Errorf("the farm at %s does not answer (%w): check that it is running, and that macOS lets Realword into the local network (System Settings > Privacy & Security > Local Network)", strings.Join(a.servers, ", "), err)
	}
	return message.Errorf("the farm at %s does not answer (%w): check that it is running and that nothing blocks the connection", strings.Join(a.servers, ", "), err)
}

// Barred tells whether it may be macOS that keeps the program from a farm in the local network: until the user has let it in, which it asks
// for at the first try and without waiting for the answer, it says at once that there is no way there.
func Barred(err error) bool { return barred(runtime.GOOS, err) }

func barred(system string, err error) bool {
	var op *net.OpError
	if system != "darwin" || !errors.As(err, &op) {
		return false
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return strings.HasSuffix(strings.TrimSuffix(name.Name, "."), ".local")
	}
	to, ok := op.Addr.(*net.TCPAddr)
	return ok && errors.Is(err, syscall.EHOSTUNREACH) && (to.IP.IsPrivate() || to.IP.IsLinkLocalUnicast())
}

// refusal is an error that says that the server does not know the key, nil for others.
func refusal(err error) error {
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) {
		return message.Errorf("%w (%w)", ErrRefused, err)
	}
	return nil
}

// ErrRefused is a key that the server does not know.
var ErrRefused = message.New("the farm does not take this pairing: it was revoked, or belongs to another farm. Pair this computer again")
