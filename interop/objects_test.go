package interop_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/session"
)

// The C# classes of the pages, in Go. AdminUser's private and inherited members
// are not mapped.
type (
	shoppingCart struct {
		Lines   []cartLine `net:"lines,list=Rig.CartLine"`
		Owner   string
		Created time.Time
	}
	cartLine struct {
		Sku   string `net:"Sku,key"`
		Qty   int
		Price clr.Decimal
	}
	point2    struct{ X, Y int32 }
	colour    int32
	rights    uint8
	adminUser struct {
		Favourite colour
		Age       *int32
	}
)

const models = "RigModels, Version=0.0.0.0, Culture=neutral, PublicKeyToken=null"

// Objects that C# stored and Go changed, and objects that Go made, are cast and
// used by C# code: thirteen types.
func TestObjectsByGoAreUsedByPages(t *testing.T) {
	var types nrbf.Types
	require.NoError(t, registerModels(&types))
	each(t, func(t *testing.T, w *world) {
		m, err := middleware.New(w.store, middleware.Options{Session: session.Options{Types: &types}})
		require.NoError(t, err)
		page := w.pageOn(t, m, session.ReadWrite, changeObjects)
		v := newVisitor(t)
		require.Equal(t, "stored 7\n", v.get(w.a.URL("objects.aspx")))
		require.Equal(t, "changed", v.get(page))
		const want = `cart bob SKU-1x5@9.99,SKU-2x1@100,SKU-GOx3@1.10,SKU-Cx1@0.50 = 153.75 2024-01-02T03:04:05 Unspecified
dict from=C#,go=added,theme=light has go: True
list first,a,bb,Go,C# 5
point 30,-4
colour Blue
admin Blue Read 34 7 9
array 106
strings a|null|ü
bytes 00-01-FF
numbers 1|2|3|99
counts a=1,b=3,c=3
decimals 1.75
times 2024-02-29T12:34:56
carts x:3.00 y:1.00
`
		require.Contains(t, v.get(w.b.URL("check.aspx")), "colour : Rig.Colour = Blue\n", "an enum stays one")
		require.Equal(t, want, v.get(w.b.URL("cast.aspx")))

		// C# has changed them again, and Go reads that.
		read := w.pageOn(t, m, session.ReadOnly, func(_ context.Context, s *session.Session) (string, error) {
			cart, err := session.Value[shoppingCart](s, "cart")
			if err != nil {
				return "", err
			}
			require.Len(t, cart.Lines, 4)
			require.Equal(t, cartLine{"SKU-C", 1, clr.NewDecimal(50, 2)}, cart.Lines[3])
			dict, err := session.Value[map[string]string](s, "dict")
			require.Equal(t, map[string]string{"theme": "light", "go": "added", "from": "C#"}, dict)
			return "read", err
		})
		require.Equal(t, "read", v.get(read))
	})
}

func changeObjects(_ context.Context, s *session.Session) (string, error) {
	cart, err := session.Value[shoppingCart](s, "cart")
	if err != nil {
		return "", err
	}
	cart.Owner = "bob"
	cart.Lines[0].Qty = 5
	cart.Lines = append(cart.Lines, cartLine{"SKU-GO", 3, clr.NewDecimal(110, 2)})
	dict, err := session.Value[map[string]string](s, "dict")
	if err != nil {
		return "", err
	}
	dict["go"], dict["theme"] = "added", "light"
	list, err := session.Value[[]string](s, "list")
	if err != nil {
		return "", err
	}
	point, err := session.Value[point2](s, "point")
	if err != nil {
		return "", err
	}
	point.X = 30
	admin, err := session.Value[adminUser](s, "admin")
	if err != nil {
		return "", err
	}
	admin.Favourite = 6
	*admin.Age++
	array, err := session.Value[[]int](s, "array")
	if err != nil {
		return "", err
	}
	two := "ü"
	one := "a"
	line := cartLine{"S", 2, clr.NewDecimal(150, 2)}
	made := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, set := range []struct {
		key   string
		value any
	}{
		{"cart", cart}, {"dict", dict}, {"list", append(list, "Go")}, {"point", point}, {"colour", colour(6)}, {"admin", admin}, {"array", append(array, 100)},
		{"strings", []*string{&one, nil, &two}}, {"bytes", []byte{0, 1, 255}}, {"numbers", nrbf.AsList[int32]{1, 2, 3}},
		{"counts", map[string]int32{"a": 1, "b": 2}}, {"decimals", []clr.Decimal{clr.NewDecimal(150, 2), clr.NewDecimal(25, 2)}},
		{"times", []time.Time{time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC)}},
		{"carts", []shoppingCart{{Lines: []cartLine{line}, Owner: "x", Created: made}, {Owner: "y", Created: made, Lines: []cartLine{}}}},
	} {
		if err := s.Set(set.key, set.value); err != nil {
			return "", err
		}
	}
	return "changed", nil
}
