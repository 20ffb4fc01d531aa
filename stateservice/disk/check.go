package disk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// bbolt trusts its file: a damaged page makes it panic, loop, or read wrong
// memory. So every page in use is checked here before bbolt sees it, by reading
// and not by mapping, so that a cut file is an error and not a fault. Layout:
// bbolt's internal/common, page.go, meta.go and bucket.go; integers are in the
// machine's order.
const (
	pageSize    = 4096
	pageHead    = 16 // id uint64, flags uint16, count uint16, overflow uint32
	elementSize = 16
	bucketHead  = 16 // root uint64, sequence uint64

	branchPage = 0x01
	leafPage   = 0x02
	freePage   = 0x10

	magic      = 0xED0CDAED
	fileFormat = 2
	noFreelist = ^uint64(0)
)

var order = binary.NativeEndian

// checker walks the tree of one file.
type checker struct {
	f     io.ReaderAt
	size  int64
	pages uint64 // in use or free, headers counted
	seen  []bool // by page: reached already
}

// damage says where and what.
type damage struct {
	at   int64
	what string
}

func (d damage) Error() string { return fmt.Sprintf("%s at byte %d", d.what, d.at) }

// check reads the file of that name. torn reports that one of its two headers
// is unusable.
func check(name string) (torn bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return false, err
	}
	c := checker{f: f, size: st.Size()}
	m, torn, err := c.header()
	if err != nil {
		return false, err
	}
	if m.pages > uint64(c.size)/pageSize {
		return false, damage{c.size, fmt.Sprintf("the file is cut off, %d bytes are in use: it ends", m.pages*pageSize)}
	}
	c.pages, c.seen = m.pages, make([]bool, m.pages)
	c.seen[0], c.seen[1] = true, true
	if m.freelist != noFreelist {
		if err := c.firstFreelist(m.freelist); err != nil {
			return false, err
		}
	}
	return torn, c.tree(m.root, 0, nil, nil, nil)
}

type header struct{ root, freelist, pages, tx uint64 }

// header reads the two headers and returns the later valid one.
func (c *checker) header() (best header, torn bool, err error) {
	valid := 0
	for at := int64(0); at <= pageSize; at += pageSize {
		var b [pageHead + 64]byte
		if _, err := c.f.ReadAt(b[:], at); err == io.EOF {
			return best, false, damage{c.size, "the file is cut off: it ends"}
		} else if err != nil {
			return best, false, err
		}
		m := b[pageHead:]
		h := fnv.New64a()
		h.Write(m[:56])
		if order.Uint32(m) != magic || order.Uint32(m[4:]) != fileFormat || order.Uint64(m[56:]) != h.Sum64() {
			continue
		}
		if n := order.Uint32(m[8:]); n != pageSize {
			return best, false, damage{at, fmt.Sprintf("pages of %d bytes and not %d", n, pageSize)}
		}
		valid++
		if got := (header{order.Uint64(m[16:]), order.Uint64(m[32:]), order.Uint64(m[40:]), order.Uint64(m[48:])}); valid == 1 || got.tx > best.tx {
			best = got
		}
	}
	switch {
	case valid == 0:
		return best, false, damage{0, "neither of the two headers is one"}
	case best.pages < 3:
		return best, false, damage{0, "a header without pages"}
	}
	return best, valid == 1, nil
}

// firstFreelist checks the list of free pages that bbolt writes into a new file
// and never again: it is empty.
func (c *checker) firstFreelist(id uint64) error {
	p, err := c.page(id)
	if err != nil {
		return err
	}
	if order.Uint16(p[8:]) != freePage || order.Uint16(p[10:]) != 0 {
		return damage{int64(id) * pageSize, "an unexpected list of free pages"}
	}
	return nil
}

