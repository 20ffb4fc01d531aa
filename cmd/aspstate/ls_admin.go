package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice/admin"
)

// adminClient reads the listing of a state service of ours.
type adminClient struct {
	http    *http.Client
	url     string // of the listing
	address string // as it was given
	token   string
}

// newAdminClient takes unix:PATH, or http://HOST:PORT where HOST is loopback: the
// token travels in the clear. tokenFile may be "".
func newAdminClient(address, tokenFile string) (*adminClient, error) {
	a := &adminClient{address: address}
	transport := &http.Transport{}
	a.http = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		a.url = "http://localhost/sessions"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	} else {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" || u.User != nil || u.Port() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return nil, fmt.Errorf("--admin %s: it looks like unix:/run/aspstate/admin.sock or http://127.0.0.1:42480", quote(address, keyWidth))
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fmt.Errorf("--admin %s: the host is not loopback, where alone the listing is served: run this on that machine, or through a tunnel", quote(address, keyWidth))
		}
		a.url = "http://" + u.Host + "/sessions"
	}
	if tokenFile != "" {
		b, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, fmt.Errorf("--admin-token: %w", err)
		}
		a.token = string(trimmed(b))
	}
	return a, nil
}

func (a *adminClient) close() { a.http.CloseIdleConnections() }

// sessions calls yield for every item of every application until it returns false.
func (a *adminClient) sessions(ctx context.Context, yield func(admin.Listed) bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return a.fail(err)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is told once
		}
		return a.fail(fmt.Errorf("%w: %w", session.ErrUnavailable, err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return a.fail(errors.New("the token is missing or wrong: --admin-token names the file that the service was started with"))
	default:
		return a.fail(fmt.Errorf("the answer has status %d: is it the --admin address of `aspstate serve`?", resp.StatusCode))
	}
	dec := json.NewDecoder(resp.Body)
	for n := 1; ; n++ {
		var l admin.Listed
		switch err := dec.Decode(&l); {
		case err == io.EOF:
			return nil
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err != nil:
			return a.fail(fmt.Errorf("line %d of the listing cannot be read: %w", n, err))
		}
		if !yield(l) {
			return nil
		}
	}
}

func (a *adminClient) fail(err error) error {
	return fmt.Errorf("--admin %s: %w", quote(a.address, keyWidth), err)
}

// adminLister is the listing of one application.
type adminLister struct {
	*adminClient
	base string
}

// List implements session.Lister.
func (l adminLister) List(ctx context.Context, yield func(session.Info) bool) error {
	now := time.Now()
	return l.sessions(ctx, func(x admin.Listed) bool {
		id, ours := strings.CutPrefix(string(x.Key), l.base)
		if !ours || id == "" {
			return true
		}
		info := session.Info{ID: id, Size: x.Size, Expires: -1, Uninitialized: x.Uninitialized,
			Lock: session.NumberLock(int64(x.LockCookie)), LockAge: time.Duration(x.LockSeconds * float64(time.Second))}
		if x.Expires != nil {
			info.Expires = max(x.Expires.Sub(now), 0)
		}
		return yield(info)
	})
}
