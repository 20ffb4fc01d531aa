package middleware_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func TestAFailedSaveIsACleanError(t *testing.T) {
	for _, visitor := range []string{"", anID} {
		store := newStore(t)
		if visitor != "" {
			store.put(t, "n", 1)
		}
		store.failOn("Save", fmt.Errorf("%w: %w", session.ErrUnavailable, errDisk))
		log := &errorLog{}
		m := newMiddleware(t, store, middleware.Options{OnError: log.onError})
		outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Outer", "kept")
			m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/pdf")
				w.Header().Set("X-Outer", "changed")
				w.Header().Set("X-Page", "secret")
				w.Header().Set("Content-Length", "4")
				http.SetCookie(w, &http.Cookie{Name: "page", Value: "1"})
				w.WriteHeader(201)
				increment(w, r)
			})).ServeHTTP(w, r)
		})
		resp, body, err := fetch(t, server(t, outer), "/", visitor)
		require.NoError(t, err)
		require.Equal(t, 500, resp.StatusCode)
		require.Equal(t, "session trouble\n", body)
		require.Equal(t, "kept", resp.Header.Get("X-Outer"))
		require.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
		require.Empty(t, resp.Header.Get("X-Page"))
		require.Empty(t, resp.Header.Values("Set-Cookie"))
		require.EqualValues(t, 1, log.n.Load())
		require.ErrorIs(t, log.last(), errDisk)
		store.requireNoLocks(t)
		require.NoError(t, m.Close(t.Context()))
	}
}

// The same with OnError's default: nothing of the page, nothing of the cause.
func TestDefaultErrorPages(t *testing.T) {
	for call, row := range map[string]struct {
		err  error
		code int
	}{
		"Save":    {errDisk, 500},
		"Acquire": {fmt.Errorf("%w: 10.0.0.5:42424", session.ErrUnavailable), 503},
		"Release": {errDisk, 500},
	} {
		store := newStore(t)
		store.put(t, "n", 1)
		store.failOn(call, row.err)
		m := newMiddleware(t, store, middleware.Options{})
		w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if call == "Save" {
				require.NoError(t, middleware.From(r).Set("n", 2))
			}
			_, _ = io.WriteString(w, "page")
		})), request(anID))
		require.Equal(t, row.code, w.Code, call)
		require.NotContains(t, w.Body.String(), "page")
		require.NotContains(t, w.Body.String(), "disk")
		require.NotContains(t, w.Body.String(), "10.0.0.5")
	}
}

// A page without session state survives a store that does not.
func TestADisabledPageSurvivesTheStore(t *testing.T) {
	store := newStore(t)
	store.failOn("Touch", errDisk)
	log := &errorLog{}
	m := newMiddleware(t, store, middleware.Options{OnError: log.onError})
	w := serve(m.Disabled(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "logo") })), request(anID))
	require.Equal(t, 200, w.Code)
	require.Equal(t, "logo", w.Body.String())
	require.ErrorIs(t, log.last(), errDisk)
}

// A session that cannot be decoded never reaches a handler, and stays what it is.
func TestBadDataNeverReachesAHandler(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	before, _ := store.Bytes(anID)
	bad := fmt.Errorf("%w: %w", session.ErrBadData, &payload.Error{Offset: 6, Field: "item count", Index: -1, Err: payload.ErrCorrupt})
	for call, access := range map[string]session.Access{"Acquire": session.ReadWrite, "Get": session.ReadOnly} {
		store.failOn(call, bad)
		log := &errorLog{}
		m := newMiddleware(t, store, middleware.Options{OnError: log.onError, Access: func(*http.Request) session.Access { return access }})
		w := serve(m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })), request(anID))
		require.Equal(t, 500, w.Code)
		require.ErrorIs(t, log.last(), session.ErrBadData)
		require.ErrorContains(t, log.last(), "offset 6")
		require.NotContains(t, log.last().Error(), anID)
	}
	after, _ := store.Bytes(anID)
	require.Equal(t, before, after)
}

