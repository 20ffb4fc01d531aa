package nrbf

import "strings"

// A slab hands out values from chunks, each half of all before it, so that a
// thousand objects cost a dozen allocations and a third of them is unused at
// most.
type slab[T any] struct {
	free  []T
	next  int
	total int
}

const slabMost = 1024

func (s *slab[T]) grow() {
	if s.next == 0 {
		s.next = 8
	}
	s.free = make([]T, s.next)
	s.total += s.next
	s.next = min(max(s.total/2, 8), slabMost)
}

func (s *slab[T]) one() *T {
	if len(s.free) == 0 {
		s.grow()
	}
	p := &s.free[0]
	s.free = s.free[1:]
	return p
}

// many returns n values without room behind them: appending moves them away.
func (s *slab[T]) many(n int) []T {
	if n == 0 {
		return nil
	}
	for n > len(s.free) {
		if n > slabMost/4 {
			return make([]T, n)
		}
		s.grow()
	}
	v := s.free[:n:n]
	s.free = s.free[n:]
	return v
}

// texts copies strings out of the stream into blocks: a string that a caller
// keeps holds on to a block, never to the stream.
type texts struct {
	block *strings.Builder
	next  int
}

const blockMost = 8 << 10

func (t *texts) copy(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > blockMost/8 {
		return string(b)
	}
	if t.block == nil || t.block.Cap()-t.block.Len() < len(b) {
		t.next = min(max(2*t.next, 512), blockMost)
		t.block = new(strings.Builder)
		t.block.Grow(max(t.next, len(b)))
	}
	t.block.Write(b)
	s := t.block.String()
	return s[len(s)-len(b):]
}
