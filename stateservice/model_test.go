package stateservice_test

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The sequential rules of one item, for TestLinearizable: written again, from
// the protocol, and as plain as can be.

type input struct {
	verb   string
	key    int // -1: the clock
	id     int // of the operation, and the content of a Set
	cookie int32
	ours   bool
	by     int // minutes that the clock is moved
}

type output struct {
	status int // 0: nobody was there for the answer
	cookie int32
	fresh  bool
	body   string
}

const modelTimeout = 5 // minutes, of all items

func (in input) raw(prefix string) string {
	key := strings.ReplaceAll(prefix, " ", "") + "/" + strconv.Itoa(in.key)
	var headers []string
	if in.ours {
		headers = append(headers, self)
	}
	if in.cookie > 0 {
		headers = append(headers, lockCookie(int(in.cookie)))
	}
	switch in.verb {
	case "get":
		return request("GET", key, headers...)
	case "acquire":
		return request("GET", key, append(headers, "Exclusive: acquire")...)
	case "release":
		return request("GET", key, append(headers, "Exclusive: release", lockCookie(int(in.cookie)))...)
	case "set":
		return save(key, strconv.Itoa(in.id), append(headers, "Timeout: 5")...)
	case "create":
		return save(key, "new", append(headers, "Timeout: 5", "ExtraFlags: 1")...)
	case "remove":
		return request("DELETE", key, headers...)
	}
	return request("HEAD", key, headers...)
}

// A kept is the state of one key.
type kept struct {
	now     int
	there   bool
	body    string
	fresh   bool
	locked  bool
	holder  int // the operation that took the lock
	cookie  int32
	expires int

	grave             int32 // the cookie of the one before; 0: none
	graveMin, graveAt int   // it is remembered until some time between the two
}

type step struct {
	out output
	s   kept
}

// apply has every outcome of an operation.
func (s kept) apply(in input, parking bool) []step {
	if in.verb == "clock" {
		s.now += in.by
		return []step{{output{status: 200}, s}}
	}
	if in.verb == "arrive" {
		if s.there && s.now < s.expires {
			s.expires = s.now + modelTimeout
		}
		return []step{{output{}, s}}
	}
	if in.verb == "take back" {
		if free := s; s.there && s.locked && s.holder == in.id {
			free.locked = false
			return []step{{output{}, free}}
		}
		return nil
	}
	if s.there && s.now >= s.expires {
		// Somebody saw it gone at some time since.
		s = s.gone(s.expires+10, s.now+10)
	}
	if !s.there {
		return s.missing(in)
	}
	early := s // of a request that renewed the item when it came: see perKey
	s.expires = s.now + modelTimeout
	was := s
	answer := func(status int, s kept) []step { return []step{{output{status: status}, s}} }
	locked := []step{{output{status: 423, cookie: s.cookie}, s}}
	mine := s.locked && in.cookie == s.cookie
	switch in.verb {
	case "touch":
		return answer(200, s)
	case "create":
		return answer(200, s)
	case "get", "acquire":
		told := s.fresh
		s.fresh = false
		refused := []step{{output{status: 423, cookie: s.cookie, fresh: told}, s}}
		if parking && !told {
			refused = append(refused, step{refused[0].out, early})
		}
		if s.locked {
			return refused
		}
		ok := step{output{status: 200, fresh: told, body: s.body}, s}
		if in.verb == "get" {
			return []step{ok}
		}
		ok.s.cookie++
		ok.s.locked, ok.s.holder = true, in.id
		ok.out.cookie = ok.s.cookie
		if parking { // it may be kept for who waits
			return append(refused, ok)
		}
		return []step{ok}
	case "release":
		told := s.fresh
		s.fresh = false
		if s.locked && !mine {
			return []step{{output{status: 423, cookie: s.cookie, fresh: told}, s}}
		}
		s.locked = false
		return []step{{output{status: 200, fresh: told}, s}}
	case "set":
		if s.locked && !mine || in.cookie > 0 && in.cookie != s.cookie || in.ours && in.cookie > 0 && !s.locked {
			return locked
		}
		if in.ours && in.cookie == 0 {
			return answer(409, was)
		}
		s.body, s.locked = strconv.Itoa(in.id), false
		return answer(200, s)
	case "remove":
		if s.locked && !mine || in.ours && in.cookie > 0 && !s.locked {
			return locked
		}
		return answer(200, s.gone(s.now+10, s.now+10))
	}
	panic(in.verb)
}

func (s kept) gone(earliest, latest int) kept {
	n := kept{now: s.now}
	if s.cookie > 1 {
		n.grave, n.graveMin, n.graveAt = s.cookie, earliest, latest
	}
	return n
}

// missing is apply where there is no item.
func (s kept) missing(in input) (all []step) {
	if in.verb != "create" && (in.verb != "set" || in.ours && in.cookie > 0) {
		return []step{{output{status: 404}, s}}
	}
	n := kept{now: s.now, there: true, body: strconv.Itoa(in.id), expires: s.now + modelTimeout, cookie: 1}
	if in.verb == "create" {
		n.body, n.fresh = "new", true
	}
	if s.grave > 0 && s.now < s.graveAt {
		after := n
		after.cookie = s.grave + 1
		all = append(all, step{output{status: 200}, after})
	}
	if s.grave == 0 || s.now >= s.graveMin {
		all = append(all, step{output{status: 200}, n})
	}
	return all
}

func model(parking bool) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{kept{}} },
		Step: func(state, in, out any) (next []any) {
			s, want := state.(kept), out.(output)
			if want.status == 0 {
				next = append(next, s) // it never happened
			}
			for _, st := range s.apply(in.(input), parking) {
				if want.status == 0 || st.out == want {
					next = append(next, st.s)
				}
			}
			return next
		},
	}
	return m.ToModel()
}

func describe(ops []porcupine.Operation) string {
	sort.Slice(ops, func(i, j int) bool { return ops[i].Call < ops[j].Call })
	var b strings.Builder
	for _, op := range ops {
		fmt.Fprintf(&b, "%3d %8d-%-8d %+v -> %+v\n", op.ClientId, op.Call/1000, min(op.Return, 1e12)/1000, op.Input, op.Output)
	}
	return b.String()
}
