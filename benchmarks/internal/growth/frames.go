package growth

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

var nan = math.NaN()

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// frameFigures has a figure for each size of session.
type frameFigures struct {
	bytes                                       []float64 // of the whole frame
	read, write, overRead, overWrite, cpy, echo []float64
}

// framesOf measures one session of each content, in the process and over one
// service, beside memcpy and echo of as many bytes.
func framesOf(e *env.Env, contents []content) (*frameFigures, error) {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	svc, err := startService()
	if err != nil {
		return nil, err
	}
	defer svc.stop()
	echo, err := onOneCPU(peers.Echo)
	if err != nil {
		return nil, err
	}
	defer echo.Stop()

	f := new(frameFigures)
	var sides []side
	name := func(what string, i int) string { return fmt.Sprint(what, " ", i) }
	for i, c := range contents {
		p, err := c.payload()
		if err != nil {
			return nil, err
		}
		f.bytes = append(f.bytes, float64(p.Size()))
		near, err := siteWith(store, i, c, p)
		if err != nil {
			return nil, err
		}
		defer near.close()
		far, err := siteWith(svc.store, i, c, p)
		if err != nil {
			return nil, err
		}
		defer far.close()
		from, to := make([]byte, p.Size()), make([]byte, p.Size())
		loopback, err := load.Echo(echo.Addr, p.Size()).Dial()
		if err != nil {
			return nil, err
		}
		defer loopback.Close()
		sides = append(sides,
			side{name("bare", i), func() error { return near.serve(near.bare, id(i)) }},
			side{name("read", i), func() error { return near.serve(near.read, id(i)) }},
			side{name("write", i), func() error { return near.serve(near.write, id(i)) }},
			side{name("over read", i), func() error { return far.serve(far.read, id(i)) }},
			side{name("over write", i), func() error { return far.serve(far.write, id(i)) }},
			side{name("copy", i), func() error { copy(to, from); return nil }},
			side{name("echo", i), func() error { return loopback.Get(0) }})
	}
	ns, err := inTurns(perRound(e, 90*time.Millisecond, 1200*time.Millisecond), sides)
	if err != nil {
		return nil, err
	}
	for i := range contents {
		bare := ns[name("bare", i)]
		f.read = append(f.read, ns[name("read", i)]-bare)
		f.write = append(f.write, ns[name("write", i)]-bare)
		f.overRead = append(f.overRead, ns[name("over read", i)]-bare)
		f.overWrite = append(f.overWrite, ns[name("over write", i)]-bare)
		f.cpy = append(f.cpy, ns[name("copy", i)])
		f.echo = append(f.echo, ns[name("echo", i)])
	}
	return f, nil
}

// siteWith is a site on a store that has session n.
func siteWith(store session.Store, n int, c content, p *payload.Payload) (*site, error) {
	if err := store.Save(context.Background(), id(n), session.Lock{}, p); err != nil {
		return nil, err
	}
	return newSite(store, c)
}

func (f *frameFigures) table(name, title string, labels []string, note string) report.Table {
	t := report.Table{Name: name, Title: title, Note: note, Columns: []report.Column{
		{Title: "frame", Unit: report.Bytes},
		{Title: "in-proc, ReadOnly", Unit: report.Nanoseconds}, {Title: "in-proc, ReadWrite", Unit: report.Nanoseconds},
		{Title: "memcpy of the frame", Unit: report.Nanoseconds},
		{Title: "service, ReadOnly", Unit: report.Nanoseconds}, {Title: "service, ReadWrite", Unit: report.Nanoseconds},
		{Title: "loopback echo of the frame", Unit: report.Nanoseconds},
		{Title: "service ReadOnly beside echo", Unit: report.Times}, {Title: "service ReadWrite beside two echoes", Unit: report.Times}}}
	for i, l := range labels {
		t.Rows = append(t.Rows, report.Row{Label: l, Cells: report.Cells(f.bytes[i], f.read[i], f.write[i], f.cpy[i],
			f.overRead[i], f.overWrite[i], f.echo[i], f.overRead[i]/f.echo[i], f.overWrite[i]/(2*f.echo[i]))})
	}
	return t
}

func (f *frameFigures) lines() []line {
	return []line{{"service, ReadWrite", f.overWrite}, {"service, ReadOnly", f.overRead}, {"limit: loopback echo", f.echo},
		{"in-proc, ReadWrite", f.write}, {"in-proc, ReadOnly", f.read}, {"limit: memcpy", f.cpy}}
}
