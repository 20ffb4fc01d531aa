package request

import (
	"fmt"
	"math"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/turns"
)

// locals are the sites whose sessions are in this process or in the cookie.
var locals = []func() (*site, error){oursInproc, scsMemory, gorillaCookie, oursInGin, ginMemory, ginCookie}

// inProcess measures them and the bare handlers.
func inProcess(e *env.Env, by effort) (figures, error) {
	e.Say("request: in one process")
	sites := []*site{bareSite(), ginBare()}
	defer func() {
		for _, s := range sites {
			s.end()
		}
	}()
	for _, open := range locals {
		s, err := open()
		if err != nil {
			return nil, err
		}
		sites = append(sites, s)
	}

	var all figures
	var sides []func()
	var failed error
	for _, s := range sites {
		for _, p := range s.pages {
			v, err := s.visitor(p)
			if err != nil {
				return nil, err
			}
			defer v.leave()
			visit := func() {
				if err := v.visit(); err != nil && failed == nil {
					failed = fmt.Errorf("%s: %w", s.label(p), err)
				}
			}
			f := figure{site: s, page: p, stored: math.NaN()}
			if s.stored != nil && !p.stranger {
				f.stored = float64(s.stored(v))
			}
			f.allocs, f.bytes = memory(visit)
			all, sides = append(all, f), append(sides, visit)
		}
	}
	for i, ns := range turns.Time(by.turns, sides...) {
		all[i].ns = ns
	}
	if failed != nil {
		return nil, failed
	}
	all.subtract()
	for _, f := range all {
		e.Say("request: %-52s %9.0f ns %6.1f allocations", f.site.label(f.page), f.ns, f.allocs)
	}
	return all, nil
}

// memory is what one request allocates. A share of an allocation is the runtime's.
func memory(visit func()) (allocs, bytes float64) {
	allocs, bytes = turns.Memory(visit)
	return math.Round(allocs), math.Round(bytes)
}
