package interop_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// Two WebForms applications on our state service share a session, values and
// types.
func TestTwoApplicationsShareASession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := newVisitor(t)
		page := v.get(w.a.URL("set.aspx?str=caf%C3%A9"))
		require.Equal(t, "True", word(t, page, "new"))
		id := v.id()
		require.Equal(t, id, word(t, page, "id"))
		require.Equal(t, "get id="+id+` new=False ro=False count=5 timeout=20
str (System.String) = café
int (System.Int32) = 42
date (System.DateTime) = 2024-02-29T12:34:56.0000000
list (System.Collections.Generic.List`+"`1[[System.String, mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]"+`) = [a,bb,ccc]
cart (Rig.ShoppingCart) = alice/2/119.98/2024-01-02T03:04:05.0000000
`, v.get(w.b.URL("get.aspx")))
		require.Equal(t, id, v.id())
	})
}

// A page and a Go handler read each other's values, whichever side starts the
// session.
func TestEitherSideStartsTheSession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		set := w.page(t, session.ReadWrite, func(_ context.Context, s *session.Session) (string, error) {
			return fmt.Sprint(s.IsNew()), s.Set("str", "from Go")
		})
		get := w.page(t, session.ReadOnly, func(_ context.Context, s *session.Session) (string, error) {
			str, err := session.Value[string](s, "str")
			return fmt.Sprint(s.IsNew(), " ", str), err
		})

		v := newVisitor(t)
		require.Equal(t, "true", v.get(set))
		require.Contains(t, v.get(w.a.URL("get.aspx")), "get id="+v.id()+" new=False ro=False count=1 timeout=20\nstr (System.String) = from Go\n")

		v = newVisitor(t)
		v.get(w.a.URL("set.aspx?str=from+C"))
		require.Equal(t, "false from C", v.get(get))
	})
}

// A read-only page sees what Go wrote, and what it sets itself reaches nobody.
func TestReadOnlyPage(t *testing.T) {
	w := enter(t, plain)
	v := newVisitor(t)
	v.get(w.page(t, session.ReadWrite, increment))
	page := v.get(w.a.URL("ro.aspx?w=1"))
	require.Equal(t, "True", word(t, page, "ro"))
	require.Contains(t, page, "\nn (System.Int32) = 1\n")
	require.Equal(t, "keys [n]", v.get(w.page(t, session.ReadOnly, func(_ context.Context, s *session.Session) (string, error) {
		keys, err := s.Keys()
		return fmt.Sprint("keys ", keys), err
	})))
	require.Equal(t, "1", word(t, v.get(w.b.URL("rostamp.aspx")), "n"))
}

// A Go store with another application id does not see the session.
func TestOtherApplicationID(t *testing.T) {
	w := enter(t, plain)
	v := newVisitor(t)
	v.get(w.a.URL("set.aspx"))
	for _, other := range []string{"/LM/W3SVC/2/ROOT", "/LM/W3SVC/1/Root", "/LM/W3SVC/1/ROOT/shop"} {
		store, err := stateserver.New(stateserver.Options{Addr: w.addr(), AppID: other})
		require.NoError(t, err)
		t.Cleanup(func() { store.Close() })
		_, err = store.Get(t.Context(), v.id())
		require.ErrorIs(t, err, session.ErrNotFound, other)
		m, err := middleware.New(store, middleware.Options{})
		require.NoError(t, err)
		require.Equal(t, "true 0", v.get(w.pageOn(t, m, session.ReadOnly, func(_ context.Context, s *session.Session) (string, error) {
			n, err := s.Len()
			return fmt.Sprint(s.IsNew(), " ", n), err
		})), other)
	}
	require.Equal(t, "5", word(t, v.get(w.b.URL("get.aspx")), "count"))
}

// A compressed session read without compression, and the other way round, is
// an error that says so, and the session stays as it was.
func TestCompressionMustAgree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := newVisitor(t)
		v.get(w.a.URL("set.aspx"))
		store, err := stateserver.New(stateserver.Options{Addr: w.addr(), AppID: appID, Compress: !w.compress})
		require.NoError(t, err)
		t.Cleanup(func() { store.Close() })
		_, err = store.Acquire(t.Context(), v.id(), 0)
		require.ErrorIs(t, err, session.ErrBadData)
		require.ErrorContains(t, err, fmt.Sprintf("with Compress %v it can be read", w.compress))
		require.False(t, w.locked(v))
		require.True(t, strings.Contains(v.get(w.b.URL("get.aspx")), "count=5"))
	})
}
