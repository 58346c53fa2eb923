package picture

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

var (
	a1111Item = regexp.MustCompile(`\s*([\pL\pN_][\pL\pN_ \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)`)
	a1111Size = regexp.MustCompile(`^(\d+)x(\d+)$`)
)

// a1111 reads `parameters` text as stable-diffusion-webui 1.9 does (modules/infotext_utils.py): the same regular expressions and the
// same order of decisions, apart from the defaults that it fills in. It is apart from ParseParameters on purpose.
func a1111(text string) (prompt, negative string, values map[string]string) {
	lines := strings.Split(strings.TrimFunc(text, unicode.IsSpace), "\n")
	last := lines[len(lines)-1]
	lines = lines[:len(lines)-1]
	if len(a1111Item.FindAllString(last, -1)) < 3 {
		lines, last = append(lines, last), ""
	}
	done := false
	for _, line := range lines {
		line = strings.TrimFunc(line, unicode.IsSpace)
		if strings.HasPrefix(line, "Negative prompt:") {
			done, line = true, strings.TrimFunc(line[16:], unicode.IsSpace)
		}
		to := &prompt
		if done {
			to = &negative
		}
		if *to != "" {
			*to += "\n"
		}
		*to += line
	}
	values = map[string]string{}
	for _, m := range a1111Item.FindAllStringSubmatch(last, -1) {
		k, v := m[1], m[2]
		if v == "" {
			continue // it raises an error inside and drops the key
		}
		if v[0] == '"' && v[len(v)-1] == '"' {
			var s string
			if json.Unmarshal([]byte(v), &s) == nil {
				v = s
			}
		}
		if s := a1111Size.FindStringSubmatch(v); s != nil {
			values[k+"-1"], values[k+"-2"] = s[1], s[2]
		} else {
			values[k] = v
		}
	}
	return prompt, negative, values
}

var chess = []KeyValue{
	{"Version", "realword 1.0.0"},
	{"RealCustom subjects", "dog<-ref1 3f2a9c01de scope 0.2; cat<-ref2 77aa10b2c3 scope 0.25"},
	{"Size", "1024x1024"},
	{"RNG", "CPU"},
	{"Steps", "25"},
	{"Sampler", "DDIM"},
	{"Seed", "965400086"},
	{"RealCustom stop step", "12"},
	{"CFG scale", "7.5"},
	{"Clip skip", ""},
	{"Model", "sd_xl_base_1.0"},
	{"Model hash", "31e35c80fc"},
	{"RealCustom refs", "ref1: 3f2a9c01de, ref2: 77aa10b2c3"},
}

func TestParametersLine(t *testing.T) {
	got, err := Parameters("a dog and a cat playing chess in a library", "blurry, lowres", chess)
	want := `a dog and a cat playing chess in a library
Negative prompt: blurry, lowres
Steps: 25, Sampler: DDIM, CFG scale: 7.5, Seed: 965400086, Size: 1024x1024, Model hash: 31e35c80fc, Model: sd_xl_base_1.0, RNG: CPU, ` +
		`RealCustom subjects: dog<-ref1 3f2a9c01de scope 0.2; cat<-ref2 77aa10b2c3 scope 0.25, RealCustom stop step: 12, ` +
		`RealCustom refs: "ref1: 3f2a9c01de, ref2: 77aa10b2c3", Version: realword 1.0.0`
	if err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	for prompt, want := range map[string]string{"": "", "  a\r\nb\nc ": "a b c", "a\nNegative prompt: no": "a Negative prompt: no"} {
		if got, err := Parameters(prompt, "", nil); err != nil || got != want {
			t.Errorf("%q became %q (%v), want %q", prompt, got, err, want)
		}
	}
	if got, _ := Parameters("", "", []KeyValue{{"Tiling", "Tiling"}, {"Steps", "5"}}); got != "Steps: 5, Tiling" {
		t.Errorf("a value equal to its key became %q", got)
	}
	if got, _ := Parameters("", "", []KeyValue{{"Odd", "<a&b>, é"}}); got != `Odd: "<a&b>, é"` {
		t.Errorf("letters were escaped: %s", got)
	}
	for _, key := range []string{"", "S", "γ scope", "a:b", "a,b", " a", "a\nb"} {
		if _, err := Parameters("", "", []KeyValue{{key, "1"}}); err == nil {
			t.Errorf("the key %q was written", key)
		}
	}
}

