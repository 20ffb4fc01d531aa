package growth

import (
	"fmt"
	"net"
	"sync"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/stores/stateserver"
)

const base = "/LM/W3SVC/1/ROOT/"

// A service is a state service in a process of its own, and a site on it.
type service struct {
	process *load.Process
	store   *stateserver.Store
}

func startService() (*service, error) {
	p, err := onOneCPU(peers.Service)
	if err != nil {
		return nil, err
	}
	store, err := stateserver.New(stateserver.Options{Addr: p.Addr, Base: base, Strict: true})
	if err != nil {
		p.Stop()
		return nil, err
	}
	return &service{p, store}, nil
}

func (s *service) stop() {
	_ = s.store.Close()
	s.process.Stop()
}

// fill stores sessions 0 to n-1, many requests at a time on each connection: a
// million take seconds so.
func (s *service) fill(n int, frame []byte) error {
	const workers, batch = 2, 64 // whose replies the sockets hold while we send
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			c, err := net.Dial("tcp", s.process.Addr)
			if err != nil {
				errs[w] = err
				return
			}
			defer c.Close()
			r := msasp.NewReader(c, msasp.Limits{})
			req := msasp.Request{Verb: msasp.PUT, Timeout: msasp.Int32(20), Length: len(frame)}
			var out []byte
			for from := w * batch; from < n && errs[w] == nil; from += workers * batch {
				to := min(from+batch, n)
				out = out[:0]
				for i := from; i < to; i++ {
					out = append(req.Append(out, base+id(i), "localhost"), frame...)
				}
				if _, err := c.Write(out); err != nil {
					errs[w] = err
				}
				errs[w] = stored(r, to-from)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("filling the state service: %w", err)
		}
	}
	return nil
}

// stored reads n replies.
func stored(r *msasp.Reader, n int) error {
	for range n {
		var rep msasp.Reply
		if err := r.Reply(&rep); err != nil {
			return err
		}
		if rep.Status != msasp.StatusOK {
			return fmt.Errorf("status %d", rep.Status)
		}
		if err := r.Discard(rep.Length); err != nil {
			return err
		}
	}
	return nil
}

// onOneCPU starts a server on the processor that we measure on. A round trip is
// then the work of both sides and two switches between them. On two processors it
// would be, for the most part, the time that an idle one needs to wake up; and
// where the system chose, it would depend on where it happened to put a process.
func onOneCPU(start func() (*load.Process, error)) (p *load.Process, err error) {
	err = load.OnCPU(0, func() (err error) { p, err = start(); return err })
	return p, err
}
