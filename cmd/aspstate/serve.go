package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

const serveHelp = `  --listen HOST:PORT  Listen there. Default 127.0.0.1:42424, which only this
                      machine reaches. The protocol has neither encryption nor
                      authentication, and whoever can write sessions runs code in
                      ASP.NET: any other address belongs on a private network.
  --max-items N       Refuse new sessions over so many. Default 0: no limit.
  --max-bytes N       Refuse what would take the sum of all contents over so many
                      bytes. Default 0: no limit.
  --bare              Answer with status lines without an HTTP version, as
                      aspnet_state.exe is believed to do.

On the ASP.NET side: <sessionState mode="StateServer"
stateConnectionString="tcpip=HOST:PORT" />. Sessions are kept in memory. SIGINT or
SIGTERM ends requests under way and then the service.`

// stopTime is how long requests under way may take at the end.
const stopTime = 10 * time.Second

// serve is the verb.
func serve(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	var opt stateservice.Options
	listen := flags.String("listen", "127.0.0.1:42424", "")
	flags.IntVar(&opt.MaxItems, "max-items", 0, "")
	flags.Int64Var(&opt.MaxBytes, "max-bytes", 0, "")
	flags.BoolVar(&opt.BareStatusLine, "bare", false, "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	opt.Logger = slog.New(slog.NewTextHandler(c.stderr, nil))
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintf(c.stderr, "aspstate: serve: %s\n", visible(listenAdvice(err)))
		return exitData
	}
	if a, ok := ln.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		opt.Logger.Warn("listening beyond this machine, without encryption or authentication: keep it to a private network", "address", a.String())
	}
	s := stateservice.New(opt)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	fmt.Fprintf(c.stdout, "aspstate: serving on %s; web.config: stateConnectionString=\"tcpip=%s\"\n", ln.Addr(), ln.Addr())
	select {
	case err = <-served:
	case <-ctx.Done():
		stop() // a second signal ends the process at once
		late, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if err := s.Shutdown(late); err != nil {
			opt.Logger.Warn("requests under way were cut off", "after", stopTime)
		}
		err = <-served
	}
	if errors.Is(err, stateservice.ErrServerClosed) {
		return exitOK
	}
	_ = s.Close()
	fmt.Fprintf(c.stderr, "aspstate: serve: %s\n", visible(err.Error()))
	return exitData
}

func listenAdvice(err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return err.Error() + "; another service has the port: give --listen another, and web.config too"
	}
	return err.Error()
}
