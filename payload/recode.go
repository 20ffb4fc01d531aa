package payload

import "time"

// Recode decodes every value and puts what its Go value encodes to in its place,
// the null key's too: proof that reading understood all of it. Times go through
// UTC, whatever SetLocation says. It stops at the first item that cannot be
// read. Every item counts as changed then, and bytes behind the end are dropped.
func (it *Items) Recode() error {
	for i := range it.entries {
		item := it.item(i)
		if item.Encoding != Typed {
			continue
		}
		v, err := item.Decode(time.UTC)
		if err != nil {
			return err
		}
		mark := len(it.arena)
		arena, err := appendValue(it.arena, v, item.Type(), time.UTC)
		if err != nil {
			return item.fail(0, err)
		}
		it.arena = arena
		it.setData(i, mark, Typed)
		it.entries[i].flags |= changed
	}
	it.touch()
	return nil
}
