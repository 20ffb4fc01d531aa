package main

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func number(t *testing.T, p *shown, field string) int {
	t.Helper()
	n, err := strconv.Atoi(p.Fields[field])
	require.NoError(t, err, "%s of %s", field, p.URL.Path)
	return n
}

// One visitor, one cart: what a half does, the other sees.
func TestWalkThroughBothHalves(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		before := number(t, v.ok("/catalogue.aspx"), "count")
		require.Equal(t, w.served, v.page.Fields["served"])
		id := v.id()
		v.press("add TEA")
		require.Equal(t, "Darjeeling, 100 g is in your cart.", v.page.Fields["notice"])
		v.press("add POT")
		require.Equal(t, before+2, number(t, v.page, "count"))
		total := v.page.Fields["total"]

		v.ok("/cart.aspx")
		require.Equal(t, "Go", v.page.Fields["served"])
		require.Equal(t, total, v.page.Fields["total"])
		require.Equal(t, "1", v.page.Fields["qty POT"])
		v.press("remove POT")
		require.Equal(t, "The product is removed.", v.page.Fields["notice"])
		require.NotContains(t, v.page.Fields, "qty POT")
		v.press("update", "qty TEA", " 12 ")
		require.Equal(t, "Your cart is updated.", v.page.Fields["notice"])
		require.Equal(t, "12", v.page.Fields["qty TEA"])
		total = v.page.Fields["total"]

		require.Equal(t, total, v.ok("/catalogue.aspx").Fields["total"], "C# casts and adds up what Go saved")
		v.ok("/signin.aspx")
		v.press("sign in", "name", "Grace")
		require.Equal(t, "Grace", v.page.Fields["user"])
		require.Equal(t, "Grace", v.ok("/cart.aspx").Fields["user"])
		cart, err := payload.Value[ShoppingCart](v.stored(), "cart")
		require.NoError(t, err)
		require.Equal(t, "Grace", cart.Owner)

		v.ok("/checkout.aspx")
		v.press("Place the order")
		require.Equal(t, "Thank you. Your order is placed.", v.page.Fields["notice"])
		require.Equal(t, "0", v.page.Fields["count"])
		order := v.page.Fields["last order"]
		require.Contains(t, order, total)
		v.ok("/prices.aspx")
		require.Equal(t, "1", v.page.Fields["orders"])
		require.Equal(t, order, v.page.Fields["last order"])
		item, _ := v.stored().Item("orders")
		require.Equal(t, payload.TypeInt32, item.Type(), "what C# casts with (int)")

		v.ok("/catalogue.aspx")
		v.press("add TIN")
		require.Equal(t, "5.25 EUR", v.page.Fields["total"], "C# goes on with the cart that Go emptied")
		require.Equal(t, "Grace", v.page.Fields["user"])
		require.Equal(t, id, v.id(), "one session all the way")
	})
}

// A cart that Go emptied line by line holds a list of nothing, and not null.
func TestLastLineRemovedInGo(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/catalogue.aspx")
		v.press("add TIN")
		v.ok("/cart.aspx")
		for len(v.page.Buttons) > 0 {
			for _, b := range v.page.Buttons {
				if strings.HasPrefix(b.Data, "remove ") {
					v.press(b.Data)
					break
				}
			}
		}
		require.Contains(t, v.page.Body, "There is nothing in it yet")
		w.move(t, "/cart.aspx", aspNet)
		require.Equal(t, "0.00 EUR", v.ok("/cart.aspx").Fields["total"])
		v.ok("/signin.aspx")
		v.press("sign in", "name", "Bob") // saves the empty cart
		v.press("add TEA")
		require.Equal(t, "7.90 EUR", v.page.Fields["total"])
	})
}

