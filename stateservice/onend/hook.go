package onend

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

// ErrNotTaken: every try failed; the end is to be told again later.
var ErrNotTaken = errors.New("onend: end not taken")

// Options of a Hook. The zero value is useful.
type Options struct {
	// Tries is how often one delivery is tried before Ended gives it back.
	// Default 5, within some 8 s; a worker of the server is busy that long.
	Tries int
	// Refusals is how many statuses that say no (3xx, 4xx but 408 and 429) give
	// an end up for good. Default 3.
	Refusals int
	// Timeout is how long one try may take. Default 10 s.
	Timeout time.Duration
	// Backoff is the pause after the first failed try; it doubles each time, up
	// to MaxBackoff. Default 500 ms and 30 s.
	Backoff, MaxBackoff time.Duration
	// AllowPlain permits http to another host than loopback: sessions cross the
	// network in the clear. Default false.
	AllowPlain bool
	// Transport sends the requests, for client certificates or a proxy. Default
	// a clone of http.DefaultTransport.
	Transport http.RoundTripper
	// Logger gets ends that are given up. Default slog.Default.
	Logger *slog.Logger
	// Now is the clock of signatures, for tests. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Tries <= 0 {
		o.Tries = 5
	}
	if o.Refusals <= 0 {
		o.Refusals = 3
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Backoff <= 0 {
		o.Backoff = 500 * time.Millisecond
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = 30 * time.Second
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// A Hook posts ends to a URL. It has no goroutine; it is safe for concurrent use.
type Hook struct {
	url    string
	host   string // for the log: a URL may have a token
	key    []byte
	opt    Options
	client http.Client

	taken, failed, givenUp atomic.Int64
}

var _ stateservice.EndHook = (*Hook)(nil)

// shortestKey is in bytes.
const shortestKey = 16

// New checks where to post to. key signs: 16 bytes or more, best 32 random ones.
func New(address string, key []byte, opt Options) (*Hook, error) {
	opt = opt.withDefaults()
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("onend: the address is no http or https URL") // itself not shown: it may have a token
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) && !opt.AllowPlain {
		return nil, fmt.Errorf("onend: http to %s would show sessions to the network: use https, a loopback address, or Options.AllowPlain", u.Host)
	}
	if len(key) < shortestKey {
		return nil, fmt.Errorf("onend: a signing key of %d bytes; use %d or more", len(key), shortestKey)
	}
	h := &Hook{url: address, host: u.Host, key: bytes.Clone(key), opt: opt}
	h.client = http.Client{Transport: opt.Transport, Timeout: opt.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return h, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close lets go of idle connections. Tries under way go on until their context
// ends, which stopping the server does.
func (h *Hook) Close() error {
	h.client.CloseIdleConnections()
	return nil
}

// Stats counts deliveries and tries.
type Stats struct {
	Taken   int64 // deliveries
	Failed  int64 // tries
	GivenUp int64 // deliveries that the receiver did not want
}

// Stats counts since New.
func (h *Hook) Stats() Stats {
	return Stats{Taken: h.taken.Load(), Failed: h.failed.Load(), GivenUp: h.givenUp.Load()}
}

// Ended posts an end and tries again as Options say; see
// stateservice.EndHook. Its error wraps ErrNotTaken, or is ctx's. It is nil also
// for an end that was given up.
func (h *Hook) Ended(ctx context.Context, e stateservice.End) error {
	ev := event(e)
	body, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("onend: building the message: %w", err)
	}
	refusals, pause := 0, h.opt.Backoff
	for try := 1; ; try++ {
		status, err := h.post(ctx, ev.Delivery, body)
		if err == nil && status/100 == 2 {
			h.taken.Add(1)
			return nil
		}
		h.failed.Add(1)
		if err == nil {
			err = fmt.Errorf("status %d", status)
		}
		if status/100 == 3 || status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests {
			if refusals++; refusals >= min(h.opt.Refusals, h.opt.Tries) {
				h.givenUp.Add(1)
				h.opt.Logger.Error("onend: end given up: the receiver refuses it", "host", h.host, "delivery", ev.Delivery, "status", status, "tries", try)
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("onend: stopped while %s did not take it: %w", h.host, context.Cause(ctx))
		}
		if try >= h.opt.Tries {
			return fmt.Errorf("%w: %s after %d tries: %w", ErrNotTaken, h.host, try, err)
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("onend: stopped while %s did not take it: %w", h.host, context.Cause(ctx))
		}
		pause = min(2*pause, h.opt.MaxBackoff)
	}
}

// post tries once.
func (h *Hook) post(ctx context.Context, id string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	stamp := strconv.FormatInt(h.opt.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(DeliveryHeader, id)
	req.Header.Set(TimestampHeader, stamp)
	req.Header.Set(SignatureHeader, scheme+"="+hex.EncodeToString(sign(h.key, body, stamp)))
	res, err := h.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL
		}
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 4096) // so that the connection can be used again
	return res.StatusCode, nil
}
