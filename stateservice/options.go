package stateservice

import (
	"log/slog"
	"time"

	"github.com/aspsession/aspsession/msasp"
)

// Options of a Server. The zero value is useful.
type Options struct {
	// MaxConns bounds open connections; one more is closed at once. Default
	// 20,000, some 8 KiB each.
	MaxConns int
	// MaxItems and MaxBytes bound the items and the sum of their contents.
	// Default none. Over them a Set of more is refused, and nothing that is
	// stored is lost.
	MaxItems int
	MaxBytes int64
	// MaxBody is the largest content in bytes. Default 32 MiB.
	MaxBody int
	// IdleTimeout closes connections that ask for nothing. Default 2 minutes;
	// ASP.NET's client closes its own after 10 s.
	IdleTimeout time.Duration
	// RequestTimeout is how long a started request may take to arrive, and its
	// reply to be taken; large bodies get a second more per 64 KiB. Default 30 s.
	RequestTimeout time.Duration
	// SweepInterval is how often expired items are taken out; until then they
	// are not found, and take memory. Default 20 s. Negative: never, for who
	// calls Sweep himself.
	SweepInterval time.Duration
	// LaxSaves, ForgetCookies and BareStatusLine behave as aspnet_state.exe
	// does: see the package's comment for what each one costs. Default false.
	LaxSaves, ForgetCookies, BareStatusLine bool
	// Logger gets refusals and failures. Default slog.Default.
	Logger *slog.Logger
	// Now is the clock, for tests. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxConns <= 0 {
		o.MaxConns = 20_000
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 32 << 20
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 2 * time.Minute
	}
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = 30 * time.Second
	}
	if o.SweepInterval == 0 {
		o.SweepInterval = 20 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// lineLimits are those of every connection.
var lineLimits = msasp.Limits{}
