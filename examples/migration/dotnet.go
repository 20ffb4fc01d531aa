package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/payload"
)

// valueText spells a value as the old site's pages would. An object stays what
// it is to Go: bytes.
func valueText(item payload.Item) string {
	v, err := item.Decode(nil)
	if err != nil {
		return err.Error()
	}
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case time.Time:
		return v.Format("2006-01-02 15:04:05")
	case time.Duration:
		return clr.TimeSpanOf(v).String()
	case payload.Object:
		return "object, as stored"
	}
	return fmt.Sprint(v)
}

// typeName is the item's .NET type; an object's class is looked up in the head
// of its stream [MS-NRBF].
func typeName(item payload.Item) string {
	if item.Type() != payload.TypeObject {
		return item.Type().String()
	}
	const (
		headerSize            = 17
		systemClassWithTypes  = 4
		classWithTypes        = 5
		binaryLibrary         = 12
		arraySingleObject     = 16
		arraySingleString     = 17
		recordAndIDSize       = 1 + 4
		unknown               = "System.Object"
		objectArray, strArray = "System.Object[]", "System.String[]"
	)
	b := item.Data[1:] // behind the type id
	if len(b) < headerSize {
		return unknown
	}
	b = b[headerSize:]
	for len(b) > recordAndIDSize {
		kind := b[0]
		text, rest, ok := lengthPrefixed(b[recordAndIDSize:])
		switch {
		case kind == arraySingleString:
			return strArray
		case kind == arraySingleObject:
			return objectArray
		case ok && kind == binaryLibrary:
			b = rest
		case ok && (kind == systemClassWithTypes || kind == classWithTypes):
			return strings.ToValidUTF8(text, "\uFFFD")
		default:
			return unknown
		}
	}
	return unknown
}

// lengthPrefixed reads .NET's length-prefixed string.
func lengthPrefixed(b []byte) (text string, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return "", nil, false
	}
	end := used + int(n)
	return string(b[used:end]), b[end:], true
}
