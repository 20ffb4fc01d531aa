package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// A captured exchange is one request to ASP.NET (Microsoft's published id manager
// and cookieless helper) and its answer.
type captured struct {
	name           string // "client with cookies/1"
	method, target string
	header         http.Header // of the request
	status         int
	answer         http.Header
	body           string // its first line
}

// readCapture reads a file of exchanges: "#####" begins a section, "===" an
// exchange, ">" and "<" are lines of request and answer.
func readCapture(t *testing.T, file string) (list []*captured) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "cookieless", file))
	require.NoError(t, err)
	section := ""
	var x *captured
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		mark, rest, _ := strings.Cut(line, " ")
		switch {
		case mark == "#####":
			section = rest + "/"
		case mark == "===":
			x = &captured{name: section + rest, header: http.Header{}, answer: http.Header{}}
			list = append(list, x)
		case mark == ">" && x.method == "":
			word := strings.Fields(rest)
			x.method, x.target = word[0], word[1]
		case mark == "<" && x.status == 0:
			x.status, err = strconv.Atoi(strings.Fields(rest)[1])
			require.NoError(t, err)
		case mark == ">", mark == "<":
			name, value, ok := strings.Cut(rest, ": ")
			require.True(t, ok, line)
			if mark == ">" {
				x.header.Add(name, value)
			} else {
				x.answer.Add(name, value)
			}
		case x != nil && x.body == "":
			x.body = line
		}
	}
	require.NotEmpty(t, list)
	return list
}

// A replica is the application that was captured: its pages, in Go.
type replica struct {
	ran  bool
	said map[string]string // id, new, ro, count, timeout as the page prints them
}

