package benchmarks

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/stores/inproc"
)

const count = 10

var keys, values, others = func() (k, v, o [count]string) {
	for i := range count {
		k[i] = fmt.Sprintf("item%d", i)
		v[i] = strings.Repeat("the quick brown fox jumps over the lazy dog", 2)[i:][:20+2*i]
		o[i] = strings.ToUpper(v[i])
	}
	return k, v, o
}()

// must ends a benchmark whose subject does not work.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// setAll makes the session as a handler does that fills it.
func setAll() *payload.Payload {
	p := payload.New(20, payload.Limits{})
	for i, k := range keys {
		must(p.Items().Set(k, values[i]))
	}
	return p
}

func openFrame(frame []byte) *payload.Payload {
	p, err := payload.Open(frame, payload.Limits{})
	must(err)
	return p
}

func frameBytes() []byte {
	b, err := setAll().Append(nil)
	must(err)
	return b
}

func readPayload(p *payload.Payload, n int) {
	for i, k := range keys[:n] {
		v, err := payload.Value[string](p.Items(), k)
		must(err)
		if len(v) != len(values[i]) {
			panic(v)
		}
	}
}

func appendTo(buf []byte, p *payload.Payload) []byte {
	b, err := p.Append(buf[:0])
	must(err)
	return b
}

// gobMap makes the map as a handler does that fills it.
func gobMap() map[string]any {
	m := make(map[string]any)
	for i, k := range keys {
		m[k] = values[i]
	}
	return m
}

func gobBytes() []byte {
	var b bytes.Buffer
	gobEncode(&b, gobMap())
	return b.Bytes()
}

func gobEncode(b *bytes.Buffer, m map[string]any) {
	b.Reset()
	must(gob.NewEncoder(b).Encode(m))
}

func gobDecode(data []byte) map[string]any {
	var m map[string]any
	must(gob.NewDecoder(bytes.NewReader(data)).Decode(&m))
	return m
}

func readGob(m map[string]any, n int) {
	for i, k := range keys[:n] {
		if v, _ := m[k].(string); len(v) != len(values[i]) {
			panic(v)
		}
	}
}

// sink is a ResponseWriter that throws the page away and allocates nothing.
type sink struct {
	header http.Header
	n      int
}

func (w *sink) Header() http.Header         { return w.header }
func (w *sink) WriteHeader(int)             {}
func (w *sink) Write(b []byte) (int, error) { w.n += len(b); return len(b), nil }

// A server is a middleware on an in-process store that has one session of ten
// strings.
type server struct {
	m *middleware.Middleware
	w sink
	r *http.Request // of the visitor who has the session
}

const visitor = "abcdefghijklmnopqrstuvwx"

func newServer(tb testing.TB) *server {
	store := inproc.New(inproc.Options{SweepInterval: -1})
	must(store.Load(visitor, frameBytes()))
	m, err := middleware.New(store, middleware.Options{})
	must(err)
	tb.Cleanup(func() { must(m.Close(tb.Context())); must(store.Close()) })
	r, err := http.NewRequest("GET", "http://example.com/page", nil)
	must(err)
	r.Header.Set("Cookie", "ASP.NET_SessionId="+visitor)
	return &server{m: m, w: sink{header: make(http.Header)}, r: r}
}

// serve runs one request.
func (s *server) serve(h http.Handler) {
	clear(s.w.header)
	s.w.n = 0
	h.ServeHTTP(&s.w, s.r)
	if s.w.n != len(page) {
		panic("the request failed")
	}
}

// stranger takes the visitor's cookie away.
func (s *server) stranger() *server {
	s.r.Header.Del("Cookie")
	return s
}

// A pair is the time of one run of each side, in nanoseconds.
type pair struct{ ours, theirs float64 }

// alternate runs both sides in turns of some milliseconds, so that a noisy
// machine slows both alike.
func alternate(b *testing.B, ours, theirs func()) pair {
	b.Helper()
	const turns, turn = 15, 3 * time.Millisecond
	run := func(f func()) (spent time.Duration, n int) {
		for start := time.Now(); spent < turn; spent = time.Since(start) {
			for range 8 {
				f()
			}
			n += 8
		}
		return spent, n
	}
	var a, t time.Duration
	var an, tn int
	for range turns * max(1, b.N/1000) {
		d, n := run(ours)
		a, an = a+d, an+n
		d, n = run(theirs)
		t, tn = t+d, tn+n
	}
	return pair{float64(a) / float64(an), float64(t) / float64(tn)}
}

// compare runs both sides in turns of about equal length and reports how many
// times faster ours is. perTurn is how often ours runs for each run of theirs.
func compare(b *testing.B, perTurn int, ours, gob func()) {
	const turn = 32
	var a, g time.Duration
	n := 0
	for b.Loop() {
		t0 := time.Now()
		for range turn * perTurn {
			ours()
		}
		t1 := time.Now()
		for range turn {
			gob()
		}
		a, g = a+t1.Sub(t0), g+time.Since(t1)
		n += turn
	}
	perOurs, perGob := float64(a)/float64(n*perTurn), float64(g)/float64(n)
	b.ReportMetric(0, "ns/op") // a pair of turns: says nothing
	b.ReportMetric(perOurs, "ours-ns")
	b.ReportMetric(perGob, "gob-ns")
	b.ReportMetric(perGob/perOurs, "x-faster-than-gob")
}
