package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/payload"
)

// longString is the length in UTF-16 units above which a string is replaced by
// its digest.
const longString = 20_000

type (
	dateTimeJSON struct {
		Ticks string `json:"ticks"`
		Kind  string `json:"kind"`
	}
	longStringJSON struct {
		UTF16Length int    `json:"$utf16Length"`
		UTF8Length  int    `json:"$utf8Length"`
		SHA256      string `json:"$sha256Utf8"`
	}
	objectJSON struct {
		Opaque opaqueJSON `json:"$opaque"`
	}
	opaqueJSON struct {
		Length int    `json:"length"`
		SHA256 string `json:"sha256"`
	}
)

// jsonValue is a decoded value in the form of --json. bits is nil but for
// numbers whose text does not tell all: the sign of a zero scale, the payload of
// a NaN.
func jsonValue(value any) (v, bits any, err error) {
	switch value := value.(type) {
	case nil, bool, int32, uint8, int8, int16, uint16, uint32:
		return value, nil, nil
	case int64:
		return strconv.FormatInt(value, 10), nil, nil
	case uint64:
		return strconv.FormatUint(value, 10), nil, nil
	case string:
		return jsonString(value), nil, nil
	case clr.Char:
		return uint16(value), nil, nil
	case float32:
		return floatText(float64(value), 32), fmt.Sprintf("0x%08x", math.Float32bits(value)), nil
	case float64:
		return floatText(value, 64), fmt.Sprintf("0x%016x", math.Float64bits(value)), nil
	case clr.Decimal:
		return value.String(), value.Bits(), nil
	case time.Time:
		d, err := clr.DateTimeOf(value)
		// An item has no kind; the Utc of a Go time is only how it was read.
		return dateTimeJSON{strconv.FormatInt(d.Ticks, 10), clr.Unspecified.String()}, nil, err
	case time.Duration:
		return strconv.FormatInt(int64(clr.TimeSpanOf(value)), 10), nil, nil
	case clr.TimeSpan:
		return strconv.FormatInt(int64(value), 10), nil, nil
	case clr.Guid:
		return value.String(), nil, nil
	case clr.IntPtr:
		return value.String(), nil, nil
	case clr.UIntPtr:
		return value.String(), nil, nil
	case payload.Object:
		return objectJSON{opaqueJSON{len(value), digest(value)}}, nil, nil
	}
	return nil, nil, fmt.Errorf("aspstate: no JSON form for Go type %T", value)
}

func jsonString(s string) any {
	units := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xffff {
			units++ // a surrogate pair
		}
	}
	if units <= longString {
		return s
	}
	return longStringJSON{units, len(s), digest([]byte(s))}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// floatText is the shortest text that reads back to the same number, spelled as
// ECMAScript spells it (an exponent below 1e-6 and from 1e21 on), but for -0.
func floatText(f float64, bitSize int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	a := math.Abs(f)
	if bitSize == 32 {
		// The limits too are float32's: its nearest to 1e21 is not float64's.
		if a == 0 || float32(a) >= 1e-6 && float32(a) < 1e21 {
			return strconv.FormatFloat(f, 'f', -1, 32)
		}
	} else if a == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	text := strconv.FormatFloat(f, 'e', -1, bitSize)
	// Go writes two digits of exponent at least.
	mantissa, exponent, _ := strings.Cut(text, "e")
	return mantissa + "e" + exponent[:1] + strings.TrimPrefix(exponent[1:], "0")
}
