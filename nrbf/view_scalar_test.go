package nrbf_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

func TestScalarsAreReadChangedAndReadAgain(t *testing.T) {
	id, err := clr.ParseGuid("6f9619ff-8b86-d011-b42d-00c04fc964ff")
	require.NoError(t, err)
	for _, test := range []struct {
		vector    string
		old, with any
	}{
		{"nrbf-root-bool", true, false},
		{"nrbf-root-long", int64(-1 << 63), int64(5)},
		{"nrbf-root-double", 1.5, 2.5},
		{"nrbf-root-decimal", clr.NewDecimal(-150, 2), clr.NewDecimal(1999, 2)},
		{"nrbf-root-datetime", clr.DateTime{Ticks: 638447653230000000, Kind: clr.Utc}, clr.DateTime{Ticks: 5, Kind: clr.Local}},
		{"nrbf-root-timespan", clr.TimeSpan(10000000), clr.TimeSpan(-1)},
		{"nrbf-root-intptr", clr.IntPtr{Value: 5}, clr.IntPtr{Value: -5}},
		{"nrbf-datetimeoffset", nrbf.DateTimeOffset{Clock: clr.DateTime{Ticks: 638448048000000000}, Minutes: 330}, nrbf.DateTimeOffset{Clock: clr.DateTime{Ticks: 638448048000000000}, Minutes: -60}},
		{"nrbf-uri-absolute", nrbf.URI{Text: "http://example.com:8080/p%20a/th?q=1#f", Absolute: true}, nrbf.URI{Text: "https://go.dev/", Absolute: true}},
		{"nrbf-uri-relative", nrbf.URI{Text: "a/b?c=d"}, nrbf.URI{Text: "x"}},
		{"nrbf-uri-absolute", nrbf.URI{Text: "http://example.com:8080/p%20a/th?q=1#f", Absolute: true}, nrbf.URI{Text: "x/y"}},
		{"nrbf-version", nrbf.Version{Major: 1, Minor: 2, Build: 3, Revision: 4}, nrbf.Version{Major: 2, Minor: 0, Build: -1, Revision: -1}},
		{"nrbf-stringbuilder", nrbf.Text{Text: "built é", Capacity: 64}, nrbf.Text{Text: strings.Repeat("é", 70), Capacity: 70}},
		{"nrbf-complex", nrbf.Complex{Re: 1.5, Im: -2}, nrbf.Complex{Re: 0, Im: 1}},
	} {
		t.Run(test.vector, func(t *testing.T) {
			g := readVector(t, test.vector)
			x, ok := nrbf.ScalarOf(g.Root())
			require.True(t, ok)
			require.Equal(t, test.old, x)
			require.NoError(t, nrbf.SetScalar(g.Root(), test.with))
			x, ok = nrbf.ScalarOf(again(t, g))
			require.True(t, ok)
			require.Equal(t, test.with, x)
			require.ErrorIs(t, nrbf.SetScalar(g.Root(), struct{}{}), nrbf.ErrType)
		})
	}
	g := readVector(t, "nrbf-enum-sbyte")
	x, _ := nrbf.ScalarOf(g.Root())
	require.Equal(t, "Golden.Types.SByteEnum", x.(nrbf.EnumValue).Type)
	require.Equal(t, int8(-128), x.(nrbf.EnumValue).Value.Any())
	require.NoError(t, nrbf.SetScalar(g.Root(), 5))
	require.ErrorIs(t, nrbf.SetScalar(g.Root(), 200), nrbf.ErrType)
	x, _ = nrbf.ScalarOf(again(t, g))
	require.Equal(t, int8(5), x.(nrbf.EnumValue).Value.Any())

	g = readVector(t, "nrbf-list-guid")
	l, _ := nrbf.ListOf(g.Root())
	x, _ = nrbf.ScalarOf(l.At(0))
	require.Equal(t, "00112233-4455-6677-8899-aabbccddeeff", fmt.Sprint(x))
	require.NoError(t, nrbf.SetScalar(l.At(0), id))
	l, _ = nrbf.ListOf(again(t, g))
	x, _ = nrbf.ScalarOf(l.At(0))
	require.Equal(t, id, x)
}

func TestBigInteger(t *testing.T) {
	g := nrbf.New(nrbf.Options{})
	c, err := g.NewClass("System.Numerics.BigInteger", "System.Numerics",
		nrbf.Member{Name: "_sign", Type: nrbf.PrimitiveType(nrbf.KindInt32)}, nrbf.Member{Name: "_bits", Type: nrbf.PrimitiveArrayType(nrbf.KindUInt32)})
	require.NoError(t, err)
	o, err := g.NewObject(c)
	require.NoError(t, err)
	require.NoError(t, g.SetRoot(o))
	for _, text := range []string{"0", "-5", "2147483647", "-2147483647", "-2147483648", "2147483648", "-123456789012345678901234567890", "18446744073709551616"} {
		n, _ := new(big.Int).SetString(text, 10)
		require.NoError(t, nrbf.SetScalar(g.Root(), n))
		x, ok := nrbf.ScalarOf(again(t, g))
		require.True(t, ok)
		require.Equal(t, text, x.(*big.Int).String())
		require.Equal(t, text == "0" || text == "-5" || strings.HasSuffix(text, "2147483647"), o.Get("_bits").IsNull(), text)
	}
}

func TestRecords(t *testing.T) {
	g := readVector(t, "nrbf-kvp")
	p, ok := nrbf.PairOf(g.Root())
	require.True(t, ok)
	require.NoError(t, p.SetValue(9))
	p, _ = nrbf.PairOf(again(t, g))
	require.Equal(t, int32(9), p.Value().Any())
	require.Equal(t, "key", p.Key().Any())

	g = readVector(t, "nrbf-tuple-7")
	tu, ok := nrbf.TupleOf(g.Root())
	require.True(t, ok)
	require.Equal(t, 7, tu.Len())
	require.NoError(t, tu.Set(3, "four"))
	tu, _ = nrbf.TupleOf(again(t, g))
	require.Equal(t, "four", tu.At(3).Any())

	g = readVector(t, "nrbf-exception-inner")
	e, ok := nrbf.ExceptionOf(g.Root())
	require.True(t, ok)
	require.Equal(t, "outer message", e.Message())
	inner, ok := nrbf.ExceptionOf(e.Inner())
	require.True(t, ok)
	name, _ := inner.Parameter()
	require.Equal(t, "paramName", name)
	require.NoError(t, e.SetMessage("other"))
	e, _ = nrbf.ExceptionOf(again(t, g))
	require.Equal(t, "other", e.Message())

	d, ok := nrbf.DelegateOf(readVector(t, "nrbf-event-multicast-and-static").Root().Object().Get("Changed"))
	require.True(t, ok)
	require.Equal(t, "System.EventHandler", d.Type)
	require.Equal(t, "OnChanged", d.Calls[0].Method)
	require.True(t, d.Calls[1].Target.IsNull())
}
