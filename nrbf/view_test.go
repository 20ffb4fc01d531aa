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

func readVector(t *testing.T, name string) *nrbf.Graph {
	t.Helper()
	g, err := nrbf.Decode(nrbfFile(t, name), nrbf.Options{})
	require.NoError(t, err)
	return g
}

// again writes a graph and reads what was written.
func again(t *testing.T, g *nrbf.Graph) nrbf.Value {
	t.Helper()
	out, err := g.Append(nil)
	require.NoError(t, err)
	h, err := nrbf.Decode(out, nrbf.Options{})
	require.NoError(t, err)
	require.Equal(t, "", differ(g, h))
	return h.Root()
}

func texts(l nrbf.List) []string {
	out := []string{}
	for _, v := range l.All() {
		switch v.Kind() {
		case nrbf.KindObject, nrbf.KindArray:
			out = append(out, v.String())
		default:
			out = append(out, fmt.Sprint(v.Any()))
		}
	}
	return out
}

func number(t *testing.T, o *nrbf.Object, name string) int {
	t.Helper()
	n, ok := o.Get(name).Int()
	require.True(t, ok, name)
	return int(n)
}

func TestListsAreReadChangedAndReadAgain(t *testing.T) {
	for _, test := range []struct {
		vector string
		add    []any // new elements
		set    any   // in place of the first
	}{
		{"nrbf-list-int", []any{int32(7), int32(8), int32(9), int32(10)}, int32(70)},
		{"nrbf-list-string", []any{"x", nil, "y"}, "first"},
		{"nrbf-list-byte", []any{byte(9), byte(10)}, byte(200)},
		{"nrbf-list-decimal", []any{clr.NewDecimal(199, 2)}, clr.NewDecimal(1, 0)},
		{"nrbf-list-object", []any{"s", int64(5), nil, true, 2.5}, "first"},
		{"nrbf-list-nullable-int", []any{int32(4), nil}, int32(9)},
		{"nrbf-arraylist-empty", []any{int32(1), "two", nil, 3.5, true}, nil},
		{"nrbf-queue-string", []any{"c", "d", "e", "f"}, "first"},
		{"nrbf-queue-string-wrapped", []any{"f", "g", "h"}, "first"},
		{"nrbf-queue-string-empty", []any{"a"}, nil},
		{"nrbf-queue-nongeneric", []any{"c", int32(5)}, "first"},
		{"nrbf-stack-nongeneric", []any{"top"}, "bottom"},
		{"nrbf-mylist-subclass", []any{"c", "d", "e"}, "first"},
		{"nrbf-readonlycollection", []any{int32(5)}, int32(6)},
		{"nrbf-observablecollection", []any{"n"}, "first"},
		{"nrbf-hashset-string-empty", []any{"a", "b", "c", "d"}, nil},
		{"nrbf-sortedset", []any{int32(0), int32(99)}, int32(5)},
		{"nrbf-bitarray-10", []any{true, false, true}, true},
		{"nrbf-bitarray-0", []any{true}, nil},
		{"nrbf-string-array", []any{"z"}, "first"},
		{"nrbf-int-array", []any{int32(5)}, int32(6)},
		{"nrbf-object-array", []any{"z", int32(5)}, "first"},
		{"nrbf-jagged-int", []any{nil}, nil},
	} {
		t.Run(test.vector, func(t *testing.T) {
			g := readVector(t, test.vector)
			l, ok := nrbf.ListOf(g.Root())
			require.True(t, ok)
			sorted := test.vector == "nrbf-sortedset"
			want := texts(l)
			if l.Len() > 0 {
				require.NoError(t, l.Set(0, test.set))
				want[0] = fmt.Sprint(test.set)
			}
			require.NoError(t, l.Append(test.add...))
			for _, v := range test.add {
				want = append(want, fmt.Sprint(v))
			}
			if sorted {
				want = []string{"0", "2", "3", "5", "99"}
			}
			require.Equal(t, want, texts(l))
			r, ok := nrbf.ListOf(again(t, g))
			require.True(t, ok)
			require.Equal(t, want, texts(r))
			checkList(t, r)

			// Out goes the first, then all of it.
			require.NoError(t, l.Delete(0))
			require.Equal(t, want[1:], texts(l))
			r, ok = nrbf.ListOf(again(t, g))
			require.True(t, ok)
			require.Equal(t, want[1:], texts(r))
			checkList(t, r)
			for l.Len() > 0 {
				require.NoError(t, l.Delete(l.Len()-1))
			}
			require.NoError(t, l.Append(test.add[0]))
			r, ok = nrbf.ListOf(again(t, g))
			require.True(t, ok)
			require.Equal(t, []string{fmt.Sprint(test.add[0])}, texts(r))
			checkList(t, r)

			require.ErrorIs(t, l.Set(l.Len(), nil), nrbf.ErrRange)
			require.ErrorIs(t, l.Delete(-1), nrbf.ErrRange)
			require.False(t, l.At(l.Len()).Exists())
		})
	}
}

