package stateservice_test

import (
	"flag"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// The conformance suite: the state-server protocol as bytes. It runs against any
// server, also one in use, because every case has a key of its own:
//
//	go test ./stateservice -run Conformance -addr HOST:PORT
//
// How to read a case. The number in front of its name is the section of the fact
// sheet on the protocol; (INF) marks what is inferred there. A case is a talk on
// one connection: what is sent, what must come back, byte for byte, except that
//
//	{K}     stands for the target of a key nobody else uses, 107 bytes
//	{ID}    for the session id at the end of it, 24 characters
//	{date}  for the ticks of now on the server's wall clock
//	{age}   for a few seconds
//
// and that replies are written in the bare form: "HTTP/1.1 " in front of the
// status is checked by the form that the server is set to. Every case ends with
// one more request on the same connection, which shows that the framing held.
var (
	addrFlag = flag.String("addr", "", "run the conformance suite against the state server at this host:port")
	asFlag   = flag.String("as", "product", "what -addr is: product (aspnet_state.exe and its like), ours, lax")
)

// A kind of server.
type kind uint

const (
	product kind = 1 << iota // Microsoft's, or another one that is not ours
	lax                      // ours with LaxSaves, ForgetCookies and BareStatusLine
	ours                     // ours as it comes
)

// A row is one case.
type row struct {
	name  string
	given talk // what went before
	send  string
	want  string // "": the server closes without a word
	then  talk   // what the same key says afterwards
	who   kind   // which servers do so; 0: all of them
	why   string // why the others do not
	// closes: the reply is the last one.
	closes bool
	// moves: sleeping in it needs a clock that tests move.
	moves bool
}

// A talk is requests and their replies in turn. A request that is a duration
// moves the server's clock, and has the reply "".
type talk []string

// A peer is a server under test.
type peer struct {
	addr  string
	kind  kind
	now   func() time.Time
	sleep func(time.Duration) // nil: nobody can move its clock
}

func TestConformance(t *testing.T) {
	if *addrFlag != "" {
		as, ok := map[string]kind{"product": product, "lax": lax, "ours": ours}[*asFlag]
		require.True(t, ok, "-as %s", *asFlag)
		conform(t, peer{addr: *addrFlag, kind: as, now: time.Now})
		return
	}
	for name, opt := range map[string]stateservice.Options{
		"ours": {},
		"lax":  {LaxSaves: true, ForgetCookies: true, BareStatusLine: true},
	} {
		t.Run(name, func(t *testing.T) {
			var ahead atomic.Int64
			opt.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			opt.Logger = slog.New(slog.DiscardHandler)
			_, addr := run(t, opt)
			p := peer{addr: addr, kind: ours, now: opt.Now, sleep: func(d time.Duration) { ahead.Add(int64(d)) }}
			if opt.LaxSaves {
				p.kind = lax
			}
			conform(t, p)
		})
	}
}

func conform(t *testing.T, p peer) {
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, r := range group.rows {
				t.Run(r.name, func(t *testing.T) { p.run(t, r) })
			}
		})
	}
}

type group struct {
	name string
	rows []row
}

func groups() []group {
	return []group{
		{"examples", exampleRows}, {"targets", targetRows}, {"headers", headerRows},
		{"locks", lockRows}, {"action flags", flagRows}, {"expiry", expiryRows}, {"framing", framingRows},
		{"captured", capturedRows()}, {"cookies", cookieMatrix()}, {"timeouts", timeoutMatrix()}, {"extra flags", flagsMatrix()},
	}
}

func (p peer) run(t *testing.T, r row) {
	if r.who != 0 && r.who&p.kind == 0 {
		t.Skipf("not this server: %s", r.why)
	}
	if r.moves && p.sleep == nil {
		t.Skip("nobody can move this server's clock")
	}
	id := newID()
	w := dial(t, p.addr)
	p.talk(t, w, id, r.given)
	if r.send != "" {
		w.send(fillIn(r.send, id))
		if r.want != "" {
			p.same(t, r.send, r.want, w.reply(), id)
		}
	}
	if r.closes {
		w.closed()
		w = dial(t, p.addr)
	}
	p.talk(t, w, id, r.then)
	p.talk(t, w, newID(), talk{head + end, replyG})
	require.Zero(t, w.br.Buffered(), "bytes after the last reply")
}

func (p peer) talk(t *testing.T, w *wire, id string, talk talk) {
	t.Helper()
	for i := 0; i < len(talk); i += 2 {
		if d, err := time.ParseDuration(talk[i]); err == nil {
			p.sleep(d)
			continue
		}
		p.same(t, talk[i], talk[i+1], w.ask(fillIn(talk[i], id)), id)
	}
}

// fillIn writes an id into what a row says.
func fillIn(raw, id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(raw, "{K}", target+id), "{ID}", id)
}

var (
	dateField    = regexp.MustCompile(`\r\nLockDate: (\d+)\r\n`)
	ageField     = regexp.MustCompile(`\r\nLockAge: (\d+)\r\n`)
	versionField = regexp.MustCompile(`\r\nX-AspNet-Version: ([2-9]|\d\d+)\.[0-9.]+\r\n`)
)

// same compares a reply with what a row says.
func (p peer) same(t *testing.T, sent, want, got, id string) {
	t.Helper()
	raw := got
	want = fillIn(want, id)
	version, ok := strings.CutPrefix(got, "HTTP/1.1 ")
	if *addrFlag == "" {
		require.Equal(t, p.kind != lax, ok, "the status line of %q", raw)
	}
	got = version
	if *addrFlag != "" {
		got = versionField.ReplaceAllLiteralString(got, "\r\n"+version40)
	}
	if strings.Contains(want, "{date}") {
		if m := dateField.FindStringSubmatch(got); m != nil && p.near(m[1]) {
			got = dateField.ReplaceAllLiteralString(got, "\r\nLockDate: {date}\r\n")
		}
		if m := ageField.FindStringSubmatch(got); m != nil {
			if age, err := strconv.Atoi(m[1]); err == nil && age < 60 {
				got = ageField.ReplaceAllLiteralString(got, "\r\nLockAge: {age}\r\n")
			}
		}
	}
	require.Equal(t, want, got, "after %q; on the wire %q", fillIn(sent, id), raw)
}

// near reports ticks that are the server's now, whatever its zone.
func (p peer) near(ticks string) bool {
	n, err := strconv.ParseInt(ticks, 10, 64)
	const unixEpoch, perSecond = 621355968000000000, 10_000_000
	return err == nil && time.Unix((n-unixEpoch)/perSecond, 0).Sub(p.now()).Abs() < 15*time.Hour
}

// The counts of 1.5 hold: nobody edited the examples by accident.
func TestConformanceExamplesHaveTheSheetsLengths(t *testing.T) {
	id := newID()
	for i, want := range []int{146, 166, 181, 264, 200, 164, 147} {
		require.Len(t, fillIn(examples[i], id), want, "%q", examples[i])
	}
	locked := strings.NewReplacer("{date}", "638409114000000000", "{age}", "12").Replace(replyH)
	for want, reply := range map[int]string{151: replyA, 166: replyB, 133: replyC, 82: replyD, 91: replyF, 89: replyG, 144: locked} {
		require.Len(t, reply, want, "%q", reply)
	}
}
