package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// A mapCodec stores a map[string]any as a whole.
type mapCodec struct {
	name   string
	encode func(to *bytes.Buffer, m map[string]any) error
	decode func(data []byte) (map[string]any, error)
	same   func(v, want any) bool // as a handler reads it
}

// maps are the codecs that Go programs use.
func maps() []mapCodec {
	packer := msgpack.NewEncoder(nil)
	return []mapCodec{
		{gobName,
			func(to *bytes.Buffer, m map[string]any) error { return gob.NewEncoder(to).Encode(m) },
			func(data []byte) (m map[string]any, err error) {
				err = gob.NewDecoder(bytes.NewReader(data)).Decode(&m)
				return m, err
			}, typed},
		{jsonName,
			func(to *bytes.Buffer, m map[string]any) error { return json.NewEncoder(to).Encode(m) },
			func(data []byte) (m map[string]any, err error) { err = json.Unmarshal(data, &m); return m, err }, untyped},
		{msgpackName,
			func(to *bytes.Buffer, m map[string]any) error { packer.Reset(to); return packer.Encode(m) },
			func(data []byte) (m map[string]any, err error) { err = msgpack.Unmarshal(data, &m); return m, err }, typed},
	}
}

// runs are a codec's tasks.
func (c mapCodec) runs(b body) ([]run, error) {
	fill := func() map[string]any {
		m := make(map[string]any)
		for i, k := range b.keys {
			m[k] = b.values[i]
		}
		return m
	}
	var buf bytes.Buffer
	write := func(m map[string]any) error { buf.Reset(); return c.encode(&buf, m) }
	full := fill()
	if err := write(full); err != nil {
		return nil, err
	}
	stored := bytes.Clone(buf.Bytes())
	read := func(keys []string, values []any) error {
		m, err := c.decode(stored)
		if err != nil {
			return err
		}
		for i, k := range keys {
			if !c.same(m[k], values[i]) {
				return fmt.Errorf("%s: %w", k, errValue)
			}
		}
		return nil
	}
	do := map[task]func() error{
		open:    func() error { return read(nil, nil) },
		readOne: func() error { return read(b.keys[b.one:b.one+1], b.values[b.one:b.one+1]) },
		readAll: func() error { return read(b.keys, b.values) },
		change: func() error {
			m, err := c.decode(stored)
			if err != nil {
				return err
			}
			m[b.keys[b.one]] = changed
			return write(m)
		},
		setAll: func() error { return write(fill()) },
		encode: func() error { return write(full) },
	}
	var runs []run
	for _, t := range tasks {
		runs = append(runs, run{c.name, t, len(stored), do[t], buf.Bytes})
	}
	return runs, nil
}

// typed reads values that kept their types.
func typed(v, want any) bool {
	switch want := want.(type) {
	case string:
		s, _ := v.(string)
		return len(s) == len(want)
	case []byte:
		b, _ := v.([]byte)
		return alike(b, want)
	}
	return v == want
}

// untyped reads JSON's: all numbers are float64, bytes are base64 in a string.
func untyped(v, want any) bool {
	switch want := want.(type) {
	case []byte:
		s, _ := v.(string)
		b, err := base64.StdEncoding.DecodeString(s)
		return err == nil && alike(b, want)
	case int32:
		f, _ := v.(float64)
		return int32(f) == want
	case int64:
		f, _ := v.(float64)
		return int64(f) == want
	}
	return typed(v, want)
}
