package legacy_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/examples/migration/legacy"
)

// What cannot be a quantity is told on the page, with what was typed, and changes
// nothing, not even the lines that were right.
func TestBadQuantities(t *testing.T) {
	w := enter(t)
	b := fill(t, w)
	before, ok := w.stored(t, b).Payload.Items().Item("cart")
	require.True(t, ok)
	cart := string(before.Data)
	for _, typed := range []string{"abc", "-1", "100", "99999", "99999999999999999999", "", " ", "1.5", "1,5", "+1", "0x1", "٣", "1e1", `"><b>`} {
		p := b.press(b.open("/cart.aspx"), "update", map[string]string{"qty TEA": "7", "qty CUP": typed})
		require.Equal(t, http.StatusOK, p.status, "%q: %s", typed, p.header)
		require.Equal(t, "Stoneware cup: the quantity must be a whole number from 0 to 99.", p.field(t, "problem"), "%q", typed)
		require.Equal(t, "1", p.field(t, "qty TEA"))
		require.Equal(t, "2", p.field(t, "qty CUP"))
		require.Equal(t, "36.90 EUR", p.field(t, "total"))
		for sku, want := range map[string]string{"CUP": typed, "TEA": "7"} {
			box := p.find("data-input", "qty "+sku)
			require.NotNil(t, box)
			shown, _ := attr(box, "value")
			_, marked := attr(box, "aria-invalid")
			require.Equal(t, sku == "CUP", marked)
			require.Equal(t, want, shown)
		}
		after, ok := w.stored(t, b).Payload.Items().Item("cart")
		require.True(t, ok)
		require.Equal(t, cart, string(after.Data), "%q", typed)
	}
}

// The 100th piece is refused.
func TestTooManyPieces(t *testing.T) {
	w := enter(t)
	b := fill(t, w)
	b.press(b.open("/cart.aspx"), "update", map[string]string{"qty TEA": "98"})
	p := b.press(b.open("/catalogue.aspx"), "add TEA", nil)
	require.False(t, p.has("problem"))
	p = b.press(p, "add TEA", nil)
	require.Equal(t, "Darjeeling, 100 g: 99 pieces are the most that one order may have.", p.field(t, "problem"))
	require.Equal(t, "101", p.field(t, "count"))
	require.False(t, b.open("/catalogue.aspx?added=NOPE").has("notice"))
}

// Names are told apart from bad ones, and shown as they are.
func TestNames(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	for name, want := range map[string]string{
		"":                      "Please enter a name.",
		" \t ":                  "Please enter a name.",
		strings.Repeat("x", 41): "A name has 40 characters at most.",
	} {
		p := b.press(b.open("/signin.aspx"), "sign in", map[string]string{"name": name})
		require.Equal(t, want, p.field(t, "problem"))
		require.False(t, p.has("user"))
		require.False(t, w.stored(t, b).Payload.Items().Has("user"))
	}
	for _, name := range []string{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "O'Neil & Söhne 漢字 😀", "{{.}} <% x %>", strings.Repeat("ü", 40)} {
		p := b.press(b.open("/signin.aspx"), "sign in", map[string]string{"name": name})
		require.Equal(t, name, p.field(t, "user"))
		for _, path := range []string{"/signin.aspx", "/signout.aspx", "/cart.aspx"} {
			require.Equal(t, name, b.open(path).field(t, "user")) // and every page is checked for scripts
		}
		p = b.open("/prices.aspx")
		require.Equal(t, "Welcome, "+name+". This page only reads the session: it waits for nobody who works in it.", p.field(t, "welcome"))
	}
}

// A page that throws is a 500 that tells the proxy why and the visitor nothing,
// and the session is neither lost nor left locked.
func TestPageThrows(t *testing.T) {
	w := enter(t)
	b := fill(t, w)
	for _, visitor := range []*browser{b, newBrowser(t, w)} {
		p := visitor.get("/broken.aspx")
		require.Equal(t, http.StatusInternalServerError, p.status)
		require.Equal(t, "the stock database is not there", p.header.Get(legacy.ErrorHeader))
		require.Equal(t, "ASP.NET on Mono", p.field(t, "served"))
		require.Contains(t, p.field(t, "problem"), "Something went wrong here.")
		for _, secret := range []string{"stock database", "Exception", ".aspx.cs", "line ", "broken"} {
			require.NotContains(t, p.text, secret)
		}
	}
	require.Equal(t, 7, w.stored(t, b).Payload.Items().Len())
	require.Equal(t, "36.90 EUR", b.open("/cart.aspx").field(t, "total"))
}

// An item of another type than the pages cast to: they say so, and do not replace
// it.
func TestForeignCart(t *testing.T) {
	w := enter(t)
	b := fill(t, w)
	w.set(t, b, "cart", "no cart\r\nat all")
	for _, path := range []string{"/cart.aspx", "/catalogue.aspx"} {
		p := b.get(path)
		require.Equal(t, http.StatusInternalServerError, p.status)
		require.NotEmpty(t, p.header.Get(legacy.ErrorHeader))
	}
	item, ok := w.stored(t, b).Payload.Items().Item("cart")
	require.True(t, ok)
	require.Equal(t, "System.String", item.TypeName())
}

// A form that this site did not sign is refused.
func TestForgedForm(t *testing.T) {
	w := enter(t)
	b := fill(t, w)
	for _, field := range []string{"__VIEWSTATE", "__EVENTVALIDATION"} {
		action, fields := b.open("/cart.aspx").form(t, "remove CUP", nil)
		fields.Set(field, "AAAA"+fields.Get(field)[4:])
		p := b.read(b.client.PostForm(action, fields))
		require.Equal(t, http.StatusInternalServerError, p.status, field)
		require.NotEmpty(t, p.header.Get(legacy.ErrorHeader))
	}
	require.Equal(t, "36.90 EUR", b.open("/cart.aspx").field(t, "total"))
}

// What is no page is not served.
func TestOnlyPagesAreServed(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	for path, want := range map[string]int{
		"/nope.aspx": http.StatusNotFound, "/": http.StatusNotFound, "/web.config": http.StatusForbidden, "/Global.asax": http.StatusForbidden,
		"/bin/Shop.dll": http.StatusForbidden, "/BIN/shop.DLL": http.StatusForbidden, "/Site.master": http.StatusForbidden,
		"/x.rem": http.StatusForbidden, "/X.REM": http.StatusForbidden, "/x.rem/y": http.StatusForbidden, "/x.soap": http.StatusForbidden, "/RemoteApplicationMetadata.rem": http.StatusForbidden,
	} {
		p := b.get(path)
		require.Equal(t, want, p.status, path)
		require.Empty(t, p.header.Get(legacy.ErrorHeader))
		require.NotContains(t, p.text, "runat", path)
	}
}
