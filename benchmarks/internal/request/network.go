package request

import (
	"errors"
	"fmt"
	"math"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
)

const (
	// manyConns is how many visitors come at once.
	manyConns = 16
	// echoSize is about that of the session, in bytes.
	echoSize = 512
)

// A remote is a site whose sessions are in another process.
type remote struct {
	addr string
	open func(addr string, dial dialer) (*site, error)
}

func onRedis(addr string) []remote {
	return []remote{{addr, oursRedis}, {addr, scsRedis}, {addr, gorillaRedis}, {addr, ginRedis}}
}

// overSockets measures the sites whose sessions are in another process, and the
// round trip that each of them needs at least; their bare handlers are in memory.
func overSockets(e *env.Env, by effort, memory figures) (all figures, echo figure, err error) {
	service, err := peers.Service()
	if err != nil {
		return nil, echo, err
	}
	defer service.Stop()
	echoes, err := peers.Echo()
	if err != nil {
		return nil, echo, err
	}
	defer echoes.Stop()
	remotes := []remote{{service.Addr, oursService}}
	switch redis, err := peers.Redis(); {
	case errors.Is(err, peers.ErrMissing):
		e.LeaveOut("requests over Redis: %v", err)
	case err != nil:
		return nil, echo, err
	default:
		defer redis.Stop()
		e.Version("redis", peers.Version("redis-server"))
		remotes = append(remotes, onRedis(redis.Addr)...)
	}

	var sides []side
	for _, r := range remotes {
		counts, err := count(r)
		if err != nil {
			return nil, echo, err
		}
		s, err := r.open(r.addr, nil)
		if err != nil {
			return nil, echo, err
		}
		defer s.end()
		for i, p := range s.pages {
			f := figure{site: s, page: p, wire: counts[i].wire, trips: counts[i].trips, stored: math.NaN()}
			if f.allocs, f.bytes, err = memoryOf(s, p); err != nil {
				return nil, echo, err
			}
			all = append(all, f)
			sides = append(sides, side{s.label(p), func() (func() error, func(), error) {
				v, err := s.visitor(p)
				if err != nil {
					return nil, nil, err
				}
				return v.visit, v.leave, nil
			}})
		}
	}
	sides = append(sides, side{echoName, func() (func() error, func(), error) { return echoVisitor(echoes.Addr) }})
	one, err := by.run(e, 1, sides)
	if err != nil {
		return nil, echo, err
	}
	many, err := by.run(e, manyConns, sides)
	if err != nil {
		return nil, echo, err
	}
	take := func(f *figure, i int) {
		f.ns, f.p99 = 1e9/one[i].perSecond, one[i].p99
		f.perSecond, f.manyP99 = many[i].perSecond, many[i].p99
	}
	for i := range all {
		take(&all[i], i)
		e.Say("request: %-52s %9.0f ns %8.0f/s by %d, %5.1f allocations, %.2f round trips", sides[i].name, all[i].ns, all[i].perSecond, manyConns, all[i].allocs, all[i].trips)
	}
	take(&echo, len(all))
	above(all, memory)
	return all, echo, nil
}

// above counts costs above the bare handlers, which were measured in memory.
func above(all, memory figures) {
	for i, f := range all {
		bare, _ := memory.of(f.site.router, unused)
		all[i].above = f.ns - bare.ns
		all[i].allocs -= bare.allocs
		all[i].bytes -= bare.bytes
	}
}

// A counted page's requests have that much traffic each.
type counted struct{ wire, trips float64 }

// count asks for each page of a site over connections that count, which serve
// nothing else.
func count(r remote) ([]counted, error) {
	const warm, requests = 20, 200
	var t traffic
	s, err := r.open(r.addr, t.dial)
	if err != nil {
		return nil, err
	}
	defer s.end()
	var all []counted
	for _, p := range s.pages {
		v, err := s.visitor(p)
		if err != nil {
			return nil, err
		}
		defer v.leave()
		var bytes, trips int64
		for i := range warm + requests {
			if i == warm {
				bytes, trips = t.bytes.Load(), t.trips.Load()
			}
			if err := v.visit(); err != nil {
				return nil, fmt.Errorf("%s: %w", s.label(p), err)
			}
		}
		all = append(all, counted{float64(t.bytes.Load()-bytes) / requests, float64(t.trips.Load()-trips) / requests})
	}
	return all, nil
}

// memoryOf is what a request allocates.
func memoryOf(s *site, p page) (allocs, bytes float64, err error) {
	v, err := s.visitor(p)
	if err != nil {
		return 0, 0, err
	}
	defer v.leave()
	allocs, bytes = memory(func() {
		if e := v.visit(); e != nil && err == nil {
			err = fmt.Errorf("%s: %w", s.label(p), e)
		}
	})
	return allocs, bytes, err
}
