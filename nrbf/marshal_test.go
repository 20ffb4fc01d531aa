package nrbf_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

// marshaled marshals and reads back into the same Go type.
func marshaled[T any](t *testing.T, types *nrbf.Types, v T) (back T) {
	t.Helper()
	out, err := types.Marshal(v)
	require.NoError(t, err)
	g, err := nrbf.Decode(out, nrbf.Options{})
	require.NoError(t, err)
	roundTrip(t, g)
	require.NoError(t, nrbf.UnmarshalValue(g.Root(), &back))
	return back
}

func survives[T any](t *testing.T, types *nrbf.Types, v T) {
	t.Helper()
	require.Equal(t, v, marshaled(t, types, v))
}

func TestMarshalReadsBack(t *testing.T) {
	types := rigTypes(t)
	survives(t, types, []string{"a", ""})
	survives(t, types, "root")
	survives(t, types, []int32{1, -2})
	survives(t, types, []bool{true, false})
	survives(t, types, []int8{-1})
	survives(t, types, []uint64{1 << 63})
	survives(t, types, []float32{1.5})
	survives(t, types, []clr.Char{'x', 0x20ac})
	survives(t, types, []clr.Decimal{dec("1.10")})
	survives(t, types, []byte{1})
	survives(t, types, map[string]string{"a": "b"})
	survives(t, types, map[string]string{})
	survives(t, types, map[int32][]string{1: {"x"}, 2: nil})
	survives(t, types, map[clr.Guid]bool{{1}: true})
	survives(t, types, [][]byte{{1}, nil, {2, 3}})
	survives(t, types, nrbf.AsList[nrbf.AsList[int64]]{{1}, {2}})
	survives(t, types, []time.Time{time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)})
	survives(t, types, []time.Duration{time.Minute})
	survives(t, types, rigLine{"s", 1, dec("2.0")})
	survives(t, types, []*rigLine{{"s", 1, dec("2.0")}, nil})
	survives(t, types, rigColour(5))
	survives(t, types, []rigColour{0, 6})
	survives(t, types, []rigPoint{{1, 2}})
	type pair struct{ A, B *pair }
	require.NoError(t, nrbf.Register[pair](types, "Shop.Pair", "shop"))
	p := &pair{}
	p.A, p.B = p, &pair{A: p}
	q := marshaled(t, types, p)
	require.Same(t, q, q.A)
	require.Same(t, q, q.B.A)
	first, err := types.Marshal(map[string]int32{"a": 1, "b": 2, "c": 3, "d": 4})
	require.NoError(t, err)
	for range 5 {
		next, err := types.Marshal(map[string]int32{"a": 1, "b": 2, "c": 3, "d": 4})
		require.NoError(t, err)
		require.Equal(t, first, next, "maps are written in order")
	}
	long := &pair{}
	for range 100_000 {
		long = &pair{A: long}
	}
	_, err = types.Marshal(long)
	require.NoError(t, err, "no stack is used up")
}

func TestMarshalRefuses(t *testing.T) {
	types := rigTypes(t)
	type loop []loop
	circle := loop{nil}
	circle[0] = circle
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "nrbf: root: type mismatch: a Go nil has no stream"},
		{5, "nrbf: root: type mismatch: Go int alone has no stream: it is stored as an item of its own"},
		{[]int{1 << 40}, "nrbf: System.Int32[][0]: index out of range: 1099511627776 into System.Int32"},
		{[]struct{ X int }{{}}, "nrbf: root: type mismatch: Go struct { X int } is not registered as a .NET type"},
		{rigCart{Lines: []rigLine{{Qty: 1 << 40}}}, "nrbf: Rig.ShoppingCart.lines[0].Qty: index out of range: 1099511627776 into System.Int32"},
		{[]any{make(chan int)}, "nrbf: System.Object[][0]: type mismatch: Go chan int is not registered as a .NET type"},
		{[]any{circle}, "nrbf: System.Object[][0]: type mismatch"},
	} {
		_, err := types.Marshal(c.v)
		require.Error(t, err, "%T", c.v)
		require.Contains(t, err.Error(), c.want[:min(len(c.want), 60)])
	}
	require.ErrorIs(t, nrbf.Register[rigLine](new(nrbf.Types), "System.Diagnostics.Process", "System"), nrbf.ErrGadget)
	require.ErrorIs(t, nrbf.Register[int](types, "Rig.Int", rig), nrbf.ErrType)
	require.ErrorIs(t, nrbf.Register[rigLine](types, "Rig.Other", rig), nrbf.ErrType)
	require.ErrorIs(t, nrbf.RegisterValue[time.Month](types, "Rig.Colour", rig), nrbf.ErrType)
}

