//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/inference/bundle"
	"realword/inference/recipe"
	"realword/inference/wait"
	"realword/ui"
)

// screen is the program in a real window. It is looked at through the probe, and touched as a user touches it.
type screen struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan error
	socket string
	window string
	began  time.Time
}

// openScreen starts the program and waits for its window and its model.
func openScreen(t *testing.T, program, socket string, args ...string) *screen {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = os.Environ()
	return watchScreen(t, cmd, socket)
}

// watchScreen is openScreen for a command.
func watchScreen(t *testing.T, cmd *exec.Cmd, socket string) *screen {
	t.Helper()
	s := &screen{t: t, cmd: cmd, ended: make(chan error, 1), socket: socket, began: time.Now()}
	s.cmd.Env = append([]string{patienceVariable + "=" + wait.Longest.String()}, s.cmd.Env...) // where the test sets none
	s.cmd.Env = append(s.cmd.Env, "REALWORD_PROBE="+socket, "LIBGL_ALWAYS_SOFTWARE=1", "WAYLAND_DISPLAY=")
	s.cmd.Stderr = &s.stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { s.ended <- s.cmd.Wait(); close(exited) }()
	t.Cleanup(func() { // a test that failed leaves nothing on the screen that the next one would take for its own
		_ = s.cmd.Process.Kill()
		<-exited
	})
	// Its own window, not one that a killed program has left for a moment.
	pid := strconv.Itoa(s.cmd.Process.Pid)
	s.wait("a window", func() bool {
		out, err := exec.Command("xdotool", "search", "--onlyvisible", "--all", "--pid", pid, "--name", "^"+appName).Output()
		s.window, _, _ = strings.Cut(string(out), "\n")
		return err == nil && s.window != ""
	})
	t.Logf("window after %v", time.Since(s.began).Round(time.Millisecond))
	s.wait("the model", func() bool {
		seen := s.seen()
		return len(seen) > 0 && !slices.ContainsFunc(seen, func(o ui.Seen) bool { return strings.Contains(o.Text, "opening the model") })
	})
	s.xdotool("windowsize", s.window, "1390", "890", "windowmove", s.window, "0", "0", "windowfocus", s.window, "sleep", "1")
	return s
}

func (s *screen) wait(what string, ready func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(wait.Longest); !ready(); time.Sleep(100 * time.Millisecond) {
		select {
		case err := <-s.ended:
			s.t.Fatalf("the program ended before there was %s: %v\n%s", what, err, s.stderr.String())
		default:
		}
		if time.Now().After(deadline) {
			var texts []string
			for _, o := range s.seen() {
				if o.Kind != "container" && o.Kind != "whole" && o.Text != "" {
					texts = append(texts, o.Text)
				}
			}
			s.t.Fatalf("%s did not come within %v; on the screen: %q\n%s", what, wait.Longest, texts, s.stderr.String())
		}
	}
}

// stuck ends a window that does not end by itself, and answers where all its goroutines were.
func (s *screen) stuck() string {
	_ = s.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-s.ended:
	case <-time.After(time.Minute): // a screen that hangs holds it in the system
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	return s.stderr.String()
}

// seen is what is on the screen, nothing while the program does not answer.
func (s *screen) seen() (list []ui.Seen) { return s.ask(ui.Asked{}) }

