package payload

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Set stores a value under key: in place when the key is there, in whatever
// case, else at the end. The value is encoded at once, so what happens to it
// later changes nothing.
//
// A key or value without a .NET form (see [Items.Get] for those that have one)
// is ErrNoForm: what .NET's own writer refuses is refused here, before
// anything was changed. A Go int keeps the integer type that the item has and
// is ErrOverflow where it does not fit, because C# code casts to that type; in
// a new item it becomes Int32. A uint becomes UInt32 likewise.
//
// Slices, maps and structs become objects, as package nrbf's Types has it: a
// []string is string[], a map[string]string is Dictionary<string,string>, a
// struct is the class for which it is registered (see SetTypes). Over an item
// that holds an object they are written into that object, so that what Go does
// not map of it stays, its class and assembly too; a value that does not fit the
// class is ErrNoForm: Remove the item first to store something else. A
// *nrbf.Graph is stored as it is. An integer over an enum is a value of that enum,
// and so is, wherever it is set, one of a Go type that is registered for the enum.
func (it *Items) Set(key string, value any) error {
	if !utf8.ValidString(key) {
		return &Error{Offset: -1, Field: "key", Index: len(it.entries), Key: key, Err: fmt.Errorf("%w: the key is not UTF-8", ErrNoForm)}
	}
	if it.arena == nil {
		it.arena = make([]byte, 0, 128) // an item or two, without growing from 8 bytes on
	}
	i := it.find(key)
	place := i
	mark := len(it.arena)
	if i < 0 {
		place = len(it.entries)
		if len(it.entries) >= it.limits.Items {
			return &Error{Offset: -1, Field: "key", Index: len(it.entries), Key: key, Err: fmt.Errorf("%w: at most %d items", ErrLimit, it.limits.Items)}
		}
		it.arena = append(it.arena, key...)
	}
	val := len(it.arena)
	var have Type
	if i >= 0 {
		have = it.typeAt(i)
	}
	arena, err := it.encode(i, value, have)
	used := len(arena) - it.garbage
	if i >= 0 && it.entries[i].flags&valInArena != 0 {
		used -= int(it.entries[i].valLen) // what it replaces
	}
	if err == nil && (used > it.limits.Bytes || uint64(len(arena)) > math.MaxUint32) {
		err = fmt.Errorf("%w: the values set take over %d bytes", ErrLimit, it.limits.Bytes)
	}
	if err != nil {
		it.arena = it.arena[:mark]
		return &Error{Offset: -1, Field: "value", Index: place, Key: key, Err: err}
	}
	it.arena = arena
	if i < 0 {
		i = it.add(uint32(mark), uint32(len(key)), keyInArena)
	}
	it.setData(i, val, Typed)
	it.entries[i].flags |= changed
	it.touch()
	return nil
}

// encode adds the stored form of a value to the arena. An integer over an enum
// stays that enum, and one registered as an enum becomes it.
func (it *Items) encode(i int, value any, have Type) ([]byte, error) {
	if have == TypeObject && integer(value) {
		if arena, is, err := appendEnum(it.arena, it.data(i)[1:], value); is {
			return arena, err
		}
	}
	if it.types != nil && integer(value) && it.types.IsEnum(value) {
		return it.appendObject(it.arena, -1, value)
	}
	arena, err := appendValue(it.arena, value, have, it.loc)
	if errors.Is(err, ErrNoForm) && mapsObject(value) {
		return it.appendObject(it.arena, i, value)
	}
	return arena, err
}

// typeAt is the type of an item without the cost of an Item.
func (it *Items) typeAt(i int) Type {
	if d := it.data(i); it.encoding(i) == Typed && len(d) > 0 {
		return Type(d[0])
	}
	return 0
}

// Load puts an item as a store keeps it at the end, without counting it as a
// change; stores that keep items apart build a collection this way. A key that
// is there already is ErrCorrupt. It copies data.
func (it *Items) Load(key string, enc Encoding, data []byte) error {
	if it.find(key) >= 0 {
		return &Error{Offset: -1, Field: "key", Index: len(it.entries), Key: key, Err: fmt.Errorf("%w: the key is there already", ErrCorrupt)}
	}
	if len(it.entries) >= it.limits.Items || len(data) > it.limits.Bytes-len(it.arena)-len(key) {
		return &Error{Offset: -1, Field: "value", Index: len(it.entries), Key: key, Err: fmt.Errorf("%w: at most %d items and %d bytes", ErrLimit, it.limits.Items, it.limits.Bytes)}
	}
	mark := len(it.arena)
	it.arena = append(it.arena, key...)
	it.arena = append(it.arena, data...)
	i := it.add(uint32(mark), uint32(len(key)), keyInArena|loaded)
	it.setData(i, mark+len(key), enc)
	it.edited = true // raw does not have it
	return nil
}

