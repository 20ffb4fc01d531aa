package admin

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aspsession/aspsession/stateservice"
)

// Options of a Handler.
type Options struct {
	// Token is what a client must show, 16 characters or more. Default none,
	// which is for unix sockets: whoever may open one needs no other proof.
	Token string
	// Profiles serves /debug/pprof/. Default false: profiling slows the service,
	// and profiles of its memory may show content.
	Profiles bool
	// Values shows what is in the items on the pages for people. Default false:
	// names, .NET types and sizes are shown, values are redacted. Sessions have
	// what visitors told the site, and pages end up in screenshots.
	Values bool
	// Now is the clock of the pages, for tests. Default time.Now.
	Now func() time.Time
}

// shortestToken is in characters.
const shortestToken = 16

// New makes a handler for a service. It has no goroutine of its own.
func New(s *stateservice.Server, opt Options) (http.Handler, error) {
	if opt.Token != "" && len(opt.Token) < shortestToken {
		return nil, fmt.Errorf("admin: a token of %d characters; use %d or more", len(opt.Token), shortestToken)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	seen := &rates{s: s, now: opt.Now}
	seen.metrics() // the first rates are since now
	registry := prometheus.NewRegistry()
	if err := registry.Register(collector{seen.metrics}); err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	mux := http.NewServeMux()
	newPages(s, opt, seen).handle(mux)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /sessions", func(w http.ResponseWriter, _ *http.Request) { list(w, s) })
	if opt.Profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	open.Handle("/", authorized(opt.Token, mux))
	return guarded(open), nil
}

// guarded keeps web pages out that reach this machine under a name of theirs.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if _, unix := local.(*net.UnixAddr); !unix && !loopback(r.Host) {
			http.Error(w, "admin: this host name is not loopback", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func authorized(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			_, shown, _ = r.BasicAuth()
		}
		got := sha256.Sum256([]byte(shown))
		if token != "" && subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="aspstate", charset="UTF-8"`)
			http.Error(w, "admin: the token is missing or wrong", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Listed is one line of /sessions.
type Listed struct {
	Key           []byte     `json:"key"`  // base64 in JSON: a key may be any bytes; a bearer secret
	Size          int        `json:"size"` // of the content, bytes
	Expires       *time.Time `json:"expires,omitempty"`
	Uninitialized bool       `json:"uninitialized,omitempty"`
	LockCookie    int32      `json:"lockCookie,omitempty"` // 0 while it is not locked
	LockSeconds   float64    `json:"lockSeconds,omitempty"`
	Waiters       int        `json:"waiters,omitempty"`
}

func list(w http.ResponseWriter, s *stateservice.Server) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	s.List(func(i stateservice.Info) bool {
		l := Listed{Key: []byte(i.Key), Size: i.Size, Uninitialized: i.Uninitialized, Waiters: i.Waiters}
		if !i.Expires.IsZero() {
			l.Expires = &i.Expires
		}
		if i.Locked {
			l.LockCookie, l.LockSeconds = i.LockCookie, i.LockAge.Seconds()
		}
		return enc.Encode(l) == nil // who has hung up needs no more
	})
	_ = out.Flush()
}

// errNeedsToken says why a loopback address is not enough.
var errNeedsToken = errors.New("admin: a loopback address is open to every program and web page of this machine: it needs a token")

// Check reports a combination of address and token that is not safe.
func Check(ln net.Listener, token string) error {
	if _, unix := ln.Addr().(*net.UnixAddr); !unix && token == "" {
		return errNeedsToken
	}
	return nil
}
