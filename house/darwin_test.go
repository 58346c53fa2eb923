package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// standIns is a folder to be put before PATH for app/darwin/package.sh: go builds a file with a line in it, fyne makes the bundle that Fyne
// would, and what else is of Apple only writes down in the file calls how it was called.
func standIns(t *testing.T, dir string) (path, calls string) {
	t.Helper()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	calls = filepath.Join(dir, "calls")
	note := `echo "$(basename "$0") $*" >>` + calls
	for name, script := range map[string]string{
		"go": `[ "$1" = build ] || exec ` + real + ` "$@"
for last; do :; done; [ "$last" = ./app ]
echo "go build for $CGO_CFLAGS and $CGO_LDFLAGS." >>` + calls + `
while [ "$1" != -o ]; do shift; done; echo "the program" >"$2"`,
		"fyne": note + `
while [ $# -gt 0 ]; do case $1 in --executable) exe=$2;; --src) src=$2;; esac; shift; done
mkdir -p Realword.app/Contents/MacOS Realword.app/Contents/Resources
cp "$exe" Realword.app/Contents/MacOS/
cp "$src/assets/icon.png" Realword.app/Contents/Resources/icon.icns
echo "Build = 2" >>"$src/FyneApp.toml"
echo "<plist/>" >Realword.app/Contents/Info.plist`,
		"codesign": note,
		"plutil":   note,
		"ditto":    note + `; for last; do :; done; echo zip >"$last"`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh -e\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir + ":" + os.Getenv("PATH"), calls
}

// TestAPackageOnAMac: `make package` makes it of the library and the licences that make has fetched.
func TestAPackageOnAMac(t *testing.T) {
	out := makeOnAMac(t, "", "-n", "package", "ORT_HEADERS=")
	if !strings.Contains(out, "app/darwin/package.sh dist") || !strings.Contains(out, "/libonnxruntime.1.dylib' LICENCES='") ||
		!strings.Contains(out, "SIGN='-'") {
		t.Error(out)
	}
}

// TestTheAppForAMacHasAllThatItNeeds: an app that is carried to another Mac finds the library in itself, has the licences of all that is in
// it, and is sealed when everything is there.
func TestTheAppForAMacHasAllThatItNeeds(t *testing.T) {
	was, err := os.ReadFile("../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	path, calls := standIns(t, work)
	library, licences, out := filepath.Join(work, "library"), filepath.Join(work, "licences"), filepath.Join(work, "dist of mine")
	if err := os.WriteFile(library, []byte("the library"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(licences, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(licences, "onnxruntime.txt"), []byte("a licence"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("../app/darwin/package.sh", out)
	cmd.Env = append(os.Environ(), "PATH="+path, "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=1", "CGO_CFLAGS=-O2 -g", "CGO_LDFLAGS=-O2 -g", "TMPDIR="+work,
		"VERSION=1.2.3", "TAGS=migrated_fynedo", "LIBRARY="+library, "LICENCES="+licences, "FYNE=fyne", "SIGN=-")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	contents := filepath.Join(out, "Realword.app", "Contents")
	for name, want := range map[string]string{
		"MacOS/realword": "the program\n", "MacOS/libonnxruntime.1.dylib": "the library", "Resources/licences/onnxruntime.txt": "a licence",
		"Resources/licences/go.txt": "", "Resources/licences/fyne.io-fyne-v2.txt": "", "Resources/LICENSE": "", "Resources/NOTICE": "",
	} {
		if data, err := os.ReadFile(filepath.Join(contents, name)); err != nil || want != "" && string(data) != want {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	languages, err := filepath.Glob("../assets/translations/*.json")
	if err != nil || len(languages) == 0 {
		t.Fatal(err)
	}
	for _, file := range languages {
		name := filepath.Join(contents, "Resources", strings.TrimSuffix(filepath.Base(file), ".json")+".lproj", "InfoPlist.strings")
		said, err := os.ReadFile(name)
		if asks := regexp.MustCompile(`(?m)^"NSLocalNetworkUsageDescription" = "[^"\\]{30,}";$`); err != nil || !asks.Match(said) {
			t.Errorf("in a language it is not said what the local network is for: %s: %s, %v", name, said, err)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "Realword-1.2.3-macos-arm64.zip")); err != nil {
		t.Error(err)
	}
	if now, err := os.ReadFile("../FyneApp.toml"); err != nil || string(now) != string(was) {
		t.Errorf("the repository's FyneApp.toml is another one: %s, %v", now, err)
	}
	said, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	order := []string{
		"go build for -O2 -g -mmacosx-version-min=14.0 and -O2 -g -mmacosx-version-min=14.0.", "fyne package", `plutil -insert CFBundleLocalizations -json ["de","en","es","fr","ja","zh-Hans"] `,
		"plutil -insert LSMinimumSystemVersion -string 14.0 ",
		"plutil -insert NSLocalNetworkUsageDescription -string Where you have joined a farm, ", "codesign --force --sign - ", "Contents/MacOS/libonnxruntime.1.dylib", "codesign --force --sign - ",
		"Realword.app\n", "codesign --verify", "ditto -c -k --keepParent ",
	}
	for rest := string(said); len(order) > 0; order = order[1:] {
		_, after, found := strings.Cut(rest, order[0])
		if !found {
			t.Fatalf("there is no %q where it belongs in:\n%s", order[0], said)
		}
		rest = after
	}
}