func TestALongPageLeavesBeforeTheSave(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter) error{
		"many writes": func(w http.ResponseWriter) error {
			for range 100 {
				if _, err := io.WriteString(w, strings.Repeat("x", 1000)); err != nil {
					return err
				}
			}
			return nil
		},
		"one write": func(w http.ResponseWriter) error { _, err := w.Write(bytes.Repeat([]byte("x"), 100_000)); return err },
		"known length": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "100000")
			_, err := w.Write(bytes.Repeat([]byte("x"), 100_000))
			return err
		},
		"copied": func(w http.ResponseWriter) error {
			_, err := io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", 200_000)), 100_000))
			return err
		},
		"flushed": func(w http.ResponseWriter) error {
			for range 10 {
				if _, err := io.WriteString(w, strings.Repeat("x", 10_000)); err != nil {
					return err
				}
				if err := http.NewResponseController(w).Flush(); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			m := newMiddleware(t, store, middleware.Options{})
			var id string
			page := func(w http.ResponseWriter, r *http.Request) {
				s := middleware.From(r)
				id = s.ID()
				require.NoError(t, s.Set("before", 1))
				require.NoError(t, write(w))
				require.NoError(t, s.Set("after", 2)) // stored and locked: still possible
			}
			sv := server(t, m.Wrap(http.HandlerFunc(page)))
			resp, body, err := fetch(t, sv, "/", "")
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
			require.Len(t, body, 100_000)
			require.Contains(t, resp.Header.Get("Set-Cookie"), id)
			data, ok := store.Bytes(id)
			require.True(t, ok)
			p, err := payload.Open(data, payload.Limits{})
			require.NoError(t, err)
			require.Equal(t, []string{"before", "after"}, p.Items().Keys())
			store.requireNoLocks(t)
		})
	}
}

// Once the headers left without a cookie, a new session cannot start silently.
func TestHeadersSent(t *testing.T) {
	store := newStore(t)
	m := newMiddleware(t, store, middleware.Options{})
	var errs []error
	w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		w.(http.Flusher).Flush()
		errs = append(errs, s.Set("n", 1), s.SetTimeout(1), s.Remove("n"), s.Clear(), s.Save())
		_, err := s.Get("n")
		require.NoError(t, err)
	})), request(""))
	require.Empty(t, w.Header().Get("Set-Cookie"))
	for _, err := range errs {
		require.Error(t, err)
	}
	require.ErrorIs(t, errs[0], session.ErrHeadersSent)
	require.Zero(t, store.sessions())

	// A visitor with an id can go on: he knows it.
	store.put(t, "n", 1)
	serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		increment(w, r)
	})), request(anID))
	require.EqualValues(t, 2, store.item(t, "n"))
}

func TestANewSessionThatCannotBeStoredStopsTheFlush(t *testing.T) {
	store := newStore(t)
	store.failOn("Checkpoint", errDisk)
	log := &errorLog{}
	m := newMiddleware(t, store, middleware.Options{OnError: log.onError})
	resp, body, err := fetch(t, server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		increment(w, r)
		require.ErrorIs(t, http.NewResponseController(w).Flush(), errDisk)
		_, err := io.WriteString(w, "more")
		require.ErrorIs(t, err, errDisk)
	}))), "/", "")
	require.NoError(t, err)
	require.Equal(t, 500, resp.StatusCode)
	require.Equal(t, "session trouble\n", body)
	require.Empty(t, resp.Header.Get("Set-Cookie"))
	require.EqualValues(t, 1, log.n.Load())
	require.Zero(t, store.sessions(), "what the visitor does not know of is not stored after all")
}

// A save that fails when half the page is gone: the client must see that
// something is missing, whatever the framing.
func TestALateFailureBreaksTheConnection(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter){
		"chunked": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "half a page")
			w.(http.Flusher).Flush()
		},
		"known length, one write": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "50000")
			_, _ = w.Write(make([]byte, 50_000))
		},
		"known length, flushed": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "11")
			_, _ = io.WriteString(w, "half a page")
			w.(http.Flusher).Flush()
		},
		"known length, byte by byte": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "3")
			w.(http.Flusher).Flush()
			for range 3 {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			store.put(t, "n", 1)
			store.failOn("Save", errDisk)
			log := &errorLog{}
			m := newMiddleware(t, store, middleware.Options{OnError: log.onError})
			sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				require.NoError(t, middleware.From(r).Set("n", 2))
				write(w)
			})))
			_, body, err := fetch(t, sv, "/", anID)
			require.Error(t, err, "the page looks whole: %d bytes", len(body))
			require.NotContains(t, body, "session trouble")
			require.EqualValues(t, 1, log.n.Load())
			require.ErrorIs(t, log.last(), errDisk)
			store.requireNoLocks(t)
		})
	}
}

func TestBodiesOfKnownLengthArriveWhole(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{BufferSize: 10})
	for _, size := range []int{0, 1, 2, 9, 10, 11, 5000} {
		sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			for i := range size {
				_, err := w.Write([]byte{'a' + byte(i%26)})
				require.NoError(t, err)
			}
		})))
		resp, body, err := fetch(t, sv, "/", anID)
		require.NoError(t, err)
		require.EqualValues(t, size, resp.ContentLength)
		require.Len(t, body, size)
	}
	// More than was announced is an error for the handler, as without us.
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "20")
		_, _ = w.Write(make([]byte, 20))
		_, err := w.Write([]byte("x"))
		require.Error(t, err)
	})))
	_, body, err := fetch(t, sv, "/", anID)
	require.NoError(t, err)
	require.Len(t, body, 20)
}

