package sqlserver

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// A Hash is how a version of the async provider makes the end of its keys from
// the application id. Case counts.
type Hash uint8

const (
	// Hash21 is of version 2.1, the same on every machine.
	Hash21 Hash = iota
	// Hash64 is of versions 1.x and 2.0 in a 64-bit process: .NET Framework's
	// String.GetHashCode.
	Hash64
	// Hash32 is of versions 1.x and 2.0 in a 32-bit process.
	Hash32
)

// Of an application with randomized string hashing (UseRandomizedStringHashAlgorithm)
// nothing but Options.Suffix can tell the keys of versions before 2.1.

// Suffix is the end of the keys: eight upper-case digits.
func (h Hash) Suffix(appID string) string {
	units := utf16.Encode([]rune(appID))
	seed := uint32(0x15051505)
	switch h {
	case Hash32:
		return fmt.Sprintf("%08X", hash32(units))
	case Hash64:
		seed = 5381
	}
	a, b := seed, seed
	for i, u := range units {
		if i%2 == 0 {
			a = a*33 ^ uint32(u)
		} else {
			b = b*33 ^ uint32(u)
		}
	}
	return fmt.Sprintf("%08X", a+b*1566083941)
}

// hash32 takes two UTF-16 units a step; what is missing at the end is the
// string's closing zero.
func hash32(units []uint16) uint32 {
	const seed = 0x15051505
	a, b := uint32(seed), uint32(seed)
	pair := func(i int) uint32 {
		var v uint32
		if i < len(units) {
			v = uint32(units[i])
		}
		if i+1 < len(units) {
			v |= uint32(units[i+1]) << 16
		}
		return v
	}
	// int32 arithmetic: >> keeps the sign.
	step := func(h, v uint32) uint32 { return (h<<5 + h + uint32(int32(h)>>27)) ^ v }
	for left := len(units); left > 0; left -= 4 {
		i := len(units) - left
		a = step(a, pair(i))
		if left <= 2 {
			break
		}
		b = step(b, pair(i+2))
	}
	return a + b*1566083941
}

// AppID is what the installed TempGetAppID makes of an application's id unless
// somebody changed it: djb2 with XOR over the bytes of the id in lower case. The
// end of the classic keys is this in eight lower-case digits of hexadecimal. Only
// ids of ASCII hash alike in every database.
func AppID(application string) int32 {
	h := uint32(5381)
	for _, c := range []byte(strings.ToLower(cutAppName(application))) {
		h = h*33 ^ uint32(c)
	}
	return int32(h)
}

// cutAppName is an application's id as far as tAppName holds it.
func cutAppName(application string) string { return application[:min(len(application), 280)] }

func classicSuffix(appID int32) string { return fmt.Sprintf("%08x", uint32(appID)) }

// errKey: there is no room for the id in the key column; the server would cut it
// in silence and mix sessions up.
var errKey = errors.New("sqlserver: a session id of over 80 characters")

const keyLength = 88 // nvarchar(88)

// key is the row's: the id and the application's suffix. The async provider does
// not add it to an id that ends so already.
func (b *binding) key(id string) (string, error) {
	key := id + b.suffix
	if b.once && strings.HasSuffix(id, b.suffix) {
		key = id
	}
	if len(key) > keyLength && len(utf16.Encode([]rune(key))) > keyLength {
		return "", errKey
	}
	return key, nil
}

// id is what key made it of; ok is false for another application's.
func (b *binding) id(key string) (id string, ok bool) {
	if len(key) < len(b.suffix) || !strings.EqualFold(key[len(key)-len(b.suffix):], b.suffix) {
		return "", false
	}
	return key[:len(key)-len(b.suffix)], true
}
