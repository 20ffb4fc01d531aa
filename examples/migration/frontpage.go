package main

import (
	"net/http"
)

// frontPage is the view of front.html.
type frontPage struct {
	page
	Routes  []route
	Legacy  health
	Trouble *incident
}

func frontView(r *http.Request) page {
	return page{Path: r.URL.Path, Style: "on-front", Served: "Go, the proxy in front"}
}

// ownPages are the pages of the front itself.
func (f *front) ownPages(bytes http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", f.home)
	mux.HandleFunc("POST /{$}", f.buttons)
	mux.Handle("GET /bytes", bytes)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, web, "web/style.css")
	})
	return mux
}

func (f *front) home(w http.ResponseWriter, r *http.Request) {
	v := frontPage{page: frontView(r), Routes: f.routes.all(), Legacy: f.legacy.health(), Trouble: f.trouble.get()}
	v.Title = "Half-way from ASP.NET to Go"
	render(w, http.StatusOK, "front.html", v)
}

// buttons moves a page to the other half, or starts the legacy half again.
func (f *front) buttons(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.PostFormValue("retry") != "" {
		f.legacy.retry()
	} else if err := f.routes.move(r.PostFormValue("move"), half(r.PostFormValue("to"))); err != nil {
		frontView(r).message(w, http.StatusUnprocessableEntity, "That page cannot move", "Only one half has it, or there is none of that name.")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
