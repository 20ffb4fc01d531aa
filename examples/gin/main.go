// Gin is a visit counter with gin on a session that ASP.NET's pages can share.
//
//	go run ./examples/gin
//	go run ./examples/gin -addr 127.0.0.1:9000
//
// Copy it when a site's new pages are gin's. The store is this process's memory;
// for a site half-way from ASP.NET put stores/stateserver or stores/sqlserver in
// its place, and nothing else changes.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/ginsession"
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
	r := gin.Default() // Logger and Recovery outside: after a panic nothing is saved
	r.GET("/", ginsession.ReadWrite(m), count)
	r.GET("/visits", ginsession.ReadOnly(m), show)
	return r
}

// count has the session to itself: no visit is lost, however many tabs load.
func count(c *gin.Context) {
	s := ginsession.From(c)
	n, err := session.Value[int](s, "visits")
	if err == nil {
		err = s.Set("visits", n+1)
	}
	if err != nil {
		_ = c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.String(http.StatusOK, "visit %d\n", n+1)
}

// show takes no lock, and loads beside other pages of the visitor.
func show(c *gin.Context) {
	n, err := session.Value[int](ginsession.From(c), "visits")
	if err != nil {
		_ = c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.String(http.StatusOK, "%d visits so far\n", n)
}
