package i18n

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"realword/assets/translations"
)

// outOfUse are wordings that a review of the window found unclear, with what is said today. The first capital matters: an error may well
// say "leave out".
var outOfUse = map[string]string{
	`^Leave out`: "Mute", `(?i)take its word away`: "Unbind word",
	`(?i)overlap wanted`:   "Masks overlap by … at step …: lower their areas, or move the subjects apart",
	`(?i)out of the queue`: "Remove from queue",
	`^Go on with it`:       "Continue", `(?i)\bon the stage\b`: "Open in studio",
	`(?i)pixel for pixel`: "Fit / 100 %", `(?i)pixels as squares`: "Sharp pixels",
	`(?i)with the words alone`: "text-only", `(?i)what to avoid`: "Negative prompt", `^Masks from`: "Mask source",
	`(?i)as the anchor\b`: "Keep the original references too", `(?i)report for a helper`: "Save diagnostic report…", `^Keys…$`: "Keyboard shortcuts…",
	`(?i)\bpanel of\b`: "Subjects panel", `(?i)colours of the system`: "Follow system theme",
	`(?i)sessions are not kept`: "History is off", `^As it was$`: "Reset", `(?i)read where they lie`: "used in place", `(?i)\ba tick away`: "Untick",
	`(?i)that is coming to be`: "the emerging picture", `(?i)has proved that`: "once a self-test matches the CPU",
	`(?i)best γ of`: "the top γ share of positions", `(?i)tells so\b`: "sends a desktop notification", `(?i)\btrouble says\b`: "Errors suggest a fix",
	`(?i)\bcancel everything`: "Cancel all jobs", `(?i)\bdelete for good`: "Delete permanently",
	`(?i)\bsettled at \d|\bsettled at %`: "could settle after",
}

// outOfWindow are likewise words of the window alone.
var outOfWindow = map[string]string{`(?i)\brounds?\b`: "job", `(?i)\breach\b`: "area"}

// TestNoOldWordings: neither the window nor its documentation says again what was found unclear.
func TestNoOldWordings(t *testing.T) {
	texts := map[string]string{} // where each stands
	data, err := translations.Files.ReadFile("en.json")
	if err != nil {
		t.Fatal(err)
	}
	var list map[string]json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	for key, value := range list {
		var forms map[string]string
		if texts[key] = key; json.Unmarshal(value, &forms) == nil {
			for _, text := range forms {
				texts[key+": "+text] = text
			}
		}
	}
	check := func(out map[string]string) {
		for pattern, today := range out {
			old := regexp.MustCompile(pattern)
			for where, text := range texts {
				if old.MatchString(text) {
					t.Errorf("%s\n\tsays %q, where %q is clearer", where, old.FindString(text), today)
				}
			}
		}
	}
	check(outOfWindow)
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("documentation %v, %v", pages, err)
	}
	for _, page := range append(pages, "../../README.md") {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			texts[page+" "+string(rune('0'+i%10))+": "+line] = line
		}
	}
	check(outOfUse)
}
