package interop_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/aspsession/aspsession/clr"
)

// text spells a value exactly, as dump.aspx's Text does in C#: bits of numbers
// with a point, ticks, code units.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "String " + quote(v)
	case clr.Char:
		return fmt.Sprintf("Char U+%04X", uint16(v))
	case float32:
		if math.IsNaN(float64(v)) {
			return "Single NaN"
		}
		return fmt.Sprintf("Single %08x", math.Float32bits(v))
	case float64:
		if math.IsNaN(v) {
			return "Double NaN"
		}
		return fmt.Sprintf("Double %016x", math.Float64bits(v))
	case clr.Decimal:
		b := v.Bits()
		return fmt.Sprintf("Decimal %08x %08x %08x %08x", uint32(b[0]), uint32(b[1]), uint32(b[2]), uint32(b[3]))
	case clr.DateTime:
		return fmt.Sprintf("DateTime %d %s", v.Ticks, v.Kind)
	case time.Time:
		d, err := clr.DateTimeOf(v)
		if err != nil {
			return err.Error()
		}
		return text(d)
	case clr.TimeSpan:
		return fmt.Sprintf("TimeSpan %d", int64(v))
	case time.Duration:
		return text(clr.TimeSpanOf(v))
	case clr.Guid:
		return "Guid " + v.String()
	case clr.IntPtr:
		return fmt.Sprintf("IntPtr %d", v.Value)
	case clr.UIntPtr:
		return fmt.Sprintf("UIntPtr %d", v.Value)
	case bool:
		return "Boolean " + dotNetBool(v)
	}
	return textOf(reflect.ValueOf(v))
}

// netNames are those of Go's integers.
var netNames = map[string]string{"int": "Int32", "int8": "SByte", "int16": "Int16", "int32": "Int32", "int64": "Int64",
	"uint8": "Byte", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64"}

func textOf(v reflect.Value) string {
	switch {
	case v.CanInt() || v.CanUint():
		if name := netNames[v.Type().Name()]; name != "" {
			return fmt.Sprint(name, " ", v)
		}
		return fmt.Sprintf("%d", v.Interface()) // an enum
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "null"
	case v.Kind() == reflect.Pointer:
		return text(v.Elem().Interface())
	case v.Kind() == reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, text(v.Index(i).Interface()))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case v.Kind() == reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, text(k.Interface())+": "+text(v.MapIndex(k).Interface()))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case v.Kind() == reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			parts = append(parts, v.Type().Field(i).Name+"="+text(v.Field(i).Interface()))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "no text for a Go " + v.Type().String()
}

func quote(s string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(s)) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(byte(c))
		}
	}
	return `"` + b.String() + `"`
}
