package request

import (
	"net/http"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	goredis "github.com/redis/go-redis/v9"
)

func scsMemory() (*site, error) {
	store := memstore.NewWithCleanupInterval(0) // nothing expires here, and stopping the cleanup is a race of its own
	s := scsOn(scsInMemory, oursMemory, store)
	s.stored = func(v *visitor) int {
		_, token := v.cookie()
		b, _, _ := store.Find(token)
		return len(b)
	}
	return s, nil
}

func scsRedis(addr string, dial dialer) (*site, error) {
	client := goredis.NewClient(&goredis.Options{Addr: addr, Dialer: dial})
	s := scsOn(scsOverRedis, oursOverRedis, goredisstore.New(client))
	s.close = func() { _ = client.Close() }
	return s, nil
}

func scsOn(name, peer string, store scs.Store) *site {
	m := scs.New()
	m.Store = store
	wrap := func(f http.HandlerFunc) http.Handler { return m.LoadAndSave(f) }
	return &site{
		name: name, peer: peer, router: bareName,
		fill: wrap(func(w http.ResponseWriter, r *http.Request) {
			for i, k := range keys {
				m.Put(r.Context(), k, values[i])
			}
			plain(w, r)
		}),
		says: wrap(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(saysHeader, m.GetString(r.Context(), writtenKey))
			plain(w, r)
		}),
		pages: []page{
			{kind: read, handler: wrap(func(w http.ResponseWriter, r *http.Request) {
				if m.GetString(r.Context(), readKey) != readValue {
					broken(w, nil)
					return
				}
				plain(w, r)
			})},
			{kind: write, handler: wrap(func(w http.ResponseWriter, r *http.Request) {
				m.Put(r.Context(), writtenKey, newValue())
				plain(w, r)
			})},
			{kind: unused, handler: wrap(plain)},
		},
	}
}
