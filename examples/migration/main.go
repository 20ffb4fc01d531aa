// Migration is a site half-way from ASP.NET to Go, to be clicked through: one
// visitor, one cookie, one stored session, and two sides that both work on it.
//
//	go run ./examples/migration
//	go run ./examples/migration -addr 127.0.0.1:9000
//	go run ./examples/migration -once
//
// Every visitor is handed a copy of a session that ASP.NET's own serializer
// wrote (testdata/captured-session.bin): numbers, a decimal, a Guid, a string
// array, a Hashtable, and a [Serializable] ShoppingCart whose class no Go code
// knows.
//
// The session is kept by a state service on a loopback port, and both sides are
// its clients over TCP, as two servers of a real site are.
//
// # What to look at
//
//   - / are the new pages, handlers behind middleware.Wrap. Change the name,
//     count a visit, add an item.
//   - /summary reads what ASP.NET stored, as Go types, behind
//     middleware.ReadOnly; it also tries to write, and shows what it is told.
//   - /legacy/ stands in for the old site. It does not go through the middleware:
//     it asks the state service for the stored bytes, as the old site would, and
//     compares every item with the capture. Only what you changed differs. The shopping cart is byte for byte
//     what ASP.NET wrote, however often Go saved the session around it.
//
// With -once the program is its own visitor: it makes that tour over HTTP and
// prints what happened in six lines.
//
// gopages.go is what a handler looks like, legacy.go how stored bytes are read,
// state.go how they share one store.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	code := 1
	if errors.Is(err, errUsage) {
		code = 2
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	stop()
	os.Exit(code)
}

// errUsage: the flag package has said already what is wrong.
var errUsage = errors.New("migration: bad flags")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("migration", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "loopback `address` to listen on; port 0 takes a free one")
	tourOnly := flags.Bool("once", false, "make the tour over HTTP on a free port, print six lines and exit")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return errUsage
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("migration: unexpected argument %q", flags.Arg(0))
	}
	if *tourOnly {
		return serve(ctx, "127.0.0.1:0", func(ctx context.Context, url string) error {
			return tour(ctx, url, stdout)
		})
	}
	return serve(ctx, *addr, func(ctx context.Context, url string) error {
		fmt.Fprintf(stdout, welcome, url)
		<-ctx.Done()
		fmt.Fprintln(stdout, "migration: stopping")
		return nil
	})
}

const welcome = `migration: two sites, one session, at %[1]s

  1. Open %[1]s/ and change the name, count a visit, add an item.
  2. Open %[1]s/legacy/ and see which stored bytes that changed,
     and that the shopping cart is still exactly what ASP.NET wrote.
  3. Open it in a second browser: a second visitor has a session of his own.

Ctrl-C stops it.
`

// serve runs the site until use returns, and ends it in order: no new requests,
// then those under way, then their sessions, then the store.
func serve(ctx context.Context, addr string, use func(ctx context.Context, url string) error) (err error) {
	ln, err := listen(addr)
	if err != nil {
		return err
	}
	s, err := newSite()
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	srv := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	served := make(chan error, 1)
	go func() {
		served <- srv.Serve(ln)
		cancel(errServing) // whatever use waits for, it will not come
	}()

	err = use(ctx, "http://"+ln.Addr().String())

	grace, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	err = errors.Join(err, srv.Shutdown(grace), s.close(grace))
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("migration: %w", serr))
	}
	return err
}

var errServing = errors.New("migration: the server has stopped")

// listen refuses addresses that others can reach: whoever asks this demo for a
// session is given one.
func listen(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("migration: -addr %q: want host:port, as 127.0.0.1:8080", addr)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("migration: -addr %q: this demo is for your own machine alone, use 127.0.0.1", addr)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("migration: %w; if the port is taken, choose another: -addr 127.0.0.1:8081, or port 0 for any free one", err)
	}
	return ln, nil
}
