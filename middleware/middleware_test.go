package middleware_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// The exact calls and cookie of a request: access x what the store has x what
// the handler does.
func TestLifeCycle(t *testing.T) {
	set := func(s *session.Session) error { return s.Set("n", 2) }
	get := func(s *session.Session) error { _, err := s.Get("n"); return err }
	nothing := func(*session.Session) error { return nil }
	abandon := func(s *session.Session) error { return s.Abandon() }
	calls := func(c ...string) []string { return c }
	for _, row := range []struct {
		name    string
		access  session.Access
		visitor string // new: no cookie; gone: an id that the store does not have; known
		do      func(*session.Session) error
		calls   []string
		cookie  bool
		isNew   bool
		err     error
		leaves  any // item n in the store afterwards
	}{
		{"a new visitor who leaves nothing", session.ReadWrite, "new", get, nil, false, true, nil, nil},
		{"a new visitor who leaves something", session.ReadWrite, "new", set, calls("Save"), true, true, nil, 2},
		{"a new visitor who thinks better of it", session.ReadWrite, "new", func(s *session.Session) error {
			if err := s.Set("n", 2); err != nil {
				return err
			}
			return s.Abandon()
		}, nil, false, true, nil, nil},
		{"a known one who reads", session.ReadWrite, "known", get, calls("Acquire", "Release"), false, false, nil, 1},
		{"a known one who writes", session.ReadWrite, "known", set, calls("Acquire", "Save"), false, false, nil, 2},
		{"a known one who does nothing", session.ReadWrite, "known", nothing, calls("Acquire", "Release"), false, false, nil, 1},
		{"a known one who changes the timeout", session.ReadWrite, "known", func(s *session.Session) error { return s.SetTimeout(time.Hour) }, calls("Acquire", "Save"), false, false, nil, 1},
		{"a known one who removes what is not there", session.ReadWrite, "known", func(s *session.Session) error { return s.Remove("x") }, calls("Acquire", "Release"), false, false, nil, 1},
		{"a known one who leaves", session.ReadWrite, "known", abandon, calls("Acquire", "Remove"), false, false, nil, nil},
		{"a known one who releases early", session.ReadWrite, "known", func(s *session.Session) error { return s.Release() }, calls("Acquire", "Release"), false, false, nil, 1},
		{"a known one who saves on the way", session.ReadWrite, "known", func(s *session.Session) error {
			if err := s.Set("n", 2); err != nil {
				return err
			}
			return s.Save()
		}, calls("Acquire", "Checkpoint", "Release"), false, false, nil, 2},
		{"one whose session is gone, and who does nothing", session.ReadWrite, "gone", nothing, calls("Acquire", "Create", "Acquire", "Release"), false, true, nil, nil},
		{"one whose session is gone, and who writes", session.ReadWrite, "gone", set, calls("Acquire", "Create", "Acquire", "Save"), false, true, nil, 2},
		{"one whose session is gone, and who leaves", session.ReadWrite, "gone", abandon, calls("Acquire", "Create", "Acquire", "Remove"), false, true, nil, nil},
		{"a new one on a read-only page", session.ReadOnly, "new", get, nil, false, true, nil, nil},
		{"a known one on a read-only page", session.ReadOnly, "known", get, calls("Get"), false, false, nil, 1},
		{"a known one who writes on a read-only page", session.ReadOnly, "known", set, calls("Get"), false, false, session.ErrReadOnly, 1},
		{"a known one who leaves from a read-only page", session.ReadOnly, "known", abandon, calls("Get", "Remove"), false, false, nil, nil},
		{"one whose session is gone on a read-only page", session.ReadOnly, "gone", get, calls("Get"), false, true, nil, nil},
		{"a new one on a page without", session.Disabled, "new", get, nil, false, false, session.ErrDisabled, nil},
		{"a known one on a page without", session.Disabled, "known", set, calls("Touch"), false, false, session.ErrDisabled, 1},
		{"one whose session is gone on a page without", session.Disabled, "gone", nothing, calls("Touch"), false, false, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := newStore(t)
			id := ""
			switch row.visitor {
			case "known":
				store.put(t, "n", 1)
				id = anID
			case "gone":
				id = anID
			}
			m := newMiddleware(t, store, middleware.Options{Access: func(*http.Request) session.Access { return row.access }})
			var got string
			w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s := middleware.From(r)
				got = s.ID()
				require.Equal(t, row.isNew, s.IsNew())
				require.Equal(t, row.access == session.ReadOnly, s.ReadOnly())
				require.ErrorIs(t, row.do(s), row.err)
				_, _ = io.WriteString(w, "page")
			})), request(id))
			require.Equal(t, row.calls, store.took())
			require.Equal(t, 200, w.Code)
			require.Equal(t, "page", w.Body.String())
			cookie := w.Header().Values("Set-Cookie")
			if !row.cookie {
				require.Empty(t, cookie)
				require.Empty(t, w.Header().Get("Cache-Control"))
			} else {
				require.Equal(t, []string{cookieName + "=" + got + "; path=/; HttpOnly; SameSite=Lax"}, cookie)
				require.Equal(t, "private", w.Header().Get("Cache-Control"))
				_, ok := session.StandardIDs{}.Canonical(got)
				require.True(t, ok)
				require.Equal(t, 1, store.sessions())
			}
			if row.visitor != "new" {
				require.Equal(t, anID, got, "the visitor keeps his id")
				if row.leaves == nil {
					require.Nil(t, store.item(t, "n"))
				} else {
					require.EqualValues(t, row.leaves, store.item(t, "n"))
				}
			}
			store.requireNoLocks(t)
			require.NoError(t, m.Close(t.Context()))
		})
	}
}

