package benchmarks

import (
	"net/http"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/aspsession/aspsession/middleware"
)

// An scsServer is scs v2.9.0 on its memory store, with the same session of ten
// strings and the same kind of page.
type scsServer struct {
	m *scs.SessionManager
	w sink
	r *http.Request
}

func newSCS(tb testing.TB) *scsServer {
	m := scs.New()
	store := memstore.NewWithCleanupInterval(0)
	m.Store = store
	ctx, err := m.Load(tb.Context(), "")
	must(err)
	for i, k := range keys {
		m.Put(ctx, k, values[i])
	}
	token, _, err := m.Commit(ctx)
	must(err)
	r, err := http.NewRequest("GET", "http://example.com/page", nil)
	must(err)
	r.Header.Set("Cookie", m.Cookie.Name+"="+token)
	return &scsServer{m: m, w: sink{header: make(http.Header)}, r: r}
}

func (s *scsServer) serve(h http.Handler) {
	clear(s.w.header)
	s.w.n = 0
	h.ServeHTTP(&s.w, s.r)
	if s.w.n != len(page) {
		panic("the request failed")
	}
}

func (s *scsServer) read(w http.ResponseWriter, r *http.Request) {
	if s.m.GetString(r.Context(), keys[3]) != values[3] {
		panic("another value")
	}
	_, _ = w.Write(page)
}

// set alternates, as scs stores nothing for a value that is there already.
func (s *scsServer) set(w http.ResponseWriter, r *http.Request) {
	s.m.Put(r.Context(), keys[3], values[3])
	_, _ = w.Write(page)
}

// against are the kinds of request that both libraries have. Limit is how many
// allocations ours may cost above the bare handler.
var against = []struct {
	name  string
	limit float64
	ours  func(*middleware.Middleware) http.Handler
	scs   func(*scsServer) http.Handler
}{
	{"unused", 2, func(m *middleware.Middleware) http.Handler { return m.Lazy(bare) },
		func(s *scsServer) http.Handler { return s.m.LoadAndSave(bare) }},
	{"read", 8, func(m *middleware.Middleware) http.Handler { return m.ReadOnly(readOne) },
		func(s *scsServer) http.Handler { return s.m.LoadAndSave(http.HandlerFunc(s.read)) }},
	{"write", 14, func(m *middleware.Middleware) http.Handler { return m.ReadWrite(setOne) },
		func(s *scsServer) http.Handler { return s.m.LoadAndSave(http.HandlerFunc(s.set)) }},
}

// BenchmarkAgainstSCS runs both in turns: quote its ratio.
func BenchmarkAgainstSCS(b *testing.B) {
	for _, c := range against {
		b.Run(c.name, func(b *testing.B) {
			ours, theirs := newServer(b), newSCS(b)
			h, sh := c.ours(ours.m), c.scs(theirs)
			plain := alternate(b, func() { ours.serve(bare) }, func() { ours.serve(bare) })
			pair := alternate(b, func() { ours.serve(h) }, func() { theirs.serve(sh) })
			b.ReportMetric(0, "ns/op") // a pair of turns: says nothing
			b.ReportMetric(pair.ours-plain.ours, "ours-ns")
			b.ReportMetric(pair.theirs-plain.theirs, "scs-ns")
			b.ReportMetric((pair.theirs-plain.theirs)/(pair.ours-plain.ours), "x-faster-than-scs")
			b.ReportMetric(testing.AllocsPerRun(200, func() { ours.serve(h) }), "ours-allocs")
			b.ReportMetric(testing.AllocsPerRun(200, func() { theirs.serve(sh) }), "scs-allocs")
		})
	}
}

// TestRequestAllocations: what a session in this process's memory may cost above
// the bare handler.
func TestRequestAllocations(t *testing.T) {
	for _, c := range against {
		s := newServer(t)
		allocs := func(h http.Handler) float64 { return testing.AllocsPerRun(1000, func() { s.serve(h) }) }
		if without, with := allocs(bare), allocs(c.ours(s.m)); with-without > c.limit {
			t.Errorf("%s: %v allocations above the bare handler, want at most %v", c.name, with-without, c.limit)
		}
	}
}