func TestCartMovesThereAndBack(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/catalogue.aspx")
		v.press("add CUP")
		id, qty := v.id(), number(t, v.ok("/cart.aspx"), "qty CUP")
		require.Equal(t, "Go", v.ok("/").Fields["half /cart.aspx"])
		t.Cleanup(func() { require.NoError(t, w.front.routes.move("/cart.aspx", inGo)) })
		for i, half := range []string{"ASP.NET", "Go", "ASP.NET", "Go"} {
			v.ok("/")
			v.press("move /cart.aspx to " + half)
			require.Equal(t, half, v.page.Fields["half /cart.aspx"])
			v.ok("/cart.aspx")
			require.Equal(t, map[string]string{"ASP.NET": w.served, "Go": "Go"}[half], v.page.Fields["served"])
			require.Equal(t, qty+i, number(t, v.page, "qty CUP"))
			v.press("update", "qty CUP", strconv.Itoa(qty+i+1))
		}
		require.Equal(t, id, v.id())
	})
}

// A tab with the old half's page is open when the page moves to Go: its form is
// not taken for one that changes nothing.
func TestFormFromBeforeTheMove(t *testing.T) {
	w := worldOf(t, modeASPNET)
	w.move(t, "/cart.aspx", aspNet)
	v := w.guest(t)
	v.ok("/catalogue.aspx")
	v.press("add TEA")
	v.ok("/cart.aspx")
	before := v.bytesOf()
	w.move(t, "/cart.aspx", inGo)
	v.press("update", "qty TEA", "7")
	require.Equal(t, "Go", v.page.Fields["served"])
	require.NotContains(t, v.page.Fields, "notice")
	require.Contains(t, v.page.Fields["problem"], "Nothing was changed")
	require.Equal(t, before, v.bytesOf())
}

// The first page is in Go, and ASP.NET's Session_Start has run before it.
func TestFirstVisitInGo(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		for _, path := range []string{"/cart.aspx", "/checkout.aspx"} {
			v := w.guest(t)
			require.Regexp(t, ` EUR$`, v.ok(path).Fields["total"])
			items := v.stored()
			by, err := payload.Value[string](items, "startedBy")
			require.NoError(t, err)
			require.Equal(t, "ASP.NET", by)
			require.True(t, items.Has("prefs"))
			id := v.id()
			require.Equal(t, w.served, v.ok("/catalogue.aspx").Fields["served"])
			require.Equal(t, id, v.id(), "the other half takes the session as it is")
		}
	})
}

func TestWhatGoDoesNotKnowStays(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/catalogue.aspx")
		v.press("add TEA")
		before := v.bytesOf()
		require.Contains(t, before, "recent")
		for i := range 20 {
			v.ok("/cart.aspx")
			v.press("update", "qty TEA", strconv.Itoa(i+50))
		}
		after := v.bytesOf()
		require.NotEqual(t, before["cart"], after["cart"])
		delete(before, "cart")
		delete(after, "cart")
		require.Equal(t, before, after)
	})
}

// Requests of one visitor to both halves at once take turns: nothing is lost.
func TestBothHalvesAtOnce(t *testing.T) {
	const workers, each = 2, 4
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/catalogue.aspx")
		v.press("add TIN")
		v.ok("/cart.aspx")
		v.press("update", "qty TIN", "1")
		cart := v.page
		catalogue := v.ok("/catalogue.aspx")
		errs := make(chan error, 2*workers)
		for range workers {
			for on, label := range map[*shown]string{catalogue: "add TIN", cart: "update"} {
				go func() {
					var err error
					for range each {
						req, rerr := on.request(t.Context(), label)
						if rerr == nil && label == "update" { // with no field: it saves the cart as it is
							req.Body, req.ContentLength = http.NoBody, 0
						}
						if rerr == nil {
							_, rerr = v.browser.do(req)
						}
						err = errors.Join(err, rerr)
					}
					errs <- err
				}()
			}
		}
		for range 2 * workers {
			require.NoError(t, <-errs)
		}
		require.Equal(t, strconv.Itoa(1+workers*each), v.ok("/cart.aspx").Fields["qty TIN"])
	})
}

// Enter in a field presses the first button of its form: that must be harmless.
func TestEnterUpdatesTheCart(t *testing.T) {
	w := worldOf(t, modeGo)
	v := w.guest(t)
	v.ok("/catalogue.aspx")
	v.press("add TEA")
	v.ok("/cart.aspx")
	require.Equal(t, "Go", v.page.Fields["served"])
	require.Equal(t, "update", v.page.Buttons[0].Data)
}

