package disk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// The test's binary is also the server that gets killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("DISK_TEST_SERVE"); dir != "" {
		if err := serve(dir, os.Getenv("DISK_TEST_TAKE") != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve runs until standard input ends. It prints its address; every few
// milliseconds up to when everything is durable; and the ends that it takes.
func serve(dir string, take bool) error {
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	j, err := Open(dir, Options{Logger: logger})
	if err != nil {
		return err
	}
	s, err := stateservice.Open(stateservice.Options{Journal: j, Logger: logger, ParkTimeout: -1,
		OnEnd: stateservice.EndFunc(func(_ context.Context, e stateservice.End) error {
			if !take {
				return errors.New("not today")
			}
			content, _, _ := strings.Cut(string(e.Payload), ".")
			say("end %s %s %s", e.Key, e.Reason, content)
			return nil
		})})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go s.Serve(ln)
	say("address %s", ln.Addr())
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(io.Discard, os.Stdin)
	}()
	for tick := time.NewTicker(3 * time.Millisecond); ; {
		select {
		case <-tick.C:
			now := time.Now()
			say("durable %d", now.Add(-j.lag()).UnixNano())
			continue
		case <-done:
		}
		break
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(s.Shutdown(ctx), j.Close())
}

// child is such a process.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
	lines sync.WaitGroup

	mu      sync.Mutex
	durable time.Time // what was appended before is
	ends    []string
}

func startChild(t *testing.T, dir string, take bool) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), "DISK_TEST_SERVE="+dir)
	if take {
		c.cmd.Env = append(c.cmd.Env, "DISK_TEST_TAKE=1")
	}
	var log strings.Builder
	c.cmd.Stderr = &log
	stdin, err := c.cmd.StdinPipe()
	require.NoError(t, err)
	c.stdin = stdin
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() { c.cmd.Process.Kill() })
	ready := make(chan bool, 1)
	c.lines.Go(func() {
		defer close(ready)
		for in := bufio.NewScanner(out); in.Scan(); {
			word, rest, _ := strings.Cut(in.Text(), " ")
			c.mu.Lock()
			switch word {
			case "address":
				c.addr = rest
				ready <- true
			case "durable":
				n, _ := strconv.ParseInt(rest, 10, 64)
				c.durable = time.Unix(0, n)
			case "end":
				c.ends = append(c.ends, rest)
			}
			c.mu.Unlock()
		}
	})
	if !<-ready {
		c.cmd.Wait()
		t.Fatalf("the server did not start: %s", log.String())
	}
	return c
}

// kill returns when that was and up to when all was durable.
func (c *child) kill(t *testing.T) (at, durable time.Time) {
	c.mu.Lock()
	at, durable = time.Now(), c.durable
	c.mu.Unlock()
	require.NoError(t, c.cmd.Process.Kill())
	c.lines.Wait()
	require.Error(t, c.cmd.Wait())
	return at, durable
}

func (c *child) stop(t *testing.T) {
	require.NoError(t, c.stdin.Close())
	c.lines.Wait()
	require.NoError(t, c.cmd.Wait())
}

// sure is up to when all is durable.
func (c *child) sure() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.durable
}

func (c *child) told() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.ends...)
}

// client speaks the protocol; any failure of the connection is an error.
type client struct {
	nc net.Conn
	r  *bufio.Reader
}

func dial(addr string) (*client, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{nc, bufio.NewReader(nc)}, nil
}

func (c *client) do(verb, key, headers, body string) (status, cookie int, content string, err error) {
	if verb == "PUT" {
		headers += fmt.Sprintf("Timeout: 20\r\nContent-Length: %d\r\n", len(body))
	}
	if _, err = fmt.Fprintf(c.nc, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", verb, key, headers, body); err != nil {
		return
	}
	var length int
	for first := true; ; first = false {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return 0, 0, "", err
		}
		line = strings.TrimSpace(line)
		if first {
			status, _ = strconv.Atoi(strings.Fields(line)[1])
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "LockCookie":
			cookie, _ = strconv.Atoi(value)
		case "Content-Length":
			length, _ = strconv.Atoi(value)
		case "":
			b := make([]byte, length)
			_, err = io.ReadFull(c.r, b)
			return status, cookie, string(b), err
		}
	}
}

// life is what a test knows of one key.
type life struct {
	key     string
	states  []state // the first is sure; the last may be unanswered
	cookies map[int]bool
	n       int // of contents
}

// state is what a key was to be; content "" is removed.
type state struct {
	content string
	was     string    // removed: what it had been
	acked   time.Time // zero: no answer came
}

// body is 1 KB that begins with the content.
func body(content string) string { return content + "." + strings.Repeat("x", 1000) }

// step does one thing to the key.
func (l *life) step(c *client, rnd *rand.Rand) error {
	last := l.states[len(l.states)-1].content
	verb, headers, next := "PUT", "", state{}
	switch k := rnd.IntN(10); {
	case last != "" && k < 2:
		verb, next.was = "DELETE", last
	default:
		l.n++
		next.content = strconv.Itoa(l.n)
		if last == "" || k < 5 {
			break
		}
		status, cookie, _, err := c.do("GET", l.key, "Exclusive: acquire\r\n", "")
		if err != nil {
			return err
		}
		if status != 200 || l.cookies[cookie] {
			return fmt.Errorf("acquire of %s: status %d, cookie %d, seen before: %v", l.key, status, cookie, l.cookies[cookie])
		}
		l.cookies[cookie] = true
		headers = fmt.Sprintf("LockCookie: %d\r\n", cookie)
	}
	l.states = append(l.states, next)
	b := ""
	if verb == "PUT" {
		b = body(next.content)
	}
	status, _, _, err := c.do(verb, l.key, headers, b)
	if err != nil {
		return err
	}
	l.states[len(l.states)-1].acked = time.Now()
	if status != 200 {
		return fmt.Errorf("%s of %s: status %d", verb, l.key, status)
	}
	return nil
}

