package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// world is both sites on a loopback port.
type world struct {
	t    *testing.T
	site *site
	url  string
}

func newWorld(t *testing.T) *world {
	s, err := newSite()
	require.NoError(t, err)
	srv := httptest.NewServer(s.handler())
	t.Cleanup(func() {
		srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, s.close(ctx))
	})
	return &world{t, s, srv.URL}
}

// A visitor is a browser that remembers what it was last shown.
type visitor struct {
	*world
	client *http.Client
	status int
	body   string
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &visitor{world: w, client: &http.Client{Jar: jar}}
}

func (v *visitor) do(req *http.Request) fields {
	resp, err := v.client.Do(req)
	require.NoError(v.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	v.status, v.body = resp.StatusCode, string(body)
	f, err := readFields(body)
	require.NoError(v.t, err, "%s", body)
	return f
}

func (v *visitor) get(path string) fields {
	req, err := http.NewRequest(http.MethodGet, v.url+path, nil)
	require.NoError(v.t, err)
	return v.do(req)
}

func (v *visitor) post(path string, pairs ...string) fields {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequest(http.MethodPost, v.url+path, strings.NewReader(form.Encode()))
	require.NoError(v.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(req)
}

// id is the visitor's session id, as the cookie has it.
func (v *visitor) id() string {
	u, err := url.Parse(v.url)
	require.NoError(v.t, err)
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == cookieName {
			return c.Value
		}
	}
	v.t.Fatal("the visitor has no session cookie")
	return ""
}

// stored is the visitor's session as the store has it.
func (v *visitor) stored() []byte {
	data, err := v.site.old.read(v.t.Context(), v.id())
	require.NoError(v.t, err)
	return data
}

// requireSameBut compares stored bytes with the capture item by item.
func requireSameBut(t *testing.T, stored []byte, but ...string) {
	t.Helper()
	then, err := open(captured)
	require.NoError(t, err)
	now, err := open(stored)
	require.NoError(t, err)
	for item := range then.Items().All() {
		got, ok := now.Items().Item(item.Key)
		require.True(t, ok, item.Key)
		if slices.Contains(but, item.Key) {
			require.NotEqual(t, item.Data, got.Data, item.Key)
		} else {
			require.Equal(t, item.Data, got.Data, item.Key)
		}
	}
	require.Equal(t, then.Timeout(), now.Timeout())
}

func TestCaptureIsTheVector(t *testing.T) {
	vector, err := os.ReadFile("../../payload/testdata/store-mixed.bin")
	require.NoError(t, err)
	require.Equal(t, vector, captured)
}

func TestTour(t *testing.T) {
	w := newWorld(t)
	var out bytes.Buffer
	require.NoError(t, tour(t.Context(), w.url, &out))
	require.Equal(t, 6, strings.Count(out.String(), "\n"), out.String())
}

func TestTourNamesTheFailingStep(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	var out bytes.Buffer
	require.ErrorContains(t, tour(t.Context(), srv.URL, &out), `migration: step "start"`)
	require.Empty(t, out.String())
}

func TestStartHandsOutTheCaptureAsASPNETWould(t *testing.T) {
	w := newWorld(t)
	resp, err := http.DefaultTransport.RoundTrip(httptest.NewRequest(http.MethodGet, w.url+"/start", nil))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	require.Regexp(t, `(?i)^ASP\.NET_SessionId=[a-z0-5]{24}; path=/; HttpOnly; SameSite=Lax$`, resp.Header.Get("Set-Cookie"))

	v := w.visitor()
	require.Equal(t, "jdoe", v.get("/start")["name"])
	require.Equal(t, captured, v.stored())
	require.Equal(t, "untouched", v.get("/legacy/")["frame"])

	before := v.id()
	v.get("/start")
	require.Equal(t, before, v.id(), "who has a session keeps it")
}

func TestUnknownVisitorGoesToStart(t *testing.T) {
	w := newWorld(t)
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, cookie := range []string{
		"",
		cookieName + "=abcdefghijklmnopqrstuvwx", // an id, but nobody's
		cookieName + "=../../etc",
		cookieName + "=",
	} {
		for _, target := range []struct{ method, path string }{
			{"GET", "/"}, {"GET", "/summary"}, {"GET", "/legacy/"}, {"POST", "/name"}, {"POST", "/visits"}, {"POST", "/items"}, {"POST", "/reset"},
		} {
			req, err := http.NewRequest(target.method, w.url+target.path, nil)
			require.NoError(t, err)
			req.Header.Set("Cookie", cookie)
			resp, err := noRedirect.Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, http.StatusSeeOther, resp.StatusCode, "%v with %q", target, cookie)
			require.Equal(t, "/start", resp.Header.Get("Location"))
		}
	}
	_, err := w.site.old.read(t.Context(), "abcdefghijklmnopqrstuvwx")
	require.ErrorIs(t, err, session.ErrNotFound, "a session was made under an id of the visitor's choice")
}

