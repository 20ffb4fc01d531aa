package webconfig

import (
	"fmt"
	"io"
	"strings"
)

// A Secret is a text that no verb of package fmt, no encoder and no logger
// shows: a connection string, a key, a provider's attribute. Reveal is the only
// way to it. The zero value is the empty text.
type Secret struct {
	text *string // behind a pointer, so that fmt finds nothing in unexported fields either
}

// NewSecret hides s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal is the text itself. What it returns must not reach a log.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsEmpty reports the empty text.
func (s Secret) IsEmpty() bool { return s.text == nil }

// String is "(redacted)", or nothing for the empty text.
func (s Secret) String() string {
	if s.IsEmpty() {
		return ""
	}
	return "(redacted)"
}

// Format writes String, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is String, for JSON, XML and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Secrets are texts by name. Names are compared without case, as .NET does; the
// keys have the spelling of the file.
type Secrets map[string]Secret

// Get finds name.
func (m Secrets) Get(name string) (Secret, bool) {
	key, ok := m.key(name)
	return m[key], ok
}

// Reveal is a copy with the texts themselves.
func (m Secrets) Reveal() map[string]string {
	out := make(map[string]string, len(m))
	for name, s := range m {
		out[name] = s.Reveal()
	}
	return out
}

func (m Secrets) key(name string) (string, bool) { return foldKey(m, name) }

func foldKey[V any](m map[string]V, name string) (string, bool) {
	if _, ok := m[name]; ok {
		return name, true
	}
	for key := range m {
		if strings.EqualFold(key, name) {
			return key, true
		}
	}
	return "", false
}
