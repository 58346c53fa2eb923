// Package hub downloads released models from a Hugging Face compatible hub, and knows which ones there are.
//
// Contract: nothing is asked of the network before Plan is called, and nothing but what a catalogue's entry names is fetched. A
// download folder is complete when Fetch returns nil, and only then: every file was fetched under another name, has the size that the
// hub lists, and, where the hub lists a hash (SHA-256 of large files, git's hash of small ones), that hash over all its bytes, also
// those that an earlier attempt fetched. Whatever ends Fetch (a lost connection, the end of ctx, kill -9, a full disk), the next one
// resumes where it stopped: at most one chunk of each file is fetched twice. The token goes to the hub and to no other host. One program
// at a time works on a download folder. The environment is read as the hub's own tools do: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH,
// HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE. Files in their cache are linked or copied and not fetched; the cache is never written to, and
// of their files only the token's, by SaveToken. Errors name the thing and the remedy. The result is a folder of checkpoints, which
// package bundle makes a model of.
package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"realword/inference/files"
	"realword/inference/message"
)

// DefaultEndpoint is the public hub, used when HF_ENDPOINT names no other.
const DefaultEndpoint = "https://huggingface.co"

// Client asks one hub. Its fields may be set before the first call; after that it may be used from any goroutine.
type Client struct {
	Endpoint string // without a slash at its end
	Token    string // "" asks as nobody
	Cache    string // folder of the hub's own tools with models--… in it; "" has none
	Offline  bool   // HF_HUB_OFFLINE: the network must not be used

	tokenFile string // where a token would be looked for
	tokenFrom string // see TokenFrom
	web       *http.Client
	gate      gate
	chunk     int64                                               // bytes after which a partial file is made to last
	quiet     time.Duration                                       // without a byte for so long a download is said to wait
	stall     time.Duration                                       // without a byte for so long a connection counts as cut
	pause     func(ctx context.Context, wait time.Duration) error // between attempts
	write     func(f *os.File, p []byte) (int, error)
}

