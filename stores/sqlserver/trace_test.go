package sqlserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/lifecycletest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
)

// One call to the server to acquire and one to save, no matter which layout.
func TestOneCallEach(t *testing.T) {
	for name, test := range map[string]struct {
		layout sqlserver.Layout
		want   map[session.Access]string
	}{
		"classic": {sqlserver.Classic, map[session.Access]string{
			session.ReadWrite: "TempGetStateItemExclusive3 TempUpdateStateItemShortNullLong", session.ReadOnly: "TempGetStateItem3", session.Disabled: "TempResetTimeout"}},
		"async": {sqlserver.Async, map[session.Access]string{
			session.ReadWrite: "GetStateItemExclusive UpdateStateItem", session.ReadOnly: "GetStateItem", session.Disabled: "ResetItemTimeout"}},
		"async 1.1": {sqlserver.AsyncCompat, map[session.Access]string{
			session.ReadWrite: "GetStateItemExclusive UpdateStateItem", session.ReadOnly: "GetStateItem", session.Disabled: "ResetItemTimeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := run(t, test.layout)
			s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: test.layout})
			m, err := middleware.New(s, middleware.Options{})
			require.NoError(t, err)
			defer m.Close(t.Context())
			page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if s := middleware.From(r); !s.ReadOnly() {
					_ = s.Set("n", 1)
				}
				_, _ = io.WriteString(w, "page")
			})
			id := newID(t)
			p := payload.New(20, payload.Limits{})
			require.NoError(t, s.Save(t.Context(), id, session.Lock{}, p))
			for access, want := range test.want {
				handler := map[session.Access]http.Handler{session.ReadWrite: m.Wrap(page), session.ReadOnly: m.ReadOnly(page), session.Disabled: m.Disabled(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))}[access]
				for range 2 {
					srv.ResetTrace()
					r := httptest.NewRequest("GET", "/", nil)
					r.AddCookie(&http.Cookie{Name: "ASP.NET_SessionId", Value: id})
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					require.Equal(t, http.StatusOK, w.Code)
					require.Equal(t, want, strings.Join(srv.Names(), " "), "%v", access)
				}
			}
		})
	}
}

// The parameters go out as ASP.NET's client names them, and as types that the
// procedures need not convert; a call of a procedure is a call and no text.
func TestParametersOfACall(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	id := newID(t)
	require.NoError(t, s.Create(t.Context(), id, time.Minute))
	rec, err := s.Acquire(t.Context(), id, time.Minute)
	require.NoError(t, err)
	require.NoError(t, rec.Payload.Items().Set("x", strings.Repeat("x", 8000)))
	require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload))
	sent := map[string]string{}
	for _, call := range srv.Calls() {
		var params []string
		for _, p := range call.Params {
			params = append(params, p.Name+" "+p.Type)
		}
		sent[call.Name] = strings.Join(params, ", ")
		require.Empty(t, call.Text)
	}
	require.Equal(t, "@appName varchar(16), @appId int", sent["TempGetAppID"])
	require.Regexp(t, `^@id nvarchar\(\d+\), @itemShort varbinary\(max\), @locked bit, @lockAge int, @lockCookie int, @actionFlags int$`, sent["TempGetStateItemExclusive3"])
	require.Regexp(t, `^@id nvarchar\(\d+\), @itemShort varbinary\(\d+\), @timeout int$`, sent["TempInsertUninitializedItem"])
	require.Regexp(t, `^@id nvarchar\(\d+\), @itemLong varbinary\(max\), @timeout int, @lockCookie int$`, sent["TempUpdateStateItemLongNullShort"])
}

// The suite of the request life cycle.
func TestLifeCycle(t *testing.T) {
	for name, layout := range map[string]sqlserver.Layout{"classic": sqlserver.Classic, "async": sqlserver.Async} {
		t.Run(name, func(t *testing.T) {
			each(t, layout, func(t *testing.T, b backend) {
				lifecycletest.Run(t, lifecycletest.Harness{Store: func(t *testing.T) session.Store {
					return open(t, sqlserver.Options{ConnectionString: b.dsn, Layout: layout})
				}})
			})
		})
	}
}

// What a call costs on this side, database/sql and driver included.
func BenchmarkStore(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "64KB": 64 << 10} {
		srv := run(b, sqlserver.Classic)
		s := open(b, sqlserver.Options{ConnectionString: srv.DSN()})
		id := newID(b)
		p := payload.New(20, payload.Limits{})
		require.NoError(b, p.Items().Set("x", random(size)))
		require.NoError(b, s.Save(b.Context(), id, session.Lock{}, p))
		b.Run("Acquire and Save/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rec, err := s.Acquire(b.Context(), id, time.Minute)
				if err == nil {
					err = s.Save(b.Context(), id, rec.Lock, rec.Payload)
				}
				if err != nil {
					b.Fatal(err)
				}
				srv.ResetTrace()
			}
		})
		b.Run("Get/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Get(b.Context(), id); err != nil {
					b.Fatal(err)
				}
				srv.ResetTrace()
			}
		})
	}
}
