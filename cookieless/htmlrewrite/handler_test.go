package htmlrewrite_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/cookieless/htmlrewrite"
)

const (
	plainLink  = `<a href="/shop/x">x</a>`
	mungedLink = `<a href="/shop/` + seg + `/x">x</a>`
)

// server runs a handler behind Handler, in path mode.
func server(t *testing.T, h http.HandlerFunc) *httptest.Server {
	c, err := cookieless.New(cookieless.Options{Mode: cookieless.UseURI, App: "/shop"})
	require.NoError(t, err)
	rewritten := htmlrewrite.Handler(h)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, _, err := c.Read(r)
		if err != nil {
			t.Error(err)
		}
		rewritten.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func do(t *testing.T, s *httptest.Server, method string) (*http.Response, string) {
	req, err := http.NewRequest(method, s.URL+"/shop/"+seg+"/page", nil)
	require.NoError(t, err)
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestWhatIsRewritten(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header map[string]string
		status int
		munged bool
	}{
		{"html", map[string]string{"Content-Type": "text/html"}, 0, true},
		{"in any case, with a charset", map[string]string{"Content-Type": "Text/HTML; charset=ISO-8859-1"}, 200, true},
		{"its length is dropped", map[string]string{"Content-Type": "text/html", "Content-Length": "23", "Accept-Ranges": "bytes"}, 200, true},
		{"an error page", map[string]string{"Content-Type": "text/html"}, 404, true},
		{"an unknown type", nil, 0, true},
		{"an unknown type, with a status", nil, 404, true},
		{"identity", map[string]string{"Content-Type": "text/html", "Content-Encoding": "identity"}, 0, true},
		{"text", map[string]string{"Content-Type": "text/plain", "Content-Length": "23"}, 0, false},
		{"xhtml", map[string]string{"Content-Type": "application/xhtml+xml"}, 0, false},
		{"compressed", map[string]string{"Content-Type": "text/html", "Content-Encoding": "br"}, 0, false},
		{"UTF-16", map[string]string{"Content-Type": "text/html; charset=utf-16le"}, 0, false},
		{"ISO-2022-JP", map[string]string{"Content-Type": "text/html; charset=iso-2022-jp"}, 0, false},
		{"a part", map[string]string{"Content-Type": "text/html", "Content-Range": "bytes 0-22/23", "Content-Length": "23"}, 206, false},
		{"a broken type", map[string]string{"Content-Type": "text html"}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				if tt.status != 0 {
					w.WriteHeader(tt.status)
				}
				_, _ = io.WriteString(w, plainLink)
			})
			resp, body := do(t, s, "GET")
			require.Equal(t, max(tt.status, 200), max(resp.StatusCode, 200))
			if tt.munged {
				require.Equal(t, mungedLink, body)
				require.Empty(t, resp.Header.Get("Accept-Ranges"))
				require.Contains(t, strings.ToLower(resp.Header.Get("Content-Type")), "text/html")
			} else {
				require.Equal(t, plainLink, body)
			}
		})
	}
}

func TestBodyless(t *testing.T) {
	for _, status := range []int{204, 304} {
		s := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		resp, body := do(t, s, "GET")
		require.Equal(t, status, resp.StatusCode)
		require.Empty(t, body)
	}
	s := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	resp, _ := do(t, s, "GET")
	require.Equal(t, http.StatusTeapot, resp.StatusCode, "a status without a body")

	s = server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", "23") // of what GET would have rewritten
	})
	resp, body := do(t, s, "HEAD")
	require.Equal(t, 200, resp.StatusCode)
	require.Empty(t, body)

	s = server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, plainLink)
	})
	resp, body = do(t, s, "GET")
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, mungedLink, body)
}