// Other programs get every value back.
func TestParametersForA1111(t *testing.T) {
	odd := []KeyValue{
		{"Steps", "25"},
		{"Sampler", "DPM++ 2M"},
		{"Size", "512x768"},
		{"Seed", "1"},
		{"Quoted", `"so to speak"`},
		{"Half quoted", `5" wide`},
		{"Comma", "a, b"},
		{"Colon", "a: b"},
		{"Line", "a\nb"},
		{"Spaces", " a "},
		{"Back-slash", `C:\dogs\`},
		{"Unicode", "γ = 0,2 🐕"},
		{"JSON/data", `{"a": ["b, c", "d\n"]}`},
		{"Markup", "<a&b>, c"},
		{"Version", "1"},
	}
	for prompt, negative := range map[string]string{"a dog": "", "a dog, a cat: \"friends\"": "blurry, bad: hands", "γάτα\nNegative prompt: x": "多行\n文字"} {
		text, err := Parameters(prompt, negative, odd)
		if err != nil {
			t.Fatal(err)
		}
		wantPrompt, wantNegative := strings.ReplaceAll(prompt, "\n", " "), strings.ReplaceAll(negative, "\n", " ")
		p, n, values := a1111(text)
		if p != wantPrompt || n != wantNegative {
			t.Errorf("A1111 reads %q and %q", p, n)
		}
		for _, s := range odd {
			if s.Key == "Size" {
				if values["Size-1"] != "512" || values["Size-2"] != "768" {
					t.Errorf("A1111 reads the size as %v", values)
				}
			} else if values[s.Key] != s.Value {
				t.Errorf("A1111 reads %s as %q, not %q", s.Key, values[s.Key], s.Value)
			}
		}
		p, n, settings := ParseParameters(text)
		if p != wantPrompt || n != wantNegative {
			t.Errorf("we read %q and %q", p, n)
		}
		for _, s := range odd {
			if !slices.Contains(settings, s) {
				t.Errorf("we lost %v: %v", s, settings)
			}
		}
	}
}

func TestParseForeignParameters(t *testing.T) {
	p, n, s := ParseParameters("a cat\non a mat\nNegative prompt: dog\nbird\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b")
	if p != "a cat\non a mat" || n != "dog\nbird" || len(s) != 6 || s[1] != (KeyValue{"Sampler", "Euler a"}) || s[4] != (KeyValue{"Size", "512x512"}) {
		t.Errorf("%q %q %v", p, n, s)
	}
	if p, n, s = ParseParameters("only: words, of: prompt"); p != "only: words, of: prompt" || n != "" || s != nil {
		t.Errorf("%q %q %v", p, n, s)
	}
	if p, _, _ = ParseParameters(""); p != "" {
		t.Errorf("%q", p)
	}
}

func TestMetadataRoundTrip(t *testing.T) {
	long, err := json.Marshal(map[string]any{"schema": 1, "prompt": strings.Repeat("ein Hund\nam Strand 🐕 ", 400)})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]Metadata{
		"nothing":   {},
		"latin":     {Prompt: "a café dog", Negative: "blurry", Settings: []KeyValue{{"Steps", "25"}, {"Seed", "1"}, {"Size", "8x8"}, {"Version", "1"}}},
		"unicode":   {Prompt: "ένας σκύλος 🐕", Recipe: json.RawMessage(`{"schema":1}`), Generated: true},
		"long":      {Prompt: "a dog", Recipe: long},
		"generated": {Generated: true},
		"recipe":    {Recipe: json.RawMessage(`[1,2,{"a":"é<&>"}]`)},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := Encode(flag(), m)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ReadMetadata(data)
			if err != nil || !reflect.DeepEqual(got, m) {
				t.Errorf("%v\n got %+v\nwant %+v", err, got, m)
			}
			img, info, err := Decode(data, Limits{})
			if err != nil || !slices.Equal(img.Pix, flag().Pix) || info.Transparent {
				t.Errorf("the picture came back changed: %+v, %v", info, err)
			}
			again, _ := Encode(flag(), m)
			if !bytes.Equal(data, again) {
				t.Error("the same picture gave other bytes")
			}
		})
	}
	if data, _ := Encode(flag(), Metadata{Recipe: long}); len(data) > len(long)/2 {
		t.Errorf("a recipe of %d bytes was not compressed: %d", len(long), len(data))
	}
	white, err := Encode(flag(), Metadata{Recipe: json.RawMessage("{\n \"a\": 1\n}")})
	if m, _ := ReadMetadata(white); err != nil || string(m.Recipe) != `{"a":1}` {
		t.Errorf("%s, %v", m.Recipe, err)
	}
}

// Where a chunk goes and of what type it is, as other readers expect it.
func TestChunksInFile(t *testing.T) {
	kinds := func(m Metadata) (out []string) {
		data, err := Encode(flag(), m)
		if err != nil {
			t.Fatal(err)
		}
		pngChunks(data, func(kind string, body []byte) bool {
			keyword, _, _ := bytes.Cut(body, []byte{0})
			if kind == "tEXt" || kind == "iTXt" {
				kind += " " + string(keyword)
			}
			out = append(out, kind)
			return true
		})
		return out
	}
	if got, want := kinds(Metadata{Prompt: "é", Recipe: json.RawMessage("{}"), Generated: true}),
		[]string{"IHDR", "sRGB", "tEXt parameters", "iTXt realword", "iTXt XML:com.adobe.xmp", "IDAT", "IEND"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := kinds(Metadata{Prompt: "σ"}), []string{"IHDR", "sRGB", "iTXt parameters", "IDAT", "IEND"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := kinds(Metadata{}), []string{"IHDR", "sRGB", "IDAT", "IEND"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	data, _ := Encode(flag(), Metadata{Prompt: "é"})
	if !bytes.Contains(data, []byte("tEXtparameters\x00\xe9")) {
		t.Error("tEXt is not Latin-1")
	}
}

func TestEncodeRefuses(t *testing.T) {
	for want, m := range map[string]Metadata{
		"not JSON":    {Recipe: json.RawMessage("{")},
		"the setting": {Settings: []KeyValue{{"x", "1"}}},
		"leave out":   {Recipe: json.RawMessage(`"` + strings.Repeat("a", maxText) + `"`)},
	} {
		if _, err := Encode(flag(), m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Encode(solid(0, 5, red), Metadata{}); err == nil {
		t.Error("a picture without pixels was written")
	}
}

// withChunks puts chunks after the header of a PNG file.
func withChunks(t testing.TB, chunks ...[]byte) []byte {
	plain := encodePNG(t, flag())
	return slices.Concat(plain[:33], slices.Concat(chunks...), plain[33:])
}

func TestReadMetadataIsRobust(t *testing.T) {
	text := func(kind, body string) []byte { return appendChunk(nil, kind, []byte(body)) }
	bomb := appendInternational(nil, parametersKeyword, strings.Repeat("a", maxText+1), true)
	badSum := text("tEXt", "parameters\x00a dog")
	badSum[len(badSum)-1]++
	lying := binary.BigEndian.AppendUint32(nil, 1<<31)
	packed := appendInternational(nil, recipeKeyword, `{"a":1}`, true)
	cut := appendChunk(nil, "iTXt", packed[8:len(packed)-9])
	zText := func() []byte {
		i := appendInternational(nil, parametersKeyword, "a z\xc3\xa9bra", true) // UTF-8, where the format asks for Latin-1
		return appendChunk(nil, "zTXt", append([]byte("parameters\x00\x00"), i[8+len("parameters")+5:len(i)-4]...))
	}()
	dog, deep := Metadata{Prompt: "a dog"}, strings.Repeat("[", maxDepth+1)
	// Each a thousandth of the limit.
	many := slices.Repeat([][]byte{appendInternational(nil, recipeKeyword, strings.Repeat(" ", maxText/1000), true)}, 1001)
	for name, c := range map[string]struct {
		chunks  [][]byte
		want    Metadata
		problem string // in the error; empty: none
	}{
		"bomb":               {[][]byte{bomb}, Metadata{}, "unpacks to more than the 4 MB"},
		"bomb before":        {[][]byte{bomb, text("tEXt", "parameters\x00a dog")}, dog, ""},
		"packed behind bomb": {[][]byte{bomb, packed, text("tEXt", "parameters\x00a dog")}, dog, "the recipe in this picture cannot be read: it unpacks"},
		"many small bombs":   {append(many, packed), Metadata{}, "not JSON"},
		"huge":               {[][]byte{text("iTXt", "realword\x00\x00\x00\x00\x00"+strings.Repeat(" ", maxText))}, Metadata{}, "it has more than the 4 MB"},
		"deep":               {[][]byte{text("tEXt", "realword\x00"+deep+strings.Repeat("]", len(deep)))}, Metadata{}, "deeper than the 64"},
		"brackets in a text": {[][]byte{text("tEXt", "realword\x00"+`["\"`+deep+`"]`)}, Metadata{Recipe: json.RawMessage(`["\"` + deep + `"]`)}, ""},
		"wrong checksum":     {[][]byte{badSum}, Metadata{}, ""},
		"length beyond end":  {[][]byte{lying}, Metadata{}, ""},
		"first counts":       {[][]byte{text("tEXt", "parameters\x00a dog"), text("tEXt", "parameters\x00a cat")}, dog, ""},
		"good after bad":     {[][]byte{text("iTXt", "parameters\x00\x02\x00\x00\x00x"), text("tEXt", "parameters\x00a dog")}, dog, ""},
		"no keyword":         {[][]byte{text("tEXt", "parameters")}, Metadata{}, ""},
		"empty chunks":       {[][]byte{text("tEXt", ""), text("iTXt", ""), text("zTXt", "")}, Metadata{}, ""},
		"empty iTXt":         {[][]byte{text("iTXt", "realword\x00")}, Metadata{}, "unknown form"},
		"empty zTXt":         {[][]byte{text("zTXt", "parameters\x00")}, Metadata{}, "the description in this picture cannot be read"},
		"unfinished iTXt":    {[][]byte{text("iTXt", "realword\x00\x00\x00de")}, Metadata{}, "unknown form"},
		"not UTF-8":          {[][]byte{text("iTXt", "parameters\x00\x00\x00\x00\x00\xff")}, Metadata{}, "not UTF-8"},
		"recipe is not JSON": {[][]byte{text("tEXt", "realword\x00{"), text("tEXt", "parameters\x00a dog")}, dog, "not JSON"},
		"recipe cut":         {[][]byte{cut}, Metadata{}, "cannot be unpacked"},
		"language":           {[][]byte{text("iTXt", "realword\x00\x00\x00de\x00Rezept\x00{}")}, Metadata{Recipe: json.RawMessage("{}")}, ""},
		"zTXt":               {[][]byte{zText}, Metadata{Prompt: "a zébra"}, ""},
		"other XMP":          {[][]byte{text("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00<x/>")}, Metadata{}, ""},
		"many":               {slices.Repeat([][]byte{text("tEXt", "Comment\x00x")}, 1000), Metadata{}, ""},
	} {
		got, err := ReadMetadata(withChunks(t, c.chunks...))
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: it says %v, want %q", name, err, c.problem)
		}
	}
	for _, data := range [][]byte{nil, []byte("hello"), encodeJPEG(t, flag())} {
		if _, err := ReadMetadata(data); err == nil {
			t.Error("metadata was read from something that is not PNG")
		}
	}
	whole, _ := Encode(flag(), Metadata{Prompt: "a dog", Recipe: json.RawMessage(`{}`), Generated: true})
	for n := range whole {
		_, _ = ReadMetadata(whole[:n]) // must not panic
	}
}

// Values of random letters, among them all that the text gives a meaning to, come back from both readers.
func TestParametersRandomValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := []rune("ab ,:\"\\\n\t{}é🐕x0")
	for range 500 {
		v := make([]rune, 1+r.IntN(8))
		for i := range v {
			v[i] = letters[r.IntN(len(letters))]
		}
		settings := []KeyValue{{"Steps", "1"}, {"Seed", "2"}, {"Odd value", string(v)}, {"Version", "3"}}
		text, err := Parameters("p", "", settings)
		if err != nil {
			t.Fatal(err)
		}
		_, _, values := a1111(text)
		if values["Odd value"] != string(v) || values["Version"] != "3" {
			t.Fatalf("A1111 reads %q from %q", values, text)
		}
		if _, _, got := ParseParameters(text); !slices.Equal(got, settings) {
			t.Fatalf("we read %q from %q", got, text)
		}
	}
}

// FuzzReadMetadata wants an answer for any bytes as a file and as each kind of text chunk, and that what was read can be written.
func FuzzReadMetadata(f *testing.F) {
	whole, err := Encode(flag(), Metadata{Prompt: "ein σ", Negative: "b", Settings: chess, Recipe: json.RawMessage(`{"a":[1]}`), Generated: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(testdata(f, "animated.png"))
	pngChunks(withChunks(f, appendInternational(nil, recipeKeyword, "{}", true), appendText(nil, parametersKeyword, "a\nSteps: 1, Seed: 2, Size: 3x4")), func(_ string, body []byte) bool {
		f.Add(body)
		return true
	})
	plain := encodePNG(f, flag())
	f.Fuzz(func(t *testing.T, data []byte) {
		files := [][]byte{data}
		for _, kind := range []string{"tEXt", "zTXt", "iTXt"} {
			files = append(files, slices.Concat(plain[:33], appendChunk(nil, kind, data), plain[33:]))
		}
		for _, file := range files {
			m, _ := ReadMetadata(file) // what comes beside an error counts too
			if m.Recipe != nil && !json.Valid(m.Recipe) {
				t.Fatalf("%q", m.Recipe)
			}
			if _, err := m.chunks(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestResultsAreTagged wants pictures and animations to say that they are sRGB, once and before the pixels, and to be read as they are.
func TestResultsAreTagged(t *testing.T) {
	one := card()
	single, err := Encode(one, Metadata{Prompt: "a dog", Generated: true})
	if err != nil {
		t.Fatal(err)
	}
	opaque := image.NewRGBA(one.Rect)
	draw.Draw(opaque, one.Rect, one, image.Point{}, draw.Src)
	film, err := EncodeAnimation([]Frame{{Image: opaque, For: time.Second}, {Image: opaque, For: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"picture": single, "animation": film} {
		chunk := bytes.Index(data, []byte("\x00\x00\x00\x01sRGB\x00\xae\xce\x1c\xe9")) // with its checksum
		if chunk != 33 || bytes.Count(data, []byte("sRGB")) != 1 {
			t.Errorf("%s: sRGB at %d", name, chunk)
		}
		img, info, err := Decode(data, Limits{})
		if err != nil || info.Colours != "" || !bytes.Equal(img.Pix, one.Pix) {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if _, err := png.Decode(bytes.NewReader(data)); err != nil {
			t.Error(err)
		}
	}
}
