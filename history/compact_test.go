package history

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
)

const openerVariable = "REALWORD_HISTORY_OPENER" // path of a history to open until it is killed

func init() {
	children[openerVariable] = func(path string) {
		fmt.Println(0)
		if _, err := Open(path); err != nil {
			fail(err)
		}
		time.Sleep(time.Hour)
	}
}

// trimmed is a history with some of everything, most of whose file is free.
func trimmed(t *testing.T) (path string, all map[string]string) {
	t.Helper()
	path = sample(t, t.TempDir())
	s := open(t, path)
	for _, bytes := range []int{20 << 20, 0} {
		err := s.update(func(c *change) error {
			if err := c.Bucket(metaBucket).Put([]byte("kept"), make([]byte, 2<<20)); err != nil {
				return err
			}
			for n := range 4 {
				name, err := fmt.Appendf(nil, "large %d", n), error(nil)
				if err = c.Bucket(metaBucket).Delete(name); bytes > 0 {
					err = c.Bucket(metaBucket).Put(name, make([]byte, bytes))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all = everything(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if size := fileSize(path); size < 80<<20 {
		t.Fatalf("the file has %d bytes", size)
	}
	return path, all
}

// everything is what a history's buckets hold, and where they go on counting.
func everything(t *testing.T, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			all[string(name)] = fmt.Sprint(b.Sequence())
			return b.ForEach(func(k, v []byte) error {
				all[string(name)+"/"+string(k)] = string(v)
				return nil
			})
		})
	})
	if err := errors.Join(err, s.Check()); err != nil {
		t.Fatal(err)
	}
	return all
}

// What was trimmed is given back to the disk when the history is opened next, and all else stays.
func TestATrimmedFileBecomesSmall(t *testing.T) {
	fat, want := trimmed(t)
	path := fat
	if runtime.GOOS != "windows" { // a file in another place, with permissions of its own
		path = filepath.Join(t.TempDir(), "history.db")
		base, _ := split(fat)
		blobs, _ := split(path)
		if err := errors.Join(os.Chmod(fat, 0o640), os.Symlink(fat, path), os.Rename(base+".blobs", blobs+".blobs")); err != nil {
			t.Fatal(err)
		}
	}
	// a program died over it
	if err := os.WriteFile(filepath.Join(filepath.Dir(fat), "history"+compacted), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if size := fileSize(fat); size > 20<<20 {
		t.Errorf("the file still has %d MB", size>>20)
	}
	if got := everything(t, s); !maps.Equal(got, want) {
		t.Errorf("%d records after %d, or others", len(got), len(want))
	}
	if info, err := os.Stat(fat); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o640) {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(path); err != nil || runtime.GOOS != "windows" && info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(fat), "*"+compacted)); len(left) > 0 || err != nil {
		t.Errorf("%v is left, %v", left, err)
	}
	if _, err := s.NewSession("afterwards", noon); err != nil {
		t.Error(err)
	}
	var busy *Error
	if _, err := (Options{Wait: time.Millisecond}).Open(path); !errors.As(err, &busy) || busy.Kind != Busy {
		t.Errorf("opened twice: %v", err)
	}
	s.Close()
	if s = open(t, path); len(everything(t, s)) <= len(want) {
		t.Error("what came afterwards is gone")
	}
}

// Where there is no place for the smaller file the history is opened as it is.
func TestAFileThatCannotBecomeSmall(t *testing.T) {
	path, want := trimmed(t)
	in := filepath.Join(filepath.Dir(path), "history"+compacted, "a folder")
	if err := os.MkdirAll(in, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if size := fileSize(path); size < 80<<20 {
		t.Errorf("the file has %d bytes", size)
	}
	if got := everything(t, s); !maps.Equal(got, want) {
		t.Errorf("%d records after %d, or others", len(got), len(want))
	}
}

// A program that is killed while it opens a history, or makes it small, loses nothing.
func TestKilledWhileAFileBecomesSmall(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path, want := trimmed(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	small, halves := 0, 0
	for kill := range 12 {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		child := exec.Command(program)
		runAndKill(t, child, openerVariable+"="+path, time.Duration(kill)*6*time.Millisecond, 0)
		if fileSize(path) < 80<<20 {
			small++
		}
		if exists(filepath.Join(filepath.Dir(path), "history"+compacted)) {
			halves++
		}
		s := open(t, path)
		if got := everything(t, s); !maps.Equal(got, want) {
			t.Fatalf("kill %d: %d records after %d, or others", kill, len(got), len(want))
		}
		if s.Close(); fileSize(path) > 20<<20 {
			t.Fatalf("kill %d: the file has %d bytes at the next start", kill, fileSize(path))
		}
		if exists(filepath.Join(filepath.Dir(path), "history"+compacted)) {
			t.Fatalf("kill %d: half a file is left", kill)
		}
	}
	t.Logf("%d files were small already, of %d there was a half", small, halves)
}

// Of those who open a history at once while it becomes small, each gets the one that stays.
func TestOpenedAtOnceWhileAFileBecomesSmall(t *testing.T) {
	path, _ := trimmed(t)
	s := Options{unsynced: true, Wait: 20 * time.Second}
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			s, err := s.Open(path)
			if err == nil {
				_, err = s.NewSession(fmt.Sprint("session ", n), noon)
			}
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	last, err := s.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	sessions, err := last.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, one := range sessions {
		names[one.Name] = true
	}
	for n := range 6 {
		if name := fmt.Sprint("session ", n); !names[name] {
			t.Errorf("%s is lost", name)
		}
	}
}

// Who waits for a file that is replaced meanwhile gets the one that has its name.
func TestAFileIsReplacedWhileItIsWaitedFor(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file is not replaced there")
	}
	other := sample(t, t.TempDir())
	path := sample(t, t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		first, err := openFile(path, &bbolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		type opened struct {
			db  *bbolt.DB
			err error
		}
		got := make(chan opened)
		go func() {
			db, err := openFile(path, &bbolt.Options{Timeout: time.Minute})
			got <- opened{db, err}
		}()
		synctest.Wait()
		if err := errors.Join(os.Rename(other, path), first.Close()); err != nil {
			t.Fatal(err)
		}
		second := <-got
		if second.err != nil {
			t.Fatal(second.err)
		}
		defer second.db.Close()
		if _, err := openFile(path, &bbolt.Options{Timeout: time.Second}); err == nil {
			t.Error("the file that has the name is free")
		}
	})
}
