package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/admin"
	"github.com/aspsession/aspsession/stateservice/disk"
	"github.com/aspsession/aspsession/stateservice/onend"
)

// stopTime is how long requests under way may take at the end.
const stopTime = 10 * time.Second

// serving is what the flags of serve say.
type serving struct {
	opt                    stateservice.Options
	listen, allow          string
	tlsListen              string
	tlsCert, tlsKey, tlsCA string
	data                   string
	park                   time.Duration
	onEnd, onEndKey        string
	admin, adminToken      string
	values, profiles       bool
	asJSON                 bool
	adminAddr              string   // of the open listener, as --admin takes it
	closers                []func() // in the order of opening
}

// serve is the verb.
func serve(c *call) int {
	v := new(serving)
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	for name, p := range map[string]*string{
		"allow": &v.allow, "tls-listen": &v.tlsListen, "tls-cert": &v.tlsCert, "tls-key": &v.tlsKey, "tls-client-ca": &v.tlsCA,
		"data": &v.data, "on-end": &v.onEnd, "on-end-key": &v.onEndKey, "admin": &v.admin, "admin-token": &v.adminToken,
	} {
		flags.StringVar(p, name, "", "")
	}
	flags.StringVar(&v.listen, "listen", "127.0.0.1:42424", "")
	flags.DurationVar(&v.park, "park", 250*time.Millisecond, "")
	flags.IntVar(&v.opt.MaxConns, "max-conns", 0, "")
	flags.IntVar(&v.opt.MaxItems, "max-items", 0, "")
	flags.Int64Var(&v.opt.MaxBytes, "max-bytes", 0, "")
	flags.BoolVar(&v.opt.BareStatusLine, "bare", false, "")
	flags.BoolVar(&v.values, "admin-values", false, "")
	flags.BoolVar(&v.profiles, "pprof", false, "")
	flags.BoolVar(&v.asJSON, "json", false, "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	var handler slog.Handler = slog.NewTextHandler(c.stderr, nil)
	if v.asJSON {
		handler = slog.NewJSONHandler(escaping{c.stderr}, nil)
	}
	v.opt.Logger = slog.New(handler)
	err := v.run(c)
	for i := len(v.closers) - 1; i >= 0; i-- {
		v.closers[i]()
	}
	switch {
	case err != nil && v.asJSON:
		v.opt.Logger.Error("serve", "error", err)
		return exitData
	case err != nil:
		return c.fails(err)
	}
	return exitOK
}

// escaping escapes in the lines of a log what escapeJSON does.
type escaping struct{ io.Writer }

func (e escaping) Write(line []byte) (int, error) {
	if _, err := e.Writer.Write(escapeJSON(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// A servingJSON is the line on standard output with --json.
type servingJSON struct {
	Listening        []string `json:"listening"` // without TLS
	ConnectionString string   `json:"connectionString"`
	TLS              string   `json:"tls,omitempty"`
	Admin            string   `json:"admin,omitempty"`
}

// ready is the line that says where it listens, once it does.
func (v *serving) ready(listeners []net.Listener) []byte {
	addr := listeners[0].Addr().String()
	if !v.asJSON {
		return fmt.Appendf(nil, "aspstate: serving on %s; web.config: stateConnectionString=\"tcpip=%s\"\n", addr, addr)
	}
	line := servingJSON{ConnectionString: "tcpip=" + addr, Admin: v.adminAddr}
	for _, ln := range listeners {
		line.Listening = append(line.Listening, ln.Addr().String())
	}
	if last := len(listeners) - 1; v.tlsListen != "" {
		line.TLS, line.Listening = line.Listening[last], line.Listening[:last]
	}
	return jsonText(line, "")
}

func (v *serving) run(c *call) error {
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	listeners, err := v.listeners()
	if err != nil {
		return err
	}
	s, err := v.open()
	if err != nil {
		return err
	}
	failed := make(chan error, len(listeners)+1)
	for _, ln := range listeners {
		go func() { failed <- s.Serve(ln) }()
	}
	if v.admin != "" {
		if err := v.watch(s, failed); err != nil {
			_ = s.Close()
			return err
		}
	}
	_, _ = c.stdout.Write(v.ready(listeners)) // sessions are kept all the same where nobody reads it
	select {
	case err := <-failed:
		_ = s.Close()
		return err
	case <-ctx.Done():
	}
	stop() // a second signal ends the process at once
	late, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err = s.Shutdown(late)
	if errors.Is(err, context.DeadlineExceeded) {
		v.opt.Logger.Warn("requests under way were cut off", "after", stopTime)
		err = s.Close() // once more what the journal says, which is no warning
	}
	return err
}

// open makes the service, with its directory and its hook.
func (v *serving) open() (*stateservice.Server, error) {
	opt := v.opt
	opt.ParkTimeout = v.park
	if v.park <= 0 {
		opt.ParkTimeout = -1
	}
	if (v.onEnd == "") != (v.onEndKey == "") {
		return nil, errors.New("--on-end and --on-end-key belong together: the receiver must be able to tell who posts")
	}
	if v.onEnd != "" {
		key, err := os.ReadFile(v.onEndKey)
		if err != nil {
			return nil, fmt.Errorf("--on-end-key: %w", err)
		}
		hook, err := onend.New(v.onEnd, trimmed(key), onend.Options{Logger: opt.Logger})
		if err != nil {
			return nil, err
		}
		opt.OnEnd = hook
		v.closers = append(v.closers, func() { _ = hook.Close() })
	}
	if v.data != "" {
		j, err := disk.Open(v.data, disk.Options{Logger: opt.Logger})
		if err != nil {
			return nil, err
		}
		opt.Journal = j
		v.closers = append(v.closers, func() {
			if err := j.Close(); err != nil {
				opt.Logger.Error("closing the data directory", "error", err)
			}
		})
	}
	return stateservice.Open(opt)
}

// trimmed drops the line end that editors leave in a file of one secret.
func trimmed(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// watch serves --admin.
func (v *serving) watch(s *stateservice.Server, failed chan<- error) error {
	token := ""
	if v.adminToken != "" {
		b, err := os.ReadFile(v.adminToken)
		if err != nil {
			return fmt.Errorf("--admin-token: %w", err)
		}
		token = string(trimmed(b))
	}
	h, err := admin.New(s, admin.Options{Token: token, Values: v.values, Profiles: v.profiles})
	if err != nil {
		return err
	}
	ln, err := admin.Listen(v.admin)
	if err != nil {
		return err
	}
	if err := admin.Check(ln, token); err != nil {
		_ = ln.Close()
		return fmt.Errorf("%w: give --admin-token", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(v.opt.Logger.Handler(), slog.LevelWarn)}
	go func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	v.closers = append(v.closers, func() { _ = server.Close() })
	v.adminAddr = ln.Addr().String()
	if ln.Addr().Network() == "unix" {
		v.adminAddr = "unix:" + v.adminAddr
	}
	v.opt.Logger.Info("admin", "address", ln.Addr().String())
	return nil
}

func listenAdvice(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; another service has the port: give --listen another, and web.config too", err)
	}
	return err
}

// beyond reports an address that other machines reach.
func beyond(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}
