package payload_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/payload"
)

// A vector is one entry of testdata/manifest.json: bytes made by Microsoft's
// published serializer, and what they hold.
type vector struct {
	Name, File, Framing string
	TimeoutMinutes      int32
	HasStaticObjects    bool
	Items               []vectorItem
	StaticObjects       []struct {
		Name        string
		HasInstance bool
		TypeID      payload.Type `json:"typeId"`
		Value       string
		TypeName    string
		LateBound   bool
	}

	// Of testdata/bad only.
	Outcome, Stage, Notes string
	ItemIndex             int
}

type vectorItem struct {
	Key         *string
	TypeID      payload.Type `json:"typeId"`
	Value       json.RawMessage
	Bits        json.RawMessage
	ValueOffset int
	ValueLength int
	Exception   string
}

func vectors(t testing.TB, manifest string) []vector {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", manifest))
	require.NoError(t, err)
	var list []vector
	require.NoError(t, json.Unmarshal(b, &list))
	require.NotEmpty(t, list)
	return list
}

func (v vector) read(t testing.TB, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", dir, v.File))
	require.NoError(t, err)
	return b
}

// open opens a vector in its framing; save is the way back, uncompressed.
func (v vector) open(data []byte, limits payload.Limits) (items *payload.Items, p *payload.Payload, err error) {
	switch v.Framing {
	case "items":
		items, err = payload.OpenItems(data, limits)
		return items, nil, err
	case "store":
		p, err = payload.Open(data, limits)
	case "store-deflate":
		p, err = payload.OpenDeflate(data, limits)
	}
	if err != nil {
		return nil, nil, err
	}
	return p.Items(), p, nil
}

func save(t testing.TB, items *payload.Items, p *payload.Payload) []byte {
	t.Helper()
	var out []byte
	var err error
	size := 0
	if p != nil {
		size = p.Size()
		out, err = p.Append(nil)
	} else {
		size = items.Size()
		out, err = items.Append(nil)
	}
	require.NoError(t, err)
	require.Len(t, out, size, "Size must be what Append writes")
	return out
}

// plain is the vector's uncompressed form.
func (v vector) plain(t testing.TB, data []byte) []byte {
	if v.Framing != "store-deflate" {
		return data
	}
	return inflateForTest(t, data)
}

func TestVectorsDecodeToTheirManifest(t *testing.T) {
	primitive := 0
	for _, v := range vectors(t, "manifest.json") {
		t.Run(v.Name, func(t *testing.T) {
			data := v.read(t, "")
			items, p, err := v.open(data, payload.Limits{})
			require.NoError(t, err)
			if p != nil {
				require.Equal(t, v.TimeoutMinutes, p.Timeout())
				require.Equal(t, v.HasStaticObjects, p.Static() != nil)
				checkStatic(t, v, p)
			}
			plain := v.plain(t, data)
			i := 0
			for item := range items.All() {
				want := v.Items[i]
				i++
				require.Equal(t, want.Key == nil, item.NullKey)
				if want.Key != nil {
					require.Equal(t, *want.Key, item.Key)
				}
				require.Equal(t, want.TypeID, item.Type(), item.Key)
				require.Equal(t, want.ValueOffset, item.Offset, item.Key)
				require.Equal(t, plain[want.ValueOffset:want.ValueOffset+want.ValueLength], item.Data, item.Key)
				value, err := item.Decode(nil)
				require.NoError(t, err, item.Key)
				requireValue(t, want, value)
				if want.Key != nil {
					got, ok, err := items.Get(strings.ToUpper(*want.Key))
					if strings.EqualFold(strings.ToUpper(*want.Key), *want.Key) {
						require.NoError(t, err)
						require.True(t, ok)
						requireValue(t, want, got)
					}
				}
			}
			require.Equal(t, len(v.Items), i)
			require.False(t, items.Dirty(), "reading is no change")

			// Decoded and encoded again, the bytes are the same.
			require.NoError(t, items.Recode())
			require.Equal(t, plain, save(t, items, p))
			if p != nil && v.Framing == "store-deflate" {
				squeezed, err := p.AppendDeflate(nil)
				require.NoError(t, err)
				require.Equal(t, byte(payload.Trailer), squeezed[len(squeezed)-1])
				require.Equal(t, plain, inflateForTest(t, squeezed))
			}
			primitive++
		})
	}
	require.Greater(t, primitive, 50)
}

