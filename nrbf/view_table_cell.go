package nrbf

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/aspsession/aspsession/clr"
)

// parseCell reads one value of the XML form as XmlConvert reads it.
func parseCell(s string, c Column) (any, error) {
	integer := func(bits int) (int64, error) { return strconv.ParseInt(strings.TrimSpace(s), 10, bits) }
	natural := func(bits int) (uint64, error) { return strconv.ParseUint(strings.TrimSpace(s), 10, bits) }
	switch c.Type {
	case "System.Int32":
		n, err := integer(32)
		return int32(n), err
	case "System.Int64":
		return integer(64)
	case "System.Int16":
		n, err := integer(16)
		return int16(n), err
	case "System.SByte":
		n, err := integer(8)
		return int8(n), err
	case "System.Byte":
		n, err := natural(8)
		return uint8(n), err
	case "System.UInt16":
		n, err := natural(16)
		return uint16(n), err
	case "System.UInt32":
		n, err := natural(32)
		return uint32(n), err
	case "System.UInt64":
		return natural(64)
	case "System.Boolean":
		switch strings.TrimSpace(s) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
		return nil, strconv.ErrSyntax
	case "System.Double":
		return xmlFloat(s, 64)
	case "System.Single":
		f, err := xmlFloat(s, 32)
		return float32(f), err
	case "System.Decimal":
		return clr.ParseDecimal(strings.TrimSpace(s))
	case "System.Char":
		if u := utf16.Encode([]rune(s)); len(u) == 1 {
			return clr.Char(u[0]), nil
		}
		n, err := natural(16) // XmlConvert writes some as a number
		return clr.Char(n), err
	case "System.Guid":
		return clr.ParseGuid(strings.TrimSpace(s))
	case "System.Byte[]":
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
		return b, err
	case "System.DateTime":
		return xmlTime(s, c.mode)
	case "System.TimeSpan":
		return xmlDuration(strings.TrimSpace(s))
	case "System.Uri":
		return URI{Text: s, Absolute: strings.Contains(s, ":")}, nil
	}
	return s, nil
}

func xmlFloat(s string, bits int) (float64, error) {
	switch s = strings.TrimSpace(s); s {
	case "INF":
		return math.Inf(1), nil
	case "-INF":
		return math.Inf(-1), nil
	case "NaN":
		return math.Float64frombits(0xfff8000000000000), nil // .NET's
	}
	return strconv.ParseFloat(s, bits)
}

// xmlTime takes the reading of the clock; the offset behind it is the writer's.
func xmlTime(s string, mode dateMode) (clr.DateTime, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			_, offset := t.Zone()
			d, err := clr.DateTimeOf(t.Add(time.Duration(offset) * time.Second).UTC())
			d.Kind = mode.kind()
			return d, err
		}
	}
	return clr.DateTime{}, strconv.ErrSyntax
}

// xmlDuration reads what XmlConvert writes of a TimeSpan: P1DT2H3M4.5S.
func xmlDuration(s string) (clr.TimeSpan, error) {
	rest, neg := strings.CutPrefix(s, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" {
		return 0, strconv.ErrSyntax
	}
	units := map[byte]int64{'D': 864e9, 'H': 36e9, 'M': 6e8, 'S': 1e7}
	var total uint64
	inTime := false
	for rest != "" {
		if rest[0] == 'T' {
			inTime, rest = true, rest[1:]
			continue
		}
		i := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if i <= 0 || units[rest[i]] == 0 || inTime == (rest[i] == 'D') {
			return 0, strconv.ErrSyntax // years and months have no fixed length
		}
		whole, fraction, _ := strings.Cut(rest[:i], ".")
		n, err := strconv.ParseUint(whole, 10, 63)
		if err != nil || fraction != "" && rest[i] != 'S' || n > math.MaxInt64/uint64(units[rest[i]]) {
			return 0, strconv.ErrSyntax
		}
		total += n * uint64(units[rest[i]])
		if fraction != "" {
			f, err := strconv.ParseUint((fraction + "0000000")[:7], 10, 32)
			if err != nil {
				return 0, err
			}
			total += f
		}
		if total > math.MaxInt64+1 {
			return 0, strconv.ErrRange
		}
		rest = rest[i+1:]
	}
	if neg {
		return clr.TimeSpan(-int64(total)), nil
	}
	if total > math.MaxInt64 {
		return 0, strconv.ErrRange
	}
	return clr.TimeSpan(total), nil
}