// Members that Go does not know stay, wherever their object moves.
func TestUpdateKeepsWhatGoDoesNotKnow(t *testing.T) {
	type item struct {
		SKU      string `net:"sku"`
		Quantity int    `net:"quantity"`
	}
	type cart struct {
		Items []item `net:"items"`
	}
	stored := nrbfFile(t, "nrbf-cart-cycle")
	types := new(nrbf.Types)
	var c cart
	require.NoError(t, nrbf.Unmarshal(stored, &c))
	out, err := types.Update(stored, c)
	require.NoError(t, err)
	require.Equal(t, stored, out, "nothing differs")

	c.Items[1].Quantity = 77
	c.Items = append(c.Items[1:], item{"NEW", 5})
	out, err = types.Update(stored, c)
	require.NoError(t, err)
	full := goldenCart{}
	require.NoError(t, nrbf.Unmarshal(out, &full))
	require.Len(t, full.Items, 3)
	require.Equal(t, "67.94", full.Total.String())
	require.Len(t, full.Attributes, 3)
	require.Equal(t, []string{"10.99", "11.99", "0"}, []string{full.Items[0].UnitPrice.String(), full.Items[1].UnitPrice.String(), full.Items[2].UnitPrice.String()})
	require.Equal(t, 77, full.Items[0].Quantity)
	require.Same(t, &full, full.Items[1].Cart)
	g, err := nrbf.Decode(out, nrbf.Options{})
	require.NoError(t, err)
	list := g.Root().Object().Get("items").Object()
	size, _ := list.Get("_size").Int()
	require.EqualValues(t, 3, size)
	version, _ := list.Get("_version").Int()
	require.EqualValues(t, 4, version)
	require.Equal(t, list.Get("_items").Array().At(2).Object().Class(), list.Get("_items").Array().At(0).Object().Class(), "the assembly is the one of the stream")

	type keyed struct {
		SKU      string `net:"sku,key"`
		Quantity int    `net:"quantity"`
	}
	var k struct {
		Items []keyed `net:"items"`
	}
	require.NoError(t, nrbf.Unmarshal(stored, &k))
	k.Items[0], k.Items[2] = keyed{k.Items[2].SKU, 1001}, keyed{k.Items[0].SKU, 1002}
	out, err = types.Update(stored, &k)
	require.NoError(t, err)
	require.NoError(t, nrbf.Unmarshal(out, &full))
	require.Equal(t, "11.99", full.Items[0].UnitPrice.String())
	require.Equal(t, 1002, full.Items[2].Quantity)
	require.Equal(t, "9.99", full.Items[2].UnitPrice.String())
}

