package files

import "testing"

func TestNames(t *testing.T) {
	for text, want := range map[string][2]string{
		"A dog, on the beach": {"A dog, on", "A-dog-on"},
		"../../etc/passwd":    {"etcpasswd", "etc-passwd"},
		`con? "x": <y>|*.`:    {"con x y", "con-x-y"},
		"abcdefghijklm":       {"abcdefghij", "abcdefghij"},
		"abcdefghie\u0301":    {"abcdefghi", "abcdefghi"},
		"tab\tand\x00":        {"tab and", "tab-and"},
		"🐕":                   {"🐕", ""},
		". .":                 {"", ""},
		"con":                 {"con_", "con_"},
		"Aux.v2":              {"Aux_.v2", "Aux-v2"},
		"LPT9":                {"LPT9_", "LPT9_"},
		"com":                 {"com", "com"},
		"COM¹":                {"COM¹_", "COM"},
		"lpt³.png":            {"lpt³_.png", "lpt-png"},
		"COM¹1":               {"COM¹1", "COM-1"},
		"com12":               {"com12", "com12"},
		"nul 1":               {"nul 1", "nul-1"},
		"COMa":                {"COMa", "COMa"},
	} {
		if got := [2]string{Name(text, 10), Words(text, 10)}; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestShown(t *testing.T) {
	for text, want := range map[string]string{"a\x1b[31m\nb": "a\ufffd[31m\ufffdb", "größe": "größe", "aaaaaaaaä": "aaaaaaaa…", "aaaaaaaaaaa": "aaaaaaaaa…"} {
		if got := Shown(text, 9); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if a, b, c := Base(`C:\x\y.png`), Base("../z"), Base("a/"); a != "y.png" || b != "z" || c != "" {
		t.Errorf("%q, %q, %q", a, b, c)
	}
}
