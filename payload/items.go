package payload

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/aspsession/aspsession/nrbf"
)

// Items is the collection of a session's items: keys, compared without case and
// kept in order, and values that stay stored bytes until one is asked for.
//
// The zero value is not usable: see [OpenItems], [NewItems] and [Payload.Items].
// One goroutine at a time.
type Items struct {
	raw     []byte  // what was opened; shared with others, never written
	whole   bool    // raw is this collection and nothing else
	arena   []byte  // keys and values set since; ours
	entries []entry // in order
	index   []int32 // open-addressing table over entries, or nil: see find
	limits  Limits
	loc     *time.Location
	types   *nrbf.Types

	edited  bool     // differs from raw
	cleared bool     // Clear since the last Commit
	dirty   bool     // any change since the last Commit
	removed []string // loaded keys removed since the last Commit
	garbage int      // arena bytes that no entry uses

	inline [12]entry // most sessions need no second allocation
}

// An entry places one item in raw or arena. It holds no pointers, so a session
// of many items costs the garbage collector nothing.
type entry struct {
	key, keyLen uint32
	val, valLen uint32
	hash        uint32
	flags       uint8
}

const (
	keyInArena uint8 = 1 << iota
	valInArena
	nullKey
	changed   // set since the last Commit
	loaded    // the store has an item of this key
	isStream  // Encoding Stream
	isForeign // Encoding Foreign
)

// linearLimit is how many items are searched one by one before a table is made.
const linearLimit = 16

// OpenItems reads a bare collection, the form of Microsoft's Redis provider 5.x.
// Bytes after the last value are ignored, as .NET ignores them, and carried as
// long as nothing is changed. It keeps data.
func OpenItems(data []byte, limits Limits) (*Items, error) {
	it := NewItems(limits)
	if len(data) > it.limits.Bytes {
		return nil, frameError(0, "item collection", fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, len(data), it.limits.Bytes))
	}
	if _, err := it.parse(data, 0); err != nil {
		return nil, err
	}
	it.whole = true
	return it, nil
}

// NewItems makes an empty collection.
func NewItems(limits Limits) *Items {
	it := new(Items)
	it.init(limits)
	return it
}

func (it *Items) init(limits Limits) {
	it.limits = limits.withDefaults()
	it.entries = it.inline[:0]
}

// parse reads the collection that starts at off and returns where it ends.
func (it *Items) parse(raw []byte, off int) (end int, err error) {
	it.raw = raw
	n, err := readInt32(raw, off, "item count")
	if err != nil {
		return 0, err
	}
	off += 4
	if n == 0 {
		return off, nil
	}
	// A key takes a byte at least, the null key none; an end offset takes four.
	if n < 0 || n > (len(raw)-off-3)/5+1 {
		return 0, frameError(off-4, "item count", fmt.Errorf("%w: %d items cannot be in %d bytes", ErrCorrupt, n, len(raw)-off))
	}
	if n > it.limits.Items {
		return 0, frameError(off-4, "item count", fmt.Errorf("%w: %d items, at most %d", ErrLimit, n, it.limits.Items))
	}
	null, err := readInt32(raw, off, "null key index")
	if err != nil {
		return 0, err
	}
	off += 4
	if n > len(it.inline) {
		it.entries = make([]entry, 0, n)
	}
	it.entries = it.entries[:n]
	for i := range it.entries {
		e := &it.entries[i]
		e.flags = loaded
		if i == null {
			e.flags |= nullKey
			continue
		}
		size, used, lerr := readLength(raw[off:])
		if lerr == nil && size > len(raw)-off-used {
			lerr = fmt.Errorf("%w: the key takes %d bytes, %d are left", ErrTruncated, size, len(raw)-off-used)
		}
		if lerr != nil {
			return 0, &Error{Offset: off, Field: "key", Index: i, Err: lerr}
		}
		off += used
		e.key, e.keyLen = uint32(off), uint32(size)
		e.hash = keyHash(raw[off : off+size])
		off += size
	}
	if i, j := it.duplicate(); i >= 0 {
		e := it.entries[j]
		return 0, &Error{Offset: int(e.key), Field: "key", Index: j, Key: it.keyText(j),
			Err: fmt.Errorf("%w: the same key, without case, as item #%d", ErrCorrupt, i)}
	}
	table := off
	if len(raw)-table < 4*n {
		i := (len(raw) - table) / 4
		return 0, &Error{Offset: table + 4*i, Field: "end offset", Index: i, Key: it.keyText(i),
			Err: fmt.Errorf("%w: %d offsets take %d bytes, %d are left", ErrTruncated, n, 4*n, len(raw)-table)}
	}
	area := table + 4*n
	last := 0
	for i := range it.entries {
		e := &it.entries[i]
		o := int(int32(binary.LittleEndian.Uint32(raw[table+4*i:])))
		if o < last || o > len(raw)-area {
			reason := fmt.Errorf("%w: value ends at %d, but starts at %d", ErrCorrupt, o, last)
			if o >= last {
				reason = fmt.Errorf("%w: value ends at %d, but the data at %d", ErrTruncated, o, len(raw)-area)
			}
			return 0, &Error{Offset: table + 4*i, Field: "end offset", Index: i, Key: it.keyText(i), Err: reason}
		}
		e.val, e.valLen = uint32(area+last), uint32(o-last)
		last = o
	}
	return area + last, nil
}

