package payload

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The reasons inside an [*Error], for errors.Is.
var (
	// ErrTruncated: the bytes end before what they announce.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt: the bytes are not what this format allows.
	ErrCorrupt = errors.New("corrupt")
	// ErrLimit: over a limit of [Limits], or of the format's int32 sizes.
	ErrLimit = errors.New("over the limit")
	// ErrUnknownType: a type id outside 1 to 21. .NET reads null there, and the
	// next writer would lose the value; here it is carried, not read.
	ErrUnknownType = errors.New("unknown type id")
	// ErrNoForm: the Go value or key has no form in a session item.
	ErrNoForm = errors.New("no .NET form")
	// ErrOverflow: the number does not fit the .NET type that the item has, or
	// the Go type that was asked for.
	ErrOverflow = errors.New("overflow")
	// ErrType: the item holds a value of another type than was asked for.
	ErrType = errors.New("type mismatch")
	// ErrEncoding: a foreign serializer's bytes have no place in a frame.
	ErrEncoding = errors.New("foreign encoding")
)

// An Error says what could not be read or written, and where.
type Error struct {
	// Offset counts bytes from the start of the frame or collection, inflated;
	// -1 when the error is about a Go value and not about stored bytes.
	Offset int
	// Field is the part of the format: "timeout", "item count", "key", "end
	// offset", "value", "trailer" and so on.
	Field string
	// Index is the item's place in the collection, from 0; -1 outside items.
	Index int
	// Key is the item's name where it is known.
	Key string
	// Type is the item's type id where it is known, else 0.
	Type Type
	// Err is the reason: one of this package's Err values, wrapped.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("payload: ")
	b.WriteString(e.Field)
	if e.Index >= 0 {
		b.WriteString(" of item ")
		if e.Key != "" || e.Field != "key" {
			b.WriteString(strconv.Quote(clip(e.Key)))
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "(#%d", e.Index)
		if e.Type != 0 {
			fmt.Fprintf(&b, ", type %d %s", uint8(e.Type), e.Type)
		}
		b.WriteByte(')')
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, " at offset %d", e.Offset)
	}
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// clip keeps a hostile key from filling a log line.
func clip(s string) string {
	if len(s) <= 64 {
		return s
	}
	return strings.ToValidUTF8(s[:64], "") + "..."
}

func frameError(offset int, field string, err error) *Error {
	return &Error{Offset: offset, Field: field, Index: -1, Err: err}
}
