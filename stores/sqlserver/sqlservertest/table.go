package sqlservertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Row is one session. Dates are UTC at datetime's precision of 1/300 s, except
// LockDateLocal, which has the same clock reading as the server's wall. A nil
// payload is NULL. Bytes are shared: do not change them.
type Row struct {
	SessionID        string
	Created          time.Time
	Expires          time.Time
	LockDate         time.Time
	LockDateLocal    time.Time
	LockCookie       int32
	Timeout          int32 // minutes
	Locked           bool
	SessionItemShort []byte
	SessionItemLong  []byte
	Flags            int32 // bit 0: uninitialized
}

// A Table is one session table, for handlers of statements, which have it to
// themselves while they run.
type Table struct {
	name  string
	shape shape
	temp  bool // in tempdb: emptied by a restart
	rows  map[string]*Row
}

// A shape is how session tables differ.
type shape uint8

const (
	shapeClassic shape = iota // SessionItemShort, and SessionItemLong as image
	shapeImage                // SessionItemLong alone, as image
	shapeBinary               // SessionItemLong alone, as varbinary(max)
	shapeMemory               // the same, memory-optimised: ids compare by their bits
)

// Name is the table's name without database and schema.
func (t *Table) Name() string { return t.name }

// key is what the primary key compares: trailing blanks never count, case does
// not under the usual collation.
func (t *Table) key(id string) string {
	id = strings.TrimRight(id, " ")
	if t.shape == shapeMemory {
		return id
	}
	return strings.ToLower(id)
}

// Find returns the row of an id, nil if there is none. Changing it changes the
// table.
func (t *Table) Find(id string) *Row { return t.rows[t.key(id)] }

// Put inserts a row or replaces that of its id.
func (t *Table) Put(r Row) {
	r.SessionID = cut(r.SessionID, nvarchar(88))
	t.rows[t.key(r.SessionID)] = &r
}

// Delete removes the row of an id and says whether there was one.
func (t *Table) Delete(id string) bool {
	was := t.Find(id) != nil
	delete(t.rows, t.key(id))
	return was
}

// Rows are all rows by id.
func (t *Table) Rows() []*Row {
	return slices.SortedFunc(maps.Values(t.rows), func(a, b *Row) int { return strings.Compare(a.SessionID, b.SessionID) })
}

// longColumn is how SessionItemLong arrives in a result set.
func (t *Table) longColumn() Column {
	if t.shape == shapeClassic || t.shape == shapeImage {
		return Column{Name: "SessionItemLong", Type: Image}
	}
	return Column{Type: VarBinary} // SELECT of a variable has no name
}

// insert adds a new session. An id that exists is error 2627, also if expired.
func (t *Table) insert(c *Request, id any, short, long []byte, timeout any, flags int32) error {
	name, ok := id.(string)
	if !ok {
		return t.notNull("SessionId")
	}
	minutes, ok := timeout.(int64)
	if !ok {
		return t.notNull("Timeout") // Expires is NULL then, too
	}
	if t.Find(name) != nil {
		return &Error{Number: 2627, Class: 14, Message: fmt.Sprintf("Violation of PRIMARY KEY constraint 'PK__%.8s__5DCAEF64'. Cannot insert duplicate key in object 'dbo.%s'. The duplicate key value is (%s).", t.name, t.name, name)}
	}
	t.Put(Row{
		SessionID: name, Created: c.Now(), Expires: c.Now().Add(time.Duration(minutes) * time.Minute), LockDate: c.Now(), LockDateLocal: c.Local(), LockCookie: 1,
		Timeout: int32(minutes), SessionItemShort: short, SessionItemLong: long, Flags: flags,
	})
	c.Affected(1)
	return nil
}

func (t *Table) notNull(column string) error {
	return &Error{Number: 515, State: 2, Class: 16, Message: fmt.Sprintf("Cannot insert the value NULL into column '%s', table '%s'; column does not allow nulls. INSERT fails.", column, t.name)}
}

// owned is the row of an id if it has this lock cookie; Locked is not looked at.
// NULL equals nothing.
func (t *Table) owned(id, cookie any) *Row {
	name, ok := id.(string)
	n, isInt := cookie.(int64)
	if r := t.rows[t.key(name)]; ok && isInt && r != nil && int64(r.LockCookie) == n {
		return r
	}
	return nil
}

// renew slides the expiry by the row's own timeout.
func (r *Row) renew(now time.Time) { r.Expires = now.Add(time.Duration(r.Timeout) * time.Minute) }

func (t *Table) release(c *Request, id, cookie any) error {
	r := t.owned(id, cookie)
	if r != nil {
		r.renew(c.Now())
		r.Locked = false
	}
	c.affectedIf(r != nil)
	return nil
}

func (t *Table) remove(c *Request, id, cookie any) error {
	r := t.owned(id, cookie)
	if r != nil {
		t.Delete(r.SessionID)
	}
	c.affectedIf(r != nil)
	return nil
}

func (t *Table) reset(c *Request, id any) error {
	name, _ := id.(string)
	r := t.rows[t.key(name)]
	if id == nil {
		r = nil
	}
	if r != nil {
		r.renew(c.Now())
	}
	c.affectedIf(r != nil)
	return nil
}

// update saves and unlocks. The procedures of the 2.0 era slide the expiry by
// the timeout that was, the later ones by the new one.
func (t *Table) update(c *Request, id, cookie, timeout any, oldTimeout bool, set func(*Row)) error {
	r := t.owned(id, cookie)
	if r != nil {
		minutes, ok := timeout.(int64)
		if !ok {
			return t.notNull("Timeout")
		}
		if oldTimeout {
			r.renew(c.Now())
		}
		r.Timeout = int32(minutes)
		if !oldTimeout {
			r.renew(c.Now())
		}
		r.Locked = false
		set(r)
	}
	c.affectedIf(r != nil)
	return nil
}

// deleteExpired removes what expired, locked or not, and counts it.
func (t *Table) deleteExpired(now time.Time) int64 {
	n := len(t.rows)
	maps.DeleteFunc(t.rows, func(_ string, r *Row) bool { return r.Expires.Before(now) })
	return int64(n - len(t.rows))
}

// A fetched session is what the get procedures assign.
type fetched struct {
	locked      bool // before the call
	age, cookie int64
	actionFlags int64
	lockLocal   time.Time
	short, long []byte // nil while locked
}

// get is the UPDATE of the get procedures: nil if there is no such row. keepFlags
// is of those from before Flags.
func (t *Table) get(c *Request, id any, exclusive, keepFlags bool) *fetched {
	name, ok := id.(string)
	r := t.rows[t.key(name)]
	c.affectedIf(ok && r != nil)
	if !ok || r == nil {
		return nil
	}
	now := c.Now()
	f := &fetched{locked: r.Locked}
	r.renew(now)
	// DATEDIFF counts the second boundaries between.
	f.age = now.Unix() - r.LockDate.Unix()
	if !r.Locked {
		f.short, f.long = r.SessionItemShort, r.SessionItemLong
		if exclusive {
			f.age = 0
			r.LockDate, r.LockDateLocal = now, c.Local()
			r.LockCookie++
			r.Locked = true
		}
	}
	f.cookie, f.lockLocal = int64(r.LockCookie), r.LockDateLocal
	if !keepFlags {
		f.actionFlags = int64(r.Flags & 1)
		r.Flags &^= 1
	}
	return f
}

// sendLong makes the result set, which there is only of a long payload.
func (t *Table) sendLong(c *Request, f *fetched) {
	if f != nil && f.long != nil {
		c.Rows([]Column{t.longColumn()}, []any{f.long})
	}
}
