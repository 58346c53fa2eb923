package files

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Windows says where the user's folders are: OneDrive or the user may have moved them.
func TestKnownFolders(t *testing.T) {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil {
		t.Skip("it moves folders of the user for a moment")
	}
	t.Setenv("USERPROFILE", `C:\home of a test`) // which has no pictures, that would stay
	key, err := registry.OpenKey(registry.CURRENT_USER,
		`Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders`, registry.QUERY_VALUE|registry.SET_VALUE)
	if err != nil {
		t.Skip(err)
	}
	defer key.Close()
	for _, c := range []struct {
		value string
		got   func() string
		want  string
	}{
		{"My Pictures", Pictures, "Realword"},
		{"{374DE290-123F-4565-9164-39C4925E467B}", func() string { return userFolder("DOWNLOAD", "Downloads") }, ""},
		{"Desktop", func() string { return userFolder("DESKTOP", "Desktop") }, ""},
	} {
		const elsewhere = `C:\OneDrive of a test\Bilder`
		old, kind, missing := key.GetStringValue(c.value)
		if missing == nil && kind != registry.SZ && kind != registry.EXPAND_SZ {
			t.Fatalf("%s is a value of kind %d", c.value, kind)
		}
		if err := key.SetStringValue(c.value, elsewhere); err != nil {
			t.Fatal(err)
		}
		got := c.got()
		switch {
		case missing != nil:
			err = key.DeleteValue(c.value)
		case kind == registry.EXPAND_SZ:
			err = key.SetExpandStringValue(c.value, old)
		default:
			err = key.SetStringValue(c.value, old)
		}
		if err != nil {
			t.Error(err)
		}
		if want := filepath.Join(elsewhere, c.want); got != want {
			t.Errorf("%s: %q, want %q", c.value, got, want)
		}
	}
}