func TestVectorsSurviveOpenAndSave(t *testing.T) {
	for _, v := range vectors(t, "manifest.json") {
		data := v.read(t, "")
		items, p, err := v.open(data, payload.Limits{})
		require.NoError(t, err, v.Name)
		plain := v.plain(t, data)
		require.Equal(t, plain, save(t, items, p), v.Name)

		// A change of one item leaves every other byte of every other item.
		require.NoError(t, items.Set("Added by Go", "x"), v.Name)
		edited := save(t, items, p)
		again, q, err := v.reopen(edited)
		require.NoError(t, err, v.Name)
		i := 0
		for item := range again.All() {
			if i == len(v.Items) {
				require.Equal(t, "Added by Go", item.Key)
				break
			}
			want := v.Items[i]
			require.Equal(t, want.Key == nil, item.NullKey, v.Name)
			require.Equal(t, plain[want.ValueOffset:want.ValueOffset+want.ValueLength], item.Data, v.Name)
			i++
		}
		// Taken out again, the file is what it was.
		require.True(t, again.Remove("added BY go"))
		if v.Name != "store-empty" {
			require.Equal(t, plain, save(t, again, q), v.Name)
		}
	}
}

// reopen opens an uncompressed form.
func (v vector) reopen(plain []byte) (*payload.Items, *payload.Payload, error) {
	if v.Framing == "store-deflate" {
		v.Framing = "store"
	}
	return v.open(plain, payload.Limits{})
}

func checkStatic(t *testing.T, v vector, p *payload.Payload) {
	t.Helper()
	list, err := p.StaticObjects()
	require.NoError(t, err)
	require.Len(t, list, len(v.StaticObjects))
	for i, want := range v.StaticObjects {
		got := list[i]
		require.Equal(t, want.Name, got.Name)
		require.Equal(t, want.HasInstance, got.Instance)
		require.Equal(t, want.TypeName, got.TypeName)
		require.Equal(t, want.LateBound, got.LateBound)
		require.Equal(t, want.TypeID, got.Type())
		value, err := got.Decode(nil)
		require.NoError(t, err)
		if want.HasInstance {
			require.Equal(t, want.Value, value)
		}
	}
}

// requireValue compares a decoded value with the manifest's form of it.
func requireValue(t *testing.T, want vectorItem, got any) {
	t.Helper()
	var text string
	_ = json.Unmarshal(want.Value, &text)
	var number json.Number
	_ = json.Unmarshal(want.Value, &number)
	switch want.TypeID {
	case payload.TypeString:
		var big struct {
			U16 *int `json:"$utf16Length"`
			U8  int  `json:"$utf8Length"`
		}
		if json.Unmarshal(want.Value, &big) == nil && big.U16 != nil {
			require.Len(t, utf16.Encode([]rune(got.(string))), *big.U16)
			require.Len(t, got.(string), big.U8)
			return
		}
		require.Equal(t, text, got)
	case payload.TypeBoolean:
		require.Equal(t, string(want.Value), fmt.Sprint(got))
	case payload.TypeInt32, payload.TypeByte, payload.TypeSByte, payload.TypeInt16, payload.TypeUInt16, payload.TypeUInt32:
		require.Equal(t, number.String(), fmt.Sprint(got))
	case payload.TypeInt64, payload.TypeUInt64, payload.TypeIntPtr, payload.TypeUIntPtr:
		require.Equal(t, text, fmt.Sprint(got))
	case payload.TypeChar:
		require.Equal(t, number.String(), strconv.Itoa(int(got.(clr.Char))))
	case payload.TypeDateTime:
		var d struct{ Ticks, Kind string }
		require.NoError(t, json.Unmarshal(want.Value, &d))
		dt, err := clr.DateTimeOf(got.(time.Time))
		require.NoError(t, err)
		require.Equal(t, d.Ticks, strconv.FormatInt(dt.Ticks, 10))
	case payload.TypeDecimal:
		require.Equal(t, text, got.(clr.Decimal).String())
		var bits [4]int32
		require.NoError(t, json.Unmarshal(want.Bits, &bits))
		require.Equal(t, bits, got.(clr.Decimal).Bits())
		back, err := clr.ParseDecimal(text)
		require.NoError(t, err)
		require.Equal(t, got, back)
	case payload.TypeSingle, payload.TypeDouble:
		var bits string
		require.NoError(t, json.Unmarshal(want.Bits, &bits))
		require.Equal(t, bits, floatBits(got))
	case payload.TypeTimeSpan:
		switch s := got.(type) {
		case time.Duration:
			require.Equal(t, text, strconv.FormatInt(int64(clr.TimeSpanOf(s)), 10))
		case clr.TimeSpan:
			require.Equal(t, text, strconv.FormatInt(int64(s), 10))
		}
	case payload.TypeGuid:
		require.Equal(t, text, got.(clr.Guid).String())
	case payload.TypeObject:
		require.IsType(t, payload.Object{}, got)
		require.Len(t, got, want.ValueLength-1)
	case payload.TypeNull:
		require.Nil(t, got)
	default:
		t.Fatalf("type id %d", want.TypeID)
	}
}