// New is a client as the environment says; getenv is os.Getenv or stands for it.
func New(getenv func(string) string) *Client {
	c := &Client{
		Endpoint: strings.TrimRight(strings.TrimSpace(getenv("HF_ENDPOINT")), "/"), chunk: 16 << 20, quiet: 5 * time.Second,
		stall: time.Minute, pause: sleep, write: (*os.File).Write,
	}
	if c.Endpoint == "" {
		c.Endpoint = DefaultEndpoint
	}
	home := getenv("HF_HOME")
	if home == "" {
		cache := getenv("XDG_CACHE_HOME")
		if user, err := os.UserHomeDir(); err == nil && cache == "" {
			cache = filepath.Join(user, ".cache")
		}
		if cache != "" {
			home = filepath.Join(cache, "huggingface")
		}
	}
	home = expand(home)
	c.tokenFile = expand(getenv("HF_TOKEN_PATH"))
	if home != "" {
		c.Cache = filepath.Join(home, "hub")
		if c.tokenFile == "" {
			c.tokenFile = filepath.Join(home, "token")
		}
	}
	for _, name := range []string{"HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE"} { // the later one is the newer name
		if v := getenv(name); v != "" {
			c.Cache = expand(v)
		}
	}
	for _, name := range []string{"HUGGING_FACE_HUB_TOKEN", "HF_TOKEN"} {
		if v := strings.TrimSpace(getenv(name)); v != "" {
			c.Token, c.tokenFrom = v, name
		}
	}
	if c.Token == "" && c.tokenFile != "" {
		if info, err := os.Stat(c.tokenFile); err == nil && files.IsFile(info.Mode()) && info.Size() < maxToken {
			if data, err := os.ReadFile(c.tokenFile); err == nil {
				if c.Token = strings.TrimSpace(string(data)); c.Token != "" {
					c.tokenFrom = c.tokenFile
				}
			}
		}
	}
	switch strings.ToUpper(getenv("HF_HUB_OFFLINE")) {
	case "1", "ON", "YES", "TRUE":
		c.Offline = true
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = c.stall
	c.web = &http.Client{Transport: transport, CheckRedirect: redirect}
	return c
}

// expand reads "~/x" as a shell does.
func expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/' || rest[0] == os.PathSeparator) {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

func sleep(ctx context.Context, wait time.Duration) error {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// redirect lets the token go to the host that was asked, also where that leads from http to https, and to no other: Go itself would hand it
// on to other ports and to hosts below that one. From https nobody leads to http but a network that reads along.
func redirect(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	safer := first.Scheme == "http" && next.URL.Scheme == "https" && first.Hostname() == next.URL.Hostname() &&
		slices.Contains([]string{"", "80"}, first.Port()) && slices.Contains([]string{"", "443"}, next.URL.Port())
	if !safer && (next.URL.Scheme != first.Scheme || next.URL.Host != first.Host) {
		next.Header.Del("Authorization")
	}
	switch {
	case first.Scheme == "https" && next.URL.Scheme != "https":
		return errPortal
	case len(before) > 10:
		return message.New("it redirects without end")
	}
	return nil
}

// errPortal marks an answer that comes from the network in between.
var errPortal = message.New("a web page arrived instead of the file: this network wants you to log in first, or there is a proxy in between. Open any page in a browser, log in, and try again")

// A Problem is what the hub or the way to it said; Text has the remedy.
type Problem struct {
	Status int   // of HTTP; 0: there was no answer
	Text   error // for people
	Err    error
	retry  bool          // the same may work later
	wait   time.Duration // that the hub asked for
}

func (p *Problem) Error() string { return p.Text.Error() }

// Unwrap is the sentence and its cause.
func (p *Problem) Unwrap() []error {
	if p.Err == nil {
		return []error{p.Text}
	}
	return []error{p.Text, p.Err}
}

// Page is the address of something on the hub, as in Page("OWNER/NAME").
func (c *Client) Page(at string) string { return c.Endpoint + "/" + at }

// ask sends one request; the caller closes the body of the answer. what names the thing in errors, and repository is what it belongs to.
func (c *Client) ask(ctx context.Context, address, repository, what string, header http.Header) (*http.Response, error) {
	if c.Offline {
		return nil, &Problem{Text: message.Errorf("%s cannot be downloaded because HF_HUB_OFFLINE forbids network access: unset it and try again",
			what)}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Problem{Text: message.Errorf("%s is not the address of a hub: set HF_ENDPOINT to one like %s, or unset it", c.Endpoint,
			DefaultEndpoint), Err: err}
	}
	if header != nil {
		r.Header = header
	}
	r.Header.Set("User-Agent", "realword")
	r.Header.Set("Accept-Encoding", "identity") // ranges count the file's own bytes
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	answer, err := c.web.Do(r)
	if err != nil {
		return nil, c.noAnswer(ctx, err)
	}
	if answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusPartialContent {
		return answer, nil
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)) // so that the connection can be used again
	return nil, c.refusal(answer, repository, what)
}

// noAnswer words why there was no answer at all.
func (c *Client) noAnswer(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	host := c.Endpoint
	if u, e := url.Parse(c.Endpoint); e == nil && u.Host != "" {
		host = u.Host
	}
	if errors.Is(err, errPortal) {
		return &Problem{Text: errPortal, Err: err}
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		if u, e := url.Parse(failed.URL); e == nil && u.Host != "" {
			host = u.Host
		}
		err = failed.Err
	}
	var name *net.DNSError
	var code syscall.Errno
	var slow net.Error
	var proxy *net.OpError
	why := err
	switch { // in the words for it alone, without the functions that failed
	case errors.As(err, &proxy) && proxy.Op == "proxyconnect": // it is that address which does not answer
	case errors.As(err, &name):
		why = message.New("its name is not known")
	case errors.As(err, &code):
		why = code
	case errors.As(err, &slow) && slow.Timeout():
		why = syscall.ETIMEDOUT
	}
	if strings.Contains(why.Error(), "certificate") {
		return &Problem{Text: message.Errorf("the certificate of %s is not valid (%v): this network may want you to log in first, or intercepts connections; check the clock of this machine, log in with a browser, and try again", host, why), Err: err}
	}
	return &Problem{Text: message.Errorf("%s cannot be reached (%v): check the connection, and HTTPS_PROXY if there is a proxy, and try again; what was downloaded is kept", host, why), Err: err, retry: true}
}

// refusal words an answer that is none of the file.
func (c *Client) refusal(answer *http.Response, repository, what string) error {
	p := &Problem{Status: answer.StatusCode}
	code := answer.Header.Get("X-Error-Code")
	gated := code == "GatedRepo"
	signIn := message.Errorf("create a token at %s and enter it under Models, Get real models, Access token, or set it as HF_TOKEN in the environment",
		c.Page("settings/tokens"))
	switch s := answer.StatusCode; {
	case (s == http.StatusForbidden || s == http.StatusUnauthorized) && gated && c.Token == "":
		p.Text = message.Errorf("%s is available only to people who accept its terms: accept them at %s, then %v", repository, c.Page(repository),
			signIn)
	case s == http.StatusUnauthorized && c.Token == "":
		p.Text = message.Errorf("%s is available only to people who are signed in, or there is no %s at all: %v", what, repository, signIn)
	case s == http.StatusUnauthorized:
		p.Text = message.Errorf("the hub rejects the token: %v", signIn)
	case s == http.StatusForbidden && gated:
		p.Text = message.Errorf("%s is available only to people who accept its terms: accept them at %s with the account of the token, and try again", repository, c.Page(repository))
	case s == http.StatusForbidden:
		p.Text = message.Errorf("the hub refuses %s: see %s for what it requires, and check that the token may read it", what, c.Page(repository))
	case s == http.StatusNotFound || s == http.StatusGone:
		p.Text = message.Errorf("the hub has no %s: it was moved or withdrawn; see %s, or update Realword", what, c.Page(repository))
	case s == http.StatusProxyAuthRequired || s == http.StatusNetworkAuthenticationRequired:
		p.Text = message.Errorf("a proxy wants you to log in (%d): log in with a browser, or put name and password into HTTPS_PROXY", s)
	case s == http.StatusTooManyRequests:
		p.retry, p.wait = true, retryAfter(answer.Header.Get("Retry-After"), time.Now())
		p.Text = message.New("the hub had too many requests from this address (429): wait a few minutes and try again; a token (HF_TOKEN) allows more")
	case s == http.StatusRequestTimeout || s >= 500:
		p.retry, p.wait = true, retryAfter(answer.Header.Get("Retry-After"), time.Now())
		p.Text = message.Errorf("the hub has a problem (%s): try again later; what was downloaded is kept", answer.Status)
	default:
		p.Text = message.Errorf("the hub answers %s for %s: see %s, or try again later", answer.Status, what, c.Page(repository))
	}
	return p
}

// retryAfter reads seconds or a date; 0: nothing was asked.
func retryAfter(text string, now time.Time) time.Duration {
	const longest = time.Hour
	var seconds int64
	if _, err := fmt.Sscanf(text, "%d", &seconds); err == nil && !strings.Contains(text, ":") {
		return min(max(time.Duration(min(seconds, 3600))*time.Second, 0), longest)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), longest)
	}
	return 0
}

