// Migration is a shop half-way from ASP.NET to Go: WebForms pages on Mono, Go
// pages beside them, one address in front of both, and one session that both work
// in.
//
//	go run ./examples/migration
//	go run ./examples/migration -addr 127.0.0.1:9000
//	go run ./examples/migration -legacy go
//	go run ./examples/migration -once
//
// Where Mono is installed (the Debian packages mono-complete and mono-xsp4) the
// legacy half is real: folder legacy has its .aspx pages, Global.asax, web.config
// and class library. Where it is not, Go pages stand in for it, with a session
// that ASP.NET stored, and every page says so.
//
// # What to look at
//
//   - / says who serves which page, and moves the cart to the other half while you
//     shop: the cart stays.
//   - /catalogue.aspx puts things into the cart as a C# object, /cart.aspx changes
//     it in Go, /checkout.aspx empties it, and ASP.NET shows the order.
//   - /bytes shows what is stored, and which half wrote it. Items that Go does not
//     know stay as they are to the byte, however often Go saves around them.
//   - /broken.aspx throws. The rest goes on.
//
// With -once the program is its own visitor: it walks through both halves over
// HTTP, prints a line for each step, and fails with the step that went wrong.
//
// # Which file holds what
//
//   - routes.go: the table of pages. Moving a page is changing one word of it.
//   - front.go: the reverse proxy. frontpage.go, bytes.go: its own pages.
//   - gopages.go: what pages look like in Go. cart.go: a C# class as a Go struct.
//   - site.go: middleware with Bootstrap, so that a first visit in Go runs the
//     legacy Session_Start. pages.go: what visitors are told when a session fails.
//   - legacyhalf.go starts ASP.NET and watches it; standin.go plays it.
//   - tour.go is -once, and browser.go the visitor.
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
	"slices"
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
	mode := flags.String("legacy", modeAuto, "who serves the legacy `half`: aspnet (real pages on Mono), go (Go stands in), auto (aspnet where Mono is installed)")
	once := flags.Bool("once", false, "walk through the shop over HTTP on a free port, print a line a step and exit")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return errUsage
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("migration: unexpected argument %q", flags.Arg(0))
	}
	if !slices.Contains([]string{modeAuto, modeASPNET, modeGo}, *mode) {
		return fmt.Errorf("migration: -legacy %q: want %s, %s or %s", *mode, modeAuto, modeASPNET, modeGo)
	}
	l := &legacyHalf{mode: *mode, start: startASPNET, standIn: startStandIn}
	if *once {
		return serve(ctx, "127.0.0.1:0", l, func(ctx context.Context, url string) error {
			return tour(ctx, url, stdout)
		})
	}
	return serve(ctx, *addr, l, func(ctx context.Context, url string) error {
		fmt.Fprintf(stdout, welcome, url)
		<-ctx.Done()
		fmt.Fprintln(stdout, "migration: stopping")
		return nil
	})
}

const welcome = `migration: one shop, two halves, at %[1]s/

  1. Open %[1]s/ and see who serves which page.
  2. Fill the cart in the catalogue, change it in the cart, check out.
  3. Move the cart to the other half on the front page, and look at it again.
  4. Open %[1]s/bytes and see who wrote what.

Ctrl-C stops it.
`

// serve runs the site until use returns, and ends it in order: no new requests,
// then those under way, then their sessions, then the legacy half and the store.
func serve(ctx context.Context, addr string, l *legacyHalf, use func(ctx context.Context, url string) error) (err error) {
	ln, err := listen(addr)
	if err != nil {
		return err
	}
	s, err := newSite(l)
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
