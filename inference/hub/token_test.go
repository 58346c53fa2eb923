package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSaveToken: what is saved is what the next client asks with, only the user can read it, and the environment goes before it.
func TestSaveToken(t *testing.T) {
	home := filepath.Join(t.TempDir(), "new")
	file := filepath.Join(home, "token")
	client := func(env ...string) *Client {
		return New(func(name string) string {
			for _, e := range append(env, "HF_HOME="+home) {
				if v, ok := strings.CutPrefix(e, name+"="); ok {
					return v
				}
			}
			return ""
		})
	}
	c := client()
	if c.TokenFrom() != "" {
		t.Error(c.TokenFrom())
	}
	for _, bad := range []string{"two words", "hf_\x00", "hf_ä", strings.Repeat("a", 5000), "a\nb"} {
		if err := c.SaveToken(bad); err == nil || !strings.Contains(err.Error(), "no token") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if err := c.SaveToken(" hf_one\n"); err != nil || c.Token != "hf_one" || c.TokenFrom() != file {
		t.Fatalf("%q from %q, %v", c.Token, c.TokenFrom(), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := client().SaveToken("hf_two"); err != nil {
		t.Fatal(err)
	}
	if c = client(); c.Token != "hf_two" || c.TokenFrom() != file {
		t.Errorf("%q from %q", c.Token, c.TokenFrom())
	}
	given := client("HF_TOKEN=hf_env")
	if err := given.SaveToken("hf_three"); err == nil || !strings.Contains(err.Error(), "HF_TOKEN is set") || given.Token != "hf_env" {
		t.Errorf("%v", err)
	}
	if err := c.SaveToken(""); err != nil || c.Token != "" || c.TokenFrom() != "" {
		t.Errorf("%q, %v", c.Token, err)
	}
	if err := client().SaveToken(""); err != nil || client().Token != "" {
		t.Errorf("a second time: %v", err)
	}
}
