package interop_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// A value is an item that values.aspx stores.
type value struct {
	name string
	v    any
	read func(s *session.Session, name string) (any, error)
}

// as is a value that is read as a T.
func as[T any](name string, v any) value {
	return value{name, v, func(s *session.Session, name string) (any, error) { return session.Value[T](s, name) }}
}

// is is a value that is read as what it was written from.
func is[T any](name string, v T) value { return as[T](name, v) }

var (
	guid      = clr.Guid{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	negZero   = math.Copysign(0, -1)
	lastTime  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC)
	cartTime  = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	max96     = [4]int32{-1, -1, -1, 0}
	min96     = [4]int32{-1, -1, -1, math.MinInt32}
	minusZero = [4]int32{0, 0, 0, math.MinInt32 | 2<<16} // -0.00
)

func decimal(bits [4]int32) clr.Decimal {
	d, err := clr.DecimalFromBits(bits)
	if err != nil {
		panic(err) // the table is wrong
	}
	return d
}

// object is the stream of an enum, which a number alone is not.
func object(v any) payload.Object {
	var types nrbf.Types
	stream, err := []byte(nil), registerModels(&types)
	if err == nil {
		stream, err = types.Marshal(v)
	}
	if err != nil {
		panic(err) // the table is wrong
	}
	return stream
}

func values(which string) []value {
	if which == "primitives" {
		return []value{
			is[any]("null", nil),
			is("string", "hello"), is("string.empty", ""), is("string.latin", "café"), is("string.cjk", "漢字"),
			is("string.astral", "😀"), is("string.control", "a\x00b\r\n\t\"\\"), is("string.127", strings.Repeat("x", 127)), is("string.128", strings.Repeat("€", 128)),
			is[int32]("int", 42), is[int32]("int.zero", 0), is[int32]("int.min", math.MinInt32), is[int32]("int.max", math.MaxInt32),
			is("bool.true", true), is("bool.false", false),
			// The kind is not stored: whichever C# sets, Unspecified comes back.
			as[clr.DateTime]("datetime.utc", time.Date(2024, 2, 29, 12, 34, 56, 123_456_700, time.UTC)),
			as[clr.DateTime]("datetime.local", time.Date(2024, 7, 1, 14, 0, 0, 0, time.FixedZone("", 2*60*60))), // 12:00 in the zone of the items
			as[clr.DateTime]("datetime.unspecified", time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)),
			as[clr.DateTime]("datetime.min", time.Time{}), as[clr.DateTime]("datetime.max", lastTime),
			is("decimal", clr.NewDecimal(110, 2)), is("decimal.zero", clr.Decimal{}), is("decimal.negzero", decimal(minusZero)), is("decimal.min", decimal(min96)), is("decimal.max", decimal(max96)),
			is("decimal.tiny", clr.NewDecimal(1, 28)), is("decimal.scale", clr.NewDecimal(7e18, 18)),
			is[byte]("byte", 7), is[byte]("byte.max", math.MaxUint8),
			is[clr.Char]("char", 'A'), is[clr.Char]("char.nul", 0), is[clr.Char]("char.latin", 'é'), is[clr.Char]("char.euro", '€'), is[clr.Char]("char.last", 0xffff),
			is[float32]("float", 1.5), is("float.nan", float32(math.NaN())), is("float.inf", float32(math.Inf(1))), is("float.negzero", float32(negZero)),
			is[float32]("float.min", -math.MaxFloat32), is[float32]("float.max", math.MaxFloat32), is[float32]("float.eps", math.SmallestNonzeroFloat32),
			is("double", 0.1), is("double.nan", math.NaN()), is("double.neginf", math.Inf(-1)), is("double.negzero", negZero),
			is("double.min", -math.MaxFloat64), is("double.max", math.MaxFloat64), is("double.eps", math.SmallestNonzeroFloat64),
			is[int8]("sbyte.min", math.MinInt8), is[int8]("sbyte.max", math.MaxInt8),
			is[int16]("short.min", math.MinInt16), is[int16]("short.max", math.MaxInt16),
			is[int64]("long.min", math.MinInt64), is[int64]("long.max", math.MaxInt64), is[int64]("long", 1),
			is[uint16]("ushort", 0), is[uint16]("ushort.max", math.MaxUint16),
			is[uint32]("uint", 0), is[uint32]("uint.max", math.MaxUint32),
			is[uint64]("ulong", 0), is[uint64]("ulong.max", math.MaxUint64),
			is("timespan", 1500*time.Millisecond), is("timespan.negative", -72*time.Hour), is[clr.TimeSpan]("timespan.min", math.MinInt64), is[clr.TimeSpan]("timespan.max", math.MaxInt64),
			is("guid", guid), is("guid.empty", clr.Guid{}),
			is("intptr", clr.IntPtr{Value: -5}), is("intptr.max", clr.IntPtr{Value: math.MaxInt64}), is("uintptr", clr.UIntPtr{Value: math.MaxUint64}),
		}
	}
	cart := func(owner string) *shoppingCart {
		return &shoppingCart{[]cartLine{{"SKU-1", 2, clr.NewDecimal(999, 2)}, {"café", 1, clr.NewDecimal(10000, 2)}}, owner, cartTime}
	}
	a, empty, emoji := "a", "", "😀"
	one := int32(1)
	dark := "dark"
	return []value{
		is("cart", cart("alice")),
		is("cart.array", []*shoppingCart{cart("x"), {[]cartLine{}, "", cartTime}, nil}),
		is("point", point2{math.MinInt32, -4}),
		as[colour]("colour", object(colour(6))),
		as[rights]("rights", object(rights(3))),
		is("string.array", []*string{&a, nil, &empty, &a, &emoji}), is("string.array.empty", []string{}),
		is("byte.array", []byte{0, 1, 255}), is("byte.array.empty", []byte{}),
		is("int.array", []int32{1, math.MaxInt32, math.MinInt32}), is("long.array", []int64{math.MinInt64, 0}),
		is("double.array", []float64{1.5, negZero, math.NaN(), math.Inf(1)}),
		is("bool.array", []bool{true, false}),
		is("decimal.array", []clr.Decimal{clr.NewDecimal(150, 2), decimal(max96), clr.NewDecimal(-5, 2)}), // as text there: C# loses the sign of a zero
		is("datetime.array", []clr.DateTime{
			{Ticks: 638447653230000000, Kind: clr.Utc}, {Ticks: 638447653230000000}, {Ticks: clr.MaxTicks}}),
		is("timespan.array", []clr.TimeSpan{math.MinInt64, 0}),
		is("guid.array", []clr.Guid{guid, {}}),
		is("nullable.array", []*int32{&one, nil}),
		is("jagged", [][]int32{{1}, {}, {2, 3}}),
		is("object.array", []any{int32(1), "s", nil, 2.5, true, int64(9), clr.Char('c')}),
		is("list", nrbf.AsList[*string]{&a, nil, &empty}), is("list.empty", nrbf.AsList[string]{}), is("list.int", nrbf.AsList[int32]{1, 2, 3, 4, 5}),
		is("dict", map[string]*string{"theme": &dark, "": &empty, "n": nil}),
		is("dict.int", map[string]int32{"one": 1, "min": math.MinInt32}), is("dict.empty", map[string]int32{}),
		is("dict.key", map[int32]string{-5: "five"}),
		is("dict.object", map[string]any{"x": int32(1), "y": "z", "n": nil}),
	}
}

