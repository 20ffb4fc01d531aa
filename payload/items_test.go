package payload_test

import (
	"encoding/json"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/payload"
)

func open(t testing.TB, name string) *payload.Payload {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".bin")
	require.NoError(t, err)
	p, err := payload.Open(data, payload.Limits{})
	require.NoError(t, err)
	return p
}

func TestKeysIgnoreCaseAndKeepTheirSpelling(t *testing.T) {
	it := payload.NewItems(payload.Limits{})
	for _, row := range []struct{ set, get string }{
		{"userName", "USERNAME"},
		{"", ""},
		{"with space", "WITH SPACE"},
		{"Größe", "GRÖßE"},
		{"ελλάς", "ΕΛΛΆΣ"},
		{"K", "\u212a"}, // the Kelvin sign folds to k
		{"exactly8", "EXACTLY8"},
		{strings.Repeat("long", 40), strings.Repeat("LONG", 40)},
	} {
		require.NoError(t, it.Set(row.set, row.set))
		n := it.Len()
		require.NoError(t, it.Set(row.get, "again"))
		require.Equal(t, n, it.Len(), row.set)
		require.Contains(t, it.Keys(), row.set)
		got, ok, err := it.Get(row.get)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "again", got)
	}
	// Characters that only look related stay apart, as under .NET's invariant rules.
	require.NoError(t, it.Set("title", 1))
	require.NoError(t, it.Set("tıtle", 2))
	require.NoError(t, it.Set("TİTLE", 3))
	for i, key := range []string{"TITLE", "tıtle", "TİTLE"} {
		n, err := payload.Value[int](it, key)
		require.NoError(t, err)
		require.Equal(t, i+1, n)
	}
}

func TestManyItemsAreFoundAndRemoved(t *testing.T) {
	it := payload.NewItems(payload.Limits{})
	key := func(i int) string {
		return "Item" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + time.Duration(i).String()
	}
	const n = 2000
	for i := range n {
		require.NoError(t, it.Set(key(i), i))
	}
	for i := 0; i < n; i += 3 {
		require.True(t, it.Remove(strings.ToUpper(key(i))))
		require.False(t, it.Remove(key(i)))
	}
	for i := range n {
		v, ok, err := it.Get(strings.ToLower(key(i)))
		require.NoError(t, err)
		require.Equal(t, i%3 != 0, ok, key(i))
		if ok {
			require.Equal(t, int32(i), v)
		}
	}
	data, err := it.Append(nil)
	require.NoError(t, err)
	back, err := payload.OpenItems(data, payload.Limits{})
	require.NoError(t, err)
	require.Equal(t, it.Keys(), back.Keys())
}

func TestChangesAreTracked(t *testing.T) {
	p := open(t, "store-strings") // user, lang, empty
	it := p.Items()
	require.False(t, p.Dirty())

	require.NoError(t, it.Set("LANG", "de-DE"))
	require.NoError(t, it.Set("new", 1))
	require.True(t, it.Remove("User"))
	require.True(t, it.Remove("NEW"))
	require.NoError(t, it.Set("newer", 2))
	require.True(t, it.Dirty())
	c := it.Changes()
	require.False(t, c.Cleared)
	require.Equal(t, []string{"user"}, c.Removed, "only what the store has can be removed from it")
	require.Len(t, c.Set, 2)
	require.Equal(t, "lang", c.Set[0].Key, "the stored spelling")
	require.Equal(t, "newer", c.Set[1].Key)
	require.Equal(t, payload.Typed, c.Set[0].Encoding)

	it.Commit()
	require.False(t, it.Dirty())
	require.Equal(t, payload.Changes{}, it.Changes())
	require.Equal(t, []string{"lang", "empty", "newer"}, it.Keys())
	require.True(t, it.Remove("newer"))
	require.Equal(t, []string{"newer"}, it.Changes().Removed, "committed, so the store has it")
	require.NoError(t, it.Set("Newer", 3))
	require.Equal(t, []string{"newer"}, it.Changes().Removed, "set again in another spelling, it is both")
	require.True(t, it.Remove("newer"))
	require.NoError(t, it.Set("newer", 3))
	require.Empty(t, it.Changes().Removed, "removed and set again is a change")

	it.Clear()
	require.Equal(t, payload.Changes{Cleared: true}, it.Changes())
	require.NoError(t, it.Set("after", true))
	c = it.Changes()
	require.True(t, c.Cleared)
	require.Len(t, c.Set, 1)

	require.False(t, p.TimeoutChanged())
	p.SetTimeout(31)
	require.True(t, p.TimeoutChanged())
	p.Commit()
	require.False(t, p.Dirty())
	out, err := p.Append(nil)
	require.NoError(t, err)
	require.Equal(t, byte(31), out[0], "committed changes are written, not the bytes opened once")
}

