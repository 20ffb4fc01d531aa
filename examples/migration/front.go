package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/aspsession/aspsession/examples/migration/legacy"
)

// legacyPatience is how long a legacy page may take until its first byte: longer
// than ASP.NET lets one wait for its session (executionTimeout, 110 s).
const legacyPatience = 2 * time.Minute

// A front is what visitors speak to: it hands each request to the half that
// serves the page.
type front struct {
	routes  *routes
	legacy  *legacyHalf
	goHalf  map[string]http.Handler // by path, as in the table
	own     http.Handler            // "/", "/bytes" and "/style.css"
	proxy   *httputil.ReverseProxy
	trouble trouble
}

func newFront(l *legacyHalf, goHalf map[string]http.Handler) *front {
	f := &front{routes: newRoutes(), legacy: l, goHalf: goHalf}
	f.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			target := targetOf(r.In.Context())
			r.SetURL(target)
			r.Out.Host = r.In.Host // redirects and cookies are the front's, not a port's that nobody sees
			r.SetXForwarded()
			// Mono's server takes a body that its page did not read for the next request
			// on the connection, and that could be another visitor's.
			r.Out.Close = r.In.ContentLength != 0
		},
		// No proxy on the way: the legacy half is on this machine.
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, ResponseHeaderTimeout: legacyPatience,
			MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second,
		},
		FlushInterval:  -1,
		ModifyResponse: f.answered,
		ErrorHandler:   f.unanswered,
	}
	return f
}

// ServeHTTP serves the front's own pages, and routes all others.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The filter of ASP.NET's cookieless sessions sets it; from outside it would
	// give a visitor the session of another.
	r.Header.Del("AspFilterSessionId")
	if strings.ContainsFunc(r.URL.Path, forbidden) {
		frontView(r).message(w, http.StatusBadRequest, "That is no address", "It has a character that no page of the shop has in its name.")
		return
	}
	switch r.URL.Path {
	case "/", "/bytes", "/style.css":
		f.own.ServeHTTP(w, r)
		return
	}
	route := f.routes.lookup(r.URL.Path)
	if h := f.goHalf[route.Path]; route.Half == inGo && h != nil {
		h.ServeHTTP(w, r)
		return
	}
	now := f.legacy.health()
	if now.Target == nil {
		f.absent(w, r, now)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), targetKey{}, now.Target))
	if route.Path != r.URL.Path {
		// IIS would not mind the case; Mono on Linux has files with theirs. What
		// stands behind a page's name is dropped: no page here reads it.
		page := *r.URL
		page.Path, page.RawPath = route.Path, ""
		r.URL = &page
	}
	f.proxy.ServeHTTP(w, r)
}

// forbidden are the characters that ASP.NET refuses in a path (httpRuntime's
// requestPathInvalidCharacters) and control characters. Mono does so with a stack
// trace for an answer, and with none at all to a NUL.
func forbidden(c rune) bool { return unicode.IsControl(c) || strings.ContainsRune("<>*%&:?", c) }

// targetKey is the context's key of where the legacy half answered when the
// request came: a restart gives it another port.
type targetKey struct{}

func targetOf(ctx context.Context) *url.URL { return ctx.Value(targetKey{}).(*url.URL) }

// absent answers for a legacy half that is not up.
func (f *front) absent(w http.ResponseWriter, r *http.Request, now health) {
	headline := "The ASP.NET half is starting"
	if now.State == failed {
		headline = "The ASP.NET half is down"
	}
	w.Header().Set("Retry-After", "5")
	frontView(r).message(w, http.StatusServiceUnavailable, headline,
		"This page is one of its own. The Go pages go on; the front page says how the other half fares.")
}

// answered sees every answer of the legacy half.
func (f *front) answered(resp *http.Response) error {
	why := resp.Header.Get(legacy.ErrorHeader)
	resp.Header.Del(legacy.ErrorHeader) // not for visitors
	if resp.StatusCode >= http.StatusInternalServerError {
		if why == "" {
			why = "it did not say why"
		}
		f.trouble.note(incident{
			Page:   resp.Request.Method + " " + resp.Request.URL.Path,
			What:   fmt.Sprintf("answered %s: %s", resp.Status, why),
			Advice: "The page itself is at fault, and ASP.NET goes on. Mend it, or move it: a page in Go is one word in the table.",
		})
	}
	return nil
}

// unanswered tells a visitor that the legacy half gave no answer, and the front
// page why.
func (f *front) unanswered(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the visitor has gone
	}
	status, headline := http.StatusBadGateway, "The ASP.NET half does not answer"
	advice := "Has its web server ended? Then its state above says so, and it can be started again."
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		status, headline = http.StatusGatewayTimeout, "The ASP.NET half takes too long"
		advice = "It is up and busy, or it waits for something. Is another page at work on the same session?"
	}
	f.trouble.note(incident{Page: r.Method + " " + r.URL.Path, What: "got no answer: " + err.Error(), Advice: advice})
	frontView(r).message(w, status, headline, "This page is one of its own. The Go pages go on; the front page says what happened.")
}

// trouble is the last thing that went wrong in the legacy half.
type trouble struct {
	mu   sync.Mutex // guards last
	last *incident
}

type incident struct {
	At                 time.Time
	Page, What, Advice string
}

func (t *trouble) note(i incident) {
	i.At = time.Now()
	i.Page, i.What = clip(i.Page), clip(i.What)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = &i
}

// get returns nil where nothing went wrong.
func (t *trouble) get() *incident {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// clip keeps what a visitor chose from filling the front page.
func clip(s string) string {
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