func valuesPage(r *http.Request, s *session.Session) (string, error) {
	for _, v := range values(r.FormValue("case")) {
		if err := s.Set(v.name, v.v); err != nil {
			return "", err
		}
	}
	n, err := s.Len()
	return fmt.Sprintf("stored %d\n", n), err
}

func dumpPage(_ *http.Request, s *session.Session) (string, error) {
	keys, err := s.Keys()
	if err != nil {
		return "", err
	}
	known := make(map[string]value)
	for _, which := range []string{"primitives", "objects"} {
		for _, v := range values(which) {
			known[v.name] = v
		}
	}
	var page strings.Builder
	for _, key := range keys {
		typ, err := s.Type(key)
		if err != nil {
			return "", err
		}
		v, err := known[key].read(s, key)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&page, "%s (%s) = %s\n", key, typ, text(v))
	}
	return page.String(), nil
}

// Each of the four processes stores every primitive type, and 24 types of
// objects, in each side's own literals; all four read the same types and values.
func TestEveryValueOnEveryProcess(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, which := range []struct {
			name  string
			items int
			types []string // some that must be there
		}{
			{"primitives", 70, []string{"null", "System.String", "System.Int32", "System.Boolean", "System.DateTime", "System.Decimal", "System.Byte",
				"System.Char", "System.Single", "System.Double", "System.SByte", "System.Int16", "System.Int64", "System.UInt16", "System.UInt32",
				"System.UInt64", "System.TimeSpan", "System.Guid", "System.IntPtr", "System.UIntPtr"}},
			{"objects", 28, []string{"Rig.ShoppingCart", "Rig.ShoppingCart[]", "Rig.Point2", "Rig.Colour", "Rig.Rights", "System.String[]", "System.Object[]"}},
		} {
			t.Run(which.name, func(t *testing.T) {
				var want string
				var wantBytes map[string][]byte
				for _, writer := range w.sites() {
					v := newVisitor(t)
					require.Equal(t, fmt.Sprintf("stored %d\n", which.items), v.get(writer.URL("values.aspx?case="+which.name)), writer.name)
					_, items := w.stored(v)
					for _, reader := range w.sites() {
						got := v.get(reader.URL("dump.aspx"))
						if want == "" {
							want = got // C# reads what C# wrote
							for _, name := range which.types {
								require.Contains(t, want, " ("+name+") = ")
							}
						}
						require.Equal(t, want, got, "%s wrote, %s reads", writer.name, reader.name)
					}
					// Primitives have one form only, but for the bits of a NaN.
					if which.name == "primitives" {
						items = without(items, "float.nan", "double.nan")
						if wantBytes == nil {
							wantBytes = items
						}
						require.Equal(t, wantBytes, items, writer.name)
					}
				}
			})
		}
	})
}