// checkList asserts what .NET takes for granted about the members.
func checkList(t *testing.T, l nrbf.List) {
	t.Helper()
	o, a := l.Holder(), l.Array()
	if o == nil {
		return
	}
	require.NotNil(t, a)
	base := ""
	if o.Get("List`1+_size").Exists() {
		base = "List`1+"
	}
	switch {
	case o.Get("_head").Exists():
		require.LessOrEqual(t, l.Len(), a.Len())
		require.Equal(t, (number(t, o, "_head")+l.Len())%a.Len(), number(t, o, "_tail"))
		require.Equal(t, l.Len(), number(t, o, "_size"))
	case o.Get(base + "_size").Exists():
		require.LessOrEqual(t, l.Len(), a.Len())
		require.Equal(t, l.Len(), number(t, o, base+"_size"))
		require.Positive(t, number(t, o, base+"_version"))
		for i := l.Len(); i < a.Len(); i++ { // nothing is kept alive behind the end
			n, isInt := a.At(i).Int()
			f, _ := a.At(i).Decimal()
			require.True(t, a.At(i).IsNull() || isInt && n == 0 || f.IsZero())
		}
	case o.Get("Capacity").Exists():
		require.GreaterOrEqual(t, number(t, o, "Capacity"), l.Len())
		require.True(t, big.NewInt(int64(number(t, o, "Capacity"))).ProbablyPrime(10))
	case o.Get("Count").Exists():
		require.Equal(t, l.Len(), number(t, o, "Count"))
		require.Equal(t, a.Len(), l.Len())
	case o.Get("m_length").Exists():
		require.Equal(t, (l.Len()+31)/32, max(a.Len(), (l.Len()+31)/32))
		require.LessOrEqual(t, l.Len(), 32*a.Len())
	}
}

func TestListsOfStructsAndObjects(t *testing.T) {
	g := readVector(t, "nrbf-list-guid")
	l, ok := nrbf.ListOf(g.Root())
	require.True(t, ok)
	o, err := g.NewStruct(l.At(0).Object().Class())
	require.NoError(t, err)
	id, err := clr.ParseGuid("6f9619ff-8b86-d011-b42d-00c04fc964ff")
	require.NoError(t, err)
	require.NoError(t, nrbf.SetScalar(o.Value(), id))
	n := l.Len()
	for range 4 { // over the capacity
		require.NoError(t, l.Append(o))
	}
	r, _ := nrbf.ListOf(again(t, g))
	require.Equal(t, n+4, r.Len())
	x, _ := nrbf.ScalarOf(r.At(n))
	require.Equal(t, id, x)
	for _, v := range r.Array().All() { // no null where a struct stands
		require.NotNil(t, v.Object())
		require.True(t, v.Object().Inline())
	}

	cart := readVector(t, "nrbf-cart-cycle")
	lines, ok := nrbf.ListOf(cart.Root().Object().Get("items"))
	require.True(t, ok)
	line, err := cart.NewObject(lines.At(0).Object().Class())
	require.NoError(t, err)
	require.NoError(t, line.Set("sku", "NEW-1"))
	require.NoError(t, line.Set("cart", cart.Root()))
	n = lines.Len()
	require.NoError(t, lines.Append(line))
	r, _ = nrbf.ListOf(again(t, cart).Object().Get("items"))
	require.Equal(t, n+1, r.Len())
	sku, _ := r.At(n).Object().Get("sku").Text()
	require.Equal(t, "NEW-1", sku)

	// A type that does not fit changes nothing.
	ints := readVector(t, "nrbf-list-int")
	l, _ = nrbf.ListOf(ints.Root())
	require.ErrorIs(t, l.Append(int32(1), "two"), nrbf.ErrType)
	require.False(t, ints.Changed())

	// A set takes nothing twice.
	g = readVector(t, "nrbf-hashset-string-empty")
	l, _ = nrbf.ListOf(g.Root())
	require.NoError(t, l.Append("a", "b", "a"))
	require.Equal(t, []string{"a", "b"}, texts(l))
	require.ErrorIs(t, l.Set(1, "a"), nrbf.ErrType)
}