func TestBrowserWithoutCookiesIsTold(t *testing.T) {
	v := newWorld(t).visitor()
	v.client.Jar = nil
	require.Contains(t, v.get("/")["headline"], "cookie did not come back")
	require.Equal(t, http.StatusBadRequest, v.status)
}

func TestNewNameChangesThatItemAlone(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	home := v.post("/name", "name", "  Grace Hopper ")
	require.Equal(t, "Grace Hopper", home["name"])
	require.NotEmpty(t, home["notice"])
	requireSameBut(t, v.stored(), "userName")

	legacy := v.get("/legacy/")
	require.Equal(t, "The legacy site’s view", legacy["served"])
	require.Equal(t, "Grace Hopper", legacy["userName value"])
	require.Equal(t, changed, legacy["userName state"])
	then, err := open(captured)
	require.NoError(t, err)
	for _, key := range then.Items().Keys() {
		if key != "userName" {
			require.Equal(t, same, legacy[key+" state"], key)
		}
	}
	require.Equal(t, "13", legacy["same"])
	require.Equal(t, "2,469 bytes", legacy["cart size now"])
	require.Len(t, legacy["cart sum now"], 64)
	require.Equal(t, legacy["cart sum then"], legacy["cart sum now"])
}

func TestVisitsAndItems(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	for range 3 {
		v.post("/visits")
	}
	home := v.post("/items", "key", "Motto", "value", "nil is a value")
	require.Equal(t, "3", home["visits"])
	require.Equal(t, "nil is a value", home["own Motto"])

	home = v.post("/items", "key", "MOTTO", "value", "")
	require.Equal(t, "", home["own Motto"], "the same key without case, in its first spelling")

	legacy := v.get("/legacy/")
	require.Equal(t, "3", legacy["visits value"])
	require.Equal(t, added, legacy["visits state"])
	require.Equal(t, added, legacy["Motto state"])
	requireSameBut(t, v.stored())

	p, err := open(v.stored())
	require.NoError(t, err)
	item, _ := p.Items().Item("visits")
	require.Equal(t, payload.TypeInt32, item.Type(), "what C# casts with (int)")
}

func TestSummaryReadsAndDoesNotWrite(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	f := v.get("/summary")
	require.Equal(t, http.StatusOK, v.status)
	require.Equal(t, "Served by Go", f["served"])
	require.Equal(t, "session: read-only access", f["refusal"])
	for _, want := range []string{"12345", "1234.5600", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "2024-05-06 07:08:09", "60 minutes"} {
		require.Contains(t, v.body, want)
	}
	require.Equal(t, captured, v.stored())
}

func TestHostileTextIsEscapedOnBothSides(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	const name, key, value = `<script>alert(1)</script>`, `"><img src=x onerror=a>`, `</td><svg/onload='x'>&{{.}}`
	home := v.post("/name", "name", name)
	require.Equal(t, name, home["name"])
	home = v.post("/items", "key", key, "value", value)
	require.Equal(t, value, home["own "+key])
	for _, path := range []string{"/", "/summary", "/legacy/"} {
		f := v.get(path)
		require.Equal(t, http.StatusOK, v.status)
		for _, raw := range []string{"<script", "<img", "<svg"} {
			require.NotContains(t, v.body, raw, path)
		}
		if path == "/legacy/" {
			require.Equal(t, name, f["userName value"])
			require.Equal(t, value, f[key+" value"])
		}
	}
	v.post("/items", "key", key+"\x01", "value", value) // comes back in the form
	require.NotContains(t, v.body, "<img")
}

