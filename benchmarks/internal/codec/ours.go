package codec

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/aspsession/aspsession/payload"
)

var errValue = errors.New("not the value that was stored")

// runs are the tasks in all codecs, and the copy.
func (b body) runs() ([]run, error) {
	ours, stored, err := b.payload()
	if err != nil {
		return nil, err
	}
	to := make([]byte, len(stored))
	runs := []run{{codec: copyName, task: encode, stored: len(stored), do: func() error { copy(to, stored); return nil }}}
	runs = append(runs, ours...)
	for _, c := range maps() {
		theirs, err := c.runs(b)
		if err != nil {
			return nil, err
		}
		runs = append(runs, theirs...)
	}
	return runs, nil
}

// payload is our codec at every task.
func (b body) payload() (runs []run, stored []byte, err error) {
	fill := func() (*payload.Payload, error) {
		p := payload.New(20, payload.Limits{})
		for i, k := range b.keys {
			if err := p.Items().Set(k, b.values[i]); err != nil {
				return nil, err
			}
		}
		return p, nil
	}
	full, err := fill()
	if err != nil {
		return nil, nil, err
	}
	if stored, err = full.Append(nil); err != nil {
		return nil, nil, err
	}
	buf := make([]byte, 0, 2*len(stored))
	write := func(p *payload.Payload) (err error) { buf, err = p.Append(buf[:0]); return err }
	read := func(keys []string, values []any) error {
		p, err := payload.Open(stored, payload.Limits{})
		if err != nil {
			return err
		}
		for i, k := range keys {
			if err := holds(p.Items(), k, values[i]); err != nil {
				return err
			}
		}
		return nil
	}
	do := map[task]func() error{
		open:    func() error { return read(nil, nil) },
		readOne: func() error { return read(b.keys[b.one:b.one+1], b.values[b.one:b.one+1]) },
		readAll: func() error { return read(b.keys, b.values) },
		change: func() error {
			p, err := payload.Open(stored, payload.Limits{})
			if err == nil {
				err = p.Items().Set(b.keys[b.one], changed)
			}
			if err != nil {
				return err
			}
			return write(p)
		},
		setAll: func() error {
			p, err := fill()
			if err != nil {
				return err
			}
			return write(p)
		},
		encode: func() error { return write(full) },
	}
	for _, t := range tasks {
		runs = append(runs, run{payloadName, t, len(stored), do[t], func() []byte { return buf }})
	}
	return runs, stored, nil
}

// holds reads an item as a handler does, by its type, and looks at what it got:
// of what is long, at its length and its end.
func holds(it *payload.Items, key string, want any) error {
	var same bool
	var err error
	switch want := want.(type) {
	case string:
		var v string
		v, err = payload.Value[string](it, key)
		same = len(v) == len(want)
	case []byte:
		var v []byte
		v, err = payload.Value[[]byte](it, key)
		same = alike(v, want)
	case int32:
		var v int32
		v, err = payload.Value[int32](it, key)
		same = v == want
	case int64:
		var v int64
		v, err = payload.Value[int64](it, key)
		same = v == want
	case bool:
		var v bool
		v, err = payload.Value[bool](it, key)
		same = v == want
	case float64:
		var v float64
		v, err = payload.Value[float64](it, key)
		same = v == want
	}
	if err == nil && !same {
		err = fmt.Errorf("%s: %w", key, errValue)
	}
	return err
}

// alike compares length and end.
func alike(v, want []byte) bool {
	return len(v) == len(want) && bytes.Equal(v[len(v)-8:], want[len(want)-8:])
}
