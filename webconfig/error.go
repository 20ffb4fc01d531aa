package webconfig

import (
	"errors"
	"fmt"
	"strings"
)

// What an Error is about; for errors.Is.
var (
	// ErrFile: a file cannot be read, is too large, or is in no known encoding.
	ErrFile = errors.New("webconfig: file")
	// ErrXML: a file is no well-formed XML, or has a DTD.
	ErrXML = errors.New("webconfig: XML")
	// ErrName: an element or attribute that ASP.NET does not know.
	ErrName = errors.New("webconfig: unknown name")
	// ErrValue: a value that ASP.NET does not take.
	ErrValue = errors.New("webconfig: value")
	// ErrConflict: settings that exclude one another.
	ErrConflict = errors.New("webconfig: conflict")
	// ErrEncrypted: a section that aspnet_regiis has encrypted.
	ErrEncrypted = errors.New("webconfig: encrypted")
)

// A Position is where a setting stands. Lines and columns count from 1, columns
// in characters.
type Position struct {
	File         string
	Line, Column int // 0: the file as a whole
}

// String is file:line:column.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// An Error is one thing wrong with a configuration. It fits one line and holds
// no secret.
type Error struct {
	Position
	// Kind is one of this package's Err variables.
	Kind error
	// Found says what is there; Want what to write there, or to do.
	Found, Want string
}

func (e *Error) Error() string {
	return fmt.Sprintf("webconfig: %s: %s; %s", e.Position, e.Found, e.Want)
}

// Unwrap is Kind.
func (e *Error) Unwrap() error { return e.Kind }

// A ForeignError says that the site uses a .NET type of its own where Go needs a
// counterpart. Where all errors of Read are of this type, its Config is complete,
// and a program that has the counterpart can go on.
type ForeignError struct {
	Position
	// Setting is "sessionState partitionResolverType", "sessionState
	// sessionIDManagerType" or "sessionState customProvider".
	Setting string
	// Type is the .NET type's name with its assembly's, without version.
	Type string
	// Cure is what can be done.
	Cure string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("webconfig: %s: %s is the .NET type %s, for which Go has no counterpart; %s", e.Position, e.Setting, e.Type, e.Cure)
}

// show quotes a value that an error may hold: a short one that is neither a
// connection string nor a key.
func show(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(` .,:+_-[]/\`, c)
	}
	hex := func(c rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF", c) }
	key := len(s) >= 16 && !strings.ContainsFunc(s, func(c rune) bool { return !hex(c) })
	if len(s) > 32 || key || strings.ContainsFunc(s, func(c rune) bool { return !plain(c) }) {
		return fmt.Sprintf("a text of %d characters that is not shown", len([]rune(s)))
	}
	return `"` + s + `"`
}

// showName is show for the names of elements, attributes and entries.
func showName(s string) string {
	if len(s) > 80 || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || strings.ContainsRune(`"'<>=;&`, c) }) {
		return "(a name that is not shown)"
	}
	return s
}

// showType is a type's name and its assembly's, without version and the rest.
func showType(s string) string {
	name, rest, _ := strings.Cut(s, ",")
	assembly, _, _ := strings.Cut(rest, ",")
	name, assembly = strings.TrimSpace(name), strings.TrimSpace(assembly)
	if assembly != "" {
		return showName(name) + ", " + showName(assembly)
	}
	return showName(name)
}

// choice is "a, b or c".
func choice(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
