package middleware_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// overBoth runs a test over HTTP/1.1 and over HTTP/2. The visitor of anID has 1.
func overBoth(t *testing.T, test func(t *testing.T, p *protocol)) {
	for name, major := range map[string]int{"HTTP1": 1, "HTTP2": 2} {
		t.Run(name, func(t *testing.T) {
			p := &protocol{store: newStore(t), major: major}
			p.store.put(t, "n", 1)
			test(t, p)
		})
	}
}

type protocol struct {
	store *faulty
	major int
}

// serve starts a server whose handler is wrapped.
func (p *protocol) serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	return p.serveAll(t, newMiddleware(t, p.store, middleware.Options{OnError: new(errorLog).onError}).Wrap(h))
}

func (p *protocol) serveAll(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	if p.major == 2 {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// do sends a request of the visitor of anID and reads the answer.
func (p *protocol) do(t *testing.T, s *httptest.Server, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, body, err := p.try(t, s, r)
	require.NoError(t, err)
	require.Equal(t, p.major, resp.ProtoMajor)
	return resp, body
}

func (p *protocol) try(t *testing.T, s *httptest.Server, r *http.Request) (*http.Response, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), waiting)
	defer cancel()
	r.Header.Add("Cookie", cookieName+"="+anID)
	resp, err := s.Client().Do(r.WithContext(ctx))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func get(t *testing.T, s *httptest.Server) *http.Request {
	t.Helper()
	return newRequest(t, "GET", s, nil)
}

func newRequest(t *testing.T, method string, s *httptest.Server, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+"/page", body)
	require.NoError(t, err)
	return r
}

func (p *protocol) saved(t *testing.T, n int) {
	t.Helper()
	require.EqualValues(t, n, p.store.item(t, "n"))
	p.store.requireNoLocks(t)
}

func TestDeadlinesReachTheConnection(t *testing.T) {
	overBoth(t, func(t *testing.T, p *protocol) {
		sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			require.NoError(t, rc.SetWriteDeadline(time.Now().Add(waiting)))
			require.NoError(t, rc.SetReadDeadline(time.Now().Add(-time.Second)))
			_, err := io.ReadAll(r.Body)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			increment(w, r)
		})
		body, end := io.Pipe()
		defer end.Close()
		resp, text, err := p.try(t, sv, newRequest(t, "POST", sv, body))
		if err == nil { // HTTP/1 closes the connection, and the client may see that first
			require.Equal(t, 200, resp.StatusCode)
			require.Equal(t, "done", text)
		}
		require.NoError(t, end.Close())
		sv.Close()
		p.saved(t, 2)
	})
}

// The client sends the second word when it has the answer to the first.
func TestFullDuplex(t *testing.T) {
	overBoth(t, func(t *testing.T, p *protocol) {
		sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			require.NoError(t, rc.EnableFullDuplex())
			require.NoError(t, middleware.From(r).Set("n", 2))
			word := make([]byte, 3)
			for {
				if _, err := io.ReadFull(r.Body, word); err != nil {
					return
				}
				_, _ = w.Write(bytes.ToUpper(word))
				require.NoError(t, rc.Flush())
			}
		})
		body, words := io.Pipe()
		r := newRequest(t, "POST", sv, body)
		ctx, cancel := context.WithTimeout(t.Context(), waiting)
		defer cancel()
		r.Header.Set("Cookie", cookieName+"="+anID)
		go func() { _, _ = io.WriteString(words, "one") }()
		resp, err := sv.Client().Do(r.WithContext(ctx))
		require.NoError(t, err)
		defer resp.Body.Close()
		word := make([]byte, 3)
		_, err = io.ReadFull(resp.Body, word)
		require.NoError(t, err)
		require.Equal(t, "ONE", string(word))
		_, err = io.WriteString(words, "two")
		require.NoError(t, err)
		_, err = io.ReadFull(resp.Body, word)
		require.NoError(t, err)
		require.Equal(t, "TWO", string(word))
		require.NoError(t, words.Close())
		_, err = resp.Body.Read(word)
		require.ErrorIs(t, err, io.EOF)
		sv.Close()
		p.saved(t, 2)
	})
}

// What a client gets before the handler has returned, it got by Flush.
func TestFlushReachesTheClient(t *testing.T) {
	overBoth(t, func(t *testing.T, p *protocol) {
		next := make(chan bool)
		sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "tick")
				require.NoError(t, http.NewResponseController(w).Flush())
				<-next
			}
			increment(w, r)
		})
		r := get(t, sv)
		r.Header.Set("Cookie", cookieName+"="+anID)
		resp, err := sv.Client().Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		tick := make([]byte, 4)
		for range 3 {
			_, err := io.ReadFull(resp.Body, tick)
			require.NoError(t, err)
			next <- true
		}
		rest, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "done", string(rest))
		sv.Close()
		p.saved(t, 2)
	})
}

