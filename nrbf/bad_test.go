package nrbf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/nrbf"
)

// refused are streams that .NET reads and we do not, each with its reason.
var refused = map[string]string{
	"nrbf-decimal-comma":         "no writer puts a group separator into a Decimal; 1,5 would become 15",
	"nrbf-decimal-thousands":     "the same",
	"nrbf-decimal-long-fraction": "a Decimal has 28 digits behind the point: .NET rounds, and a value would change in silence",
	"nrbf-decimal-trail-minus":   "[MS-NRBF] 2.1.1.6 has the sign in front",
	"nrbf-nulls-256-0":           "a run of 0 nulls: .NET takes it for one, the specification wants a positive count",
	"nrbf-nulls-32-0":            "the same",
	"nrbf-nulls-32-neg":          "the same",
	"nrbf-dup-root-id":           "one id for two objects: which one is meant is a guess",
	"nrbf-dup-library":           "one id for two libraries: the same",
	"nrbf-cls-dup-member":        "a name must mean one member",
	"nrbf-list-items-inline":     "arrays stand at top level; .NET reads null there, and the elements would be lost in silence",
	"nrbf-deep-arrays-100":       "the same",
	"nrbf-deep-arrays-5000":      "the same",
	"nrbf-deep-arrays-20000":     "the same",
	"nrbf-untyped-class":         "the types of its members are not in the stream; Options.MemberTypes can give them",
	"nrbf-untyped-system-class":  "the same",
}

// accepted are streams that .NET refuses for what the types mean to it. To the
// format they are fine, and a view or a mapping will have to judge them.
var accepted = map[string]string{
	"nrbf-cls-lib-unknown":    "an assembly that one machine does not have is no fault of the stream",
	"nrbf-cls-thread":         "nothing is made of the name",
	"nrbf-cls-renamed-member": "no type is looked up",
	"nrbf-dict-dup-key":       "the keys are elements like others",
	"nrbf-dict-null-key":      "the same",
	"nrbf-dict-hashsize-neg":  "an Int32 like others",
	"nrbf-dict-hashsize-huge": "the same: nothing is allocated by it",
	"nrbf-hash-dup-key":       "the keys are elements like others",
	"nrbf-hash-size-neg":      "an Int32 like others",
}

func TestBadVectors(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range badVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			seen[v.Name] = true
			data := file(t, "testdata", "bad", v.File)
			g, err := nrbf.Decode(data, nrbf.Options{})
			if err != nil {
				var e *nrbf.Error
				require.ErrorAs(t, err, &e)
				require.True(t, e.Offset >= 0 && e.Offset <= len(data), err)
				require.True(t, strings.HasPrefix(err.Error(), "nrbf: "), err)
				require.True(t, errors.Is(err, nrbf.ErrTruncated) || errors.Is(err, nrbf.ErrCorrupt) || errors.Is(err, nrbf.ErrLimit) || errors.Is(err, nrbf.ErrUnsupported), err)
				if v.Outcome == "accepted" {
					require.NotEmpty(t, refused[v.Name], "%s\n%v", v.Notes, err)
				}
				require.Empty(t, accepted[v.Name])
				return
			}
			require.Empty(t, refused[v.Name])
			if v.Outcome == "error" {
				require.NotEmpty(t, accepted[v.Name], "%s: .NET: %s", v.Notes, v.Message)
			}
			out, err := g.Append(nil)
			require.NoError(t, err)
			require.Equal(t, data[:g.Size()], out)
			roundTrip(t, g)
		})
	}
	for name := range refused {
		require.True(t, seen[name], name)
	}
	for name := range accepted {
		require.True(t, seen[name], name)
	}
}

// roundTrip writes from the graph, reads that and compares.
func roundTrip(t testing.TB, g *nrbf.Graph) {
	t.Helper()
	out, err := g.Reencode(nil)
	require.NoError(t, err)
	h, err := nrbf.Decode(out, nrbf.Options{})
	require.NoError(t, err)
	require.Empty(t, differ(g, h))
	again, err := h.Reencode(nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(out, again), "the second writing differs from the first")
}

