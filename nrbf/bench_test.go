package nrbf_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/nrbf"
)

func BenchmarkDecodeCart50(b *testing.B) {
	data := nrbfFile(b, "nrbf-cart-50")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nrbf.Decode(data, nrbf.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNavigateTo1MB(b *testing.B) {
	data := nrbfFile(b, "nrbf-large-byte-1mb")
	b.ReportAllocs()
	for b.Loop() {
		g, err := nrbf.Decode(data, nrbf.Options{})
		if err != nil || len(g.Root().Array().Bytes()) != 1<<20 {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeCart50(b *testing.B) {
	g, err := nrbf.Decode(nrbfFile(b, "nrbf-cart-50"), nrbf.Options{})
	require.NoError(b, err)
	out, err := g.Reencode(nil)
	require.NoError(b, err)
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		if out, err = g.Reencode(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

// The figures that the benchmarks show are promises.
func TestAllocationsAreFew(t *testing.T) {
	cart := nrbfFile(t, "nrbf-cart-50")
	require.LessOrEqual(t, testing.AllocsPerRun(50, func() { _, _ = nrbf.Decode(cart, nrbf.Options{}) }), 60.0)

	big := nrbfFile(t, "nrbf-large-byte-1mb")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	g, err := nrbf.Decode(big, nrbf.Options{})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<10))
	runtime.ReadMemStats(&before)
	_, err = new(nrbf.Types).Marshal(make([]byte, 1<<20))
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "a byte[] is written at once")
	b := g.Root().Array().Bytes()
	require.Same(t, &big[len(big)-1-len(b)], &b[0], "a view of the input")

	o := decode(t, "nrbf-cart-50").Root().Object()
	require.Zero(t, testing.AllocsPerRun(50, func() {
		items := o.Get("items").Object()
		for i, v := range items.Get("_items").Array().All() {
			_, _ = v.Object().Get("sku").Text()
			_, _ = v.Object().Get("unitPrice").Decimal()
			_ = i
		}
	}))
}

func decode(t testing.TB, name string) *nrbf.Graph {
	t.Helper()
	g, err := nrbf.Decode(nrbfFile(t, name), nrbf.Options{})
	require.NoError(t, err)
	return g
}
