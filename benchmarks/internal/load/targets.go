package load

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// StateService speaks the state-server protocol [MS-ASP] as .NET's client does.
// Items have a timeout of 20 minutes.
func StateService(addr string, size int) Target {
	body := bytes.Repeat([]byte{'x'}, size)
	return Target{"state service", addr, func() protocol { return &stateService{body: body} }}
}

type stateService struct {
	body []byte
	lock int // what the last acquire brought
}

// appendPath adds the request target of a key.
func appendPath(b []byte, key int) []byte {
	b = append(b, "/%2fLM%2fW3SVC%2f1%2fROOT%28bDgaG9wIqcO8K8J2LSzN4YmTkaM%3d%29%2faaaaaaaaaaaaaaaaaaaaaaaa"...)
	for i := len(b) - 1; key > 0; i-- {
		b[i] = "abcdefghijklmnopqrstuvwxyz012345"[key&31]
		key >>= 5
	}
	return b
}

func (p *stateService) request(b []byte, s step, key int) []byte {
	if s == read || s == acquire {
		b = append(appendPath(append(b, "GET "...), key), " HTTP/1.1\r\nHost: localhost\r\n"...)
		if s == acquire {
			b = append(b, "Exclusive: acquire\r\n"...)
		}
		return append(b, "\r\n"...)
	}
	b = append(appendPath(append(b, "PUT "...), key), " HTTP/1.1\r\nHost: localhost\r\nTimeout:20\r\nContent-Length:"...)
	b = strconv.AppendInt(b, int64(len(p.body)), 10)
	if s == save {
		b = strconv.AppendInt(append(b, "\r\nLockCookie:"...), int64(p.lock), 10)
	}
	return append(append(b, "\r\n\r\n"...), p.body...)
}

var (
	headEnd    = []byte("\r\n\r\n")
	okLine     = []byte("HTTP/1.1 200 ")
	lengthName = []byte("\r\nContent-Length: ")
	lockName   = []byte("\r\nLockCookie: ")
)

func (p *stateService) answer(in []byte, s step) (int, error) {
	end := bytes.Index(in, headEnd)
	if end < 0 {
		return 0, nil
	}
	head := in[:end+2]
	if !bytes.HasPrefix(head, okLine) {
		return 0, fmt.Errorf("%w: %q", errAnswer, head[:bytes.IndexByte(head, '\r')])
	}
	if s == acquire {
		if p.lock = header(head, lockName); p.lock <= 0 {
			return 0, fmt.Errorf("%w: an acquire without a lock cookie", errAnswer)
		}
	}
	length := header(head, lengthName)
	want := 0
	if s == read || s == acquire {
		want = len(p.body)
	}
	return whole(in, len(head)+2, length, want, 0)
}

// header is a number in a head, -1 where there is none.
func header(head, name []byte) int {
	i := bytes.Index(head, name)
	if i < 0 {
		return -1
	}
	value, _, _ := bytes.Cut(head[i+len(name):], crlf)
	return number(value)
}

// whole is the length of an answer: its head, a body of so many bytes, of which
// some are wanted, and what follows it.
func whole(in []byte, head, length, want, tail int) (int, error) {
	if length != want {
		return 0, fmt.Errorf("%w: an item of %d bytes, not %d", errAnswer, length, want)
	}
	if n := head + length + tail; len(in) >= n {
		return n, nil
	}
	return 0, nil
}

var crlf = []byte("\r\n")

func number(b []byte) int {
	n := 0
	for _, d := range b {
		if d < '0' || d > '9' || n > 1<<40 {
			return -1
		}
		n = 10*n + int(d-'0')
	}
	if len(b) == 0 {
		return -1
	}
	return n
}

// Redis speaks RESP2; a pair is GET and SET, which lock nothing. Items end after
// 20 minutes.
func Redis(addr string, size int) Target {
	return redisTarget("redis", addr, size, redis{expiry: []byte("$2\r\nEX\r\n$4\r\n1200\r\n")})
}