// A connection of HTTP/2 cannot be hijacked. The session lives on.
func TestAFailedHijackLeavesTheSession(t *testing.T) {
	p := &protocol{store: newStore(t), major: 2}
	p.store.put(t, "n", 1)
	sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _, err := http.NewResponseController(w).Hijack()
		require.ErrorIs(t, err, http.ErrNotSupported)
		_, err = p.store.Store.Get(t.Context(), anID)
		require.ErrorIs(t, err, session.ErrLocked, "still held")
		increment(w, r)
	})
	resp, body := p.do(t, sv, get(t, sv))
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "done", body)
	p.saved(t, 2)
}

func TestInformationalResponses(t *testing.T) {
	overBoth(t, func(t *testing.T, p *protocol) {
		sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // asks for it: 100
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusEarlyHints)
			increment(w, r)
		})
		var hints, continues int
		r := newRequest(t, "POST", sv, strings.NewReader("body"))
		r.Header.Set("Expect", "100-continue")
		if transport, ok := sv.Client().Transport.(*http.Transport); ok {
			transport.ExpectContinueTimeout = waiting // the body waits for the handler
		}
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				if code == http.StatusEarlyHints {
					hints++
					require.NotEmpty(t, h.Get("Link"))
					require.Empty(t, h.Get("Set-Cookie"))
				}
				return nil
			},
			Got100Continue: func() { continues++ },
		}))
		resp, body := p.do(t, sv, r)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "done", body)
		require.Equal(t, 2, hints)
		require.Equal(t, 1, continues)
		p.saved(t, 2)
	})
}

func TestTrailersOfBothKinds(t *testing.T) {
	for _, size := range []int{10, 100_000} {
		overBoth(t, func(t *testing.T, p *protocol) {
			sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "X-Sum")
				_, _ = io.WriteString(w, strings.Repeat("x", size))
				w.Header().Set("X-Sum", fmt.Sprint(size))
				w.Header().Set(http.TrailerPrefix+"X-More", "more")
				require.NoError(t, middleware.From(r).Set("n", 2))
			})
			resp, body := p.do(t, sv, get(t, sv))
			require.Len(t, body, size)
			require.Equal(t, fmt.Sprint(size), resp.Trailer.Get("X-Sum"))
			require.Equal(t, "more", resp.Trailer.Get("X-More"))
			require.Empty(t, resp.Header.Get("X-Sum"))
			p.saved(t, 2)
		})
	}
}

func TestHead(t *testing.T) {
	for _, size := range []int{0, 10, 10_000, 100_000} {
		overBoth(t, func(t *testing.T, p *protocol) {
			sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
				require.NoError(t, middleware.From(r).Set("n", 2))
				w.Header().Set("X-Page", "yes")
				_, _ = io.WriteString(w, strings.Repeat("x", size))
			})
			resp, body := p.do(t, sv, newRequest(t, "HEAD", sv, nil))
			require.Equal(t, 200, resp.StatusCode)
			require.Equal(t, "yes", resp.Header.Get("X-Page"))
			require.Empty(t, body)
			p.saved(t, 2)
		})
	}
}

func TestRanges(t *testing.T) {
	content := strings.Repeat("0123456789", 20_000)
	name := filepath.Join(t.TempDir(), "content.txt")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	changed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for source, open := range map[string]func() io.ReadSeeker{
		"text": func() io.ReadSeeker { return strings.NewReader(content) },
		"file": func() io.ReadSeeker {
			f, err := os.Open(name)
			require.NoError(t, err)
			t.Cleanup(func() { f.Close() })
			return f
		},
	} {
		t.Run(source, func(t *testing.T) {
			overBoth(t, func(t *testing.T, p *protocol) {
				sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
					require.NoError(t, middleware.From(r).Set("n", 2))
					http.ServeContent(w, r, "content.txt", changed, open())
				})
				for _, row := range []struct {
					header, value string
					status        int
					body          string
				}{
					{"", "", 200, content},
					{"Range", "bytes=10-19", 206, content[10:20]},
					{"Range", "bytes=10-150000", 206, content[10:150_001]},
					{"Range", "bytes=-5", 206, content[len(content)-5:]},
					{"Range", "bytes=199999-", 206, "9"},
					{"Range", "bytes=200000-", 416, "invalid range: failed to overlap\n"},
					{"If-Modified-Since", changed.Format(http.TimeFormat), 304, ""},
				} {
					r := get(t, sv)
					if row.header != "" {
						r.Header.Set(row.header, row.value)
					}
					resp, body := p.do(t, sv, r)
					require.Equal(t, row.status, resp.StatusCode, row.value)
					require.True(t, row.body == body, "%s: %d bytes, want %d", row.value, len(body), len(row.body))
				}
				r := get(t, sv)
				r.Header.Set("Range", "bytes=0-3,100000-100003")
				resp, body := p.do(t, sv, r)
				require.Equal(t, 206, resp.StatusCode)
				_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
				require.NoError(t, err)
				parts := multipart.NewReader(strings.NewReader(body), params["boundary"])
				for range 2 {
					part, err := parts.NextPart()
					require.NoError(t, err)
					text, err := io.ReadAll(part)
					require.NoError(t, err)
					require.Equal(t, "0123", string(text))
				}
				p.saved(t, 2)
			})
		})
	}
}

