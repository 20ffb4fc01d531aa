package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// inspect is the verb.
func inspect(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	asWire := flags.Bool("wire", false, "")
	framing := framingFlag(flags)
	if code, done := c.parse(flags, 1); done {
		return code
	}
	s, err := c.load(*framing)
	if err != nil {
		return c.fail(err)
	}
	show := table
	switch {
	case *asJSON && *asWire:
		fmt.Fprintln(c.stderr, "aspstate: --json or --wire, not both")
		return exitUsage
	case *asJSON:
		show = document
	case *asWire:
		show = wire
	}
	out, bad, err := show(s)
	if err != nil {
		return c.fail(err)
	}
	code := c.write(out, exitOK)
	if bad > 0 {
		return c.fail(fmt.Errorf("%d of its values cannot be read", bad))
	}
	return code
}

// A sessionJSON is what --json prints. Fields that a framing does not have are
// left out; a zero is a value.
type sessionJSON struct {
	Framing          string       `json:"framing"`
	Size             int          `json:"size"`
	TimeoutMinutes   *int32       `json:"timeoutMinutes,omitempty"`
	HasItems         *bool        `json:"hasItems,omitempty"`
	HasStaticObjects *bool        `json:"hasStaticObjects,omitempty"`
	UncompressedSize *int         `json:"uncompressedSize,omitempty"`
	Items            []itemJSON   `json:"items"`
	StaticObjects    []staticJSON `json:"staticObjects,omitempty"`
}

type itemJSON struct {
	Key *string `json:"key"` // null for the item without a name
	typedJSON
	ValueOffset int `json:"valueOffset"`
	ValueLength int `json:"valueLength"`
}

// A staticJSON is a static object: an instance, or what to create.
type staticJSON struct {
	Name        string `json:"name"`
	HasInstance bool   `json:"hasInstance"`
	*typedJSON
	TypeName  *string `json:"typeName,omitempty"`
	LateBound *bool   `json:"lateBound,omitempty"`
}

// A typedJSON is a value with its type. Exactly one of Value and Error is set, or
// both for an object stream that cannot be read: its length and digest, and why.
// A Value that points to nil is printed as null.
type typedJSON struct {
	TypeID     *uint8  `json:"typeId"`     // null where the item has no bytes
	DotnetType *string `json:"dotnetType"` // null for null and for unknown ids
	Value      *any    `json:"value,omitempty"`
	Bits       any     `json:"bits,omitempty"`
	Error      string  `json:"error,omitempty"`
}

// document renders a session as JSON and counts the values that are errors.
func document(s *stored) (out []byte, bad int, err error) {
	doc := sessionJSON{Framing: s.framing, Size: s.size, Items: []itemJSON{}}
	if s.frame != nil {
		doc.TimeoutMinutes, doc.HasItems, doc.HasStaticObjects = new(s.frame.Timeout()), new(s.hasItems()), new(s.hasStatic())
	}
	list, err := s.staticObjects()
	if err != nil {
		return nil, 0, err
	}
	for _, o := range list {
		doc.StaticObjects = append(doc.StaticObjects, newStaticJSON(o, &bad))
	}
	if s.framing == framingDeflate {
		doc.UncompressedSize = new(len(s.plain))
	}
	for item := range s.all() {
		j := itemJSON{ValueOffset: item.Offset, ValueLength: len(item.Data)}
		if !item.NullKey {
			j.Key = &item.Key
		}
		value, err := item.Decode(nil)
		j.typedJSON = newTypedJSON(item.Type(), len(item.Data) > 0, value, err, itemName(item), &bad)
		doc.Items = append(doc.Items, j)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, 0, err
	}
	return escapeJSON(b.Bytes()), bad, nil
}

func newStaticJSON(o payload.StaticObject, bad *int) staticJSON {
	j := staticJSON{Name: o.Name, HasInstance: o.Instance}
	if !o.Instance {
		j.TypeName, j.LateBound = &o.TypeName, &o.LateBound
		return j
	}
	value, err := o.Decode(nil)
	j.typedJSON = new(newTypedJSON(o.Type(), len(o.Data) > 0, value, err, fmt.Sprintf("static object %q (#%d)", o.Name, o.Index), bad))
	return j
}

// itemName names an item in an error as package payload does.
func itemName(item payload.Item) string {
	if item.NullKey {
		return fmt.Sprintf("item without a name (#%d)", item.Index)
	}
	return fmt.Sprintf("item %q (#%d)", item.Key, item.Index)
}

func newTypedJSON(t payload.Type, hasType bool, value any, err error, name string, bad *int) typedJSON {
	var j typedJSON
	if hasType {
		j.TypeID = new(uint8(t))
	}
	if t >= payload.TypeString && t < payload.TypeNull {
		j.DotnetType = new(t.String())
	}
	if stream, ok := value.(payload.Object); ok && err == nil {
		g, readErr := nrbf.Decode(stream, nrbf.Options{})
		if readErr == nil {
			var v any
			var class string
			if class, v, j.Bits, readErr = objectForm(g); readErr == nil {
				j.DotnetType, j.Value = &class, &v
				return j
			}
		}
		j.Error = name + ": " + readErr.Error()
		*bad++
	}
	if err == nil {
		var v any
		if v, j.Bits, err = jsonValue(value); err == nil {
			j.Value = &v
		}
	}
	if err != nil {
		j.Error = err.Error()
		*bad++
	}
	return j
}

// escapeJSON escapes what encoding/json leaves as it is and a terminal may obey:
// DEL, the C1 controls, changes of writing direction. All of it is inside
// strings, so the meaning stays.
func escapeJSON(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '\n' || strconv.IsPrint(r):
			out = append(out, b[:n]...)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		b = b[n:]
	}
	return out
}
