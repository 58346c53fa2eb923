package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/message"
	"realword/ui/state"
)

// evaluated are what PowerShell does not take as it is in a text between double quotation marks: those end it, of which it knows four, the
// others begin an expression or an escape.
const evaluated = "\"“”„$`"

// A prompt is a text of strangers, and on Windows notifications are scripts.
func TestNoNotificationIsAScript(t *testing.T) {
	for text, want := range map[string]string{
		"a dog $(Start-Process calc) on a beach": "a dog ＄(Start-Process calc) on a beach",
		"a dog\"; Start-Process calc; \"":        "a dog'; Start-Process calc; '",
		"a dog”; Start-Process calc; “":          "a dog’; Start-Process calc; ‘",
		"a „dog‟; $env:USERNAME":                 "a ‚dog‛; ＄env:USERNAME",
		"a dog`\"; $x":                           "a dogˋ'; ＄x",
		`a sign "OPEN"`:                          "a sign 'OPEN'",
		"two\r\nlines\nand a\ttab":               "two lines and a tab",
		"le fichier\u00a0: \u00abchien\u00bb":    "le fichier : «chien»",
		"C:\\Bilder\\狐 🦊.png":                    "C:/Bilder/狐 🦊.png",
		"a\x00b\x1bc\xffd\u202ee\u2028f":         "abcde f",
	} {
		got := harmless("windows", text)
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
		script := fmt.Sprintf("%q", got) // as Fyne writes it
		if inner := script[1 : len(script)-1]; inner != got || strings.ContainsAny(inner, evaluated) {
			t.Errorf("PowerShell reads %s", script)
		}
	}
	for r := rune(0); r <= 0x1ffff; r++ {
		got := harmless("windows", "a"+string(r)+"b")
		if script := fmt.Sprintf("%q", got); script != `"`+got+`"` || strings.ContainsAny(got, evaluated) {
			t.Fatalf("%U is %s in the script", r, script)
		}
	}
	if got := harmless("linux", `a "dog" <img src="file:///a.png"> & $5`); got != `a "dog" ‹img src="file:///a.png"› & $5` {
		t.Error(got)
	}
	if text := `a "dog" <b> $(x)`; harmless("darwin", text) != text {
		t.Error(harmless("darwin", text))
	}
}

func TestNotificationsAreHarmless(t *testing.T) {
	app := test.NewTempApp(t)
	b := bell{
		app: app, system: "windows", wanted: func() bool { return true },
		slowly: func(slow func() (show func())) { slow() },
	}
	flight := state.Flight{}
	flight.Task.Request.Prompt = `a sign "$(calc)"`
	flight.Run.Pictures = 1
	test.AssertNotificationSent(t, fyne.NewNotification("The picture is finished", "a sign '＄(calc)'"), func() {
		b.end(inference.Done{}, flight)
	})
	test.AssertNotificationSent(t, fyne.NewNotification("The job failed", "The file C:/＄(calc).png is gone."), func() {
		b.end(inference.Failed{Err: message.Errorf("the file %w is gone", errors.New(`C:\$(calc).png`))}, flight)
	})
}
