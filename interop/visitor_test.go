package interop_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
)

const cookieName = "ASP.NET_SessionId"

// host is what all sites here have in common: cookies do not know ports.
var host = &url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/"}

// A visitor is a browser.
type visitor struct {
	t      *testing.T
	client *http.Client
}

func newVisitor(t *testing.T) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t, &http.Client{Jar: jar, Transport: transport, Timeout: 2 * time.Minute}}
}

// id is the session id in the visitor's cookie.
func (v *visitor) id() string {
	v.t.Helper()
	for _, c := range v.client.Jar.Cookies(host) {
		if c.Name == cookieName {
			return c.Value
		}
	}
	v.t.Fatal("the visitor has no session cookie")
	return ""
}

// setID gives the visitor the cookie of a session.
func (v *visitor) setID(id string) {
	v.client.Jar.SetCookies(host, []*http.Cookie{{Name: cookieName, Value: id, Path: "/"}})
}

// try gets a page. It may run beside the test.
func (v *visitor) try(url string) (status int, page string, err error) {
	return v.ask(context.Background(), url)
}

// ask is try for a visitor who leaves when ctx ends.
func (v *visitor) ask(ctx context.Context, url string) (status int, page string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// get gets a page that must be there.
func (v *visitor) get(url string) string {
	v.t.Helper()
	return v.begin(url)()
}

// begin starts to get a page; the function that it returns waits for it.
func (v *visitor) begin(url string) (page func() string) {
	type answer struct {
		status int
		page   string
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		a.status, a.page, a.err = v.try(url)
		answers <- a
	}()
	return func() string {
		v.t.Helper()
		a := <-answers
		require.NoError(v.t, a.err)
		require.Equal(v.t, http.StatusOK, a.status, a.page)
		return a.page
	}
}

// stored is the visitor's session as the state service has it: the names in
// order, and each item's bytes.
func (w *world) stored(v *visitor) (names []string, items map[string][]byte) {
	v.t.Helper()
	rec, err := w.store.Get(v.t.Context(), v.id())
	require.NoError(v.t, err)
	items = make(map[string][]byte)
	for item := range rec.Payload.Items().All() {
		names = append(names, item.Key)
		items[item.Key] = append([]byte(nil), item.Data...)
	}
	return names, items
}

// locked reports whether somebody holds the lock of the visitor's session.
func (w *world) locked(v *visitor) bool {
	v.t.Helper()
	_, err := w.store.Get(v.t.Context(), v.id())
	if err != nil {
		require.ErrorIs(v.t, err, session.ErrLocked)
	}
	return err != nil
}

// without is items less some.
func without(items map[string][]byte, names ...string) map[string][]byte {
	items = maps.Clone(items)
	for _, name := range names {
		delete(items, name)
	}
	return items
}

// word returns what stands behind "name=" on a page.
func word(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(" "+page, " "+name+"=")
	require.True(t, ok, "no %s= on the page: %s", name, page)
	return strings.Fields(rest)[0]
}

// stamp reads a page's "start=" or "end=": a time of day in UTC to the
// millisecond, cut; near says of which day.
func stamp(t *testing.T, page, name string, near time.Time) time.Time {
	t.Helper()
	at, err := time.Parse("15:04:05.000", word(t, page, name))
	require.NoError(t, err)
	near = near.UTC()
	at = at.AddDate(near.Year(), int(near.Month())-1, near.Day()-1)
	for _, day := range []int{-1, 1} {
		if other := at.AddDate(0, 0, day); other.Sub(near).Abs() < at.Sub(near).Abs() {
			at = other
		}
	}
	return at
}