func (p *replica) handler(m *middleware.Middleware) http.Handler {
	mux := http.NewServeMux()
	page := func(path, name string, then func(*http.Request, *session.Session) error) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s := middleware.From(r)
			n, err := s.Len()
			timeout, terr := s.Timeout()
			if err != nil || terr != nil {
				http.Error(w, "no session", http.StatusInternalServerError)
				return
			}
			p.ran = true
			p.said = map[string]string{
				"page": name, "id": s.ID(), "new": title(s.IsNew()), "ro": title(s.ReadOnly()),
				"count": fmt.Sprint(n), "timeout": fmt.Sprint(timeout.Minutes()),
			}
			if then != nil {
				err = then(r, s)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	page("/set.aspx", "set", func(_ *http.Request, s *session.Session) error {
		for _, item := range []string{"str", "int", "date", "list", "cart"} {
			if err := s.Set(item, item); err != nil {
				return err
			}
		}
		return nil
	})
	page("/get.aspx", "get", nil)
	page("/sub/get2.aspx", "get", nil)
	page("/ro.aspx", "get", nil)
	page("/rostamp.aspx", "ro", nil)
	page("/touchless.aspx", "enabled", nil)
	page("/post.aspx", "POST", func(r *http.Request, s *session.Session) error { return s.Set("posted", r.PostFormValue("f")) })
	page("/abandon.aspx", "abandoned", func(_ *http.Request, s *session.Session) error { return s.Abandon() })
	mux.HandleFunc("/none.aspx", func(http.ResponseWriter, *http.Request) { p.ran, p.said = true, map[string]string{"page": "no"} })
	return m.Wrap(mux)
}

func title(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// accessOf is the pages' EnableSessionState.
func accessOf(r *http.Request) session.Access {
	switch {
	case strings.HasSuffix(r.URL.Path, "/ro.aspx"), strings.HasSuffix(r.URL.Path, "/rostamp.aspx"):
		return session.ReadOnly
	case strings.HasSuffix(r.URL.Path, "/none.aspx"):
		return session.Disabled
	}
	return session.ReadWrite
}

// A difference is where we answer otherwise than what was captured, and why.
type difference struct {
	status   int
	location string // ids as "id"; "": none
	cookies  bool   // Set-Cookie as captured; else none
	isNew    string // what the page says; "": as captured
	reason   string
}

var (
	noCookie   = difference{status: 200, reason: "a session in which nothing is stored leaves no cookie"}
	not404     = difference{status: 302, location: "/(S(id))/(abcdefghijklmnopqrstuv05)/get.aspx", reason: "ASP.NET looks for the page before the session; here routes are inside the middleware, where paths are clean, and the 404 comes after the redirect"}
	monoFailed = difference{status: 302, cookies: true, reason: "the host of the captures failed after it had written the redirect: 500 with the headers of the 302 that .NET sends"}
)

// differences is all of them, by file and name of the exchange.
var differences = map[string]difference{
	"ms-cookies.txt: first visit, page touches nothing": noCookie,
	"ms-cookies.txt: first visit, ReadOnly page":        noCookie,
	"ms-cookies.txt: URL id ignored": {status: 404, reason: "with cookies only, a segment is not stripped: " +
		"it would only disguise paths"},
	"ms-useuri.txt: id in a sub folder position": {status: 302, location: "/(S(id))/sub/(S(id))/get2.aspx",
		reason: "the segment is read in its canonical place only; Options.AnyPosition reads it here too"},
	"ms-useuri-noregenerate.txt: id in a sub folder position": {status: 302, location: "/(S(id))/sub/(S(id))/get2.aspx",
		reason: "as above"},
	"ms-useuri-noregenerate.txt: POST after abandon": {status: 200, isNew: "False",
		reason: "the store of the captures kept an item uninitialized until it was saved; ASP.NET's own, and ours, until it is first read"},
	"ms-useuri.txt: 1.x form (24)":                         not404,
	"ms-useuri-noregenerate.txt: 1.x form (24)":            not404,
	"ms-autodetect.txt: client without cookies/1":          monoFailed.to("/set.aspx?a=b&AspxAutoDetectCookieSupport=1"),
	"ms-autodetect.txt: client without cookies/POST first": monoFailed.to("/post.aspx?AspxAutoDetectCookieSupport=1"),
	"ms-autodetect.txt: client without cookies/page without session state": {status: 200,
		reason: "a page without session state does not need to know whether cookies are kept: it is not challenged"},
}

func (d difference) to(location string) difference { d.location = location; return d }

// prepared is what the captures do not show: a redirect before this exchange had
// issued its id.
var prepared = map[string]bool{
	"ms-useuri.txt: follow":                       true,
	"ms-autodetect.txt: client without cookies/3": true,
}

var (
	anyID     = regexp.MustCompile(`\b[a-z0-5]{24}\b`)
	pathID    = regexp.MustCompile(`S\(([a-zA-Z0-5]{24})\)`)
	cookieID  = regexp.MustCompile(`ASP\.NET_SessionId=([a-z0-5]{24});`)
	printed   = regexp.MustCompile(`\b(id|new|ro|count|timeout)=(\S*)`)
	telephone = "client without cookies/user agent known to have no cookies"
)

// A replay compares one file with us, exchange by exchange, in its order.
type replay struct {
	t     *testing.T
	file  string
	store *faulty
	pages *replica
	site  http.Handler
	ids   *strings.Replacer // what the capture's server issued, as ours did
	pairs []string
	used  map[string]bool // the differences that were met
}

func (p *replay) issued(theirs, ours string) {
	p.pairs = append(p.pairs, theirs, ours, strings.ToUpper(theirs), strings.ToUpper(ours))
	p.ids = strings.NewReplacer(p.pairs...)
}

// Everything that was captured is replayed: status, Location, Set-Cookie, whether
// the page ran, and what it saw of its session. What differs is in differences.
func TestReplay(t *testing.T) {
	used := map[string]bool{}
	for _, tt := range []struct {
		file string
		opt  cookieless.Options
	}{
		{file: "ms-cookies.txt"},
		{file: "ms-useuri.txt", opt: cookieless.Options{Mode: cookieless.UseURI}},
		{file: "ms-useuri.txt", opt: cookieless.Options{Mode: cookieless.UseURI, AnyPosition: true}},
		{file: "ms-useuri-noregenerate.txt", opt: cookieless.Options{Mode: cookieless.UseURI, KeepExpiredIDs: true}},
		{file: "ms-useuri-noregenerate.txt", opt: cookieless.Options{Mode: cookieless.UseURI, KeepExpiredIDs: true, AnyPosition: true}},
		{file: "ms-autodetect.txt", opt: cookieless.Options{Mode: cookieless.AutoDetect}},
	} {
		t.Run(fmt.Sprintf("%s any position %v", tt.file, tt.opt.AnyPosition), func(t *testing.T) {
			store := newStore(t)
			m := newMiddleware(t, store, middleware.Options{
				Session:    session.Options{Timeout: time.Minute},
				Cookie:     middleware.Cookie{SameSite: http.SameSiteDefaultMode}, // from before SameSite
				Cookieless: tt.opt,
				Access:     accessOf,
			})
			pages := new(replica)
			p := &replay{t: t, file: tt.file, store: store, pages: pages, site: pages.handler(m), ids: strings.NewReplacer(), used: used}
			for _, x := range readCapture(t, tt.file) {
				diff, differs := differences[tt.file+": "+x.name]
				if tt.opt.AnyPosition && strings.Contains(x.name, "sub folder") {
					differs = false
				}
				p.exchange(x, diff, differs)
			}
			store.requireNoLocks(t)
		})
	}
	for name := range differences {
		require.True(t, used[name], "%s is no difference any more", name)
	}
}

func (p *replay) exchange(x *captured, diff difference, differs bool) {
	t, key := p.t, p.file+": "+x.name
	if prepared[key] {
		id := pathID.FindStringSubmatch(x.target)[1]
		require.NoError(t, p.store.Store.Create(context.Background(), id, time.Minute), key)
	}
	var body string
	if x.method == "POST" {
		body = "f=1"
	}
	r := httptest.NewRequest(x.method, p.ids.Replace(x.target), strings.NewReader(body))
	for name, lines := range x.header {
		for _, line := range lines {
			r.Header.Add(name, p.ids.Replace(line))
		}
	}
	if x.name == telephone {
		r.Header.Set("User-Agent", "DoCoMo/1.0/N503is/c10")
	}
	*p.pages = replica{}
	w := serve(p.site, r)
	got := w.Result()

	// Ids are ours to choose: where both made one, theirs stands for ours from
	// now on. "id" stands for both here.
	status, location, cookies := x.status, anyID.ReplaceAllString(x.answer.Get("Location"), "id"), anyIDs(x.answer["Set-Cookie"])
	if differs {
		status, location = diff.status, diff.location
		if !diff.cookies {
			cookies = nil
		}
		same := diff.isNew == "" && x.status == diff.status && (len(cookies) > 0) == (len(x.answer["Set-Cookie"]) > 0) &&
			anyID.ReplaceAllString(x.answer.Get("Location"), "id") == anyID.ReplaceAllString(diff.location, "id")
		require.False(t, same, "%s: what is listed as a difference is none (%s)", key, diff.reason)
		p.used[key] = true
	}
	require.Equal(t, status, got.StatusCode, key)
	require.Equal(t, anyID.ReplaceAllString(location, "id"), anyID.ReplaceAllString(got.Header.Get("Location"), "id"), key)
	require.Equal(t, cookies, anyIDs(got.Header["Set-Cookie"]), key)
	require.Equal(t, status == 200, p.pages.ran, key)
	if theirs, ours := pathID.FindStringSubmatch(x.answer.Get("Location")), pathID.FindStringSubmatch(got.Header.Get("Location")); theirs != nil && ours != nil {
		require.NotContains(t, r.URL.Path, ours[1], key)
		require.Equal(t, x.answer["Cache-Control"], got.Header["Cache-Control"], key)
		p.issued(theirs[1], ours[1])
	}
	theirs, ours := cookieID.FindStringSubmatch(strings.Join(x.answer["Set-Cookie"], "\n")), cookieID.FindStringSubmatch(strings.Join(got.Header["Set-Cookie"], "\n"))
	if theirs != nil && ours != nil {
		p.issued(theirs[1], ours[1])
	}
	if x.status != 200 || !p.pages.ran {
		return
	}
	require.Equal(t, strings.Fields(x.body)[0], p.pages.said["page"], key)
	told := false
	for _, field := range printed.FindAllStringSubmatch(x.body, -1) {
		want := p.ids.Replace(field[2])
		if differs && field[1] == "new" && diff.isNew != "" {
			require.NotEqual(t, want, diff.isNew)
			want = diff.isNew
		}
		if ours, both := p.pages.said[field[1]]; both {
			told = true
			require.Equal(t, want, ours, "%s: %s", key, field[1])
		}
	}
	silent := strings.HasPrefix(x.body, "no ") || strings.HasPrefix(x.body, "enabled") || strings.HasPrefix(x.body, "ro ")
	require.Equal(t, !silent, told, key)
}

func anyIDs(lines []string) (out []string) {
	for _, line := range lines {
		out = append(out, anyID.ReplaceAllString(line, "id"))
	}
	return out
}

// What ASP.NET's ApplyAppPathModifier and Response.Redirect made of URLs, they
// are here too.
func TestReplayLinks(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "cookieless", "ms-useuri-links.txt"))
	require.NoError(t, err)
	id := pathID.FindStringSubmatch(string(data))[1]
	store := newStore(t)
	require.NoError(t, store.Store.Create(context.Background(), id, time.Minute))
	m := newMiddleware(t, store, middleware.Options{Cookieless: cookieless.Options{Mode: cookieless.UseURI}})
	visit := func(page string, then http.HandlerFunc) http.Header {
		return serve(m.Wrap(then), httptest.NewRequest("GET", "/(S("+id+"))/"+page, nil)).Header()
	}
	var (
		page  = "redirect.aspx"
		apply = regexp.MustCompile(`^ApplyAppPathModifier\("(.*)"\) = (.*)$`)
		path  = regexp.MustCompile(`^Request\.(?:Path|RawUrl) = (.*)$`)
		moved = regexp.MustCompile(`^Response\.Redirect\("(.*)"\)$`)
		next  string // what Redirect was given
		n     int
	)
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if name, ok := strings.CutPrefix(line, "## "); ok {
			page = name
		} else if line == "</pre></body></html>" {
			page = "redirect.aspx" // what follows has a page of its own
		} else if f := apply.FindStringSubmatch(line); f != nil {
			n++
			visit(page, func(_ http.ResponseWriter, r *http.Request) {
				require.Equal(t, f[2], cookieless.Apply(r, f[1]), "%s: %s", page, f[1])
			})
		} else if f := path.FindStringSubmatch(line); f != nil {
			n++
			visit(page, func(_ http.ResponseWriter, r *http.Request) {
				require.Equal(t, []string{f[1], f[1]}, []string{r.URL.Path, r.RequestURI})
			})
		} else if f := moved.FindStringSubmatch(line); f != nil {
			next = f[1]
		} else if want, ok := strings.CutPrefix(line, "Location: "); ok {
			n++
			h := visit(page, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", next)
				w.WriteHeader(http.StatusFound)
			})
			require.Equal(t, want, h.Get("Location"), next)
		}
	}
	require.Equal(t, 5+2+5+2+7, n)
}
