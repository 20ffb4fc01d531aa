package nrbf_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/internal/testenv"
	"github.com/aspsession/aspsession/nrbf"
)

const shop = "shop, Version=0.0.0.0, Culture=neutral, PublicKeyToken=null"

// program compiles a C# source of testdata in a folder of its own; run runs a
// command there.
func program(t *testing.T, name string) (dir string, run func(name string, args ...string) string) {
	t.Helper()
	_, noMono := exec.LookPath("mono")
	_, noMcs := exec.LookPath("mcs")
	testenv.Need(t, "aspnet", noMono == nil && noMcs == nil, "mono and mcs: apt-get install mono-complete")
	dir = t.TempDir()
	source, err := filepath.Abs(filepath.Join("testdata", name+".cs"))
	require.NoError(t, err)
	run = func(name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	run("mcs", "-nologo", "-warn:0", "-r:System.Core", "-out:"+name+".exe", source)
	return dir, run
}

// The real BinaryFormatter reads what Go changed and what Go built.
func TestBinaryFormatterReadsOurs(t *testing.T) {
	dir, run := program(t, "shop")
	run("mono", "shop.exe", "gen", dir)
	data := file(t, dir, "cart.bin")
	g, err := nrbf.Decode(data, nrbf.Options{})
	require.NoError(t, err)
	out, err := g.Reencode(nil)
	require.NoError(t, err)
	require.Equal(t, data, out)
	write := func(name string, g *nrbf.Graph) {
		out, err := g.Append(nil)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".bin"), out, 0o600))
		roundTrip(t, g)
	}

	changeCart(t, g)
	write("changed", g)
	write("built", buildCart(t))
	list := nrbf.New(nrbf.Options{})
	names, err := list.NewArray(nrbf.StringType(), 0, false)
	require.NoError(t, err)
	require.NoError(t, names.Append("one", nil, nil, "four"))
	require.NoError(t, list.SetRoot(names))
	write("strings", list)
	numbers := nrbf.New(nrbf.Options{})
	prices, err := nrbf.NewPrimitives(numbers, []clr.Decimal{clr.NewDecimal(110, 2), clr.NewDecimal(-5, 0)})
	require.NoError(t, err)
	require.NoError(t, numbers.SetRoot(prices))
	write("decimals", numbers)
	text := nrbf.New(nrbf.Options{})
	require.NoError(t, text.SetRoot("héllo"))
	write("text", text)

	got := run("mono", "shop.exe", "check", dir, "changed,built,strings,decimals,text")
	require.Equal(t, strings.TrimSpace(`
# changed
self True made 638448000000000000 Local raw 09-08-07-06
line renamed 41 99.90 owner True at 77 Green box box again note n0
line S1 1 1.10 owner True at 1 Green box box note changed
line S2 2 2.20 owner True at 2 Green box Red note n2
line new 5 0.50 owner True at 0 Red box 12 note null
line renamed 0 0 owner False at 0 0 box null note null
tag added in C#=yes
tag k=v
tag sprung=42
count 6
jagged 4 2 True last 1
point 1 1.5
point 50 2.5
point 3 3.5
thing 7 7
thing 8 other
thing 9 point 9
thing 200 two hundred
things 301
names a||c|a same True
# built
self True made 0 Unspecified raw null
line built 3 1.50 owner True at 4 0 box null note null
tag added in C#=yes
count 2
# strings
- one
- null
- null
- four
# decimals
- 1.10
- -5
# text
System.String héllo`), strings.TrimSpace(strings.ReplaceAll(got, "\r", "")))
}

