package legacy_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aspsession/aspsession/session"
)

// A visitor's whole way through the shop, behind a proxy with another port.
func TestWalk(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	p := b.open("/catalogue.aspx")
	id := b.id()
	require.Regexp(t, "^[a-z0-5]{24}$", id)
	require.Equal(t, "ASP.NET on Mono", p.field(t, "served"))
	require.Equal(t, "0", p.field(t, "count"))
	require.Equal(t, "0.00 EUR", p.field(t, "total"))
	require.False(t, p.has("user"))
	require.False(t, p.has("notice"))

	p = b.press(p, "add TEA", nil)
	require.Equal(t, "/catalogue.aspx?added=TEA", p.url.RequestURI(), "loading it again adds nothing")
	require.Equal(t, "Darjeeling, 100 g is in your cart.", p.field(t, "notice"))
	p = b.press(p, "add CUP", nil)
	p = b.press(p, "add CUP", nil)
	p = b.press(p, "add TEA", nil)
	require.Equal(t, "4", p.field(t, "count"))
	require.Equal(t, "44.80 EUR", p.field(t, "total"))
	require.Equal(t, "CUP, TEA", p.field(t, "recent"), "the latest at the end, each once")

	p = b.press(b.open("/signin.aspx"), "sign in", map[string]string{"name": "  Ada "})
	require.Equal(t, "/catalogue.aspx", p.url.RequestURI())
	require.Equal(t, "Ada", p.field(t, "user"))
	require.Contains(t, p.text, `href="/signout.aspx"`)
	require.NotContains(t, p.text, `href="/signin.aspx"`)

	p = b.press(b.open("/cart.aspx"), "update", map[string]string{"qty TEA": "5", "qty CUP": " 1 "})
	require.Equal(t, "/cart.aspx?done=update", p.url.RequestURI())
	require.Equal(t, "Your cart is updated.", p.field(t, "notice"))
	require.Equal(t, "5", p.field(t, "qty TEA"))
	require.Equal(t, "1", p.field(t, "qty CUP"))
	require.Equal(t, "54.00 EUR", p.field(t, "total"))
	require.False(t, p.has("orders"))
	p = b.press(p, "remove TEA", nil)
	require.Equal(t, "The product is removed.", p.field(t, "notice"))
	require.False(t, p.has("qty TEA"))
	require.Equal(t, "14.50 EUR", p.field(t, "total"))
	p = b.press(p, "update", map[string]string{"qty CUP": "0"})
	require.False(t, p.has("qty CUP"))
	require.Equal(t, "0", p.field(t, "count"))
	require.Nil(t, p.find("data-button", "update"), "nothing to update")

	p = b.open("/prices.aspx")
	require.Contains(t, p.text, "Welcome, Ada.")
	require.Equal(t, "7.90 EUR", p.field(t, "price TEA"))
	require.Equal(t, "0", p.field(t, "orders"))

	require.Equal(t, id, b.id())
	p = b.press(b.open("/signout.aspx"), "sign out", nil)
	require.Equal(t, "/catalogue.aspx?done=signout", p.url.RequestURI())
	require.Equal(t, "You are signed out.", p.field(t, "notice"))
	require.False(t, p.has("user"))
	require.Equal(t, "0", p.field(t, "count"))
	_, err := w.store.Get(t.Context(), id)
	require.ErrorIs(t, err, session.ErrNotFound, "the session is gone")
}

// What the Go half sets is on the pages, and a currency is everywhere.
func TestPagesShowWhatGoSet(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	b.press(b.open("/catalogue.aspx"), "add POT", nil)
	w.set(t, b, "orders", 3)
	w.set(t, b, "lastOrder", "4 pieces & <more>")
	w.set(t, b, "currency", "CHF")
	for _, path := range []string{"/cart.aspx", "/prices.aspx"} {
		p := b.open(path)
		require.Equal(t, "3", p.field(t, "orders"))
		require.Equal(t, "4 pieces & <more>", p.field(t, "last order"))
		require.Contains(t, p.text, "64.00 CHF")
		require.NotContains(t, p.text, "EUR")
	}
}

// Enter in a field presses the first button of its form: that must be harmless.
func TestEnterUpdatesTheCart(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	b.press(b.open("/catalogue.aspx"), "add TIN", nil)
	for n := range b.open("/cart.aspx").doc.Descendants() {
		if kind, _ := attr(n, "type"); n.Type == html.ElementNode && kind == "submit" {
			button, _ := attr(n, "data-button")
			require.Equal(t, "update", button)
			return
		}
	}
	t.Fatal("no button")
}

// A cart's form outlives what is in the cart: other windows and the Go half
// change it.
func TestCartChangedMeanwhile(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	p := b.press(b.open("/catalogue.aspx"), "add TEA", nil)
	b.press(p, "add TIN", nil)
	old := b.open("/cart.aspx")
	b.press(p, "add POT", nil)
	b.press(b.open("/cart.aspx"), "remove TEA", nil)

	p = b.press(old, "update", map[string]string{"qty TEA": "9", "qty TIN": "2"})
	require.False(t, p.has("qty TEA"), "it stays removed")
	require.Equal(t, "2", p.field(t, "qty TIN"))
	require.Equal(t, "1", p.field(t, "qty POT"), "it came after the form")
	p = b.press(old, "update", map[string]string{"qty TIN": "many"})
	require.Equal(t, "2", p.field(t, "qty TIN"), "what is in the cart by now")
	require.True(t, p.has("qty POT"))

	b.press(b.open("/signout.aspx"), "sign out", nil)
	p = b.press(old, "update", nil)
	require.Equal(t, "Nothing was changed: there was no cart. Your session may have ended.", p.field(t, "problem"))
	require.False(t, p.has("notice"))
}

// The site is stopped and started: sessions are in the state service, and forms
// that visitors have open still count.
func TestRestartLosesNothing(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	p := b.press(b.open("/catalogue.aspx"), "add TEA", nil)
	require.NoError(t, w.app.Restart())
	p = b.press(p, "add TEA", nil)
	require.Equal(t, http.StatusOK, p.status, p.header)
	require.Equal(t, "2", p.field(t, "count"))
}