func TestDictsAreReadChangedAndReadAgain(t *testing.T) {
	for _, test := range []struct {
		vector   string
		old, add any // keys
		value    any
	}{
		{"nrbf-dict-string-string", "a", "new", "v"},
		{"nrbf-dict-string-string-empty", nil, "new", "v"},
		{"nrbf-dict-string-object", "i", "new", int64(5)},
		{"nrbf-dict-int-string", int32(5), int32(77), "v"},
		{"nrbf-hashtable", "one", "new", 1.5},
		{"nrbf-hashtable-empty", nil, "new", true},
		{"nrbf-hashtable-case-insensitive", "kEY", "new", int32(2)},
		{"nrbf-hashtable-100", "k7", "new", "v"},
		{"nrbf-stringdictionary", "a", "new", "v"},
		{"nrbf-listdictionary", "a", "new", "v"},
		{"nrbf-hybriddictionary-large", nil, "new", "v"},
		{"nrbf-ordereddictionary", "z", "new", "v"},
		{"nrbf-sorteddictionary", "a", "bb", int32(9)},
		{"nrbf-mydict-subclass", "x", "new", int32(9)},
	} {
		t.Run(test.vector, func(t *testing.T) {
			g := readVector(t, test.vector)
			d, ok := nrbf.DictOf(g.Root())
			require.True(t, ok)
			n := d.Len()
			if test.old != nil {
				require.NoError(t, d.Set(test.old, test.value))
				require.Equal(t, n, d.Len())
			}
			require.NoError(t, d.Set(test.add, test.value))
			for i := range 20 { // over any capacity
				key := any(fmt.Sprintf("more%02d", i))
				if _, isInt := test.add.(int32); isInt {
					key = int32(1000 + i)
				}
				require.NoError(t, d.Set(key, test.value))
			}
			require.Equal(t, n+21, d.Len())
			r, ok := nrbf.DictOf(again(t, g))
			require.True(t, ok)
			require.Equal(t, n+21, r.Len())
			checkDict(t, r)
			for _, key := range []any{test.old, test.add} {
				if key != nil {
					v, ok := r.Get(key)
					require.True(t, ok)
					require.Equal(t, fmt.Sprint(test.value), fmt.Sprint(v.Any()))
				}
			}
			ok, err := d.Delete(test.add)
			require.NoError(t, err)
			require.True(t, ok)
			ok, err = d.Delete(test.add)
			require.NoError(t, err)
			require.False(t, ok)
			r, _ = nrbf.DictOf(again(t, g))
			require.Equal(t, n+20, r.Len())
			_, ok = r.Get(test.add)
			require.False(t, ok)
			checkDict(t, r)
			require.ErrorIs(t, d.Set(nil, test.value), nrbf.ErrType)
		})
	}
}

