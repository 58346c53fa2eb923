package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// usualBuild is the options that make builds the program with.
const usualBuild = "-tags=migrated_fynedo"

// builds is the programs that tests have built, by their options; TestMain removes them.
var builds struct {
	sync.Mutex
	dir   string
	paths map[string]string
}

// built is the program with all that is linked into it, built with options, once for all tests. With the usual ones it is what REALWORD_BUILT
// names, where make has just built it.
func built(t *testing.T, options string) string {
	t.Helper()
	if path := os.Getenv("REALWORD_BUILT"); path != "" && options == usualBuild {
		return path
	}
	builds.Lock()
	defer builds.Unlock()
	if path := builds.paths[options]; path != "" {
		return path
	}
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "realword-built")
		if err != nil {
			t.Fatal(err)
		}
		builds.dir, builds.paths = dir, map[string]string{}
	}
	path := filepath.Join(builds.dir, strconv.Itoa(len(builds.paths)), "realword")
	if out, err := exec.Command("go", append(append([]string{"build", "-o", path}, strings.Fields(options)...), ".")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	builds.paths[options] = path
	return path
}