// readInt32 returns an int so that arithmetic on it cannot overflow.
func readInt32(b []byte, off int, field string) (int, error) {
	if len(b)-off < 4 {
		return 0, frameError(off, field, fmt.Errorf("%w: 4 bytes needed, %d left", ErrTruncated, len(b)-off))
	}
	return int(int32(binary.LittleEndian.Uint32(b[off:]))), nil
}

// readLength reads .NET's 7-bit encoded int32. Bits above the 32nd are dropped,
// as .NET Framework drops them.
func readLength(b []byte) (n, used int, err error) {
	var v uint32
	for used < len(b) {
		c := b[used]
		v |= uint32(c&0x7f) << (7 * used)
		used++
		if c < 0x80 {
			if int32(v) < 0 {
				return 0, 0, fmt.Errorf("%w: negative length %d", ErrCorrupt, int32(v))
			}
			return int(v), used, nil
		}
		if used == 5 {
			return 0, 0, fmt.Errorf("%w: a length of more than 5 bytes", ErrCorrupt)
		}
	}
	return 0, 0, fmt.Errorf("%w: a length is cut short", ErrTruncated)
}

func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

func lengthSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// duplicate returns the places of two items with the same key, or -1.
func (it *Items) duplicate() (first, second int) {
	if len(it.entries) > linearLimit {
		return it.buildIndex()
	}
	for j := 1; j < len(it.entries); j++ {
		for i := range j {
			if it.entries[i].hash == it.entries[j].hash && it.same(i, j) {
				return i, j
			}
		}
	}
	return -1, -1
}

func (it *Items) same(i, j int) bool {
	return (it.entries[i].flags|it.entries[j].flags)&nullKey == 0 && sameKey(it.keyBytes(i), it.keyBytes(j))
}

// buildIndex fills the table and reports the first two items with one key.
func (it *Items) buildIndex() (first, second int) {
	size := 1
	for size < 2*len(it.entries) {
		size *= 2
	}
	it.index = make([]int32, size)
	for j := range it.entries {
		if it.entries[j].flags&nullKey != 0 {
			continue
		}
		slot := slotHash(it.keyBytes(j)) & (size - 1)
		for it.index[slot] != 0 {
			i := int(it.index[slot]) - 1
			if it.entries[i].hash == it.entries[j].hash && it.same(i, j) {
				return i, j
			}
			slot = (slot + 1) & (size - 1)
		}
		it.index[slot] = int32(j) + 1
	}
	return -1, -1
}

// find returns the place of a key, or -1.
func (it *Items) find(key string) int {
	k := []byte(key) // not a copy: it does not escape
	h := keyHash(k)
	if len(it.entries) <= linearLimit {
		for i := range it.entries {
			e := &it.entries[i]
			if e.hash == h && e.flags&nullKey == 0 && sameKey(it.keyBytes(i), k) {
				return i
			}
		}
		return -1
	}
	if it.index == nil {
		it.buildIndex()
	}
	mask := len(it.index) - 1
	for slot := slotHash(k) & mask; it.index[slot] != 0; slot = (slot + 1) & mask {
		i := int(it.index[slot]) - 1
		if it.entries[i].hash == h && sameKey(it.keyBytes(i), k) {
			return i
		}
	}
	return -1
}

func (it *Items) keyBytes(i int) []byte {
	e := &it.entries[i]
	if e.flags&keyInArena != 0 {
		return it.arena[e.key : e.key+e.keyLen]
	}
	return it.raw[e.key : e.key+e.keyLen]
}

func (it *Items) keyText(i int) string { return decodeText(it.keyBytes(i)) }

func (it *Items) data(i int) []byte {
	e := &it.entries[i]
	if e.flags&valInArena != 0 {
		return it.arena[e.val : e.val+e.valLen]
	}
	return it.raw[e.val : e.val+e.valLen : e.val+e.valLen]
}

