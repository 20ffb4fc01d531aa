package nrbf

import "sync"

// An arena is the memory of a graph that nobody sees: Unmarshal into Go values
// that keep no part of the graph reads the next stream into the same memory.
type arena struct {
	nodes   []node
	values  []Value
	order   []*node
	dense   []*node
	scratch []Value
}

// arenaMost is how many nodes an arena keeps; larger graphs are left to the
// garbage collector.
const arenaMost = 2048

var arenas = sync.Pool{New: func() any { return new(arena) }}

// lend gives a decoder the memory.
func (a *arena) lend(d *decoder) {
	if a.nodes != nil {
		d.g.nodes.free = a.nodes
		d.g.values.free = a.values
	}
	if cap(a.order) > cap(d.g.order) {
		d.g.order = a.order[:0]
	}
	if len(a.dense) > len(d.g.pos.dense) {
		d.g.pos.dense = a.dense
	}
	d.scratch = a.scratch[:0]
}

// recycle takes it back, empty, in the sizes that were needed.
func (a *arena) recycle(d *decoder) {
	g := d.g
	if len(g.order) > arenaMost {
		return // a and its memory go
	}
	a.nodes = reuse(a.nodes, &g.nodes, arenaMost)
	a.values = reuse(a.values, &g.values, 4*arenaMost)
	clear(g.order)
	clear(g.pos.dense)
	a.order, a.dense = g.order[:0], g.pos.dense
	if len(a.dense) > 4*arenaMost {
		a.dense = nil
	}
	if a.scratch = nil; cap(d.scratch) <= arenaMost {
		clear(d.scratch[:cap(d.scratch)])
		a.scratch = d.scratch[:0]
	}
	arenas.Put(a)
}

func reuse[T any](lent []T, s *slab[T], most int) []T {
	if s.total > 0 {
		return make([]T, min(len(lent)+s.total, most))
	}
	clear(lent[:len(lent)-len(s.free)])
	return lent
}

// keepsGraph reports that a Go type can hold parts of the graph.
func (p *plan) keepsGraph(seen map[*plan]bool) bool {
	if p == nil || seen[p] {
		return false
	}
	seen[p] = true
	switch p.op {
	case opAny, opValue, opObject, opArrayNode, opStringNode:
		return true
	}
	for i := range p.fields {
		if p.fields[i].plan.keepsGraph(seen) {
			return true
		}
	}
	return p.elem.keepsGraph(seen) || p.key.keepsGraph(seen)
}
