package webconfig

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxFile bounds one file in bytes. IIS refuses a web.config of more than 250
// KiB unless told otherwise; machine.config is about as large.
const maxFile = 4 << 20

// readFile returns a regular file's text in UTF-8, without byte order mark.
func readFile(path string) (string, error) {
	fail := func(found, want string) (string, error) {
		return "", &Error{Position{File: path}, ErrFile, found, want}
	}
	info, err := os.Stat(path) // before opening: a FIFO would block
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fail("there is no such file", "give the path of the site's web.config, or copy the file there")
	case err != nil:
		return fail("the file cannot be read: "+reason(err), "check its rights")
	case !info.Mode().IsRegular():
		return fail("this is no file", "give the path of a file such as web.config")
	case info.Size() > maxFile:
		return fail(fmt.Sprintf("the file has %d bytes", info.Size()), fmt.Sprintf("%d are the most", maxFile))
	}
	f, err := os.Open(path)
	if err != nil {
		return fail("the file cannot be read: "+reason(err), "check its rights")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return fail("the file cannot be read: "+reason(err), "check its rights")
	case len(data) > maxFile:
		return fail("the file grows while it is read", fmt.Sprintf("%d bytes are the most", maxFile))
	}
	text, why := decode(data)
	if why != "" {
		return fail(why, "save the file as UTF-8")
	}
	return text, nil
}

// reason is an error without the path that PathError repeats.
func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}

var declared = regexp.MustCompile(`^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// decode gives a file's text; why is not empty where it cannot.
func decode(data []byte) (text, why string) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return checkUTF8(data[3:])
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return decode16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decode16(data[2:], binary.BigEndian)
	}
	encoding := "utf-8"
	if m := declared.FindSubmatch(data); m != nil {
		encoding = strings.ToLower(string(m[1]))
	}
	switch encoding {
	case "utf-8", "us-ascii", "ascii":
		return checkUTF8(data)
	case "utf-16", "unicode":
		return "", "the file says that it is UTF-16 and has no byte order mark"
	case "iso-8859-1", "windows-1252":
		runes := make([]rune, len(data))
		for i, b := range data {
			if b >= 0x80 && b < 0xa0 {
				return "", fmt.Sprintf("the byte at offset %d differs between the encodings ISO-8859-1 and Windows-1252", i)
			}
			runes[i] = rune(b)
		}
		return string(runes), ""
	}
	if i := bytes.IndexFunc(data, func(c rune) bool { return c > 0x7f }); i >= 0 {
		return "", fmt.Sprintf("the file is in encoding %s, which is not read", encoding)
	}
	return string(data), ""
}

func checkUTF8(data []byte) (text, why string) {
	if utf8.Valid(data) {
		return string(data), ""
	}
	at := 0
	for r, n := utf8.DecodeRune(data); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(data[at:]) {
		at += n
	}
	return "", fmt.Sprintf("the byte at offset %d is no UTF-8", at)
}

func decode16(data []byte, order binary.ByteOrder) (text, why string) {
	if len(data)%2 != 0 {
		return "", "the file is UTF-16 of an odd number of bytes"
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	for i := 0; i < len(units); i++ {
		if !utf16.IsSurrogate(rune(units[i])) {
			continue
		}
		if i+1 == len(units) || utf16.DecodeRune(rune(units[i]), rune(units[i+1])) == utf8.RuneError {
			return "", fmt.Sprintf("the UTF-16 at offset %d is half a character", 2*i+2)
		}
		i++
	}
	return string(utf16.Decode(units)), ""
}

// locate is the path of a file named in a configuration of folder dir, with
// Windows' separators.
func locate(dir, name string) string {
	path := filepath.FromSlash(strings.ReplaceAll(name, `\`, "/"))
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return foldPath(path)
}

// foldPath corrects the case of a path that does not exist as it is spelled: it
// comes from a system where case does not count.
func foldPath(path string) string {
	parent := filepath.Dir(path)
	if _, err := os.Stat(path); err == nil || parent == path {
		return path
	}
	parent = foldPath(parent)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return path
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name(), filepath.Base(path)) {
			return filepath.Join(parent, e.Name())
		}
	}
	return path
}
