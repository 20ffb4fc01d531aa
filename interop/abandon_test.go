package interop_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
)

// Abandoned on any process, the session has ended on all: the next page, on any
// other, begins a new one, and all four share that.
func TestAbandonEndsTheSessionEverywhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, here := range w.sites() {
			for _, there := range w.sites() {
				if here.name == there.name {
					continue
				}
				v := newVisitor(t)
				for i, s := range w.sites() {
					require.Equal(t, strconv.Itoa(i+1), word(t, v.get(s.URL("slow.aspx?ms=0")), "n"))
				}
				id := v.id()
				v.get(here.URL("abandon.aspx"))
				_, err := w.store.Get(t.Context(), id)
				require.ErrorIs(t, err, session.ErrNotFound)
				require.Equal(t, id, v.id(), "abandoning keeps the cookie")

				page := v.get(there.URL("touch.aspx?n=1"))
				require.Equal(t, "True", word(t, page, "new"), "%s abandoned, %s goes on", here.name, there.name)
				require.Equal(t, "0", word(t, page, "count"))
				require.Equal(t, v.id(), word(t, page, "id"))
				require.Equal(t, there.byGo, v.id() == id, "Mono makes a new id, Go keeps it as Microsoft's ASP.NET does")
				for i, s := range w.sites() {
					require.Equal(t, strconv.Itoa(i+1), word(t, v.get(s.URL("slow.aspx?ms=0")), "n"), "the new session on %s", s.name)
				}
			}
		}
	})
}
