package main

import (
	"bytes"
	"flag"
	"fmt"
	"slices"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// recode is the verb.
func recode(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	framing := framingFlag(flags)
	if code, done := c.parse(flags, 1); done {
		return code
	}
	s, err := c.load(*framing)
	if err != nil {
		return c.fail(err)
	}
	out, err := s.recode()
	if err != nil {
		return c.fail(err)
	}
	return c.write(out, exitOK)
}

// recode decodes and encodes every item, object streams too, and returns the file
// anew.
func (s *stored) recode() ([]byte, error) {
	if s.framing == framingNRBF {
		return recodeStream(s.plain)
	}
	if err := s.items.Recode(); err != nil {
		return nil, err
	}
	for _, item := range slices.Collect(s.items.All()) {
		if item.Type() != payload.TypeObject {
			continue
		}
		value, err := item.Decode(nil)
		if err != nil {
			return nil, err
		}
		stream := value.(payload.Object)
		out, err := recodeStream(stream)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", itemName(item), err)
		}
		switch {
		case bytes.Equal(stream, out):
		case item.NullKey: // nothing can set it
			return nil, fmt.Errorf("%s: it would be written in another form", itemName(item))
		default:
			if err := s.items.Set(item.Key, payload.Object(out)); err != nil {
				return nil, err
			}
		}
	}
	switch s.framing {
	case framingDeflate:
		return s.frame.AppendDeflate(nil)
	case framingStore:
		return s.frame.Append(nil)
	}
	return s.items.Append(nil)
}

// recodeStream reads an object stream and writes it from what was read; bytes
// behind its end stay.
func recodeStream(stream []byte) ([]byte, error) {
	g, err := nrbf.Decode(stream, nrbf.Options{})
	if err != nil {
		return nil, err
	}
	out, err := g.Reencode(nil)
	if err != nil {
		return nil, err
	}
	return append(out, stream[g.Size():]...), nil
}
