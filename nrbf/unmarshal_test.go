package nrbf_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

type goldenCart struct {
	Items      []goldenItem
	Total      clr.Decimal
	Created    time.Time
	Attributes map[string]string
}

type goldenItem struct {
	SKU       string `net:"sku"`
	Name      string
	Quantity  int
	UnitPrice clr.Decimal
	Cart      *goldenCart
}

type goldenPerson struct {
	FirstName, LastName string
	Age                 int8
	Birth               *time.Time
	ID                  clr.Guid `net:"Id"`
	Spouse              *goldenPerson
	Children            []*goldenPerson
	Home                struct {
		Street, City string
		Zip          uint16
	}
}

func into[T any](t *testing.T, name string) (v T) {
	t.Helper()
	require.NoError(t, nrbf.Unmarshal(nrbfFile(t, name), &v), name)
	return v
}

func TestUnmarshalCart(t *testing.T) {
	cart := into[goldenCart](t, "nrbf-cart-50")
	require.Len(t, cart.Items, 50)
	require.Equal(t, "54387.25", cart.Total.String())
	require.Equal(t, time.UTC, cart.Created.Location())
	require.Len(t, cart.Attributes, 3)
	require.Equal(t, "SKU-1000", cart.Items[0].SKU)
	require.Equal(t, "9.99", cart.Items[0].UnitPrice.String())
	p := into[*goldenCart](t, "nrbf-cart-cycle")
	require.Len(t, p.Items, 3)
	require.Same(t, p, p.Items[2].Cart, "the object that is read is the pointer")
	var own goldenCart
	require.NoError(t, nrbf.Unmarshal(nrbfFile(t, "nrbf-cart-cycle"), &own))
	require.Same(t, &own, own.Items[1].Cart)
}

func TestUnmarshalPeople(t *testing.T) {
	ada := into[goldenPerson](t, "nrbf-person-autoprops")
	require.Equal(t, "Lovelace", ada.LastName)
	require.Equal(t, 1815, ada.Birth.Year())
	require.Equal(t, "00112233-4455-6677-8899-aabbccddeeff", ada.ID.String())
	require.Equal(t, "London", ada.Home.City)
	require.Equal(t, uint16(12345), ada.Home.Zip)
	require.Len(t, ada.Children, 2)
	require.Nil(t, ada.Spouse.Birth)
	require.Equal(t, "Byron", ada.Spouse.Children[0].FirstName)
	require.Same(t, ada.Children[0], ada.Spouse.Children[0])

	type derived struct {
		ID       int
		BaseID   int `net:"BaseThing+id"`
		Name     string
		BaseName string `net:"BaseThing+name"`
	}
	require.Equal(t, derived{2, 1, "derived-name", "base-name"}, into[derived](t, "nrbf-derived-private-fields"))
	people := into[[]*goldenPerson](t, "nrbf-list-custom-class")
	require.Nil(t, people[1])
	require.Equal(t, "B", people[2].FirstName)
}