// Peak memory is at most what is allocated in all.
func TestBadVectorsCostLittleMemory(t *testing.T) {
	for _, v := range badVectors(t) {
		data := file(t, "testdata", "bad", v.File)
		requireCheap(t, v.Name, len(data), func() { _, _ = nrbf.Decode(data, nrbf.Options{}) })
	}
}

func requireCheap(t *testing.T, name string, size int, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	require.LessOrEqual(t, int(after.TotalAlloc-before.TotalAlloc), 4*size+16<<20, name)
}

func TestUntypedClassesTakeTypesFromTheCaller(t *testing.T) {
	for name, kind := range map[string]nrbf.Kind{"nrbf-untyped-class": nrbf.KindDouble, "nrbf-untyped-system-class": nrbf.KindInt32} {
		data := file(t, "testdata", "bad", name+".bin")
		_, err := nrbf.Decode(data, nrbf.Options{})
		require.ErrorIs(t, err, nrbf.ErrUnsupported)
		g, err := nrbf.Decode(data, nrbf.Options{MemberTypes: func(_, _ string, members []string) (types []nrbf.Type) {
			for range members {
				types = append(types, nrbf.PrimitiveType(kind))
			}
			return types
		}})
		require.NoError(t, err)
		require.Equal(t, kind, g.Root().Object().Member(1).Kind())
		roundTrip(t, g)
	}
}

// A raw stream, record by record.
type raw []byte

func (r *raw) bytes(b ...byte) *raw { *r = append(*r, b...); return r }
func (r *raw) i32(ns ...int32) *raw {
	for _, n := range ns {
		*r = binary.LittleEndian.AppendUint32(*r, uint32(n))
	}
	return r
}
func (r *raw) text(s string) *raw {
	*r = append(binary.AppendUvarint(*r, uint64(len(s))), s...)
	return r
}
func stream(root int32) *raw { return new(raw).bytes(0).i32(root, -1, 1, 0) }

// node1 is a class with one member of type object.
func (r *raw) node1(id int32) *raw {
	return r.bytes(4).i32(id).text("N").i32(1).text("next").bytes(2)
}

func TestNestingCostsNoStack(t *testing.T) {
	const deep = 1_000_000
	r := stream(1).node1(1)
	for i := int32(2); i <= deep; i++ {
		r.bytes(1).i32(-i, 1)
	}
	r.bytes(10, 11)
	_, err := nrbf.Decode(*r, nrbf.Options{})
	require.ErrorIs(t, err, nrbf.ErrLimit)
	requireCheap(t, "deep", len(*r), func() { _, _ = nrbf.Decode(*r, nrbf.Options{}) })
	g, err := nrbf.Decode(*r, nrbf.Options{Depth: 2 * deep})
	require.NoError(t, err)
	require.Equal(t, deep, g.Len())
	out, err := g.Reencode(nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(*r, out))
}

func TestChainsOfReferencesAreFlat(t *testing.T) {
	const long = 200_000
	r := stream(1).node1(1)
	for i := int32(2); i <= long; i++ {
		r.bytes(9).i32(i).bytes(1).i32(i, 1)
	}
	r.bytes(9).i32(1).bytes(11)
	g, err := nrbf.Decode(*r, nrbf.Options{Depth: 1})
	require.NoError(t, err)
	o := g.Root().Object()
	for range long {
		o = o.Get("next").Object()
	}
	require.Same(t, g.Root().Object(), o)
	roundTrip(t, g)
}

func TestExponentialSharingIsHarmless(t *testing.T) {
	const levels = 1000
	r := stream(1)
	for i := int32(1); i < levels; i++ {
		r.bytes(16).i32(i, 2).bytes(9).i32(i + 1).bytes(9).i32(i + 1)
	}
	r.bytes(16).i32(levels, 0).bytes(11)
	g, err := nrbf.Decode(*r, nrbf.Options{})
	require.NoError(t, err)
	require.Equal(t, levels, g.Len())
	roundTrip(t, g)
}

