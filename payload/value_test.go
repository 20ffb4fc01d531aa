package payload_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/payload"
)

// Every Go value and the bytes that .NET reads as the same.
func TestSetEncodes(t *testing.T) {
	type userID int64
	type level uint8
	type name string
	type uuid [16]byte
	text := "s"
	guid, err := clr.ParseGuid("00112233-4455-6677-8899-aabbccddeeff")
	require.NoError(t, err)
	dec := func(s string) clr.Decimal {
		d, err := clr.ParseDecimal(s)
		require.NoError(t, err)
		return d
	}
	for _, row := range []struct {
		value any
		want  string
	}{
		{nil, "\x15"},
		{"é", "\x01\x02é"},
		{"", "\x01\x00"},
		{true, "\x03\x01"},
		{false, "\x03\x00"},
		{7, "\x02\x07\x00\x00\x00"},
		{int32(-1), "\x02\xff\xff\xff\xff"},
		{uint(7), "\x0e\x07\x00\x00\x00"},
		{int8(-3), "\x0a\xfd"},
		{uint8(255), "\x06\xff"},
		{int16(-2), "\x0b\xfe\xff"},
		{uint16(0xfffe), "\x0d\xfe\xff"},
		{uint32(1), "\x0e\x01\x00\x00\x00"},
		{int64(-2), "\x0c\xfe\xff\xff\xff\xff\xff\xff\xff"},
		{uint64(math.MaxUint64), "\x0f\xff\xff\xff\xff\xff\xff\xff\xff"},
		{float32(1.5), "\x08\x00\x00\xc0\x3f"},
		{2.5, "\x09\x00\x00\x00\x00\x00\x00\x04\x40"},
		{clr.Char('é'), "\x07é"},
		{90 * time.Second, "\x10\x00\xe9\xa4\x35\x00\x00\x00\x00"},
		{clr.TimeSpan(-1), "\x10\xff\xff\xff\xff\xff\xff\xff\xff"},
		{time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC), "\x04\x00\x84\x57\xed\xb4\x15\xdc\x08"},
		{clr.DateTime{Ticks: 1, Kind: clr.Local}, "\x04\x01\x00\x00\x00\x00\x00\x00\x00"},
		{dec("1.50"), "\x05\x96\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00"},
		{dec("-1.50"), "\x05\x96\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x80"},
		{guid, "\x11\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"},
		{[16]byte(guid), "\x11\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"},
		{uuid(guid), "\x11\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"},
		{clr.IntPtr{Value: -1}, "\x12\xff\xff\xff\xff\xff\xff\xff\xff"},
		{clr.IntPtr{Value: -1, Narrow: true}, "\x12\xff\xff\xff\xff"},
		{clr.UIntPtr{Value: 1, Narrow: true}, "\x13\x01\x00\x00\x00"},
		{userID(5), "\x0c\x05\x00\x00\x00\x00\x00\x00\x00"},
		{level(5), "\x06\x05"},
		{name("n"), "\x01\x01n"},
		{time.March, "\x02\x03\x00\x00\x00"},
		{&text, "\x01\x01s"},
		{(*int)(nil), "\x15"},
	} {
		it := payload.NewItems(payload.Limits{})
		require.NoError(t, it.Set("k", row.value), "%T %v", row.value, row.value)
		item, ok := it.Item("k")
		require.True(t, ok)
		require.Equal(t, row.want, string(item.Data), "%T %v", row.value, row.value)
	}
}

