package admin_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/admin"
)

// only opens the page of the one session of an application.
func only(t testing.TB, h http.Handler, app string) *html.Node {
	t.Helper()
	_, doc := look(t, h, "/browse?q="+url.QueryEscape(app))
	links := find(find(doc, "tbody")[0], "a")
	require.Len(t, links, 1)
	w, doc := look(t, h, attr(links[0], "href"))
	require.Equal(t, 200, w.Code)
	require.Len(t, find(doc, "dl", "class=facts"), 1)
	return doc
}

// facts is what stands above the items.
func facts(doc *html.Node) map[string]string {
	m := map[string]string{}
	for _, div := range find(find(doc, "dl", "class=facts")[0], "div") {
		m[text(find(div, "dt")[0])] = text(find(div, "dd")[0])
	}
	return m
}

func frame(t testing.TB, items map[string]any) []byte {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	for key, value := range items {
		require.NoError(t, p.Items().Set(key, value))
	}
	b, err := p.Append(nil)
	require.NoError(t, err)
	return b
}

func TestItems(t *testing.T) {
	s, k := serve(t, stateservice.Options{})
	k.put(keyOf(shopApp, "secretid"), 20, shop(t))
	for _, values := range []bool{false, true} {
		doc := only(t, handler(t, s, admin.Options{Values: values}), shopApp)
		f := facts(doc)
		require.Equal(t, shopApp, f["Application id"])
		require.Equal(t, "none", f["Lock"])
		require.Equal(t, "ASP.NET session, uncompressed; timeout 20 min", f["Content"])
		rows := cells(find(doc, "table")[0])
		require.Len(t, rows, 9)
		show := func(value string) string {
			if values {
				return value
			}
			return "redacted"
		}
		require.Equal(t, []string{"user", "System.String", "19 B", show(`"alice@example.com"`)}, rows[0])
		require.Equal(t, []string{"visits", "System.Int32", "5 B", show("42")}, rows[1])
		require.Equal(t, []string{"since", "System.DateTime", "9 B", show("2024-01-15 10:30:00")}, rows[2])
		require.Equal(t, []string{"returnTo", "null", "1 B", ""}, rows[4])
		require.Equal(t, []string{"cart", "Golden.Types.ShoppingCart", "5.1 KiB"}, rows[5][:3])
		cart := find(doc, "details")[0]
		require.Equal(t, "4 members", text(find(cart, "summary")[0]))
		require.Contains(t, text(cart), "items System.Collections.Generic.List`1[[Golden.Types.CartItem]] 50 elements")
		require.Contains(t, text(cart), "and 25 more")
		require.Contains(t, text(cart), "total System.Decimal "+show("54387.25"))
		require.Equal(t, []string{"settings", "System.Collections.Generic.Dictionary`2[[System.String],[System.Object]]"}, rows[8][:2])
		require.Equal(t, !values, strings.Contains(text(doc), "Values are redacted."))
		require.NotContains(t, text(doc), "secretid")
	}
}

// No value gets through, in whatever it is wrapped, nor any key.
func TestRedaction(t *testing.T) {
	const secret = "S3CRET"
	s, k := serve(t, stateservice.Options{})
	objects := map[string]any{
		"text":    secret,
		"list":    []string{"a", secret},
		"map":     map[string]string{secret: "x", "y": secret},
		"bytes":   []byte(secret),
		"objects": payload.Object(withText(t, secret)),
	}
	b := frame(t, objects)
	k.put(keyOf("/good", secret), 20, b)
	k.put(keyOf("/raw", secret), 20, []byte(secret+secret))
	k.put(keyOf("/short", secret), 20, b[:len(b)-1])
	// Values that cannot be read: what they are is not quoted.
	for i := 0; i < len(b); i += 1 + len(b)/900 {
		broken := bytes.Clone(b)
		broken[i] ^= 0xff
		k.put(keyOf("/broken", fmt.Sprint(secret, i)), 20, broken)
	}
	open, closed := handler(t, s, admin.Options{Values: true}), handler(t, s, admin.Options{})
	require.GreaterOrEqual(t, strings.Count(text(only(t, open, "/good")), secret), 5, "the test itself")
	pages := []string{"/", "/browse"}
	for _, app := range []string{"/good", "/raw", "/short", "/broken"} {
		for next := "/browse?sort=size&q=" + url.QueryEscape(app); next != ""; {
			_, doc := look(t, closed, next)
			for _, a := range find(find(doc, "tbody")[0], "a") {
				pages = append(pages, attr(a, "href"))
			}
			next = ""
			for _, a := range find(doc, "a", "rel=next") {
				next = attr(a, "href")
			}
		}
	}
	require.Greater(t, len(pages), 500)
	for _, page := range pages {
		w, doc := look(t, closed, page)
		require.Equal(t, 200, w.Code)
		require.NotContains(t, w.Body.String(), secret, page)
		require.NotContains(t, w.Body.String(), "53 33 43", page)
		clean(t, doc)
	}
}

