package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

func decimal(t *testing.T, s string) clr.Decimal {
	d, err := clr.ParseDecimal(s)
	require.NoError(t, err)
	return d
}

func TestTotalIsExact(t *testing.T) {
	for _, row := range []struct {
		want  string
		lines []CartLine
	}{
		{"0.00", nil},
		{"0.30", []CartLine{{Qty: 1, Price: decimal(t, "0.1")}, {Qty: 1, Price: decimal(t, "0.2")}}},
		{"29.65", []CartLine{{Qty: 2, Price: decimal(t, "7.90")}, {Qty: 1, Price: decimal(t, "13.85")}}},
		{"0.0099", []CartLine{{Qty: 99, Price: decimal(t, "0.0001")}}},
		{"-7.90", []CartLine{{Qty: -1, Price: decimal(t, "7.90")}}},
		{"90071992547409.93", []CartLine{{Qty: 1, Price: decimal(t, "90071992547409.93")}}}, // no float64
	} {
		total, err := ShoppingCart{Lines: row.lines}.Total()
		require.NoError(t, err)
		require.Equal(t, row.want, total.String())
	}
	largest := decimal(t, "79228162514264337593543950335")
	_, err := ShoppingCart{Lines: []CartLine{{Qty: 99, Price: largest}}}.Total()
	require.ErrorIs(t, err, clr.ErrDecimal, "as C# overflows")
}

func TestCartKeepsItsLimits(t *testing.T) {
	cart := newCart("Ada")
	tea, _ := findProduct("TEA")
	for range maxQty {
		require.True(t, cart.Add(tea))
	}
	require.False(t, cart.Add(tea))
	require.Equal(t, maxQty, cart.Count())
	cart.SetQty("POT", 3)
	require.Equal(t, maxQty, cart.Count(), "what is not in the cart stays out")
	cart.SetQty("TEA", 0)
	require.Empty(t, cart.Lines)
	require.NotNil(t, cart.Lines, "null is no List to C#")
	_, ok := findProduct("tea")
	require.False(t, ok)
}

// The struct maps the class that the pages stored, and saves it unchanged to the
// byte where nothing changed.
func TestCartIsTheCapturedClass(t *testing.T) {
	p, err := payload.Open(legacy.Captured(), payload.Limits{})
	require.NoError(t, err)
	item, ok := p.Items().Item("cart")
	require.True(t, ok)
	require.Equal(t, legacy.CartClass, item.TypeName())
	before := strings.Clone(string(item.Data))

	cart, err := payload.Value[ShoppingCart](p.Items(), "cart")
	require.NoError(t, err)
	require.Len(t, cart.Lines, 2)
	require.Equal(t, "Ada", cart.Owner)
	require.False(t, cart.Created.IsZero())
	for _, line := range cart.Lines {
		product, ok := findProduct(line.Sku)
		require.True(t, ok)
		require.Equal(t, product, asProduct(line))
		require.Positive(t, line.Qty)
	}
	require.NoError(t, p.Items().Set("cart", cart))
	item, _ = p.Items().Item("cart")
	require.Equal(t, before, string(item.Data))
}

func asProduct(l CartLine) product { return product{l.Sku, l.Name, l.Price} }

// A cart that Go begins has the members of one that C# began.
func TestNewCartHasTheClassOfTheCapture(t *testing.T) {
	types, err := cartTypes()
	require.NoError(t, err)
	cart := newCart("Ada")
	cart.Add(catalogue[0])
	mine, err := types.Marshal(cart)
	require.NoError(t, err)

	p, err := payload.Open(legacy.Captured(), payload.Limits{})
	require.NoError(t, err)
	item, _ := p.Items().Item("cart")
	theirs, err := item.Decode(nil)
	require.NoError(t, err)
	shape := func(stream []byte) map[string]string {
		g, err := nrbf.Decode(stream, nrbf.Options{})
		require.NoError(t, err)
		root := g.Root().Object()
		m := map[string]string{"": root.Class().Name() + ", " + root.Class().Library()}
		for name, v := range root.Members() {
			m[name] = v.Kind().String()
			if o := v.Object(); o != nil {
				m[name] = o.Class().Name()
			}
		}
		return m
	}
	require.Equal(t, shape(theirs.(payload.Object)), shape(mine))
}
