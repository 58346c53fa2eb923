package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"
	"unicode/utf8"

	"realword/inference/message"
)

// Metadata is what a PNG file says about how its picture was made. The zero Metadata writes nothing.
type Metadata struct {
	Prompt, Negative string
	Settings         []KeyValue      // see Parameters, which writes these three for other programs
	Recipe           json.RawMessage // Realword's own, complete; any JSON value
	Generated        bool            // marks the picture as made by a trained model (IPTC digital source type, in XMP)
	LoRAs            []KeyValue      // of ReadMetadata: files that another program used, with their weights; not those in prompts
	Notes            []error         // of ReadMetadata: what another program says beside them, or leaves open, half a sentence each
}

// Keywords of the text chunks.
const (
	parametersKeyword = "parameters"
	recipeKeyword     = "realword"
	xmpKeyword        = "XML:com.adobe.xmp"
)

const digitalSource = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

const xmp = "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
	`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
	`<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" ` +
	`Iptc4xmpExt:DigitalSourceType="` + digitalSource + `"/></rdf:RDF></x:xmpmeta>` + "\n<?xpacket end=\"r\"?>"

// Limits of ReadMetadata. A recipe is a few KB, with thumbnails of its references some dozens; far more is no recipe.
const (
	maxText  = 4 << 20 // a text chunk, packed or not, and all that is unpacked of one file
	maxDepth = 64      // of brackets in a recipe
)

// Encode writes a picture in sRGB as a PNG file that says so, with its metadata in text chunks after the header: `parameters` for
// other programs, the recipe as `realword`, and XMP. The same picture and metadata give the same bytes.
func Encode(img image.Image, m Metadata) ([]byte, error) {
	chunks, err := m.chunks()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("this picture cannot be a PNG file: %w", err)
	}
	const header = len(pngSignature) + 4 + 4 + 13 + 4
	out := make([]byte, 0, b.Len()+len(srgbChunk)+len(chunks))
	out = append(out, b.Bytes()[:header]...)
	out = append(out, srgbChunk...)
	out = append(out, chunks...)
	return append(out, b.Bytes()[header:]...), nil
}

// srgbChunk says that the colours are sRGB, to be shown with the perceptual intent.
var srgbChunk = string(appendChunk(nil, "sRGB", []byte{0}))

func (m Metadata) chunks() (out []byte, err error) {
	parameters, err := Parameters(m.Prompt, m.Negative, m.Settings)
	if err != nil {
		return nil, err
	}
	if parameters != "" {
		out = appendText(out, parametersKeyword, parameters)
	}
	if len(m.Recipe) > 0 {
		var b bytes.Buffer
		if err := json.Compact(&b, m.Recipe); err != nil {
			return nil, fmt.Errorf("the recipe is not JSON, so it cannot be written into the picture: %w", err)
		}
		if b.Len() > maxText {
			return nil, fmt.Errorf("the recipe has %d MB, more than the %d MB that fit into a picture; leave out the thumbnails", b.Len()>>20,
				maxText>>20)
		}
		if err := checkRecipe(b.String()); err != nil {
			return nil, fmt.Errorf("the recipe cannot be written into the picture: %w", err)
		}
		const worthPacking = 1024
		out = appendInternational(out, recipeKeyword, strings.ToValidUTF8(b.String(), "\ufffd"), b.Len() > worthPacking)
	}
	if m.Generated {
		out = appendInternational(out, xmpKeyword, xmp, false)
	}
	return out, nil
}

// appendText writes a tEXt chunk if the text is Latin-1 and cannot be taken for UTF-8, else iTXt.
func appendText(out []byte, keyword, text string) []byte {
	text = strings.ToValidUTF8(text, "\ufffd")
	latin, ascii := append([]byte(keyword), 0), true
	for _, r := range text {
		if r > 0xff {
			return appendInternational(out, keyword, text, false)
		}
		latin, ascii = append(latin, byte(r)), ascii && r < 0x80
	}
	if !ascii && utf8.Valid(latin) {
		return appendInternational(out, keyword, text, false)
	}
	return appendChunk(out, "tEXt", latin)
}

func appendInternational(out []byte, keyword, text string, pack bool) []byte {
	var b bytes.Buffer
	b.WriteString(keyword)
	if !pack {
		b.WriteString("\x00\x00\x00\x00\x00") // end of keyword, not compressed, method 0, no language, no translated keyword
		b.WriteString(text)
		return appendChunk(out, "iTXt", b.Bytes())
	}
	b.WriteString("\x00\x01\x00\x00\x00")
	z := zlib.NewWriter(&b) // a buffer does not fail
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return appendChunk(out, "iTXt", b.Bytes())
}

func appendChunk(out []byte, kind string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	sum := crc32.NewIEEE()
	_, _ = io.WriteString(sum, kind)
	_, _ = sum.Write(body)
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, sum.Sum32())
}

