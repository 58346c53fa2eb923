package picture

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"realword/inference/message"
)

// strangers are the formats that people have and Realword does not read, by their first bytes, and by what ends the names of pictures among
// them: files with such a name need not be read to say so.
var strangers = []struct {
	magic string
	name  error
	ends  string
}{
	{"II*\x00", message.New("a TIFF or camera raw picture"), ".tif .tiff .dng .nef .cr2 .cr3 .arw .orf .rw2 .pef .srw"},
	{"MM\x00*", message.New("a TIFF or camera raw picture"), ""},
	{"II+\x00", message.New("a TIFF picture"), ""},
	{"MM\x00+", message.New("a TIFF picture"), ""},
	{"8BPS", message.New("a Photoshop (PSD) file"), ".psd .psb"},
	{"gimp xcf", message.New("a GIMP (XCF) file"), ".xcf"},
	{"PK\x03\x04", message.New("a layered picture (Krita, OpenRaster)"), ".kra .ora"}, // others are archives, see stranger
	{"PK\x05\x06", message.New("a zip archive"), ""},
	{"\x1f\x8b", message.New("a compressed archive"), ""},
	{"7z\xbc\xaf", message.New("a compressed archive"), ""},
	{"Rar!", message.New("a compressed archive"), ""},
	{"\xff\x0a", message.New("a JPEG XL picture"), ".jxl"},
	{"\x00\x00\x00\x0cJXL ", message.New("a JPEG XL picture"), ""},
	{"\x00\x00\x00\x0cjP  ", message.New("a JPEG 2000 picture"), ".jp2 .j2k"},
	{"\x00\x00\x01\x00", message.New("an icon (ICO) file"), ""},
	{"\x76\x2f\x31\x01", message.New("an OpenEXR picture"), ".exr"},
	{"#?RADIANCE", message.New("a Radiance (HDR) picture"), ".hdr"},
	{"qoif", message.New("a QOI picture"), ""},
	{"DDS ", message.New("a DDS texture"), ""},
	{"FUJIFILMCCD-RAW", message.New("a camera raw picture"), ".raf"},
	{"%PDF", message.New("a PDF document"), ""},
	{"%!PS", message.New("a PostScript file"), ""},
	{"<svg", message.New("an SVG drawing"), ".svg"},
	{"\x1aE\xdf\xa3", message.New("a WebM or Matroska video"), ""},
}

// sniff names the format of a file that Decode reads, by content, never by file name. The error says what else it is.
func sniff(data []byte) (string, error) {
	has := func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) }
	switch {
	case len(data) == 0:
		return "", FormatError{message.New("the file is empty; copy or download it again")}
	case has(pngSignature):
		return "PNG", nil
	case has("\xff\xd8\xff"):
		return "JPEG", nil
	case has("GIF87a"), has("GIF89a"):
		return "GIF", nil
	case has("RIFF") && len(data) >= 12 && string(data[8:12]) == "WEBP":
		return "WebP", nil
	case has("BM") && len(data) >= 30 && (bytes.Equal(data[6:10], make([]byte, 4)) || // reserved, but some programs write there
		slices.Contains([]uint32{40, 52, 56, 108, 124}, le32(data[14:])) && data[26] == 1 && data[27] == 0):
		return "BMP", nil
	}
	if name := stranger(data); name != nil {
		return "", unread(name)
	}
	return "", UnsupportedError{message.New("the file is not a picture of a known format; open it in an image editor and save it as PNG or JPEG")}
}

// stranger names a format that Decode does not read; nil is one that nobody knows.
func stranger(data []byte) error {
	if head := data[:min(len(data), 128)]; bytes.HasPrefix(head, []byte("PK\x03\x04")) &&
		!bytes.Contains(head, []byte("mimetypeapplication/x-krita")) && !bytes.Contains(head, []byte("mimetypeimage/openraster")) {
		return message.New("a zip archive")
	}
	for _, s := range strangers {
		if bytes.HasPrefix(data, []byte(s.magic)) {
			return s.name
		}
	}
	if len(data) >= 12 && string(data[4:8]) == "ftyp" {
		return isoMedia(data)
	}
	return textual(data)
}