// What was written before a flush arrives, but for half a start tag.
func TestFlush(t *testing.T) {
	seen := make(chan struct{})
	s := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<p>working <script>var a = "<a`)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-seen
		_, _ = io.WriteString(w, `"</script><a hr`)
		w.(http.Flusher).Flush()
		<-seen
		_, _ = io.WriteString(w, `ef="/shop/x">x</a><b`)
	})
	resp, err := s.Client().Get(s.URL + "/shop/" + seg + "/page")
	require.NoError(t, err)
	defer resp.Body.Close()
	for _, want := range []string{`<p>working <script>var a = "<a`, `"</script>`} {
		got := make([]byte, len(want))
		_, err = io.ReadFull(resp.Body, got)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		seen <- struct{}{}
	}
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, mungedLink+"<b", string(rest))
}

// A passage keeps the way to sendfile.
func TestReadFrom(t *testing.T) {
	for _, typed := range []string{"", "text/html", "text/plain"} {
		for _, n := range []int{0, 1, 100, 5000} {
			s := server(t, func(w http.ResponseWriter, _ *http.Request) {
				if typed != "" {
					w.Header().Set("Content-Type", typed)
				}
				src := strings.NewReader(strings.Repeat(plainLink, n))
				k, err := w.(io.ReaderFrom).ReadFrom(struct{ io.Reader }{src})
				if err != nil || int(k) != n*len(plainLink) {
					t.Errorf("%d bytes, error %v", k, err)
				}
			})
			_, body := do(t, s, "GET")
			want := mungedLink
			if typed == "text/plain" {
				want = plainLink
			}
			require.Equal(t, strings.Repeat(want, n), body)
		}
	}
	to := &readerFrom{ResponseRecorder: httptest.NewRecorder()}
	htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, err := io.Copy(w, struct{ io.Reader }{strings.NewReader(plainLink)})
		require.NoError(t, err)
	})).ServeHTTP(to, request(t, true))
	require.Equal(t, 1, to.calls)
}

type readerFrom struct {
	*httptest.ResponseRecorder
	calls int
}

func (w *readerFrom) ReadFrom(src io.Reader) (int64, error) {
	w.calls++
	return io.Copy(w.ResponseRecorder, src)
}

func TestHijack(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := io.WriteString(w, plainLink); err != http.ErrHijacked {
			t.Errorf("a write after Hijack: %v", err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"+plainLink)
		_ = conn.Close()
	})
	_, body := do(t, s, "GET")
	require.Equal(t, plainLink, body)
}

// In cookie mode the handler has the writer itself.
func TestCookieModeCostsNothing(t *testing.T) {
	rec, r := httptest.NewRecorder(), request(t, false)
	h := htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, got *http.Request) {
		if w != http.ResponseWriter(rec) || got != r {
			t.Error("wrapped")
		}
	}))
	require.Zero(t, testing.AllocsPerRun(10, func() { h.ServeHTTP(rec, r) }))
}

// A handler's panic is not answered with the rest of a page.
func TestPanic(t *testing.T) {
	rec := httptest.NewRecorder()
	require.Panics(t, func() {
		htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `x<a href="`)
			panic("x")
		})).ServeHTTP(rec, request(t, true))
	})
	require.Equal(t, "x", rec.Body.String())
}

// What the client sees of an error reaches the handler.
func TestWriteErrors(t *testing.T) {
	htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		n, err := io.WriteString(w, plainLink)
		require.ErrorIs(t, err, io.ErrClosedPipe)
		require.Zero(t, n)
	})).ServeHTTP(broken{httptest.NewRecorder()}, request(t, true))
}

type broken struct{ http.ResponseWriter }

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func BenchmarkRewrite(b *testing.B) {
	page := strings.Repeat(`<p class="x">Some text, and more of it, up to about a line.</p><img src="logo.png">`+plainLink, 200)
	r := request(b, true)
	h := htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	}))
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(nowhere{http.Header{}, bufio.NewWriter(io.Discard)}, r)
	}
}

type nowhere struct {
	header http.Header
	*bufio.Writer
}

func (w nowhere) Header() http.Header { return w.header }
func (w nowhere) WriteHeader(int)     {}
