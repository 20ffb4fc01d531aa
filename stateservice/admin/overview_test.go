package admin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/admin"
)

// tile is the value of one of the overview's tiles.
func tile(t testing.TB, doc *html.Node, name string) string {
	t.Helper()
	for _, div := range find(find(doc, "dl", "class=tiles")[0], "div") {
		if text(find(div, "dt")[0]) == name {
			return text(find(div, "dd")[0])
		}
	}
	t.Fatalf("no tile %q", name)
	return ""
}

func TestOverview(t *testing.T) {
	c := newClock()
	s, k := serve(t, stateservice.Options{ParkTimeout: time.Minute, Now: c.Now})
	h := handler(t, s, admin.Options{Now: c.Now})
	_, doc := look(t, h, "/")
	require.Equal(t, "0", tile(t, doc, "Sessions"))
	require.Contains(t, text(section(t, doc, "rates")), "next look")
	require.Contains(t, text(section(t, doc, "locks")), "No session is locked.")

	held := keyOf(rootApp, "held")
	k.put(keyOf(rootApp, "a"), 20, make([]byte, 100))
	k.put(keyOf(shopApp, "b"), 3, make([]byte, 5000))
	k.put(keyOf(shopApp, "c"), 0, make([]byte, 70_000)) // never expires
	k.put(held, 20, make([]byte, 1000))
	k.acquire(held)
	k.ask("GET", keyOf(rootApp, "none"), "", "")
	k.ask("PUT", keyOf(rootApp, "fresh"), "ExtraFlags: 1\r\n", "")
	c.Advance(40 * time.Second)
	waiting := k.park(held)

	_, doc = look(t, h, "/")
	require.Equal(t, "5", tile(t, doc, "Sessions"))
	require.Equal(t, "74 KiB", tile(t, doc, "Content"))
	require.Equal(t, "2", tile(t, doc, "Connections"))
	require.Equal(t, "1", tile(t, doc, "Locks held"))
	require.Equal(t, "1", tile(t, doc, "Waiting for a lock"))
	require.Equal(t, [][]string{
		{"up to 1 min", "", "0", "0 B"}, {"to 5 min", "", "1", "4.9 KiB"}, {"to 20 min", "", "3", "1.1 KiB"},
		{"to 1 h", "", "0", "0 B"}, {"more", "", "1", "68 KiB"},
	}, cells(find(section(t, doc, "lives"), "table")[0]))
	require.Equal(t, [][]string{
		{"up to 1 KiB", "", "3", "1.1 KiB"}, {"to 8 KiB", "", "1", "4.9 KiB"}, {"to 64 KiB", "", "0", "0 B"},
		{"to 1 MiB", "", "1", "68 KiB"}, {"more", "", "0", "0 B"},
	}, cells(find(section(t, doc, "sizes"), "table")[0]))
	require.Equal(t, [][]string{{rootApp, "", "3", "1.1 KiB"}, {shopApp, "", "2", "73 KiB"}}, cells(find(section(t, doc, "apps"), "table")[0]))
	locks := cells(find(section(t, doc, "locks"), "table")[0])
	require.Len(t, locks, 1)
	require.Equal(t, []string{rootApp, "40 s", "1"}, locks[0][1:])
	totals := cells(find(section(t, doc, "totals"), "table")[0])
	require.Equal(t, []string{"acquire", "1", "0", "0", "0", "0"}, totals[0])
	require.Equal(t, []string{"get", "0", "0", "1", "0", "0"}, totals[1])
	require.Equal(t, []string{"set", "4", "0", "0", "0", "0"}, totals[2])
	require.Contains(t, text(section(t, doc, "totals")), "5 sessions, 1 of them uninitialized")

	rates := section(t, doc, "rates")
	require.Contains(t, text(rates), "Over the last 40 s, up to 10:30:40")
	require.Len(t, find(rates, "svg", "role=img"), 7)
	require.Len(t, find(rates, "svg", "aria-label=set: 0.1 a second at the end, at most 0.1, over 40 s"), 1)
	require.Contains(t, text(rates), "set 0.1 /s peak 0.1")
	require.Contains(t, text(rates), "get 0.03 /s")

	k.ask("GET", held, "Exclusive: release\r\nLockCookie: 2\r\n", "")
	require.Contains(t, waiting(), "200")
}

