package nrbf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

// rewrite writes a changed graph and reads it again.
func rewrite(t *testing.T, g *nrbf.Graph) *nrbf.Graph {
	t.Helper()
	require.True(t, g.Changed())
	out, err := g.Append(nil)
	require.NoError(t, err)
	h, err := nrbf.Decode(out, nrbf.Options{})
	require.NoError(t, err)
	require.Empty(t, differ(g, h))
	return h
}

func TestEveryPrimitiveCanBeSet(t *testing.T) {
	g := decode(t, "nrbf-all-primitives")
	dec, err := clr.ParseDecimal("-1.230")
	require.NoError(t, err)
	values := map[string]any{
		"B": false, "U8": uint8(7), "S8": int8(-7), "C": clr.Char('€'), "S16": int16(-9), "U16": uint16(9), "S32": int32(-1),
		"U32": uint32(1), "S64": int64(-1), "U64": uint64(1), "F32": float32(1.5), "F64": -2.5, "Dec": dec,
		"DtUtc": clr.DateTime{Ticks: 5, Kind: clr.Utc}, "DtLocal": clr.DateTime{Ticks: 6, Kind: clr.Local}, "Ts": clr.TimeSpan(-3), "Str": "new", "StrNull": "was null", "StrEmpty": nil,
	}
	for name, v := range values {
		require.NoError(t, g.Root().Object().Set(name, v), name)
	}
	o := rewrite(t, g).Root().Object()
	for name, v := range values {
		require.Equal(t, v, o.Get(name).Any(), name)
	}
	for name, bad := range map[string]any{
		"B": 1, "U8": 256, "S8": -129, "U16": -1, "U64": -1, "C": 'x', "C ": clr.Char('x'), "Str": 5, "S32": int64(1), "Dec": 1.5,
		"DtUtc": clr.DateTime{Ticks: -1}, "F64": float32(1), "G": []int{1}, "StrNull": "\xff", "S64": nil, "StrEmpty": g.Root(),
	} {
		require.Error(t, g.Root().Object().Set(name, bad), name)
	}
	require.Error(t, g.Root().Object().Set("C", clr.Char(0xd800)), "half a pair")
	require.NoError(t, g.Root().Object().Set("U64", 1<<40))
}

func TestIdentityIsKept(t *testing.T) {
	g := nrbf.New(nrbf.Options{})
	a, err := g.NewArray(nrbf.ObjectType(), 0, false)
	require.NoError(t, err)
	require.NoError(t, g.SetRoot(a))
	one := g.NewString("same")
	require.NoError(t, a.Append(one, "same", one, a, nil, 5, uint8(6), clr.NewDecimal(5, 1)))
	h := rewrite(t, g).Root().Array()
	require.Same(t, h.At(0).Str(), h.At(2).Str())
	require.NotSame(t, h.At(0).Str(), h.At(1).Str())
	require.Same(t, h, h.At(3).Array())
	require.Equal(t, int32(5), h.At(5).Any())
	require.False(t, h.At(8).Exists())

	other := nrbf.New(nrbf.Options{})
	require.ErrorIs(t, other.SetRoot(a), nrbf.ErrType)
	require.ErrorIs(t, other.SetRoot(5), nrbf.ErrType)
	_, err = other.Append(nil)
	require.ErrorIs(t, err, nrbf.ErrType)
}

func TestArraysCanBeChanged(t *testing.T) {
	g := decode(t, "nrbf-int-array")
	a := g.Root().Array()
	before, _ := nrbf.Primitives[int32](a)
	raw, _ := a.Raw()
	was := append([]byte(nil), raw...)
	require.NoError(t, a.Set(0, 99))
	require.Equal(t, was, raw, "the input must not change")
	require.NoError(t, a.Append(int32(-1), 2))
	require.NoError(t, a.Resize(len(before)+3))
	after, ok := nrbf.Primitives[int32](rewrite(t, g).Root().Array())
	require.True(t, ok)
	want := append(append([]int32{99}, before[1:]...), -1, 2, 0)
	require.Equal(t, want, after)
	_, ok = nrbf.Primitives[int64](a)
	require.False(t, ok)
	require.ErrorIs(t, a.Set(len(want), 1), nrbf.ErrRange)
	require.ErrorIs(t, a.Set(-1, 1), nrbf.ErrRange)
	require.ErrorIs(t, nrbf.SetPrimitives(a, []int64{1}), nrbf.ErrType)

	g = decode(t, "nrbf-lower-bound-2d")
	a = g.Root().Array()
	require.ErrorIs(t, a.Append(1), nrbf.ErrRange)
	require.ErrorIs(t, a.Resize(9), nrbf.ErrRange)
	require.NoError(t, a.Set(3, 33))
	require.Equal(t, int32(33), rewrite(t, g).Root().Array().At(3).Any())

	g = decode(t, "nrbf-char-array-surrogates") // x, a pair, y
	a = g.Root().Array()
	require.NoError(t, a.Set(0, clr.Char('é')))
	require.NoError(t, a.Resize(2), "half of the pair is left")
	units, _ := nrbf.Primitives[clr.Char](rewrite(t, g).Root().Array())
	require.Equal(t, []clr.Char{'é', 0xfffd}, units)

	g = decode(t, "nrbf-decimal-array")
	a = g.Root().Array()
	old := a.At(2)
	require.NoError(t, a.Set(2, clr.NewDecimal(314159, 5)))
	require.Equal(t, "-1.50", old.String(), "a Value stays what it was")
	require.NoError(t, a.Resize(8))
	prices, _ := nrbf.Primitives[clr.Decimal](rewrite(t, g).Root().Array())
	require.Equal(t, "3.14159", prices[2].String())
	require.True(t, prices[7].IsZero())
}