// withText is an object whose members have a text.
func withText(t testing.TB, s string) []byte {
	t.Helper()
	type note struct{ Title, Body string }
	types := new(nrbf.Types)
	require.NoError(t, nrbf.Register[note](types, "Shop.Note", "Shop, Version=1.0.0.0"))
	b, err := types.Marshal(&note{s, s})
	require.NoError(t, err)
	return b
}

func TestForms(t *testing.T) {
	s, k := serve(t, stateservice.Options{MaxBody: 16 << 20})
	bomb := frame(t, map[string]any{"zeros": strings.Repeat("0", 9<<20)})
	tests := []struct {
		app     string
		body    []byte
		content string
		why     string // on the page
		items   int
	}{
		{"/plain", read(t, "store-mixed.bin"), "ASP.NET session, uncompressed; timeout", "", 14},
		{"/statics", read(t, "store-static-mixed.bin"), "ASP.NET session, uncompressed; timeout", "Static objects", 0},
		{"/empty", frame(t, nil), "ASP.NET session, uncompressed; timeout 20 min", "It has no items.", 0},
		{"/deflated", deflated(t, read(t, "store-mixed.bin")), "ASP.NET session, compressed: ", "", 14},
		{"/bomb", deflated(t, bomb), "opaque", "over the limit", 0},
		{"/large", bomb, "not looked at", "larger than 8 MiB", 0},
		{"/nothing", nil, "opaque", "truncated", 0},
		{"/json", []byte(`{"user":"<b>bob</b>"}`), "opaque", "no ASP.NET session", 0},
		{"/script", []byte("<script>alert(1)</script>"), "opaque", "no ASP.NET session", 0},
	}
	for _, row := range tests {
		k.put(keyOf(row.app, "id"), 20, row.body)
	}
	for _, values := range []bool{false, true} {
		h := handler(t, s, admin.Options{Values: values})
		for _, row := range tests {
			doc := only(t, h, row.app)
			require.Contains(t, facts(doc)["Content"], row.content, row.app)
			require.Contains(t, text(doc), row.why, row.app)
			if row.items > 0 {
				require.GreaterOrEqual(t, len(cells(find(doc, "table")[0])), row.items, row.app)
			}
			clean(t, doc)
		}
	}
}

func deflated(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 6)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return append(out.Bytes(), payload.Trailer)
}

// An item that cannot be read says why, and its neighbours are shown.
func TestBrokenItems(t *testing.T) {
	s, k := serve(t, stateservice.Options{})
	it := payload.NewItems(payload.Limits{})
	object := append([]byte{byte(payload.TypeObject)}, read(t, "nrbf-userprofile.bin")...)
	for _, item := range []struct {
		key  string
		data []byte
	}{
		{"before", []byte{byte(payload.TypeInt32), 7, 0, 0, 0}},
		{"cut", object[:100]},
		{"cutInside", append(bytes.Clone(object[:100]), 11)},
		{"unknown", []byte{99, 1}},
		{"after", []byte{byte(payload.TypeBoolean), 1}},
	} {
		require.NoError(t, it.Load(item.key, payload.Typed, item.data))
	}
	p := payload.New(20, payload.Limits{})
	for item := range it.All() {
		require.NoError(t, p.Items().Put(item))
	}
	b, err := p.Append(nil)
	require.NoError(t, err)
	k.put(keyOf(rootApp, "id"), 20, b)
	for _, values := range []bool{false, true} {
		rows := cells(find(only(t, handler(t, s, admin.Options{Values: values}), rootApp), "table")[0])
		require.Len(t, rows, 5)
		require.Equal(t, "System.Int32", rows[0][1])
		require.Contains(t, rows[1][3], "cannot be read: ")
		require.Contains(t, rows[1][3], "corrupt")
		require.Equal(t, "System.Object", rows[1][1])
		require.Contains(t, rows[2][3], "offset")
		require.Equal(t, "type id 99", rows[3][1])
		require.Contains(t, rows[3][3], "unknown type id")
		require.Equal(t, "System.Boolean", rows[4][1])
		require.NotContains(t, rows[4][3], "cannot")
	}
}

