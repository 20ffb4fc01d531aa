package nrbf_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

func TestTypedAccess(t *testing.T) {
	o := decode(t, "nrbf-all-primitives").Root().Object()
	for name, want := range map[string]int64{"U8": 255, "S8": -128, "S16": -32768, "U16": 65535, "S32": math.MinInt32, "U32": math.MaxUint32, "S64": math.MinInt64} {
		n, ok := o.Get(name).Int()
		require.True(t, ok, name)
		require.Equal(t, want, n, name)
		u, ok := o.Get(name).Uint()
		require.Equal(t, want >= 0, ok, name)
		if ok {
			require.Equal(t, uint64(want), u, name)
		}
	}
	_, ok := o.Get("U64").Int()
	require.False(t, ok)
	u, ok := o.Get("U64").Uint()
	require.True(t, ok)
	require.Equal(t, uint64(math.MaxUint64), u)
	f, ok := o.Get("F32").Float()
	require.True(t, ok)
	require.Equal(t, float64(math.SmallestNonzeroFloat32), f)
	f, ok = o.Get("F64").Float()
	require.True(t, ok)
	require.Equal(t, math.SmallestNonzeroFloat64, f)
	c, ok := o.Get("C").Char()
	require.True(t, ok)
	require.Equal(t, clr.Char('é'), c)
	ts, ok := o.Get("Ts").TimeSpan()
	require.True(t, ok)
	require.Equal(t, clr.TimeSpan(math.MinInt64), ts)
	dt, ok := o.Get("DtLocal").DateTime()
	require.True(t, ok)
	require.Equal(t, clr.Local, dt.Kind)
	require.True(t, o.Get("StrNull").IsNull())
	require.True(t, o.Get("G").Object().Inline())
	require.False(t, o.Get("g").Exists(), "names have case")

	// No helper answers for another kind.
	v := o.Get("Str")
	_, a := v.Int()
	_, b := v.Uint()
	_, d := v.Float()
	_, e := v.Bool()
	_, f2 := v.Char()
	_, g := v.DateTime()
	_, h := v.TimeSpan()
	_, i := v.Decimal()
	_, j := v.Bits()
	require.False(t, a || b || d || e || f2 || g || h || i || j)
	require.Nil(t, v.Object())
	require.Nil(t, v.Array())
}

// A local time in the hour that occurs twice has kind bits of its own, which
// survive a change elsewhere.
func TestRawBitsOfADateTimeAreKept(t *testing.T) {
	const bits = 3<<62 | 638_000_000_000_000_000
	r := stream(1).bytes(4).i32(1).text("N").i32(2).text("d").text("i").bytes(0, 0, 13, 8)
	lo, hi := uint32(bits&math.MaxUint32), uint32(bits>>32)
	r.i32(int32(lo), int32(hi), 5).bytes(11)
	g, err := nrbf.Decode(*r, nrbf.Options{})
	require.NoError(t, err)
	o := g.Root().Object()
	d, _ := o.Get("d").DateTime()
	require.Equal(t, clr.DateTime{Ticks: 638_000_000_000_000_000, Kind: clr.Local}, d)
	require.NoError(t, o.Set("i", 6))
	got, _ := rewrite(t, g).Root().Object().Get("d").Bits()
	require.Equal(t, uint64(bits), got)
}

func TestPrimitiveArraysOfEveryKind(t *testing.T) {
	both(t, nrbf.KindBoolean, []bool{true, false})
	both(t, nrbf.KindSByte, []int8{-128, 127})
	both(t, nrbf.KindByte, []uint8{0, 255})
	both(t, nrbf.KindInt16, []int16{-32768, 1})
	both(t, nrbf.KindUInt16, []uint16{65535, 1})
	both(t, nrbf.KindInt32, []int32{math.MinInt32, 1})
	both(t, nrbf.KindUInt32, []uint32{math.MaxUint32, 1})
	both(t, nrbf.KindInt64, []int64{math.MinInt64, 1})
	both(t, nrbf.KindUInt64, []uint64{math.MaxUint64, 1})
	both(t, nrbf.KindSingle, []float32{1.5, float32(math.Inf(-1))})
	both(t, nrbf.KindDouble, []float64{1.5, math.Inf(1)})
	both(t, nrbf.KindChar, []clr.Char{'a', '€', 0xffff})
	both(t, nrbf.KindDecimal, []clr.Decimal{clr.NewDecimal(150, 2), clr.NewDecimal(math.MinInt64, 0)})
	both(t, nrbf.KindDateTime, []clr.DateTime{{Ticks: 1, Kind: clr.Utc}, {Ticks: clr.MaxTicks, Kind: clr.Local}})
	both(t, nrbf.KindTimeSpan, []clr.TimeSpan{-1, 1})
}

func both[T nrbf.Primitive](t *testing.T, kind nrbf.Kind, vs []T) {
	t.Helper()
	require.Equal(t, kind, nrbf.KindOf[T]())
	g := nrbf.New(nrbf.Options{})
	a, err := nrbf.NewPrimitives(g, vs[:1])
	require.NoError(t, err)
	require.NoError(t, g.SetRoot(a))
	require.NoError(t, nrbf.SetPrimitives(a, vs))
	require.NoError(t, a.Append(any(vs[0])))
	require.NoError(t, a.Set(0, any(vs[1])))
	require.NoError(t, a.Resize(len(vs)+2))
	var zero T
	want := append(slices.Clone(vs), vs[0], zero)
	want[0] = vs[1]
	got, ok := nrbf.Primitives[T](rewrite(t, g).Root().Array())
	require.True(t, ok)
	require.Equal(t, want, got)
	for i, v := range want {
		require.Equal(t, any(v), a.At(i).Any())
	}
	empty, err := g.NewArray(nrbf.PrimitiveType(kind), 3, false)
	require.NoError(t, err)
	zeros, _ := nrbf.Primitives[T](empty)
	require.Equal(t, []T{zero, zero, zero}, zeros)
}

func TestWritingHasALimit(t *testing.T) {
	g := nrbf.New(nrbf.Options{Bytes: 1000})
	a, err := nrbf.NewPrimitives(g, make([]byte, 2000))
	require.NoError(t, err)
	require.NoError(t, g.SetRoot(a))
	out, err := g.Append([]byte("x"))
	require.ErrorIs(t, err, nrbf.ErrLimit)
	require.Equal(t, "x", string(out))
}

func TestWhatAGraphSaysOfItself(t *testing.T) {
	g := decode(t, "nrbf-cart-cycle")
	var libs []string
	for name := range g.Libraries() {
		libs = append(libs, name)
	}
	require.Equal(t, []string{"Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"}, libs)
	root := g.Root().Object()
	require.Equal(t, root.Value(), g.ByID(root.ID()))
	require.False(t, g.ByID(999).Exists())
	require.False(t, g.ByID(math.MinInt32).Exists())
	require.Equal(t, 4, root.Class().Len())
	items := root.Get("items").Object().Get("_items").Array()
	require.Equal(t, nrbf.ClassType("Golden.Types.CartItem", libs[0]), items.Elem())
	require.Equal(t, items.Value(), root.Get("items").Object().Member(0))
	require.Equal(t, "Golden.Types.CartItem[]", items.String())
}
