package redis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aspsession/aspsession/payload"
)

// A Serializer is the Go half of a custom ISerializer (attribute
// redisSerializerType of providers 2.2.2 to 4.0.1). Nothing in Redis says which
// serializer wrote a field, so both sides must be configured alike. It is called
// from many goroutines.
type Serializer interface {
	// Decode returns the value of a field, as payload.Items.Set takes it; nil for
	// null. ok false means that the field is sound and has no form in Go: it is
	// carried untouched, and a handler that asks for it gets
	// payload.ErrEncoding. An error means that the field is broken.
	Decode(field []byte) (value any, ok bool, err error)
	// Encode writes an item that Go has set, never null; item.Decode gives its
	// value. An item that it cannot write is an error.
	Encode(item payload.Item) ([]byte, error)
}

// JSON is the Serializer for Json.NET, as Microsoft's example configures it
// (TypeNameHandling.All, UTF-8): strings, booleans and numbers. Whole numbers are
// Int64 and others Double, because that is what Json.NET makes of them in
// Session["x"]. Objects and arrays carry their .NET types with them and are left
// untouched. A DateTime or other value without a JSON form of its own is refused.
type JSON struct{}

// Decode implements Serializer.
func (JSON) Decode(field []byte) (value any, ok bool, err error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(field, []byte("\ufeff")))
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, false, fmt.Errorf("%w: it is no JSON", payload.ErrCorrupt)
	}
	switch c := text[0]; {
	case c == '{', c == '[':
		return nil, false, nil
	case c == 'n':
		return nil, true, nil
	case c == 't', c == 'f':
		return c == 't', true, nil
	case c == '"':
		var s string
		err := json.Unmarshal(text, &s)
		return s, err == nil, err
	}
	number := string(text)
	if !strings.ContainsAny(number, ".eE") {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			return n, true, nil
		}
		return nil, false, nil // Json.NET makes a BigInteger of it
	}
	f, err := strconv.ParseFloat(number, 64)
	return f, err == nil, err
}

// Encode implements Serializer.
func (JSON) Encode(item payload.Item) ([]byte, error) {
	v, err := item.Decode(nil)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return nil, err
		}
		return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
	case float32:
		return jsonFloat(float64(v), 32)
	case float64:
		return jsonFloat(v, 64)
	}
	return nil, fmt.Errorf("%w: JSON has no form of its own for %T", payload.ErrNoForm, v)
}

// jsonFloat writes a number that stays one of floating point: Json.NET, too,
// writes 1.0 for 1.
func jsonFloat(f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%w: JSON has no %v", payload.ErrNoForm, f)
	}
	b := strconv.AppendFloat(nil, f, 'g', -1, bits)
	if !bytes.ContainsAny(b, ".e") {
		b = append(b, ".0"...)
	}
	return b, nil
}