func TestCounterIsExact(t *testing.T) {
	const workers, rounds = 40, 300
	store := newStore(t)
	store.put(t, "n", 0)
	m := newMiddleware(t, store.Store, middleware.Options{})
	s := server(t, m.Wrap(http.HandlerFunc(increment)))
	s.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = workers
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				resp, body, err := fetch(t, s, "/", anID)
				if err != nil || resp.StatusCode != 200 || body != "done" {
					t.Errorf("%v %v %q", resp, err, body)
					return
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, workers*rounds, store.item(t, "n"))
	store.requireNoLocks(t)
}

// A tenth of the requests is cancelled, anywhere on their way. What left as a
// page is in the counter, and nothing else.
func TestCounterEqualsSuccessesWhenRequestsAreCancelled(t *testing.T) {
	const workers, rounds = 40, 300
	for name, open := range map[string]func(*faulty) session.Store{
		"local":  func(f *faulty) session.Store { return f.Store },
		"remote": func(f *faulty) session.Store { return remote{f.Store} },
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			store.put(t, "n", 0)
			m := newMiddleware(t, open(store), middleware.Options{})
			h := m.Wrap(http.HandlerFunc(increment))
			var wg sync.WaitGroup
			var pages, cancelled atomic.Int64
			for range workers {
				wg.Go(func() {
					for range rounds {
						r := request(anID)
						if rand.N(10) == 0 {
							ctx, cancel := context.WithCancel(r.Context())
							time.AfterFunc(rand.N(3*time.Millisecond), cancel)
							r = r.WithContext(ctx)
							cancelled.Add(1)
						}
						if w := serve(h, r); w.Body.String() == "done" {
							pages.Add(1)
						}
					}
				})
			}
			wg.Wait()
			require.NoError(t, m.Close(t.Context()), "locks that nobody waited for are given back")
			require.EqualValues(t, pages.Load(), store.item(t, "n"))
			require.GreaterOrEqual(t, pages.Load(), int64(workers*rounds)-cancelled.Load())
			require.Less(t, pages.Load(), int64(workers*rounds), "some must have been cancelled in time")
			store.requireNoLocks(t)
		})
	}
}

// remote makes the life cycle treat a store as one behind a network.
type remote struct{ session.Store }

func (r remote) Capabilities() session.Capabilities {
	c := r.Store.Capabilities()
	c.Local = false
	return c
}

func (r remote) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	rec, err := r.Store.Acquire(ctx, id, lease)
	time.Sleep(20 * time.Microsecond)
	return rec, err
}

func TestQueueLimit(t *testing.T) {
	const limit, requests = 2, 10
	store := newStore(t)
	store.put(t)
	m := newMiddleware(t, store, middleware.Options{Session: session.Options{QueueLimit: limit}})
	inside, leave := make(chan bool, requests), make(chan bool)
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inside <- true; <-leave }))
	codes := make(chan int, requests)
	for range requests {
		go func() { codes <- serve(h, request(anID)).Code }()
	}
	// One is inside and two wait; all others are refused while those stay.
	for range requests - 1 - limit {
		require.Equal(t, 503, <-codes)
	}
	close(leave)
	require.Equal(t, 200, serve(h, request("")).Code, "another visitor has nothing to do with it")
	for range 1 + limit {
		require.Equal(t, 200, <-codes)
	}
	store.requireNoLocks(t)
}

func TestReadersDoNotWaitForEachOther(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	var meet sync.WaitGroup
	meet.Add(8)
	h := m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		meet.Done()
		meet.Wait() // all eight are inside at once, or this never ends
	}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { serve(h, request(anID)) })
	}
	wg.Wait()
}