// A save that fails when part of the page has left breaks the stream, and of
// HTTP/2 the stream alone: the connection serves the next request.
func TestALateFailureBreaksTheStream(t *testing.T) {
	for name, length := range map[string]string{"unknown length": "", "known length": "10"} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, p *protocol) {
				sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
					if length != "" {
						w.Header().Set("Content-Length", length)
					}
					_, _ = io.WriteString(w, "01234")
					require.NoError(t, http.NewResponseController(w).Flush())
					_, _ = io.WriteString(w, "56789")
					require.NoError(t, middleware.From(r).Set("n", 2))
				})
				p.store.failOn("Save", errDisk)
				_, body, err := p.try(t, sv, get(t, sv))
				require.Error(t, err, "%q looks whole", body)
				p.saved(t, 1)
				p.store.failOn("Save", nil)
				r := get(t, sv)
				reused := false
				r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
					GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused },
				}))
				_, body = p.do(t, sv, r)
				require.Equal(t, "0123456789", body)
				require.Equal(t, p.major == 2, reused)
				p.saved(t, 2)
			})
		})
	}
}

// net/http gets the file itself where it could send it by sendfile.
func TestFilesStayFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "big.bin")
	require.NoError(t, os.WriteFile(name, make([]byte, 1<<20), 0o600))
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	sources := make(chan string, 10)
	sv := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			require.NoError(t, middleware.From(r).Set("n", 2))
			switch r.URL.Path {
			case "/served":
				http.ServeFile(w, r, name)
			case "/copied", "/counted":
				if r.URL.Path == "/counted" {
					w.Header().Set("Content-Length", strconv.Itoa(1<<20))
				}
				f, err := os.Open(name)
				require.NoError(t, err)
				defer f.Close()
				_, err = io.Copy(w, f)
				require.NoError(t, err)
			}
		})).ServeHTTP(sourceWriter{w, sources}, r)
	}))
	for path, want := range map[string]string{
		"/served":  "*io.LimitedReader of *os.File",
		"/copied":  "os.fileWithoutWriteTo", // io.Copy asks the file first, which asks the writer
		"/counted": "os.fileWithoutWriteTo",
	} {
		_, body, err := fetch(t, sv, path, anID)
		require.NoError(t, err)
		require.Len(t, body, 1<<20)
		select {
		case kind := <-sources:
			require.Equal(t, want, kind, path)
		default:
			t.Errorf("%s: the file did not reach ReadFrom", path)
		}
	}
	sv.Close()
	require.EqualValues(t, 2, store.item(t, "n"))
	store.requireNoLocks(t)
}

// sourceWriter says what ReadFrom was given.
type sourceWriter struct {
	http.ResponseWriter
	sources chan string
}

func (w sourceWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w sourceWriter) ReadFrom(src io.Reader) (int64, error) {
	kind := fmt.Sprintf("%T", src)
	if l, ok := src.(*io.LimitedReader); ok {
		kind += fmt.Sprintf(" of %T", l.R)
	}
	w.sources <- kind
	return w.ResponseWriter.(io.ReaderFrom).ReadFrom(src)
}

// A new visitor's cookie over HTTP/2.
func TestANewSessionOverHTTP2(t *testing.T) {
	p := &protocol{store: newStore(t), major: 2}
	sv := p.serve(t, increment)
	resp, err := sv.Client().Get(sv.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, resp.Cookies(), 1)
	data, ok := p.store.Bytes(resp.Cookies()[0].Value)
	require.True(t, ok)
	_, err = payload.Open(data, payload.Limits{})
	require.NoError(t, err)
}
