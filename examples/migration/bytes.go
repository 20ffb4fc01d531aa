package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// A ledger is the Go half's store, and remembers which items it stored: those
// whose bytes are others now were written by the legacy half since.
type ledger struct {
	*stateserver.Store

	mu    sync.Mutex                 // guards wrote
	wrote map[string]map[string]hash // by session id and item
}

type hash = [sha256.Size]byte

func (l *ledger) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	set := make(map[string]hash)
	for _, item := range p.Items().Changes().Set {
		set[item.Key] = sha256.Sum256(item.Data)
	}
	if err := l.Store.Save(ctx, id, lock, p); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 1000 // sessions; it is for looking at, and may forget
	if l.wrote == nil || len(l.wrote) >= most {
		l.wrote = make(map[string]map[string]hash)
	}
	if l.wrote[id] == nil {
		l.wrote[id] = make(map[string]hash)
	}
	for key, sum := range set {
		l.wrote[id][key] = sum
	}
	return nil
}

func (l *ledger) wroteIt(id, key string, sum hash) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was, ok := l.wrote[id][key]
	return ok && was == sum
}

// bytesPage is the view of bytes.html.
type bytesPage struct {
	page
	Session string // a hash of the id
	Size    int    // bytes
	Minutes int32  // the sliding timeout
	Rows    []row
}

// A row is one item as it is stored.
type row struct {
	Key, Type string
	Size      int    // bytes, type id included
	Sum       string // the start of their SHA-256
	By        string // which half wrote them
}

// ServeHTTP shows the stored bytes themselves: no middleware, no lock, nothing
// that could have tidied them up.
func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := bytesPage{page: frontView(r)}
	v.Title = "The stored session"
	id, ok := visitor(r)
	if ok {
		rec, err := l.read(r.Context(), id)
		switch {
		case errors.Is(err, session.ErrNotFound):
		case err != nil:
			v.message(w, http.StatusServiceUnavailable, "The session cannot be read now", "Another request holds it, or the shop is stopping. Please try again.")
			return
		default:
			v.show(l, id, rec.Payload)
		}
	}
	render(w, http.StatusOK, "bytes.html", v)
}

func (v *bytesPage) show(l *ledger, id string, p *payload.Payload) {
	v.Known, v.Session, v.Size, v.Minutes = true, short(id), p.Size(), p.Timeout()
	for item := range p.Items().All() {
		sum := sha256.Sum256(item.Data)
		line := row{Key: item.Key, Type: typeName(item), Size: len(item.Data), Sum: hex.EncodeToString(sum[:8]), By: string(aspNet)}
		if l.wroteIt(id, item.Key, sum) {
			line.By = string(inGo)
		}
		if item.Key == "user" {
			if user, err := item.Decode(nil); err == nil {
				v.User, _ = user.(string)
			}
		}
		v.Rows = append(v.Rows, line)
	}
}

// generic is .NET's spelling of a class with type arguments.
var generic = regexp.MustCompile("`1\\[\\[([^],]+)[^]]*\\]\\]")

// typeName is the .NET type without the assemblies of what it is made of.
func typeName(item payload.Item) string { return generic.ReplaceAllString(item.TypeName(), "<$1>") }

// read waits for whoever has the session locked.
func (l *ledger) read(ctx context.Context, id string) (session.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		rec, err := l.Get(ctx, id)
		if !errors.Is(err, session.ErrLocked) {
			return rec, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return rec, err
		}
	}
}

const cookieName = "ASP.NET_SessionId"

// visitor is the id in the first cookie of the name, in whatever case, as the
// middleware has it.
func visitor(r *http.Request) (id string, ok bool) {
	for _, c := range r.Cookies() {
		if strings.EqualFold(c.Name, cookieName) {
			return session.StandardIDs{}.Canonical(c.Value)
		}
	}
	return "", false
}

// short is what may be shown of an id, which is a bearer secret itself.
func short(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:4])
}
