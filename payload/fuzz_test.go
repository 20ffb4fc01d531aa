package payload_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
)

// Small limits keep a fuzzer from spending its time in large payloads.
var fuzzLimits = payload.Limits{Bytes: 1 << 20, Items: 4096}

func seed(f *testing.F, framing string) {
	f.Helper()
	for _, list := range []struct{ manifest, dir string }{{"manifest.json", ""}, {"bad/manifest-bad.json", "bad"}} {
		for _, v := range vectors(f, list.manifest) {
			if data := v.read(f, list.dir); v.Framing == framing && len(data) < 4<<10 {
				f.Add(data)
			}
		}
	}
}

// FuzzOpen: no bytes make it panic; what opens comes back verbatim, whole or
// item by item, and survives an edit.
func FuzzOpen(f *testing.F) {
	seed(f, "store")
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := payload.Open(data, fuzzLimits)
		if err != nil {
			requireError(t, err)
			return
		}
		_, _ = p.StaticObjects()
		out, err := p.Append(nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, out))
		exercise(t, p.Items())
		if out, err = p.Append(nil); err != nil {
			t.Fatal(err)
		}
		require.Len(t, out, p.Size())
		q, err := payload.Open(out, payload.Limits{})
		require.NoError(t, err)
		require.Equal(t, p.Items().Keys(), q.Items().Keys())
		require.Equal(t, p.Static(), q.Static())
	})
}

// FuzzOpenItems: the same for a bare collection.
func FuzzOpenItems(f *testing.F) {
	seed(f, "items")
	f.Fuzz(func(t *testing.T, data []byte) {
		it, err := payload.OpenItems(data, fuzzLimits)
		if err != nil {
			requireError(t, err)
			return
		}
		out, err := it.Append(nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, out))
		exercise(t, it)
		out, err = it.Append(nil)
		require.NoError(t, err)
		require.Len(t, out, it.Size())
		_, err = payload.OpenItems(out, payload.Limits{})
		require.NoError(t, err)
	})
}

// FuzzOpenDeflate: inflating is bounded whatever the stream says.
func FuzzOpenDeflate(f *testing.F) {
	seed(f, "store-deflate")
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := payload.OpenDeflate(data, fuzzLimits)
		if err != nil {
			requireError(t, err)
			return
		}
		plain, err := p.Append(nil)
		require.NoError(t, err)
		squeezed, err := p.AppendDeflate(nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, inflateForTest(t, squeezed)))
	})
}

// exercise reads every item, checks that what can be read writes the same value
// again, and edits around the rest. It runs millions of times: no require in its
// loops.
func exercise(t *testing.T, it *payload.Items) {
	type old struct {
		key  string
		data []byte
	}
	var before []old
	probe := payload.NewItems(payload.Limits{})
	for item := range it.All() {
		value, err := item.Decode(nil)
		if err != nil {
			requireError(t, err)
		} else if !item.NullKey && item.Type() != payload.TypeObject {
			if err := probe.Set("k", value); err != nil {
				t.Fatalf("%T %v was read and cannot be written: %v", value, value, err)
			}
			again, _, err := probe.Get("k")
			if err != nil || !equal(value, again) {
				t.Fatalf("%v became %v (%v)", value, again, err)
			}
		}
		before = append(before, old{item.Key, bytes.Clone(item.Data)})
		_, _ = payload.Value[int](it, item.Key)
		_, _ = payload.Value[string](it, item.Key)
		_, _ = payload.Value[*uint8](it, item.Key)
	}
	const key = "\U0001f511 a key that no input has"
	require.NoError(t, it.Set(key, 1))
	require.NoError(t, it.Set(key, 2))
	i := 0
	for item := range it.All() {
		if i < len(before) && (before[i].key != item.Key || !bytes.Equal(before[i].data, item.Data)) {
			t.Fatalf("item %q changed", item.Key)
		}
		i++
	}
	require.Equal(t, len(before)+1, i)
}

// equal takes a NaN for what it is, and times for moments.
func equal(a, b any) bool {
	switch a := a.(type) {
	case float32:
		b, _ := b.(float32)
		return math.Float32bits(a) == math.Float32bits(b)
	case float64:
		b, _ := b.(float64)
		return math.Float64bits(a) == math.Float64bits(b)
	}
	return a == b
}
