package admin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aspsession/aspsession/stateservice"
)

// A row is a session in a list.
type row struct {
	stateservice.Info
	name name // where it is sorted by it, and when it is shown
}

// An order says which of two rows comes first.
type order func(a, b row) int

// orders are the values of ?sort=; rows that are equal come in the order of keys,
// so that pages fit together.
var orders = map[string]order{
	"expires": func(a, b row) int {
		if a.Expires.IsZero() != b.Expires.IsZero() {
			return cmp.Compare(btoi(a.Expires.IsZero()), btoi(b.Expires.IsZero())) // never is last
		}
		return a.Expires.Compare(b.Expires)
	},
	"size": func(a, b row) int { return cmp.Compare(b.Size, a.Size) },
	"lock": func(a, b row) int {
		if c := cmp.Compare(btoi(b.Locked), btoi(a.Locked)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(b.LockAge, a.LockAge), cmp.Compare(b.Waiters, a.Waiters))
	},
	"key": func(a, b row) int { return slices.Compare(a.name[:], b.name[:]) },
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A top keeps the first rows of any number, in memory for twice as many.
type top struct {
	most  int
	order order
	rows  []row
	full  bool // rows[most-1] is the last that counts
}

func (t *top) compare(a, b row) int {
	return cmp.Or(t.order(a, b), strings.Compare(a.Key, b.Key))
}

func (t *top) add(r row) {
	if t.full && t.compare(r, t.rows[t.most-1]) > 0 {
		return
	}
	if t.rows = append(t.rows, r); len(t.rows) >= 2*t.most {
		t.sorted()
		t.full = true
	}
}

// sorted returns the rows that count, in order.
func (t *top) sorted() []row {
	slices.SortFunc(t.rows, t.compare)
	if len(t.rows) > t.most {
		clear(t.rows[t.most:])
		t.rows = t.rows[:t.most]
	}
	return t.rows
}