// A look at the metrics counts for the charts.
func TestScrapesAreSamples(t *testing.T) {
	c := newClock()
	s, k := serve(t, stateservice.Options{Now: c.Now})
	h := handler(t, s, admin.Options{Now: c.Now})
	for range 8 {
		k.put("/a", 20, nil)
		c.Advance(15 * time.Second)
		look(t, h, "/metrics")
	}
	_, doc := look(t, h, "/")
	require.Contains(t, text(section(t, doc, "rates")), "Over the last 2 min,")
	path := attr(find(find(doc, "svg", "role=img")[2], "path", "class=done")[0], "d")
	require.Equal(t, 8*2, strings.Count(path, " 2.0"), "eight steps: %s", path)
}

// Pages have no script, form, frame or address elsewhere, and say so.
func TestPolicy(t *testing.T) {
	s, k := serve(t, stateservice.Options{})
	k.put(keyOf(rootApp, "a"), 20, shop(t))
	h := handler(t, s, admin.Options{Values: true})
	_, doc := look(t, h, "/browse")
	one := attr(find(find(doc, "tbody")[0], "a")[0], "href")
	for _, url := range []string{"/", "/browse", "/browse?sort=size&q=%2FLM*", one, "/session/0000000000000000", "/browse?sort=no", "/browse?page=99"} {
		w, doc := look(t, h, url)
		require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"), url)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"), url)
		require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"), url)
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), url)
		policy := w.Header().Get("Content-Security-Policy")
		styles := find(doc, "style")
		require.Len(t, styles, 1, url)
		sum := sha256.Sum256([]byte(styles[0].FirstChild.Data))
		require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", policy, url)
		require.NotContains(t, styles[0].FirstChild.Data, "url(")
		require.Len(t, find(doc, "h1"), 1, url)
		require.Equal(t, "en", attr(find(doc, "html")[0], "lang"))
		for _, table := range find(doc, "table") {
			for _, th := range find(find(table, "thead")[0], "th") {
				require.Equal(t, "col", attr(th, "scope"), url)
				require.NotEmpty(t, text(th), url)
			}
		}
		clean(t, doc)
	}
}