func TestUpdateVectors(t *testing.T) {
	types := new(nrbf.Types)
	stored := nrbfFile(t, "nrbf-person-autoprops")
	var ada goldenPerson
	require.NoError(t, nrbf.Unmarshal(stored, &ada))
	out, err := types.Update(stored, &ada)
	require.NoError(t, err)
	require.Equal(t, stored, out)
	ada.Age, ada.Birth, ada.Home.Zip, ada.ID = 37, nil, 9, clr.Guid{1}
	born := time.Date(1835, 1, 2, 0, 0, 0, 0, time.UTC)
	ada.Spouse.Birth = &born
	ada.Children = append(ada.Children, &goldenPerson{FirstName: "New"})
	out, err = types.Update(stored, &ada)
	require.NoError(t, err)
	var back goldenPerson
	require.NoError(t, nrbf.Unmarshal(out, &back))
	require.EqualValues(t, 37, back.Age)
	require.Nil(t, back.Birth)
	require.Equal(t, born, *back.Spouse.Birth)
	require.Equal(t, uint16(9), back.Home.Zip)
	require.Equal(t, "London", back.Home.City)
	require.Equal(t, clr.Guid{1}, back.ID)
	require.Equal(t, "New", back.Children[2].FirstName)

	for name, v := range map[string]any{
		"nrbf-list-string": []string{"x", "y", "z", "1", "2", "3", "4", "5"}, "nrbf-int-array": []int{7}, "nrbf-byte-array": []byte{},
		"nrbf-decimal-array": []clr.Decimal{dec("1.00")}, "nrbf-string-array": []string{"only"}, "nrbf-list-int": nrbf.AsList[int]{1},
		"nrbf-dict-int-string": map[int]string{1: "a", 5: "b"}, "nrbf-arraylist-empty": []any{"a", int32(1)}, "nrbf-list-enum": []uint8{1, 2},
		"nrbf-dict-string-string-empty": map[string]string{"k": "v"}, "nrbf-dict-string-object": map[string]any{"a": "b", "n": int32(2)},
	} {
		out, err := types.Update(nrbfFile(t, name), v)
		require.NoError(t, err, name)
		var again any
		g, err := nrbf.Decode(out, nrbf.Options{})
		require.NoError(t, err, name)
		roundTrip(t, g)
		require.NoError(t, nrbf.UnmarshalValue(g.Root(), &again), name)
		before, err := nrbf.Decode(nrbfFile(t, name), nrbf.Options{})
		require.NoError(t, err)
		require.Equal(t, before.Root().String(), g.Root().String(), name)
		switch v := v.(type) {
		case []string:
			back := []string{}
			require.NoError(t, nrbf.UnmarshalValue(g.Root(), &back), name)
			require.Equal(t, v, back, name)
		case map[int]string:
			back := map[int]string{}
			require.NoError(t, nrbf.UnmarshalValue(g.Root(), &back), name)
			require.Equal(t, v, back, name)
		case map[string]any:
			require.Equal(t, v, again, name)
		case []uint8:
			back := []uint8{}
			require.NoError(t, nrbf.UnmarshalValue(g.Root(), &back), name)
			require.Equal(t, v, back, name)
		}
	}
	_, err = types.Update(nrbfFile(t, "nrbf-sortedset"), []int{1, 2, 4})
	require.ErrorIs(t, err, nrbf.ErrUnsupported)
	out, err = types.Update(nrbfFile(t, "nrbf-sortedset"), []int{1, 2, 3})
	require.NoError(t, err)
	require.Equal(t, nrbfFile(t, "nrbf-sortedset"), out)
	_, err = types.Update(nrbfFile(t, "nrbf-cart-cycle"), struct {
		Total string `net:"total"`
	}{"x"})
	require.EqualError(t, err, "nrbf: Golden.Types.ShoppingCart.total: type mismatch: Go string into System.Decimal")
}

// One object in two places stays one while its copies are equal.
func TestUpdateOfSharedObjects(t *testing.T) {
	types := rigTypes(t)
	line := &rigLine{"a", 1, dec("1")}
	stored, err := types.Marshal([]*rigLine{line, line})
	require.NoError(t, err)
	var copies []rigLine
	require.NoError(t, nrbf.Unmarshal(stored, &copies))
	copies[0].Qty, copies[1].Qty = 2, 2
	out, err := types.Update(stored, copies)
	require.NoError(t, err)
	var ptrs []*rigLine
	require.NoError(t, nrbf.Unmarshal(out, &ptrs))
	require.Same(t, ptrs[0], ptrs[1])
	copies[1].Qty = 3
	out, err = types.Update(stored, copies)
	require.NoError(t, err)
	require.NoError(t, nrbf.Unmarshal(out, &ptrs))
	require.NotSame(t, ptrs[0], ptrs[1])
	require.Equal(t, []int{2, 3}, []int{ptrs[0].Qty, ptrs[1].Qty})
}

// FuzzUpdate: what maps into a Go value is written back as it was.
func FuzzUpdate(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := nrbf.Decode(data, fuzzOptions)
		if err != nil {
			return
		}
		m := nrbf.Mapping{Options: fuzzOptions, Bytes: 1 << 20}
		types := new(nrbf.Types)
		for _, v := range []any{new(goldenCart), new(goldenPerson), new([]string), new([]any), new(map[string]string), new(chain), new([]int64), new(map[string]any)} {
			if m.UnmarshalValue(g.Root(), v) != nil {
				continue
			}
			if out, err := types.UpdateIn(m, data, v); err == nil {
				_, err = nrbf.Decode(out, nrbf.Options{})
				require.NoError(t, err)
			}
		}
	})
}
