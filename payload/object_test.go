package payload_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// The C# class of the captured session, as far as Go cares: total and attributes
// of the cart are not mapped, nor is the way back from an item to it.
type cart struct {
	Items   []cartItem `net:"items"`
	Created time.Time  `net:"created"`
}

type cartItem struct {
	Sku       string      `net:"sku,key"`
	Name      string      `net:"name"`
	Quantity  int         `net:"quantity"`
	UnitPrice clr.Decimal `net:"unitPrice"`
}

func TestAnObjectIsReadChangedAndWrittenBack(t *testing.T) {
	p := open(t, "store-mixed")
	it := p.Items()
	before := map[string][]byte{}
	for item := range it.All() {
		before[item.Key] = bytes.Clone(item.Data)
	}
	c, err := payload.Value[cart](it, "cart")
	require.NoError(t, err)
	require.Len(t, c.Items, 3)
	require.Equal(t, "SKU-1001", c.Items[1].Sku)
	require.Equal(t, "10.99", c.Items[1].UnitPrice.String())
	require.Equal(t, time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), c.Created)
	require.False(t, p.Dirty(), "reading is no change")

	// Set as it was, it is what it was.
	require.NoError(t, it.Set("cart", c))
	item, _ := it.Item("cart")
	require.Equal(t, before["cart"], item.Data)

	c.Items[1].Quantity = 7
	c.Items = append(c.Items, cartItem{Sku: "SKU-GO", Name: "added by Go", Quantity: 1, UnitPrice: clr.NewDecimal(100, 2)})
	require.NoError(t, it.Set("cart", c))
	saved, err := p.Append(nil)
	require.NoError(t, err)
	q, err := payload.Open(saved, payload.Limits{})
	require.NoError(t, err)
	again, err := payload.Value[*cart](q.Items(), "CART")
	require.NoError(t, err)
	require.Equal(t, &c, again)
	for item := range q.Items().All() {
		if item.Key != "cart" {
			require.Equal(t, before[item.Key], item.Data, item.Key)
		}
	}
	// What Go does not map is still there, and the class is the same.
	o, err := payload.Value[*nrbf.Object](q.Items(), "cart")
	require.NoError(t, err)
	require.Equal(t, "Golden.Types.ShoppingCart", o.Class().Name())
	require.Contains(t, o.Class().Library(), "Version=1.2.3.4")
	total, ok := o.Get("total").Decimal()
	require.True(t, ok)
	require.Equal(t, "67.94", total.String())
	coupon, err := payload.Value[struct {
		Attributes map[string]string `net:"attributes"`
	}](q.Items(), "cart")
	require.NoError(t, err)
	require.Equal(t, "SPRING", coupon.Attributes["coupon"])

	roles, err := payload.Value[[]string](q.Items(), "roles")
	require.NoError(t, err)
	require.Equal(t, []string{"user", "editor"}, roles)
	prefs, err := payload.Value[map[string]any](q.Items(), "prefs")
	require.NoError(t, err)
	require.Equal(t, "dark", prefs["theme"])
}

func TestNewObjects(t *testing.T) {
	var types nrbf.Types
	require.NoError(t, nrbf.Register[cartItem](&types, "Shop.Item", "Shop, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null"))
	it := payload.NewItems(payload.Limits{})
	it.SetTypes(&types)
	line := cartItem{Sku: "A", Name: "a", Quantity: 2, UnitPrice: clr.NewDecimal(150, 2)}
	for key, v := range map[string]any{
		"strings": []string{"a", "b"}, "ints": []int32{1, 2}, "bytes": []byte{0, 255}, "dict": map[string]string{"k": "v"},
		"list": nrbf.AsList[string]{"x"}, "line": line, "lines": []cartItem{line, line},
	} {
		require.NoError(t, it.Set(key, v), key)
		item, _ := it.Item(key)
		require.Equal(t, payload.TypeObject, item.Type())
	}
	good(t, it, "strings", []string{"a", "b"})
	good(t, it, "ints", []int32{1, 2})
	good(t, it, "ints", []int64{1, 2})
	good(t, it, "bytes", []byte{0, 255})
	good(t, it, "dict", map[string]string{"k": "v"})
	good(t, it, "list", []string{"x"})
	good(t, it, "line", line)
	good(t, it, "line", &line)
	good(t, it, "lines", []cartItem{line, line})
	o, err := payload.Value[*nrbf.Object](it, "line")
	require.NoError(t, err)
	require.Equal(t, "Shop.Item", o.Class().Name())
	g, err := payload.Value[*nrbf.Graph](it, "line")
	require.NoError(t, err)
	require.NoError(t, g.Root().Object().Set("name", "changed"))
	require.NoError(t, it.Set("line", g))
	changed, err := payload.Value[cartItem](it, "line")
	require.NoError(t, err)
	require.Equal(t, "changed", changed.Name)

	// A graph read before is not touched by what is set after it.
	it.Clear()
	require.NoError(t, it.Set("other", "overwrites the memory that was the item's"))
	require.Equal(t, "Shop.Item", o.Class().Name())
	name, _ := o.Get("sku").Text()
	require.Equal(t, "A", name)
}

