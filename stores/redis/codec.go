package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// openBlob reads layout C's collection. It makes a frame of it, which is what a
// Payload opens, so offsets in errors are put right.
func openBlob(blob string, minutes int32, limits payload.Limits) (p *payload.Payload, err error) {
	if blob == emptyBlob {
		return payload.New(minutes, limits), nil
	}
	const head = 6
	frame := make([]byte, head, head+len(blob)+1)
	binary.LittleEndian.PutUint32(frame, uint32(minutes))
	frame[4] = 1 // it has items
	frame = append(frame, blob...)
	p, err = payload.Open(append(frame, payload.Trailer), limits)
	if err != nil {
		// .NET ignores what stands behind the last value; a frame cannot.
		it, ierr := payload.OpenItems([]byte(blob), limits)
		if ierr != nil {
			return nil, ierr
		}
		end := 4
		for item := range it.All() {
			end = item.Offset + len(item.Data)
		}
		if end == 4 {
			return payload.New(minutes, limits), nil
		}
		if p, err = payload.Open(append(frame[:head+end], payload.Trailer), limits); err != nil {
			return nil, err
		}
	}
	if p.Items().Remove(flagName) {
		p.Items().Commit()
	}
	return p, nil
}

// openFields reads the fields of a hash, names and values by turns.
func (s *Store) openFields(fields []any, minutes int32) (p *payload.Payload, err error) {
	p = payload.New(minutes, s.opt.Limits)
	it := p.Items()
	var scratch []byte
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		data, _ := fields[i+1].(string)
		if isFlag(name) {
			continue
		}
		enc := payload.Typed
		if s.opt.Serializer != nil {
			scratch, enc, err = s.decodeForeign(scratch[:0], name, data)
		} else {
			scratch, enc, err = decodeField(scratch[:0], name, data)
		}
		if err != nil {
			return nil, err
		}
		if other, ok := it.Item(name); ok {
			return nil, fmt.Errorf("%w: fields %q and %q are one item to pages, which look without case (a provider before 2.2.1 made two of them); delete one", payload.ErrCorrupt, other.Key, name)
		}
		if err := it.Load(name, enc, scratch); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// fieldError names the field and what its bytes look like.
type fieldError struct {
	name, looks string
	err         error
}

func (e *fieldError) Error() string { return fmt.Sprintf("field %q: %v", e.name, e.err) }
func (e *fieldError) Unwrap() error { return e.err }

func decodeField(dst []byte, name, data string) ([]byte, payload.Encoding, error) {
	if !isStream(data) {
		err := fmt.Errorf("%w: %d bytes that are no object stream; if the site has a redisSerializerType, set Options.Serializer to its counterpart", payload.ErrCorrupt, len(data))
		return nil, 0, &fieldError{name, looks(data), err}
	}
	if out, ok := typed(dst, data); ok {
		return out, payload.Typed, nil
	}
	if isNull(data) {
		return append(dst, byte(payload.TypeNull)), payload.Typed, nil
	}
	return append(dst, data...), payload.Stream, nil
}

// isNull recognizes an instance of Microsoft.Web.Redis.RedisNull by its name:
// the assembly's identity varies.
func isNull(data string) bool {
	if len(data) > 512 {
		return false
	}
	g, err := payload.Object(data).Graph()
	if err != nil {
		return false
	}
	o := g.Root().Object()
	return o != nil && o.Len() == 0 && o.Class().Name() == "Microsoft.Web.Redis.RedisNull"
}

func (s *Store) decodeForeign(dst []byte, name, data string) ([]byte, payload.Encoding, error) {
	v, ok, err := s.opt.Serializer.Decode([]byte(data))
	if err != nil {
		return nil, 0, &fieldError{name, looks(data), err}
	}
	if !ok {
		return append(dst, data...), payload.Foreign, nil
	}
	one := payload.NewItems(s.opt.Limits)
	if err := one.Set(name, v); err != nil {
		return nil, 0, &fieldError{name, "", err}
	}
	item, _ := one.Item(name)
	return append(dst, item.Data...), item.Encoding, nil
}

// content is what a save sends: ARGV[7] and on.
func (s *Store) content(args []any, p *payload.Payload, whole bool) ([]any, error) {
	if err := s.allow(p); err != nil {
		return nil, err
	}
	if !s.layout.hash() {
		blob, err := p.Items().Append(nil)
		if err != nil {
			return nil, unsupported(err)
		}
		return append(args, blob), nil
	}
	c := p.Items().Changes()
	if whole {
		c = payload.Changes{Cleared: true}
		for item := range p.Items().All() {
			c.Set = append(c.Set, item)
		}
	}
	var pairs []any
	for _, item := range c.Set {
		field, err := s.field(item)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: item %q: %w", session.ErrUnsupported, item.Key, err)
		case field == nil && !c.Cleared:
			c.Removed = append(c.Removed, item.Key)
		case field != nil:
			pairs = append(pairs, item.Key, field)
		}
	}
	args = append(args, flagArg(c.Cleared), len(c.Removed))
	for _, name := range c.Removed {
		args = append(args, name)
	}
	return append(args, pairs...), nil
}

// field is an item as a field's value; nil for null.
func (s *Store) field(item payload.Item) ([]byte, error) {
	switch {
	case item.NullKey:
		return nil, errors.New("layouts A and B have no item without a name")
	case item.Encoding == payload.Foreign:
		if s.opt.Serializer == nil {
			return nil, errors.New("it is another serializer's")
		}
		return item.Data, nil
	case item.Type() == payload.TypeNull:
		return nil, nil
	case s.opt.Serializer != nil:
		return s.opt.Serializer.Encode(item)
	}
	return stream(nil, item)
}

// allow refuses what no layout can hold, or what could not be opened again.
func (s *Store) allow(p *payload.Payload) error {
	if p.Static() != nil && !s.opt.DropStaticObjects {
		return fmt.Errorf("%w: static objects (<object scope=\"session\">) have no place in Redis, and Options.DropStaticObjects is not set", session.ErrUnsupported)
	}
	if p.Items().Has(flagName) {
		return fmt.Errorf("%w: the name %s is the provider's own", session.ErrUnsupported, flagName)
	}
	return unsupported(s.opt.Limits.Allow(p))
}

func unsupported(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", session.ErrUnsupported, err)
}

func flagArg(v bool) string {
	if v {
		return "1"
	}
	return "0"
}

// maxMinutes is a year: .NET Framework 4.8 SessionStateModule.
const maxMinutes = 525_600

// minutesOf reads a stored timeout, seconds as text, as pages do: divided down.
func (s *Store) minutesOf(stored any) (int32, error) {
	if stored == nil {
		return s.minutes, nil // as a page without one takes web.config's
	}
	text, _ := stored.(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n/60 > math.MaxInt32 {
		return 0, fmt.Errorf("%w: the timeout is no number of seconds", payload.ErrCorrupt)
	}
	return int32(n / 60), nil
}

// secondsOf is a payload's timeout as it is stored: whole minutes, one at least.
func secondsOf(p *payload.Payload) int64 { return int64(min(max(p.Timeout(), 1), maxMinutes)) * 60 }