func checkDict(t *testing.T, d nrbf.Dict) {
	t.Helper()
	o := d.Holder()
	switch {
	case o.Get("LoadFactor").Exists():
		load, _ := o.Get("LoadFactor").Float()
		require.LessOrEqual(t, d.Len(), int(load*float64(number(t, o, "HashSize"))))
		require.Equal(t, d.Len(), o.Get("Keys").Array().Len())
		require.Equal(t, d.Len(), o.Get("Values").Array().Len())
	case o.Get("HashSize").Exists():
		size := number(t, o, "HashSize")
		require.GreaterOrEqual(t, size, d.Len())
		require.True(t, big.NewInt(int64(size)).ProbablyPrime(10))
		require.Equal(t, d.Len(), o.Get("KeyValuePairs").Array().Len())
	case o.Get("Items").Exists():
		require.Equal(t, d.Len(), number(t, o, "Count"))
		last := ""
		for k := range d.All() {
			text, _ := k.Text()
			require.Less(t, last, text)
			last = text
		}
	case o.Get("count").Exists():
		require.Equal(t, d.Len(), number(t, o, "count"))
	case o.Get("_size").Exists():
		require.Equal(t, d.Len(), number(t, o, "_size"))
	}
}

func TestNameValueCollection(t *testing.T) {
	g := readVector(t, "nrbf-namevaluecollection")
	d, ok := nrbf.DictOf(g.Root())
	require.True(t, ok)
	s, ok := d.Strings("A") // without case
	require.True(t, ok)
	require.Equal(t, []string{"1", "2"}, s)
	require.NoError(t, d.Set("a", []string{"3"}))
	require.NoError(t, d.Set("new", "x"))
	r, _ := nrbf.DictOf(again(t, g))
	require.Equal(t, 4, r.Len())
	require.Equal(t, 4, number(t, r.Holder(), "Count"))
	s, _ = r.Strings("a")
	require.Equal(t, []string{"3"}, s)
	s, _ = r.Strings("new")
	require.Equal(t, []string{"x"}, s)
	s, _ = r.Strings(nil)
	require.Equal(t, []string{"nokey"}, s)
	require.ErrorIs(t, d.Set("a", 5), nrbf.ErrType)
}

// No vector has a SortedList or a LinkedList: these are built as .NET Framework
// 4.8 lays them out.
func TestSortedListAndLinkedList(t *testing.T) {
	g := nrbf.New(nrbf.Options{})
	c, err := g.NewClass("System.Collections.Generic.SortedList`2[[System.String, mscorlib],[System.Int32, mscorlib]]", "System",
		nrbf.Member{Name: "keys", Type: nrbf.Type{Form: nrbf.FormStringArray}}, nrbf.Member{Name: "values", Type: nrbf.PrimitiveArrayType(nrbf.KindInt32)},
		nrbf.Member{Name: "_size", Type: nrbf.PrimitiveType(nrbf.KindInt32)}, nrbf.Member{Name: "version", Type: nrbf.PrimitiveType(nrbf.KindInt32)},
		nrbf.Member{Name: "comparer", Type: nrbf.ObjectType()})
	require.NoError(t, err)
	o, err := g.NewObject(c)
	require.NoError(t, err)
	keys, err := g.NewArray(nrbf.StringType(), 0, false)
	require.NoError(t, err)
	values, err := nrbf.NewPrimitives(g, []int32{})
	require.NoError(t, err)
	require.NoError(t, o.Set("keys", keys))
	require.NoError(t, o.Set("values", values))
	require.NoError(t, g.SetRoot(o))
	d, ok := nrbf.DictOf(g.Root())
	require.True(t, ok)
	for i, k := range []string{"m", "z", "A", "a", "b2", "B"} {
		require.NoError(t, d.Set(k, int32(i)))
	}
	r, _ := nrbf.DictOf(again(t, g))
	var got []string
	for k, v := range r.All() {
		got = append(got, fmt.Sprintf("%v %v", k.Any(), v.Any()))
	}
	require.Equal(t, []string{"a 3", "A 2", "B 5", "b2 4", "m 0", "z 1"}, got)
	require.Equal(t, 8, o.Get("keys").Array().Len(), "4, then doubled")
	require.ErrorIs(t, d.Set("é-1", int32(1)), nrbf.ErrUnsupported, "its place depends on a culture")
	ok, err = d.Delete("B")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 5, d.Len())
	require.True(t, o.Get("keys").Array().At(5).IsNull())

	c, err = g.NewClass("System.Collections.Generic.LinkedList`1[[System.String, mscorlib]]", "System",
		nrbf.Member{Name: "Version", Type: nrbf.PrimitiveType(nrbf.KindInt32)}, nrbf.Member{Name: "Data", Type: nrbf.Type{Form: nrbf.FormStringArray}})
	require.NoError(t, err)
	o, err = g.NewObject(c)
	require.NoError(t, err)
	require.NoError(t, g.SetRoot(o))
	l, ok := nrbf.ListOf(g.Root())
	require.True(t, ok)
	require.Zero(t, l.Len())
	require.NoError(t, l.Append("a", "b"))
	require.NoError(t, l.Set(0, "c"))
	l, _ = nrbf.ListOf(again(t, g))
	require.Equal(t, []string{"c", "b"}, texts(l))
	require.Equal(t, 3, number(t, l.Holder(), "Version"))
}