func TestSparseArraysCanBeChanged(t *testing.T) {
	g := nrbf.New(nrbf.Options{})
	a, err := g.NewArray(nrbf.StringType(), 1_000_000, false)
	require.NoError(t, err)
	require.NoError(t, g.SetRoot(a))
	for _, i := range []int{500_000, 0, 999_999, 1, 500_001, 499_999} {
		require.NoError(t, a.Set(i, "x"))
	}
	require.NoError(t, a.Set(500_000, nil))
	h := rewrite(t, g).Root().Array()
	n := 0
	for i, v := range h.All() {
		if !v.IsNull() {
			n += i
		}
	}
	require.Equal(t, 0+999_999+1+500_001+499_999, n)
	require.NoError(t, a.Resize(500_000))
	require.NoError(t, a.Resize(600_000))
	require.True(t, a.At(599_999).IsNull())
	require.Equal(t, `"x"`, a.At(499_999).String())
	require.NoError(t, a.Resize(3))
	require.Equal(t, 3, rewrite(t, g).Root().Array().Len())
}

func TestStructs(t *testing.T) {
	g := decode(t, "nrbf-lower-bound-1d-struct")
	a := g.Root().Array()
	require.NoError(t, a.Set(1, a.At(0)), "a struct in two places is written twice")
	h := rewrite(t, g).Root().Array()
	require.NotEqual(t, h.At(0).Object().ID(), h.At(1).Object().ID())

	b := nrbf.New(nrbf.Options{})
	c, err := b.NewClass("S", "lib", nrbf.Member{Name: "inner", Type: nrbf.ClassType("S", "lib")})
	require.NoError(t, err)
	s, err := b.NewStruct(c)
	require.NoError(t, err)
	require.NoError(t, s.Set("inner", s))
	require.NoError(t, b.SetRoot(s))
	_, err = b.Append(nil)
	require.ErrorIs(t, err, nrbf.ErrType, "a struct cannot contain itself")
}

func TestNilIsEmpty(t *testing.T) {
	v := nrbf.Value{}.Object().Get("a").Object().Get("b")
	require.False(t, v.Exists())
	require.Zero(t, v.Array().Len())
	require.False(t, v.Array().At(0).Exists())
	require.Error(t, v.Object().Set("x", 1))
	require.Error(t, v.Array().Set(0, 1))
	require.Error(t, v.Array().Append(1))
}

func TestGadgetsAreNotWritten(t *testing.T) {
	for _, name := range []string{
		"System.Windows.Data.ObjectDataProvider", "System.DelegateSerializationHolder", "system.data.dataset",
		"System.Collections.Generic.SortedSet`1[[System.Func`2[[System.String, mscorlib],[System.Object, mscorlib]], mscorlib]]",
		"System.Collections.Generic.ComparisonComparer`1[[System.String, mscorlib]]", "System.Diagnostics.Process[]",
		"System.Collections.Generic.List`1[[System.Security.Principal.WindowsIdentity, mscorlib]]",
		"System.Windows.Forms.AxHost+State", "System.Management.Automation.PSObject", "System.Resources.ResourceSet",
		"Microsoft.VisualStudio.Text.Formatting.TextFormattingRunProperties", "System.Security.Claims.ClaimsPrincipal",
		"System.Workflow.ComponentModel.Serialization.ActivitySurrogateSelector+ObjectSurrogate", "System.MulticastDelegate",
	} {
		require.ErrorIs(t, nrbf.RefuseGadget(name), nrbf.ErrGadget, name)
		g := nrbf.New(nrbf.Options{})
		_, err := g.NewClass(name, "")
		require.ErrorIs(t, err, nrbf.ErrGadget)
		_, err = g.NewClass("Mine", "lib", nrbf.Member{Name: "m", Type: nrbf.ClassType(name, "lib")})
		require.ErrorIs(t, err, nrbf.ErrGadget)
		_, err = g.NewArray(nrbf.ClassType(name, ""), 1, false)
		require.ErrorIs(t, err, nrbf.ErrGadget)
	}
	for _, name := range []string{"Shop.Process", "System.Version", "System.Collections.Generic.SortedSet`1[[System.String, mscorlib]]", "Shop.DataSet", "System.FuncFactory"} {
		require.NoError(t, nrbf.RefuseGadget(name), name)
	}

	// What was read is carried and may be changed; no more of it is made.
	g := decode(t, "nrbf-event-multicast-and-static")
	var holder *nrbf.Object
	for v := range g.All() {
		if c := v.Object().Class(); c != nil && c.Name() == "System.DelegateSerializationHolder" {
			holder = v.Object()
		}
	}
	require.NotNil(t, holder)
	_, err := g.NewObject(holder.Class())
	require.ErrorIs(t, err, nrbf.ErrGadget)
	require.NoError(t, g.SetRoot(g.Root()))
	rewrite(t, g)
}