func TestWhatAFormMayNotHold(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	for _, row := range []struct{ name, path, key, value, says string }{
		{"no name", "/name", "name", "   ", "enter a name"},
		{"a long name", "/name", "name", strings.Repeat("é", 61), "61 characters"},
		{"a name of two lines", "/name", "name", "a\r\nb", "control characters"},
		{"a name that is no text", "/name", "name", "\xff\xfe", "not UTF-8"},
		{"no key", "/items", "", "x", "enter a key"},
		{"a long key", "/items", strings.Repeat("k", 41), "x", "41 characters"},
		{"a key with NUL", "/items", "a\x00b", "x", "control characters"},
		{"a key that is no text", "/items", "\xc0\x80", "x", "not UTF-8"},
		{"a long value", "/items", "k", strings.Repeat("v", 201), "201 characters"},
		{"a value that is no text", "/items", "k", "\xed\xa0\x80", "not UTF-8"},
		{"a form of any size", "/items", "k", strings.Repeat("v", 2*maxForm), "could not be read"},
		{"the cart's key", "/items", "cart", "x", "no text"},
		{"the cart's key in capitals", "/items", "CART", "x", "no text"},
		{"a number's key", "/items", "userId", "x", "no text"},
		{"the null item's key", "/items", "nothing", "x", "no text"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var f fields
			if row.path == "/name" {
				f = v.post(row.path, row.key, row.value)
			} else {
				f = v.post(row.path, "key", row.key, "value", row.value)
			}
			require.Equal(t, http.StatusUnprocessableEntity, v.status)
			require.Contains(t, f["problem"], row.says)
			require.Equal(t, "jdoe", f["name"])
			require.Equal(t, captured, v.stored(), "a refused form changed something")
		})
	}
	t.Run("too many items", func(t *testing.T) {
		for i := range maxItems - 14 {
			v.post("/items", "key", "k"+strings.Repeat("x", i), "value", "v")
			require.Equal(t, http.StatusOK, v.status)
		}
		require.Contains(t, v.post("/items", "key", "last", "value", "v")["problem"], "at most 40 items")
		v.post("/items", "key", "k", "value", "another")
		require.Equal(t, http.StatusOK, v.status, "what is there may change")
	})
}

func TestVisitorsAreApart(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.visitor(), w.visitor()
	ann.get("/")
	bob.get("/")
	require.NotEqual(t, ann.id(), bob.id())
	ann.post("/name", "name", "Ann")
	ann.post("/items", "key", "mine", "value", "ann's")
	bob.post("/name", "name", "Bob")
	require.Equal(t, "Ann", ann.get("/")["name"])
	require.Equal(t, "Bob", bob.get("/")["name"])
	require.NotContains(t, bob.get("/legacy/"), "mine state")
	require.Equal(t, "Ann", ann.get("/legacy/")["userName value"])
}

func TestReset(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	id := v.id()
	v.post("/name", "name", "Somebody")
	v.post("/visits")
	home := v.post("/reset")
	require.Equal(t, "jdoe", home["name"])
	require.Equal(t, "0", home["visits"])
	require.Equal(t, id, v.id())
	require.Equal(t, captured, v.stored())
	require.Equal(t, "untouched", v.get("/legacy/")["frame"])
}

func TestLegacyShowsWhatIsMissing(t *testing.T) {
	p, err := open(captured)
	require.NoError(t, err)
	p.Items().Remove("ratio")
	data, err := p.Append(nil)
	require.NoError(t, err)
	page, err := compare(captured, data)
	require.NoError(t, err)
	require.Equal(t, 13, page.Same)
	last := page.Rows[len(page.Rows)-1]
	require.Equal(t, "ratio", last.Key)
	require.Equal(t, missing, last.State)
}