// The Dirty flag after each operation, beside the real collection's. We do not
// follow it where it is dirty without a change: reading gives copies here, and
// removing nothing changes nothing.
func TestDirtyBesideDotNet(t *testing.T) {
	var rows []struct {
		Operation  string
		DirtyAfter *bool
	}
	b, err := os.ReadFile("testdata/dirty.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &rows))
	differs := map[string]string{
		"new collection, Remove missing": "nothing was removed",
		"loaded, remove missing":         "nothing was removed",
		"loaded, get List<int>":          "what was read is a copy",
		"loaded, get enum":               "what was read is a copy",
		"loaded, get DBNull":             "what was read is a copy",
		"loaded, get by index List<int>": "what was read is a copy",
	}
	get := func(it *payload.Items) { _, _, _ = it.Get("lang"); _, _, _ = it.Get("missing"); it.Keys(); it.Len() }
	do := map[string]func(it *payload.Items){
		"Set":                func(it *payload.Items) { _ = it.Set("a", 1) },
		"Clear (empty)":      (*payload.Items).Clear,
		"Clear":              (*payload.Items).Clear,
		"Remove missing":     func(it *payload.Items) { it.Remove("missing") },
		"remove missing":     func(it *payload.Items) { it.Remove("missing") },
		"remove existing":    func(it *payload.Items) { it.Remove("lang") },
		"RemoveAt 0":         func(it *payload.Items) { it.Remove(it.Keys()[0]) },
		"set same value":     func(it *payload.Items) { _ = it.Set("lang", "fr-FR") },
		"set by index":       func(it *payload.Items) { _ = it.Set(it.Keys()[1], "x") },
		"Serialize":          func(it *payload.Items) { _, _ = it.Append(nil) },
		"get by index Int32": get,
	}
	for _, row := range rows {
		if row.DirtyAfter == nil {
			continue // an index out of range, which this interface does not have
		}
		where, what, _ := strings.Cut(row.Operation, ", ")
		it := payload.NewItems(payload.Limits{})
		if where == "loaded" {
			it = open(t, "store-strings").Items()
		}
		if f := do[what]; f != nil {
			f(it)
		} else if what != "" && what != "nothing" {
			get(it)
		}
		want := *row.DirtyAfter
		if differs[row.Operation] != "" {
			want = false
		}
		require.Equal(t, want, it.Dirty(), row.Operation)
	}
}

func TestNullKeyAndStaticTailAreCarried(t *testing.T) {
	p := open(t, "store-null-key")
	it := p.Items()
	before := 0
	for range it.All() {
		before++
	}
	require.Equal(t, before-1, it.Len())
	require.NoError(t, it.Set("", "the empty key is another"))
	require.NoError(t, it.Set("z", 1))
	require.True(t, it.Remove(it.Keys()[0]))
	out, err := p.Append(nil)
	require.NoError(t, err)
	q, err := payload.Open(out, payload.Limits{})
	require.NoError(t, err)
	found := 0
	for item := range q.Items().All() {
		if item.NullKey {
			found++
			for old := range open(t, "store-null-key").Items().All() {
				if old.NullKey {
					require.Equal(t, old.Data, item.Data)
				}
			}
		}
	}
	require.Equal(t, 1, found)
	q.Items().Clear()
	require.True(t, q.Items().Empty(), "Clear takes the null key too, as .NET's does")

	s := open(t, "store-static-mixed")
	tail := string(s.Static())
	require.NoError(t, s.Items().Set("a", 1))
	s.Items().Clear()
	require.NoError(t, s.Items().Set("b", 2))
	out, err = s.Append(nil)
	require.NoError(t, err)
	s, err = payload.Open(out, payload.Limits{})
	require.NoError(t, err)
	require.Equal(t, tail, string(s.Static()))
}

// A static object's length is inside its stream: the tail is kept whole.
func TestStaticObjectOfAClassIsCarried(t *testing.T) {
	object := open(t, "store-mixed")
	cart, ok := object.Items().Item("cart")
	require.True(t, ok)
	frame := []byte{20, 0, 0, 0, 0, 1, 1, 0, 0, 0, 4, 'c', 'a', 'r', 't', 1}
	frame = append(append(frame, cart.Data...), payload.Trailer)
	p, err := payload.Open(frame, payload.Limits{})
	require.NoError(t, err)
	list, err := p.StaticObjects()
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, cart.Data, list[0].Data)
	require.NoError(t, p.Items().Set("n", 1))
	out, err := p.Append(nil)
	require.NoError(t, err)
	q, err := payload.Open(out, payload.Limits{})
	require.NoError(t, err)
	require.Equal(t, p.Static(), q.Static())
}

