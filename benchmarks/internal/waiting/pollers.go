package waiting

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/msasp"
)

// pollInterval is how long ASP.NET sleeps between two looks at a lock (.NET
// Framework 4.8, SessionStateModule).
const pollInterval = 500 * time.Millisecond

var sessions atomic.Int64 // that pollers were made for

// pollers are ten requests of ASP.NET: each acquires, and sleeps where the
// session is locked.
func pollers(addr string) (runner, error) {
	f := &browsing{key: fmt.Sprintf("%spolled%018d", msasp.Base(appID), sessions.Add(1))}
	for range requests {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, errors.Join(err, f.stop())
		}
		f.all = append(f.all, &poller{nc: nc, in: msasp.NewReader(nc, msasp.Limits{}), key: f.key})
	}
	count := append(make([]byte, 0, body), "0 "...)
	f.all[0].body = append(count, bytes.Repeat([]byte{'x'}, body-len(count))...)
	rep, err := f.all[0].ask(msasp.Request{Verb: msasp.PUT, Timeout: msasp.Int32(20)})
	if err == nil && rep.Status != msasp.StatusOK {
		err = fmt.Errorf("storing the session was answered %d", rep.Status)
	}
	if err != nil {
		return nil, errors.Join(err, f.stop())
	}
	return f, nil
}

type browsing struct {
	key string
	all []*poller
}

func (f *browsing) request(i int, page func()) error { return f.all[i].run(page) }

// close looks whether every page was counted.
func (f *browsing) close() error {
	p := f.all[0]
	rep, err := p.ask(msasp.Request{Verb: msasp.GET})
	if err == nil && (rep.Status != msasp.StatusOK || p.count() != requests) {
		err = fmt.Errorf("the session was answered %d and counted %d pages, not %d", rep.Status, p.count(), requests)
	}
	return errors.Join(err, f.stop())
}

func (f *browsing) stop() (err error) {
	for _, p := range f.all {
		err = errors.Join(err, p.nc.Close())
	}
	return err
}

// A poller is a connection of ASP.NET's.
type poller struct {
	nc   net.Conn
	in   *msasp.Reader
	key  string
	out  []byte
	body []byte // of the session, with a count of its pages in front
}

// ask sends a request, a PUT with the body, and takes the reply, a GET's body.
func (p *poller) ask(req msasp.Request) (rep msasp.Reply, err error) {
	if req.Verb == msasp.PUT {
		req.Length = len(p.body)
	}
	p.out = req.Append(p.out[:0], p.key, "localhost")
	if req.Verb == msasp.PUT {
		p.out = append(p.out, p.body...)
	}
	if _, err := p.nc.Write(p.out); err != nil {
		return rep, err
	}
	if err := p.in.Reply(&rep); err != nil {
		return rep, err
	}
	if rep.Status == msasp.StatusOK && req.Verb == msasp.GET {
		p.body = append(p.body[:0], make([]byte, rep.Length)...)
		return rep, p.in.Body(p.body)
	}
	return rep, p.in.Discard(rep.Length)
}

func (p *poller) count() int {
	digits, _, _ := bytes.Cut(p.body, []byte{' '})
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return -1
	}
	return n
}

// run acquires the session however long it takes, runs the page and saves.
func (p *poller) run(page func()) error {
	rep, err := p.ask(msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire})
	for err == nil && rep.Status == msasp.StatusLocked {
		time.Sleep(pollInterval)
		rep, err = p.ask(msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire})
	}
	if err != nil {
		return err
	}
	if rep.Status != msasp.StatusOK {
		return fmt.Errorf("acquiring was answered %d", rep.Status)
	}
	page()
	_, rest, _ := bytes.Cut(p.body, []byte{' '})
	p.body = append(append(strconv.AppendInt(nil, int64(p.count()+1), 10), ' '), rest...)
	rep, err = p.ask(msasp.Request{Verb: msasp.PUT, Timeout: msasp.Int32(20), LockCookie: rep.LockCookie})
	if err == nil && rep.Status != msasp.StatusOK {
		err = fmt.Errorf("saving was answered %d", rep.Status)
	}
	return err
}
