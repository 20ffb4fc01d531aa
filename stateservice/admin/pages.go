package admin

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

//go:embed pages.html
var pagesHTML string

//go:embed pages.css
var pagesCSS string

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"css":     func() template.CSS { return template.CSS(pagesCSS) }, // ours: nothing is escaped in it
	"grouped": grouped,
	"size":    size,
}).Parse(pagesHTML))

// policy lets a page have its own style and nothing else: no script, no form, no
// frame, no other address.
var policy = func() string {
	sum := sha256.Sum256([]byte(pagesCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// pages are what people look at.
type pages struct {
	s      *stateservice.Server
	values bool
	names  namer
	rates  *rates
	now    func() time.Time

	busy   chan struct{} // full while somebody walks over all sessions, which takes a moment of a million
	census *census       // the last one; whoever is busy may use it
}

func newPages(s *stateservice.Server, opt Options, rates *rates) *pages {
	return &pages{s: s, values: opt.Values, names: newNamer(), rates: rates, now: opt.Now, busy: make(chan struct{}, 1)}
}

func (p *pages) handle(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.overview)
	mux.HandleFunc("GET /browse", p.browse)
	mux.HandleFunc("GET /session/{name}", p.session)
}

// alone runs walk when nobody else is busy; false where the client has gone
// before. Answering is not part of it: a client may take its time to read.
func (p *pages) alone(w http.ResponseWriter, r *http.Request, walk func()) bool {
	select {
	case p.busy <- struct{}{}:
	case <-r.Context().Done():
		http.Error(w, "admin: the request was cancelled", http.StatusServiceUnavailable)
		return false
	}
	defer func() { <-p.busy }()
	walk()
	return true
}

// head is what every page has.
type head struct {
	Title   string
	At      string
	Refresh int    // seconds; 0: no
	Turn    string // the address that turns refreshing on, or off
}

// refreshing is what the link on the page asks for, in seconds.
const refreshing = 10

func (p *pages) head(r *http.Request, title string, now time.Time) head {
	h := head{Title: title, At: now.Format("2006-01-02 15:04:05 MST")}
	query := r.URL.Query()
	if n, err := strconv.Atoi(query.Get("refresh")); err == nil && n > 0 {
		h.Refresh = min(max(n, 2), 3600)
		query.Del("refresh")
	} else {
		query.Set("refresh", strconv.Itoa(refreshing))
	}
	turn := url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
	h.Turn = turn.String()
	return h
}

// A line is a session in a table.
type line struct {
	Name, URL, App, Expires, Size, State, Lock string
	Waiters                                    int
}

func (p *pages) line(r row, now time.Time) line {
	name := p.names.name(r.Key).String()
	l := line{Name: name, URL: "/session/" + name, App: tame(application(r.Key), nameWidth), Expires: "never", Size: size(int64(r.Size)), Waiters: r.Waiters}
	if !r.Expires.IsZero() {
		l.Expires = span(max(r.Expires.Sub(now), 0))
	}
	if r.Uninitialized {
		l.State = "uninitialized"
	}
	if r.Locked {
		l.Lock = span(r.LockAge)
	}
	return l
}

// render writes a page, or says why it cannot.
func (p *pages) render(w http.ResponseWriter, status int, name string, data any) {
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "admin: the page cannot be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, b.String())
}

// messagePage is a page of one sentence.
type messagePage struct {
	head
	Text string
}

func (p *pages) missing(w http.ResponseWriter, r *http.Request, text string) {
	p.render(w, http.StatusNotFound, "message", messagePage{p.head(r, "Not found", p.now()), text})
}

func (p *pages) bad(w http.ResponseWriter, r *http.Request, text string) {
	p.render(w, http.StatusBadRequest, "message", messagePage{p.head(r, "Not understood", p.now()), text})
}
