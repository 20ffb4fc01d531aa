package interop_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
)

// A cart that either side began is edited on the four processes in turns, ten
// times on each: lines are added, changed and removed, C# casts and uses it
// every time, and every page shows what all edits together make.
func TestCartEditedInTurns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sites := w.sites()
		for first := range 2 { // ASP.NET, then Go
			v := newVisitor(t)
			want := shoppingCart{Owner: "alice", Created: cartTime}
			for i := range 10 * len(sites) {
				line := cartLine{fmt.Sprintf("SKU-%d", i), i, clr.NewDecimal(int64(100*i+50), 2)}
				want.edit(line)
				s := sites[(first+i)%len(sites)]
				page := v.get(s.URL(fmt.Sprintf("cart.aspx?sku=%s&qty=%d&price=%s", line.Sku, line.Qty, line.Price)))
				require.Equal(t, want.String()+"\n", page, "edit %d, on %s", i, s.name)
			}
			require.Equal(t, "cart (Rig.ShoppingCart) = "+text(want)+"\n", v.get(w.b.URL("dump.aspx")))
			require.Equal(t, 10*len(sites)-1, want.Lines[0].Qty)
		}
	})
}
