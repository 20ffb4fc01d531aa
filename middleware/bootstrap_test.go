package middleware_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// legacy is an ASP.NET application on the same store, whose Session_Start stores
// an item.
func legacy(t testing.TB, store session.Store) (*httptest.Server, *atomic.Int64) {
	started := new(atomic.Int64)
	m := newMiddleware(t, store, middleware.Options{SessionStart: func(_ *http.Request, s *session.Session) error {
		started.Add(1)
		return errors.Join(s.Set("culture", "de"), s.Set("n", 10))
	}})
	return server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "started")
	}))), started
}

// A session that begins in Go has what ASP.NET's Session_Start sets, under what
// Go set.
func TestBootstrap(t *testing.T) {
	store := newStore(t)
	old, started := legacy(t, store)
	m := newMiddleware(t, store, middleware.Options{Session: session.Options{Bootstrap: middleware.Bootstrap(old.URL, middleware.Cookie{}, nil)}})
	w := serve(m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, err := session.Value[int](middleware.From(r), "n")
		require.NoError(t, err)
		require.Zero(t, n) // nothing was stored yet
	})), request(""))
	require.Empty(t, w.Header()["Set-Cookie"])
	require.Zero(t, started.Load(), "a page that stores nothing starts nothing")

	w = serve(m.Wrap(http.HandlerFunc(increment)), request(""))
	require.Equal(t, 200, w.Code)
	require.EqualValues(t, 1, started.Load())
	require.Len(t, w.Result().Cookies(), 1)
	id := w.Result().Cookies()[0].Value
	serve(m.ReadOnly(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		culture, err := session.Value[string](s, "culture")
		require.NoError(t, err)
		require.Equal(t, "de", culture)
		n, err := session.Value[int](s, "n")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.False(t, s.IsNew())
	})), request(id))
	require.Equal(t, 1, store.sessions())
	require.Equal(t, 200, serve(m.Wrap(http.HandlerFunc(increment)), request(id)).Code)
	require.EqualValues(t, 1, started.Load())
	store.requireNoLocks(t)
}

// Where ASP.NET does not start the session nothing is stored, the visitor gets no
// id, and the error says what came back, without the id.
func TestBootstrapFails(t *testing.T) {
	var sent atomic.Value // the cookie that the other side got
	sent.Store("")
	release := make(chan struct{})
	old := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent.Store(r.Header.Get("Cookie"))
		switch r.URL.Path {
		case "/500":
			http.Error(w, "no", http.StatusInternalServerError)
		case "/404":
			http.NotFound(w, r)
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-release:
			}
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(func() { close(release) }) // before the server's own
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, tt := range []struct {
		name, url string
		cookie    middleware.Cookie
		says      string
		is        error
		status    int
		patience  time.Duration // default: long enough
	}{
		{name: "500", url: old.URL + "/500", says: "answered 500", status: 500},
		{name: "404", url: old.URL + "/404", says: "answered 404", status: 500},
		{name: "cut", url: old.URL + "/cut", says: "EOF", status: 500},
		{name: "unreachable", url: gone.URL, says: "refused", status: 500},
		{name: "slow", url: old.URL + "/slow", is: context.DeadlineExceeded, status: 503, patience: time.Second / 4},
		{name: "no address", url: "http://[", says: "bootstrap", status: 500},
		{name: "impossible cookie", url: old.URL, cookie: middleware.Cookie{SameSite: http.SameSiteNoneMode}, says: "needs Secure", status: 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore(t)
			log := captureLog(t)
			boot := middleware.Bootstrap(tt.url, tt.cookie, nil)
			var failed error
			m := newMiddleware(t, store, middleware.Options{Session: session.Options{
				ExecutionTimeout: tt.patience,
				Bootstrap: func(ctx context.Context, id string) (string, error) {
					id2, err := boot(ctx, id)
					require.NotContains(t, err.Error(), id)
					failed = err
					return id2, err
				},
			}})
			w := serve(m.Wrap(http.HandlerFunc(increment)), request(""))
			require.Equal(t, tt.status, w.Code)
			require.Empty(t, w.Header()["Set-Cookie"])
			require.ErrorContains(t, failed, tt.says)
			if tt.is != nil {
				require.ErrorIs(t, failed, tt.is)
			}
			require.Zero(t, store.sessions())
			if _, id, _ := strings.Cut(sent.Load().(string), "="); id != "" {
				require.NotContains(t, log.String(), id)
			}
		})
	}
}

// An application that takes no ids from others answers with one of its own: the
// visitor gets that. What cannot be an id fails.
func TestBootstrapAnotherID(t *testing.T) {
	log := captureLog(t)
	store := newStore(t)
	theirs := unknownID
	old := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "asp.net_sessionid", Value: theirs})
		if err := store.Store.Create(r.Context(), strings.ToLower(theirs), 20*time.Minute); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	m := newMiddleware(t, store, middleware.Options{Session: session.Options{Bootstrap: middleware.Bootstrap(old.URL, middleware.Cookie{}, nil)}})
	for _, mine := range []string{"", anID} {
		theirs = unknownID
		w := serve(m.Wrap(http.HandlerFunc(increment)), request(mine))
		require.Equal(t, 200, w.Code)
		require.Len(t, w.Result().Cookies(), 1)
		require.Equal(t, unknownID, w.Result().Cookies()[0].Value)
		require.Equal(t, 1, store.sessions())
		store.requireNoLocks(t)
		require.NoError(t, store.Store.Remove(context.Background(), unknownID, session.Lock{}))

		theirs = "no-id"
		w = serve(m.Wrap(http.HandlerFunc(increment)), request(mine))
		require.Equal(t, 500, w.Code)
		for _, line := range w.Header()["Set-Cookie"] {
			require.NotContains(t, line, "no-id")
		}
		require.NoError(t, store.Store.Remove(context.Background(), "no-id", session.Lock{}))
		require.Zero(t, store.sessions())
	}
	require.NotContains(t, log.String(), anID)
	require.NotContains(t, log.String(), unknownID)
}

// The ready form sends one GET with the cookie of the site, takes redirects for
// an answer and follows none: the id stays with the application.
func TestBootstrapRequest(t *testing.T) {
	var seen []*http.Request
	old := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r)
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: strings.ToUpper(anID)}) // the same, as it may spell it
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	id, err := middleware.Bootstrap(old.URL+"/start?a=b", middleware.Cookie{Name: "SID"}, nil)(context.Background(), anID)
	require.NoError(t, err)
	require.Equal(t, strings.ToUpper(anID), id)
	require.Len(t, seen, 1)
	require.Equal(t, "GET", seen[0].Method)
	require.Equal(t, "/start?a=b", seen[0].RequestURI)
	require.Equal(t, "SID="+anID, seen[0].Header.Get("Cookie"))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = middleware.Bootstrap(old.URL, middleware.Cookie{}, nil)(ctx, anID)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, seen, 1)

	client := &http.Client{Transport: refusing{}}
	_, err = middleware.Bootstrap(old.URL, middleware.Cookie{}, client)(context.Background(), anID)
	require.ErrorIs(t, err, errDisk)
}

// refusing is a network that is down.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, errDisk }
