package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// wire is what all protocols here share.
type wire struct {
	net.Conn
	r    *bufio.Reader
	out  []byte
	body []byte // what is stored under every key
	got  []byte
}

func dial(addr string, size int) (*wire, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: c, r: bufio.NewReaderSize(c, 16<<10), body: bytes.Repeat([]byte{'x'}, size), got: make([]byte, size)}
	return w, nil
}

var errAnswer = errors.New("not the answer expected")

// whole reads the item and checks its length by reading it.
func (w *wire) whole(n int) error {
	if n != len(w.body) {
		return fmt.Errorf("%w: an item of %d bytes, not %d", errAnswer, n, len(w.body))
	}
	_, err := io.ReadFull(w.r, w.got)
	return err
}

func number(b []byte) int {
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return -1
	}
	return n
}

// StateService speaks the state-server protocol [MS-ASP] as .NET's client does.
func StateService(addr string, size int) Target {
	return Target{"state service", func() (Conn, error) {
		w, err := dial(addr, size)
		return &stateConn{wire: w}, err
	}}
}

type stateConn struct {
	*wire
	lock int
}

func (c *stateConn) target(b []byte, key int) []byte {
	b = append(b, " /%2fLM%2fW3SVC%2f1%2fROOT%28bDgaG9wIqcO8K8J2LSzN4YmTkaM%3d%29%2f"...)
	id := []byte("aaaaaaaaaaaaaaaaaaaaaaaa")
	for i := 23; key > 0; i-- {
		id[i] = "abcdefghijklmnopqrstuvwxyz012345"[key&31]
		key >>= 5
	}
	return append(b, id...)
}

// answer reads a reply; it wants its status and, of a read, its body.
func (c *stateConn) answer(body bool) error {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.Contains(line, []byte(" 200 ")) {
		return fmt.Errorf("%w: %q", errAnswer, line)
	}
	length := 0
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length = number(value)
		case bytes.EqualFold(name, []byte("LockCookie")):
			c.lock = number(value)
		}
	}
	if body {
		return c.whole(length)
	}
	return nil
}

func (c *stateConn) send(body []byte) error {
	c.out = append(c.out, body...)
	_, err := c.Write(c.out)
	return err
}

func (c *stateConn) Get(key int) error {
	c.out = append(c.target(append(c.out[:0], "GET"...), key), " HTTP/1.1\r\nHost: localhost\r\n\r\n"...)
	if err := c.send(nil); err != nil {
		return err
	}
	return c.answer(true)
}

func (c *stateConn) Pair(key int) error {
	c.out = append(c.target(append(c.out[:0], "GET"...), key), " HTTP/1.1\r\nHost: localhost\r\nExclusive: acquire\r\n\r\n"...)
	if err := c.send(nil); err != nil {
		return err
	}
	if err := c.answer(true); err != nil {
		return err
	}
	return c.put(key, c.lock)
}

func (c *stateConn) Put(key int) error { return c.put(key, 0) }

func (c *stateConn) put(key, lock int) error {
	c.out = append(c.target(append(c.out[:0], "PUT"...), key), " HTTP/1.1\r\nHost: localhost\r\nTimeout:20\r\nContent-Length:"...)
	c.out = strconv.AppendInt(c.out, int64(len(c.body)), 10)
	if lock != 0 {
		c.out = strconv.AppendInt(append(c.out, "\r\nLockCookie:"...), int64(lock), 10)
	}
	c.out = append(c.out, "\r\n\r\n"...)
	if err := c.send(c.body); err != nil {
		return err
	}
	return c.answer(false)
}

// Redis speaks RESP2; a pair is GET and SET, which lock nothing.
func Redis(addr string, size int) Target {
	return Target{"redis", func() (Conn, error) {
		w, err := dial(addr, size)
		return &redisConn{w}, err
	}}
}

type redisConn struct{ *wire }

func (c *redisConn) key(key int) []byte {
	return fmt.Appendf(nil, "session:aaaaaaaaaaaaaaaa%08d", key)
}

func (c *redisConn) command(parts ...[]byte) error {
	c.out = strconv.AppendInt(append(c.out[:0], '*'), int64(len(parts)), 10)
	c.out = append(c.out, "\r\n"...)
	for _, p := range parts {
		c.out = strconv.AppendInt(append(c.out, '$'), int64(len(p)), 10)
		c.out = append(append(append(c.out, "\r\n"...), p...), "\r\n"...)
	}
	_, err := c.Write(c.out)
	return err
}

func (c *redisConn) Get(key int) error {
	if err := c.command([]byte("GET"), c.key(key)); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if line[0] != '$' {
		return fmt.Errorf("%w: %q", errAnswer, line)
	}
	if err := c.whole(number(bytes.TrimRight(line[1:], "\r\n"))); err != nil {
		return err
	}
	_, err = c.r.Discard(2)
	return err
}

func (c *redisConn) Pair(key int) error {
	if err := c.Get(key); err != nil {
		return err
	}
	return c.Put(key)
}

func (c *redisConn) Put(key int) error {
	if err := c.command([]byte("SET"), c.key(key), c.body, []byte("EX"), []byte("1200")); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err == nil && line[0] != '+' {
		err = fmt.Errorf("%w: %q", errAnswer, line)
	}
	return err
}

// Memcached speaks its text protocol; a pair is get and set.
func Memcached(addr string, size int) Target {
	return Target{"memcached", func() (Conn, error) {
		w, err := dial(addr, size)
		return &memcachedConn{w}, err
	}}
}

type memcachedConn struct{ *wire }

func (c *memcachedConn) Get(key int) error {
	c.out = fmt.Appendf(c.out[:0], "get session:aaaaaaaaaaaaaaaa%08d\r\n", key)
	if _, err := c.Write(c.out); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	fields := bytes.Fields(line)
	if len(fields) != 4 {
		return fmt.Errorf("%w: %q", errAnswer, line)
	}
	if err := c.whole(number(fields[3])); err != nil {
		return err
	}
	_, err = c.r.Discard(len("\r\nEND\r\n"))
	return err
}

func (c *memcachedConn) Pair(key int) error {
	if err := c.Get(key); err != nil {
		return err
	}
	return c.Put(key)
}

func (c *memcachedConn) Put(key int) error {
	c.out = fmt.Appendf(c.out[:0], "set session:aaaaaaaaaaaaaaaa%08d 0 1200 %d\r\n", key, len(c.body))
	c.out = append(append(c.out, c.body...), "\r\n"...)
	if _, err := c.Write(c.out); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err == nil && !bytes.HasPrefix(line, []byte("STORED")) {
		err = fmt.Errorf("%w: %q", errAnswer, line)
	}
	return err
}

// Echo sends as much as a read answers and gets it back: what the machine's
// loopback can do at best.
func Echo(addr string, size int) Target {
	return Target{"echo", func() (Conn, error) {
		w, err := dial(addr, size)
		return &echoConn{w}, err
	}}
}

type echoConn struct{ *wire }

func (c *echoConn) Get(int) error {
	if _, err := c.Write(c.body); err != nil {
		return err
	}
	return c.whole(len(c.body))
}

func (c *echoConn) Pair(key int) error {
	if err := c.Get(key); err != nil {
		return err
	}
	return c.Get(key)
}

func (c *echoConn) Put(int) error { return nil }