func TestUnmarshalCollections(t *testing.T) {
	require.Equal(t, map[string]string(map[string]string{}), into[map[string]string](t, "nrbf-dict-string-string-empty"))
	require.Equal(t, map[int]string{5: "five"}[5], into[map[int]string](t, "nrbf-dict-int-string")[5])
	require.Equal(t, []string{"c", "d", "e"}, into[[]string](t, "nrbf-queue-string-wrapped"))
	require.Equal(t, []any{"x", int32(1)}, into[any](t, "nrbf-stack-nongeneric"), "top first")
	require.Equal(t, [4]int{1, 2, 3}, into[[4]int](t, "nrbf-sortedset"))
	require.Equal(t, []string{}, into[[]string](t, "nrbf-hashset-string-empty"))
	require.Equal(t, map[string]int{"a": 1, "b": 2, "c": 3}, into[map[string]int](t, "nrbf-sorteddictionary"))
	require.Equal(t, map[string]string{"a": "1", "b": "2"}, into[map[string]string](t, "nrbf-stringdictionary"))
	require.Equal(t, map[string][]string{"a": {"1", "2"}, "b": {}, "": {"nokey"}}, into[map[string][]string](t, "nrbf-namevaluecollection"))
	require.Equal(t, map[string]string{"a": "1,2", "b": "", "": "nokey"}, into[map[string]string](t, "nrbf-namevaluecollection"))
	require.Equal(t, map[string]any{"a": int32(1), "b": "x"}, into[map[string]any](t, "nrbf-listdictionary"))
	require.Equal(t, map[string]any{"z": int32(1), "a": "x"}, into[any](t, "nrbf-ordereddictionary"))
	require.Len(t, into[map[string]int](t, "nrbf-hybriddictionary-large"), 12)
	require.Equal(t, []string{"a"}, into[[]string](t, "nrbf-observablecollection"))
	require.Equal(t, []int64{1, 2}, into[[]int64](t, "nrbf-readonlycollection"))
	require.Equal(t, []string{"a", "b"}, into[[]string](t, "nrbf-mylist-subclass"))
	one, three := int32(1), int32(3)
	require.Equal(t, []*int32{&one, nil, &three}, into[[]*int32](t, "nrbf-nullable-int-array"))
	require.Equal(t, []uint8{1, 200}, into[[]uint8](t, "nrbf-enum-byte-array"))
	require.Equal(t, "-1.50", into[clr.Decimal](t, "nrbf-root-decimal").String())
	require.Equal(t, "1.2.3.4", into[string](t, "nrbf-version"))
	require.Len(t, into[map[clr.Guid]goldenPerson](t, "nrbf-dict-guid-person"), 1)
	jagged := into[[][]int](t, "nrbf-jagged-shared")
	require.Equal(t, [][]int{{1}, {1}}, jagged)
	require.Len(t, into[[]byte](t, "nrbf-large-byte-1mb"), 1<<20)
	require.NotPanics(t, func() { into[[][]string](t, "nrbf-rect-string") })
	at := into[time.Time](t, "nrbf-datetimeoffset")
	_, offset := at.Zone()
	require.Equal(t, 330*60, offset)
	o := into[*nrbf.Object](t, "nrbf-kvp")
	require.Equal(t, "key", o.Get("key").Any())
	kvp := into[struct {
		Key   string
		Value int
	}](t, "nrbf-kvp")
	require.Equal(t, 5, kvp.Value)
}

func TestUnmarshalErrorsNameMemberAndType(t *testing.T) {
	g, err := nrbf.Decode(nrbfFile(t, "nrbf-cart-cycle"), nrbf.Options{})
	require.NoError(t, err)
	for _, c := range []struct {
		dst  any
		want string
		is   error
	}{
		{&struct {
			Items []struct {
				UnitPrice int `net:"unitPrice"`
			}
		}{}, "nrbf: Golden.Types.ShoppingCart.items[0].unitPrice: type mismatch: System.Decimal into Go int", nrbf.ErrType},
		{&struct{ Items string }{}, "nrbf: Golden.Types.ShoppingCart.items: type mismatch: System.Collections.Generic.List`1[[Golden.Types.CartItem, Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null]] into Go string", nrbf.ErrType},
		{&struct{ Attributes map[string]int }{}, `nrbf: Golden.Types.ShoppingCart.attributes["coupon"]: type mismatch: System.String into Go int`, nrbf.ErrType},
		{&struct{ Total bool }{}, "nrbf: Golden.Types.ShoppingCart.total: type mismatch: System.Decimal into Go bool", nrbf.ErrType},
		{goldenCart{}, "nrbf: destination: type mismatch: a Go nrbf_test.goldenCart is no pointer to a value", nrbf.ErrType},
		{&struct{ Items [2]*goldenItem }{}, "nrbf: Golden.Types.ShoppingCart.items: index out of range: 3 elements into Go [2]*nrbf_test.goldenItem", nrbf.ErrRange},
	} {
		err := nrbf.UnmarshalValue(g.Root(), c.dst)
		require.EqualError(t, err, c.want)
		require.ErrorIs(t, err, c.is)
	}
	require.EqualError(t, nrbf.Unmarshal(nrbfFile(t, "nrbf-enum-byte-array"), new([]int8)),
		"nrbf: Golden.Types.ColorByte[][1]: index out of range: System.Byte 200 into Go int8")
	var ok goldenCart
	require.NoError(t, nrbf.UnmarshalValue(g.Root(), &ok), "the graph is as usable as before")
	require.False(t, g.Changed())

	type byValue struct {
		Items []struct {
			Cart struct{ Items []struct{ Cart any } }
		}
	}
	require.ErrorContains(t, nrbf.UnmarshalValue(g.Root(), new(byValue)), "contains itself")
	type two struct{ ID int }
	g, c := build(t, "Shop.Two", nrbf.Member{Name: "iD", Type: nrbf.StringType()}, nrbf.Member{Name: "Id", Type: nrbf.StringType()})
	o, err := g.NewObject(c)
	require.NoError(t, err)
	require.ErrorContains(t, nrbf.UnmarshalValue(o.Value(), new(two)), `members "iD" and "Id" both fit the Go field ID`)
}