// Names of strangers are escaped and clipped.
func TestHostileNames(t *testing.T) {
	s, k := serve(t, stateservice.Options{})
	app := "/<script>alert(1)</script>\u202e" + strings.Repeat("x", 500)
	items := map[string]any{"\"><img src=x onerror=alert(1)>": "v", "\u202egnp": "v", strings.Repeat("n", 5000): "v", "a\x00\nb": "\u202e<b>"}
	k.put(keyOf(app, "<i>id</i>"), 20, frame(t, items))
	k.put("<b>&\u2066", 20, nil)
	k.put(keyOf("\xff\xfe", "x"), 20, nil)
	h := handler(t, s, admin.Options{Values: true})
	w, doc := look(t, h, "/")
	clean(t, doc)
	require.NotContains(t, w.Body.String(), "<script")
	apps := cells(find(section(t, doc, "apps"), "table")[0])
	require.Len(t, apps, 3)
	w, doc = look(t, h, "/browse?q="+url.QueryEscape(app))
	clean(t, doc)
	require.Less(t, w.Body.Len(), 12_000)
	require.Contains(t, text(doc), `<script>alert(1)</script>\u202exxx`)
	doc = only(t, h, app)
	clean(t, doc)
	require.NotContains(t, text(doc), strings.Repeat("n", 100))
	names := find(find(doc, "tbody")[0], "th")
	require.Len(t, names, 4)
	require.Contains(t, text(doc), `a\x00\nb`)
	require.Contains(t, text(doc), `"><img src=x onerror=alert(1)>`)
	require.Contains(t, text(doc), `"\u202e<b>"`)
	for _, a := range find(section(t, func() *html.Node { _, d := look(t, h, "/"); return d }(), "apps"), "a") {
		_, doc := look(t, h, attr(a, "href"))
		require.Contains(t, text(find(doc, "p", "class=summary")[0]), "1 session, 1 to 1", "links find what they name")
	}
}

func TestBrowse(t *testing.T) {
	c := newClock()
	s, k := serve(t, stateservice.Options{ParkTimeout: time.Minute, Now: c.Now})
	h := handler(t, s, admin.Options{Now: c.Now})
	_, doc := look(t, h, "/browse")
	require.Contains(t, text(doc), "0 sessions.")
	require.Empty(t, find(doc, "table"))

	for i := range 120 {
		k.put(keyOf(rootApp, fmt.Sprint("r", i)), 1+i, make([]byte, 10*i))
	}
	k.put(keyOf(rootApp+"/a", "never"), 0, nil)
	k.ask("PUT", keyOf(rootApp+"/a", "fresh"), "ExtraFlags: 1\r\nTimeout: 1000\r\n", "")
	k.acquire(keyOf(rootApp, "r7"))
	c.Advance(5 * time.Second)
	k.acquire(keyOf(rootApp, "r8"))
	waiting := k.park(keyOf(rootApp, "r8"))
	c.Advance(10 * time.Second)

	page := func(query string) (rows [][]string, summary string) {
		w, doc := look(t, h, "/browse"+query)
		require.Equal(t, 200, w.Code)
		if tables := find(doc, "table"); len(tables) > 0 {
			rows = cells(tables[0])
		}
		return rows, text(find(doc, "p", "class=summary")[0])
	}
	rows, summary := page("?sort=lock")
	require.Contains(t, summary, "122 sessions, 1 to 50.")
	require.Equal(t, []string{rootApp, "7 min 45 s", "70 B", "", "15 s", "0"}, rows[0][1:])
	require.Equal(t, []string{rootApp, "8 min 50 s", "80 B", "", "10 s", "1"}, rows[1][1:])
	require.Empty(t, rows[2][5])
	rows, _ = page("?sort=size")
	require.Equal(t, "1.2 KiB", rows[0][3])
	rows, _ = page("")
	require.Equal(t, "45 s", rows[0][2], "what expires first is first")
	rows, summary = page("?page=3")
	require.Contains(t, summary, "101 to 122.")
	require.Equal(t, "never", rows[21][2])
	require.Equal(t, "uninitialized", rows[20][4])
	rows, summary = page("?page=4")
	require.Empty(t, rows)
	require.Contains(t, summary, "122 sessions.")
	rows, summary = page("?q=" + rootApp + "/a")
	require.Len(t, rows, 2)
	require.Contains(t, summary, "Application /LM/W3SVC/1/ROOT/a: 2 sessions")
	_, summary = page("?q=" + rootApp)
	require.Contains(t, summary, " 120 sessions")
	_, summary = page("?q=" + rootApp + "*")
	require.Contains(t, summary, " 122 sessions")
	_, summary = page("?q=/LM/W3SVC/1/Root")
	require.Contains(t, summary, " 0 sessions", "application ids have case")

	// Pages fit together: every session is on one of them, once.
	for _, sort := range []string{"key", "size", "expires", "lock"} {
		seen := map[string]bool{}
		next := "/browse?sort=" + sort
		for next != "" {
			_, doc := look(t, h, next)
			for _, row := range cells(find(doc, "table")[0]) {
				require.False(t, seen[row[0]])
				seen[row[0]] = true
			}
			head := find(find(doc, "thead")[0], "th")
			sorted := 0
			for _, th := range head {
				if attr(th, "aria-sort") != "" {
					sorted++
				}
			}
			require.Equal(t, 1, sorted)
			next = ""
			for _, a := range find(doc, "a", "rel=next") {
				next = attr(a, "href")
			}
		}
		require.Len(t, seen, 122, sort)
	}
	for _, query := range []string{"?sort=age", "?page=0", "?page=21", "?page=x", "?sort=SIZE"} {
		w, doc := look(t, h, "/browse"+query)
		require.Equal(t, 400, w.Code, query)
		require.Equal(t, "Not understood", text(find(doc, "h1")[0]))
	}
	k.ask("GET", keyOf(rootApp, "r8"), "Exclusive: release\r\nLockCookie: 2\r\n", "")
	require.Contains(t, waiting(), "200")
}

