package mac

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/inference/wait"
)

// stood is a clipboard behind a script that stands for osascript, which has the arguments -l JavaScript SCRIPT WHAT FOLDER.
func stood(t *testing.T, text string) Clipboard {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("it has no sh")
	}
	t.Setenv("TMPDIR", t.TempDir())
	tool := filepath.Join(t.TempDir(), "osascript")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\nset -e\n[ \"$1 $2\" = '-l JavaScript' ] && grep -q NSPasteboard \"$3\"\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Clipboard{tool}
}

// nothingLeft tells of files that are left in the folder for short-lived ones.
func nothingLeft(t *testing.T) {
	t.Helper()
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestWhatTheClipboardHolds(t *testing.T) {
	const png = "\x89PNG picture"
	for name, c := range map[string]struct {
		tool string
		want Held
		err  string
	}{
		"a picture": {`[ "$4" = read ] && printf '\211PNG picture' >"$5/picture"; echo '{"form":"image/png"}'`, Held{Form: "image/png", Picture: []byte(png)}, ""},
		"files":     {`echo '{"files":["/Users/ä b/a.png","/c.jpg"]}'`, Held{Files: []string{"/Users/ä b/a.png", "/c.jpg"}}, ""},
		"nothing":   {`echo '{}'`, Held{}, ""},
		"too large": {`head -c 1000 /dev/zero >"$5/picture"; echo '{"form":"image/png"}'`, Held{}, "more than a picture"},
		"no file":   {`echo '{"form":"image/png"}'`, Held{}, "open "},
		"a fault":   {`echo "$3: execution error: Error: no (-2700)" >&2; exit 1`, Held{}, "exit status 1: execution error: Error: no (-2700)"},
		"nonsense":  {`echo hello`, Held{}, `osascript says "hello\n"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := stood(t, c.tool).Read(t.Context(), 100)
			said := ""
			if err != nil {
				said = err.Error()
			}
			if !strings.HasPrefix(said, c.err) || c.err == "" && err != nil || got.Form != c.want.Form ||
				!slices.Equal(got.Files, c.want.Files) || string(got.Picture) != string(c.want.Picture) {
				t.Errorf("%+v, %v", got, err)
			}
			nothingLeft(t)
		})
	}
	if _, err := (Clipboard{filepath.Join(t.TempDir(), "osascript")}).Read(t.Context(), 100); err == nil {
		t.Error("without the tool it says nothing")
	}
}

func TestWhatIsPutIntoTheClipboard(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "kept")
	t.Setenv("KEPT", kept)
	c := stood(t, `echo "$4" >"$KEPT"; cat "$5/$4" >>"$KEPT"; echo '{}'`)
	got := func(err error) string {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		nothingLeft(t)
		data, err := os.ReadFile(kept)
		if err != nil {
			t.Error(err)
		}
		return string(data)
	}
	if got := got(c.Copy([]byte("\x89PNG picture"))); got != "picture\n\x89PNG picture" {
		t.Errorf("of a picture it has got %q", got)
	}
	if got := got(c.CopyFiles([]string{`/ä "b".png`})); got != "files\n"+`["/ä \"b\".png"]` {
		t.Errorf("of a file it has got %q", got)
	}
	if err := stood(t, "exit 1").Copy(nil); err == nil {
		t.Error("what is not copied says nothing")
	}
}

// A clipboard whose owner does not answer is waited for as long as the context lasts.
func TestAClipboardThatDoesNotAnswer(t *testing.T) {
	began := filepath.Join(t.TempDir(), "began")
	t.Setenv("BEGAN", began)
	c := stood(t, `: >"$BEGAN"; exec sleep 1000`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Read(ctx, 100)
		done <- err
	}()
	wait.Until(t, "it is asked", func() bool { _, err := os.Stat(began); return err == nil })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	nothingLeft(t)
}

// What a program that was killed meanwhile has left goes with the next use: it has a picture of the user in it.
func TestWhatAProgramThatDiedHasLeftOfTheClipboard(t *testing.T) {
	c := stood(t, `echo '{}'`)
	left := filepath.Join(os.TempDir(), "realword-clipboard-123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "picture"), []byte("a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-24 * time.Hour)
	_ = os.Chtimes(filepath.Join(left, "picture"), then, then)
	_ = os.Chtimes(left, then, then)
	if _, err := c.Read(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a program that died has left stays for ever")
	}
}
