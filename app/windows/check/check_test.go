//go:build wine

// Package check tries the packages for Windows under Wine, as somebody does who has downloaded the installer. It needs no Windows:
// run it with `make windows-check`, which says what is missing.
package check

import (
	"bytes"
	"errors"
	"image"
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// machine is a Windows of the test's own: a prefix of Wine, with a home folder beside it.
type machine struct {
	home, drive, programs string
	env                   []string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{home: filepath.Join(dir, "home"), drive: filepath.Join(dir, "prefix", "drive_c")}
	if err := os.Mkdir(m.home, 0o777); err != nil {
		t.Fatal(err)
	}
	m.env = append(os.Environ(), "HOME="+m.home, "USER=artist", "WINEPREFIX="+filepath.Dir(m.drive), "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=",
		"LIBGL_ALWAYS_SOFTWARE=1", "REALWORD_ONNXRUNTIME=")
	t.Cleanup(func() { _ = m.command("wineboot", "--kill").Run() })
	if _, stderr, status := m.run(t, "wineboot", "-i"); status != 0 {
		t.Fatalf("Wine does not start: %s", stderr)
	}
	if found, _ := filepath.Glob("/usr/lib*/*/wine/x86_64-windows/bcryptprimitives.dll"); len(found) == 0 {
		dll := filepath.Join(m.drive, "windows", "system32", "bcryptprimitives.dll")
		if out, err := exec.Command("x86_64-w64-mingw32-gcc", "-shared", "-O2", "-o", dll, "testdata/bcryptprimitives.c", "-ladvapi32").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	users, _ := filepath.Glob(filepath.Join(m.drive, "users", "*", "AppData"))
	if len(users) != 1 {
		t.Fatalf("the user's folders are %v", users)
	}
	m.programs = filepath.Join(users[0], "Local", "Programs", "Realword")
	return m
}

func (m machine) command(args ...string) *exec.Cmd {
	c := exec.Command("wine", args...)
	c.Env = m.env
	return c
}

// run runs a program to its end.
func (m machine) run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	c := m.command(args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// realword runs the command line, which has to end well.
func (m machine) realword(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	stdout, stderr, status := m.run(t, append([]string{filepath.Join(m.programs, "realword.com")}, args...)...)
	if status != 0 {
		t.Fatalf("realword %q ends with %d\n%s\n%s", args, status, stdout, stderr)
	}
	return stdout
}

// linux runs the program that was built for this system.
func linux(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(os.Getenv("REALWORD_LINUX"), args...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
}

// onDrive is a path in the prefix as Windows programs see it.
func onDrive(m machine, path string) string {
	return `C:\` + strings.ReplaceAll(strings.TrimPrefix(path, m.drive+"/"), "/", `\`)
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// onePicture is the only PNG in a folder.
func onePicture(t *testing.T, dir string) string {
	t.Helper()
	list, _ := filepath.Glob(filepath.Join(dir, "*.png"))
	if len(list) != 1 {
		t.Fatalf("%s holds the pictures %v", dir, list)
	}
	return list[0]
}

// alike holds that two pictures are the same bytes, or differ by less than one can see.
func alike(t *testing.T, a, b string) {
	t.Helper()
	x, errX := os.ReadFile(a)
	y, errY := os.ReadFile(b)
	if err := errors.Join(errX, errY); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(x, y) {
		t.Logf("%s: the same bytes as on Linux", filepath.Base(a))
		return
	}
	p, _, errX := image.Decode(bytes.NewReader(x))
	q, _, errY := image.Decode(bytes.NewReader(y))
	if err := errors.Join(errX, errY); err != nil || p.Bounds() != q.Bounds() {
		t.Fatalf("%v, %v and %v", err, p.Bounds(), q.Bounds())
	}
	var sum float64
	for i := p.Bounds().Min.Y; i < p.Bounds().Max.Y; i++ {
		for j := p.Bounds().Min.X; j < p.Bounds().Max.X; j++ {
			r, g, b, _ := p.At(j, i).RGBA()
			u, v, w, _ := q.At(j, i).RGBA()
			for _, d := range []float64{float64(r) - float64(u), float64(g) - float64(v), float64(b) - float64(w)} {
				sum += d * d / 0xffff / 0xffff
			}
		}
	}
	if sum == 0 {
		t.Logf("%s: the same pixels as on Linux", filepath.Base(a))
		return
	}
	psnr := -10 * math.Log10(sum/float64(3*p.Bounds().Dx()*p.Bounds().Dy()))
	t.Logf("%s: PSNR %.1f dB to Linux's", filepath.Base(a), psnr)
	if psnr < 50 {
		t.Errorf("the picture is another one than on Linux: PSNR %.1f dB", psnr)
	}
}

// putFormer puts a library of a former version into a folder, and an uninstaller that removes it.
func putFormer(t *testing.T, folder string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, "former.dll"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	uninstaller := filepath.Join(folder, "uninstall.exe")
	if out, err := exec.Command("x86_64-w64-mingw32-gcc", "-O2", "-s", "-o", uninstaller, "testdata/uninstall.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

const limit = 80_000_000

func TestPackages(t *testing.T) {
	packages := os.Getenv("REALWORD_PACKAGE")
	setup := packages + "-setup.exe"
	for _, path := range []string{setup, packages + ".zip"} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if t.Logf("%s: %d bytes", filepath.Base(path), info.Size()); info.Size() > limit {
			t.Errorf("%s is larger than %d bytes", path, limit)
		}
	}
	m := newMachine(t)
	if _, _, status := m.run(t, setup, "/S"); status != 0 {
		t.Fatalf("the installer ends with %d", status)
	}
	shortcut := filepath.Join(m.programs, "..", "..", "..", "Roaming", "Microsoft", "Windows", "Start Menu", "Programs", "Realword.lnk")
	installed := []string{shortcut}
	for _, name := range []string{
		"realword.exe", "realword.com", "uninstall.exe", "onnxruntime.dll", "dxcompiler.dll", "dxil.dll", "LICENSE", "NOTICE", "licences/onnxruntime.txt", "licences/go.txt",
		"msvcp140.dll", "msvcp140_1.dll", "msvcp140_atomic_wait.dll", "vcruntime140.dll", "vcruntime140_1.dll", "licences/fyne.io-fyne-v2.txt",
	} {
		installed = append(installed, filepath.Join(m.programs, filepath.FromSlash(name)))
	}
	for _, path := range installed {
		if !there(path) {
			t.Errorf("%s was not installed", path)
		}
	}
	if t.Failed() {
		return
	}

	// The first start of all.
	t.Run("window", func(t *testing.T) { checkWindow(t, m) })

	t.Run("files", func(t *testing.T) { // of the clipboard and of drags, folders of the user, and files that others have open
		for pkg, tests := range map[string]string{"app/hdrop": ".", "inference/files": "KnownFolders|OpenElsewhere"} {
			name := path.Base(pkg) + ".exe"
			c := exec.Command("go", "test", "-c", "-o", filepath.Join(m.drive, name), "realword/"+pkg)
			c.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if stdout, stderr, status := m.run(t, `C:\`+name, "-test.v", "-test.run="+tests); status != 0 {
				t.Errorf("%s: %s\n%s", pkg, stdout, stderr)
			}
		}
	})

	t.Run("doctor", func(t *testing.T) {
		out := m.realword(t, "doctor", "--all")
		if !strings.Contains(out, `Programs\Realword\onnxruntime.dll`) || !strings.Contains(out, "Pictures can be made on this machine.") {
			t.Errorf("the doctor finds\n%s", out)
		}
		if out, _, status := m.run(t, filepath.Join(m.programs, "realword.exe"), "--version"); status != 0 || !strings.HasPrefix(out, "realword version ") {
			t.Errorf("realword.exe itself prints %q and ends with %d", out, status)
		}
		if _, stderr, status := m.run(t, filepath.Join(m.programs, "realword.com"), "nonsense"); status != 2 || !strings.Contains(stderr, "nonsense") {
			t.Errorf("wrong use ends with %d and says %q", status, stderr)
		}
	})

	// Folders with spaces and umlauts, more than 260 letters long: of a reference, of pictures and of a model.
	deep := filepath.Join(m.drive, "Bilder für Märchen", strings.Repeat("lang und länger ", 6)+"a", strings.Repeat("lang und länger ", 6)+"b", strings.Repeat("lang und länger ", 6)+"c")
	if err := os.MkdirAll(deep, 0o777); err != nil {
		t.Fatal(err)
	}
	onDrive := func(path string) string { return onDrive(m, path) }
	if n := len([]rune(onDrive(deep))); n <= 260 {
		t.Fatalf("the path has only %d letters", n)
	}
	data, err := os.ReadFile("../../../assets/samples/dog.png")
	if err != nil {
		t.Fatal(err)
	}
	dog := filepath.Join(deep, "Mein Hündchen.png")
	if err := os.WriteFile(dog, data, 0o666); err != nil {
		t.Fatal(err)
	}
	request := []string{"generate", "--prompt", "a dog on the beach", "--seed", "7", "--steps", "6", "--device", "cpu"} // one that both have

	t.Run("picture", func(t *testing.T) {
		ours, theirs := filepath.Join(t.TempDir(), "linux"), filepath.Join(deep, "Ausgänge")
		linux(t, append(request, "--subject", "dog="+dog, "--out", ours)...)
		m.realword(t, append(request, "--subject", "dog="+onDrive(dog), "--out", onDrive(theirs))...)
		alike(t, onePicture(t, theirs), onePicture(t, ours))
	})

	t.Run("import", func(t *testing.T) {
		// Not as deep: Wine's GetFinalPathNameByHandle, which ONNX Runtime asks for where weights lie, ends at 260 letters.
		folder := filepath.Join(m.drive, "Modelle für Märchen")
		checkpoint, model := filepath.Join(folder, "Gewichte süß"), filepath.Join(folder, "Modell groß")
		if out, err := exec.Command("go", "run", "realword/app/synthetic", "--out", checkpoint).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		m.realword(t, "model", "import", onDrive(checkpoint), "--out", onDrive(model))
		m.realword(t, "model", "import", onDrive(checkpoint), "--out", onDrive(model+" allein"), "--copy")
		m.realword(t, "model", "import", onDrive(checkpoint), "--out", onDrive(filepath.Join(deep, "Modell groß")))
		dir := t.TempDir()
		linux(t, "model", "import", checkpoint, "--out", filepath.Join(dir, "model"))
		linux(t, append(request, "--model", filepath.Join(dir, "model"), "--out", filepath.Join(dir, "out"))...)
		for kind, reads := range map[string]bool{"": true, " allein": false} { // weights in the checkpoints, weights of its own
			manifest, err := os.ReadFile(filepath.Join(model+kind, "manifest.json"))
			if err != nil || bytes.Contains(manifest, []byte(`"mapped"`)) != reads {
				t.Errorf("the model%s reads checkpoints: %v, %v", kind, !reads, err)
			}
			theirs := filepath.Join(deep, "aus dem Modell"+kind)
			m.realword(t, append(request, "--model", onDrive(model+kind), "--out", onDrive(theirs))...)
			alike(t, onePicture(t, theirs), onePicture(t, filepath.Join(dir, "out")))
		}
	})

	// What a former version has and this one has not goes with it; what somebody has put beside it stays.
	t.Run("upgrade", func(t *testing.T) {
		former, mine, old := filepath.Join(m.programs, "former.dll"), filepath.Join(m.programs, "mine.txt"), filepath.Join(m.programs, "uninstall.exe")
		if err := errors.Join(os.WriteFile(mine, nil, 0o666), os.Remove(old)); err != nil {
			t.Fatal(err)
		}
		putFormer(t, m.programs)
		for range 2 { // over the former version, and over itself
			if _, _, status := m.run(t, setup, "/S"); status != 0 {
				t.Fatalf("the installer ends with %d", status)
			}
			for _, path := range installed {
				if !there(path) {
					t.Errorf("%s is gone", path)
				}
			}
		}
		if there(former) || !there(mine) {
			t.Errorf("of the former version there is a library: %v; the user's own file: %v", there(former), there(mine))
		}
		_ = os.Remove(mine)

		// Another program's uninstaller is none of ours: it is neither run nor replaced.
		other := filepath.Join(m.drive, "Anderes")
		if err := os.Mkdir(other, 0o777); err != nil {
			t.Fatal(err)
		}
		putFormer(t, other)
		theirs, err := os.ReadFile(filepath.Join(other, "uninstall.exe"))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, _, status := m.run(t, setup, "/S", `/D=`+onDrive(other)); status != 0 || !there(filepath.Join(other, "Realword", "realword.exe")) {
				t.Fatalf("the installer ends with %d", status)
			}
			if now, err := os.ReadFile(filepath.Join(other, "uninstall.exe")); !bytes.Equal(now, theirs) {
				t.Errorf("another program's uninstaller was replaced: %v", err)
			}
			if there(filepath.Join(other, "realword.exe")) || !there(filepath.Join(other, "former.dll")) {
				t.Error("another program's folder was written to, or its uninstaller run")
			}
		}

		// It lies elsewhere by now, and comes back to where it was.
		putFormer(t, m.programs)
		if _, _, status := m.run(t, setup, "/S", `/D=`+onDrive(m.programs)); status != 0 || there(former) {
			t.Errorf("the installer ends with %d; of the version that lay here there is a library: %v", status, there(former))
		}
	})

	t.Run("uninstall", func(t *testing.T) {
		beside := filepath.Join(m.programs, "Bilder", "mine.png")
		if err := errors.Join(os.Mkdir(filepath.Dir(beside), 0o777), os.WriteFile(beside, data, 0o666)); err != nil {
			t.Fatal(err)
		}
		if _, _, status := m.run(t, filepath.Join(m.programs, "uninstall.exe"), "/S"); status != 0 {
			t.Fatalf("the uninstaller ends with %d", status)
		}
		for deadline := time.Now().Add(time.Minute); there(installed[1]) && time.Now().Before(deadline); {
			time.Sleep(100 * time.Millisecond) // it goes on in a copy of itself
		}
		time.Sleep(time.Second)
		for _, path := range installed {
			if there(path) {
				t.Errorf("%s is still there", path)
			}
		}
		for _, path := range []string{beside, dog, filepath.Join(m.programs, "..", "..", "realword", "models"), filepath.Join(m.programs, "..", "..", "..", "Roaming", "realword", "history.db")} {
			if !there(path) {
				t.Errorf("the uninstaller took %s", path)
			}
		}
	})
}

// checkDrag drags the picture in view out of the window, in again, and into a window of another program, which lies to the right of it.
func checkDrag(t *testing.T, m machine, picture string) {
	target, log := filepath.Join(m.drive, "target.exe"), filepath.Join(m.drive, "drops.txt")
	build := exec.Command("x86_64-w64-mingw32-gcc", "-municode", "-o", target, "testdata/target.c", "-lole32", "-luuid", "-lshell32")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := m.command("explorer", "/desktop=realword,1390x890", `C:\target.exe`, `C:\drops.txt`, "1250", "100", "140", "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Wait() }()
	said := func(what string) bool {
		data, _ := os.ReadFile(log)
		return strings.HasSuffix(strings.ReplaceAll(string(data), "\r", ""), what)
	}
	until := func(what string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !said(what); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				data, _ := os.ReadFile(log)
				t.Fatalf("%q did not come to the target: %q", what, data)
			}
		}
	}
	until("ready 0\n")
	at := [2]int{620, 500}
	move := func(x, y int) {
		const steps = 12
		for i := 1; i <= steps; i++ {
			nowX, nowY := at[0]+(x-at[0])*i/steps, at[1]+(y-at[1])*i/steps
			_ = exec.Command("xdotool", "mousemove", strconv.Itoa(nowX), strconv.Itoa(nowY), "sleep", "0.1").Run()
		}
		at = [2]int{x, y}
	}
	move(at[0], at[1])
	_ = exec.Command("xdotool", "sleep", "0.5", "mousedown", "1", "sleep", "0.5").Run()
	move(1320, 400)
	until("enter 1\n") // a copy is all that it may take
	move(620, 300)
	until("leave 0\n")
	move(1320, 300)
	until("leave 0\nenter 1\n")
	_ = exec.Command("xdotool", "mouseup", "1").Run()
	until("file " + onDrive(m, picture) + "\ndrop 1\n")
	move(620, 300) // X11 gives keys to the window under the pointer
	if !there(picture) {
		t.Error("the picture was moved")
	}
}

// checkWindow opens the program as a double click does, makes a picture with a key, and tries a second one beside it.
func checkWindow(t *testing.T, m machine) {
	shot := os.Getenv("REALWORD_PACKAGE") + "-window.png"
	program := filepath.Join(m.programs, "realword.exe")
	c := m.command("explorer", "/desktop=realword,1390x890", onDrive(m, program))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	until := func(what string, ready func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); !ready(); time.Sleep(500 * time.Millisecond) {
			if time.Now().After(deadline) {
				_ = exec.Command("import", "-window", "root", shot).Run()
				t.Fatalf("%s did not come; the screen is in %s", what, shot)
			}
		}
	}
	window := func(name string) string {
		out, _ := exec.Command("xdotool", "search", "--name", name).Output()
		id, _, _ := strings.Cut(string(out), "\n")
		return id
	}
	pictures := func() []string {
		list, _ := filepath.Glob(filepath.Join(m.programs, "..", "..", "..", "..", "Pictures", "Realword", "*", "*.png"))
		return list
	}
	began := time.Now()
	until("the window", func() bool { return window("^Realword$") != "" })
	t.Logf("window after %v", time.Since(began).Round(time.Second))
	until("a picture", func() bool { // the first keys may come before the model is open
		_ = exec.Command("xdotool", "windowfocus", window("Wine desktop"), "sleep", "1", "key", "ctrl+l", "key", "ctrl+a",
			"type", "--delay", "60", "a dog").Run()
		_ = exec.Command("xdotool", "sleep", "1", "key", "ctrl+Return").Run()
		for i := 0; i < 20 && len(pictures()) == 0; i++ { // a second job would put another picture into view
			time.Sleep(time.Second)
		}
		return len(pictures()) > 0
	})
	t.Logf("picture after %v: %s", time.Since(began).Round(time.Second), pictures()[0])
	if err := exec.Command("import", "-window", "root", shot).Run(); err != nil {
		t.Error(err)
	}
	t.Logf("look at %s", shot)

	checkDrag(t, m, pictures()[0])

	// The history belongs to the window; it is read beside it, pictures are made, and nothing is installed or removed meanwhile.
	if list := m.realword(t, "history", "list"); !strings.Contains(list, "a dog") {
		t.Errorf("beside the window the history is %q", list)
	}
	out := filepath.Join(m.drive, "second")
	m.realword(t, "generate", "--prompt", "a cat in the snow", "--steps", "2", "--out", `C:\second`)
	onePicture(t, out)
	for _, tool := range []string{os.Getenv("REALWORD_PACKAGE") + "-setup.exe", filepath.Join(m.programs, "uninstall.exe")} {
		_, _, _ = m.run(t, tool, "/S")
		time.Sleep(2 * time.Second)
		if !there(program) {
			t.Fatalf("%s took the program from under the open window", filepath.Base(tool))
		}
	}
	_ = exec.Command("xdotool", "windowfocus", window("Wine desktop"), "sleep", "1", "key", "ctrl+q").Run()
	until("the end of the window", func() bool { return window("^Realword$") == "" })
	_ = m.command("wineboot", "--end-session").Run()
	<-ended
}
