package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/payload"
)

// Widths in characters, so that a line fits a usual terminal.
const (
	keyWidth   = 40
	valueWidth = 60
	errorWidth = 120 // a clipped reason is of no use
)

// table renders a session for people and counts the values that are errors.
func table(s *stored) (out []byte, bad int, err error) {
	var rows bytes.Buffer
	w := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) }
	count := 0
	for item := range s.all() {
		if count++; count == 1 {
			line("KEY", "TYPE", "VALUE", "BYTES")
		}
		key := "(no name)"
		if !item.NullKey {
			key = label(item.Key, keyWidth)
		}
		value, err := item.Decode(nil)
		line(key, typeCell(item.Type(), item.Data), valueCell(value, err, &bad), strconv.Itoa(len(item.Data)))
	}
	w.Flush() // a Buffer never fails

	list, err := s.staticObjects()
	if err != nil {
		return nil, 0, err
	}
	if len(list) > 0 {
		line("STATIC OBJECT", "TYPE", "VALUE", "BYTES")
		for _, o := range list {
			if !o.Instance {
				line(label(o.Name, keyWidth), label(o.TypeName, keyWidth), "(never created)", "0")
				continue
			}
			value, err := o.Decode(nil)
			line(label(o.Name, keyWidth), typeCell(o.Type(), o.Data), valueCell(value, err, &bad), strconv.Itoa(len(o.Data)))
		}
		w.Flush()
	}
	return append([]byte(heading(s, count)), rows.Bytes()...), bad, nil
}

// heading says in one line what the file is.
func heading(s *stored, count int) string {
	parts := []string{fmt.Sprintf("%s: %s", s.framing, plural(s.size, "byte"))}
	if s.framing == framingDeflate {
		parts = append(parts, fmt.Sprintf("%d inflated", len(s.plain)))
	}
	if s.frame != nil {
		parts = append(parts, "timeout "+plural(int(s.frame.Timeout()), "minute"))
	}
	parts = append(parts, plural(count, "item"))
	if s.frame != nil {
		if n := len(s.frame.Static()); n > 0 {
			parts = append(parts, "static tail of "+plural(n, "byte"))
		} else {
			parts = append(parts, "no static tail")
		}
	}
	if n := s.unused(); n > 0 {
		parts = append(parts, plural(n, "byte")+" that carry nothing")
	}
	return strings.Join(parts, ", ") + "\n"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func typeCell(t payload.Type, data []byte) string {
	if len(data) == 0 {
		return "(no type id)"
	}
	return t.String()
}

func valueCell(value any, err error, bad *int) string {
	if err != nil {
		*bad++
		var e *payload.Error
		if errors.As(err, &e) {
			err = e.Err // the row tells the rest
		}
		return "error: " + label(err.Error(), errorWidth)
	}
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return quote(v, valueWidth)
	case clr.Char:
		return fmt.Sprintf("%s U+%04X", strconv.QuoteRune(v.Rune()), uint16(v))
	case float32:
		return floatText(float64(v), 32)
	case float64:
		return floatText(v, 64)
	case time.Time:
		// The clock's reading alone: the item does not say in which zone.
		return v.Format("2006-01-02 15:04:05.9999999")
	case time.Duration:
		return clr.TimeSpanOf(v).String()
	case payload.Object:
		text, err := summary(v)
		if err != nil {
			*bad++
			return "error: " + label(err.Error(), errorWidth)
		}
		return text
	}
	return fmt.Sprint(value) // numbers and types with a String of plain ASCII
}

// label prints a name bare where that is unmistakable, else quoted. Bare names
// never start with the parenthesis of our own remarks.
func label(s string, width int) string {
	q := quote(s, width)
	body, clipped := strings.CutSuffix(q[1:], `"...`)
	if !clipped {
		body = body[:len(body)-1]
	}
	if body == "" || body[0] == '(' || strings.TrimSpace(body) != body || !strings.HasPrefix(s, body) {
		return q
	}
	if clipped {
		return body + "..."
	}
	return body
}

// quote prints text as a Go string literal of at most about width characters:
// nothing in it can move a cursor, end a line or turn the writing round.
func quote(s string, width int) string {
	var b strings.Builder
	b.WriteByte('"')
	for used := 0; len(s) > 0; {
		_, n := utf8.DecodeRuneInString(s)
		q := strconv.Quote(s[:n])
		q = q[1 : len(q)-1]
		if used += utf8.RuneCountInString(q); used > width {
			b.WriteString(`"...`)
			return b.String()
		}
		b.WriteString(q)
		s = s[n:]
	}
	b.WriteByte('"')
	return b.String()
}

// visible escapes control characters in a message of ours and keeps its lines.
func visible(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == '\n' || strconv.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(s[:n])
		} else {
			q := strconv.Quote(s[:n])
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}
