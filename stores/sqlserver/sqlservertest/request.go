package sqlservertest

import (
	"strings"
	"time"
)

// A Type of a column.
type Type uint8

// Column types. NVarChar, VarChar and VarBinary are (max) unless the column has
// a Size.
const (
	Int Type = iota
	BigInt
	SmallInt
	TinyInt
	Bit
	Float
	DateTime
	NVarChar
	VarChar
	Char // of Size bytes, blank padded
	VarBinary
	Image
)

// A Column of a result set.
type Column struct {
	Name string
	Type Type
	Size int // characters or bytes of the sized types; default 0
}

func (c Column) wire() wireType {
	size := c.Size
	if size <= 0 || size > 8000 {
		size = sizeMax
	}
	switch c.Type {
	case BigInt:
		return wireType{id: typeIntN, size: 8}
	case SmallInt:
		return wireType{id: typeIntN, size: 2}
	case TinyInt:
		return wireType{id: typeIntN, size: 1}
	case Bit:
		return bitType
	case Float:
		return wireType{id: typeFloatN, size: 8}
	case DateTime:
		return dateType
	case NVarChar:
		if size > 4000 {
			return wireType{id: typeNVarChar, size: sizeMax}
		}
		return nvarchar(size)
	case VarChar:
		return wireType{id: typeVarChar, size: size}
	case Char:
		return wireType{id: typeChar, size: min(max(c.Size, 1), 8000)}
	case VarBinary:
		return wireType{id: typeVarBinary, size: size}
	case Image:
		return imageType
	}
	return intType
}

// A Result is what one statement of a batch answers: a result set, a count of
// rows, or an error, which ends the batch.
type Result struct {
	Columns []Column
	// Rows have a value for each column: nil, bool, int, int16, int32, int64,
	// uint8, float64, string, []byte or time.Time.
	Rows [][]any
	// Affected is the count where there are no columns; negative: none is told,
	// as under NOCOUNT.
	Affected int64
	Err      *Error
}

// A Request is one call of a procedure or one batch while it runs. It has the
// whole server to itself: a handler must not call the Server's methods.
type Request struct {
	// Text is the batch or the statement of sp_executesql; empty in a call of a
	// procedure.
	Text string

	conn    *conn
	db      *database
	now     time.Time
	found   map[string]string
	vals    map[string]any // by lower-case name with its at-sign
	types   map[string]wireType
	results []Result
}

// Now is the server's UTC time at datetime's precision, the same all through.
func (r *Request) Now() time.Time { return r.now }

// Local is what GETDATE would read.
func (r *Request) Local() time.Time { return r.conn.srv.wall(r.now) }

// Arg is the value of a parameter, such as @id, in any case: nil (NULL, or not
// given), int64, bool, float64, string, []byte or time.Time.
func (r *Request) Arg(name string) any { return r.vals[strings.ToLower(name)] }

func (r *Request) bytes(name string) []byte {
	p, _ := r.Arg(name).([]byte)
	return p
}

// Out assigns an output parameter. Nothing happens if the client did not give it.
// Without an assignment it goes back as it came, as in T-SQL.
func (r *Request) Out(name string, v any) {
	key := strings.ToLower(name)
	if t, ok := r.types[key]; ok {
		if v, err := convert(v, t); err == nil {
			r.vals[key] = v
			return
		}
		r.vals[key] = v // refused where it is encoded
	}
}

// Found is what a brace of the pattern stood for: a name in lower case, a literal
// as it was.
func (r *Request) Found(brace string) string { return r.found[brace] }

// Table is a session table of the current database; error 208 if there is none.
func (r *Request) Table(name string) (*Table, error) { return r.db.table(name) }

// Rows adds a result set.
func (r *Request) Rows(columns []Column, rows ...[]any) {
	r.results = append(r.results, Result{Columns: columns, Rows: rows})
}

// Affected adds a count of rows.
func (r *Request) Affected(n int64) { r.results = append(r.results, Result{Affected: n}) }

func (r *Request) affectedIf(one bool) {
	if one {
		r.Affected(1)
	} else {
		r.Affected(0)
	}
}