// C# casts (int)Session["n"]: an item's integer type is part of the contract.
func TestIntKeepsTheItemsType(t *testing.T) {
	for _, row := range []struct {
		have any
		set  any
		want any // nil: ErrOverflow
	}{
		{nil, 5, int32(5)},
		{nil, math.MaxInt32 + 1, nil},
		{nil, uint(math.MaxUint32), uint32(math.MaxUint32)},
		{nil, uint(math.MaxUint32 + 1), nil},
		{"text", 5, int32(5)},
		{true, 5, int32(5)},
		{uint8(1), 255, uint8(255)},
		{uint8(1), 256, nil},
		{uint8(1), -1, nil},
		{int8(1), -128, int8(-128)},
		{int8(1), 128, nil},
		{int16(1), -32768, int16(-32768)},
		{int16(1), 32768, nil},
		{uint16(1), 65535, uint16(65535)},
		{uint16(1), 65536, nil},
		{int32(1), math.MinInt32, int32(math.MinInt32)},
		{int32(1), math.MinInt32 - 1, nil},
		{uint32(1), math.MaxUint32, uint32(math.MaxUint32)},
		{uint32(1), -1, nil},
		{int64(1), math.MinInt64, int64(math.MinInt64)},
		{uint64(1), math.MaxInt64, uint64(math.MaxInt64)},
		{uint64(1), -1, nil},
		{uint64(1), uint(math.MaxUint64), uint64(math.MaxUint64)},
		{int64(1), uint(math.MaxInt64), int64(math.MaxInt64)},
		{int64(1), uint(math.MaxInt64 + 1), nil},
		{uint8(1), uint(255), uint8(255)},
		{uint8(1), uint(256), nil},
		{int64(1), int32(5), int32(5)}, // an exact Go type is what was asked for
	} {
		it := payload.NewItems(payload.Limits{})
		if row.have != nil {
			require.NoError(t, it.Set("k", row.have))
		}
		err := it.Set("k", row.set)
		got, _, gerr := it.Get("K")
		require.NoError(t, gerr)
		if row.want == nil {
			require.ErrorIs(t, err, payload.ErrOverflow, "%v", row)
			require.ErrorContains(t, err, `"k"`)
			require.Equal(t, row.have, got, "a refused Set changes nothing")
			continue
		}
		require.NoError(t, err, "%v", row)
		require.Equal(t, row.want, got)
	}
}

func TestSetRefusesWhatHasNoForm(t *testing.T) {
	n := 1
	one := &n
	chain := &one
	for _, value := range []any{
		struct{ A int }{}, []struct{ A int }{{1}}, map[complex128]int{1: 1}, &struct{}{}, complex(1, 1), func() {}, make(chan int),
		uintptr(1), chain, payload.Object("not a stream"), payload.Object{},
	} {
		it := payload.NewItems(payload.Limits{})
		err := it.Set("the item", value)
		require.ErrorIs(t, err, payload.ErrNoForm, "%T", value)
		require.ErrorContains(t, err, `"the item"`)
		require.True(t, it.Empty())
		require.False(t, it.Dirty())
	}
	it := payload.NewItems(payload.Limits{})
	require.ErrorContains(t, it.Set("a", struct{ A int }{}), "struct { A int }")
	require.ErrorIs(t, it.Set("p", clr.IntPtr{Value: math.MaxInt64, Narrow: true}), payload.ErrOverflow)
	require.ErrorIs(t, it.Set("p", clr.UIntPtr{Value: math.MaxInt64, Narrow: true}), payload.ErrOverflow)
}

