package redis

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// A Layout is how a generation of Microsoft's provider lays a session out.
type Layout uint8

const (
	// LayoutC is that of 5.x: one string with the whole item collection.
	LayoutC Layout = iota
	// LayoutB is that of 2.x to 4.x: a hash with one field an item.
	LayoutB
	// LayoutA is that of 1.4 to 1.6: as B, but the three keys of a session share
	// no hash tag, so that a Redis Cluster cannot hold it.
	LayoutA
)

var layouts = [...]Layout{LayoutC, LayoutB, LayoutA}

func (l Layout) String() string {
	switch l {
	case LayoutC:
		return "C"
	case LayoutB:
		return "B"
	case LayoutA:
		return "A"
	}
	return fmt.Sprintf("Layout(%d)", uint8(l))
}

// hash reports a layout with a field for each item.
func (l Layout) hash() bool { return l != LayoutC }

// suffixes of the lock, data and timeout keys.
func (l Layout) suffixes() (lock, data, timeout string) {
	if l == LayoutC {
		return "_WriteLock", "_SessionStateItemCollection", "_SessionTimeout"
	}
	return "_Write_Lock", "_Data", "_Internal"
}

// keys names a session's keys in the order in which every script takes them:
// lock, data, timeout. Application name and id go in as they are.
func (l Layout) keys(app, id string) []string {
	open, end := "{", "}"
	if l == LayoutA {
		open, end = "", ""
	}
	lock, data, timeout := l.suffixes()
	// One piece of memory for all three.
	all := open + app + "_" + id + end + lock +
		open + app + "_" + id + end + data +
		open + app + "_" + id + end + timeout
	stem := len(open) + len(app) + 1 + len(id) + len(end)
	a, b := stem+len(lock), 2*stem+len(lock)+len(data)
	return []string{all[:a], all[a:b], all[b:]}
}

// idOf is the way back: the id in a data key of the application.
func (l Layout) idOf(app, key string) (id string, ok bool) {
	_, data, _ := l.suffixes()
	open, end := app+"_", data
	if l != LayoutA {
		open, end = "{"+open, "}"+end
	}
	if len(key) <= len(open)+len(end) || !strings.HasPrefix(key, open) || !strings.HasSuffix(key, end) {
		return "", false
	}
	return key[len(open) : len(key)-len(end)], true
}

// pattern is SCAN's pattern of the application's data keys.
func (l Layout) pattern(app string) string {
	_, data, _ := l.suffixes()
	var b strings.Builder
	if l != LayoutA {
		b.WriteByte('{')
	}
	for i := range len(app) {
		if strings.IndexByte(`*?[]\^-`, app[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(app[i])
	}
	b.WriteString("_*")
	if l != LayoutA {
		b.WriteByte('}')
	}
	return b.String() + data
}

// hashKey is how errors and logs name a key: it has a session's id in it.
func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "#" + hex.EncodeToString(sum[:6])
}

// looks names the form that stored bytes seem to have.
func looks(data string) string {
	switch {
	case data == "":
		return "nothing: it is empty"
	case len(data) >= 18 && data[0] == 0 && data[1:5] == "\x01\x00\x00\x00" && data[9:17] == "\x01\x00\x00\x00\x00\x00\x00\x00":
		return "a .NET object stream: an item of layout A or B"
	case strings.HasPrefix(strings.TrimLeft(data, " \t\r\n\ufeff"), "{"), data[0] == '[', data[0] == '"':
		return "JSON: an item of layout A or B by a custom serializer, if it is one of this provider's"
	case len(data) >= 4 && data[2] == 0 && data[3] == 0 && (len(data) < 8 || data[4:8] == "\xff\xff\xff\xff"):
		return "an item collection: layout C"
	case len(data) >= 7 && data[len(data)-1] == 0xff && data[4] <= 1 && data[5] <= 1:
		return "a frame of the state server or SQL Server"
	}
	return "nothing that this package knows"
}
