package request

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// hello is the page that every handler writes.
var hello = []byte("hello")

// The session that every visitor has: ten strings of 20 to 38 characters.
const items = 10

var keys, values = func() (k, v [items]string) {
	for i := range items {
		k[i] = fmt.Sprintf("item%d", i)
		v[i] = strings.Repeat("the quick brown fox jumps over the lazy dog", 2)[i:][:20+2*i]
	}
	return k, v
}()

// The item that is read stays what it was; the one that is written changes each
// time. The names are constants, as in programs: in an interface they cost nothing.
const readKey, writtenKey = "item3", "item5"

var readValue = values[3]

var (
	newValues = func() (v [97]string) {
		for i := range v {
			v[i] = fmt.Sprintf("another value of the item %04d", i)
		}
		return v
	}()
	changes atomic.Uint32
)

// newValue is another one each time.
func newValue() string { return newValues[changes.Add(1)%uint32(len(newValues))] }

// saysHeader is where the page that a test looks at says what was written.
const saysHeader = "X-Written"

// A sink is a ResponseWriter that throws the page away and allocates nothing.
type sink struct {
	header    http.Header
	status, n int
}

func (w *sink) Header() http.Header         { return w.header }
func (w *sink) WriteHeader(status int)      { w.status = status }
func (w *sink) Write(b []byte) (int, error) { w.n += len(b); return len(b), nil }

// broken is what a handler answers that did not get what it should.
func broken(w http.ResponseWriter, err error) {
	if err == nil {
		err = errors.New("another value than was stored")
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// A visitor asks for one page again and again. One goroutine at a time.
type visitor struct {
	page  http.Handler
	fresh http.Request // as it arrives
	r     http.Request // the one that is served, in which libraries keep things
	w     sink
	leave context.CancelFunc // hangs up
}

// newVisitor has a context that could be cancelled, as a server's requests have:
// some libraries take a longer way then.
func newVisitor(page http.Handler) (*visitor, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", "http://example.com/page", nil)
	if err != nil {
		cancel()
		return nil, err
	}
	return &visitor{page: page, fresh: *r, w: sink{header: make(http.Header)}, leave: cancel}, nil
}

var errPage = errors.New("request: not the page")

// visit makes one request and checks that the page came.
func (v *visitor) visit() error {
	v.r = v.fresh
	clear(v.w.header)
	v.w.status, v.w.n = http.StatusOK, 0
	v.page.ServeHTTP(&v.w, &v.r)
	if v.w.status != http.StatusOK || v.w.n != len(hello) {
		return fmt.Errorf("%w: status %d, %d bytes", errPage, v.w.status, v.w.n)
	}
	return nil
}

// keep takes the cookies of the last response, as a browser does.
func (v *visitor) keep() {
	for _, c := range (&http.Response{Header: v.w.header}).Cookies() {
		v.fresh.Header.Set("Cookie", c.Name+"="+c.Value)
	}
}

// cookie is what the visitor sends back.
func (v *visitor) cookie() (name, value string) {
	name, value, _ = strings.Cut(v.fresh.Header.Get("Cookie"), "=")
	return name, value
}
