package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/aspsession/aspsession/middleware"
)

//go:embed web
var web embed.FS

var templates = func() map[string]*template.Template {
	set := make(map[string]*template.Template)
	for _, name := range []string{"home.html", "summary.html", "legacy.html", "message.html"} {
		t := template.New(name).Funcs(template.FuncMap{"bytes": countBytes})
		set[name] = template.Must(t.ParseFS(web, "web/layout.html", "web/"+name))
	}
	return set
}()

// page is what every page shows: whose it is, and where in the menu.
type page struct {
	Title, Path string
	Side        string // "go", "legacy", or "" for a message
	Session     string // a hash of the id, where it is known
}

func goPage(title string, r *http.Request) page {
	return page{Title: title, Path: r.URL.Path, Side: "go", Session: shortID(middleware.From(r).ID())}
}

// legacySide is told the id: no middleware brings it there.
func legacySide(title string, r *http.Request, id string) page {
	return page{Title: title, Path: r.URL.Path, Side: "legacy", Session: shortID(id)}
}

// shortID is what may be shown of an id, which is a bearer secret itself.
func shortID(id string) string { return sum([]byte(id))[:8] }

// render runs the template to its end before it sends anything: a page that
// fails half-way is no page.
func render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "layout", data); err != nil {
		slog.Error("migration: template failed", "template", name, "error", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
}

type messagePage struct {
	page
	Text string
}

// message is a page of a headline and a sentence.
func message(w http.ResponseWriter, status int, headline, text string) {
	render(w, status, "message.html", messagePage{page{Title: headline}, text})
}

func stylesheet(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, web, "web/style.css")
}

// headers are for every answer: nothing here loads, frames or posts elsewhere.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// countBytes prints "2,469 bytes".
func countBytes(n int) string {
	if n == 1 {
		return "1 byte"
	}
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return fmt.Sprintf("%s bytes", digits)
}
