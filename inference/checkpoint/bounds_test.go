package checkpoint

import (
	"archive/zip"
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// takes returns the bytes that parsing allocates in all, more than it ever holds at once.
func takes(data []byte) (uint64, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err := parse(bytes.NewReader(data), int64(len(data)), "w")
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}

// TestHeadersTakeTheirSizeAtMost builds headers of many MB out of everything that a header may hold: what parsing allocates stays
// below twice the header and a little, refused or not.
func TestHeadersTakeTheirSizeAtMost(t *testing.T) {
	const size = 12 << 20
	many := func(piece func(i int) string) string {
		var b strings.Builder
		b.WriteByte('{')
		for i := 0; b.Len() < size; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(piece(i))
		}
		b.WriteByte('}')
		return b.String()
	}
	tensor := func(rest string) string { return `{"dtype":"U8","shape":[0],"data_offsets":[0,0]` + rest + `}` }
	for name, header := range map[string]string{
		"many tensors":     many(func(i int) string { return fmt.Sprintf(`"%d":%s`, i, tensor("")) }),
		"long names":       many(func(i int) string { return fmt.Sprintf(`"%d%s":%s`, i, strings.Repeat("n", 1000), tensor("")) }),
		"one name":         `{"` + strings.Repeat("n", size) + `":` + tensor("") + `}`,
		"much metadata":    `{"__metadata__":` + many(func(i int) string { return fmt.Sprintf(`"%d":"%s"`, i, strings.Repeat("v", 5000)) }) + `}`,
		"many metadata":    `{"__metadata__":` + many(func(i int) string { return fmt.Sprintf(`"%d":""`, i) }) + `}`,
		"one value":        `{"__metadata__":{"thumbnail":"` + strings.Repeat("A", size) + `"},"a":` + tensor("") + `}`,
		"one long shape":   `{"a":{"dtype":"U8","shape":[0` + strings.Repeat(",0", size/2) + `],"data_offsets":[0,0]}}`,
		"one long number":  `{"a":{"dtype":"U8","shape":[` + strings.Repeat("1", size) + `],"data_offsets":[0,0]}}`,
		"one long type":    `{"a":{"dtype":"` + strings.Repeat("F", size) + `","shape":[0],"data_offsets":[0,0]}}`,
		"a foreign field":  `{"a":` + tensor(`,"x":[`+strings.Repeat(`{"y":1},`, size/8)+`0]`) + `}`,
		"a deep field":     `{"a":` + tensor(`,"x":`+strings.Repeat(`[`, size)) + `}`,
		"padding":          `{"a":` + tensor("") + `}` + strings.Repeat(" ", size),
		"padding in front": strings.Repeat(" ", size) + `{"a":` + tensor("") + `}`,
	} {
		data := tensorFile(header, "")
		took, err := takes(data)
		t.Logf("%s: %d MB of header, %.1f MB, %v", name, len(header)>>20, float64(took)/(1<<20), err)
		if took > uint64(2*len(header)+4<<20) { // and what every file takes
			t.Errorf("%s: %d bytes for a header of %d", name, took, len(header))
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
	}
}

// TestPicklesAreBounded: what one byte of a pickle can ask for does not add up.
func TestPicklesAreBounded(t *testing.T) {
	const size = 2 << 20
	for name, pickle := range map[string]string{
		"dictionaries":       strings.Repeat("}", size),
		"lists":              strings.Repeat("]", size),
		"tuples of tuples":   ")" + strings.Repeat("\x85", size),
		"marks":              strings.Repeat("(", size),
		"duplicates":         "}" + strings.Repeat("2", size),
		"remembered":         "}" + strings.Repeat("\x94", size),
		"remembered far off": "}" + strings.Repeat("r\xff\xff\xff\x7fr\xff\xff\xff\x6f", size/10),
		"numbers":            "](" + strings.Repeat("M\xff\xff", size/3) + "e",
		"a list of lists":    strings.Repeat("]", size/4) + strings.Repeat("a", size/4),
		"globals":            strings.Repeat("ca\nb\n0", size/6),
		"other globals": func() string {
			var b strings.Builder
			for i := 0; b.Len() < size; i++ {
				fmt.Fprintf(&b, "cm%d\nn\n0", i)
			}
			return b.String()
		}(),
		"keys": "}(" + func() string {
			var b strings.Builder
			for i := 0; b.Len() < size; i++ {
				fmt.Fprintf(&b, "U\x04%04xN", i&0xffff)
			}
			return b.String()
		}() + "u",
	} {
		data := archive(t, zip.Store, "a/data.pkl", "\x80\x02"+pickle+".")
		took, err := takes(data)
		t.Logf("%s: %.1f MB, %v", name, float64(took)/(1<<20), err)
		if err == nil {
			t.Errorf("%s: taken for weights", name)
		}
		if took > 90<<20 { // in all; a third of it at once
			t.Errorf("%s: 2 MB of pickle allocate %d MB", name, took>>20)
		}
	}
}
