package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/chromium"
)

// A visitor with a real browser fills the cart on one half, changes it on the
// other and checks out. The screenshots are those of the guide: see package
// chromium for where they go.
func TestChromium(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		b := chromium.Start(t, chromium.Options{})
		shot := func(name string) {
			if w.served == "ASP.NET on Mono" {
				b.Screenshot(name)
			}
		}
		b.Visit(w.url + "/signin.aspx")
		b.Fill(`[data-input="name"]`, "Ada Lovelace")
		b.Click(`[data-button="sign in"]`)
		b.Click(`[data-button="add TEA"]`)
		b.Click(`[data-button="add POT"]`)
		require.Equal(t, w.served, b.Text(`[data-field="served"]`))
		require.Equal(t, "Cast-iron pot is in your cart.", b.Text(`[data-field="notice"]`))
		shot("legacy")

		b.Click(`nav a[href="/cart.aspx"]`)
		require.Equal(t, "Go", b.Text(`[data-field="served"]`))
		b.Fill(`[data-input="qty TEA"]`, "3")
		b.Click(`[data-button="update"]`)
		require.Equal(t, "3", b.Text(`[data-field="qty TEA"]`))
		total := b.Text(`[data-field="total"]`)
		shot("go")

		b.Visit(w.url + "/")
		shot("front")
		b.Visit(w.url + "/bytes")
		require.Equal(t, "Go", b.Text(`[data-field="cart by"]`))
		shot("bytes")

		b.Visit(w.url + "/checkout.aspx")
		b.Click(`[data-button="order"]`)
		require.Contains(t, b.Text(`[data-field="last order"]`), total)
		b.Click(`nav a[href="/prices.aspx"]`)
		require.Equal(t, w.served, b.Text(`[data-field="served"]`))
		require.Equal(t, "1", b.Text(`[data-field="orders"]`))

		var refused int // what the policy of the front keeps the pages from
		b.Eval(`performance.getEntriesByType("resource").filter(r => r.responseStatus >= 400).length`, &refused)
		require.Zero(t, refused)
	})
}
