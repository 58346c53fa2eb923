package picture

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"realword/inference/message"
)

// strangers are the formats that people have and Realword does not read, by their first bytes.
var strangers = []struct{ magic, name string }{
	{"II*\x00", "a TIFF or camera raw picture"},
	{"MM\x00*", "a TIFF or camera raw picture"},
	{"II+\x00", "a TIFF picture"},
	{"MM\x00+", "a TIFF picture"},
	{"8BPS", "a Photoshop (PSD) file"},
	{"gimp xcf", "a GIMP (XCF) file"},
	{"PK\x03\x04", "a zip archive or a layered picture (Krita, OpenRaster)"},
	{"\xff\x0a", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"},
	{"\x00\x00\x01\x00", "an icon (ICO) file"},
	{"\x76\x2f\x31\x01", "an OpenEXR picture"},
	{"#?RADIANCE", "a Radiance (HDR) picture"},
	{"qoif", "a QOI picture"},
	{"DDS ", "a DDS texture"},
	{"FUJIFILMCCD-RAW", "a camera raw picture"},
	{"%PDF", "a PDF document"},
	{"%!PS", "a PostScript file"},
	{"\x1aE\xdf\xa3", "a WebM or Matroska video"},
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
	case has("BM") && len(data) >= 18 && bytes.Equal(data[6:10], make([]byte, 4)):
		return "BMP", nil
	}
	for _, s := range strangers {
		if has(s.magic) {
			return "", unread(s.name)
		}
	}
	if len(data) >= 12 && string(data[4:8]) == "ftyp" {
		return "", unread(isoMedia(data))
	}
	if name := textual(data); name != "" {
		return "", unread(name)
	}
	return "", UnsupportedError{message.New("the file is not a picture of a known format; open it in an image editor and save it as PNG or JPEG")}
}

// conversions say how to get a picture out of what telephones and browsers write.
var conversions = map[string]error{
	"a HEIC picture":  message.New("convert it to JPEG: export it from the program that shows it, or use heif-convert (libheif) or sips (macOS)"),
	"a HEIF picture":  message.New("convert it to JPEG: export it from the program that shows it, or use heif-convert (libheif) or sips (macOS)"),
	"an AVIF picture": message.New("convert it to PNG: save it from an image editor, or use avifdec (libavif) or ffmpeg"),
}

func unread(name string) error {
	if how, ok := conversions[name]; ok {
		return UnsupportedError{message.Errorf("this is %s, which is not supported; %v", name, how)}
	}
	return UnsupportedError{message.Errorf("this is %s, which is not supported; open it in an image editor and save it as PNG or JPEG", name)}
}

// isoMedia names an ISO base media file by its brands (ISO/IEC 14496-12, box ftyp).
func isoMedia(data []byte) string {
	end := min(uint64(len(data)), uint64(be32(data)), 256)
	brands := string(data[8:max(12, end)])
	for _, b := range []struct{ brand, name string }{
		{"avi", "an AVIF picture"},
		{"hei", "a HEIC picture"},
		{"hev", "a HEIC picture"},
		{"mif1", "a HEIF picture"},
		{"msf1", "a HEIF picture"},
		{"crx ", "a camera raw picture"},
	} {
		if strings.Contains(brands, b.brand) {
			return b.name
		}
	}
	return "a video"
}

// textual names a text file, or returns "" for anything else.
func textual(data []byte) string {
	head := data[:min(len(data), 4096)]
	for i, c := range head {
		if c < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1b", rune(c)) {
			return ""
		}
		if !utf8.RuneStart(c) && i == 0 {
			return ""
		}
	}
	// A rune may be cut in two at the end of the head.
	for cut := 0; cut < utf8.UTFMax && !utf8.Valid(head); cut++ {
		head = head[:max(0, len(head)-1)]
	}
	if !utf8.Valid(head) || len(head) == 0 {
		return ""
	}
	text := strings.ToLower(string(head))
	switch {
	case strings.Contains(text, "<svg"):
		return "an SVG drawing"
	case strings.Contains(text, "<!doctype html"), strings.Contains(text, "<html"):
		return "a web page, not the picture on it"
	}
	return "a text file, despite its name"
}
