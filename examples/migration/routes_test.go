package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLookup(t *testing.T) {
	table := newRoutes()
	for path, want := range map[string]half{
		"/cart.aspx":           inGo,
		"/Cart.ASPX":           inGo,
		"//cart.aspx":          inGo,
		"/./cart.aspx":         inGo,
		"/shop/../cart.aspx":   inGo,
		`/shop\..\cart.aspx`:   inGo,
		"/../../checkout.aspx": inGo,
		"/catalogue.aspx":      aspNet,
		"/":                    aspNet, // the front's own, before the table is asked
		"":                     aspNet,
		"/unknown.aspx":        aspNet,
		"/cart.aspx/more":      inGo,
		"/CART.aspx/a/b.aspx":  inGo,
		"/cart.aspx/":          inGo,
		"/cart.aspxx":          aspNet,
		"/more/cart.aspx":      aspNet,
		"/cart.aspx ":          aspNet,
		"/cart.asp":            aspNet,
		"/sub/cart.aspx":       aspNet,
		"/chec\u212aout.aspx":  aspNet, // the Kelvin sign, which folds to k
		"/cart%2Easpx":         aspNet, // decoded once already
		"/" + strings.Repeat("../", 1000) + "cart.aspx": inGo,
	} {
		require.Equal(t, want, table.lookup(path).Half, "%.60q", path)
	}
}

// Every page of the table is one that its half has.
func TestTableAndPagesAgree(t *testing.T) {
	w := worldOf(t, modeGo)
	for _, r := range table {
		require.Equal(t, lower(r.Path), r.Path)
		_, has := w.front.goHalf[r.Path]
		require.True(t, has || r.Half == aspNet, "%s is given to Go, which has no such page", r.Path)
	}
	for _, page := range onBoth {
		require.Contains(t, w.front.goHalf, page)
		require.Equal(t, page, w.front.routes.lookup(page).Path, "%s is not in the table", page)
	}
}

func TestOnlySharedPagesMove(t *testing.T) {
	table := newRoutes()
	require.NoError(t, table.move("/cart.aspx", aspNet))
	require.Equal(t, aspNet, table.lookup("/cart.aspx").Half)
	require.Equal(t, inGo, newRoutes().lookup("/cart.aspx").Half, "a move changes a copy")
	for _, bad := range []route{
		{"/checkout.aspx", aspNet}, {"/catalogue.aspx", inGo}, {"/Cart.aspx", inGo}, {"/nothing.aspx", inGo}, {"", ""},
		{"/cart.aspx", ""}, {"/cart.aspx", "go"}, {"/cart.aspx", "elsewhere"},
	} {
		require.ErrorContains(t, table.move(bad.Path, bad.Half), "no page that both halves have", "%v", bad)
	}
	require.Equal(t, aspNet, table.lookup("/cart.aspx").Half)

	v := worldOf(t, modeGo).guest(t)
	form := url.Values{"move": {"/checkout.aspx"}, "to": {"ASP.NET"}}
	req, err := http.NewRequest(http.MethodPost, v.base+"/", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusUnprocessableEntity, v.do(req).Status)
}

func TestPathsWithoutCase(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/CATALOGUE.aspx")
		v.press("add CUP")
		for path, served := range map[string]string{
			"/Cart.aspx": "Go", "/CART.ASPX": "Go", "/%63art.aspx": "Go", "/CheckOut.Aspx": "Go",
			"/cart.aspx/more": "Go", "/cart.aspx%2Fmore": "Go", "/Prices.aspx/more": w.served,
			"/Catalogue.ASPX": w.served, "/PRICES.aspx": w.served, "/%50rices.aspx": w.served,
		} {
			require.Equal(t, served, v.ok(path).Fields["served"], path)
		}
		v.ok("/CART.aspx")
		v.press("update", "qty CUP", "8")
		require.Equal(t, "8", v.ok("/cart.aspx").Fields["qty CUP"])
		require.Equal(t, w.served, v.ok("/catalogue.aspx").Fields["served"])
		require.Equal(t, http.StatusNotFound, v.get("/nothing.aspx").Status, "the legacy half's own answer")
		require.Equal(t, w.served, v.page.Fields["served"])
	})
}

// What ASP.NET would refuse with a stack trace, or never answer, does not reach
// it.
func TestImpossiblePaths(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		for _, path := range []string{"/cart.aspx:x", "/a*b", "/%3Cb%3E", "/a%3Fb", "/a&b", "/cart%252Easpx", "/cart.aspx%00", "/web.config%00.html", "/a%0D%0Ab"} {
			require.Equal(t, http.StatusBadRequest, v.get(path).Status, path)
			require.Equal(t, "Go, the proxy in front", v.page.Fields["served"], path)
			require.NotContains(t, v.page.Body, "Exception")
		}
	})
}

