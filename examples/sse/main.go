// Sse streams events to a page for as long as it is open, without holding the
// session for a moment longer than it is needed.
//
//	go run ./examples/sse
//	go run ./examples/sse -addr 127.0.0.1:9000
//
// Copy it for whatever answers slowly or never ends: server-sent events, long
// polls, downloads, WebSockets. A stream that kept the session's lock would stop
// every other page of its visitor, which is what ASP.NET does; this one takes
// what it needs, calls Release, and streams on alone.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("http://%s/", *addr)
	log.Fatal(http.ListenAndServe(*addr, pages(m, time.Second)))
}

// pages are the site; a tick comes every so often.
func pages(m *middleware.Middleware, every time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.Handle("GET /events", m.Wrap(events(every)))
	mux.Handle("POST /count", m.Wrap(http.HandlerFunc(count)))
	return mux
}

// events counts the stream in the session, lets the session go, and streams.
func events(every time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		n, err := session.Value[int](s, "streams")
		if err == nil {
			err = s.Set("streams", n+1)
		}
		if err == nil {
			err = s.Release() // saved; other pages of the visitor go on from here
		}
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		out := http.NewResponseController(w)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for event := 0; ; event++ {
			fmt.Fprintf(w, "data: event %d of stream %d\n\n", event, n+1)
			if out.Flush() != nil {
				return // the visitor has gone
			}
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
}

// count answers at once, while the stream is open.
func count(w http.ResponseWriter, r *http.Request) {
	s := middleware.From(r)
	n, err := session.Value[int](s, "clicks")
	if err == nil {
		err = s.Set("clicks", n+1)
	}
	if err != nil {
		fail(w, err)
		return
	}
	fmt.Fprintf(w, "click %d", n+1)
}

func fail(w http.ResponseWriter, err error) {
	log.Print(err)
	status := http.StatusInternalServerError
	if errors.Is(err, session.ErrUnavailable) {
		status = http.StatusServiceUnavailable
	}
	http.Error(w, "no session", status)
}

func home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, page)
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A stream and its session</title>
<h1>A stream that holds no lock</h1>
<p><button>Count a click</button> <output id="clicks">no click yet</output></p>
<p id="event">waiting for the first event</p>
<script>
new EventSource("/events").onmessage = e => document.getElementById("event").textContent = e.data;
document.querySelector("button").onclick = async () =>
	document.getElementById("clicks").textContent = await (await fetch("/count", {method: "POST"})).text();
</script>
`