func (s *screen) ask(a ui.Asked) (list []ui.Seen) {
	c, err := net.Dial("unix", s.socket)
	if err != nil {
		return nil
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if json.NewEncoder(c).Encode(a) != nil || json.NewDecoder(c).Decode(&list) != nil {
		return nil
	}
	return list
}

// find is the last thing of a kind (any where empty) that has a text.
func (s *screen) find(kind, text string) (ui.Seen, bool) {
	for _, o := range slices.Backward(s.seen()) {
		if (kind == "" || o.Kind == kind) && strings.Contains(o.Text, text) {
			return o, true
		}
	}
	return ui.Seen{}, false
}

func (s *screen) see(kind, text string) {
	s.t.Helper()
	s.wait(kind+" "+text, func() bool { o, ok := s.find(kind, text); return ok && (kind != "toolButton" || !o.Off) })
}

func (s *screen) gone(kind, text string) {
	s.t.Helper()
	s.wait("the end of "+kind+" "+text, func() bool { _, ok := s.find(kind, text); return !ok && s.seen() != nil })
}

// click waits until a thing stands still and can be used, and clicks on it, x and y of its width and height.
func (s *screen) click(kind, text string, x, y float64) {
	s.t.Helper()
	var at, before ui.Seen
	s.wait(kind+" "+text+" to click on", func() bool {
		var ok bool
		before = at
		at, ok = s.find(kind, text)
		return ok && !at.Off && at == before && at.W > 0
	})
	// Without a pause: a click lands where the pointer is, also where the window has not looked since it moved (package pointer).
	left, top := at.X+int(x*float64(at.W)), strconv.Itoa(at.Y+int(y*float64(at.H)))
	s.xdotool("mousemove", "--window", s.window, strconv.Itoa(left-3), top, "mousemove", "--window", s.window, strconv.Itoa(left), top,
		"click", "1", "sleep", "0.25")
}

// steady is a thing once it stands still.
func (s *screen) steady(kind, text string) (at ui.Seen) {
	s.t.Helper()
	s.wait(kind+" "+text+" to stand still", func() bool {
		before := at
		var ok bool
		at, ok = s.find(kind, text)
		return ok && at == before && at.W > 0
	})
	return at
}

// drop drops a file on the middle of a thing.
func (s *screen) drop(file, kind, text string) {
	s.t.Helper()
	at := s.steady(kind, text)
	s.ask(ui.Asked{Files: []string{file}, X: at.X + at.W/2, Y: at.Y + at.H/2})
}

// drag carries one thing to the lower edge of another.
func (s *screen) drag(kind, from, to string) {
	s.t.Helper()
	a, b := s.steady(kind, from), s.steady(kind, to)
	move := func(x, y int) []string {
		return []string{"mousemove", "--window", s.window, strconv.Itoa(x), strconv.Itoa(y), "sleep", "0.25"}
	}
	x, y := a.X+a.W/3, a.Y+a.H/2
	end := b.Y + b.H - 3
	s.xdotool(slices.Concat(move(x-2, y), move(x, y), []string{"mousedown", "1", "sleep", "0.25"}, move(x, y+3), move(x, (y+end)/2),
		move(x, end-1), move(x, end), []string{"mouseup", "1", "sleep", "0.25"})...)
}

// above waits until one thing stands over another.
func (s *screen) above(kind, upper, lower string) {
	s.t.Helper()
	s.wait(upper+" above "+lower, func() bool {
		a, ok := s.find(kind, upper)
		b, too := s.find(kind, lower)
		return ok && too && a.Y < b.Y
	})
}

func (s *screen) key(keys ...string) { s.xdotool(append([]string{"key", "--delay", "60"}, keys...)...) }

func (s *screen) xdotool(args ...string) {
	s.t.Helper()
	if out, err := exec.Command("xdotool", args...).CombinedOutput(); err != nil {
		s.t.Fatalf("xdotool %v: %v\n%s", args, err, out)
	}
}

// quit closes the window as a session manager does.
func (s *screen) quit() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("after SIGTERM: %v", err)
		}
	case <-time.After(wait.Longest):
		s.t.Errorf("SIGTERM does not end the window: %s", s.stuck())
	}
	for line := range strings.Lines(s.stderr.String()) {
		if strings.HasPrefix(line, "audit:") { // the audit build's watchdog
			s.t.Log(strings.TrimSpace(line))
		}
	}
	for _, bad := range []string{"panic", "DATA RACE", "should have been called in fyne.Do", "Error in Fyne call thread", "Preferences load error", "cache space"} {
		if strings.Contains(s.stderr.String(), bad) {
			s.t.Errorf("the program complained:\n%s", s.stderr.String())
			break
		}
	}
}