// add appends an entry whose key lies in the arena.
func (it *Items) add(key, size uint32, flags uint8) int {
	e := entry{key: key, keyLen: size, hash: keyHash(it.arena[key : key+size]), flags: flags | valInArena}
	it.entries = append(it.entries, e)
	i := len(it.entries) - 1
	if 2*len(it.entries) > len(it.index) {
		it.index = nil
	} else {
		mask := len(it.index) - 1
		slot := slotHash(it.keyBytes(i)) & mask
		for it.index[slot] != 0 {
			slot = (slot + 1) & mask
		}
		it.index[slot] = int32(i) + 1
	}
	return i
}

// setData points an entry at the end of the arena, from val on.
func (it *Items) setData(i, val int, enc Encoding) {
	e := &it.entries[i]
	if e.flags&valInArena != 0 {
		it.garbage += int(e.valLen)
	}
	e.val, e.valLen = uint32(val), uint32(len(it.arena)-val)
	e.flags = e.flags&^(isStream|isForeign) | valInArena
	switch enc {
	case Stream:
		e.flags |= isStream
	case Foreign:
		e.flags |= isForeign
	}
	if it.garbage > 64<<10 && it.garbage > len(it.arena)/2 {
		it.compact()
	}
}

// compact drops what was overwritten, so that setting one item a million times
// does not keep a million values.
func (it *Items) compact() {
	arena := make([]byte, 0, len(it.arena)-it.garbage)
	for i := range it.entries {
		e := &it.entries[i]
		key, data := it.keyBytes(i), it.data(i)
		if e.flags&keyInArena != 0 {
			e.key = uint32(len(arena))
			arena = append(arena, key...)
		}
		if e.flags&valInArena != 0 {
			e.val = uint32(len(arena))
			arena = append(arena, data...)
		}
	}
	it.arena, it.garbage = arena, 0
}

func (it *Items) touch() { it.edited, it.dirty = true, true }

// Remove takes an item out and reports whether it was there. Removing what is
// not there changes nothing.
func (it *Items) Remove(key string) bool {
	i := it.find(key)
	if i < 0 {
		return false
	}
	e := it.entries[i]
	if e.flags&loaded != 0 {
		it.removed = append(it.removed, it.keyText(i))
	}
	if e.flags&keyInArena != 0 {
		it.garbage += int(e.keyLen)
	}
	if e.flags&valInArena != 0 {
		it.garbage += int(e.valLen)
	}
	it.entries = slices.Delete(it.entries, i, i+1)
	it.index = nil
	it.touch()
	return true
}

// Clear takes every item out, the null key's too. The static tail stays.
func (it *Items) Clear() {
	it.entries, it.arena, it.index = it.entries[:0], it.arena[:0], nil
	it.removed, it.garbage = nil, 0
	it.cleared = true
	it.touch()
}

// Changes is what happened to a collection since it was opened, or since the
// last Commit: what a store that keeps items apart has to send.
type Changes struct {
	Cleared bool     // everything that was stored is gone; Removed is empty then
	Removed []string // stored names that are gone, in their stored spelling
	Set     []Item   // items set since, in order
}

// Dirty reports whether there are changes.
func (it *Items) Dirty() bool { return it.dirty }

// Changes lists the changes; the Items' Data is valid until the next change.
func (it *Items) Changes() Changes {
	c := Changes{Cleared: it.cleared}
	for i := range it.entries {
		if it.entries[i].flags&changed != 0 {
			c.Set = append(c.Set, it.item(i))
		}
	}
	for _, name := range it.removed {
		// Removed and set again is a change, not a removal; in another spelling it
		// is both, for a store whose names have case.
		if i := it.find(name); i < 0 || it.keyText(i) != name {
			c.Removed = append(c.Removed, name)
		}
	}
	return c
}

// Commit forgets the changes: the store has them now.
func (it *Items) Commit() {
	it.dirty, it.cleared, it.removed = false, false, nil
	for i := range it.entries {
		it.entries[i].flags = it.entries[i].flags&^changed | loaded
	}
}
