package stateservice_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// Histories of concurrent requests over sockets, some of which are cut, are
// checked for linearizability against the sequential rules in model_test.go.

const histories = 200

func TestLinearizable(t *testing.T) {
	for _, tt := range []struct {
		name string
		park time.Duration
	}{{"parking", 3 * time.Millisecond}, {"no parking", -1}} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			_, addr := run(t, stateservice.Options{ParkTimeout: tt.park, Now: c.Now, SweepInterval: -1})
			told := map[string]int{}
			for n := range histories / 2 {
				h := &history{addr: addr, clock: c, start: time.Now(), name: fmt.Sprint(tt.name, n), rnd: uint64(n)}
				h.record()
				for key, ops := range h.perKey(tt.park > 0) {
					require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(model(tt.park > 0), ops, time.Minute),
						"history %d, key %d:\n%s", n, key, describe(ops))
					for _, op := range ops {
						told[op.Input.(input).verb+" "+strconv.Itoa(op.Output.(output).status)]++
					}
				}
			}
			for _, what := range []string{"get 200", "get 404", "get 423", "acquire 200", "acquire 404", "acquire 423", "acquire 0",
				"set 200", "set 404", "set 409", "set 423", "set 0", "create 200", "release 200", "release 423", "remove 200", "remove 404", "remove 423", "touch 200"} {
				require.NotZero(t, told[what], "%s never happened: %v", what, told)
			}
		})
	}
}

const (
	linearKeys    = 2
	linearClients = 5
	linearOps     = 14
)

type history struct {
	addr  string
	clock *clock
	start time.Time
	name  string
	rnd   uint64
	id    atomic.Int64

	mu  sync.Mutex
	ops []porcupine.Operation
}

func (h *history) record() {
	var wg sync.WaitGroup
	for n := range linearClients {
		wg.Go(func() {
			c := &client{h: h, n: n, rnd: rand.New(rand.NewPCG(h.rnd, uint64(n)))}
			defer c.hangUp()
			for range linearOps {
				c.step()
			}
		})
	}
	wg.Wait()
}

func (h *history) since() int64 { return int64(time.Since(h.start)) }

func (h *history) add(client int, in input, call int64, out output, ret int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ret})
}

// perKey has the operations of each key, and those of the clock with each.
//
// A request that is parked uses the session twice: it renews the item when it
// comes, and takes effect when it is answered. So its coming is an operation of
// its own.
func (h *history) perKey(parking bool) (keys [linearKeys][]porcupine.Operation) {
	for n, op := range h.ops {
		in := op.Input.(input)
		for key := range keys {
			if in.key != key && in.key >= 0 {
				continue
			}
			keys[key] = append(keys[key], op)
			if parking && (in.verb == "get" || in.verb == "acquire") && h.clockMoved(op) {
				op.ClientId, op.Output = 3000+n, output{}
				in.verb = "arrive"
				op.Input = in
				keys[key] = append(keys[key], op)
			}
		}
	}
	return keys
}

// clockMoved reports whether it did while an operation was under way.
func (h *history) clockMoved(during porcupine.Operation) bool {
	for _, op := range h.ops {
		if op.Input.(input).verb == "clock" && op.Call < during.Return && op.Return > during.Call {
			return true
		}
	}
	return false
}

// A client does what a page might, and what it should not.
type client struct {
	h    *history
	n    int
	rnd  *rand.Rand
	nc   net.Conn
	br   *bufio.Reader
	seen [linearKeys]int32 // a lock cookie, its own or another's
}

func (c *client) step() {
	in := input{key: c.rnd.IntN(linearKeys), id: int(c.h.id.Add(1)), ours: c.rnd.IntN(3) == 0}
	seen := c.seen[in.key]
	switch n := c.rnd.IntN(32); {
	case n < 4:
		in.verb = "get"
	case n < 14:
		in.verb = "acquire"
	case n < 22:
		in.verb, in.cookie = "set", seen
		if c.rnd.IntN(4) == 0 {
			in.cookie = 0
		}
	case n < 24:
		in.verb = "create"
	case n < 28:
		in.verb, in.cookie = "release", seen
	case n < 30:
		in.verb, in.cookie = "remove", seen
	case n < 31:
		in.verb = "touch"
	default:
		in.verb, in.key, in.by = "clock", -1, 1+c.rnd.IntN(6)
		call := c.h.since()
		c.h.clock.Advance(time.Duration(in.by) * time.Minute)
		c.h.add(c.n, in, call, output{status: 200}, c.h.since())
		return
	}
	call := c.h.since()
	out := c.ask(in, c.rnd.IntN(24) == 0)
	ret := c.h.since()
	client := c.n
	if out.status == 0 { // it may happen at any time from now on, or never
		ret, client = int64(time.Hour), 1000+in.id
	}
	c.h.add(client, in, call, out, ret)
	if out.status == 0 && in.verb == "acquire" { // and what was given is taken back, or not
		in.verb = "take back"
		c.h.add(2000+in.id, in, call, output{}, int64(time.Hour))
	}
	if out.cookie > 0 {
		c.seen[in.key] = out.cookie
	}
}

func (c *client) hangUp() {
	if c.nc != nil {
		c.nc.Close()
		c.nc = nil
	}
}

// ask sends a request; with cut it is not there for the answer.
func (c *client) ask(in input, cut bool) output {
	if c.nc == nil {
		nc, err := net.DialTimeout("tcp", c.h.addr, patience)
		if err != nil {
			return output{}
		}
		_ = nc.SetDeadline(time.Now().Add(patience))
		c.nc, c.br = nc, bufio.NewReader(nc)
	}
	if _, err := io.WriteString(c.nc, in.raw(c.h.name)); err != nil {
		c.hangUp()
		return output{}
	}
	if cut {
		if c.rnd.IntN(2) == 0 {
			_ = c.nc.(*net.TCPConn).SetLinger(0) // by a reset
		}
		c.hangUp()
		return output{}
	}
	rep, err := readReply(c.br)
	if err != nil {
		c.hangUp()
		return output{}
	}
	n, _ := strconv.Atoi(status(rep)[:3])
	cookie, _ := strconv.Atoi(field(rep, "LockCookie"))
	flags, _ := strconv.Atoi(field(rep, "ActionFlags"))
	return output{status: n, cookie: int32(cookie), fresh: flags&1 != 0, body: content(rep)}
}
