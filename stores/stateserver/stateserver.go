// Package stateserver keeps sessions in an ASP.NET state service, the one that
// the site's pages use in mode StateServer: aspnet_state.exe, or package
// stateservice and `aspstate serve`.
//
//	store, err := stateserver.New(stateserver.Options{
//		Addr:  "10.0.0.5:42424",
//		AppID: "/LM/W3SVC/1/ROOT",
//	})
//
// Two applications share sessions when cookie and application id agree. The id
// is IIS's own for the ASP.NET application, case and all.
//
// # What it promises
//
// How much a stale writer is told depends on the server:
//
//	                                          ours     aspnet_state.exe
//	save after another took the lock          told     told while he holds it; after
//	                                                   that only if it comes later than
//	                                                   the execution timeout: see below
//	save after the lock was broken            told     as above
//	save after the session ended              told     as above
//	new session over one that appeared        told     not told
//
// Options.Strict says that the server is ours, makes the promises of the first
// column, and refuses any other server.
//
// Against other servers a save looks first (a plain GET) where its lock was held
// for longer than its lease, which is when waiters break locks: answered 423 with
// our cookie it is still ours, anything else is session.ErrLockLost.
//
// # Waiting
//
// Our server lets a request that meets a lock wait for its release, and keeps
// its place when it refuses it after a while: session.LockedError.Waited then
// says to ask again at once. aspnet_state.exe refuses at once.
//
// # Connections
//
// They are pooled and kept alive, as ASP.NET's client keeps them. A pooled one
// that turns out dead before a request was sent on it is replaced. One that dies
// later is replaced once for requests that may be repeated; a Set, a Remove or
// an acquire may have happened, and is session.ErrUnavailable.
//
// # Security
//
// The protocol has neither encryption nor authentication: private networks only.
// Errors name the server's address and never an id.
package stateserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// ErrRefused: the server answered 400. It would not take the session for its
// size or a limit of its own, or it is no state service.
var ErrRefused = errors.New("stateserver: refused by the server")

// ErrNotOurs: Options.Strict, and the server is another's.
var ErrNotOurs = errors.New("stateserver: the server is not this project's, but Options.Strict says so")

