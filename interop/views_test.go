package interop_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/session"
)

// Collections that C# stored, changed by Go through nrbf's views, are read,
// searched and added to by C#.
func TestViewsEditWhatPagesUse(t *testing.T) {
	w := enter(t, plain)
	edit := w.page(t, session.ReadWrite, func(_ context.Context, s *session.Session) (string, error) {
		list := func(v nrbf.Value, elem any) error {
			l, ok := nrbf.ListOf(v)
			if !ok {
				return errors.New("no list")
			}
			return l.Append(elem)
		}
		dict := func(v nrbf.Value, key, elem any) error {
			d, ok := nrbf.DictOf(v)
			if !ok {
				return errors.New("no dictionary")
			}
			return d.Set(key, elem)
		}
		for key, change := range map[string]func(v nrbf.Value) error{
			"ls":  func(v nrbf.Value) error { return list(v, "go") },
			"li":  func(v nrbf.Value) error { return list(v, int32(7)) },
			"dsi": func(v nrbf.Value) error { return dict(v, "go", int32(7)) },
			"dis": func(v nrbf.Value) error { return dict(v, int32(5), "changed") },
			"al":  func(v nrbf.Value) error { return list(v, "go") },
			"ht":  func(v nrbf.Value) error { return dict(v, "go", "added") },
			"hs":  func(v nrbf.Value) error { return list(v, "go") },
			"q":   func(v nrbf.Value) error { return list(v, "go") },
			"st":  func(v nrbf.Value) error { return list(v, int32(7)) },
			"sl":  func(v nrbf.Value) error { return dict(v, "go", int32(7)) },
			"ll":  func(v nrbf.Value) error { return list(v, "go") },
		} {
			g, err := session.Value[*nrbf.Graph](s, key)
			if err == nil {
				err = change(g.Root())
			}
			if err == nil {
				err = s.Set(key, g)
			}
			if err != nil {
				return "", fmt.Errorf("%s: %w", key, err)
			}
		}
		return "edited", s.Set("enum", 6)
	})
	v := newVisitor(t)
	v.get(w.a.URL("fill.aspx?case=collections"))
	require.Equal(t, "edited", v.get(edit))
	require.Equal(t, `ls a,bb,ccc,go,+
li 1,2,3,7,9
dsi +=9,go=7,one=1,two=2
dsi go 7
dis 5=changed!
al 1,two,3,go,+
ht +=1,go=added,k=v
ht go added
hs +,go,h
hs go True
q q1,q2,go,+
q first q1
st 9,7,2,1
sl a=1,b=2,go=7,z=9
sl go 7
ll +,l1,l2,go
ver 1.2.3.4
enum Saturday
`, v.get(w.b.URL("views.aspx")))
}
