package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"realword/inference/wait"
)

// fakeHub behaves as the hub does: an API, files that redirect to another host with ranges, and what goes wrong on the way.
type fakeHub struct {
	*httptest.Server
	cdn   *httptest.Server
	files map[string][]byte // "OWNER/NAME/PATH"

	mu       sync.Mutex
	served   map[string][]span // of every file, in the order of requests
	headers  []http.Header     // that the CDN got
	asked    []string          // paths that the hub got
	refuse   func(w http.ResponseWriter, r *http.Request) bool
	cdnDoes  func(w http.ResponseWriter, r *http.Request, name string) bool
	cut      func(name string, request int) int64         // bytes after which the connection is cut; negative: not
	passed   func(r *http.Request, request int, at int64) // after each block of 4 KB
	sizeLie  int64                                        // added to the sizes that are listed
	noRanges bool
	chunked  bool // the CDN tells no length
}

type span struct{ from, to int64 }

const small = 2000 // bytes: smaller files are no LFS files

func newHub(t testing.TB, files map[string][]byte) *fakeHub {
	h := &fakeHub{files: files, served: map[string][]span{}, cut: func(string, int) int64 { return -1 }}
	h.cdn = httptest.NewServer(http.HandlerFunc(h.serveFile))
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(func() { h.Close(); h.cdn.Close() })
	return h
}

func (h *fakeHub) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.asked = append(h.asked, r.URL.Path)
	h.mu.Unlock()
	if h.refuse != nil && h.refuse(w, r) {
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/models/"); ok {
		parts := strings.Split(rest, "/")
		repository := parts[0] + "/" + parts[1]
		w.Header().Set("Content-Type", "application/json")
		if parts[2] == "revision" {
			_ = json.NewEncoder(w).Encode(map[string]any{"sha": commit, "gated": strings.Contains(repository, "gated"), "cardData": map[string]any{"license": "apache-2.0"}})
			return
		}
		if r.URL.RawQuery != "recursive=1" && r.URL.Query().Get("cursor") == "" || parts[3] != commit {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		list := []map[string]any{{"type": "directory", "path": "ckpts", "oid": "0", "size": 0}}
		for name, data := range h.files {
			path, ok := strings.CutPrefix(name, repository+"/")
			if !ok {
				continue
			}
			f := map[string]any{"type": "file", "path": path, "oid": gitHash(data), "size": int64(len(data)) + h.sizeLie}
			if len(data) >= small {
				f["lfs"] = map[string]any{"oid": shaOf(data), "size": int64(len(data)) + h.sizeLie, "pointerSize": 135}
			}
			list = append(list, f)
		}
		if r.URL.Query().Get("cursor") == "" { // in two pages
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?recursive=1&cursor=x>; rel="next"`, h.URL, r.URL.Path))
			list = list[:1]
		} else {
			list = list[1:]
		}
		_ = json.NewEncoder(w).Encode(list)
		return
	}
	repository, path, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/resolve/"+commit+"/")
	name := repository + "/" + path
	data, there := h.files[name]
	if !ok || !there {
		w.Header().Set("X-Error-Code", "EntryNotFound")
		http.Error(w, "Entry not found", http.StatusNotFound)
		return
	}
	w.Header().Set("X-Repo-Commit", commit)
	w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
	w.Header().Set("X-Linked-Etag", `"`+shaOf(data)+`"`)
	http.Redirect(w, r, h.cdn.URL+"/"+name+"?Signature=abc", http.StatusFound)
}

func (h *fakeHub) serveFile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	data := h.files[name]
	h.mu.Lock()
	request := len(h.served[name])
	h.served[name] = append(h.served[name], span{})
	h.headers = append(h.headers, r.Header.Clone())
	h.mu.Unlock()
	if h.cdnDoes != nil && h.cdnDoes(w, r, name) {
		return
	}
	var from int64
	w.Header().Set("ETag", `"`+shaOf(data)+`"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	status := http.StatusOK
	if text, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && !h.noRanges {
		from, _ = strconv.ParseInt(strings.TrimSuffix(text, "-"), 10, 64)
		w.Header().Set("Accept-Ranges", "bytes")
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		status = http.StatusPartialContent
	}
	if !h.chunked {
		w.Header().Set("Content-Length", strconv.FormatInt(int64(len(data))-from, 10))
	}
	w.WriteHeader(status)
	cut := h.cut(name, request)
	at := from
	for at < int64(len(data)) {
		n := min(int64(4096), int64(len(data))-at)
		if cut >= 0 {
			n = min(n, from+cut-at)
		}
		if n <= 0 {
			break
		}
		if _, err := w.Write(data[at : at+n]); err != nil {
			break
		}
		at += n
		h.mu.Lock()
		h.served[name][request] = span{from, at}
		h.mu.Unlock()
		if h.passed != nil {
			w.(http.Flusher).Flush()
			h.passed(r, request, at)
		}
	}
	if at < int64(len(data)) {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// twice is how many bytes of a file were served more than once, and the requests for it.
func (h *fakeHub) twice(name string) (bytes int64, requests int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var furthest int64
	for _, s := range h.served[name] {
		bytes += max(0, min(furthest, s.to)-s.from)
		furthest = max(furthest, s.to)
	}
	return bytes, len(h.served[name])
}

const commit = "0123456789abcdef0123456789abcdef01234567"

func shaOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// gitHash is `git hash-object`.
func gitHash(data []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...))
	return hex.EncodeToString(sum[:])
}

func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// client is one of a user with this environment, who waits for nobody. What it would have waited is kept.
func (h *fakeHub) client(t testing.TB, env map[string]string) (*Client, *[]time.Duration) {
	t.Helper()
	home := t.TempDir()
	c := New(func(name string) string {
		if v, ok := env[name]; ok {
			return v
		}
		return map[string]string{"HF_ENDPOINT": h.URL + "/", "HF_HOME": home}[name]
	})
	var waits []time.Duration
	var mu sync.Mutex
	c.chunk, c.quiet = 16<<10, wait.Longest
	c.pause = func(ctx context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		waits = append(waits, d)
		return ctx.Err()
	}
	return c, &waits
}

const repo = "some/model"

// entry wants the files of the repository by their names.
func entry(names ...string) Entry {
	e := Entry{Name: "tiny", Title: "Tiny", Parts: []Part{{Into: "source", Repository: repo, Revision: "main"}}}
	for _, n := range names {
		e.Parts[0].Files = append(e.Parts[0].Files, Want{Any: []string{n}})
	}
	return e
}

func (h *fakeHub) plan(t testing.TB, c *Client, e Entry) Plan {
	t.Helper()
	p, err := c.Plan(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func have(t testing.TB, dir, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "source", path))
	if err != nil || string(got) != string(want) {
		t.Errorf("%s: %d bytes, wanted %d; %v", path, len(got), len(want), err)
	}
	for _, end := range []string{partial, partial + ".json"} {
		if _, err := os.Stat(filepath.Join(dir, "source", path+end)); err == nil {
			t.Errorf("%s%s is left", path, end)
		}
	}
}