// A probe in the legacy half's place sees what the proxy hands on.
func TestWhatTheLegacyHalfIsSent(t *testing.T) {
	var got *http.Request
	probe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(t.Context())
		w.Header().Set("Connection", "X-Private")
		w.Header().Set("X-Private", "of this hop")
		w.Header().Set("X-Legacy-Error", "not for visitors")
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: "abc", Path: "/"})
	}))
	defer probe.Close()
	w := ownWorld(t, &legacyHalf{mode: modeASPNET, start: func(string) (server, error) { return newFake(probe.URL), nil }})
	w.waitFor(t, up)
	req, err := http.NewRequest(http.MethodGet, w.url+"/Old%20Page.aspx?q=1&q=%2F", nil)
	require.NoError(t, err)
	req.Host = "shop.example:8080"
	for name, value := range map[string]string{
		"aspfiltersessionid": "abcdefghijklmnopqrstuvwx", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example",
		"Forwarded": "for=evil", "Connection": "X-Hop", "X-Hop": "1", "Cookie": "a=b; " + cookieName + "=xyz", "X-Other": "stays",
	} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, "shop.example:8080", got.Host)
	require.Equal(t, "/Old%20Page.aspx?q=1&q=%2F", got.RequestURI)
	require.Equal(t, "127.0.0.1", got.Header.Get("X-Forwarded-For"))
	require.Equal(t, "shop.example:8080", got.Header.Get("X-Forwarded-Host"))
	require.Equal(t, "http", got.Header.Get("X-Forwarded-Proto"))
	require.Equal(t, "a=b; "+cookieName+"=xyz", got.Header.Get("Cookie"))
	require.Equal(t, "stays", got.Header.Get("X-Other"))
	for _, gone := range []string{"AspFilterSessionId", "X-Hop", "Forwarded"} {
		require.Empty(t, got.Header.Get(gone), gone)
	}
	require.Empty(t, resp.Header.Get("X-Private"))
	require.Empty(t, resp.Header.Get("X-Legacy-Error"))
	require.Equal(t, cookieName+"=abc; Path=/", resp.Header.Get("Set-Cookie"))
	require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
}

// The Go half is not sent the header either.
func TestFilterHeaderIsTakenFromGoToo(t *testing.T) {
	w := ownWorld(t, &legacyHalf{mode: modeGo, standIn: startStandIn})
	seen := "not asked"
	w.front.goHalf["/cart.aspx"] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("AspFilterSessionId") })
	req, err := http.NewRequest(http.MethodGet, w.url+"/cart.aspx", nil)
	require.NoError(t, err)
	req.Header.Set("ASPFILTERSESSIONID", "abcdefghijklmnopqrstuvwx")
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Empty(t, seen)
}

func TestOtherSitesMayNotPost(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/catalogue.aspx")
		v.press("add TEA")
		before := v.bytesOf()
		for _, path := range []string{"/cart.aspx", "/catalogue.aspx", "/"} {
			v.ok(path)
			page := v.page
			for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"} {
				require.NotEmpty(t, page.Buttons, path)
				req, err := page.request(t.Context(), page.Buttons[0].Data)
				require.NoError(t, err)
				req.Header.Set(header, value)
				require.Equal(t, http.StatusForbidden, v.do(req).Status, "%s %s", path, header)
				require.Contains(t, v.page.Fields["headline"], "another site")
			}
		}
		require.Equal(t, before, v.bytesOf())
		require.Equal(t, inGo, w.front.routes.lookup("/cart.aspx").Half)
	})
}

func TestEveryAnswerHasThePolicy(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		for _, path := range []string{"/", "/bytes", "/style.css", "/cart.aspx", "/checkout.aspx", "/catalogue.aspx", "/signin.aspx", "/signout.aspx", "/prices.aspx", "/nothing.aspx", "/broken.aspx"} {
			v.get(path)
			require.Equal(t, []string{"default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
				v.page.Header.Values("Content-Security-Policy"), path)
			require.Equal(t, []string{"nosniff"}, v.page.Header.Values("X-Content-Type-Options"), path)
			for _, raw := range []string{"<script", "style=", "onclick", "http://", "https://", "@import"} {
				require.NotContains(t, strings.ToLower(v.page.Body), raw, path)
			}
		}
	})
}
