package growth

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// id is the session id of a number.
func id(n int) string {
	b := []byte("aaaaaaaaaaaaaaaaaaaaaaaa")
	for i := len(b) - 1; n > 0; i-- {
		b[i] = "abcdefghijklmnopqrstuvwxyz012345"[n&31]
		n >>= 5
	}
	return string(b)
}

// random is a cheap generator: a multiplication and an addition.
type random uint64

// below returns a number from 0 to n-1.
func (r *random) below(n int) int {
	*r = *r*6364136223846793005 + 1442695040888963407
	return int(uint64(*r) >> 33 % uint64(n))
}

// A content is what a session holds and what the pages do with it.
type content struct {
	items    []string // values; their keys are key(i)
	read     int      // the item that is read
	set      int      // the item that is set
	setValue string   // as long as the old one
}

func key(i int) string { return fmt.Sprintf("item%d", i) }

// tenStrings is the session that all sections compare with.
func tenStrings() content {
	c := content{read: 3, set: 3}
	for i := range 10 {
		c.items = append(c.items, pad("the quick brown fox jumps over the lazy dog", 20+2*i))
	}
	c.setValue = pad("THE QUICK", len(c.items[3]))
	return c
}

// payload is the session.
func (c content) payload() (*payload.Payload, error) {
	p := payload.New(20, payload.Limits{})
	for i, v := range c.items {
		if err := p.Items().Set(key(i), v); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (c content) frame() ([]byte, error) {
	p, err := c.payload()
	if err != nil {
		return nil, err
	}
	return p.Append(make([]byte, 0, p.Size()))
}

// A site is pages on a store, for one request at a time.
type site struct {
	m                 *middleware.Middleware
	req               *http.Request
	header            http.Header
	written           int
	failed            error
	bare, read, write http.Handler
}

func newSite(store session.Store, c content) (*site, error) {
	s := &site{header: make(http.Header)}
	m, err := middleware.New(store, middleware.Options{OnError: func(_ http.ResponseWriter, _ *http.Request, err error) { s.failed = err }})
	if err != nil {
		return nil, err
	}
	if s.req, err = http.NewRequest("GET", "http://example.com/page", nil); err != nil {
		return nil, err
	}
	page := []byte("hello")
	s.m = m
	bare := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) }
	readKey, setKey, length := key(c.read), key(c.set), len(c.items[c.read])
	s.bare = http.HandlerFunc(bare)
	s.read = m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := session.Value[string](middleware.From(r), readKey)
		if err == nil && len(v) != length {
			err = fmt.Errorf("an item of %d bytes, not %d", len(v), length)
		}
		if err != nil {
			s.failed = err
		}
		bare(w, r)
	}))
	s.write = m.ReadWrite(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := middleware.From(r).Set(setKey, c.setValue); err != nil {
			s.failed = err
		}
		bare(w, r)
	}))
	return s, nil
}

func (s *site) close() error { return s.m.Close(context.Background()) }

// The site is its own ResponseWriter, which throws the page away.

func (s *site) Header() http.Header         { return s.header }
func (s *site) WriteHeader(int)             {}
func (s *site) Write(b []byte) (int, error) { s.written += len(b); return len(b), nil }

var errNoPage = errors.New("the request failed")

// serve runs a request of the visitor with an id.
func (s *site) serve(h http.Handler, id string) error {
	clear(s.header)
	s.written, s.failed = 0, nil
	s.req.Header["Cookie"] = []string{"ASP.NET_SessionId=" + id}
	h.ServeHTTP(s, s.req)
	if s.failed == nil && s.written == 0 {
		return errNoPage
	}
	return s.failed
}