func TestSettingOneItemForEverKeepsOneValue(t *testing.T) {
	it := payload.NewItems(payload.Limits{Bytes: 1 << 20})
	big := strings.Repeat("v", 50_000)
	require.NoError(t, it.Set("kept", "kept"))
	for range 10_000 {
		require.NoError(t, it.Set("big", big))
	}
	require.Equal(t, []string{"kept", "big"}, it.Keys())
	v, err := payload.Value[string](it, "kept")
	require.NoError(t, err)
	require.Equal(t, "kept", v)
	require.ErrorIs(t, it.Set("too big", strings.Repeat("v", 2<<20)), payload.ErrLimit)
	require.False(t, it.Has("too big"))
}

func TestLimits(t *testing.T) {
	data, err := os.ReadFile("testdata/store-count-500.bin")
	require.NoError(t, err)
	_, err = payload.Open(data, payload.Limits{Items: 499})
	require.ErrorIs(t, err, payload.ErrLimit)
	_, err = payload.Open(data, payload.Limits{Bytes: len(data) - 1})
	require.ErrorIs(t, err, payload.ErrLimit)
	_, err = payload.Open(data, payload.Limits{Items: 500, Bytes: len(data)})
	require.NoError(t, err)

	data, err = os.ReadFile("testdata/deflate-zeros-300k.bin")
	require.NoError(t, err)
	_, err = payload.OpenDeflate(data, payload.Limits{Bytes: 300_000})
	require.ErrorIs(t, err, payload.ErrLimit)
	_, err = payload.OpenDeflate(data, payload.Limits{Bytes: 300_053})
	require.NoError(t, err)

	it := payload.NewItems(payload.Limits{Items: 1})
	require.NoError(t, it.Set("a", 1))
	require.ErrorIs(t, it.Set("b", 1), payload.ErrLimit)
	require.NoError(t, it.Set("A", 2))
	require.ErrorIs(t, it.Load("c", payload.Stream, nil), payload.ErrLimit)
}