// check reads the key after a restart. What was answered before sure must have
// happened; what came later may have. It returns when the oldest lost answer was.
func (l *life) check(t *testing.T, c *client, sure time.Time) (lost time.Time, removed []string) {
	from := 0 // durable before the load began
	for i, s := range l.states {
		if !s.acked.IsZero() && !s.acked.After(sure) {
			from = i
		}
		if s.was != "" && i <= from && i > 0 {
			removed = append(removed, l.key+" removed "+s.was)
		}
	}
	status, _, content, err := c.do("GET", l.key, "", "")
	require.NoError(t, err)
	require.Contains(t, []int{200, 404}, status, "a lock outlived the restart")
	now, _, _ := strings.Cut(content, ".")
	if status == 200 {
		require.Equal(t, body(now), content)
	}
	at := -1
	for i := from; i < len(l.states); i++ {
		if l.states[i].content == now {
			at = i
		}
	}
	require.GreaterOrEqual(t, at, 0, "%s has %q, what is sure is %q, later ones %v", l.key, now, l.states[from].content, l.states[from:])
	if at+1 < len(l.states) {
		lost = l.states[at+1].acked
	}
	// No holder from before matches, and none of today's is what one had.
	if status == 404 {
		status, _, _, err = c.do("PUT", l.key, "", body("again"))
		require.NoError(t, err)
		require.Equal(t, 200, status)
		now = "again"
	}
	status, cookie, _, err := c.do("GET", l.key, "Exclusive: acquire\r\n", "")
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.False(t, l.cookies[cookie], "%s: cookie %d was given out before", l.key, cookie)
	for old := range l.cookies {
		status, _, _, err := c.do("PUT", l.key, fmt.Sprintf("LockCookie: %d\r\n", old), body("stale"))
		require.NoError(t, err)
		require.Equal(t, 423, status, "%s: a stale writer with cookie %d beside %d", l.key, old, cookie)
		break // one of them, at random
	}
	l.cookies[cookie] = true
	l.n++
	now = strconv.Itoa(l.n)
	status, _, _, err = c.do("PUT", l.key, fmt.Sprintf("LockCookie: %d\r\n", cookie), body(now))
	require.NoError(t, err)
	require.Equal(t, 200, status)
	l.states = []state{{content: now, acked: time.Now()}}
	return lost, removed
}

// Killed in full flow again and again: what is durable is there, what was
// removed stays removed, no lock cookie comes again, and ends are told. What was
// durable at the kill is the server's own word, which holds on any machine.
func TestKilledUnderLoad(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 3
	}
	if n, err := strconv.Atoi(os.Getenv("DISK_TEST_KILLS")); err == nil {
		kills = n
	}
	const writers, keys = 8, 12
	dir := newDir(t)
	lives := make([][]*life, writers)
	for w := range lives {
		for k := range keys {
			lives[w] = append(lives[w], &life{key: fmt.Sprintf("/app/%d-%d", w, k), states: []state{{}}, cookies: map[int]bool{}})
		}
	}
	var mustHear []string
	var worst time.Duration
	var inWindow, answered int
	srv := startChild(t, dir, false)
	for kill := range kills + 1 {
		graceful := kill == kills
		var wg sync.WaitGroup
		for w := range lives {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(kill), uint64(w)))
				c, err := dial(srv.addr)
				if err != nil {
					t.Error(err)
					return
				}
				defer c.nc.Close()
				for {
					if err := lives[w][rnd.IntN(keys)].step(c, rnd); err != nil {
						var gone *net.OpError
						if !errors.As(err, &gone) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(100+rand.IntN(200)) * time.Millisecond) // the load to be killed
		var at, durable time.Time
		if graceful {
			srv.stop(t)
			at = time.Now()
			durable = at.Add(time.Hour)
		} else {
			at, durable = srv.kill(t)
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		// The last time the ends are taken.
		srv = startChild(t, dir, graceful)
		c, err := dial(srv.addr)
		require.NoError(t, err)
		var oldest time.Duration
		for _, l := range lives {
			for _, l := range l {
				answered += len(l.states) - 1
				lost, removed := l.check(t, c, durable)
				if !lost.IsZero() {
					oldest = max(oldest, at.Sub(lost))
				}
				mustHear = append(mustHear, removed...)
			}
		}
		c.nc.Close()
		if graceful {
			require.Zero(t, oldest, "a graceful stop loses nothing")
			break
		}
		require.LessOrEqual(t, oldest, max(Window, at.Sub(durable)))
		worst = max(worst, oldest)
		if at.Sub(durable) <= Window {
			inWindow++
		}
		// What the next kill is measured from must be sure itself.
		checked := time.Now()
		require.Eventually(t, func() bool { return srv.sure().After(checked) }, 20*time.Second, time.Millisecond)
	}
	require.Eventually(t, func() bool {
		heard := map[string]bool{}
		for _, e := range srv.told() {
			heard[e] = true
		}
		for _, e := range mustHear {
			if !heard[e] {
				return false
			}
		}
		return true
	}, 20*time.Second, 20*time.Millisecond, "an end was never told")
	srv.stop(t)
	t.Logf("%d kills, %d writes, oldest lost %v, the disk kept up with the window of %v at %d of them; %d ends", kills, answered, worst, Window, inWindow, len(mustHear))

	// What was taken is not told again after a graceful stop.
	j := open(t, dir, Options{})
	require.Empty(t, ends(t, j))
}
