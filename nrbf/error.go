package nrbf

import (
	"errors"
	"fmt"
	"strings"
)

// The reasons inside an [*Error], for errors.Is.
var (
	// ErrTruncated: the stream ends before what it announces.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt: the bytes are not what the format allows.
	ErrCorrupt = errors.New("corrupt")
	// ErrLimit: over a limit of [Options].
	ErrLimit = errors.New("over the limit")
	// ErrUnsupported: legal, and not read here: a remote method call, or a class
	// whose member types are not in the stream.
	ErrUnsupported = errors.New("unsupported")
	// ErrGadget: a new value of a type that is known to run code when .NET
	// deserializes it.
	ErrGadget = errors.New("known deserialization gadget")
	// ErrType: the Go value does not fit the declared type of the member or
	// element, or belongs to another graph.
	ErrType = errors.New("type mismatch")
	// ErrNoMember: the class has no member of that name or number.
	ErrNoMember = errors.New("no such member")
	// ErrRange: an index outside the array.
	ErrRange = errors.New("index out of range")
)

// An Error says what could not be read or written, and where.
type Error struct {
	// Offset counts bytes from the start of the stream; -1 when the error is
	// about a Go value and not about stored bytes.
	Offset int
	// Record is the type of the record that was being read; without meaning when
	// Offset is -1.
	Record RecordType
	// What names the place in the graph: "Shop.Cart.items", "Int32[]", "root".
	What string
	// Err is the reason: one of this package's Err values, wrapped.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("nrbf: ")
	if e.Offset >= 0 {
		fmt.Fprintf(&b, "%s at offset %d: ", e.Record, e.Offset)
	}
	if e.What != "" {
		b.WriteString(clip(e.What))
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// clip keeps a hostile name from filling a log line.
func clip(s string) string {
	if len(s) <= 160 {
		return s
	}
	return strings.ToValidUTF8(s[:160], "") + "..."
}

// usage is an error about a Go value.
func usage(what string, reason error, format string, args ...any) error {
	if format == "" {
		return &Error{Offset: -1, What: what, Err: reason}
	}
	return &Error{Offset: -1, What: what, Err: fmt.Errorf("%w: "+format, append([]any{reason}, args...)...)}
}