// Hash layouts keep items apart: bare streams, or a serializer's own bytes.
func TestItemsOfOtherEncodings(t *testing.T) {
	cart, ok := open(t, "store-mixed").Items().Item("cart")
	require.True(t, ok)
	stream := cart.Data[1:]
	it := payload.NewItems(payload.Limits{})
	require.NoError(t, it.Load("Cart", payload.Stream, stream))
	require.NoError(t, it.Load("json", payload.Foreign, []byte(`{"a":1}`)))
	require.ErrorIs(t, it.Load("CART", payload.Stream, stream), payload.ErrCorrupt)
	require.False(t, it.Dirty(), "loading is no change")

	v, ok, err := it.Get("cart")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, payload.Object(stream), v)
	_, _, err = it.Get("json")
	require.ErrorIs(t, err, payload.ErrEncoding)
	require.ErrorContains(t, err, `"json"`)

	_, err = it.Append(nil)
	require.ErrorIs(t, err, payload.ErrEncoding)
	require.True(t, it.Remove("json"))
	out, err := it.Append(nil)
	require.NoError(t, err)
	require.Len(t, out, it.Size())
	back, err := payload.OpenItems(out, payload.Limits{})
	require.NoError(t, err)
	item, _ := back.Item("cart")
	require.Equal(t, cart.Data, item.Data, "in a collection a stream is type 20")

	require.NoError(t, it.Set("cart", "now a string"))
	require.Equal(t, payload.Typed, it.Changes().Set[0].Encoding)
}

func TestTimesAreReadInTheSitesZone(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	it := payload.NewItems(payload.Limits{})
	it.SetLocation(newYork)
	moment := time.Date(2024, 2, 29, 17, 34, 56, 789_123_499, time.UTC)
	require.NoError(t, it.Set("t", moment))
	got, err := payload.Value[time.Time](it, "t")
	require.NoError(t, err)
	require.True(t, got.Equal(moment.Truncate(100*time.Nanosecond)), got)
	raw, err := payload.Value[clr.DateTime](it, "t")
	require.NoError(t, err)
	require.Equal(t, "2024-02-29T12:34:56.7891234 Unspecified", raw.String(), "what C# sees is New York's wall clock")
	it.SetLocation(nil)
	got, err = payload.Value[time.Time](it, "t")
	require.NoError(t, err)
	require.Equal(t, "2024-02-29T12:34:56.7891234Z", got.Format(time.RFC3339Nano))
	require.ErrorIs(t, it.Set("t", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), payload.ErrNoForm)
	require.ErrorIs(t, it.Set("t", time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC)), payload.ErrNoForm)
	require.ErrorIs(t, it.Set("t", clr.DateTime{Ticks: math.MaxInt64}), payload.ErrNoForm)
}

// Names that an attacker chose so that a hash he can compute gives them all one
// value: finding each must not mean looking at all.
func TestNamesMadeToCollideAreNoTrap(t *testing.T) {
	const n = 1 << 15
	it := payload.NewItems(payload.Limits{})
	for i := range n {
		key := []byte("00000000000000000000")
		for b := range 16 {
			if i>>b&1 != 0 {
				key[b] = 0x10 // like '0' but for the bit that folding ignores
			}
		}
		require.NoError(t, it.Set(string(key), i))
	}
	data, err := it.Append(nil)
	require.NoError(t, err)
	back, err := payload.OpenItems(data, payload.Limits{})
	require.NoError(t, err)
	require.Equal(t, n, back.Len())
	v, err := payload.Value[int](back, "\x10000000000000000000"+"0")
	require.NoError(t, err)
	require.Equal(t, 1, v)
}

// Opening copies no value: a big one costs what a small one does.
func TestOpeningCopiesNoValue(t *testing.T) {
	costs := func(size int) (allocs float64, bytes uint64) {
		p := payload.New(20, payload.Limits{})
		require.NoError(t, p.Items().Set("a", strings.Repeat("x", size)))
		data, err := p.Append(nil)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		allocs = testing.AllocsPerRun(10, func() {
			if _, err := payload.Open(data, payload.Limits{}); err != nil {
				t.Fatal(err)
			}
		})
		runtime.ReadMemStats(&after)
		return allocs, after.TotalAlloc - before.TotalAlloc
	}
	allocs, _ := costs(10)
	bigAllocs, bigBytes := costs(10 << 20)
	require.Equal(t, 1.0, allocs)
	require.Equal(t, 1.0, bigAllocs)
	require.Less(t, bigBytes, uint64(1<<20))
}