func changeCart(t *testing.T, g *nrbf.Graph) {
	ok := func(err error) { t.Helper(); require.NoError(t, err) }
	cart := g.Root().Object()
	lines := cart.Get("Lines").Object()
	items := lines.Get("_items").Array()
	line := items.At(0).Object()
	renamed := g.NewString("renamed")
	ok(line.Set("Sku", renamed))
	ok(line.Set("Quantity", 41))
	price, err := clr.ParseDecimal("99.90")
	ok(err)
	ok(line.Set("Price", price))
	ok(line.Get("Where").Object().Set("X", 77))
	ok(line.Set("Box", "box again"))
	second := items.At(1).Object()
	ok(second.SetMember(second.Class().Property("Note"), "changed"))
	require.ErrorIs(t, line.Set("Quantity", int64(1)), nrbf.ErrType)
	require.ErrorIs(t, line.Set("Quantity", 1<<40), nrbf.ErrType)
	require.ErrorIs(t, line.Set("Nothing", 1), nrbf.ErrNoMember)

	// A line more: one slot of capacity is free, the second grows the array.
	for i := range 2 {
		add, err := g.NewObject(line.Class())
		ok(err)
		point, err := g.NewStruct(line.Get("Where").Object().Class())
		ok(err)
		ok(add.Set("Where", point))
		color, err := g.NewStruct(line.Get("Paint").Object().Class())
		ok(err)
		ok(add.Set("Paint", color))
		ok(add.Set("Sku", renamed))
		if i == 0 {
			ok(add.Set("Sku", "new"))
			ok(add.Set("Quantity", 5))
			ok(add.Set("Price", clr.NewDecimal(50, 2)))
			ok(add.Set("Owner", cart))
			ok(color.Set("value__", uint8(1)))
			ok(add.Set("Box", 12))
			ok(items.Set(3, add))
		} else {
			ok(items.Append(add))
		}
	}
	ok(lines.Set("_size", 5))

	tags := cart.Get("Tags").Object()
	pairs := tags.Get("KeyValuePairs").Array()
	pair, err := g.NewStruct(pairs.At(0).Object().Class())
	ok(err)
	ok(pair.Set("key", "sprung"))
	ok(pair.Set("value", "42"))
	ok(pairs.Append(pair))

	ok(cart.Set("Made", clr.DateTime{Ticks: 638448000000000000, Kind: clr.Local}))
	ok(nrbf.SetPrimitives(cart.Get("Raw").Array(), []byte{9, 8, 7, 6}))
	jagged := cart.Get("Jagged").Array()
	ok(jagged.Append(jagged.At(0)))
	points := cart.Get("Points").Array()
	ok(points.At(1).Object().Set("X", 50))
	third, err := g.NewStruct(points.At(0).Object().Class())
	ok(err)
	ok(third.Set("X", 3))
	ok(third.Set("Y", 3.5))
	ok(points.Append(third))
	things := cart.Get("Things").Array()
	ok(things.Set(200, "two hundred"))
	ok(things.Set(8, "other"))
	ok(things.Append(nil))
	names := cart.Get("Names").Array()
	ok(names.Append(names.At(0)))
}