// RedisUntil is Redis with items that all end at one moment.
func RedisUntil(addr string, size int, at time.Time) Target {
	return redisTarget("redis", addr, size, redis{expiry: fmt.Appendf(nil, "$4\r\nPXAT\r\n$13\r\n%d\r\n", at.UnixMilli())})
}

// RedisEcho has Redis give back what it is sent: what a server in C takes for a
// request that looks up nothing.
func RedisEcho(addr string, size int) Target {
	return redisTarget("redis ECHO", addr, size, redis{echo: true})
}

func redisTarget(name, addr string, size int, p redis) Target {
	p.body = bytes.Repeat([]byte{'x'}, size)
	return Target{name, addr, func() protocol { return &p }} // it has no state
}

type redis struct {
	body   []byte
	expiry []byte // the last two arguments of SET
	echo   bool
}

const redisKey = "session:aaaaaaaaaaaaaaaa" // and eight digits

func appendKey(b []byte, key int) []byte {
	b = append(b, redisKey+"00000000"...)
	for i := len(b) - 1; key > 0; i-- {
		b[i] = '0' + byte(key%10)
		key /= 10
	}
	return b
}

func (p *redis) request(b []byte, s step, key int) []byte {
	switch {
	case p.echo:
		return p.appendBody(append(b, "*2\r\n$4\r\nECHO\r\n"...))
	case s == read || s == acquire:
		return append(appendKey(append(b, "*2\r\n$3\r\nGET\r\n$32\r\n"...), key), crlf...)
	}
	b = append(appendKey(append(b, "*5\r\n$3\r\nSET\r\n$32\r\n"...), key), crlf...)
	return append(p.appendBody(b), p.expiry...)
}

func (p *redis) appendBody(b []byte) []byte {
	b = append(strconv.AppendInt(append(b, '$'), int64(len(p.body)), 10), crlf...)
	return append(append(b, p.body...), crlf...)
}

func (p *redis) answer(in []byte, s step) (int, error) {
	line, _, ended := bytes.Cut(in, crlf)
	switch {
	case !ended:
		return 0, nil
	case p.echo || s == read || s == acquire:
		if line[0] != '$' {
			break
		}
		return whole(in, len(line)+2, number(line[1:]), len(p.body), 2)
	case string(line) == "+OK":
		return len(line) + 2, nil
	}
	return 0, fmt.Errorf("%w: %q", errAnswer, line)
}

// Memcached speaks its text protocol; a pair is get and set. Items end after 20
// minutes.
func Memcached(addr string, size int) Target {
	p := memcached{bytes.Repeat([]byte{'x'}, size)}
	return Target{"memcached", addr, func() protocol { return p }}
}

type memcached struct{ body []byte }

func (p memcached) request(b []byte, s step, key int) []byte {
	if s == read || s == acquire {
		return append(appendKey(append(b, "get "...), key), crlf...)
	}
	b = append(appendKey(append(b, "set "...), key), " 0 1200 "...)
	b = append(strconv.AppendInt(b, int64(len(p.body)), 10), crlf...)
	return append(append(b, p.body...), crlf...)
}

func (p memcached) answer(in []byte, s step) (int, error) {
	line, _, ended := bytes.Cut(in, crlf)
	switch {
	case !ended:
		return 0, nil
	case s == read || s == acquire:
		i := bytes.LastIndexByte(line, ' ') // VALUE key flags length
		if !bytes.HasPrefix(line, []byte("VALUE ")) {
			break
		}
		return whole(in, len(line)+2, number(line[i+1:]), len(p.body), len("\r\nEND\r\n"))
	case string(line) == "STORED":
		return len(line) + 2, nil
	}
	return 0, fmt.Errorf("%w: %q", errAnswer, line)
}

// Echo sends as much as a read answers and gets it back: what the machine's
// loopback can do at best.
func Echo(addr string, size int) Target {
	p := echo{bytes.Repeat([]byte{'x'}, size)}
	return Target{"echo", addr, func() protocol { return p }}
}

type echo struct{ body []byte }

func (p echo) request(b []byte, _ step, _ int) []byte { return append(b, p.body...) }

func (p echo) answer(in []byte, _ step) (int, error) {
	return whole(in, 0, len(p.body), len(p.body), 0)
}
