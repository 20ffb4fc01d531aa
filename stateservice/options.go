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
	// ParkTimeout is how long a request that meets a lock waits for its release
	// before it is answered 423. Default 250 ms, which with a poll interval of
	// 500 ms has ASP.NET's pages wait half of the time; negative: not at all.
	// (Where a command line says 0 for that, it is to be passed on as -1.)
	ParkTimeout time.Duration
	// ParkPerSession and ParkMax bound the requests that are parked for one item
	// and in all; one more is answered 423 at once. Default 50, as many as
	// ASP.NET queues, and 10,000.
	ParkPerSession, ParkMax int
	// Journal keeps the items where they outlive the server: see Open. Default
	// none, as aspnet_state.exe.
	Journal Journal
	// OnEnd hears of items that expire or are removed. Default nobody. EndQueue
	// bounds the ends that wait for it, each with its content. Default 10,000.
	// EndWorkers is how many it is given at a time. Default 4.
	OnEnd                EndHook
	EndQueue, EndWorkers int
	// LaxSaves, ForgetCookies and BareStatusLine behave as aspnet_state.exe
	// does: see the package's comment for what each one costs. Default false.
	LaxSaves, ForgetCookies, BareStatusLine bool
	// Logger gets refusals and failures. Default slog.Default.
	Logger *slog.Logger
	// Now is the clock of items, for tests; connections and parking have real
	// time. Default time.Now.
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
	if o.ParkTimeout == 0 {
		o.ParkTimeout = 250 * time.Millisecond
	}
	if o.ParkPerSession <= 0 {
		o.ParkPerSession = 50
	}
	if o.ParkMax <= 0 {
		o.ParkMax = 10_000
	}
	if o.EndQueue <= 0 {
		o.EndQueue = 10_000
	}
	if o.EndWorkers <= 0 {
		o.EndWorkers = 4
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