// Options of a Store. Exactly one of AppID and Base is needed.
type Options struct {
	// Addr is the server, host:port. Default "127.0.0.1:42424". See
	// ParseConnectionString for web.config's form.
	Addr string
	// AppID is the application id whose hash ASP.NET 4.5 to 4.8 uses.
	AppID string
	// Base is the whole part of a key in front of the session id, for sites whose
	// base is none of what msasp.Base and msasp.KeyedBase make.
	Base string
	// Validation and ValidationKey, with AppID, make the base of older ASP.NET:
	// see msasp.KeyedBase. Default: not used.
	Validation    msasp.Validation
	ValidationKey []byte
	// Compress is sessionState's compressionEnabled. Nothing in the bytes tells:
	// a value other than ASP.NET's makes every session unreadable for one side.
	Compress bool
	// Strict says that the server is this project's: see the package's comment.
	Strict bool
	// Plain sends nothing that ASP.NET's client would not send, for servers that
	// mind a header they do not know. It does without Strict's promises.
	Plain bool
	// NetworkTimeout bounds connecting and each request, beside the context's
	// deadline. Default 10 s, as stateNetworkTimeout.
	NetworkTimeout time.Duration
	// MaxIdle is how many connections are kept. Default 64. IdleTimeout is for
	// how long. Default 10 s, as in ASP.NET's client.
	MaxIdle     int
	IdleTimeout time.Duration
	// Limits bound each session. Defaults as in package payload.
	Limits payload.Limits
	// Dial connects. Default a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Store is a session.Store on a state service. Make it with New.
type Store struct {
	opt  Options
	base string
	pool pool
	held held
	// queues: the server hands locks over itself, as far as its replies tell.
	// learned: one has told.
	queues, learned atomic.Bool
}

// New checks the options. It does not connect.
func New(opt Options) (*Store, error) {
	s := &Store{base: opt.Base}
	if opt.Addr == "" {
		opt.Addr = fmt.Sprintf("127.0.0.1:%d", msasp.Port)
	}
	if _, _, err := net.SplitHostPort(opt.Addr); err != nil {
		return nil, fmt.Errorf("stateserver: address %q: %w", opt.Addr, err)
	}
	switch {
	case (opt.AppID == "") == (opt.Base == ""):
		return nil, errors.New(`stateserver: give either AppID, such as "/LM/W3SVC/1/ROOT", or Base`)
	case opt.Base != "" && len(opt.ValidationKey) > 0, (opt.Validation == "") != (len(opt.ValidationKey) == 0):
		return nil, errors.New("stateserver: Validation and ValidationKey go together, and with AppID")
	case opt.Validation != "":
		base, err := msasp.KeyedBase(opt.AppID, opt.Validation, opt.ValidationKey)
		if err != nil {
			return nil, fmt.Errorf("stateserver: %w", err)
		}
		s.base = base
	case opt.AppID != "":
		s.base = msasp.Base(opt.AppID)
	}
	if opt.Strict && opt.Plain {
		return nil, errors.New("stateserver: Strict needs the header that Plain leaves out")
	}
	if opt.NetworkTimeout <= 0 {
		opt.NetworkTimeout = 10 * time.Second
	}
	if opt.MaxIdle <= 0 {
		opt.MaxIdle = 64
	}
	if opt.IdleTimeout <= 0 {
		opt.IdleTimeout = 10 * time.Second
	}
	if opt.Dial == nil {
		opt.Dial = new(net.Dialer).DialContext
	}
	s.opt = opt
	s.held.locks = make(map[heldKey]time.Time)
	return s, nil
}

// ParseConnectionString returns the address in a stateConnectionString:
// "tcpip=" and host:port or [IPv6]:port, the port mandatory, as ASP.NET demands.
func ParseConnectionString(s string) (addr string, err error) {
	fail := func(why string) (string, error) {
		return "", fmt.Errorf(`stateserver: stateConnectionString %q: %s; it looks like "tcpip=10.0.0.5:42424"`, s, why)
	}
	addr, ok := strings.CutPrefix(s, "tcpip=")
	if !ok {
		return fail(`it does not start with "tcpip="`)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fail("no host and port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fail("the port is not a number from 1 to 65535")
	}
	for _, c := range host {
		if c >= 0x80 || c <= ' ' {
			return fail("the host is not plain ASCII")
		}
	}
	switch {
	case host == "":
		return fail("the host is missing")
	case strings.HasPrefix(addr, "[") && net.ParseIP(host) == nil:
		return fail("what is in brackets is no IPv6 address")
	case strings.EqualFold(host, "loopback"): // ASP.NET's own default
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// Close closes the idle connections. Requests under way end as they would.
func (s *Store) Close() error {
	s.pool.close()
	return nil
}

// Capabilities implements session.Store. QueuesWaiters is known once the server
// has answered as ours does.
func (s *Store) Capabilities() session.Capabilities {
	return session.Capabilities{
		ExactExpiry: true, StaleSave: s.opt.Strict, NewConflict: s.opt.Strict,
		EmptySessions: true, NullItems: true, StaticObjects: true,
		QueuesWaiters: s.queues.Load(),
	}
}

// Get implements session.Store.
func (s *Store) Get(ctx context.Context, id string) (session.Record, error) {
	return s.read(ctx, id, msasp.ExclusiveNone, 0)
}

// Acquire implements session.Store. Locks do not expire on a state service; the
// lease only says from when on a save looks first.
func (s *Store) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	return s.read(ctx, id, msasp.ExclusiveAcquire, lease)
}

func (s *Store) read(ctx context.Context, id string, exclusive msasp.Exclusive, lease time.Duration) (session.Record, error) {
	req := msasp.Request{Verb: msasp.GET, Exclusive: exclusive}
	rep, content, err := s.call(ctx, &req, id, nil)
	s.learn(rep)
	if err != nil {
		if exclusive == msasp.ExclusiveAcquire && rep.Status == msasp.StatusOK && rep.LockCookie.Value > 0 {
			s.giveBack(ctx, id, session.NumberLock(int64(rep.LockCookie.Value))) // the head came, and was the lock's
		}
		return session.Record{}, err
	}
	if err := s.status(rep, session.ErrNotFound); err != nil {
		return session.Record{}, err
	}
	var rec session.Record
	if exclusive == msasp.ExclusiveAcquire {
		rec.Lock = session.NumberLock(int64(rep.LockCookie.Value))
		if !rep.Ours {
			s.held.add(id, rec.Lock, lease)
		}
	}
	if len(content) == 0 {
		err = session.ErrNotFound // ASP.NET's client takes it so
	} else if s.opt.Compress {
		rec.Payload, err = payload.OpenDeflate(content, s.opt.Limits)
	} else {
		rec.Payload, err = payload.Open(content, s.opt.Limits)
	}
	if err != nil {
		if exclusive == msasp.ExclusiveAcquire {
			s.giveBack(ctx, id, rec.Lock)
		}
		if err == session.ErrNotFound {
			return session.Record{}, err
		}
		return session.Record{}, fmt.Errorf("%w: state server %s: %w%s", session.ErrBadData, s.opt.Addr, err, s.hint(content))
	}
	rec.Uninitialized = rep.ActionFlags.Value&1 != 0
	return rec, nil
}

// giveBack releases a lock that nobody will use, though ctx may be over. Where
// that fails its age will break it.
func (s *Store) giveBack(ctx context.Context, id string, lock session.Lock) {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.NetworkTimeout)
	defer cancel()
	_ = s.Release(call, id, lock)
}

// hint names the likeliest reason for a session that cannot be read.
func (s *Store) hint(content []byte) string {
	other := payload.OpenDeflate
	if s.opt.Compress {
		other = payload.Open
	}
	if _, err := other(content, s.opt.Limits); err != nil {
		return ""
	}
	return fmt.Sprintf(" (with Compress %v it can be read: it must be as compressionEnabled in web.config)", !s.opt.Compress)
}

// status turns a reply into an error; missing is what a 404 means.
func (s *Store) status(rep msasp.Reply, missing error) error {
	switch rep.Status {
	case msasp.StatusOK:
		return nil
	case msasp.StatusNotFound:
		return missing
	case msasp.StatusConflict:
		return session.ErrExists
	case msasp.StatusLocked:
		age := time.Duration(max(rep.LockAge.Value, 0)) * time.Second
		if age > 365*24*time.Hour {
			age = 0 // ASP.NET's client: what is that old is senseless
		}
		return &session.LockedError{Holder: session.NumberLock(int64(rep.LockCookie.Value)), Age: age, Waited: hasWaited(rep)}
	case msasp.StatusBadRequest:
		return fmt.Errorf("%w: %s answered 400", ErrRefused, s.opt.Addr)
	}
	return fmt.Errorf("%w: state server %s answered with status %d", session.ErrUnavailable, s.opt.Addr, rep.Status)
}

// learn notes whether the server queues waiters: ours does, unless a 423 says
// that it let nobody wait.
func (s *Store) learn(rep msasp.Reply) {
	switch {
	case rep.Status == msasp.StatusLocked && s.queues.Load() != hasWaited(rep):
		s.queues.Store(hasWaited(rep))
	case !s.learned.Load() && rep.Status != 0:
		s.learned.Store(true)
		s.queues.Store(rep.Ours)
	}
}

// hasWaited reports a 423 of our server that came after parking: the bit of
// ActionFlags that ASP.NET's server has no use for.
func hasWaited(rep msasp.Reply) bool {
	return rep.Ours && rep.Status == msasp.StatusLocked && rep.ActionFlags.Value&2 != 0
}

// Create implements session.Store.
func (s *Store) Create(ctx context.Context, id string, timeout time.Duration) error {
	p := payload.New(int32((timeout+time.Minute-1)/time.Minute), s.opt.Limits)
	return s.put(ctx, id, p, session.Lock{}, 1)
}

// Save implements session.Store.
func (s *Store) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	if s.held.take(id, lock) {
		if err := s.stillOurs(ctx, id, lock); err != nil {
			return err
		}
	}
	err := s.put(ctx, id, p, lock, 0)
	if errors.Is(err, session.ErrLocked) {
		if lock.IsZero() {
			return session.ErrExists
		}
		return session.ErrLockLost
	}
	return err
}

func (s *Store) put(ctx context.Context, id string, p *payload.Payload, lock session.Lock, flags int32) error {
	if err := s.opt.Limits.Allow(p); err != nil {
		return fmt.Errorf("%w: %w", session.ErrUnsupported, err)
	}
	scratch := bodies.Get().(*[]byte)
	defer bodies.Put(scratch)
	body, err := (*scratch)[:0], error(nil)
	if s.opt.Compress {
		body, err = p.AppendDeflate(body)
	} else {
		body, err = p.Append(body)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", session.ErrUnsupported, err)
	}
	if cap(body) <= 1<<20 {
		*scratch = body
	}
	req := msasp.Request{
		Verb: msasp.PUT, Length: len(body), ExtraFlags: msasp.Int32(flags), LockCookie: msasp.Int32(int32(lock.Number())),
		// A frame can hold any int32; the header cannot.
		Timeout: msasp.Int32(min(max(p.Timeout(), 1), 525_600)),
	}
	rep, _, err := s.call(ctx, &req, id, body)
	if err != nil {
		return err
	}
	return s.status(rep, session.ErrGone)
}

var bodies = sync.Pool{New: func() any { return new([]byte) }}

// stillOurs looks whether a lock that was held for long is still held.
func (s *Store) stillOurs(ctx context.Context, id string, lock session.Lock) error {
	rep, _, err := s.call(ctx, &msasp.Request{Verb: msasp.GET}, id, nil)
	if err != nil {
		return err
	}
	switch {
	case rep.Status == msasp.StatusLocked && int64(rep.LockCookie.Value) == lock.Number():
		return nil
	case rep.Status == msasp.StatusNotFound:
		return session.ErrGone
	}
	return session.ErrLockLost
}

// Release implements session.Store.
func (s *Store) Release(ctx context.Context, id string, lock session.Lock) error {
	s.held.drop(id, lock)
	req := msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveRelease, LockCookie: msasp.Int32(int32(lock.Number()))}
	rep, _, err := s.call(ctx, &req, id, nil)
	if err != nil {
		return err
	}
	if err = s.status(rep, session.ErrGone); errors.Is(err, session.ErrLocked) {
		return session.ErrLockLost
	}
	return err
}

// Remove implements session.Store.
func (s *Store) Remove(ctx context.Context, id string, lock session.Lock) error {
	if s.held.take(id, lock) {
		if err := s.stillOurs(ctx, id, lock); errors.Is(err, session.ErrGone) {
			return session.ErrNotFound
		} else if err != nil {
			return err
		}
	}
	req := msasp.Request{Verb: msasp.DELETE, LockCookie: msasp.Int32(int32(lock.Number()))}
	rep, _, err := s.call(ctx, &req, id, nil)
	if err != nil {
		return err
	}
	if err = s.status(rep, session.ErrNotFound); errors.Is(err, session.ErrLocked) && !lock.IsZero() {
		return session.ErrLockLost
	}
	return err
}

// Touch implements session.Store.
func (s *Store) Touch(ctx context.Context, id string) error {
	rep, _, err := s.call(ctx, &msasp.Request{Verb: msasp.HEAD}, id, nil)
	if err != nil {
		return err
	}
	return s.status(rep, session.ErrNotFound)
}