// isPage tells whether an answer is a web page.
func isPage(answer *http.Response) bool {
	kind := strings.ToLower(answer.Header.Get("Content-Type"))
	return strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml")
}

// patience is for how long a file is tried without a byte of progress: a download of hours goes on in the morning though the network was
// away for a while at night. Somebody waits for the answer to a question: that is tried for seconds.
const (
	patience    = 12 * time.Hour
	forQuestion = 7 * time.Second
)

func pauseOf(attempt int) time.Duration { return min(time.Second<<min(attempt, 5), 30*time.Second) }

// again calls do until it works, fails for good, or was in vain for the longest that is waited. do tells whether it made progress. pause
// waits before the next time.
func (c *Client) again(ctx context.Context, longest time.Duration, pause func(why *Problem, wait time.Duration) error,
	do func() (progress bool, err error),
) error {
	const mostAsked = 30 // pauses that the hub asks for are made so often at least
	var waited, asked time.Duration
	for attempt, times := 0, 0; ; {
		progress, err := do()
		var p *Problem
		if err == nil || ctx.Err() != nil || !errors.As(err, &p) || !p.retry {
			return err
		}
		if progress {
			attempt, times, waited, asked = 0, 0, 0, 0
		}
		wait := p.wait
		if wait > 0 {
			times++
			asked += wait
		} else {
			wait = pauseOf(attempt)
			attempt++
			waited += wait
		}
		if waited > longest || asked > longest && times >= mostAsked {
			return err
		}
		if err := pause(p, wait); err != nil {
			return err
		}
	}
}

// gate is what questions go through. While the hub wants a pause, it is closed for all of them.
type gate struct {
	sync.RWMutex
	pauses int
}

// rest closes the gate for a pause that a question was told to make which went through after so many. Where several were told, it is one.
func (g *gate) rest(after int, pause func() error) error {
	g.Lock()
	defer g.Unlock()
	if g.pauses > after {
		return nil
	}
	g.pauses++
	return pause()
}

// json asks for a small JSON document. next is the address of its next page, "" where there is none.
func (c *Client) json(ctx context.Context, address, repository, what string, into any) (next string, err error) {
	const most = 32 << 20
	after := 0
	err = c.again(ctx, forQuestion, func(why *Problem, wait time.Duration) error {
		pause := func() error { return c.pause(ctx, wait) }
		if why.wait == 0 {
			return pause()
		}
		return c.gate.rest(after, pause)
	}, func() (bool, error) {
		c.gate.RLock()
		defer c.gate.RUnlock()
		after = c.gate.pauses
		answer, err := c.ask(ctx, address, repository, what, nil)
		if err != nil {
			return false, err
		}
		defer answer.Body.Close()
		if isPage(answer) {
			return false, &Problem{Text: errPortal, Err: errPortal}
		}
		data, err := io.ReadAll(io.LimitReader(answer.Body, most))
		if err != nil {
			return false, c.noAnswer(ctx, err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			return false, &Problem{Text: message.Errorf("%s does not answer like a hub (%s): log in to the network with a browser, or check HF_ENDPOINT", c.Endpoint, brief(err.Error())), Err: err}
		}
		next = nextPage(answer)
		return true, nil
	})
	return next, err
}

func brief(text string) string { return files.Shown(text, 120) }

// nextPage reads a header like `Link: <https://…>; rel="next"`.
func nextPage(answer *http.Response) string {
	for _, link := range strings.Split(answer.Header.Get("Link"), ",") {
		address, kind, _ := strings.Cut(link, ";")
		address = strings.Trim(strings.TrimSpace(address), "<>")
		if u, err := url.Parse(address); err == nil && strings.Contains(kind, `rel="next"`) && answer.Request != nil {
			if u = answer.Request.URL.ResolveReference(u); u.Host == answer.Request.URL.Host {
				return u.String()
			}
		}
	}
	return ""
}