// buildCart makes the classes and everything else from nothing.
func buildCart(t *testing.T) *nrbf.Graph {
	ok := func(err error) { t.Helper(); require.NoError(t, err) }
	const listOf = "System.Collections.Generic.List`1[[Shop.Line, " + shop + "]]"
	g := nrbf.New(nrbf.Options{})
	cartClass, err := g.NewClass("Shop.Cart", shop,
		nrbf.Member{Name: "Lines", Type: nrbf.ClassType(listOf, "")},
		nrbf.Member{Name: "Tags", Type: nrbf.ClassType("System.Collections.Generic.Dictionary`2[[System.String, mscorlib],[System.String, mscorlib]]", "")},
		nrbf.Member{Name: "Made", Type: nrbf.PrimitiveType(nrbf.KindDateTime)},
		nrbf.Member{Name: "Raw", Type: nrbf.PrimitiveArrayType(nrbf.KindByte)},
		nrbf.Member{Name: "Jagged", Type: nrbf.ClassType("System.Int32[][]", "")},
		nrbf.Member{Name: "Points", Type: nrbf.ClassType("Shop.Point[]", shop)},
		nrbf.Member{Name: "Things", Type: nrbf.Type{Form: nrbf.FormObjectArray}},
		nrbf.Member{Name: "Self", Type: nrbf.ClassType("Shop.Cart", shop)},
		nrbf.Member{Name: "Names", Type: nrbf.Type{Form: nrbf.FormStringArray}})
	ok(err)
	lineClass, err := g.NewClass("Shop.Line", shop,
		nrbf.Member{Name: "Sku", Type: nrbf.StringType()},
		nrbf.Member{Name: "Quantity", Type: nrbf.PrimitiveType(nrbf.KindInt32)},
		nrbf.Member{Name: "Price", Type: nrbf.PrimitiveType(nrbf.KindDecimal)},
		nrbf.Member{Name: "Owner", Type: nrbf.ClassType("Shop.Cart", shop)},
		nrbf.Member{Name: "Where", Type: nrbf.ClassType("Shop.Point", shop)},
		nrbf.Member{Name: "Paint", Type: nrbf.ClassType("Shop.Color", shop)},
		nrbf.Member{Name: "Box", Type: nrbf.ObjectType()},
		nrbf.Member{Name: "<Note>k__BackingField", Type: nrbf.StringType()})
	ok(err)
	pointClass, err := g.NewClass("Shop.Point", shop,
		nrbf.Member{Name: "X", Type: nrbf.PrimitiveType(nrbf.KindInt32)},
		nrbf.Member{Name: "Y", Type: nrbf.PrimitiveType(nrbf.KindDouble)})
	ok(err)
	colorClass, err := g.NewClass("Shop.Color", shop, nrbf.Member{Name: "value__", Type: nrbf.PrimitiveType(nrbf.KindByte)})
	ok(err)
	listClass, err := g.NewClass(listOf, "",
		nrbf.Member{Name: "_items", Type: nrbf.ClassType("Shop.Line[]", shop)},
		nrbf.Member{Name: "_size", Type: nrbf.PrimitiveType(nrbf.KindInt32)},
		nrbf.Member{Name: "_version", Type: nrbf.PrimitiveType(nrbf.KindInt32)})
	ok(err)
	dictClass, err := g.NewClass("System.Collections.Generic.Dictionary`2[[System.String, mscorlib],[System.String, mscorlib]]", "",
		nrbf.Member{Name: "Version", Type: nrbf.PrimitiveType(nrbf.KindInt32)},
		nrbf.Member{Name: "Comparer", Type: nrbf.ObjectType()},
		nrbf.Member{Name: "HashSize", Type: nrbf.PrimitiveType(nrbf.KindInt32)})
	ok(err)
	obj := func(c *nrbf.Class, inPlace bool) *nrbf.Object {
		o, err := g.NewObject(c)
		if inPlace {
			o, err = g.NewStruct(c)
		}
		ok(err)
		return o
	}
	cart, line, list, dict, point, color := obj(cartClass, false), obj(lineClass, false), obj(listClass, false), obj(dictClass, false), obj(pointClass, true), obj(colorClass, true)
	ok(g.SetRoot(cart))
	ok(cart.Set("Self", cart))
	ok(cart.Set("Lines", list))
	ok(cart.Set("Tags", dict))
	items, err := g.NewArray(nrbf.ClassType("Shop.Line", shop), 4, false)
	ok(err)
	ok(items.Set(0, line))
	ok(list.Set("_items", items))
	ok(list.Set("_size", 1))
	ok(line.Set("Sku", "built"))
	ok(line.Set("Quantity", 3))
	ok(line.Set("Price", clr.NewDecimal(150, 2)))
	ok(line.Set("Owner", cart))
	ok(point.Set("X", 4))
	ok(line.Set("Where", point))
	ok(line.Set("Paint", color))
	return g
}
