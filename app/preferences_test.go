package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"realword/history"
	"realword/inference/wait"
	"realword/ui/preferences"
)

// preferencesVariable has a test program change and read preferences as the window does: JSON of a preferencesJob.
const preferencesVariable = "REALWORD_TEST_PREFERENCES"

type preferencesJob struct {
	Key, Value string // to be set; "": nothing is
	Copied     bool   // end once the copy has it, else at once, as if killed
}

// TestPreferencesOutliveDamage: Fyne's file of preferences is empty or cut off at the next start, as a full disk or a kill leaves it.
func TestPreferencesOutliveDamage(t *testing.T) {
	if job := os.Getenv(preferencesVariable); job != "" {
		changePreferences(t, job)
		return
	}
	dir := home(t)
	t.Setenv("USERPROFILE", dir)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(job preferencesJob) string {
		t.Helper()
		data, err := json.Marshal(job)
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(program, "-test.run", "^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), preferencesVariable+"="+string(data))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%+v: %v\n%s", job, err, out)
		}
		_, styles, _ := strings.Cut(string(out), "styles: ")
		styles, _, _ = strings.Cut(styles, "\n")
		return strings.TrimSpace(styles)
	}
	run(preferencesJob{Key: "styles", Value: "twenty", Copied: true})
	live := ""
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == "preferences.json" && filepath.Base(filepath.Dir(path)) == appID {
			live = path
		}
		return err
	})
	if err != nil || live == "" {
		t.Fatal("Fyne keeps no preferences", err)
	}
	whole, err := os.ReadFile(live)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{"empty": "", "cut off": string(whole[:len(whole)/2]), "null": "null"} {
		if err := os.WriteFile(live, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := run(preferencesJob{Key: "prompts", Value: name}); got != "twenty" {
			t.Errorf("%s: the styles are %q at the next start", name, got)
		}
		if untold := said(t, live); untold != preferences.Copied+"\n" {
			t.Errorf("%s: the window is to say %q", name, untold)
		}
		if after, err := readPreferences(live); err != nil || after["styles"] != "twenty" {
			t.Errorf("%s: afterwards Fyne's file has %v, %v", name, after, err)
		}
	}
	// Without a copy the damaged one is kept.
	copied, err := history.DefaultPath()
	if err == nil {
		err = os.Remove(filepath.Join(filepath.Dir(copied), "preferences.json"))
	}
	if err == nil {
		err = os.WriteFile(live, whole[:len(whole)/2], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(preferencesJob{Key: "prompts", Value: "none"})
	_, aside, _ := strings.Cut(strings.TrimSuffix(said(t, live), "\n"), preferences.Damaged)
	if kept, err := os.ReadFile(aside); err != nil || string(kept) != string(whole[:len(whole)/2]) {
		t.Errorf("the damaged one is kept as %q: %v", aside, err)
	}
	// The user who takes the file away wants the defaults.
	if err := os.Remove(live); err != nil {
		t.Fatal(err)
	}
	if got := run(preferencesJob{}); got != "" {
		t.Errorf("without a file the styles are %q", got)
	}
}

// said is what the window is to say of a file of preferences, which is taken out of it.
func said(t *testing.T, live string) string {
	t.Helper()
	values, err := readPreferences(live)
	if err != nil {
		t.Fatal(err)
	}
	untold, _ := values["untold"].(string)
	delete(values, "untold")
	data, err := json.Marshal(values)
	if err == nil {
		err = os.WriteFile(live, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return untold
}

// changePreferences is what the other process does.
func changePreferences(t *testing.T, text string) {
	var job preferencesJob
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		t.Fatal(err)
	}
	p := newApp().Preferences()
	t.Log("styles: " + p.String("styles"))
	if job.Key != "" {
		p.SetString(job.Key, job.Value)
	}
	history, err := history.DefaultPath()
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(wait.Longest); job.Copied; time.Sleep(20 * time.Millisecond) {
		if kept, err := readPreferences(filepath.Join(filepath.Dir(history), "preferences.json")); err == nil && kept[job.Key] == job.Value {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no copy is kept")
		}
	}
}
