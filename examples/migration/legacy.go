package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// What became of an item since ASP.NET wrote it.
const (
	same    = "as ASP.NET wrote it"
	changed = "changed by Go"
	added   = "added by Go"
	missing = "missing"
)

// A row is one stored item next to the captured one.
type row struct {
	Key, Type, Value string
	Size             int    // bytes as stored, type id included
	Sum              string // SHA-256 of these bytes
	State            string
	Opaque           bool   // an object: Value only describes it
	Proof            *proof // where the whole story is shown
}

// A proof is what an item was and what it is.
type proof struct {
	ThenSize, NowSize int
	ThenSum, NowSum   string
	Same              bool
	Dump              string // how the stored bytes start
}

// Short is enough of the sum to see a difference.
func (r row) Short() string { return r.Sum[:min(12, len(r.Sum))] }

// Class is the state's name in the style sheet.
func (r row) Class() string {
	switch r.State {
	case same:
		return "same"
	case changed:
		return "changed"
	case added:
		return "added"
	}
	return "missing"
}

type legacyPage struct {
	page
	Name                           string
	Rows                           []row
	Same, Changed, Added, Captured int // items
	Timeout                        int32
	Size, CapturedSize             int
	Whole                          bool // not a byte of the frame differs
	Static                         int  // bytes
}

// legacy shows the stored bytes themselves: no middleware, no lock, no Session,
// nothing that could have tidied them up. It sees what the last save left.
func (s *site) legacy(w http.ResponseWriter, r *http.Request) {
	id, _, err := s.visitor(r)
	var data []byte
	if err == nil {
		data, err = s.old.read(r.Context(), id)
	}
	switch {
	case errors.Is(err, session.ErrNotFound):
		http.Redirect(w, r, "/start", http.StatusSeeOther) // it expired a moment ago
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	p, err := compare(captured, data)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p.page = legacySide("Stored session", r, id)
	render(w, http.StatusOK, "legacy.html", p)
}

// compare reads both frames and sets each item against its former self.
func compare(then, now []byte) (legacyPage, error) {
	old, err := open(then)
	if err != nil {
		return legacyPage{}, err
	}
	p, err := open(now)
	if err != nil {
		return legacyPage{}, err
	}
	page := legacyPage{
		Captured: old.Items().Len(), Timeout: p.Timeout(), Static: len(p.Static()),
		Size: len(now), CapturedSize: len(then), Whole: bytes.Equal(then, now),
	}
	for item := range p.Items().All() {
		line := row{Key: item.Key, Type: typeName(item), Value: valueText(item), Size: len(item.Data), Sum: sum(item.Data),
			Opaque: item.Type() == payload.TypeObject}
		before, ok := old.Items().Item(item.Key)
		switch {
		case !ok:
			line.State = added
			page.Added++
		case bytes.Equal(before.Data, item.Data):
			line.State = same
			page.Same++
		default:
			line.State = changed
			page.Changed++
		}
		switch item.Key {
		case "userName":
			page.Name = line.Value
		case "cart":
			line.Proof = prove(before, item)
		}
		page.Rows = append(page.Rows, line)
	}
	for item := range old.Items().All() {
		if !p.Items().Has(item.Key) {
			page.Rows = append(page.Rows, row{Key: item.Key, Type: typeName(item), State: missing})
		}
	}
	return page, nil
}

func prove(then, now payload.Item) *proof {
	return &proof{
		ThenSize: len(then.Data), NowSize: len(now.Data),
		ThenSum: sum(then.Data), NowSum: sum(now.Data),
		Same: bytes.Equal(then.Data, now.Data),
		Dump: hex.Dump(now.Data[:min(192, len(now.Data))]),
	}
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
