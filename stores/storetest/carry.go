package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func testIsolation(h *harness) {
	id := h.id()
	p := payload.New(20, payload.Limits{})
	h.set(p, "n", 1)
	h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
	h.set(p, "n", 2, "m", 2) // after Save: not the store's business
	h.mustHold(id, "n", int32(1))
	h.mustHold(id, "m", nil)

	a, b := h.get(h.Store, id), h.get(h.Store, id)
	h.set(a.Payload, "n", 3)
	if v, _, err := b.Payload.Items().Get("n"); err != nil || v != int32(1) {
		h.Fatalf("two readers share a session: %v, %v", v, err)
	}
	h.mustHold(id, "n", int32(1))

	// What is read stays as it was while others save.
	rec := h.acquire(h.Second, id)
	h.set(rec.Payload, "n", 4)
	h.must(h.Second.Save(h.ctx, id, rec.Lock, rec.Payload))
	if v, _, err := b.Payload.Items().Get("n"); err != nil || v != int32(1) {
		h.Fatalf("a session changed under its reader: %v, %v", v, err)
	}
}

// object is a List<int> of 1, 2 as BinaryFormatter writes an int[] of them: what
// it is does not matter, a store carries it.
var object = payload.Object("\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00" +
	"\x0f\x01\x00\x00\x00\x02\x00\x00\x00\x08\x01\x00\x00\x00\x02\x00\x00\x00\x0b")

func testOtherSide(h *harness) {
	id := h.id()
	p := payload.New(20, payload.Limits{})
	h.set(p, "before", "x", "Cart", object, "after", int64(1)<<40, "edited", 1)
	h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
	want := map[string][]byte{}
	for item := range h.get(h.Second, id).Payload.Items().All() {
		want[item.Key] = bytes.Clone(item.Data)
	}
	for i := range 3 {
		rec := h.acquire(h.Second, id)
		h.set(rec.Payload, "EDITED", i+10)
		h.must(h.Second.Save(h.ctx, id, rec.Lock, rec.Payload))
	}
	n := 0
	for item := range h.get(h.Store, id).Payload.Items().All() {
		n++
		if item.Key != "edited" && !bytes.Equal(item.Data, want[item.Key]) {
			h.Fatalf("item %q was % x, is % x", item.Key, want[item.Key], item.Data)
		}
	}
	if n != 4 {
		h.Fatalf("%d items, want 4", n)
	}
	h.mustHold(id, "edited", int32(12))
	v, _, err := h.get(h.Store, id).Payload.Items().Get("cart")
	h.must(err)
	if got, _ := v.(payload.Object); !bytes.Equal(got, object) {
		h.Fatalf("the object is % x", v)
	}
}

// A frame with all that C# can make and Go cannot: a null key, a value of a type
// nobody knows, and static objects.
func strange(static bool) []byte {
	items := "\x03\x00\x00\x00\x01\x00\x00\x00" + "\x01a\x01c" + "\x02\x00\x00\x00\x04\x00\x00\x00\x07\x00\x00\x00" + "\x03\x01" + "\x06\x2a" + "\x63\x01\x02"
	head, tail := "\x14\x00\x00\x00\x01\x00", "\xff"
	if static {
		head = "\x14\x00\x00\x00\x01\x01"
		tail = "\x01\x00\x00\x00\x01o\x00\x1dSystem.Collections.ArrayListX\x01\xff"
	}
	return []byte(head + items + tail)
}

// testForms saves what not every store's form can hold: it keeps it, or refuses
// it with ErrUnsupported, as its Capabilities say; it never loses it silently.
func testForms(h *harness) {
	for _, form := range []struct {
		name  string
		frame []byte
		keeps bool
	}{
		{"no items", []byte("\x14\x00\x00\x00\x00\x00\xff"), h.caps.EmptySessions},
		{"a null item", []byte("\x14\x00\x00\x00\x01\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01n\x01\x00\x00\x00\x15\xff"), h.caps.NullItems},
		{"strange items", strange(false), h.caps.StaticObjects},
		{"static objects", strange(true), h.caps.StaticObjects},
	} {
		p, err := payload.Open(form.frame, payload.Limits{})
		h.must(err)
		id := h.id()
		err = h.Store.Save(h.ctx, id, session.Lock{}, p)
		if errors.Is(err, session.ErrUnsupported) && !form.keeps {
			continue
		}
		h.must(err)
		if !form.keeps {
			continue // kept in another form: the store's own tests say which
		}
		got, err := h.get(h.Second, id).Payload.Append(nil)
		h.must(err)
		if !bytes.Equal(got, form.frame) {
			h.Fatalf("%s: saved % x, read % x", form.name, form.frame, got)
		}
		// Edited around, it is still all there.
		rec := h.acquire(h.Store, id)
		h.set(rec.Payload, "zz", 1)
		h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
		rec = h.acquire(h.Store, id)
		rec.Payload.Items().Remove("ZZ")
		h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
		if got, err = h.get(h.Second, id).Payload.Append(nil); err != nil || !bytes.Equal(got, form.frame) {
			h.Fatalf("%s: edited, % x became % x (%v)", form.name, form.frame, got, err)
		}
	}
}

// testSizes saves around the sizes at which stores change their form: SQL
// Server's 7000 bytes, a connection's buffers, a megabyte.
func testSizes(h *harness) {
	long := strings.Repeat("i", session.MaxIDLength-session.IDLength) + h.id()
	for _, id := range []string{h.id(), long} {
		p := payload.New(20, payload.Limits{})
		h.set(p, "n", 0)
		h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
		for _, size := range []int{1, 6900, 6999, 7000, 7001, 7100, 65_535, 65_536, 1 << 20, 10, 0} {
			text := strings.Repeat("x", size)
			rec := h.acquire(h.Store, id)
			h.set(rec.Payload, "text", text)
			h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
			h.mustHold(id, "text", text)
		}
	}
	id := h.id()
	p := payload.New(20, payload.Limits{})
	for i := range 1000 {
		h.set(p, fmt.Sprintf("item %d", i), i)
	}
	h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
	h.mustHold(id, "ITEM 999", int32(999))
}