// TestWindow works in a real window: open a picture, bind its word, generate, scrub, inspect, use the result as a reference,
// make a second round, paint a mask, quit, start again, and find all of it; let two rounds wait, give them another order, start again, and
// have them made in it. It needs a display and xdotool: `make test` gives it a virtual one.
// REALWORD_E2E_BUILD holds build options of the program (`make audit`).
func TestWindow(t *testing.T) {
	dir, err := os.MkdirTemp("", "rw") // short, since a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, model := built(t, os.Getenv("REALWORD_E2E_BUILD")), filepath.Join(dir, "model")
	if _, err := bundle.Import(t.Context(), "../assets/golden/data/tiny", model, nil); err != nil {
		t.Fatal(err)
	}
	pictures := filepath.Join(dir, "pictures")
	t.Setenv("XDG_PICTURES_DIR", pictures)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	// A key for what has none of its own.
	preferences := filepath.Join(dir, "config", "fyne", appID)
	if err := os.MkdirAll(preferences, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(preferences, "preferences.json"), []byte(`{"preferences":"{\"Keys\":{\"queue.pause\":\"Alt+P\"}}"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	saved := func(n int) []string {
		files, _ := filepath.Glob(filepath.Join(pictures, appName, "*", "*.png"))
		if len(files) < n {
			return nil
		}
		return files
	}

	s := openScreen(t, program, filepath.Join(dir, "s"), "--model", model)
	s.key("ctrl+l")
	s.xdotool("type", "--delay", "40", "a dog on the beach")
	s.see("chip", "dog")
	s.click("tile", "dinosaur", 0.5, 0.5) // a picture, of something that the prompt does not have
	s.see("", "dinosaur.png")
	s.click("chip", "dog", 0.5, 0.5)
	s.see("chip", "subject A")
	s.key("ctrl+Return")
	s.wait("the first picture", func() bool { return saved(1) != nil })
	t.Logf("picture after %v", time.Since(s.began).Round(time.Millisecond))
	s.see("toolButton", "Use as reference")

	s.click("filmStrip", "", 0.2, 0.5)
	s.see("", "masks follow the words")
	s.key("k")
	s.see("", "Mask inspection")
	s.key("Escape")
	s.gone("", "Mask inspection")

	s.click("tile", "picture 1", 0.5, 0.5)
	s.see("toolButton", "Use as reference")
	s.key("r")
	s.see("", "The next job")
	s.see("check", "dinosaur.png")
	s.click("button", "Use as reference", 0.5, 0.5)
	s.gone("", "The next job")
	first := saved(1)[0]
	s.see("", filepath.Base(first))
	s.key("ctrl+Return")
	s.wait("the second picture", func() bool { return saved(2) != nil })
	s.see("tile", "picture 2")
	s.see("toolButton", "Use as reference")

	s.key("b")
	s.key("Return") // paints, from the keyboard alone
	s.see("", "painted mask: only here")
	s.click("easel", "", 0.5, 0.5)
	s.key("Escape")
	s.gone("easel", "")
	s.quit()

	second := slices.DeleteFunc(saved(2), func(f string) bool { return f == first })[0]
	data, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := recipe.Read(data)
	if err != nil || r.Prompt != "a dog on the beach" || len(r.Subjects) != 1 || len(r.Subjects[0].References) != 2 ||
		r.Subjects[0].References[0].Name != filepath.Base(first) || r.Subjects[0].References[1].Name != "dinosaur.png" {
		t.Errorf("the second round was made with %+v, %v", r, err)
	}

	s = openScreen(t, program, filepath.Join(dir, "again"), "--model", model)
	s.see("tile", "picture 2")
	s.see("chip", "subject A")
	s.see("", filepath.Base(first))
	s.see("", "painted mask: only here")
	s.click("tile", "picture 1", 0.5, 0.5)
	s.click("filmStrip", "", 0.2, 0.5)
	s.see("", "masks follow the words")
	s.key("shift+t")
	s.see("tile", "job 2:")
	s.click("tile", "job 1:", 0.5, 0.5)

	// Two rounds wait, are given another order by mouse and by keys, and survive a restart.
	picture, err := filepath.Abs("../assets/samples/cat.png")
	if err != nil {
		t.Fatal(err)
	}
	s.drop(picture, "chip", "beach")
	s.see("chip", "subject B")
	s.key("alt+p", "q", "ctrl+l", "End")
	s.xdotool("type", "--delay", "40", " at night")
	s.see("chip", "night")
	s.key("ctrl+Return")
	s.see("tile", "at night, 1 picture")
	s.xdotool("type", "--delay", "40", " in snow")
	s.see("chip", "snow")
	s.key("ctrl+Return")
	s.see("tile", "in snow, 1 picture")
	s.above("tile", "at night, 1 picture", "in snow, 1 picture")
	s.drag("tile", "at night, 1 picture", "in snow, 1 picture")
	s.above("tile", "in snow, 1 picture", "at night, 1 picture")
	s.key("alt+Up") // the one that was dragged
	s.above("tile", "at night, 1 picture", "in snow, 1 picture")
	s.key("alt+Down")
	s.above("tile", "in snow, 1 picture", "at night, 1 picture")
	s.quit()
	if saved(3) != nil {
		t.Error("a paused queue makes pictures")
	}
	s = openScreen(t, program, filepath.Join(dir, "third"), "--model", model)
	s.key("Escape", "q")
	s.see("", "2 jobs queued")
	s.above("tile", "in snow, 1 picture", "at night, 1 picture")
	s.key("Escape", "alt+p")
	s.wait("the rounds that waited", func() bool { return saved(4) != nil })
	s.see("toolButton", "Use as reference")
	s.gone("", "jobs queued")
	s.quit()
	var order []string
	for _, file := range saved(4) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if r, _, err := recipe.Read(data); err == nil && strings.Contains(r.Prompt, "night") {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, info.ModTime().Format("15:04:05.000000")+r.Prompt[len("a dog on the beach"):])
			if len(r.Subjects) != 2 || r.Subjects[1].References[0].Name != "cat.png" {
				t.Errorf("the dropped picture is not in %+v", r.Subjects)
			}
		}
	}
	slices.Sort(order)
	if len(order) != 2 || !strings.HasSuffix(order[0], "in snow") {
		t.Errorf("made in the order %q", order)
	}

	_, list, complaint := command(t, "history", "list")
	if strings.Count(list, "complete") != 4 {
		t.Errorf("the history does not have four rounds: %s%s", list, complaint)
	}
	if status, text, complaint := command(t, "history", "show", "2"); status != 0 || !strings.Contains(text, filepath.Base(second)) {
		t.Errorf("history show: %s%s", text, complaint)
	}
	zip := filepath.Join(dir, "session.zip")
	if status, _, complaint := command(t, "history", "export", "1", zip); status != 0 {
		t.Errorf("history export: %s", complaint)
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "elsewhere"))
	if status, text, complaint := command(t, "history", "import", zip); status != 0 || !strings.Contains(text, "4 new jobs, 4 new pictures") {
		t.Errorf("history import: %s%s", text, complaint)
	}
}

// The window, too, writes only into its own folders and calls nobody: it is opened in an empty home, makes a picture, opens a file
// dialog, and is closed. The shaders that OpenGL's driver keeps are switched off. Let pass are Fyne's list of the system's fonts, and
// what GTK's file dialog shares with every other GTK program: fonts, settings, recent files.
func TestWindowKeepsToItself(t *testing.T) {
	needStrace(t)
	dir, err := os.MkdirTemp("", "rw") // short, since a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, home, tmp, trace := built(t, usualBuild), filepath.Join(dir, "home"), filepath.Join(dir, "tmp"), filepath.Join(dir, "trace")
	for _, folder := range []string{home, tmp} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(tmp, "s")
	s := watchScreen(t, straced(t, home, trace, []string{"LC_ALL=C.UTF-8", "TMPDIR=" + tmp, "DISPLAY=" + os.Getenv("DISPLAY"), "XAUTHORITY=" + os.Getenv("XAUTHORITY"), "MESA_SHADER_CACHE_DISABLE=true"},
		"-D", program), socket)
	s.key("ctrl+l")
	s.xdotool("type", "--delay", "40", "a dog on the beach")
	s.see("chip", "dog")
	s.key("ctrl+Return")
	s.wait("a picture", func() bool {
		files, _ := filepath.Glob(filepath.Join(home, "Pictures", appName, "*", "*.png"))
		return files != nil
	})
	s.see("toolButton", "Use as reference")
	s.key("ctrl+o")
	seen := false
	s.wait("a file dialog that closes", func() bool {
		dialog := []string{"search", "--onlyvisible", "--name", "^Open reference pictures$"}
		if exec.Command("xdotool", dialog...).Run() != nil {
			return seen
		}
		seen = true
		_ = exec.Command("xdotool", append(dialog, "windowfocus", "key", "Escape")...).Run() // it fails where the dialog closes at once
		return false
	})
	s.quit()
	own := []string{tmp, "/var/cache/fontconfig"}
	for _, name := range []string{
		".cache/realword", ".config/realword", "Pictures/" + appName, ".config/fyne", ".cache/fyne", ".cache/font_index_v6.cache",
		".cache/fontconfig", ".cache/dconf", ".config/gtk-3.0", ".local/share/recently-used.xbel",
	} {
		own = append(own, filepath.Join(home, name))
	}
	for _, line := range leaks(t, trace, own...) {
		t.Errorf("it leaks: %s", line)
	}
}

// An idle window rests: Fyne by itself looks for events 60 times a second, which took 1 % of a core.
func TestWindowRests(t *testing.T) {
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	cmd := exec.CommandContext(t.Context(), built(t, usualBuild))
	cmd.Env = os.Environ()
	s := watchScreen(t, cmd, filepath.Join(dir, "s"))
	used := func() (d time.Duration) {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(data), ") ")
		for _, field := range strings.Fields(after)[11:13] { // utime, stime
			ticks, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			d += time.Duration(ticks) * 10 * time.Millisecond
		}
		return d
	}
	// How often its threads have gone to sleep is the same on machines of any speed; what it takes of the processor is not.
	slept := func() (times int) {
		threads, err := filepath.Glob("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/*/status")
		if err != nil || len(threads) == 0 {
			t.Fatal(threads, err)
		}
		for _, path := range threads {
			data, _ := os.ReadFile(path) // none of one that has just ended
			_, after, _ := strings.Cut(string(data), "\nvoluntary_ctxt_switches:")
			count, _, _ := strings.Cut(after, "\n")
			n, _ := strconv.Atoi(strings.TrimSpace(count))
			times += n
		}
		return times
	}
	for try := range 12 { // what the start left to do is over after a while
		before, asleep, begin, ticks := used(), slept(), time.Now(), 0
		for ; time.Since(begin) < 10*time.Second; ticks++ {
			time.Sleep(time.Second / 60) // as often as Fyne by itself
		}
		took := time.Since(begin)
		often := float64(slept()-asleep) / took.Seconds()
		t.Logf("an idle window wakes up %.0f times a second, which takes %.2f %% of a core", often, 100*float64(used()-before)/float64(took))
		switch busy := float64(ticks)/took.Seconds() < 40; { // 266 times at least, where it does not rest
		case !busy && often < 200: // 110 where it rests, 400 where Fyne looks by itself
			s.quit()
			return
		case try == 11 && busy:
			s.quit()
			t.Skip("this machine is too busy to say whether a window rests")
		}
	}
	t.Error("an idle window does not rest")
	s.quit()
}