// page reads a page and what overflows from it.
func (c *checker) page(id uint64) ([]byte, error) {
	if id < 2 || id >= c.pages {
		return nil, damage{int64(min(id, c.pages)) * pageSize, fmt.Sprintf("a reference to page %d of %d", id, c.pages)}
	}
	at := int64(id) * pageSize
	b := make([]byte, pageSize)
	if _, err := c.f.ReadAt(b, at); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	more := uint64(order.Uint32(b[12:]))
	if order.Uint64(b) != id || more >= c.pages-id {
		return nil, damage{at, "a page that is not what its place says"}
	}
	for i := id; i <= id+more; i++ {
		if c.seen[i] {
			return nil, damage{at, "a page that is used twice"}
		}
		c.seen[i] = true
	}
	if more > 0 {
		b = append(b, make([]byte, more*pageSize)...)
		if _, err := c.f.ReadAt(b[pageSize:], at+pageSize); err != nil {
			return nil, fmt.Errorf("page %d: %w", id, err)
		}
	}
	return b, nil
}

// tree checks the page and all below: its keys are from low to below high.
// bucket is the tree's, nil for the outermost, whose values are buckets.
func (c *checker) tree(id uint64, depth int, low, high, bucket []byte) error {
	p, err := c.page(id)
	if err != nil {
		return err
	}
	if depth > 64 {
		return damage{int64(id) * pageSize, "a tree that is too deep"}
	}
	return c.elements(p, int64(id)*pageSize, depth, low, high, bucket)
}

// elements checks the elements of a page that begins at that byte.
func (c *checker) elements(p []byte, at int64, depth int, low, high, bucket []byte) error {
	flags, count := order.Uint16(p[8:]), int(order.Uint16(p[10:]))
	first := pageHead + count*elementSize
	if flags != branchPage && flags != leafPage || first > len(p) || count == 0 && (flags == branchPage || depth > 0) {
		return damage{at, "a page of no known kind"}
	}
	keys := make([][]byte, count)
	for i := range keys {
		off := pageHead + i*elementSize
		pos, ksize, vsize := p[off:], p[off+4:], uint64(0)
		if flags == leafPage {
			pos, ksize, vsize = p[off+4:], p[off+8:], uint64(order.Uint32(p[off+12:]))
		}
		start, n := uint64(off)+uint64(order.Uint32(pos)), uint64(order.Uint32(ksize))
		if start < uint64(first) || n == 0 || start+n+vsize > uint64(len(p)) {
			return damage{at + int64(off), "an element that is not in its page"}
		}
		keys[i] = p[start : start+n]
		if i == 0 && bytes.Compare(keys[0], low) < 0 || i > 0 && bytes.Compare(keys[i-1], keys[i]) >= 0 || high != nil && bytes.Compare(keys[i], high) >= 0 {
			return damage{at + int64(off), "keys out of order"}
		}
		if flags == branchPage {
			continue
		}
		value, flag := p[start+n:start+n+vsize], order.Uint32(p[off:])
		switch {
		case bucket == nil && flag == 1:
			if err := c.bucket(keys[i], value, at+int64(start+n)); err != nil {
				return err
			}
		case bucket == nil || flag != 0:
			return damage{at + int64(off), "an element of no known kind"}
		case !bytes.Equal(bucket, stateBucket) && !whole(keys[i], value):
			return damage{at + int64(start+n), "a record whose checksum is wrong"}
		}
	}
	if flags == leafPage {
		return nil
	}
	for i, key := range keys {
		next := high
		if i+1 < count {
			next = keys[i+1]
		}
		if err := c.tree(order.Uint64(p[pageHead+i*elementSize+8:]), depth+1, key, next, bucket); err != nil {
			return err
		}
	}
	return nil
}

// bucket checks a bucket: a reference to its tree, or a small page right there.
func (c *checker) bucket(name, v []byte, at int64) error {
	if len(v) < bucketHead {
		return damage{at, "a bucket that is cut off"}
	}
	if root := order.Uint64(v); root != 0 {
		return c.tree(root, 0, nil, nil, name)
	}
	in := v[bucketHead:]
	if len(in) < pageHead || order.Uint16(in[8:]) != leafPage {
		return damage{at, "a small bucket that is none"}
	}
	return c.elements(in, at+bucketHead, 0, nil, nil, name)
}