// clean fails where a page has an element or attribute that is not of its
// templates, or text that a browser may obey.
func clean(t testing.TB, doc *html.Node) {
	t.Helper()
	for d := range doc.Descendants() {
		switch d.Type {
		case html.ElementNode:
			require.Contains(t, " html head meta title style body header main nav section h1 h2 p a b i small strong span bdi code dl div dt dd ul li table thead tbody tr th td svg path rect details summary ", " "+d.Data+" ")
			for _, a := range d.Attr {
				require.Contains(t, " lang charset name content http-equiv class aria-label aria-labelledby aria-current aria-hidden aria-sort role id scope href rel d viewBox preserveAspectRatio width height ", " "+a.Key+" ", d.Data)
				if a.Key == "href" {
					require.True(t, strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//"), a.Val)
				}
			}
		case html.TextNode:
			if d.Parent.Data == "style" {
				continue
			}
			for _, r := range d.Data {
				require.False(t, r != '\n' && r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069, "%q", d.Data)
			}
		case html.CommentNode:
			t.Errorf("a comment: %q", d.Data)
		}
	}
}

func TestRefreshing(t *testing.T) {
	s, _ := serve(t, stateservice.Options{})
	h := handler(t, s, admin.Options{})
	for _, row := range []struct{ url, every, turn string }{
		{"/", "", "/?refresh=10"},
		{"/?refresh=10", "10", "/"},
		{"/browse?q=%2FLM&sort=size&refresh=60", "60", "/browse?q=%2FLM&sort=size"},
		{"/browse?q=%26", "", "/browse?q=%26&refresh=10"},
		{"/?refresh=0.01", "", "/?refresh=10"},
		{"/?refresh=1", "2", "/"},
		{"/?refresh=-1", "", "/?refresh=10"},
		{"/?refresh=999999999", "3600", "/"},
		{"/?refresh=1%3Burl%3Dhttps%3A%2F%2Fa.example", "", "/?refresh=10"},
	} {
		_, doc := look(t, h, row.url)
		every := ""
		for _, m := range find(doc, "meta", "http-equiv=refresh") {
			every = attr(m, "content")
		}
		require.Equal(t, row.every, every, row.url)
		require.Equal(t, row.turn, attr(find(doc, "a", "class=turn")[0], "href"), row.url)
	}
}

// The pages are behind the token, and only to be read.
func TestWhoMaySeePages(t *testing.T) {
	s, k := serve(t, stateservice.Options{})
	k.put(keyOf(rootApp, "a"), 20, nil)
	h := handler(t, s, admin.Options{Token: token})
	for _, path := range []string{"/", "/browse", "/session/x"} {
		for _, row := range []struct {
			method, host, password string
			code                   int
		}{
			{"GET", "localhost", "", 401},
			{"GET", "rebind.example", token, 421},
			{"POST", "localhost", token, 405},
			{"DELETE", "localhost", token, 405},
			{"GET", "localhost", token, 200},
			{"HEAD", "localhost", token, 200},
		} {
			r := httptest.NewRequest(row.method, "http://"+row.host+path, nil)
			r.SetBasicAuth("me", row.password)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			want := row.code
			if want == 200 && path == "/session/x" {
				want = 404
			}
			require.Equal(t, want, w.Code, "%s %s", row.method, path)
			if want > 400 && want != 404 {
				require.NotContains(t, w.Body.String(), "LM", path)
			}
		}
	}
	w, _ := look(t, handler(t, s, admin.Options{}), "/elsewhere")
	require.Equal(t, 404, w.Code)
}

// A slow is a client that takes nothing for a while.
type slow struct {
	*httptest.ResponseRecorder
	reached, goOn chan struct{}
}

func (s slow) Write(b []byte) (int, error) { return s.WriteString(string(b)) }

func (s slow) WriteString(b string) (int, error) {
	close(s.reached)
	<-s.goOn
	return s.ResponseRecorder.WriteString(b)
}

// Who reads slowly is waited for by nobody, and who has gone is not served.
func TestPagesDoNotWaitForReaders(t *testing.T) {
	s, k := serve(t, stateservice.Options{})
	k.put(keyOf(rootApp, "a"), 20, shop(t))
	h := handler(t, s, admin.Options{})
	_, doc := look(t, h, "/browse")
	for _, url := range []string{"/", "/browse", attr(find(find(doc, "tbody")[0], "a")[0], "href")} {
		w := slow{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+url, nil))
		}()
		<-w.reached
		for _, other := range []string{"/", "/browse"} {
			fast, _ := look(t, h, other)
			require.Equal(t, 200, fast.Code)
		}
		close(w.goOn)
		<-done
		require.Equal(t, 200, w.Code)
		require.Contains(t, w.Body.String(), "</html>")
	}
}

// Pages take no more memory for many sessions than for some.
func TestManySessions(t *testing.T) {
	const many = 100_000
	s, k := serve(t, stateservice.Options{})
	k.many(many, func(i int) string { return keyOf(fmt.Sprintf("/LM/W3SVC/%d/ROOT", i%100), fmt.Sprintf("%024d", i)) })
	h := handler(t, s, admin.Options{})
	for _, url := range []string{"/", "/browse", "/browse?sort=size", "/browse?sort=key", "/browse?sort=lock&page=20", "/browse?q=%2FLM%2FW3SVC%2F7%2FROOT", "/session/0000000000000000"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, doc := look(t, h, url)
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(many*20), "bytes for %s, the parsing here included", url)
		require.Less(t, w.Body.Len(), 64<<10, url)
		switch {
		case url == "/":
			require.Equal(t, "100,000", tile(t, doc, "Sessions"))
			apps := cells(find(section(t, doc, "apps"), "table")[0])
			require.Len(t, apps, 21)
			require.Equal(t, "others", apps[20][0])
			require.Equal(t, "80,000", apps[20][2])
		case strings.Contains(url, "q="):
			require.Contains(t, text(find(doc, "p", "class=summary")[0]), "1,000 sessions, 1 to 50")
		case strings.HasPrefix(url, "/browse"):
			require.Len(t, find(doc, "table"), 1, "%s: %s", url, text(doc))
			require.Len(t, cells(find(doc, "table")[0]), 50)
			require.Contains(t, text(doc), "The first 1,000")
		}
	}
}