// ReadMetadata reads what Encode wrote, and what other programs write, from a PNG file, without decoding the picture: the
// `parameters` text of A1111 and its kin, and the JSON of Fooocus, SwarmUI, InvokeAI, ComfyUI and NovelAI, whose settings come in
// A1111's words. Text that is UTF-8 is read as such, also where the format asks for Latin-1, since most programs do not mind.
// The prompts come back with spaces for new lines, and the settings in the order written; the recipe as it was, without
// white space. A PNG file without any of it gives the zero Metadata. Of two chunks with the same keyword the first good one
// counts. Where there is no good one, the error says what is wrong with a bad one, and the rest is returned all the same. Chunks
// that are cut off or whose checksum is wrong are passed over. However the file was made, the work is bounded by its size.
func ReadMetadata(data []byte) (Metadata, error) {
	if !bytes.HasPrefix(data, []byte(pngSignature)) {
		return Metadata{}, UnsupportedError{message.Errorf("recipes stand in PNG files, and this is %v: choose the file that the program wrote", called(data))}
	}
	var m Metadata
	r := textReader{left: maxText}
	bad, seen, texts := map[string]error{}, map[string]bool{}, map[string]string{}
	pngChunks(data, func(kind string, body []byte) bool {
		if kind != "tEXt" && kind != "zTXt" && kind != "iTXt" {
			return true
		}
		key, rest, ok := bytes.Cut(body, []byte{0})
		keyword := string(key[:min(len(key), 80)])
		if !ok || seen[keyword] || keyword != recipeKeyword && keyword != xmpKeyword && !foreignKeyword(keyword) {
			return true
		}
		text, err := r.text(kind, rest)
		if err == nil && keyword == recipeKeyword {
			err = checkRecipe(text)
		}
		if err != nil {
			if bad[keyword] == nil {
				bad[keyword] = err
			}
			return true
		}
		seen[keyword] = true
		switch keyword {
		case recipeKeyword:
			m.Recipe = json.RawMessage(text)
		case xmpKeyword:
			m.Generated = strings.Contains(text, digitalSource)
		default:
			texts[keyword] = text
		}
		return true
	})
	m.readForeign(texts)
	// a mark of the file that it was in
	m.Prompt, m.Negative = strings.TrimPrefix(m.Prompt, "\ufeff"), strings.TrimPrefix(m.Negative, "\ufeff")
	var problems []error
	for _, part := range []struct{ keyword, name string }{{recipeKeyword, "recipe"}, {parametersKeyword, "description"}} {
		if err := bad[part.keyword]; err != nil && !seen[part.keyword] {
			problems = append(problems, fmt.Errorf("the %s in this picture cannot be read: %w; use the original file, or the picture as a reference",
				part.name, err))
		}
	}
	return m, errors.Join(problems...)
}

// checkRecipe refuses what would cost more than a recipe may to take apart.
func checkRecipe(text string) error {
	depth, quoted, escaped := 0, false, false
	for _, c := range []byte(text) {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return fmt.Errorf("its brackets are nested deeper than the %d levels that a recipe needs", maxDepth)
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	if !json.Valid([]byte(text)) {
		return errors.New("it is damaged (not JSON)")
	}
	return nil
}

// textReader reads the text chunks of one file. What it unpacks is bounded for all of them together, since many small chunks can
// unpack to as much as a large one.
type textReader struct{ left int }

// text is the text of a chunk after its keyword.
func (r *textReader) text(kind string, b []byte) (string, error) {
	if len(b) > maxText {
		return "", fmt.Errorf("it has more than the %d MB allowed", maxText>>20)
	}
	packed := kind == "zTXt"
	damaged := errors.New("it is damaged (a chunk of unknown form)")
	switch kind {
	case "zTXt":
		if len(b) < 1 || b[0] != 0 {
			return "", damaged
		}
		b = b[1:]
	case "iTXt":
		if len(b) < 2 || b[0] > 1 || b[1] != 0 {
			return "", damaged
		}
		packed = b[0] == 1
		var ok bool
		if _, b, ok = bytes.Cut(b[2:], []byte{0}); !ok { // language
			return "", damaged
		}
		if _, b, ok = bytes.Cut(b, []byte{0}); !ok { // translated keyword
			return "", damaged
		}
	}
	if packed {
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err == nil {
			b, err = io.ReadAll(io.LimitReader(z, int64(r.left)+1))
		}
		if err != nil {
			return "", errors.New("it is damaged (it cannot be unpacked)")
		}
		if len(b) > r.left {
			r.left = 0
			return "", fmt.Errorf("it unpacks to more than the %d MB allowed", maxText>>20)
		}
		r.left -= len(b)
	}
	if utf8.Valid(b) { // what tEXt and zTXt hold, too, whatever the format says of them
		return string(b), nil
	}
	if kind == "iTXt" {
		return "", errors.New("it is damaged (its text is not UTF-8)")
	}
	latin := make([]rune, len(b))
	for i, c := range b {
		latin[i] = rune(c)
	}
	return string(latin), nil
}
