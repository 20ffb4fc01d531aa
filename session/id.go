package session

import "crypto/rand"

// IDs makes and checks session ids. The default, [StandardIDs], is ASP.NET's;
// a site with its own ISessionIDManager gives its counterpart here.
type IDs interface {
	// New makes an unguessable id of at most MaxIDLength characters.
	New() (string, error)
	// Canonical returns the form in which an id is looked up; ok is false for
	// what is no id. It sees whatever a client sent.
	Canonical(id string) (canonical string, ok bool)
}

const (
	// IDLength is the length of a standard id: 15 random bytes, 5 bits a
	// character.
	IDLength = 24
	// MaxIDLength bounds the ids of a custom IDs (.NET Framework 4.8
	// SessionIDManager.SessionIDMaxLength).
	MaxIDLength = 80
)

// StandardIDs makes ids of 120 random bits, 24 characters of a-z and 0-5, as
// ASP.NET's SessionIDManager does.
type StandardIDs struct{}

// New never fails.
func (StandardIDs) New() (string, error) {
	var b [15]byte
	rand.Read(b[:]) // crashes the program rather than return an error
	return EncodeID(b), nil
}

// Canonical lower-cases, then refuses all but 24 characters of a-z and 0-5.
func (StandardIDs) Canonical(id string) (string, bool) {
	if len(id) != IDLength {
		return "", false
	}
	upper := false
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '5':
		case c >= 'A' && c <= 'Z':
			upper = true
		default:
			return "", false
		}
	}
	if !upper {
		return id, true
	}
	b := []byte(id)
	for i, c := range b {
		if c <= 'Z' && c >= 'A' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b), true
}

// EncodeID spells 15 bytes as ASP.NET does: in each block of five, groups of
// five bits from the least significant on (.NET Framework 4.8 SessionId.Encode).
func EncodeID(b [15]byte) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz012345"
	var out [IDLength]byte
	n := 0
	for i := 0; i < len(b); i += 5 {
		v := uint64(b[i]) | uint64(b[i+1])<<8 | uint64(b[i+2])<<16 | uint64(b[i+3])<<24 | uint64(b[i+4])<<32
		for range 8 {
			out[n] = alphabet[v&31]
			v >>= 5
			n++
		}
	}
	return string(out[:])
}