func TestTables(t *testing.T) {
	for _, name := range []string{"nrbf-datatable-xml", "nrbf-datatable-binary"} {
		table, err := nrbf.TableOf(readVector(t, name).Root())
		require.NoError(t, err)
		require.Equal(t, "Orders", table.Name)
		require.Len(t, table.Columns, 7)
		require.Equal(t, []nrbf.RowState{nrbf.Modified, nrbf.Deleted, nrbf.Unchanged, nrbf.Added},
			[]nrbf.RowState{table.Rows[0].State, table.Rows[1].State, table.Rows[2].State, table.Rows[3].State})
		require.Equal(t, []any{int32(4), "added", clr.NewDecimal(1, 0), nrbf.DBNull{}, nrbf.DBNull{}, nrbf.DBNull{}, true}, table.Rows[3].Values)
	}
	for _, name := range []string{"nrbf-dataset-xml", "nrbf-dataset-binary"} {
		set, err := nrbf.DataSetOf(readVector(t, name).Root())
		require.NoError(t, err)
		require.Len(t, set.Tables, 2)
		require.Equal(t, []string{"FK"}, set.Relations)
		require.Equal(t, []any{int32(12), int32(2), -0.25}, set.Tables[1].Rows[2].Values)
	}
	_, err := nrbf.TableOf(readVector(t, "nrbf-list-int").Root())
	require.ErrorIs(t, err, nrbf.ErrType)

	// Broken XML is an error that says so.
	g := readVector(t, "nrbf-datatable-xml")
	o := g.Root().Object()
	good, _ := o.Get("XmlDiffGram").Text()
	for bad, reason := range map[string]error{
		"<a>": nrbf.ErrCorrupt, "<a></b>": nrbf.ErrCorrupt, strings.Repeat("<a>", 100): nrbf.ErrLimit,
		strings.Replace(good, "<Id>1</Id>", "<Id>one</Id>", 1): nrbf.ErrCorrupt,
	} {
		require.NoError(t, o.Set("XmlDiffGram", bad))
		_, err := nrbf.TableOf(g.Root())
		require.ErrorIs(t, err, reason, bad)
	}
}

// Whatever a stream holds, no view panics or runs away.
func TestViewsOfBadStreams(t *testing.T) {
	n := 0
	for _, v := range badVectors(t) {
		g, err := nrbf.Decode(file(t, "testdata", "bad", v.File), nrbf.Options{})
		if err != nil {
			continue
		}
		n++
		for x := range g.All() {
			lookAt(x)
		}
	}
	require.Greater(t, n, 20)
}

func lookAt(v nrbf.Value) {
	v.TypeName()
	nrbf.ScalarOf(v)
	if l, ok := nrbf.ListOf(v); ok {
		for range l.All() {
		}
		for range l.Extra() {
		}
		l.At(0)
	}
	if d, ok := nrbf.DictOf(v); ok {
		for range d.All() {
		}
		d.Len()
		d.Get("x")
	}
	nrbf.PairOf(v)
	nrbf.TupleOf(v)
	nrbf.DelegateOf(v)
	nrbf.ExceptionOf(v)
	_, _ = nrbf.TableOf(v)
	_, _ = nrbf.DataSetOf(v)
}
