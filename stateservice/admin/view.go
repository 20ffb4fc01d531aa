package admin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/stateservice"
)

const (
	mostBody  = 8 << 20 // of a session that is opened, stored and inflated
	mostItems = 500     // that are shown
)

// sessionPage is one session.
type sessionPage struct {
	head
	Row     line
	Form    string // of the content
	Why     string // it cannot be shown
	Values  bool
	Items   []itemLine
	Statics []itemLine
	More    int
}

// An itemLine is one item.
type itemLine struct {
	node
	Unnamed bool
	Size    string
	Err     string
}

func (p *pages) session(w http.ResponseWriter, r *http.Request) {
	wanted, found := parseName(r.PathValue("name"))
	page := sessionPage{head: p.head(r, "Session "+wanted.String(), p.now()), Values: p.values}
	if found && !p.alone(w, r, func() { found = p.find(wanted, &page) }) {
		return
	}
	if !found {
		p.missing(w, r, "There is no such session: it has ended, or the link is from before the service was started.")
		return
	}
	p.render(w, http.StatusOK, "session", page)
}

// find looks for the session of a name and opens it.
func (p *pages) find(wanted name, page *sessionPage) bool {
	var key string
	found := false
	p.s.List(func(i stateservice.Info) bool {
		if p.names.name(i.Key) == wanted {
			key, found = i.Key, true
		}
		return !found
	})
	body, info, ok := p.s.Peek(key, mostBody)
	if !found || !ok {
		return false
	}
	page.Row = p.line(row{Info: info}, p.now())
	if body == nil {
		page.Form, page.Why = "not looked at", "It is larger than "+size(mostBody)+", which is as much as this page opens."
	} else {
		page.open(body, info.Size)
	}
	return true
}

// open shows what is in a content. Nothing in it says which form it has.
func (page *sessionPage) open(body []byte, stored int) {
	limits := payload.Limits{Bytes: mostBody}
	p, plainErr := payload.Open(body, limits)
	page.Form = "ASP.NET session, uncompressed"
	if plainErr != nil {
		var err error
		if p, err = payload.OpenDeflate(body, limits); err != nil {
			page.Form = "opaque"
			page.Why = "It is no ASP.NET session that this page can open. Read as uncompressed: " + reason(plainErr, page.Values) +
				". Read as compressed: " + reason(err, page.Values) + "."
			return
		}
		page.Form = fmt.Sprintf("ASP.NET session, compressed: %s are %s", size(int64(stored)), size(int64(p.Size())))
	}
	page.Form += fmt.Sprintf("; timeout %d min", p.Timeout())
	d := &drawer{values: page.Values}
	seen := 0
	for item := range p.Items().All() {
		if seen++; seen <= mostItems {
			page.Items = append(page.Items, d.item(item))
		}
	}
	page.More = max(seen-mostItems, 0)
	statics, err := p.StaticObjects()
	if err != nil {
		page.Why = "Its static objects cannot be read: " + reason(err, page.Values) + "."
	}
	for _, o := range statics[:min(len(statics), mostItems)] {
		if o.Instance {
			page.Statics = append(page.Statics, d.item(payload.Item{Index: o.Index, Key: o.Name, Data: o.Data, Offset: o.Offset}))
		} else {
			made := node{Name: tame(o.Name, nameWidth), Type: tame(plainType(o.TypeName), typeWidth), Content: "not made yet"}
			page.Statics = append(page.Statics, itemLine{node: made, Size: size(0)})
		}
	}
}

// item draws an item.
func (d *drawer) item(item payload.Item) itemLine {
	l := itemLine{node: node{Name: tame(item.Key, nameWidth)}, Unnamed: item.NullKey, Size: size(int64(len(item.Data)))}
	d.nodes++
	switch t := item.Type(); {
	case t == payload.TypeNull:
		l.Type = "null"
	case t >= payload.TypeString && t < payload.TypeNull:
		l.Type = t.String()
	case len(item.Data) > 0:
		l.Type = fmt.Sprintf("type id %d", item.Data[0])
	}
	x, err := item.Decode(nil)
	if stream, ok := x.(payload.Object); ok && err == nil {
		var g *nrbf.Graph
		if g, err = nrbf.Decode(stream, graphLimits); err == nil {
			root := d.node("", g.Root(), 0)
			root.Name = l.Name
			l.node = root
			return l
		}
	}
	if err != nil {
		l.Err = reason(err, d.values)
		return l
	}
	d.leaf(&l.node, x)
	return l
}

// reasons are what an error can be without its text, which may quote what is
// stored.
var reasons = []error{payload.ErrTruncated, payload.ErrCorrupt, payload.ErrLimit, payload.ErrUnknownType, payload.ErrEncoding,
	nrbf.ErrTruncated, nrbf.ErrCorrupt, nrbf.ErrLimit, nrbf.ErrUnsupported}

// reason is an error of package payload or nrbf for people.
func reason(err error, values bool) string {
	if values {
		return tame(err.Error(), 3*valueWidth)
	}
	why := "unreadable"
	for _, r := range reasons {
		if errors.Is(err, r) {
			why = r.Error()
			break
		}
	}
	var p *payload.Error
	var n *nrbf.Error
	switch {
	case errors.As(err, &p) && p.Offset >= 0:
		why = fmt.Sprintf("%s (%s at offset %d)", why, p.Field, p.Offset)
	case errors.As(err, &n) && n.Offset >= 0:
		why = fmt.Sprintf("%s (at offset %d of its stream)", why, n.Offset)
	}
	return tame(why, valueWidth)
}
