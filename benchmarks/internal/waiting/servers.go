package waiting

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// servers are so many web servers that share sessions, and requests to them in
// turn: middlewares that know nothing of one another.
func servers(n int) func(addr string) (runner, error) {
	return func(addr string) (runner, error) {
		s := new(farm)
		for range n {
			store, err := stateserver.New(stateserver.Options{Addr: addr, AppID: appID})
			if err != nil {
				return nil, errors.Join(err, s.stop())
			}
			m, err := middleware.New(store, middleware.Options{})
			if err != nil {
				return nil, errors.Join(err, store.Close(), s.stop())
			}
			s.stores, s.all = append(s.stores, store), append(s.all, m)
		}
		if err := s.begin(); err != nil {
			return nil, errors.Join(err, s.stop())
		}
		return s, nil
	}
}

type farm struct {
	stores []*stateserver.Store
	all    []*middleware.Middleware
	cookie string
}

const counter, filling = "count", "filling"

// begin makes the session, and has every server connected.
func (f *farm) begin() error {
	if _, err := f.visit(0, func(s *session.Session) error {
		return errors.Join(s.Set(counter, int32(0)), s.Set(filling, strings.Repeat("x", body)))
	}); err != nil {
		return err
	}
	for i := range f.all {
		if _, err := f.visit(i, func(*session.Session) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// visit runs a page of the i-th server.
func (f *farm) visit(i int, page func(*session.Session) error) (count int32, err error) {
	h := f.all[i%len(f.all)].ReadWrite(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		if err = page(s); err == nil {
			count, err = session.Value[int32](s, counter)
		}
	}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if f.cookie != "" {
		r.Header.Set("Cookie", f.cookie)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return 0, fmt.Errorf("the page was answered %d: %s", w.Code, w.Body)
	}
	if c := w.Result().Cookies(); len(c) > 0 {
		f.cookie = c[0].Name + "=" + c[0].Value
	}
	return count, err
}

func (f *farm) request(i int, page func()) error {
	_, err := f.visit(i, func(s *session.Session) error {
		page()
		n, err := session.Value[int32](s, counter)
		if err != nil {
			return err
		}
		return s.Set(counter, n+1)
	})
	return err
}

// close looks whether every page was counted.
func (f *farm) close() error {
	n, err := f.visit(0, func(*session.Session) error { return nil })
	if err == nil && n != requests {
		err = fmt.Errorf("the session counted %d pages, not %d", n, requests)
	}
	return errors.Join(err, f.stop())
}

func (f *farm) stop() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for i, m := range f.all {
		err = errors.Join(err, m.Close(ctx), f.stores[i].Close())
	}
	return err
}
