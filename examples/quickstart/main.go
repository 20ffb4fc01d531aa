// Quickstart counts visits in a session that ASP.NET's pages can share, in 40
// lines.
//
//	go run ./examples/quickstart
//
// Copy it to begin with: one page, one store, no framework. The store is this
// process's memory; the line that makes it is the only one that changes when the
// sessions are those of a live ASP.NET site.
package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

func main() {
	store := inproc.New(inproc.Options{}) // or stateserver.New, sqlserver.Open, redis.Open
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		log.Fatal(err)
	}
	log.Print("http://127.0.0.1:8080/ counts your visits")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", m.Wrap(http.HandlerFunc(count))))
}

// count has the session to itself, as a page of ASP.NET has.
func count(w http.ResponseWriter, r *http.Request) {
	s := middleware.From(r)
	visits, err := session.Value[int](s, "visits") // 0 at first
	if err == nil {
		err = s.Set("visits", visits+1) // (int)Session["visits"] to C#
	}
	if err != nil {
		http.Error(w, "no session", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "visit %d\n", visits+1)
}
