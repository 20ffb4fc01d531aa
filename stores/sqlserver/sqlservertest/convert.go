package sqlservertest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// convert makes v a value of type t as an assignment would: strings and binaries
// are cut to the size in silence, as those of procedure parameters are, and
// numbers that do not fit are errors. Fewer conversions than a real server's.
func convert(v any, t wireType) (any, error) {
	v, err := plain(v)
	if v == nil || err != nil {
		return nil, err
	}
	if n, fixed := fixedTypes[t.id]; fixed {
		t = n
	}
	switch t.id {
	case typeNull:
		return nil, nil
	case typeIntN:
		return toInt(v, t)
	case typeBitN:
		switch v := v.(type) {
		case bool:
			return v, nil
		case int64:
			return v != 0, nil
		}
	case typeFloatN:
		switch v := v.(type) {
		case float64:
			return v, nil
		case int64:
			return float64(v), nil
		}
	case typeDateTimeN, typeDate, typeDateTime2, typeDateTimeOffset:
		if v, ok := v.(time.Time); ok {
			return v.UTC(), nil
		}
	case typeNVarChar, typeNChar, typeVarChar, typeChar, typeText, typeNText:
		s, ok := v.(string)
		if n, isInt := v.(int64); isInt {
			s, ok = strconv.FormatInt(n, 10), true
		}
		if ok {
			return cut(s, t), nil
		}
	case typeVarBinary, typeBinary, typeImage, typeGUID:
		if p, ok := v.([]byte); ok {
			if (t.id == typeVarBinary || t.id == typeBinary) && t.size < len(p) && t.size != sizeMax {
				p = p[:t.size]
			}
			return p, nil
		}
	}
	return nil, &Error{Number: 206, State: 2, Class: 16, Message: fmt.Sprintf("Operand type clash: %s is incompatible with %s", goType(v), t)}
}

func toInt(v any, t wireType) (any, error) {
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case bool:
		if v {
			n = 1
		}
	case string:
		var err error
		if n, err = strconv.ParseInt(strings.TrimSpace(v), 10, 64); err != nil {
			return nil, &Error{Number: 8114, State: 5, Class: 16, Message: "Error converting data type nvarchar to " + t.String() + "."}
		}
	default:
		return nil, &Error{Number: 206, State: 2, Class: 16, Message: fmt.Sprintf("Operand type clash: %s is incompatible with %s", goType(v), t)}
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch t.size {
	case 1:
		low, high = 0, math.MaxUint8
	case 2:
		low, high = math.MinInt16, math.MaxInt16
	case 4:
		low, high = math.MinInt32, math.MaxInt32
	}
	if n < low || n > high {
		return nil, &Error{Number: 8115, State: 2, Class: 16, Message: "Arithmetic overflow error converting expression to data type " + t.String() + "."}
	}
	return n, nil
}

// cut shortens text to its type and pads the fixed types with blanks.
func cut(s string, t wireType) string {
	switch t.id {
	case typeNVarChar, typeNChar:
		if u := utf16.Encode([]rune(s)); t.size != sizeMax && len(u) > t.size/2 {
			s = string(utf16.Decode(u[:t.size/2]))
		}
	case typeVarChar, typeChar:
		if t.size != sizeMax && len(s) > t.size {
			s = s[:t.size]
		}
		if t.id == typeChar && len(s) < t.size {
			s += strings.Repeat(" ", t.size-len(s))
		}
	}
	return s
}

// plain brings what a handler or a script gave to one of the types that value
// returns.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil, int64, bool, float64, string, time.Time:
		return v, nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case uint8:
		return int64(v), nil
	}
	return nil, fmt.Errorf("sqlservertest: a %T cannot be sent; give nil, bool, int, int16, int32, int64, uint8, float64, string, []byte or time.Time", v)
}

func goType(v any) string {
	switch v.(type) {
	case int64:
		return "int"
	case bool:
		return "bit"
	case string:
		return "nvarchar"
	case []byte:
		return "varbinary"
	case time.Time:
		return "datetime"
	}
	return "float"
}
