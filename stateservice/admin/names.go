package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A name stands for a key, which is a bearer secret, on pages that end up in
// histories and screenshots. It is a hash under a secret that lives as long as
// the handler, so that keys that can be guessed cannot be tried.
type name [8]byte

func (n name) String() string { return hex.EncodeToString(n[:]) }

// parseName reads what String wrote.
func parseName(s string) (n name, ok bool) {
	b, err := hex.DecodeString(s)
	return name(append(b, n[:]...)[:len(n)]), err == nil && len(b) == len(n)
}

// A namer makes names.
type namer struct{ secret [32]byte }

func newNamer() (n namer) {
	_, _ = rand.Read(n.secret[:]) // never fails
	return n
}

func (n *namer) name(key string) name {
	var space [512]byte
	b := append(append(space[:0], n.secret[:]...), key...)
	sum := sha256.Sum256(b)
	return name(sum[:8])
}

// foreign is the application of keys that are not of ASP.NET's form.
const foreign = "?"

// application is the application id in a key: what stands in front of its hash
// in parentheses, a slash and the session id. The hash may be base64, slashes
// among it.
func application(key string) string {
	end := strings.LastIndex(key, ")/")
	if end < 0 {
		return foreign
	}
	start := strings.LastIndexByte(key[:end], '(')
	if start <= 0 {
		return foreign
	}
	return key[:start]
}
