package wording

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/assets/translations"
	"realword/history"
	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/files"
	"realword/inference/memory"
	"realword/inference/message"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
)

func TestSentence(t *testing.T) {
	home := filepath.Join(t.TempDir(), "me")
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	at := func(parts ...string) string { return filepath.Join(append([]string{home}, parts...)...) }
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("the model is damaged: import it again"), "The model is damaged: import it again."},
		{errors.New("Done already."), "Done already."},
		{errors.New("unet.onnx is damaged"), "unet.onnx is damaged."},
		{errors.New("γ is too large"), "γ is too large."},
		{errors.New("  "), "Something failed for an unknown reason."},
		{errors.New("first: do this\nsecond: do that"), "First: do this.\nSecond: do that."},
		{
			fmt.Errorf("%s cannot be written: %q is a file", at("a", "b.png"), at("a")),
			fmt.Sprintf("%s cannot be written: %q is a file.", filepath.Join("~", "a", "b.png"), filepath.Join("~", "a")),
		},
		{errors.New("/mnt" + at("a") + " is no folder"), "/mnt" + at("a") + " is no folder."},
		{&history.Error{Kind: history.ReadOnly, Path: at("h.db")}, filepath.Join("~", "h.db") + " is read-only: change its permissions, or use another disk."},
		{errors.New(home + " is no folder"), home + " is no folder."},
	} {
		if got := Sentence(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

// A notice of the history has paths as the rest of the window.
func TestHistoryHasShortPaths(t *testing.T) {
	home := filepath.Join(t.TempDir(), "me")
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	if got := History(&history.Error{Kind: history.Busy, Path: filepath.Join(home, "h.db")}); !strings.Contains(got, "history "+filepath.Join("~", "h.db")+" open") {
		t.Error(got)
	}
}

// TestErrorsSpeakTheLanguageOfTheWindow finds no English in errors of known kinds, wherever they lie.
func TestErrorsSpeakTheLanguageOfTheWindow(t *testing.T) {
	i18ntest.Pseudo(t)
	for _, err := range []error{
		&history.Error{Kind: history.Full, Path: "/h", Err: errors.New("no space left on device")},
		fmt.Errorf("/p.png: %w", picture.UnsupportedError{Err: message.New("the file is not a picture of a known format; open it in an image editor and save it as PNG or JPEG")}),
		errors.Join(recipe.ErrNone, fmt.Errorf("7: %w", history.ErrNoStep)),
		&fs.PathError{Op: "open", Path: "/h", Err: syscall.ENOSPC},
		message.Errorf("open model %s: %w; import the model again", "/m", errors.Join(message.Errorf("%s is missing", "u.onnx"), &fs.PathError{Op: "open", Path: "/h", Err: fs.ErrPermission})),
		&memory.Error{Plan: memory.Plan{Peak: 9e9, Available: 4e9, Remedies: []memory.Remedy{{Text: "768 × 768", Peak: 3e9}}}},
	} {
		got := Sentence(err)
		for _, english := range []string{"the", "this", "kept", "space", "picture", "memory", "disk", "word", "open"} {
			if strings.Contains(strings.ToLower(got), english) {
				t.Errorf("%v: %q is English in %q", err, english, got)
			}
		}
	}
	if got := Sentence(errors.Join(errors.New("a"), history.ErrNoPicture)); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "A.") {
		t.Errorf("joined errors: %q", got)
	}
}

// TestNumbersAndDates says the same sizes, days and numbers in every language.
func TestNumbersAndDates(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	t.Cleanup(func() { i18ntest.English(t) })
	for name, want := range map[string]string{
		"en": "0 bytes, 1 byte, 999 bytes; 1.5 kB; 2.3 MB; 10.0 GB | today, 09:05; yesterday, 12:00; 27 February; 1 May 2025; 31 December 2025, 23:09; Session of 27 February, 12:00 | " +
			"1 s; 2 min 5 s; 12 min; 3 h 5 min | 0.25; Done in 3.5 s.; 12,345 pictures; 1 picture; 999 pictures",
		"de": "0 Byte, 1 Byte, 999 Byte; 1,5 kB; 2,3 MB; 10,0 GB | heute, 09:05; gestern, 12:00; 27. Februar; 1. Mai 2025; 31. Dezember 2025, 23:09; Sitzung vom 27. Februar, 12:00 | " +
			"1 Sek.; 2 Min. 5 Sek.; 12 Min.; 3 Std. 5 Min. | 0,25; Fertig in 3,5 s.; 12.345 Bilder; 1 Bild; 999 Bilder",
		"fr": "0 octet, 1 octet, 999 octets; 1,5 ko; 2,3 Mo; 10,0 Go | aujourd’hui, 09:05; hier, 12:00; 27 février; 1 mai 2025; 31 décembre 2025, 23:09; Session du 27 février, 12:00 | " +
			"1 s; 2 min 5 s; 12 min; 3 h 5 min | 0,25; Terminé en 3,5 s.; 12\u00a0345 images; 1 image; 999 images",
		"es": "0 bytes, 1 byte, 999 bytes; 1,5 kB; 2,3 MB; 10,0 GB | hoy, 09:05; ayer, 12:00; 27 de febrero; 1 de mayo de 2025; 31 de diciembre de 2025, 23:09; Sesión del 27 de febrero, 12:00 | " +
			"1 s; 2 min 5 s; 12 min; 3 h 5 min | 0,25; Listo en 3,5 s.; 12.345 imágenes; 1 imagen; 999 imágenes",
		"zh-CN": "0 字节, 1 字节, 999 字节; 1.5 kB; 2.3 MB; 10.0 GB | 今天，09:05; 昨天，12:00; 2月27日; 2025年5月1日; 2025年12月31日 23:09; 2月27日 12:00的会话 | " +
			"1 秒; 2 分 5 秒; 12 分钟; 3 小时 5 分 | 0.25; 用时 3.5 秒完成。; 12,345 张图片; 1 张图片; 999 张图片",
		"ja": "0 バイト, 1 バイト, 999 バイト; 1.5 kB; 2.3 MB; 10.0 GB | 今日 09:05; 昨日 12:00; 2月27日; 2025年5月1日; 2025年12月31日 23:09; 2月27日 12:00 のセッション | " +
			"1 秒; 2 分 5 秒; 12 分; 3 時間 5 分 | 0.25; 3.5 秒で完了しました。; 12,345 枚の画像; 1 枚の画像; 999 枚の画像",
	} {
		if err := i18n.Speak(translations.Files, name); err != nil {
			t.Fatal(err)
		}
		pictures := func(n int) string { return i18n.N(n, "%d picture", "%d pictures", n) }
		got := strings.Join([]string{
			Bytes(0) + ", " + Bytes(1) + ", " + Bytes(999) + "; " + Bytes(1500) + "; " + Bytes(2_340_000) + "; " + Bytes(10e9),
			Day(now.Add(-175*time.Minute), now) + "; " + Day(now.AddDate(0, 0, -1), now) + "; " + Day(now.AddDate(0, 0, -2), now) + "; " +
				Day(now.AddDate(-1, 2, 0), now) + "; " + Moment(time.Date(2025, 12, 31, 23, 9, 0, 0, time.Local)) + "; " + Session(now.AddDate(0, 0, -2)),
			Duration(1) + "; " + Duration(125*time.Second) + "; " + Duration(12*time.Minute) + "; " + Duration(185*time.Minute),
			i18n.Number("%.2f", 0.25) + "; " + i18n.T("Done in %.1f s.", 3.5) + "; " + pictures(12345) + "; " + pictures(1) + "; " + pictures(999),
		}, " | ")
		if got != want {
			t.Errorf("%s:\n%s, want\n%s", name, got, want)
		}
	}
}

// TestErrorsFromBelow says in other languages what the packages below the window answer.
func TestErrorsFromBelow(t *testing.T) {
	t.Cleanup(func() { i18ntest.English(t) })
	dir := t.TempDir()
	_, _, empty := picture.Decode(nil, picture.Limits{})
	_, _, tiff := picture.Decode([]byte("II*\x00\x00\x00\x00\x00"), picture.Limits{})
	_, noModel := bundle.Open(dir)
	away := files.Write(filepath.Join(dir, "away", "p.png"), files.New, nil)
	missing := filepath.Join(dir, "away", "p.png")
	_, noWord := new(prompt.Prompt).Find("dog", 1)
	for _, c := range []struct {
		err        error
		de, ja, en string
	}{
		{empty, "Die Datei ist leer: neu kopieren oder herunterladen.", "ファイルが空です。もう一度コピーまたはダウンロードしてください。", "The file is empty; copy or download it again."},
		{
			fmt.Errorf("a.tif: %w", tiff),
			"a.tif: das ist ein TIFF- oder Kamera-Rohbild, was nicht unterstützt wird; in einem Bildbearbeitungsprogramm öffnen und als PNG oder JPEG speichern.",
			"a.tif: これはTIFF またはカメラの RAW 画像で、対応していません。画像編集ソフトで開き、PNG または JPEG で保存してください。",
			"a.tif: this is a TIFF or camera raw picture, which is not supported; open it in an image editor and save it as PNG or JPEG.",
		},
		{
			noModel,
			"Das Modell " + dir + " öffnen: es gibt kein manifest.json: einen Modellordner anlegen mit `realword model import CHECKPOINTS --out ORDNER`.",
			"モデル " + dir + " を開けません: manifest.json がありません。`realword model import CHECKPOINTS --out FOLDER` でモデルフォルダーを作成してください。",
			"Open model " + dir + ": there is no manifest.json; make a model folder with `realword model import CHECKPOINTS --out FOLDER`.",
		},
		{
			noWord, "Der Prompt ist leer: schreiben, was das Bild zeigt, dann Referenzen an Wörter daraus binden.",
			"プロンプトが空です。画像の内容を入力し、その単語に参照画像を割り当ててください。",
			"The prompt is empty: write what the picture shows, then bind references to words of it.",
		},
		{
			&files.FullError{Dir: "/m", Need: 2.5e9, Free: 3e6},
			"/m hat 3,0 MB frei, weniger als die nötigen 2,5 GB: Platz schaffen oder einen Ordner auf einem anderen Laufwerk wählen.",
			"/m の空きは 3.0 MB で、必要な 2.5 GB に足りません。容量を空けるか、別のディスクのフォルダーを選んでください。",
			"/m has 3.0 MB free, less than the 2.5 GB needed; free up space or choose a folder on another disk.",
		},
		{
			message.Errorf("the guidance scale ω = %g is outside the range 1 to %d: 3 to 8 works well", 0.5, 30),
			"Die Guidance-Skala ω = 0,5 liegt nicht zwischen 1 und 30: 3 bis 8 ist gut.",
			"ガイダンススケール ω = 0.5 は 1～30 の範囲外です。3～8 が適しています。",
			"The guidance scale ω = 0.5 is outside the range 1 to 30: 3 to 8 works well.",
		},
		{
			&checkpoint.UnsupportedError{File: "/m.safetensors", Problem: message.Note("this is a GGUF file"), Remedy: message.Note("use the safetensors file that it was made from")},
			"/m.safetensors: das ist eine GGUF-Datei: die safetensors-Datei verwenden, aus der sie entstand.",
			"/m.safetensors: これは GGUF ファイルです。元の safetensors ファイルを使ってください。",
			"/m.safetensors: this is a GGUF file; use the safetensors file that it was made from.",
		},
		{
			&memory.Error{Plan: memory.Plan{Peak: 9e9, Available: 4e9, Remedies: []memory.Remedy{{Width: 768, Height: 768, References: 1, Peak: 3e9}}}},
			"Dieses Bild braucht etwa 9,0 GB Speicher, verfügbar sind 4,0 GB: andere Programme schließen oder 768 × 768 Pixel, 1 Bild pro Motiv (3,0 GB) wählen.",
			"この画像には約 9.0 GB のメモリが必要ですが、使えるのは 4.0 GB です。ほかのプログラムを終了するか、768 × 768 ピクセル, 被写体ごとに 1 枚 (3.0 GB) を選んでください。",
			"This picture needs about 9.0 GB of memory, and 4.0 GB is available: close other programs, or choose 768 × 768 pixels, 1 picture per subject (3.0 GB).",
		},
		{
			fmt.Errorf("%w: again", &fs.PathError{Op: "write", Path: "/p.png", Err: syscall.EACCES}),
			"/p.png: keine Berechtigung: again.", "/p.png: アクセスが許可されていません: again.", "/p.png: permission denied: again.",
		},
	} {
		for name, want := range map[string]string{"de": c.de, "ja": c.ja, "": c.en} {
			if err := i18n.Speak(translations.Files, name); err != nil {
				t.Fatal(err)
			}
			if got := Sentence(c.err); got != want {
				t.Errorf("in %q:\n%s, want\n%s", name, got, want)
			}
		}
	}
	if err := i18n.Speak(translations.Files, "de"); err != nil {
		t.Fatal(err)
	}
	if got := Sentence(away); got != missing+" kann nicht geschrieben werden: den Ordner gibt es nicht; ihn anlegen oder einen anderen wählen." {
		t.Errorf("a missing folder: %q", got)
	}
}

// TestFullStop ends sentences as the language does.
func TestFullStop(t *testing.T) {
	t.Cleanup(func() { i18ntest.English(t) })
	for name, want := range map[string]string{
		"": "It is no longer in the history.", "de": "Ist nicht mehr im Verlauf.", "ja": "履歴にもうありません。", "zh-CN": "已不在历史记录中。",
	} {
		if err := i18n.Speak(translations.Files, name); err != nil {
			t.Fatal(err)
		}
		if got := Sentence(history.ErrNotFound); got != want {
			t.Errorf("in %q: %q, want %q", name, got, want)
		}
		if got := Sentence(errors.New("the disk is full")); got != "The disk is full." {
			t.Errorf("in %q, without a translation: %q", name, got)
		}
		if got := Capital(want); got != want {
			t.Errorf("in %q a second full stop: %q", name, got)
		}
	}
}

// TestMonths finds the months of a year in every language that is shipped, once each.
func TestMonths(t *testing.T) {
	t.Cleanup(func() { i18ntest.English(t) })
	files, err := fs.Glob(translations.Files, "*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no languages", err)
	}
	for _, file := range files {
		if err := i18n.Speak(translations.Files, strings.TrimSuffix(file, ".json")); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for m := time.January; m <= time.December; m++ {
			text := Moment(time.Date(2025, m, 23, 16, 45, 0, 0, time.Local))
			for _, part := range []string{"23", "2025", "16:45", month(m)} {
				if !strings.Contains(text, part) {
					t.Errorf("%s: %q lacks %q", file, text, part)
				}
			}
			if file != "en.json" && strings.Contains(text, m.String()) && month(m) != m.String() {
				t.Errorf("%s: an English month in %q", file, text)
			}
			seen[text] = true
		}
		if len(seen) != 12 {
			t.Errorf("%s has %d months", file, len(seen))
		}
	}
}
