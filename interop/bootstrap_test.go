package interop_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// A visitor's first page is in Go: the application's own Session_Start runs
// before Go stores anything, and what both set is there.
func TestSessionStartRunsBeforeGoStores(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m, err := middleware.New(w.store, middleware.Options{Session: session.Options{
			Bootstrap: middleware.Bootstrap(w.a.URL("touchless.aspx?boot=1"), middleware.Cookie{}, nil),
		}})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close(context.Background())) }()
		first := w.pageOn(t, m, session.ReadWrite, func(_ context.Context, s *session.Session) (string, error) {
			return "", s.Set("str", "set by Go")
		})
		look := w.pageOn(t, m, session.ReadWrite, func(context.Context, *session.Session) (string, error) { return "", nil })

		v := newVisitor(t)
		v.get(look)
		require.Empty(t, v.client.Jar.Cookies(host), "who stores nothing starts nothing")
		v.get(first)
		page := v.get(w.b.URL("get.aspx"))
		require.Contains(t, page, " new=False ro=False count=3 ", page)
		require.Contains(t, page, "str (System.String) = set by Go\n")
		require.Equal(t, "41", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"), "a page goes on from what Session_Start set")
		require.False(t, w.locked(v))
	})
}