// What the real reader accepts and we refuse, with the reason. "open" refuses
// the session, "item" one value of it; its neighbours stay readable.
var stricter = map[string]struct{ stage, reason string }{
	"items-off-decreasing":       {"open", "falling end offsets: .NET reads values out of their place, and fails to write them back"},
	"items-off-first-neg":        {"open", "a negative end offset, as above"},
	"items-off-swapped-regions":  {"open", "falling end offsets, as above"},
	"store-count-neg":            {"open", "a negative count hides items that would be lost on the next save"},
	"store-count-neg-with-data":  {"open", "a negative count: here it does hide two items"},
	"items-off-equal":            {"item", "an item without bytes: .NET reads its neighbour's"},
	"items-off-inside-value":     {"item", "a value cut short: .NET reads on into its neighbour"},
	"val-overrun-into-next":      {"item", "a value cut short, as above"},
	"val-string-len-past-region": {"item", "a string longer than its item: .NET reads its neighbour's bytes as text"},
	"val-typeid-0":               {"item", "an unknown type id is no null: who is told nil may overwrite what is there"},
	"val-typeid-22":              {"item", "unknown type id"},
	"val-typeid-23":              {"item", "unknown type id"},
	"val-typeid-64":              {"item", "unknown type id"},
	"val-typeid-127":             {"item", "unknown type id"},
	"val-typeid-128":             {"item", "unknown type id"},
	"val-typeid-255":             {"item", "unknown type id"},
}

// Item errors of the real reader that are none here, with the reason.
var laxer = map[string]string{
	"val-trunc-intptr":  "four bytes are the value of a 32-bit process, not a value cut short",
	"val-trunc-uintptr": "the same",
}

func TestBadVectors(t *testing.T) {
	used := map[string]bool{}
	for _, v := range vectors(t, "bad/manifest-bad.json") {
		t.Run(v.Name, func(t *testing.T) {
			used[v.Name] = true
			data := v.read(t, "bad")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			items, p, err := v.open(data, payload.Limits{})
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "allocated by opening %d bytes", len(data))

			rule := stricter[v.Name]
			if v.Outcome == "error" && v.Stage == "deserialize" || rule.stage == "open" {
				requireError(t, err)
				return
			}
			if v.Name == "items-off-middle-huge" {
				requireError(t, err) // an item error there: offsets that fall are found at once here
				return
			}
			require.NoError(t, err)
			failed := 0
			for item := range items.All() {
				value, err := item.Decode(nil)
				if err != nil {
					failed++
					requireError(t, err)
					require.Contains(t, err.Error(), strconv.Quote(item.Key))
					continue
				}
				want := v.Items[item.Index]
				if want.Exception == "" && rule.stage == "" && want.TypeID != payload.TypeIntPtr {
					// A 32-bit writer's IntPtr has four bytes; .NET on 64 bits reads
					// eight, the neighbour's too.
					requireValue(t, want, value)
				}
			}
			if v.Outcome == "error" && laxer[v.Name] == "" || rule.stage == "item" {
				require.Positive(t, failed, "the real reader fails at an item here")
			} else {
				require.Zero(t, failed)
			}
			// Whatever could be opened is given back as it was.
			require.Equal(t, v.plain(t, data), save(t, items, p))
		})
	}
	for name := range stricter {
		require.True(t, used[name], "%s is in the table but no vector", name)
	}
	for name := range laxer {
		require.True(t, used[name], "%s is in the table but no vector", name)
	}
}

// requireError asserts the shape of every refusal: an *Error with a reason that
// errors.Is finds, an offset inside the data and a field.
func requireError(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	var e *payload.Error
	require.ErrorAs(t, err, &e)
	require.GreaterOrEqual(t, e.Offset, 0, err)
	require.NotEmpty(t, e.Field, err)
	require.Contains(t, err.Error(), fmt.Sprintf("at offset %d", e.Offset))
	if e.Index >= 0 {
		require.Contains(t, err.Error(), fmt.Sprintf("(#%d", e.Index))
	}
	known := errors.Is(err, payload.ErrTruncated) || errors.Is(err, payload.ErrCorrupt) || errors.Is(err, payload.ErrLimit) || errors.Is(err, payload.ErrUnknownType)
	require.True(t, known, err)
}
