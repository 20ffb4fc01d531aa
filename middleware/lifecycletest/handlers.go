package lifecycletest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// A page is one running handler.
type page struct {
	w    http.ResponseWriter
	s    *session.Session
	rest func() // what other requests do meanwhile
	body string // what is still to be written
}

// long is more than the middleware's buffer holds.
var long = strings.Repeat("a long page ", 5000)

// steps are what a handler may do, one after the other. The first error ends it,
// but the page is written all the same.
var steps = map[string]func(p *page) error{
	"nothing": func(*page) error { return nil },
	"read": func(p *page) error {
		n, err := p.s.Get("n")
		if err != nil {
			return err
		}
		p.body = fmt.Sprintf("n=%v", n)
		if p.s.IsNew() {
			p.body += " new"
		}
		return nil
	},
	"set":     func(p *page) error { return p.s.Set("n", 2) },
	"set 3":   func(p *page) error { return p.s.Set("n", 3) },
	"remove":  func(p *page) error { return p.s.Remove("n") },
	"clear":   func(p *page) error { return p.s.Clear() },
	"timeout": func(p *page) error { return p.s.SetTimeout(time.Hour) },
	"flush": func(p *page) error {
		p.write("begun ")
		return http.NewResponseController(p.w).Flush()
	},
	"long": func(p *page) error {
		p.body = ""
		for _, part := range []string{long[:1000], long[1000:40_000], long[40_000:]} {
			if _, err := io.WriteString(p.w, part); err != nil {
				return err
			}
		}
		return nil
	},
	"save":       func(p *page) error { return p.s.Save() },
	"release":    func(p *page) error { return p.s.Release() },
	"abandon":    func(p *page) error { return p.s.Abandon() },
	"regenerate": func(p *page) error { return p.s.Regenerate() },
	"meanwhile":  func(p *page) error { p.rest(); return nil },
	"panic":      func(*page) error { panic(http.ErrAbortHandler) },
	"error": func(p *page) error {
		p.body = ""
		http.Error(p.w, "sorry", http.StatusInternalServerError)
		return nil
	},
	"redirect": func(p *page) error {
		p.body = ""
		p.w.Header().Set("Location", "/next")
		p.w.WriteHeader(http.StatusFound)
		return nil
	},
	"hijack": func(p *page) error {
		conn, rw, err := http.NewResponseController(p.w).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		body := p.body
		p.body = ""
		_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\n")
		_ = p.w.Header().Write(rw)
		fmt.Fprintf(rw, "Content-Length: %d\r\n\r\n%s", len(body), body)
		return rw.Flush()
	},
}

func (p *page) write(body string) {
	if body != "" {
		_, _ = io.WriteString(p.w, body)
	}
}

// handle runs the steps of a row and writes the page.
func handle(w http.ResponseWriter, r *http.Request, does string, meanwhile func()) error {
	p := &page{w: w, s: middleware.From(r), rest: meanwhile, body: "page"}
	var err error
	for step := range strings.SplitSeq(does, ", ") {
		if err = steps[step](p); err != nil {
			break
		}
	}
	p.write(p.body)
	return err
}
