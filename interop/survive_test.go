package interop_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
)

// What Go cannot name stays as it is, byte for byte, while pages touch another
// item: graphs that hold themselves, private generic classes, an item without a
// name, DataTables, ISerializable, collections. First in 100 round trips over the
// Go sites, then in 100 over all four, of which the pages in C# read every object
// and write it anew: the same bytes say that nothing in it was lost.
func TestUnknownItemsSurvive(t *testing.T) {
	const trips = 100
	each(t, func(t *testing.T, w *world) {
		v := newVisitor(t)
		for _, c := range []string{"unknown", "custom", "datatable", "collections", "arrays"} {
			v.get(w.a.URL("fill.aspx?case=" + c))
		}
		v.get(w.g.URL("touch.aspx?n=-1"))
		names, items := w.stored(v)
		require.Len(t, names, 3+9+2+22+11+1)
		require.Contains(t, names, "", "the item without a name")
		round := func(sites ...site) {
			for i := range trips {
				s := sites[i%len(sites)]
				require.Equal(t, "False", word(t, v.get(s.URL(fmt.Sprint("touch.aspx?n=", i))), "new"), s.name)
				gotNames, got := w.stored(v)
				require.Equal(t, names, gotNames)
				require.Equal(t, without(items, "touched"), without(got, "touched"), "after round trip %d, on %s", i, s.name)
				require.Equal(t, []byte{byte(payload.TypeInt32), byte(i), 0, 0, 0}, got["touched"])
			}
		}
		all := w.sites()
		round(all[1], all[3])
		round(all...)
	})
}

// Static objects (<object runat="server" scope="session">) stand behind the
// items in the frame. The provider here has none, so these are from
// elsewhere, and 100 round trips go over the Go sites only.
func TestStaticObjectsSurvive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		frame, err := os.ReadFile("testdata/static-objects.bin")
		require.NoError(t, err)
		p, err := payload.Open(frame, payload.Limits{})
		require.NoError(t, err)
		require.NotEmpty(t, p.Static())
		v := newVisitor(t)
		v.get(w.a.URL("fill.aspx?case=custom"))
		rec, err := w.store.Acquire(t.Context(), v.id(), 0)
		require.NoError(t, err)
		for item := range rec.Payload.Items().All() {
			require.NoError(t, p.Items().Put(item))
		}
		require.NoError(t, w.store.Save(t.Context(), v.id(), rec.Lock, p))
		_, items := w.stored(v)
		require.Len(t, items, 9)
		for i := range 100 {
			v.get([]site{w.sites()[1], w.sites()[3]}[i%2].URL(fmt.Sprint("touch.aspx?n=", i)))
		}
		rec, err = w.store.Get(t.Context(), v.id())
		require.NoError(t, err)
		require.Equal(t, p.Static(), rec.Payload.Static())
		_, after := w.stored(v)
		require.Equal(t, items, without(after, "touched"))
		n, err := payload.Value[int](rec.Payload.Items(), "touched")
		require.NoError(t, err)
		require.Equal(t, 99, n)
	})
}
