package benchmarks

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func BenchmarkOpen(b *testing.B) {
	benchRead(b, 0)
}

func BenchmarkOpenReadOne(b *testing.B) {
	benchRead(b, 1)
}

func BenchmarkOpenReadAll(b *testing.B) {
	benchRead(b, count)
}

// benchRead opens a stored session and reads n of its values.
func benchRead(b *testing.B, n int) {
	frame, stored := frameBytes(), gobBytes()
	b.Run("payload", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			readPayload(openFrame(frame), n)
		}
	})
	b.Run("gob", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			readGob(gobDecode(stored), n)
		}
	})
}

// BenchmarkEncode is what happens at the end of a request, into a buffer that
// has been used before. Verbatim is a session that was opened and not changed.
func BenchmarkEncode(b *testing.B) {
	p, opened, m := setAll(), openFrame(frameBytes()), gobMap()
	b.Run("payload", func(b *testing.B) {
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			buf = appendTo(buf, p)
		}
	})
	b.Run("verbatim", func(b *testing.B) {
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			buf = appendTo(buf, opened)
		}
	})
	b.Run("gob", func(b *testing.B) {
		var buf bytes.Buffer
		b.ReportAllocs()
		for b.Loop() {
			gobEncode(&buf, m)
		}
	})
}

// BenchmarkEncodeChanged opens a session, sets one item and encodes.
func BenchmarkEncodeChanged(b *testing.B) {
	frame, stored := frameBytes(), gobBytes()
	b.Run("payload", func(b *testing.B) {
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			buf = changePayload(buf, frame)
		}
	})
	b.Run("gob", func(b *testing.B) {
		var buf bytes.Buffer
		b.ReportAllocs()
		for b.Loop() {
			changeGob(&buf, stored)
		}
	})
}

func changePayload(buf, frame []byte) []byte {
	p := openFrame(frame)
	must(p.Items().Set(keys[3], others[3]))
	return appendTo(buf, p)
}

func changeGob(buf *bytes.Buffer, stored []byte) {
	m := gobDecode(stored)
	m[keys[3]] = others[3]
	gobEncode(buf, m)
}

// BenchmarkSetAndEncode fills a new session and encodes it, everything included.
func BenchmarkSetAndEncode(b *testing.B) {
	b.Run("payload", func(b *testing.B) {
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			buf = appendTo(buf, setAll())
		}
	})
	b.Run("gob", func(b *testing.B) {
		var buf bytes.Buffer
		b.ReportAllocs()
		for b.Loop() {
			gobEncode(&buf, gobMap())
		}
	})
}

// BenchmarkRatio says how many times faster than gob, within one run.
func BenchmarkRatio(b *testing.B) {
	frame, stored := frameBytes(), gobBytes()
	for _, read := range []struct {
		name   string
		values int
	}{{"open", 0}, {"open-read-one", 1}, {"open-read-all", count}} {
		b.Run(read.name, func(b *testing.B) {
			compare(b, 20, func() { readPayload(openFrame(frame), read.values) }, func() { readGob(gobDecode(stored), read.values) })
		})
	}
	p, opened, m := setAll(), openFrame(frame), gobMap()
	var buf []byte
	var out bytes.Buffer
	b.Run("encode", func(b *testing.B) {
		compare(b, 20, func() { buf = appendTo(buf, p) }, func() { gobEncode(&out, m) })
	})
	b.Run("encode-verbatim", func(b *testing.B) {
		compare(b, 100, func() { buf = appendTo(buf, opened) }, func() { gobEncode(&out, m) })
	})
	b.Run("encode-changed", func(b *testing.B) {
		compare(b, 20, func() { buf = changePayload(buf, frame) }, func() { changeGob(&out, stored) })
	})
	b.Run("set-and-encode", func(b *testing.B) {
		compare(b, 10, func() { buf = appendTo(buf, setAll()) }, func() { gobEncode(&out, gobMap()) })
	})
}

var page = []byte("hello")

// The handlers write the same page; bare has no middleware around it.
var (
	bare    = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(page) })
	readOne = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := session.Value[string](middleware.From(r), keys[3])
		must(err)
		if v != values[3] {
			panic(v)
		}
		_, _ = w.Write(page)
	})
	setOne = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		must(middleware.From(r).Set(keys[3], others[3]))
		_, _ = w.Write(page)
	})
)

// BenchmarkRequest runs whole requests; what is above bare is the middleware's.
func BenchmarkRequest(b *testing.B) {
	for _, c := range requests {
		b.Run(c.name, func(b *testing.B) {
			s := newServer(b)
			if c.stranger {
				s.stranger()
			}
			h := c.handler(s.m)
			b.ReportAllocs()
			for b.Loop() {
				s.serve(h)
			}
		})
	}
}

var requests = []struct {
	name     string
	stranger bool // a visitor without a cookie
	handler  func(*middleware.Middleware) http.Handler
}{
	{"bare", false, func(*middleware.Middleware) http.Handler { return bare }},
	{"inproc-readonly-one-item", false, func(m *middleware.Middleware) http.Handler { return m.ReadOnly(readOne) }},
	{"inproc-readwrite-one-item", false, func(m *middleware.Middleware) http.Handler { return m.ReadWrite(readOne) }},
	{"inproc-readwrite-one-set", false, func(m *middleware.Middleware) http.Handler { return m.ReadWrite(setOne) }},
	{"inproc-lazy-unused", false, func(m *middleware.Middleware) http.Handler { return m.Lazy(bare) }},
	{"inproc-disabled", false, func(m *middleware.Middleware) http.Handler { return m.Disabled(bare) }},
	{"new-visitor-unused", true, func(m *middleware.Middleware) http.Handler { return m.ReadWrite(bare) }},
}

// TestEncodeAllocations: encoding into a buffer that is large enough costs none.
func TestEncodeAllocations(t *testing.T) {
	buf := make([]byte, 0, 4096)
	changed := openFrame(frameBytes())
	must(changed.Items().Set(keys[3], others[3]))
	for name, p := range map[string]*payload.Payload{"set": setAll(), "verbatim": openFrame(frameBytes()), "changed": changed} {
		if n := testing.AllocsPerRun(1000, func() { appendTo(buf, p) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}