// Unread says that a file is not read which is called like a picture of a kind that Decode does not read, and how to make it one of another
// kind; nil: it is called otherwise.
func Unread(name string) error {
	end := strings.ToLower(filepath.Ext(name))
	for _, s := range strangers {
		if end != "" && slices.Contains(strings.Fields(s.ends), end) {
			return unread(s.name)
		}
	}
	return nil
}

// Endings are how the names of pictures end that Decode reads, without dots.
var Endings = []string{"png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp"}

// Named tells whether a file is called like a picture: one that can be read, or one of a kind for which a sentence says how to convert it.
func Named(name string) bool {
	end := strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
	return slices.Contains(Endings, end) || slices.Contains([]string{"heic", "heif", "avif"}, end) || Unread(name) != nil
}

// called names what a file is, whether Decode reads it or not.
func called(data []byte) error {
	if format, err := sniff(data); err == nil {
		return message.Errorf("a %s picture", format)
	}
	switch name := stranger(data); {
	case len(data) == 0:
		return message.New("an empty file")
	case name != nil:
		return name
	}
	return message.New("no picture")
}

// conversions say how to get a picture out of what telephones and browsers write.
var conversions = map[string]error{
	"a HEIC picture":  message.New("convert it to JPEG: export it from the program that shows it, or use heif-convert (libheif) or sips (macOS)"),
	"a HEIF picture":  message.New("convert it to JPEG: export it from the program that shows it, or use heif-convert (libheif) or sips (macOS)"),
	"an AVIF picture": message.New("convert it to PNG: save it from an image editor, or use avifdec (libavif) or ffmpeg"),
}

// others say what to take in place of what no image editor makes a picture of.
var others = map[string]error{
	"a text file":                       message.New("choose a picture: PNG, JPEG, WebP, GIF or BMP"),
	"a web page, not the picture on it": message.New("save the picture itself from the browser"),
	"a zip archive":                     message.New("unpack it, and take the pictures in it"),
	"a compressed archive":              message.New("unpack it, and take the pictures in it"),
	"a video":                           message.New("save one picture of it as PNG or JPEG"),
	"a WebM or Matroska video":          message.New("save one picture of it as PNG or JPEG"),
}

func unread(name error) error {
	if what, ok := others[name.Error()]; ok {
		return UnsupportedError{message.Errorf("this is %v; %v", name, what)}
	}
	if how, ok := conversions[name.Error()]; ok {
		return UnsupportedError{message.Errorf("this is %v, which is not supported; %v", name, how)}
	}
	return UnsupportedError{message.Errorf("this is %v, which is not supported; open it in an image editor and save it as PNG or JPEG", name)}
}

// isoMedia names an ISO base media file by its brands (ISO/IEC 14496-12, box ftyp).
func isoMedia(data []byte) error {
	end := min(uint64(len(data)), uint64(be32(data)), 256)
	brands := string(data[8:max(12, end)])
	for _, b := range []struct {
		brand string
		name  error
	}{
		{"avi", message.New("an AVIF picture")},
		{"hei", message.New("a HEIC picture")},
		{"hev", message.New("a HEIC picture")},
		{"mif1", message.New("a HEIF picture")},
		{"msf1", message.New("a HEIF picture")},
		{"crx ", message.New("a camera raw picture")},
	} {
		if strings.Contains(brands, b.brand) {
			return b.name
		}
	}
	return message.New("a video")
}

// textual names a text file, or returns nil for anything else.
func textual(data []byte) error {
	head := data[:min(len(data), 4096)]
	for i, c := range head {
		if c < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1b", rune(c)) {
			return nil
		}
		if !utf8.RuneStart(c) && i == 0 {
			return nil
		}
	}
	// A rune may be cut in two at the end of the head.
	for cut := 0; cut < utf8.UTFMax && !utf8.Valid(head); cut++ {
		head = head[:max(0, len(head)-1)]
	}
	if !utf8.Valid(head) || len(head) == 0 {
		return nil
	}
	text := strings.ToLower(string(head))
	switch {
	case strings.Contains(text, "<svg"):
		return message.New("an SVG drawing")
	case strings.Contains(text, "<!doctype html"), strings.Contains(text, "<html"):
		return message.New("a web page, not the picture on it")
	}
	return message.New("a text file")
}
