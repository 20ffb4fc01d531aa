package nrbf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

const rig = "rig, Version=0.0.0.0, Culture=neutral, PublicKeyToken=null"

type (
	rigColour int32
	rigPoint  struct {
		X int
		Y float64
	}
	rigLine struct {
		Sku   string
		Qty   int
		Price clr.Decimal
	}
	rigCart struct {
		Lines   []rigLine `net:"lines,list"`
		Owner   string
		Created time.Time
		Notes   map[string]string
		Parent  *rigCart
	}
	rigOrder struct {
		Line, Same *rigLine
		Next       *rigOrder
		Paint      rigColour
		Where      rigPoint
		ID         clr.Guid `net:"Id"`
		At         time.Time
		Took       time.Duration
		Sum        clr.Decimal
		Count      *int
		None       *int
		Maybe      *rigColour
		Points     []rigPoint
		Numbers    nrbf.AsList[int]
		Lines      []*rigLine `net:",list"`
		Box        any
		Raw        []byte
		ByColour   map[rigColour]nrbf.AsList[string]
		Title      string `net:"Title,property"`
	}
)

func rigTypes(t testing.TB) *nrbf.Types {
	types := new(nrbf.Types)
	require.NoError(t, nrbf.RegisterValue[rigColour](types, "Rig.Colour", rig))
	require.NoError(t, nrbf.RegisterValue[rigPoint](types, "Rig.Point", rig))
	require.NoError(t, nrbf.Register[rigLine](types, "Rig.CartLine", rig))
	require.NoError(t, nrbf.Register[rigCart](types, "Rig.ShoppingCart", rig))
	require.NoError(t, nrbf.Register[rigOrder](types, "Rig.Order", rig))
	return types
}

func dec(s string) clr.Decimal {
	d, err := clr.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// C# casts and uses what Go marshaled, new and changed.
func TestBinaryFormatterCastsWhatGoMarshals(t *testing.T) {
	dir, run := program(t, "rig")
	run("mono", "rig.exe", "gen", dir)
	types := rigTypes(t)
	var names []string
	write := func(name string, out []byte, err error) {
		t.Helper()
		require.NoError(t, err, name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), out, 0o600))
		names = append(names, name)
	}
	marshal := func(name string, v any) {
		t.Helper()
		out, err := types.Marshal(v)
		write(name, out, err)
	}

	var cart rigCart
	stored := file(t, dir, "cart.bin")
	require.NoError(t, nrbf.Unmarshal(stored, &cart))
	require.Same(t, &cart, cart.Parent)
	same, err := types.Update(stored, &cart)
	require.NoError(t, err)
	require.Equal(t, stored, same)
	cart.Lines = append(cart.Lines[1:], rigLine{"SKU-9", 3, dec("0.10")})
	cart.Lines[0].Qty = 5
	cart.Notes["added"] = "by go"
	out, err := types.Update(stored, &cart)
	write("cart", out, err)

	m := map[string]string{}
	stored = file(t, dir, "map.bin")
	require.NoError(t, nrbf.Unmarshal(stored, &m))
	delete(m, "gone")
	m["added"] = "yes"
	m["more"], m["most"], m["last"] = "1", "2", "3"
	out, err = types.Update(stored, m)
	write("map", out, err)
	out, err = types.Update(file(t, dir, "empty.bin"), map[string]string{"first": "one"})
	write("empty", out, err)

	fresh := &rigCart{Lines: []rigLine{{"new", 1, dec("2.50")}}, Owner: "bob", Created: time.Date(2025, 5, 6, 7, 8, 9, 0, time.UTC), Notes: map[string]string{"a": "b"}}
	fresh.Parent = fresh
	marshal("cart-new", fresh)
	marshal("map-new", map[string]string{"k": "v", "a": "b"})
	marshal("ints", []int32{1, -2, 3})
	marshal("bytes", []byte{1, 2, 255})
	marshal("strings", []string{"a", "é"})
	marshal("list", nrbf.AsList[string]{"a", "b"})
	marshal("counts", map[string]int32{"a": 1, "b": -2})
	marshal("lines", []rigLine{{"x", 1, dec("1.5")}, {"y", 2, dec("-0.00")}})
	marshal("linelist", nrbf.AsList[*rigLine]{{"x", 1, dec("1.5")}, nil})
	marshal("decimals", []clr.Decimal{dec("1.10"), dec("79228162514264337593543950335")})
	marshal("times", []time.Time{time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC), time.Date(2024, 2, 29, 1, 2, 3, 0, time.FixedZone("", 3600))})
	marshal("guids", []clr.Guid{{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}})
	marshal("jagged", [][]int32{{1}, {2, 3}})
	marshal("objects", []any{1, "s", nil, 2.5, rigColour(5), rigPoint{1, 2}, clr.Guid{1}, int64(7)})
	line := &rigLine{"L", 4, dec("4.40")}
	count, blue := 3, rigColour(6)
	order := &rigOrder{Line: line, Same: line, Paint: 5, Where: rigPoint{1, 2.5}, ID: clr.Guid{15: 1}, At: time.Date(2025, 1, 2, 3, 4, 5, 600, time.UTC), Took: 90 * time.Second,
		Sum: dec("12.00"), Count: &count, Maybe: &blue, Points: []rigPoint{{1, 1}, {7, 7}}, Numbers: nrbf.AsList[int]{1, 2}, Lines: []*rigLine{line, nil}, Box: rigColour(5), Raw: []byte{1},
		ByColour: map[rigColour]nrbf.AsList[string]{0: {"r"}, 6: {}}, Title: "title"}
	order.Next = &rigOrder{Next: order}
	marshal("order", order)

	got := run("mono", "rig.exe", "check", dir, strings.Join(names, ","))
	require.Equal(t, strings.TrimSpace(`
cart: alice 2024-01-02T03:04:05 Unspecified hits 7 parent True SKU-2*5@100/s-SKU-2 SKU-9*3@0.10/null from-c#*1@1/s-from-c# notes added=by go,from c#=ok,gift=yes
map: Key=v,added=yes,after=1,last=3,more=1,most=2 KEY True
empty: after=1,first=one KEY False
cart-new: bob 2025-05-06T07:08:09 Utc hits 0 parent True new*1@2.50/null from-c#*1@1/s-from-c# notes a=b,from c#=ok
map-new: a=b,after=1,k=v KEY False
ints: 1,-2,3
bytes: 01-02-FF
strings: a,é
list: a,b,more
counts: a=1,b=-2,z=26
lines: x*1@1.5/null y*2@0.00/null
linelist: x*1@1.5/null null null
decimals: 1.10,79228162514264337593543950335
times: 2024-02-29T01:02:03Utc,2024-02-29T00:02:03Unspecified
guids: 00112233-4455-6677-8899-aabbccddeeff
jagged: 1;2,3
objects: Int32 1,String s,null,Double 2.5,Colour Green,Point Rig.Point,Guid 01000000-0000-0000-0000-000000000000,Int64 7
order: L*4@4.40/null same True cycle True Green 1,2.5 00000000-0000-0000-0000-000000000001 2025-01-02T03:04:05.0000006Z 00:01:30 12.00 3 True Blue 7 3 True3 ColourGreen 1 Red2+Blue0 title next True
`), strings.TrimSpace(strings.ReplaceAll(got, "\r", "")))
}