func TestWhatDoesNotMapSaysWhy(t *testing.T) {
	it := open(t, "store-mixed").Items()
	_, err := payload.Value[struct {
		Items []struct {
			Quantity string `net:"quantity"`
		} `net:"items"`
	}](it, "cart")
	require.ErrorIs(t, err, payload.ErrType)
	for _, part := range []string{`"cart"`, "items[0].quantity", "Int32", "string"} {
		require.ErrorContains(t, err, part)
	}
	_, err = payload.Value[int](it, "cart")
	require.ErrorIs(t, err, payload.ErrType)
	require.ErrorContains(t, err, `"cart"`)

	// A struct of another class does not replace an object behind C#'s back.
	require.ErrorIs(t, it.Set("cart", struct{ Elsewhere int }{1}), payload.ErrNoForm)
	require.ErrorIs(t, it.Set("cart", []string{"a"}), payload.ErrNoForm)
	_, err = payload.Value[*nrbf.Graph](it, "cart")
	require.NoError(t, err, "it is all still there")
	require.True(t, it.Remove("cart"))
	require.NoError(t, it.Set("cart", []string{"a"}))
}

// A stream that breaks off makes its item an error, and no other.
func TestABrokenObjectIsOneItemsError(t *testing.T) {
	src := open(t, "store-mixed").Items()
	whole, _ := src.Item("cart")
	broken := append(bytes.Clone(whole.Data[1:400]), 11)
	it := payload.NewItems(payload.Limits{})
	require.NoError(t, it.Set("ok", "fine"))
	require.NoError(t, it.Load("cart", payload.Stream, broken))
	_, err := payload.Value[cart](it, "cart")
	require.Error(t, err)
	require.ErrorContains(t, err, `"cart"`)
	require.ErrorContains(t, err, "offset")
	good(t, it, "ok", "fine")
	item, _ := it.Item("cart")
	require.Equal(t, broken, item.Data, "carried all the same")
}

// C# reads (DayOfWeek)Session["d"], and asks what type it is.
func TestAnIntegerOverAnEnumIsThatEnum(t *testing.T) {
	type weekday int32
	data, err := os.ReadFile("testdata/item-enum-dayofweek.bin")
	require.NoError(t, err)
	it, err := payload.OpenItems(data, payload.Limits{})
	require.NoError(t, err)
	key := ""
	for item := range it.All() {
		if item.Type() == payload.TypeObject {
			key = item.Key
		}
	}
	for i, v := range []any{3, weekday(3), int64(3)} {
		require.NoError(t, it.Set(key, v))
		o, err := payload.Value[*nrbf.Object](it, key)
		require.NoError(t, err, i)
		require.Equal(t, "System.DayOfWeek", o.Class().Name())
		good(t, it, key, weekday(3))
		require.NoError(t, it.Set(key, 4))
	}
	require.ErrorIs(t, it.Set(key, 1<<40), payload.ErrOverflow)
	good(t, it, key, weekday(4))
	require.NoError(t, it.Set(key, "a string replaces it"))
	good(t, it, key, "a string replaces it")
}

// A number of a Go type that stands for an enum is stored as that enum, over
// nothing and over a number; C# code that asks "is Colour" would not take an Int32.
func TestARegisteredEnumIsOne(t *testing.T) {
	type colour int32
	var types nrbf.Types
	require.NoError(t, nrbf.RegisterValue[colour](&types, "Rig.Colour", "RigModels"))
	it := payload.NewItems(payload.Limits{})
	it.SetTypes(&types)
	require.NoError(t, it.Set("number", 5))
	for _, key := range []string{"new", "number"} {
		require.NoError(t, it.Set(key, colour(6)))
		item, _ := it.Item(key)
		require.Equal(t, "Rig.Colour", item.TypeName(), key)
		got, err := payload.Value[colour](it, key)
		require.NoError(t, err)
		require.Equal(t, colour(6), got)
	}
	require.NoError(t, it.Set("int", int32(6)))
	item, _ := it.Item("int")
	require.Equal(t, "System.Int32", item.TypeName(), "another type with the same numbers underneath")
}
