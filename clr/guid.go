package clr

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrGuid is wrapped by errors about text that is not a Guid.
var ErrGuid = errors.New("clr: invalid guid")

// A Guid is System.Guid in RFC 9562 order, the order in which it is printed.
// It converts to and from any [16]byte in that order, google/uuid's UUID among
// them.
type Guid [16]byte

// GuidFromNET converts .NET's order (Guid.ToByteArray): an int32 and two int16
// little-endian, then eight bytes as printed.
func GuidFromNET(b [16]byte) Guid { return Guid(swapGuid(b)) }

// NET returns the bytes in .NET's order.
func (g Guid) NET() [16]byte { return swapGuid(g) }

// swapGuid is its own inverse.
func swapGuid(b [16]byte) [16]byte {
	b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
	b[4], b[5] = b[5], b[4]
	b[6], b[7] = b[7], b[6]
	return b
}

// String prints .NET's form D: 32 lower-case hex digits in groups of 8-4-4-4-12.
func (g Guid) String() string {
	var b [36]byte
	hex.Encode(b[:8], g[:4])
	hex.Encode(b[9:13], g[4:6])
	hex.Encode(b[14:18], g[6:8])
	hex.Encode(b[19:23], g[8:10])
	hex.Encode(b[24:], g[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseGuid reads form D, in either case, with or without braces around it.
func ParseGuid(s string) (Guid, error) {
	t := s
	if len(t) == 38 && t[0] == '{' && t[37] == '}' {
		t = t[1:37]
	}
	var g Guid
	if len(t) != 36 || t[8] != '-' || t[13] != '-' || t[18] != '-' || t[23] != '-' {
		return Guid{}, fmt.Errorf("%w: %.48q", ErrGuid, s)
	}
	digits := t[:8] + t[9:13] + t[14:18] + t[19:23] + t[24:]
	if _, err := hex.Decode(g[:], []byte(digits)); err != nil {
		return Guid{}, fmt.Errorf("%w: %.48q: %v", ErrGuid, s, err)
	}
	return g, nil
}

// MarshalText implements encoding.TextMarshaler with form D.
func (g Guid) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseGuid.
func (g *Guid) UnmarshalText(b []byte) (err error) {
	*g, err = ParseGuid(string(b))
	return err
}
