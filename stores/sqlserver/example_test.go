package sqlserver_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// A page of ASP.NET and a handler in Go share a session. The store is what
// middleware.New takes; here its calls are made by hand.
func Example() {
	srv, err := sqlservertest.Start(sqlservertest.Options{}) // in production: your server
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	store, err := sqlserver.New(sqlserver.Options{
		ConnectionString: fmt.Sprintf(`Data Source=%s;User ID=%s;Password="%s"`, strings.Replace(srv.Addr(), ":", ",", 1), sqlservertest.User, sqlservertest.Password),
		AppID:            "/LM/W3SVC/1/ROOT",
		PurgeInterval:    time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	ctx, id := context.Background(), "4m4irghotazmxblpyakfaw1d"
	p := payload.New(20, payload.Limits{})
	_ = p.Items().Set("cart", "3 books")
	if err := store.Save(ctx, id, session.Lock{}, p); err != nil {
		log.Fatal(err)
	}
	rec, err := store.Acquire(ctx, id, time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(payload.Value[string](rec.Payload.Items(), "cart"))
	row, _ := srv.Get(id + "2014c0f1") // where ASP.NET looks for it
	fmt.Println(row.Locked, row.LockCookie)
	fmt.Println(store.Release(ctx, id, rec.Lock))
	// Output:
	// 3 books <nil>
	// true 2
	// <nil>
}

// The connection string of a web.config says what the driver is given.
func ExampleParseConnectionString() {
	t, err := sqlserver.ParseConnectionString(`Server=tcp:db1,1433;Initial Catalog=Shop;User ID=web;Password='a;b"c'`)
	fmt.Println(t.Server(), t.Database(), err)
	_, err = sqlserver.ParseConnectionString(`Server=db1;Pasword=secret`)
	fmt.Println(err)
	// Output:
	// tcp:db1,1433 Shop <nil>
	// sqlserver: connection string: ADO.NET knows no keyword "pasword"
}

// The application's number, and the end of its keys.
func ExampleAppID() {
	id := sqlserver.AppID("/LM/W3SVC/1/ROOT")
	fmt.Printf("%d %08x\n", id, uint32(id))
	fmt.Println(sqlserver.Hash21.Suffix("/LM/W3SVC/1/ROOT"))
	// Output:
	// 538231025 2014c0f1
	// B3003E84
}