func (it *Items) encoding(i int) Encoding {
	switch f := it.entries[i].flags; {
	case f&isStream != 0:
		return Stream
	case f&isForeign != 0:
		return Foreign
	}
	return Typed
}

// An Item is one stored item as it stands.
type Item struct {
	Index    int      // place in the collection
	Key      string   // stored spelling
	NullKey  bool     // the item without a name; Key is empty
	Encoding Encoding // what Data is
	Data     []byte   // type id and data, or as Encoding says; read only, valid until the next change
	Offset   int      // of Data in the opened bytes; -1 for an item set since
}

// Type is the type id of a Typed item, TypeObject for a Stream, and 0 where
// there is none.
func (item Item) Type() Type {
	switch {
	case item.Encoding == Stream:
		return TypeObject
	case item.Encoding == Typed && len(item.Data) > 0:
		return Type(item.Data[0])
	}
	return 0
}

func (it *Items) item(i int) Item {
	e := it.entries[i]
	item := Item{Index: i, Key: it.keyText(i), NullKey: e.flags&nullKey != 0, Encoding: it.encoding(i), Data: it.data(i), Offset: -1}
	if e.flags&valInArena == 0 {
		item.Offset = int(e.val)
	}
	return item
}

// Item returns the stored item of a key; ok is false where there is none.
func (it *Items) Item(key string) (item Item, ok bool) {
	i := it.find(key)
	if i < 0 {
		return Item{}, false
	}
	return it.item(i), true
}

// All yields every item in order, the null key's among them.
func (it *Items) All() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for i := range it.entries {
			if !yield(it.item(i)) {
				return
			}
		}
	}
}

// Len counts the items that have a name.
func (it *Items) Len() int {
	n := len(it.entries)
	for i := range it.entries {
		if it.entries[i].flags&nullKey != 0 {
			n--
		}
	}
	return n
}

// Empty reports whether there is no item at all, not even one without a name.
func (it *Items) Empty() bool { return len(it.entries) == 0 }

// Keys returns the names in order, in their stored spelling.
func (it *Items) Keys() []string {
	keys := make([]string, 0, len(it.entries))
	for i := range it.entries {
		if it.entries[i].flags&nullKey == 0 {
			keys = append(keys, it.keyText(i))
		}
	}
	return keys
}

// Has reports whether there is an item of this name, null or not.
func (it *Items) Has(key string) bool { return it.find(key) >= 0 }

// SetLocation says in which zone DateTime items are read and times are written:
// the zone of the ASP.NET machine. Nil, the default, means UTC.
func (it *Items) SetLocation(loc *time.Location) { it.loc = loc }

// Size is the length in bytes of what Append will add.
func (it *Items) Size() int {
	if it.whole && !it.edited {
		return len(it.raw)
	}
	if len(it.entries) == 0 {
		return 4
	}
	size := 8
	for i := range it.entries {
		e := &it.entries[i]
		size += 4 + int(e.valLen)
		if e.flags&nullKey == 0 {
			size += lengthSize(int(e.keyLen)) + int(e.keyLen)
		}
		if e.flags&isStream != 0 {
			size++
		}
	}
	return size
}

// Append adds the collection to dst. Untouched items go verbatim, and so does a
// whole collection that was opened and not changed; a Stream becomes type 20; a
// Foreign item is ErrEncoding, and more than 2 GiB ErrLimit.
func (it *Items) Append(dst []byte) ([]byte, error) {
	if it.whole && !it.edited {
		return append(dst, it.raw...), nil
	}
	n := len(it.entries)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	if n == 0 {
		return dst, nil
	}
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, math.MaxUint32)
	for i := range it.entries {
		e := &it.entries[i]
		if e.flags&nullKey != 0 {
			binary.LittleEndian.PutUint32(dst[at:], uint32(i))
			continue
		}
		dst = appendLength(dst, int(e.keyLen))
		dst = append(dst, it.keyBytes(i)...)
	}
	end := 0
	for i := range it.entries {
		e := &it.entries[i]
		if e.flags&isForeign != 0 {
			return nil, &Error{Offset: -1, Field: "value", Index: i, Key: it.keyText(i), Err: fmt.Errorf("%w: only its own store can hold it", ErrEncoding)}
		}
		end += int(e.valLen)
		if e.flags&isStream != 0 {
			end++
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(end))
	}
	if end > math.MaxInt32 {
		return nil, frameError(-1, "values", fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, end, math.MaxInt32))
	}
	for i := range it.entries {
		if it.entries[i].flags&isStream != 0 {
			dst = append(dst, byte(TypeObject))
		}
		dst = append(dst, it.data(i)...)
	}
	return dst, nil
}