func TestReaderWaitsForTheHolderAlone(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	inside, leave := make(chan bool), make(chan bool)
	write := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside <- true
		<-leave
		increment(w, r)
	}))
	read := m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := session.Value[int](middleware.From(r), "n")
		require.NoError(t, err)
		require.Equal(t, 2, n, "the reader sees what the holder saved")
	}))
	var wg sync.WaitGroup
	wg.Go(func() { serve(write, request(anID)) })
	<-inside
	wg.Go(func() { serve(read, request(anID)) })
	leave <- true
	wg.Wait()
}

func TestUnwrappedHandlerIsTold(t *testing.T) {
	s := middleware.From(httptest.NewRequest("GET", "/", nil))
	require.NotNil(t, s)
	_, err := s.Get("a")
	require.ErrorContains(t, err, "not wrapped")
	require.ErrorContains(t, s.Set("a", 1), "not wrapped")
	_, err = session.Value[string](s, "a")
	require.ErrorContains(t, err, "not wrapped")
	require.Error(t, s.Save())
	require.Error(t, s.Release())
	require.Error(t, s.Abandon())
	require.Empty(t, s.ID())
}

func TestWrappedTwiceKeepsTheOuterSession(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	h := m.Wrap(m.ReadOnly(m.Wrap(http.HandlerFunc(increment))))
	require.Equal(t, "done", serve(h, request(anID)).Body.String())
	require.Equal(t, []string{"Acquire", "Save"}, store.took())
	require.EqualValues(t, 2, store.item(t, "n"))
}

func TestAPanicReleasesAndSavesNothing(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		increment(w, r)
		panic("handler")
	}))
	require.PanicsWithValue(t, "handler", func() { serve(h, request(anID)) })
	require.EqualValues(t, 1, store.item(t, "n"))
	store.requireNoLocks(t)
	require.PanicsWithValue(t, "handler", func() { serve(h, request("")) })
	require.Equal(t, 1, store.sessions(), "nothing was made for the visitor whose page failed")
	require.NoError(t, m.Close(t.Context()))

	// The next request has its turn.
	m = newMiddleware(t, store, middleware.Options{})
	require.Equal(t, "done", serve(m.Wrap(http.HandlerFunc(increment)), request(anID)).Body.String())
}

// What cannot be an id is none: a new session, and nothing asked of the store.
func TestBadCookies(t *testing.T) {
	for _, value := range []string{
		"", "x", anID + "x", anID[:23], strings.Repeat("a", 1<<20), "../../etc/passwd", `"` + anID + `"`, "aaaaaaaaaaaaaaaaaaaaaaa6",
		"aaaaaaaaaaaaaaaaaaaaaaa\u0131", "aaaaaaaaaaaaaaaaaaaaaa\u00e9", "aaaaaaaaaaaaaaaaaaaaaaa\x00", "%61aaaaaaaaaaaaaaaaaaaaa", "(S(" + anID + "))",
	} {
		store := newStore(t)
		m := newMiddleware(t, store, middleware.Options{})
		r := request("")
		r.Header.Set("Cookie", cookieName+"="+value)
		w := serve(m.Wrap(http.HandlerFunc(increment)), r)
		require.Equal(t, 200, w.Code)
		require.Equal(t, []string{"Save"}, store.took(), "%.40q", value)
		require.NotContains(t, w.Header().Get("Set-Cookie"), "="+value+";")
	}
}

func TestWhichCookieCounts(t *testing.T) {
	other := strings.Repeat("a", 24)
	for header, want := range map[string]bool{
		cookieName + "=" + anID:                                   true,
		"a=b; " + cookieName + "=" + anID + "; c=d":               true,
		cookieName + "=" + anID + "; " + cookieName + "=" + other: true,
		cookieName + "=" + other + "; " + cookieName + "=" + anID: false, // the first of the name
		cookieName + "=garbage; " + cookieName + "=" + anID:       false,
		"asp.net_SESSIONID=" + strings.ToUpper(anID):              true, // as ASP.NET compares and lower-cases
		strings.Repeat(cookieName+"="+anID+"; ", 10):              true,
		"x" + cookieName + "=" + anID:                             false,
		" ;;; = ;" + cookieName + " = " + anID + " ":              true,
	} {
		store := newStore(t)
		store.put(t, "n", 41)
		m := newMiddleware(t, store, middleware.Options{})
		r := request("")
		r.Header.Set("Cookie", header)
		serve(m.Wrap(http.HandlerFunc(increment)), r)
		require.Equal(t, want, store.item(t, "n") == int32(42), "%.100q", header)
	}
	// A second Cookie line is read too.
	store := newStore(t)
	store.put(t, "n", 41)
	r := request("")
	r.Header["Cookie"] = []string{"a=b", cookieName + "=" + anID}
	serve(newMiddleware(t, store, middleware.Options{}).Wrap(http.HandlerFunc(increment)), r)
	require.EqualValues(t, 42, store.item(t, "n"))
}

