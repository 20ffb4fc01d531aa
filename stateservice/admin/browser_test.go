package admin_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/chromium"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/admin"
)

// fill makes sessions of all ages and sizes.
func fill(t testing.TB, k *talker, c *clock) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 240 {
		app, minutes := rootApp, 20
		switch {
		case i%3 == 0:
			app = shopApp
		case i%7 == 0:
			app, minutes = "/LM/W3SVC/4/ROOT/intranet", 480
		case i%11 == 0:
			minutes = 3
		}
		k.put(keyOf(app, fmt.Sprintf("%024d", i)), minutes, make([]byte, 150+random.IntN(200)<<random.IntN(9)))
		c.Advance(time.Duration(random.IntN(4000)) * time.Millisecond)
	}
	k.put(keyOf(shopApp, "cart"), 60, shop(t))
}

// hold leaves some sessions locked.
func hold(t testing.TB, k *talker, c *clock) {
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 7 {
		k.put(keyOf(rootApp, fmt.Sprintf("held%020d", i)), 20, make([]byte, 900))
		k.acquire(keyOf(rootApp, fmt.Sprintf("held%020d", i)))
		c.Advance(time.Duration(random.IntN(9000)) * time.Millisecond)
	}
}

// traffic is some requests of each kind, as pages make them.
func traffic(k *talker, c *clock, n int) {
	for i := range n {
		key := keyOf(rootApp, fmt.Sprintf("page%d", i%60))
		cookie := "LockCookie: " + k.lock(key) + "\r\n"
		c.Advance(time.Duration(i%13) * time.Millisecond)
		switch {
		case i%3 == 0:
			k.ask("GET", key, "Exclusive: release\r\n"+cookie, "")
		case i%17 == 0:
			k.ask("DELETE", key, cookie, "")
		default:
			if i%4 == 0 {
				k.ask("GET", key, "Exclusive: acquire\r\n", "") // and is told that it is locked
			}
			k.ask("PUT", key, cookie, strings.Repeat("x", 700))
		}
		if i%2 == 0 {
			k.ask("GET", keyOf(rootApp, "page1"), "", "")
		}
		if i%9 == 0 {
			k.ask("HEAD", keyOf(rootApp, fmt.Sprintf("page%d", i/9+i%60)), "", "") // some of them are gone
			k.ask("PUT", keyOf(rootApp, "new"), "ExtraFlags: 1\r\n", "")
		}
	}
}

// The pages as people see them: they load without a script or an error, in both
// colours, and links lead from one to the next.
func TestPagesInABrowser(t *testing.T) {
	for _, dark := range []bool{false, true} {
		name := map[bool]string{false: "light", true: "dark"}[dark]
		t.Run(name, func(t *testing.T) {
			c := newClock()
			s, k := serve(t, stateservice.Options{ParkTimeout: -1, Now: c.Now})
			fill(t, k, c)
			h := handler(t, s, admin.Options{Token: token, Values: true, Now: c.Now})
			server := httptest.NewServer(h)
			defer server.Close()
			b := chromium.Start(t, chromium.Options{Width: 1280, Height: 800, Dark: dark})
			address, err := url.Parse(server.URL)
			require.NoError(t, err)
			address.User = url.UserPassword("", token)
			random := rand.New(rand.NewPCG(3, 4))
			for i := range 44 { // somebody scrapes the metrics
				if i == 42 {
					hold(t, k, c)
				}
				traffic(k, c, 20+i/2+random.IntN(25))
				c.Advance(15 * time.Second)
				w := httptest.NewRecorder()
				r := httptest.NewRequest("GET", "http://localhost/metrics", nil)
				r.SetBasicAuth("", token)
				h.ServeHTTP(w, r)
				require.Equal(t, 200, w.Code)
			}
			b.Visit(address.String() + "/")
			require.Equal(t, "Overview", b.Text("h1"))
			var ground string
			b.Eval(`getComputedStyle(document.body).backgroundColor`, &ground)
			require.Equal(t, map[bool]string{false: "rgb(245, 246, 248)", true: "rgb(18, 22, 29)"}[dark], ground, "the policy lets the style in")
			var wide bool
			b.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
			require.False(t, wide, "no page scrolls sideways")
			var drawn int
			b.Eval(`[...document.querySelectorAll(".charts path.done")].filter(p => p.getBoundingClientRect().height > 10).length`, &drawn)
			require.GreaterOrEqual(t, drawn, 2)
			b.Screenshot("admin-overview-" + name)

			b.Click("nav a[href='/browse']")
			require.Equal(t, "Sessions", b.Text("h1"))
			b.Click("th a[href*='sort=lock']")
			require.Contains(t, b.Text("tbody tr:first-child"), "s")
			b.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
			require.False(t, wide)
			b.Screenshot("admin-browse-" + name)

			size := fmt.Sprintf("%.1f KiB", float64(len(shop(t)))/1024)
			b.Visit(address.String() + "/browse?sort=size&q=" + url.QueryEscape(shopApp))
			var link string
			b.Eval(`[...document.querySelectorAll("tbody tr")].find(r => r.cells[3].innerText == "`+size+`").querySelector("a").getAttribute("href")`, &link)
			b.Visit(address.String() + link)
			require.Contains(t, b.Text("table"), "alice@example.com")
			var opened bool
			b.Eval(`document.querySelector("details").open = true`, &opened)
			b.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
			require.False(t, wide)
			b.Screenshot("admin-session-" + name)
		})
	}
}
