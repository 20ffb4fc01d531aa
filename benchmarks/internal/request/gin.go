package request

import (
	"context"
	"net/http"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-contrib/sessions/memstore"
	"github.com/gin-contrib/sessions/redis"
	"github.com/gin-gonic/gin"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/ginsession"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// engine is gin with one page.
func engine(handlers ...gin.HandlerFunc) http.Handler {
	gin.SetMode(gin.ReleaseMode) // else it prints its routes
	e := gin.New()
	e.GET("/page", handlers...)
	return e
}

func ginPlain(c *gin.Context) { _, _ = c.Writer.Write(hello) }

// ginBare is gin's page without sessions.
func ginBare() *site {
	return &site{name: ginName, pages: []page{{kind: unused, handler: engine(ginPlain)}}}
}

func ginMemory() (*site, error) {
	return ginOn("gin-contrib in memory", oursGin, memstore.NewStore(signingKey)), nil
}

func ginCookie() (*site, error) {
	s := ginOn("gin-contrib cookie", oursGin, cookie.NewStore(signingKey))
	s.stored = cookieSize
	return s, nil
}

func ginRedis(addr string, dial dialer) (*site, error) {
	pool := redigoPool(addr, dial)
	store, err := redis.NewStoreWithPool(pool, signingKey)
	if err != nil {
		return nil, err
	}
	s := ginOn("gin-contrib over Redis", oursOverRedis, store)
	s.close = func() { _ = pool.Close() }
	return s, nil
}

func ginOn(name, peer string, store sessions.Store) *site {
	wrap := func(f gin.HandlerFunc) http.Handler { return engine(sessions.Sessions(cookieName, store), f) }
	save := func(c *gin.Context, s sessions.Session) {
		if err := s.Save(); err != nil {
			broken(c.Writer, err)
			return
		}
		ginPlain(c)
	}
	return &site{
		name: name, peer: peer, router: ginName,
		fill: wrap(func(c *gin.Context) {
			s := sessions.Default(c)
			for i, k := range keys {
				s.Set(k, values[i])
			}
			save(c, s)
		}),
		says: wrap(func(c *gin.Context) {
			v, _ := sessions.Default(c).Get(writtenKey).(string)
			c.Header(saysHeader, v)
			ginPlain(c)
		}),
		pages: []page{
			{kind: read, handler: wrap(func(c *gin.Context) {
				if sessions.Default(c).Get(readKey) != readValue {
					broken(c.Writer, nil)
					return
				}
				ginPlain(c)
			})},
			{kind: write, handler: wrap(func(c *gin.Context) {
				s := sessions.Default(c)
				s.Set(writtenKey, newValue())
				save(c, s)
			})},
			{kind: unused, handler: wrap(ginPlain)},
		},
	}
}

// oursInGin is our middleware inside gin, beside which gin-contrib's stands.
func oursInGin() (*site, error) {
	store := inproc.New(inproc.Options{})
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	within := func(f http.HandlerFunc) gin.HandlerFunc {
		return func(c *gin.Context) { f(c.Writer, c.Request) }
	}
	return &site{
		name: oursGin, router: ginName,
		fill: engine(ginsession.ReadWrite(m), within(oursFill)),
		says: engine(ginsession.ReadOnly(m), within(oursSays)),
		pages: []page{
			{kind: read, how: "ReadOnly", handler: engine(ginsession.ReadOnly(m), func(c *gin.Context) {
				v, err := session.Value[string](ginsession.From(c), readKey)
				if err != nil || v != readValue {
					broken(c.Writer, err)
					return
				}
				ginPlain(c)
			})},
			{kind: write, how: "ReadWrite", handler: engine(ginsession.ReadWrite(m), func(c *gin.Context) {
				if err := ginsession.From(c).Set(writtenKey, newValue()); err != nil {
					broken(c.Writer, err)
					return
				}
				ginPlain(c)
			})},
			{kind: unused, how: "Lazy", handler: engine(ginsession.Lazy(m), ginPlain)},
		},
		stored: func(v *visitor) int {
			_, id := v.cookie()
			b, _ := store.Bytes(id)
			return len(b)
		},
		close: func() { _ = m.Close(context.Background()); _ = store.Close() },
	}, nil
}