func TestClassNamesOfTheCapture(t *testing.T) {
	page, err := compare(captured, captured)
	require.NoError(t, err)
	types := map[string]string{}
	for _, r := range page.Rows {
		types[r.Key] = r.Type
	}
	require.Equal(t, "Golden.Types.ShoppingCart", types["cart"])
	require.Equal(t, "System.Collections.Hashtable", types["prefs"])
	require.Equal(t, "System.String[]", types["roles"])
	require.Equal(t, "System.Guid", types["token"])

	// Cut anywhere, a stream has a name or none, and that is all.
	p, err := open(captured)
	require.NoError(t, err)
	cart, _ := p.Items().Item("cart")
	for n := 1; n < 400; n++ {
		part := cart
		part.Data = cart.Data[:n]
		require.Contains(t, []string{"System.Object", "Golden.Types.ShoppingCart"}, typeName(part))
	}
}

func TestTheFirstCookieCounts(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	req, err := http.NewRequest(http.MethodGet, v.url+"/legacy/", nil)
	require.NoError(t, err)
	// Names are compared without case, as in the middleware.
	req.Header.Set("Cookie", "asp.net_sessionid="+v.id()+"; "+cookieName+"=abcdefghijklmnopqrstuvwx")
	v.client.Jar = nil
	require.Equal(t, "jdoe", v.do(req)["userName value"])
}

func TestFailuresArePages(t *testing.T) {
	s := newWorld(t).site
	for err, status := range map[error]int{
		session.ErrGone:        http.StatusConflict,
		&session.LockedError{}: http.StatusServiceUnavailable,
		session.ErrQueueFull:   http.StatusServiceUnavailable,
		session.ErrBadData:     http.StatusInternalServerError,
		io.ErrUnexpectedEOF:    http.StatusInternalServerError,
	} {
		w := httptest.NewRecorder()
		s.fail(w, httptest.NewRequest(http.MethodGet, "/", nil), fmt.Errorf("migration: %w", err))
		require.Equal(t, status, w.Code, err)
		f, err := readFields(w.Body.Bytes())
		require.NoError(t, err)
		require.NotEmpty(t, f["headline"])
	}
}

func TestOtherSitesMayNotPost(t *testing.T) {
	v := newWorld(t).visitor()
	v.get("/")
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"} {
		req, err := http.NewRequest(http.MethodPost, v.url+"/reset", nil)
		require.NoError(t, err)
		req.Header.Set(header, value)
		f := v.do(req)
		require.Equal(t, http.StatusForbidden, v.status, header)
		require.Contains(t, f["headline"], "another site")
	}
}

func TestNoPageLeavesTheMachine(t *testing.T) {
	v := newWorld(t).visitor()
	for _, path := range []string{"/", "/summary", "/legacy/", "/style.css", "/nothing-here", "/name"} {
		resp, err := v.client.Get(v.url + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		require.NotContains(t, string(body), "://", path)
		require.NotContains(t, string(body), "@import")
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
	}
}

func TestRun(t *testing.T) {
	t.Run("once", func(t *testing.T) {
		var out, errs bytes.Buffer
		require.NoError(t, run(t.Context(), []string{"-once"}, &out, &errs))
		require.Equal(t, 6, strings.Count(out.String(), "\n"))
		require.Empty(t, errs.String())
	})
	t.Run("stops when told", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errs bytes.Buffer
		require.NoError(t, run(ctx, []string{"-addr", "localhost:0"}, &out, &errs))
		require.Contains(t, out.String(), "http://127.0.0.1:")
	})
	t.Run("port taken", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		err = run(t.Context(), []string{"-addr", ln.Addr().String()}, io.Discard, io.Discard)
		require.ErrorContains(t, err, "choose another: -addr")
	})
	for _, addr := range []string{"0.0.0.0:0", "example.com:80", "8080"} {
		require.ErrorContains(t, run(t.Context(), []string{"-addr", addr}, io.Discard, io.Discard), "migration: -addr")
	}
	require.ErrorIs(t, run(t.Context(), []string{"-wat"}, io.Discard, io.Discard), errUsage)
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
	require.ErrorContains(t, run(t.Context(), []string{"x"}, io.Discard, io.Discard), "unexpected argument")
}