// What Microsoft's writer refuses, as a Go program would try it. The rows about
// classes have one answer here: a Go value without a .NET form.
func TestEncodeErrors(t *testing.T) {
	var rows []struct{ Name, Encode string }
	b, err := os.ReadFile("testdata/encode-errors.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &rows))
	const high, low = "\xed\xa0\x80", "\xed\xb0\x80" // encoded surrogates: no UTF-8
	values := map[string]any{
		"err-char-high-surrogate":  clr.Char(0xd83d),
		"err-char-low-surrogate":   clr.Char(0xdc00),
		"err-string-lone-high":     "a" + high,
		"err-string-lone-low":      low,
		"err-string-trailing-high": "abc" + high,
		"err-string-reversed-pair": low + high,
	}
	type notSerializable struct{ F func() }
	for _, row := range rows {
		if row.Encode != "error" {
			continue // written by BinaryFormatter, which is not this package's
		}
		it := payload.NewItems(payload.Limits{})
		switch value, ok := values[row.Name]; {
		case row.Name == "err-key-lone-surrogate":
			err = it.Set("k"+high, 1)
		case ok:
			err = it.Set("k", value)
		default:
			err = it.Set("k", notSerializable{})
		}
		require.ErrorIs(t, err, payload.ErrNoForm, row.Name)
		require.True(t, it.Empty(), row.Name)
	}
}

func TestValueConverts(t *testing.T) {
	type userID int32
	type color string
	type uuid [16]byte
	guid := clr.Guid{1, 2, 3}
	it := payload.NewItems(payload.Limits{})
	far := clr.TimeSpan(math.MaxInt64)
	for key, v := range map[string]any{
		"int": 42, "neg": -1, "byte": uint8(7), "long": int64(math.MaxInt64), "ulong": uint64(math.MaxUint64), "s": "text",
		"f": float32(1.5), "d": 0.1, "t": true, "null": nil, "g": guid, "span": time.Second, "far": far, "c": clr.Char('x'),
	} {
		require.NoError(t, it.Set(key, v))
	}
	good(t, it, "int", 42)
	good(t, it, "int", int64(42))
	good(t, it, "int", uint8(42))
	good(t, it, "int", userID(42))
	good[any](t, it, "int", int32(42))
	good(t, it, "byte", 7)
	good(t, it, "long", uint64(math.MaxInt64))
	good(t, it, "ulong", uint64(math.MaxUint64))
	good(t, it, "ulong", uint(math.MaxUint64))
	good(t, it, "s", "text")
	good(t, it, "s", color("text"))
	good(t, it, "f", float64(1.5))
	good(t, it, "d", 0.1)
	good(t, it, "t", true)
	good(t, it, "g", guid)
	good(t, it, "g", [16]byte(guid))
	good(t, it, "g", uuid(guid))
	good(t, it, "span", time.Second)
	good(t, it, "span", clr.TimeSpanOf(time.Second))
	good(t, it, "far", far)
	good(t, it, "c", clr.Char('x'))
	n := int32(42)
	good(t, it, "int", &n)
	// Missing and null are zero values, and nil pointers.
	for _, key := range []string{"missing", "null"} {
		good(t, it, key, 0)
		good(t, it, key, "")
		good(t, it, key, (*int32)(nil))
		good[any](t, it, key, nil)
		good(t, it, key, time.Time{})
	}
	require.True(t, it.Has("null"))
	require.False(t, it.Has("missing"))

	bad[int](t, it, "ulong", payload.ErrOverflow)
	bad[uint](t, it, "neg", payload.ErrOverflow)
	bad[int8](t, it, "long", payload.ErrOverflow)
	bad[uint32](t, it, "ulong", payload.ErrOverflow)
	bad[string](t, it, "int", payload.ErrType)
	bad[int](t, it, "s", payload.ErrType)
	bad[float32](t, it, "d", payload.ErrType)
	bad[float64](t, it, "int", payload.ErrType)
	bad[int64](t, it, "span", payload.ErrType)
	bad[time.Duration](t, it, "long", payload.ErrType)
	bad[time.Duration](t, it, "far", payload.ErrType)
	bad[uint16](t, it, "c", payload.ErrType)
	bad[clr.Char](t, it, "byte", payload.ErrType)
	bad[[]byte](t, it, "s", payload.ErrType)
	bad[string](t, it, "g", payload.ErrType)
	bad[bool](t, it, "int", payload.ErrType)
	require.False(t, payload.NewItems(payload.Limits{}).Dirty())
}

func good[T any](t *testing.T, it *payload.Items, key string, want T) {
	t.Helper()
	got, err := payload.Value[T](it, key)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func bad[T any](t *testing.T, it *payload.Items, key string, want error) {
	t.Helper()
	got, err := payload.Value[T](it, key)
	require.ErrorIs(t, err, want)
	require.ErrorContains(t, err, `"`+key+`"`)
	var zero T
	require.Equal(t, zero, got)
}

// How .NET Framework's reader takes bytes that are no UTF-8; the rows were read
// by BinaryReader.ReadString and ReadChar on Mono, which has Microsoft's source.
func TestBrokenUTF8ReadsAsDotNetDoes(t *testing.T) {
	const fffd = "\ufffd"
	for bytes, want := range map[string]string{
		"\xed\xb0\x80": fffd + fffd, "\xed\xa0\x80": fffd + fffd, "\xc0\x80": fffd + fffd, "\xc1\xbf": fffd + fffd,
		"\xe0\x80\x80": fffd + fffd, "\xe0\x9f\x80": fffd + fffd, "\xe0\xa0": "", "\xf0\x80\x80\x80": fffd + fffd + fffd,
		"\xf0\x8f\x80\x80": fffd + fffd + fffd, "\xf0\x90\x80\x80": "\U00010000", "\xf4\x90\x80\x80": fffd + fffd + fffd,
		"\xf4\x8f\xbf\xbf": "\U0010ffff", "\xf5\x80\x80\x80": fffd + fffd + fffd + fffd, "\xff": fffd, "\x80": fffd, "\x80\x80": fffd + fffd,
		"\xc3": "", "\xc3A": fffd + "A", "\xe2\x82": "", "\xe2\x82A": fffd + "A", "\xe2A": fffd + "A", "\xe2A\x80": fffd + "A" + fffd,
		"\xf0\x9f\x98A": fffd + "A", "\xf0\x9fA": fffd + "A", "\xf0A": fffd + "A", "a\xe2\x82b": "a" + fffd + "b", "\xf0\x9f\x98": "",
		"\xed\xb0": fffd, "\xed": "", "\xed\xbf": fffd, "\xf0": "", "\xf0\x80": fffd, "\xe0\x80": fffd, "\xc0": fffd, "\xf4": "",
		"\xf4\x90": fffd, "\xed\xa0": fffd, "a\xf5": "a" + fffd, "\xe2é": fffd + "é", "\xf0é": fffd + "é", "\xf0\x9fé": fffd + "é",
		"\xe2\x82\x80": "\u2080", "\xe2€": fffd + "€", "\xf0😀": fffd + "😀", "\xed\xb0A": fffd + "A", "\xf0\x80AA": fffd + "AA",
	} {
		data := []byte{1, 0, 0, 0, 255, 255, 255, 255, 1, 'k', byte(len(bytes) + 2), 0, 0, 0, 1, byte(len(bytes))}
		it, err := payload.OpenItems(append(data, bytes...), payload.Limits{})
		require.NoError(t, err)
		got, err := payload.Value[string](it, "k")
		require.NoError(t, err)
		require.Equal(t, want, got, "% x", bytes)
	}
	for bytes, want := range map[string]clr.Char{
		"\x80": 0xfffd, "\xc0\x80": 0xfffd, "\xed\xb0\x80": 0xfffd, "\xe0\x80": 0xfffd, "\xff": 0xfffd, "€": 0x20ac, "\xe2\x82\x80": 0x2080, "A": 'A',
	} {
		data := []byte{1, 0, 0, 0, 255, 255, 255, 255, 1, 'k', byte(len(bytes) + 1), 0, 0, 0, 7}
		it, err := payload.OpenItems(append(data, bytes...), payload.Limits{})
		require.NoError(t, err)
		got, err := payload.Value[clr.Char](it, "k")
		require.NoError(t, err, "% x", bytes)
		require.Equal(t, want, got, "% x", bytes)
	}
	for _, bytes := range []string{"", "\xc3", "\xc3A", "\xe2\x82", "\xe2A", "\U0001f600", "\xf0\x9f\x98"} {
		data := []byte{1, 0, 0, 0, 255, 255, 255, 255, 1, 'k', byte(len(bytes) + 1), 0, 0, 0, 7}
		it, err := payload.OpenItems(append(data, bytes...), payload.Limits{})
		require.NoError(t, err)
		_, err = payload.Value[clr.Char](it, "k")
		require.Error(t, err, "% x", bytes)
	}
}
