package request

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/boj/redistore"
	redigo "github.com/gomodule/redigo/redis"
	"github.com/gorilla/sessions"
)

// signingKey signs the cookies of the libraries that sign them.
var signingKey = []byte("0123456789abcdef0123456789abcdef")

const cookieName = "session"

func gorillaCookie() (*site, error) {
	s := gorillaOn("gorilla cookie", oursMemory, sessions.NewCookieStore(signingKey))
	s.stored = cookieSize
	return s, nil
}

// cookieSize is what a session kept in a cookie sends with each request.
func cookieSize(v *visitor) int {
	_, value := v.cookie()
	return len(value)
}

func gorillaRedis(addr string, dial dialer) (*site, error) {
	store, err := redistore.NewRediStoreWithPool(redigoPool(addr, dial), signingKey)
	if err != nil {
		return nil, err
	}
	s := gorillaOn("gorilla over Redis", oursOverRedis, store)
	s.close = func() { _ = store.Close() }
	return s, nil
}

// redigoPool is what redistore.NewRediStore makes, its PING before each use
// included, with a dialer to count with.
func redigoPool(addr string, dial dialer) *redigo.Pool {
	var opts []redigo.DialOption
	if dial != nil {
		opts = append(opts, redigo.DialNetDial(func(network, addr string) (net.Conn, error) {
			return dial(context.Background(), network, addr)
		}))
	}
	return &redigo.Pool{
		MaxIdle:     manyConns,
		IdleTimeout: 240 * time.Second,
		TestOnBorrow: func(c redigo.Conn, _ time.Time) error {
			_, err := c.Do("PING")
			return err
		},
		Dial: func() (redigo.Conn, error) { return redigo.Dial("tcp", addr, opts...) },
	}
}

// gorillaOn has no page that does not use the session: without a middleware that
// is the bare handler.
func gorillaOn(name, peer string, store sessions.Store) *site {
	with := func(w http.ResponseWriter, r *http.Request, use func(s *sessions.Session) error) {
		s, err := store.Get(r, cookieName)
		if err == nil {
			err = use(s)
		}
		if err != nil {
			broken(w, err)
			return
		}
		plain(w, r)
	}
	return &site{
		name: name, peer: peer, router: bareName,
		fill: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			with(w, r, func(s *sessions.Session) error {
				for i, k := range keys {
					s.Values[k] = values[i]
				}
				return s.Save(r, w)
			})
		}),
		says: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			with(w, r, func(s *sessions.Session) error {
				v, _ := s.Values[writtenKey].(string)
				w.Header().Set(saysHeader, v)
				return nil
			})
		}),
		pages: []page{
			{kind: read, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s, err := store.Get(r, cookieName)
				if err != nil || s.Values[readKey] != readValue {
					broken(w, err)
					return
				}
				plain(w, r)
			})},
			{kind: write, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s, err := store.Get(r, cookieName)
				if err == nil {
					s.Values[writtenKey] = newValue()
					err = s.Save(r, w)
				}
				if err != nil {
					broken(w, err)
					return
				}
				plain(w, r)
			})},
		},
	}
}