func TestBadQuantitiesChangeNothing(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		for _, half := range []half{inGo, aspNet} {
			t.Run(string(half), func(t *testing.T) {
				w.move(t, "/cart.aspx", half)
				v := w.guest(t)
				v.ok("/catalogue.aspx")
				v.press("add TEA")
				v.press("add TIN")
				v.ok("/cart.aspx")
				form, before := v.page, v.bytesOf()
				for _, bad := range []string{"", "-1", "1.5", "100", "1e1", "0x10", "99999999999999999999", "two", "<b>1</b>", "+3", "１"} {
					v.page = form
					v.press("update", "qty TIN", "9", "qty TEA", bad)
					require.Contains(t, v.page.Fields["problem"], "Darjeeling, 100 g: the quantity must be a whole number from 0 to 99.", "%q", bad)
					require.NotContains(t, v.page.Body, "<b>1")
					require.Equal(t, before, v.bytesOf(), "%q changed something", bad)
				}
				v.page = form
				v.press("update", "qty TIN", "9", "qty TEA", "0")
				require.NotContains(t, v.page.Fields, "qty TEA", "0 removes the line")
				require.Equal(t, "9", v.page.Fields["qty TIN"])
			})
		}
	})
}

func TestFormsThatAreNoForms(t *testing.T) {
	w := worldOf(t, modeGo)
	v := w.guest(t)
	v.ok("/cart.aspx")
	before := v.bytesOf()
	for _, body := range []string{
		"qty_TEA=" + strings.Repeat("1", 2*maxForm),
		"%zz=1", "qty_TEA=%ff%fe",
	} {
		req, err := http.NewRequest(http.MethodPost, w.url+"/cart.aspx", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		v.do(req)
		require.Equal(t, http.StatusUnprocessableEntity, v.page.Status, "%.20s", body)
		require.NotEmpty(t, v.page.Fields["problem"])
		require.Equal(t, before, v.bytesOf())
	}
	req, err := http.NewRequest(http.MethodDelete, w.url+"/cart.aspx", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusMethodNotAllowed, v.do(req).Status)
	require.Equal(t, "GET, HEAD, POST", v.page.Header.Get("Allow"))
}

func TestNothingToOrder(t *testing.T) {
	w := worldOf(t, modeGo)
	v := w.guest(t)
	v.ok("/checkout.aspx")
	form := v.page
	v.press("order")
	v.page = form // in another tab
	require.Contains(t, v.press("order").Fields["problem"], "nothing in your cart")
	require.Equal(t, "1", v.page.Fields["orders"])
}

func TestNamesAreToldAndEscaped(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/signin.aspx")
		form, user := v.page, v.page.Fields["user"]
		for name, says := range map[string]string{"": "Please enter a name.", "   ": "Please enter a name.", strings.Repeat("n", 41): "40 characters"} {
			v.page = form
			require.Contains(t, v.press("sign in", "name", name).Fields["problem"], says)
			require.Equal(t, user, v.ok("/cart.aspx").Fields["user"])
		}
		for _, name := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=a>`, `&lt;b&gt; {{.}} <%= 1 %>`, `Zoë 漢字 🍵`, strings.Repeat("é", 40)} {
			v.ok("/signin.aspx")
			v.press("sign in", "name", name)
			for _, path := range []string{"/catalogue.aspx", "/cart.aspx", "/prices.aspx", "/checkout.aspx", "/bytes"} {
				v.ok(path)
				require.Equal(t, name, v.page.Fields["user"], path)
				require.NotContains(t, v.page.Body, "<script>alert")
				require.NotContains(t, v.page.Body, "<img")
			}
		}
	})
}

func TestVisitorsAreApart(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		ann, bob := w.guest(t), w.guest(t)
		for v, name := range map[*guest]string{ann: "Ann", bob: "Bob"} {
			v.ok("/signin.aspx")
			v.press("sign in", "name", name)
		}
		ann.press("add POT")
		require.NotEqual(t, ann.id(), bob.id())
		require.Equal(t, "Ann", ann.ok("/cart.aspx").Fields["user"])
		require.Equal(t, "1", ann.page.Fields["qty POT"])
		require.Equal(t, "Bob", bob.ok("/cart.aspx").Fields["user"])
		require.NotContains(t, bob.page.Fields, "qty POT")
		require.NotEqual(t, ann.ok("/bytes").Fields["session"], bob.ok("/bytes").Fields["session"])
	})
}

// Whichever half ends the session, it is over for both.
func TestSignOutEndsBoth(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		for _, half := range []half{aspNet, inGo} {
			t.Run(string(half), func(t *testing.T) {
				w.move(t, "/signout.aspx", half)
				v := w.guest(t)
				v.ok("/signin.aspx")
				v.press("sign in", "name", "Eve")
				v.press("add TEA")
				id := v.id()
				v.ok("/signout.aspx")
				require.Equal(t, half == inGo, v.page.Fields["served"] == "Go")
				v.press("sign out")
				require.Equal(t, "/catalogue.aspx", v.page.URL.Path)
				for _, path := range []string{"/catalogue.aspx", "/cart.aspx"} {
					require.NotContains(t, v.ok(path).Fields, "user", path)
					require.Equal(t, "0", v.page.Fields["count"], path)
				}
				other := w.guest(t)
				other.client.Jar = nil
				req, err := http.NewRequest(http.MethodGet, w.url+"/cart.aspx", nil)
				require.NoError(t, err)
				req.Header.Set("Cookie", cookieName+"="+id)
				require.NotEqual(t, "Eve", other.do(req).Fields["user"], "the old id opens nothing of hers")
			})
		}
	})
}

// Session and form are from yesterday: the visitor is told, and nothing is put
// into the session that begins.
func TestExpiredSession(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/catalogue.aspx")
		v.press("add POT")
		v.ok("/cart.aspx")
		require.NoError(t, w.store.Remove(t.Context(), v.id(), session.Lock{}))
		v.press("update", "qty POT", "7")
		require.Contains(t, v.page.Fields["problem"], "your session had ended")
		require.NotContains(t, v.page.Fields, "qty POT")
		require.True(t, v.stored().Has("currency"), "the new session was started by ASP.NET")

		v.ok("/catalogue.aspx")
		v.press("add TEA")
		v.ok("/checkout.aspx")
		require.NoError(t, w.store.Remove(t.Context(), v.id(), session.Lock{}))
		v.press("order")
		require.Contains(t, v.page.Fields["problem"], "your session had ended")
		require.NotContains(t, v.page.Fields, "orders")
	})
}

func TestUnknownAndImpossibleIDs(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		for _, id := range []string{"abcdefghijklmnopqrstuvwx", "../../etc", "", "<script>", strings.Repeat("a", 3000)} {
			for _, path := range []string{"/cart.aspx", "/catalogue.aspx"} {
				v := w.guest(t)
				req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
				require.NoError(t, err)
				req.Header.Set("Cookie", cookieName+"="+id)
				require.Equal(t, http.StatusOK, v.do(req).Status, "%.30q %s", id, path)
				require.Contains(t, v.page.Fields["total"], " EUR")
			}
		}
		_ = w.store.Remove(t.Context(), "abcdefghijklmnopqrstuvwx", session.Lock{})
	})
}

func TestBrowserWithoutCookies(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.client.Jar = nil
		require.Contains(t, v.ok("/cart.aspx").Fields["total"], " EUR")
		req, err := http.NewRequest(http.MethodPost, w.url+"/cart.aspx", strings.NewReader("qty_TEA=3"))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		require.Contains(t, v.do(req).Fields["problem"], "did not send its cookie")
		v.ok("/catalogue.aspx")
		require.Equal(t, http.StatusOK, v.press("add TEA").Status)
		require.Contains(t, v.ok("/bytes").Body, "You have no session yet")
	})
}