// Looking changes nothing: no renewal, no lock, and a new session stays new.
func TestLookingLeavesNoTrace(t *testing.T) {
	c := newClock()
	s, k := serve(t, stateservice.Options{Now: c.Now})
	key := keyOf(rootApp, "id")
	k.ask("PUT", key, "ExtraFlags: 1\r\nTimeout: 2\r\n", string(shop(t)))
	h := handler(t, s, admin.Options{Now: c.Now})
	_, doc := look(t, h, "/browse")
	link := attr(find(find(doc, "tbody")[0], "a")[0], "href")
	for range 3 {
		c.Advance(30 * time.Second)
		w, doc := look(t, h, link)
		require.Equal(t, 200, w.Code)
		require.Equal(t, "uninitialized", facts(doc)["State"])
		require.Equal(t, "none", facts(doc)["Lock"])
	}
	c.Advance(30 * time.Second)
	w, doc := look(t, h, link)
	require.Equal(t, 404, w.Code)
	require.Contains(t, text(doc), "it has ended")
	require.Contains(t, k.ask("GET", key, "", ""), "404")
}

// Whoever writes the store writes to a person's browser.
func FuzzSession(f *testing.F) {
	f.Add([]byte("abc"), "/LM/W3SVC/1/ROOT(x)/id")
	f.Add(shop(f), "<script>alert(1)</script>(x)/id")
	f.Add(frame(f, map[string]any{"<b>\u202e": "</style><script>", "l": []string{"<", "\x00"}, "m": map[string]string{"<i>": "&"}}), "\xff\u202e\x00")
	for _, file := range []string{"store-mixed.bin", "store-static-mixed.bin", "deflate-mixed.bin"} {
		f.Add(read(f, file), "k")
	}
	f.Add(frame(f, map[string]any{"p": payload.Object(read(f, "nrbf-generic-pair-nested.bin"))}), "k")
	s, k := serve(f, stateservice.Options{})
	open, closed := handler(f, s, admin.Options{Values: true}), handler(f, s, admin.Options{})
	f.Fuzz(func(t *testing.T, body []byte, key string) {
		if len(body) > 1<<20 || len(key) == 0 || len(key) > 1000 || key[0] == '/' && len(key) == 1 {
			t.Skip()
		}
		key = "k" + key // no slash that is dropped
		k.t = t
		k.put(key, 20, body)
		for _, h := range []http.Handler{open, closed} {
			_, doc := look(t, h, "/")
			clean(t, doc)
			_, doc = look(t, h, "/browse")
			clean(t, doc)
			links := find(find(doc, "tbody")[0], "a")
			require.Len(t, links, 1)
			w, doc := look(t, h, attr(links[0], "href"))
			require.Equal(t, 200, w.Code)
			require.Less(t, w.Body.Len(), 4<<20)
			clean(t, doc)
		}
		require.Contains(t, k.ask("DELETE", key, "", ""), "200")
	})
}