func TestCookieAttributes(t *testing.T) {
	for _, row := range []struct {
		cookie middleware.Cookie
		want   string
	}{
		{middleware.Cookie{}, "ASP.NET_SessionId=ID; path=/; HttpOnly; SameSite=Lax"},
		{middleware.Cookie{Secure: true}, "ASP.NET_SessionId=ID; path=/; secure; HttpOnly; SameSite=Lax"},
		{middleware.Cookie{Name: "sid", Domain: "example.com", Path: "/shop"}, "sid=ID; domain=example.com; path=/shop; HttpOnly; SameSite=Lax"},
		{middleware.Cookie{SameSite: http.SameSiteDefaultMode}, "ASP.NET_SessionId=ID; path=/; HttpOnly"},
		{middleware.Cookie{SameSite: http.SameSiteStrictMode}, "ASP.NET_SessionId=ID; path=/; HttpOnly; SameSite=Strict"},
		{middleware.Cookie{SameSite: http.SameSiteNoneMode, Secure: true}, "ASP.NET_SessionId=ID; path=/; secure; HttpOnly; SameSite=None"},
	} {
		m := newMiddleware(t, newStore(t), middleware.Options{Cookie: row.cookie})
		var id string
		w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id = middleware.From(r).ID()
			increment(w, r)
		})), request(""))
		require.Equal(t, strings.Replace(row.want, "ID", id, 1), w.Header().Get("Set-Cookie"))
		_, err := http.ParseSetCookie(w.Header().Get("Set-Cookie"))
		require.NoError(t, err)
	}
}

func TestBadOptionsSayWhy(t *testing.T) {
	store := newStore(t)
	for want, opt := range map[string]middleware.Options{
		"SameSite=None needs Secure": {Cookie: middleware.Cookie{SameSite: http.SameSiteNoneMode}},
		"invalid Cookie.Name":        {Cookie: middleware.Cookie{Name: "a b"}},
		"invalid Cookie.Domain":      {Cookie: middleware.Cookie{Domain: "a;b"}},
		"invalid byte":               {Cookie: middleware.Cookie{Path: "/\n"}},
		"BufferSize -1":              {BufferSize: -1},
		"525600 minutes":             {Session: session.Options{Timeout: 366 * 24 * time.Hour}},
	} {
		_, err := middleware.New(store, opt)
		require.Error(t, err, want)
	}
}

func TestCustomIDs(t *testing.T) {
	store := newStore(t)
	m := newMiddleware(t, store, middleware.Options{Session: session.Options{IDs: numbered{}}})
	w := serve(m.Wrap(http.HandlerFunc(increment)), request(""))
	require.Contains(t, w.Header().Get("Set-Cookie"), "=user-1;")
	_, ok := store.Bytes("user-1")
	require.True(t, ok)
	w = serve(m.Wrap(http.HandlerFunc(increment)), request("USER-1"))
	require.Empty(t, w.Header().Get("Set-Cookie"))
	require.Equal(t, 1, store.sessions())
	// Over 80 characters nothing is an id, whoever says so.
	serve(m.Wrap(http.HandlerFunc(increment)), request("user-"+strings.Repeat("1", 80)))
	require.Equal(t, []string{"Save", "Acquire", "Save", "Save"}, store.took(), "the last as a new visitor")
}

type numbered struct{}

func (numbered) New() (string, error) { return "user-1", nil }

func (numbered) Canonical(id string) (string, bool) {
	id = strings.ToLower(id)
	return id, strings.HasPrefix(id, "user-")
}

func TestClosedMiddlewareRefuses(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	inside, leave := make(chan bool), make(chan bool)
	h := m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside <- true; <-leave }))
	go serve(h, request(""))
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, m.Close(ctx), context.Canceled, "one request is still under way")
	require.Equal(t, 503, serve(h, request("")).Code)
	close(leave)
	require.NoError(t, m.Close(t.Context()))
}

func TestSessionOfManyGoroutines(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 0)
	m := newMiddleware(t, store, middleware.Options{})
	serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				key := string(rune('a' + i))
				require.NoError(t, s.Set(key, i))
				v, err := session.Value[int](s, key)
				require.NoError(t, err)
				require.Equal(t, i, v)
				_, err = s.Keys()
				require.NoError(t, err)
				require.NoError(t, s.Save())
			})
		}
		wg.Wait()
	})), request(anID))
	require.EqualValues(t, 15, store.item(t, "p"))
	store.requireNoLocks(t)
}

func TestStoreIsAnyStore(t *testing.T) {
	s := inproc.New(inproc.Options{})
	defer s.Close()
	var _ session.Store = s
	var _ session.Waiter = s
	var _ session.Checkpointer = s
	var _ session.Lister = s
}