func TestRunsOfNullsCostNothing(t *testing.T) {
	const n = 2_000_000
	r := stream(1).bytes(16).i32(1, n).bytes(14).i32(n-1).bytes(10, 11)
	requireCheap(t, "run", 0, func() {
		g, err := nrbf.Decode(*r, nrbf.Options{})
		require.NoError(t, err)
		a := g.Root().Array()
		require.Equal(t, n, a.Len())
		require.True(t, a.At(n-1).IsNull())
		require.NoError(t, a.Set(n/2, "middle"))
		require.Equal(t, nrbf.KindNull, a.At(n/2-1).Kind())
		require.Equal(t, `"middle"`, a.At(n/2).String())
		roundTrip(t, g)
	})
	r = stream(1).bytes(16).i32(1, 3_000_000).bytes(14).i32(3_000_000).bytes(11)
	_, err := nrbf.Decode(*r, nrbf.Options{})
	require.ErrorIs(t, err, nrbf.ErrLimit)
}

func TestHugeAndNegativeIDs(t *testing.T) {
	const huge = 1<<31 - 1
	r := stream(huge).bytes(16).i32(huge, 2).bytes(6).i32(1 << 30).text("a").bytes(6).i32(7).text("b").bytes(11)
	requireCheap(t, "ids", 0, func() {
		g, err := nrbf.Decode(*r, nrbf.Options{})
		require.NoError(t, err)
		require.NoError(t, g.Root().Array().Append("new"))
		roundTrip(t, g)
	})
	for name, bad := range map[string]*raw{
		"two structs": stream(1).node1(1).bytes(1).i32(-2, 1).bytes(1).i32(-2, 1).bytes(10, 11),
		"min":         stream(1).node1(1).bytes(1).i32(-1<<31, 1).bytes(10, 11),
		"zero":        stream(1).node1(1).bytes(1).i32(0, 1).bytes(10, 11),
	} {
		_, err := nrbf.Decode(*bad, nrbf.Options{})
		require.ErrorIs(t, err, nrbf.ErrCorrupt, name)
	}
}

func TestLimits(t *testing.T) {
	cart := nrbfFile(t, "nrbf-cart-50")
	for name, opt := range map[string]nrbf.Options{
		"bytes": {Bytes: len(cart) - 1}, "objects": {Objects: 50}, "elements": {Elements: 100}, "text": {StringBytes: 20}, "members": {Members: 2},
	} {
		_, err := nrbf.Decode(cart, opt)
		require.ErrorIs(t, err, nrbf.ErrLimit, name)
	}
}

// Every cut of a stream is an error that says so, every changed byte is an
// error or another graph; never a panic.
func TestCutsAndFlips(t *testing.T) {
	for _, name := range []string{"nrbf-cart-cycle", "nrbf-all-boxed", "nrbf-char-array-surrogates", "nrbf-lower-bound-2d", "nrbf-decimal-array"} {
		data := nrbfFile(t, name)
		for i := range data {
			_, err := nrbf.Decode(data[:i], nrbf.Options{})
			require.ErrorIs(t, err, nrbf.ErrTruncated, "%s cut to %d", name, i)
			flipped := bytes.Clone(data)
			for _, x := range []byte{1, 0x80, 0xff} {
				flipped[i] = data[i] ^ x
				_, _ = nrbf.Decode(flipped, nrbf.Options{})
			}
		}
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	data := nrbfFile(t, "nrbf-cart-cycle")
	_, err := nrbf.Decode(data[:0x92f], nrbf.Options{})
	require.EqualError(t, err, "nrbf: ClassWithMembersAndTypes at offset 2351: Golden.Types.CartItem.unitPrice: truncated: 1 bytes wanted, 0 left")
	r := stream(1).bytes(21)
	_, err = nrbf.Decode(*r, nrbf.Options{})
	require.EqualError(t, err, "nrbf: MethodCall at offset 17: unsupported: a remote method call is no data")
}