func build(t *testing.T, name string, m ...nrbf.Member) (*nrbf.Graph, *nrbf.Class) {
	t.Helper()
	g := nrbf.New(nrbf.Options{})
	c, err := g.NewClass(name, "lib", m...)
	require.NoError(t, err)
	return g, c
}

type chain struct {
	Next *chain
	N    int
}

// A list of any length uses no stack, and sharing does not explode.
func TestUnmarshalIsBounded(t *testing.T) {
	g, c := build(t, "Shop.Chain", nrbf.Member{Name: "Next", Type: nrbf.ObjectType()}, nrbf.Member{Name: "N", Type: nrbf.PrimitiveType(nrbf.KindInt32)})
	const length = 200_000
	var head *nrbf.Object
	for i := range length {
		o, err := g.NewObject(c)
		if err != nil || o.Set("Next", head) != nil || o.Set("N", i) != nil {
			t.Fatal("not built")
		}
		head = o
	}
	var list chain
	require.NoError(t, nrbf.UnmarshalValue(head.Value(), &list))
	n := 0
	for p := &list; p != nil; p = p.Next {
		if p.N != length-1-n {
			t.Fatalf("link %d is %d", n, p.N)
		}
		n++
	}
	require.Equal(t, length, n)

	g = nrbf.New(nrbf.Options{})
	inner, err := g.NewArray(nrbf.ObjectType(), 0, false)
	require.NoError(t, err)
	for range 40 {
		outer, err := g.NewArray(nrbf.ObjectType(), 2, false)
		require.NoError(t, err)
		require.NoError(t, outer.Set(0, inner))
		require.NoError(t, outer.Set(1, inner))
		inner = outer
	}
	var v any
	m := nrbf.Mapping{Bytes: 4 << 20} // which a limit that does not hold would outlast by ages
	require.ErrorIs(t, m.UnmarshalValue(inner.Value(), &v), nrbf.ErrLimit)
	type tree []tree
	require.ErrorIs(t, m.UnmarshalValue(inner.Value(), new(tree)), nrbf.ErrLimit)

	for range 2000 {
		outer, err := g.NewArray(nrbf.ObjectType(), 1, false)
		require.NoError(t, err)
		require.NoError(t, outer.Set(0, inner))
		inner = outer
	}
	err = m.UnmarshalValue(inner.Value(), new(tree))
	require.ErrorIs(t, err, nrbf.ErrLimit)
	require.Less(t, len(err.Error()), 600)
	require.NoError(t, inner.Set(0, inner))
	require.ErrorContains(t, nrbf.UnmarshalValue(inner.Value(), &v), "contains itself")
}

// FuzzUnmarshal: whatever can be read can be mapped or is refused, without a
// panic and within the limit.
func FuzzUnmarshal(f *testing.F) {
	seed(f)
	targets := []reflect.Type{
		reflect.TypeFor[any](), reflect.TypeFor[goldenCart](), reflect.TypeFor[*goldenPerson](), reflect.TypeFor[[]any](),
		reflect.TypeFor[map[string]any](), reflect.TypeFor[map[any]any](), reflect.TypeFor[[][]int](), reflect.TypeFor[[]string](), reflect.TypeFor[chain](),
		reflect.TypeFor[time.Time](), reflect.TypeFor[[16]byte](), reflect.TypeFor[float32](), reflect.TypeFor[[]chain](), reflect.TypeFor[map[string]string](),
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := nrbf.Decode(data, fuzzOptions)
		if err != nil {
			return
		}
		n := 0
		for v := range g.All() {
			for _, typ := range targets {
				err := nrbf.Mapping{Bytes: 1 << 16}.UnmarshalValue(v, reflect.New(typ).Interface())
				var e *nrbf.Error
				require.True(t, err == nil || errors.As(err, &e), err)
			}
			if n++; n > 50 {
				break
			}
		}
	})
}
