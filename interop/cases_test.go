package interop_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/session"
)

// A fillCase is one of fill.aspx's, and what Go changes in it.
type fillCase struct {
	name  string
	items int // that fill.aspx makes
	edit  string
	value any
	want  string // what check.aspx prints then
}

var cases = []fillCase{
	{name: "empty"},
	{name: "one-null", items: 1},
	{"strings", 13, "ascii", "from Go", "System.String = from Go"},
	{"integers", 16, "short", 7, "System.Int16 = 7"}, // a Go int keeps the item's type
	{"floats", 10, "m", clr.NewDecimal(250, 2), "System.Decimal = 2.50"},
	{"times", 9, "ts", 90 * time.Second, "System.TimeSpan = 00:01:30"},
	{name: "arrays", items: 11},
	{name: "collections", items: 22},
	{name: "cart", items: 1},
	{name: "custom", items: 9},
	{name: "datatable", items: 2},
	{name: "unknown", items: 3},
}

// A Go page changes one item and adds one beside every kind of value that the
// pages store; all others keep their bytes, and the other application reads them.
func TestGoChangesOneItem(t *testing.T) {
	w := enter(t, plain)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, w) })
	}
}

// The same under compression, for a primitive and an object.
func TestGoChangesOneItemCompressed(t *testing.T) {
	w := enter(t, compressed)
	for _, c := range cases {
		if c.name == "strings" || c.name == "cart" {
			t.Run(c.name, func(t *testing.T) { c.run(t, w) })
		}
	}
}

func (c fillCase) run(t *testing.T, w *world) {
	v := newVisitor(t)
	page := w.page(t, session.ReadWrite, func(_ context.Context, s *session.Session) (string, error) {
		if c.edit != "" {
			if err := s.Set(c.edit, c.value); err != nil {
				return "", err
			}
		}
		return "", s.Set("go", 4711)
	})

	require.Equal(t, v.get(w.a.URL("fill.aspx?case="+c.name)), v.id()+"\n")
	wrote, _ := w.stored(v)
	require.Len(t, wrote, c.items)
	before := lines(t, v.get(w.a.URL("check.aspx")), wrote)
	content := v.get(w.a.URL("get.aspx")) // it prints what is inside a cart and a list
	names, items := w.stored(v)
	require.Equal(t, wrote, names)

	v.get(page)
	namesGo, itemsGo := w.stored(v)
	require.Equal(t, append(names, "go"), namesGo, "names keep their order")
	require.Equal(t, without(items, c.edit), without(itemsGo, c.edit, "go"), "bytes of the items that Go did not set")

	after := lines(t, v.get(w.b.URL("check.aspx")), namesGo)
	want := before
	if c.edit != "" {
		want[c.edit] = c.want
	}
	want["go"] = "System.Int32 = 4711"
	require.Equal(t, want, after)
	if c.edit == "" {
		_, before, _ := strings.Cut(content, "\n")
		_, after, _ := strings.Cut(v.get(w.b.URL("get.aspx")), "\n")
		require.Equal(t, before+"go (System.Int32) = 4711\n", after)
	}

	// The page on b read every object and wrote it anew: the same bytes say that
	// nothing in them was lost on the way through Go.
	namesB, itemsB := w.stored(v)
	require.Equal(t, namesGo, namesB)
	require.Equal(t, itemsGo, itemsB)
}

// lines splits check.aspx's page into what it says of each item. Values have
// line breaks of their own, so the names say where a line starts.
func lines(t *testing.T, page string, names []string) map[string]string {
	t.Helper()
	m := make(map[string]string)
	rest := "\n" + page
	for i, name := range names {
		var ok bool
		rest, ok = strings.CutPrefix(rest, "\n"+name+" : ")
		require.True(t, ok, "%q is not the next item in %q", name, rest)
		next := "\nread "
		if i+1 < len(names) {
			next = "\n" + names[i+1] + " : "
		}
		end := strings.Index(rest, next)
		require.GreaterOrEqual(t, end, 0, "%q not found in %q", next, rest)
		m[name], rest = rest[:end], rest[end:]
	}
	require.Regexp(t, `^\nread \d+\n$`, rest)
	return m
}
