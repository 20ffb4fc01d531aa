package payload

import (
	"fmt"
	"math"
)

// Put stores an item of another collection under its own key, byte for byte and
// as a change: in place where the key is there, else at the end. It copies the
// item's bytes. What makes the collection too large is ErrLimit.
func (it *Items) Put(item Item) error {
	i := it.find(item.Key)
	used := len(it.arena) - it.garbage + len(item.Key) + len(item.Data)
	if i < 0 && len(it.entries) >= it.limits.Items || used > it.limits.Bytes || uint64(len(it.arena)+len(item.Key)+len(item.Data)) > math.MaxUint32 {
		return &Error{Offset: -1, Field: "value", Index: len(it.entries), Key: item.Key, Type: item.Type(),
			Err: fmt.Errorf("%w: at most %d items and %d bytes", ErrLimit, it.limits.Items, it.limits.Bytes)}
	}
	mark := len(it.arena)
	if i < 0 {
		it.arena = append(it.arena, item.Key...)
		i = it.add(uint32(mark), uint32(len(item.Key)), keyInArena)
	}
	val := len(it.arena)
	it.arena = append(it.arena, item.Data...)
	it.setData(i, val, item.Encoding)
	it.entries[i].flags |= changed
	it.touch()
	return nil
}

// Merge makes the changes of another collection, since it was opened, in this
// one: where both changed an item, the other's counts.
func (it *Items) Merge(from *Items) error {
	c := from.Changes()
	if c.Cleared {
		it.Clear()
	}
	for _, name := range c.Removed {
		it.Remove(name)
	}
	for _, item := range c.Set {
		if err := it.Put(item); err != nil {
			return err
		}
	}
	return nil
}

// TypeName is the .NET name of the item's type: "System.Int32", the class of an
// object ("Shop.Cart"), "null"; "" where there is none or the object cannot be
// read. An object's stream is parsed for it.
func (item Item) TypeName() string {
	if stream, ok := item.stream(); ok {
		g, err := Object(stream).Graph()
		if err != nil {
			return ""
		}
		name, _ := g.Root().TypeName()
		return name
	}
	if t := item.Type(); t.valid() {
		return t.String()
	}
	return ""
}
