package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aspsession/aspsession/payload"
)

// The forms in which a session, or one item of it, is stored.
const (
	framingItems   = "items"
	framingStore   = "store"
	framingDeflate = "store-deflate"
	framingNRBF    = "nrbf"
	framingAuto    = "auto"
)

// detectOrder is the order in which auto tries: the most telling form first.
var detectOrder = []string{framingNRBF, framingStore, framingDeflate, framingItems}

// framingFlag adds --framing to a verb's flags.
func framingFlag(flags *flag.FlagSet) *string {
	framing := framingAuto
	flags.Func("framing", "", func(s string) error {
		if s != framingAuto && !slices.Contains(detectOrder, s) {
			return fmt.Errorf("framing is one of %s, %s", strings.Join(detectOrder, ", "), framingAuto)
		}
		framing = s
		return nil
	})
	return &framing
}

// A stored is one opened file.
type stored struct {
	framing string
	size    int              // of the file
	plain   []byte           // the file, inflated
	frame   *payload.Payload // nil for items and nrbf
	items   *payload.Items
}

// open opens data in one framing, or in the one it seems to have.
func open(framing string, data []byte) (*stored, error) {
	if framing == framingAuto {
		return detect(data)
	}
	s, err := openAs(framing, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", framing, err)
	}
	return s, nil
}

func openAs(framing string, data []byte) (s *stored, err error) {
	s = &stored{framing: framing, size: len(data), plain: data}
	switch framing {
	case framingStore:
		s.frame, err = payload.Open(data, limits)
	case framingDeflate:
		if s.frame, err = payload.OpenDeflate(data, limits); err == nil {
			s.plain, err = s.frame.Append(nil) // verbatim while nothing is changed
		}
	case framingItems:
		s.items, err = payload.OpenItems(data, limits)
	case framingNRBF:
		s.items = payload.NewItems(limits)
		if err = s.items.Load("", payload.Stream, data); err == nil {
			_, _, err = s.items.Get("")
		}
	}
	if err != nil {
		return nil, err
	}
	if s.frame != nil {
		s.items = s.frame.Items()
	}
	return s, nil
}

// detect takes the first framing that gives every byte a meaning, else the first
// that opens with something in it. The first alone would be wrong: readers ignore what follows the
// end, so a few zero bytes are an empty collection to one of them and a frame of
// no timeout to another, and the beginning of a long collection can be all of a
// short frame.
func detect(data []byte) (*stored, error) {
	var loose *stored
	failures := make([]string, 0, len(detectOrder))
	for _, framing := range detectOrder {
		s, err := (*stored)(nil), error(nil)
		if framing == framingNRBF && !hasStreamHeader(data) {
			err = errors.New("no object stream header (00, two ids, version 1.0) at offset 0")
		} else {
			s, err = openAs(framing, data)
		}
		switch {
		case err != nil:
		case s.unused() == 0:
			return s, nil
		case s.empty():
			// A few zero bytes and a 0xFF open as that, and to show an empty session
			// would hide whatever this is.
			err = fmt.Errorf("it would be empty, with %s that carry nothing; if it is so, say --framing %s", plural(s.unused(), "byte"), framing)
		case loose == nil:
			loose = s
		}
		if err != nil {
			failures = append(failures, fmt.Sprintf("\n  %s: %s", framing, strings.TrimPrefix(err.Error(), "payload: ")))
		}
	}
	if loose != nil {
		return loose, nil
	}
	return nil, fmt.Errorf("no framing fits%s", strings.Join(failures, ""))
}

// hasStreamHeader looks for a SerializationHeaderRecord ([MS-NRBF] 2.6.1): its
// record type, and its version after the two ids, which may be any.
func hasStreamHeader(data []byte) bool {
	return len(data) >= 17 && data[0] == 0 && bytes.Equal(data[9:17], []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// unused counts the bytes that carry nothing: those behind the end, and longer
// forms of lengths than needed.
func (s *stored) unused() int {
	switch {
	case s.frame != nil:
		size := 7 + len(s.frame.Static()) // timeout, two flags, trailer
		if s.hasItems() {
			size += s.items.Size()
		}
		return len(s.plain) - size
	case s.framing == framingItems:
		end := 4
		for item := range s.items.All() {
			end = item.Offset + len(item.Data)
		}
		return len(s.plain) - end
	}
	return 0
}

// empty reports that there is nothing to show: no item, no static object.
func (s *stored) empty() bool {
	list, err := s.staticObjects()
	return s.items.Empty() && len(list) == 0 && err == nil
}

// hasItems and hasStatic are the flags behind a frame's timeout.
func (s *stored) hasItems() bool  { return s.plain[4] != 0 }
func (s *stored) hasStatic() bool { return s.plain[5] != 0 }

// all yields the items. An object stream alone is an item without a name that
// fills its file.
func (s *stored) all() iter.Seq[payload.Item] {
	return func(yield func(payload.Item) bool) {
		for item := range s.items.All() {
			if s.framing == framingNRBF {
				item.NullKey, item.Offset = true, 0
			}
			if !yield(item) {
				return
			}
		}
	}
}

func (s *stored) staticObjects() ([]payload.StaticObject, error) {
	if s.frame == nil {
		return nil, nil
	}
	return s.frame.StaticObjects()
}