// A page that was held back leaves as it would without us: whoever wraps the
// handler, to compress it say, meets no length that he must know to remove.
func TestBufferedPagesLeaveAsTheyWould(t *testing.T) {
	store := newStore(t)
	m := newMiddleware(t, store, middleware.Options{})
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/404":
			http.NotFound(w, r)
		case "/redirect":
			http.Redirect(w, r, "/404", 302)
		case "/late-header":
			_, _ = io.WriteString(w, "body")
			w.Header().Set("X-Late", "yes")
		default:
			_, _ = io.WriteString(w, strings.Repeat("p", 10_000))
		}
	})))
	resp, body, err := fetch(t, sv, "/", "")
	require.NoError(t, err)
	require.EqualValues(t, -1, resp.ContentLength)
	require.Len(t, body, 10_000)
	resp, _, err = fetch(t, sv, "/404", "")
	require.NoError(t, err)
	require.EqualValues(t, 19, resp.ContentLength, "the server knows the length of a short one")
	resp, _, err = fetch(t, sv, "/204", "")
	require.NoError(t, err)
	require.Equal(t, 204, resp.StatusCode)
	resp, _, err = fetch(t, sv, "/redirect", "")
	require.NoError(t, err)
	require.Equal(t, 404, resp.StatusCode)
	resp, _, err = fetch(t, sv, "/late-header", "")
	require.NoError(t, err)
	require.Equal(t, "yes", resp.Header.Get("X-Late"), "headers can be set until they leave")
	head, err := sv.Client().Head(sv.URL)
	require.NoError(t, err)
	require.EqualValues(t, -1, head.ContentLength)
	require.NoError(t, head.Body.Close())
}

func TestTrailers(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-Other")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Undeclared", "43")
	})))
	resp, body, err := fetch(t, sv, "/", "")
	require.NoError(t, err)
	require.Equal(t, "body", body)
	require.Empty(t, resp.Header.Get("X-Sum"))
	require.Equal(t, "42", resp.Trailer.Get("X-Sum"))
	require.Equal(t, "43", resp.Trailer.Get("X-Undeclared"))
}

func TestInformationalResponsesPassAtOnce(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	hinted := make(chan bool, 1)
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		<-hinted // the client has it while the page is still being made
		w.WriteHeader(201)
		w.WriteHeader(202)
	})))
	r, err := http.NewRequest("GET", sv.URL, nil)
	require.NoError(t, err)
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			require.Equal(t, 103, code)
			require.NotEmpty(t, h.Get("Link"))
			hinted <- true
			return nil
		},
	}))
	resp, err := sv.Client().Do(r)
	require.NoError(t, err)
	require.Equal(t, 201, resp.StatusCode, "the first status counts")
	require.NoError(t, resp.Body.Close())
}

func TestHijackSavesAndReleasesFirst(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		require.NoError(t, s.Set("n", 2))
		conn, rw, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		defer conn.Close()
		store.requireNoLocks(t)
		require.EqualValues(t, 2, store.item(t, "n"))
		require.ErrorIs(t, s.Set("n", 3), session.ErrReleased)
		_, err = w.Write([]byte("x"))
		require.ErrorIs(t, err, http.ErrHijacked)
		_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nby hand")
		_ = rw.Flush()
	})))
	_, body, err := fetch(t, sv, "/", anID)
	require.NoError(t, err)
	require.Equal(t, "by hand", body)
	require.NoError(t, m.Close(t.Context()))

	// A failed save stops it, and the client gets an answer.
	store.failOn("Save", errDisk)
	log := &errorLog{}
	m = newMiddleware(t, store, middleware.Options{OnError: log.onError})
	sv = server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, middleware.From(r).Set("n", 4))
		_, _, err := w.(http.Hijacker).Hijack()
		require.ErrorIs(t, err, errDisk)
	})))
	resp, _, err := fetch(t, sv, "/", anID)
	require.NoError(t, err)
	require.Equal(t, 500, resp.StatusCode)
	require.EqualValues(t, 2, store.item(t, "n"))
	store.requireNoLocks(t)
}

func TestEarlyReleaseLetsOthersIn(t *testing.T) {
	store := newStore(t)
	m := newMiddleware(t, store, middleware.Options{})
	w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		require.NoError(t, s.Set("n", 1))
		require.NoError(t, s.Release())
		store.requireNoLocks(t)
		require.Equal(t, 1, store.sessions())
		require.ErrorIs(t, s.Set("n", 2), session.ErrReleased)
		_, err := s.Get("n")
		require.ErrorIs(t, err, session.ErrReleased)
		require.ErrorIs(t, s.Release(), session.ErrReleased)
		_, _ = io.WriteString(w, "a long page")
	})), request(""))
	require.Equal(t, "a long page", w.Body.String())
	require.NotEmpty(t, w.Header().Get("Set-Cookie"), "stored, so the visitor must learn of it")
}

// net/http sees its own writer behind ours where it matters: a file larger than
// the buffer goes to ReadFrom, which is what sendfile needs.
