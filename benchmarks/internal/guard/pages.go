package guard

import (
	"context"
	"errors"
	"net/http"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// A page is a handler of a site on a store in this process, and a visitor's
// request for it.
type page struct {
	m       *middleware.Middleware
	handler http.Handler
	r       *http.Request
	header  http.Header
	written int
	failed  error
}

func (p *page) Header() http.Header         { return p.header }
func (p *page) WriteHeader(int)             {}
func (p *page) Write(b []byte) (int, error) { p.written += len(b); return len(b), nil }

func (p *page) serve() error {
	clear(p.header)
	p.written = 0
	p.handler.ServeHTTP(p, p.r)
	if p.failed == nil && p.written == 0 {
		return errors.New("no page came")
	}
	return p.failed
}

var hello = []byte("hello")

func (p *page) unused(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(hello) }

func (p *page) read(w http.ResponseWriter, r *http.Request) {
	if v, err := session.Value[string](middleware.From(r), itemKey[3]); err != nil || v != itemValue[3] {
		p.failed = errors.Join(errValue, err)
	}
	_, _ = w.Write(hello)
}

func (p *page) set(w http.ResponseWriter, r *http.Request) {
	if err := middleware.From(r).Set(itemKey[3], changed); err != nil {
		p.failed = err
	}
	_, _ = w.Write(hello)
}

// pagePath is a page; cookie is the visitor's.
func pagePath(name, beside, cookie string, wrap func(*page) http.Handler) Path {
	return Path{"middleware/" + name, beside, func() (func() error, func(), error) {
		store, closed, err := inprocStore()
		if err != nil {
			return nil, nil, err
		}
		p := &page{header: make(http.Header)}
		if p.m, err = middleware.New(store, middleware.Options{OnError: func(_ http.ResponseWriter, _ *http.Request, err error) { p.failed = err }}); err != nil {
			return nil, nil, err
		}
		if p.r, err = http.NewRequest("GET", "http://example.com/page", nil); err != nil {
			return nil, nil, err
		}
		if cookie != "" {
			p.r.Header.Set("Cookie", "ASP.NET_SessionId="+cookie)
		}
		p.handler = wrap(p)
		return p.serve, func() { _ = p.m.Close(context.Background()); closed() }, nil
	}}
}

func pagePaths() []Path {
	return []Path{
		pagePath("readonly-read", allocate, visitor, func(p *page) http.Handler { return p.m.ReadOnly(http.HandlerFunc(p.read)) }),
		pagePath("readwrite-read", allocate, visitor, func(p *page) http.Handler { return p.m.ReadWrite(http.HandlerFunc(p.read)) }),
		pagePath("readwrite-set", allocate, visitor, func(p *page) http.Handler { return p.m.ReadWrite(http.HandlerFunc(p.set)) }),
		pagePath("lazy-unused", allocate, visitor, func(p *page) http.Handler { return p.m.Lazy(http.HandlerFunc(p.unused)) }),
		pagePath("lazy-set", allocate, visitor, func(p *page) http.Handler { return p.m.Lazy(http.HandlerFunc(p.set)) }),
		pagePath("disabled", allocate, visitor, func(p *page) http.Handler { return p.m.Disabled(http.HandlerFunc(p.unused)) }),
		pagePath("new-visitor-unused", allocate, "", func(p *page) http.Handler { return p.m.ReadWrite(http.HandlerFunc(p.unused)) }),
		simple("cookieless/path", allocate, func() (func() error, error) {
			c, err := cookieless.New(cookieless.Options{Mode: cookieless.UseURI, App: "/shop"})
			if err != nil {
				return nil, err
			}
			r, err := http.NewRequest("GET", "http://example.com/shop/(S("+visitor+"))/page?a=b", nil)
			return func() error {
				_, s, err := c.Read(r)
				if err == nil && s.ID() != visitor {
					err = errValue
				}
				return err
			}, err
		}),
	}
}
