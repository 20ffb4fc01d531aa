// Echo is a visit counter with echo on a session that ASP.NET's pages can share.
//
//	go run ./examples/echo
//	go run ./examples/echo -addr 127.0.0.1:9000
//
// Copy it when a site's new pages are echo's. The store is this process's memory;
// for a site half-way from ASP.NET put stores/stateserver or stores/sqlserver in
// its place, and nothing else changes.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"

	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/echosession"
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
	log.Printf("http://%s/ counts, http://%s/visits shows", *addr, *addr)
	log.Fatal(http.ListenAndServe(*addr, pages(m)))
}

// pages are the site. Each says what it does with the session.
func pages(m *middleware.Middleware) http.Handler {
	e := echo.New()
	e.Use(echomw.Recover()) // outside: after a panic nothing is saved
	e.GET("/", count, echosession.ReadWrite(m))
	e.GET("/visits", show, echosession.ReadOnly(m))
	return e
}

// count has the session to itself: no visit is lost, however many tabs load. An
// error that it returns is a page of 500, and saves nothing.
func count(c echo.Context) error {
	s := echosession.From(c)
	n, err := session.Value[int](s, "visits")
	if err != nil {
		return err
	}
	if err := s.Set("visits", n+1); err != nil {
		return err
	}
	return c.String(http.StatusOK, fmt.Sprintf("visit %d\n", n+1))
}

// show takes no lock, and loads beside other pages of the visitor.
func show(c echo.Context) error {
	n, err := session.Value[int](echosession.From(c), "visits")
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, fmt.Sprintf("%d visits so far\n", n))
}
