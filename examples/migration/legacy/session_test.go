package legacy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// The C# classes as Go has them.
type (
	shoppingCart struct {
		Lines   []cartLine `net:"lines"`
		Owner   string
		Created time.Time
	}
	cartLine struct {
		Sku, Name string
		Qty       int32
		Price     clr.Decimal
	}
)

// fill is the visit that the capture is of.
func fill(t *testing.T, w *theWorld) *browser {
	t.Helper()
	b := newBrowser(t, w)
	p := b.open("/catalogue.aspx")
	for _, sku := range []string{"TEA", "CUP", "CUP"} {
		p = b.press(p, "add "+sku, nil)
	}
	b.press(b.open("/signin.aspx"), "sign in", map[string]string{"name": "Ada"})
	return b
}

// The items have the types that C# gave them, and Go reads what is in them.
func TestItemTypes(t *testing.T) {
	w := enter(t)
	before := time.Now().UTC().Add(-time.Second)
	b := fill(t, w)
	items := w.stored(t, b).Payload.Items()
	types := make(map[string]string)
	for item := range items.All() {
		types[item.Key] = item.TypeName()
	}
	require.Equal(t, map[string]string{
		"started": "System.DateTime", "startedBy": "System.String", "currency": "System.String", "prefs": "System.Collections.Hashtable",
		"cart": legacy.CartClass, "user": "System.String",
		"recent": "System.Collections.Generic.Queue`1[[System.String, mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]",
	}, types)

	started, err := payload.Value[time.Time](items, "started")
	require.NoError(t, err)
	require.WithinRange(t, started, before, time.Now().UTC().Add(time.Second), "in UTC")
	prefs, err := payload.Value[*nrbf.Graph](items, "prefs")
	require.NoError(t, err)
	dict, ok := nrbf.DictOf(prefs.Root())
	require.True(t, ok)
	require.Equal(t, 3, dict.Len())
	recent, err := payload.Value[[]string](items, "recent")
	require.NoError(t, err)
	require.Equal(t, []string{"TEA", "CUP"}, recent)

	g, err := payload.Value[*nrbf.Graph](items, "cart")
	require.NoError(t, err)
	require.Equal(t, legacy.CartClass, g.Root().Object().Class().Name())
	require.Equal(t, legacy.Assembly, g.Root().Object().Class().Library())
	require.Equal(t, []string{legacy.Assembly}, slices.Collect(g.Libraries()))
	lines, ok := nrbf.ListOf(g.Root().Object().Get("lines"))
	require.True(t, ok)
	require.Equal(t, legacy.LineClass, lines.At(0).Object().Class().Name())
	cart, err := payload.Value[shoppingCart](items, "cart")
	require.NoError(t, err)
	require.WithinRange(t, cart.Created, before, time.Now().UTC().Add(time.Second))
	cart.Created = time.Time{}
	require.Equal(t, shoppingCart{Owner: "Ada", Lines: []cartLine{
		{"TEA", "Darjeeling, 100 g", 1, clr.NewDecimal(790, 2)},
		{"CUP", "Stoneware cup", 2, clr.NewDecimal(1450, 2)},
	}}, cart)
}

// At most five are remembered.
func TestRecentIsShort(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	p := b.press(b.open("/catalogue.aspx"), "add TEA", nil)
	g, err := payload.Value[*nrbf.Graph](w.stored(t, b).Payload.Items(), "recent")
	require.NoError(t, err)
	list, ok := nrbf.ListOf(g.Root())
	require.True(t, ok)
	require.NoError(t, list.Append("A", "B", "C", "D"))
	w.set(t, b, "recent", g)
	p = b.press(p, "add POT", nil)
	require.Equal(t, "A, B, C, D, POT", p.field(t, "recent"))
}

// A visit that begins in the Go half gets what Session_Start sets: start.aspx is
// what a Bootstrap asks for, and does no more than that.
func TestStartPageRunsSessionStart(t *testing.T) {
	w := enter(t)
	boot := middleware.Bootstrap(w.app.URL("start.aspx"), middleware.Cookie{}, nil)
	id, err := boot(t.Context(), "gobeginsthissession01234")
	require.NoError(t, err)
	rec, err := w.store.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []string{"started", "startedBy", "currency", "prefs"}, rec.Payload.Items().Keys())
	by, err := payload.Value[string](rec.Payload.Items(), "startedBy")
	require.NoError(t, err)
	require.Equal(t, "ASP.NET", by)

	again, err := boot(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, id, again, "it is there")
	require.Equal(t, "started\n", newBrowser(t, w).open("/start.aspx").text)
}

// A page with EnableSessionState="ReadOnly" takes no lock; the others do.
func TestReadOnlyPageTakesNoLock(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	b.open("/catalogue.aspx")
	taken := func() int64 { // the lock cookie counts the takings
		rec, err := w.store.Acquire(t.Context(), b.id(), 0)
		require.NoError(t, err)
		require.NoError(t, w.store.Release(t.Context(), b.id(), rec.Lock))
		return rec.Lock.Number()
	}
	n := taken()
	b.open("/prices.aspx")
	require.Equal(t, n+1, taken(), "mine alone")
	b.open("/cart.aspx")
	require.Equal(t, n+3, taken())
}

// A visit that starts on the read-only page lacks nothing later.
func TestReadOnlyPageComesFirst(t *testing.T) {
	w := enter(t)
	b := newBrowser(t, w)
	require.Equal(t, "7.90 EUR", b.open("/prices.aspx").field(t, "price TEA"))
	b.press(b.open("/catalogue.aspx"), "add TEA", nil)
	for _, key := range []string{"started", "startedBy", "currency", "prefs", "cart"} {
		require.True(t, w.stored(t, b).Payload.Items().Has(key), key)
	}
}

// health.aspx is asked by machines: it leaves no session behind.
func TestHealthHasNoSession(t *testing.T) {
	w := enter(t)
	require.Empty(t, newBrowser(t, w).open("/health.aspx").header["Set-Cookie"])
}
