package request

import (
	"context"
	"log/slog"
	"net/http"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// onStore is our middleware on a store; it closes the store.
func onStore(name string, store session.Store, closeStore func() error) (*site, error) {
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		_ = closeStore()
		return nil, err
	}
	reads, writes := http.HandlerFunc(oursRead), http.HandlerFunc(oursWrite)
	return &site{
		name: name, router: bareName,
		fill: m.ReadWrite(http.HandlerFunc(oursFill)),
		says: m.ReadOnly(http.HandlerFunc(oursSays)),
		pages: []page{
			{kind: read, how: "ReadOnly", handler: m.ReadOnly(reads)},
			{kind: write, how: "ReadWrite", handler: m.ReadWrite(writes)},
			{kind: unused, how: "Lazy", handler: m.Lazy(http.HandlerFunc(plain))},
			{kind: read, how: "ReadWrite", handler: m.ReadWrite(reads)},
		},
		close: func() { _ = m.Close(context.Background()); _ = closeStore() },
	}, nil
}

func oursInproc() (*site, error) {
	store := inproc.New(inproc.Options{})
	s, err := onStore(oursMemory, store, store.Close)
	if err != nil {
		return nil, err
	}
	s.stored = func(v *visitor) int {
		_, id := v.cookie()
		b, _ := store.Bytes(id)
		return len(b)
	}
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		s.close()
		return nil, err
	}
	s.pages = append(s.pages,
		page{kind: read, how: "Lazy", handler: m.Lazy(http.HandlerFunc(oursRead))},
		page{kind: unused, how: "ReadWrite", handler: m.ReadWrite(http.HandlerFunc(plain))},
		page{kind: unused, how: "Disabled", handler: m.Disabled(http.HandlerFunc(plain))},
		page{kind: unused, how: "ReadWrite, new visitor", handler: m.ReadWrite(http.HandlerFunc(plain)), stranger: true},
	)
	end := s.close
	s.close = func() { _ = m.Close(context.Background()); end() }
	return s, nil
}

func oursService(addr string, dial dialer) (*site, error) {
	store, err := stateserver.New(stateserver.Options{Addr: addr, AppID: "/LM/W3SVC/1/ROOT", Dial: dial})
	if err != nil {
		return nil, err
	}
	return onStore(oursStateService, store, store.Close)
}

func oursRedis(addr string, dial dialer) (*site, error) {
	store, err := redis.Open(context.Background(), redis.Options{
		App:    "/",
		Redis:  goredis.UniversalOptions{Addrs: []string{addr}, Dialer: dial},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return onStore(oursOverRedis, store, store.Close)
}

func oursFill(w http.ResponseWriter, r *http.Request) {
	s := middleware.From(r)
	for i, k := range keys {
		if err := s.Set(k, values[i]); err != nil {
			broken(w, err)
			return
		}
	}
	plain(w, r)
}

func oursRead(w http.ResponseWriter, r *http.Request) {
	v, err := session.Value[string](middleware.From(r), readKey)
	if err != nil || v != readValue {
		broken(w, err)
		return
	}
	plain(w, r)
}

func oursWrite(w http.ResponseWriter, r *http.Request) {
	if err := middleware.From(r).Set(writtenKey, newValue()); err != nil {
		broken(w, err)
		return
	}
	plain(w, r)
}

func oursSays(w http.ResponseWriter, r *http.Request) {
	v, err := session.Value[string](middleware.From(r), writtenKey)
	if err != nil {
		broken(w, err)
		return
	}
	w.Header().Set(saysHeader, v)
	plain(w, r)
}
