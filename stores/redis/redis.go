package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/payload"
)

// Options of a Store. App is needed.
type Options struct {
	// App is the provider's applicationName, case and all: the first part of every
	// key. Where web.config has none it is the application's virtual path, "/" at
	// the root of a site. Two applications share sessions when App, database and
	// cookie agree; a wrong one shares nothing, without an error.
	App string
	// Layout is the provider's generation. Default LayoutC, 5.x. A wrong one
	// shares nothing, without an error: see Store.Detect.
	Layout Layout
	// Serializer is the counterpart of web.config's redisSerializerType, for
	// layout B. Default none: BinaryFormatter.
	Serializer Serializer
	// Redis says where the server is and how to log in. Its fields for modes
	// (IsClusterMode) are not needed: the topology is asked for. ReadOnly and the
	// Route fields do not apply: every script writes. Default 127.0.0.1:6379.
	Redis goredis.UniversalOptions
	// Client is used in place of Redis where it is set, and stays open. It should
	// have ContextTimeoutEnabled, or a call may take longer than its context.
	Client goredis.UniversalClient
	// Timeout is that of sessions of which the stored timeout is missing, as
	// web.config's timeout is in ASP.NET. Default 20 minutes.
	Timeout time.Duration
	// ExecutionTimeout is the pages' httpRuntime executionTimeout: how long they
	// let a lock live, from which a lock's age is known. Default 110 s. Too short
	// a value makes Go break locks of pages that are still at work.
	ExecutionTimeout time.Duration
	// PollInterval is the longest time between two looks at a lock that a page
	// holds. Default 50 ms: pages look every 500 ms.
	PollInterval time.Duration
	// NoWakeup does without publishing and subscribing: waiters poll. Default
	// false; a user without channel rights comes to the same, after one log line.
	NoWakeup bool
	// ReadFallback lets Get look for a session in the other layouts where its own
	// has none, for the days in which a site changes providers. Only reading: a
	// handler that writes starts a new session in Layout. Default false.
	ReadFallback bool
	// DropStaticObjects lets a session lose its static objects, which Redis
	// cannot hold, when it is saved. Default false: refused.
	DropStaticObjects bool
	// Limits bound each session. Defaults as in package payload.
	Limits payload.Limits
	// Logger gets the warnings of the start and the fallback to polling. Default
	// slog.Default().
	Logger *slog.Logger
}

// A Store is a session.Store on Redis; it is also a session.Waiter,
// Checkpointer, Renewer and Lister. Make it with Open.
type Store struct {
	opt     Options
	layout  Layout
	client  goredis.UniversalClient
	cluster bool
	minutes int32 // Options.Timeout
	scripts *scripts
	// What the flag holds in layouts A and B: of an uninitialized session, and of
	// one without items.
	flagInit, flagNone []byte
	hub                *hub
	mute               atomic.Bool // nothing is published or subscribed to
	own                io.Closer   // the client, if it is ours to close
	once               sync.Once   // closes it
	now                func() time.Time
}

// Open connects, finds out what the server is, and checks that it can keep
// sessions. A server that cannot be reached is session.ErrUnavailable; one that
// can never do is ErrNoScripting, ErrReadOnlyReplica or ErrCrossSlot besides. An
// eviction policy that may drop sessions is a logged warning.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	s := &Store{opt: opt, layout: opt.Layout, client: opt.Client, now: time.Now}
	s.minutes = int32((opt.Timeout + time.Minute - 1) / time.Minute)
	s.mute.Store(opt.NoWakeup)
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if s.client == nil {
		client, err := connect(ctx, opt.Redis)
		if err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
		s.client, s.own = client, client
	}
	s.hub = newHub(s.client, s.silence)
	if err := s.probe(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("redis: %w", err), s.Close())
	}
	return s, nil
}

func (opt *Options) check() error {
	switch {
	case opt.App == "":
		return errors.New(`redis: Options.App is needed: web.config's applicationName, or the application's virtual path, such as "/"`)
	case opt.Layout > LayoutA:
		return fmt.Errorf("redis: there is no %s", opt.Layout)
	case opt.Serializer != nil && opt.Layout != LayoutB:
		return fmt.Errorf("redis: only providers 2.2.2 to 4.0.1, layout B, have custom serializers, not layout %s", opt.Layout)
	case opt.Timeout < 0 || opt.Timeout > maxMinutes*time.Minute:
		return fmt.Errorf("redis: Options.Timeout %v is outside 1 to %d minutes", opt.Timeout, maxMinutes)
	}
	if opt.Timeout == 0 {
		opt.Timeout = 20 * time.Minute
	}
	if opt.ExecutionTimeout <= 0 {
		opt.ExecutionTimeout = 110 * time.Second
	}
	if opt.PollInterval <= 0 {
		opt.PollInterval = 50 * time.Millisecond
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if strings.ContainsRune(opt.App, '}') && opt.Layout != LayoutA {
		opt.Logger.Warn("redis: the application name holds a }: on a cluster its sessions would share one slot, or none", "layout", opt.Layout.String())
	}
	return nil
}

// prepare makes the scripts: with a custom serializer they hold what it writes.
func (s *Store) prepare() error {
	s.scripts, s.flagInit, s.flagNone = blobScripts, flagInit, flagNone
	if s.opt.Serializer == nil {
		if s.layout.hash() {
			s.scripts = hashScripts
		}
		return nil
	}
	for _, text := range []struct {
		text string
		to   *[]byte
	}{{"InitializeItem", &s.flagInit}, {"None", &s.flagNone}} {
		it := payload.NewItems(payload.Limits{})
		err := it.Set(flagName, text.text)
		if err == nil {
			item, _ := it.Item(flagName)
			*text.to, err = s.opt.Serializer.Encode(item)
		}
		if err != nil {
			return fmt.Errorf("redis: Options.Serializer cannot write a string: %w", err)
		}
	}
	s.scripts = newHashScripts(s.flagNone)
	return nil
}

// Close ends the subscriptions, and the connections unless they are
// Options.Client's. Calls under way fail.
func (s *Store) Close() error {
	s.hub.close()
	var err error
	s.once.Do(func() {
		if s.own != nil {
			err = s.own.Close()
		}
	})
	return err
}

// HashedKey is how errors and logs name a session's data key.
func (s *Store) HashedKey(id string) string { return hashKey(s.layout.keys(s.opt.App, id)[1]) }
