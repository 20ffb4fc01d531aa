package redis

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// seeds are the values that the provider left: streams and blobs.
func seeds(f *testing.F) {
	for _, version := range []string{"4.0.1", "5.0.4"} {
		var c struct {
			Cases []struct {
				Keys []struct {
					Value  []byte
					Fields []struct{ Value []byte }
				}
			}
		}
		b, err := os.ReadFile(filepath.Join("testdata", "provider-"+version+".json"))
		require.NoError(f, err)
		require.NoError(f, json.Unmarshal(b, &c))
		for _, cs := range c.Cases {
			for _, k := range cs.Keys {
				f.Add(string(k.Value))
				for _, field := range k.Fields {
					f.Add(string(field.Value))
				}
			}
		}
	}
	f.Add(string(uninitializedBlob))
	f.Add(string(uninitializedBlob) + "tail")
}

// A blob is refused with a reason, or what it holds is written as it was.
func FuzzBlob(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, blob string) {
		_ = looks(blob)
		p, err := openBlob(blob, 20, payload.Limits{})
		if err != nil {
			require.True(t, anyOf(err, payload.ErrTruncated, payload.ErrCorrupt, payload.ErrLimit), err)
			return
		}
		require.False(t, p.Dirty())
		require.False(t, p.Items().Has(flagName))
		want, err := payload.OpenItems([]byte(blob), payload.Limits{})
		require.NoError(t, err)
		want.Remove(flagName)
		a, err := p.Items().Append(nil)
		require.NoError(t, err)
		again, err := openBlob(string(a), 20, payload.Limits{})
		require.NoError(t, err)
		var one, two []string
		for item := range want.All() {
			one = append(one, item.Key, string(item.Data))
		}
		for item := range again.Items().All() {
			two = append(two, item.Key, string(item.Data))
		}
		require.Equal(t, one, two)
	})
}

// A field that is read as a single value is written back to the very bytes, but
// for the kind of a DateTime.
func FuzzField(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data string) {
		b, enc, err := decodeField(nil, "x", data)
		if err != nil {
			require.ErrorIs(t, err, payload.ErrCorrupt)
			return
		}
		item := payload.Item{Key: "x", Encoding: enc, Data: b, Offset: -1}
		if enc == payload.Stream {
			require.Equal(t, data, string(b))
			return
		}
		_, err = item.Decode(nil)
		if item.Type() == payload.TypeNull {
			require.Contains(t, data, "RedisNull")
			return
		}
		if err != nil {
			require.True(t, anyOf(err, payload.ErrCorrupt, payload.ErrTruncated), err) // a number that is no DateTime or Decimal
			return
		}
		out, err := stream(nil, item)
		require.NoError(t, err)
		if item.Type() == payload.TypeDateTime {
			kind := len(data) - 2
			require.Equal(t, data[:kind], string(out[:kind]))
			require.Equal(t, data[kind]&0x3f, out[kind])
			return
		}
		require.Equal(t, data, string(out))
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`"a"`, "1", "-0", "1e999", "true", "null", `{"$type":"x"}`, "[", "\ufeff 1.50 ", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		v, ok, err := JSON{}.Decode([]byte(field))
		if err != nil || !ok || v == nil {
			return
		}
		it := payload.NewItems(payload.Limits{})
		require.NoError(t, it.Set("x", v))
		item, _ := it.Item("x")
		out, err := JSON{}.Encode(item)
		require.NoError(t, err)
		again, ok, err := JSON{}.Decode(out)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, v, again)
	})
}

func anyOf(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// What servers answer, in the contract's names.
func TestErrors(t *testing.T) {
	ctx := context.Background()
	over, cancel := context.WithCancel(ctx)
	cancel()
	for text, want := range map[string]error{
		"WRONGTYPE Operation against a key holding the wrong kind of value":               session.ErrBadData,
		"READONLY You can't write against a read only replica.":                           ErrReadOnlyReplica,
		"CROSSSLOT Keys in request don't hash to the same slot":                           ErrCrossSlot,
		"ERR unknown command 'evalsha', with args beginning with: ":                       ErrNoScripting,
		"NOPERM this user has no permissions to run the 'eval' command":                   ErrNoScripting,
		"ERR ACL failure in script: The user executing the script can't run this command": session.ErrUnavailable,
		"OOM command not allowed when used memory > 'maxmemory'":                          session.ErrUnavailable,
		"LOADING Redis is loading the dataset in memory":                                  session.ErrUnavailable,
		"CLUSTERDOWN The cluster is down":                                                 session.ErrUnavailable,
	} {
		err := classify(ctx, errors.New(text))
		require.ErrorIs(t, err, want, text)
		require.ErrorContains(t, err, text)
		require.Equal(t, want != session.ErrBadData, errors.Is(err, session.ErrUnavailable), text)
		require.ErrorIs(t, classify(over, errors.New(text)), context.Canceled)
	}
	require.NoError(t, classify(ctx, nil))
}

func TestPatterns(t *testing.T) {
	for app, want := range map[string]string{"MyApp": "{MyApp_*}_SessionStateItemCollection", "/a*[b]?\\^-": `{/a\*\[b\]\?\\\^\-_*}_SessionStateItemCollection`} {
		require.Equal(t, want, LayoutC.pattern(app))
		for _, l := range layouts {
			keys := l.keys(app, "id")
			id, ok := l.idOf(app, keys[1])
			require.True(t, ok)
			require.Equal(t, "id", id)
			for _, other := range []string{keys[0], keys[2], "x" + keys[1], l.keys(app, "")[1]} {
				_, ok = l.idOf(app, other)
				require.False(t, ok, other)
			}
		}
	}
}

// Every type of payload's table, written by Go and read again.
func TestEveryTypeAsAStream(t *testing.T) {
	raw := base64.StdEncoding
	for _, data := range []string{
		"AgEAAAA=", "AwE=", "BAAAAAAAAAAA", "BQEAAAACAAAAAwAAAAAAAoA=", "Bv8=", "B0E=", "B+KCrA==", "CAAAwD8=", "CQAAAAAAAPh/", "CoA=", "CwCA",
		"DAAAAAAAAACA", "Df//", "Dv////8=", "D///////////", "EAEAAAAAAAAA", "EQABAgMEBQYHCAkKCwwNDg8=", "Ev7/////////", "E/////8AAAAA", "AQNCb2I=", "AQA=",
	} {
		typedBytes, err := raw.DecodeString(data)
		require.NoError(t, err)
		out, err := stream(nil, payload.Item{Data: typedBytes})
		require.NoError(t, err)
		back, ok := typed(nil, string(out))
		require.True(t, ok, data)
		require.Equal(t, typedBytes, back)
		_, err = payload.Object(out).Graph()
		require.NoError(t, err, "package nrbf reads it, too")
		for cut := range len(out) {
			_, ok := typed(nil, string(out[:cut]))
			require.False(t, ok)
		}
	}
	// Pointers of a 32-bit process become wide ones.
	out, err := stream(nil, payload.Item{Data: []byte("\x12\xfe\xff\xff\xff")})
	require.NoError(t, err)
	back, ok := typed(nil, string(out))
	require.True(t, ok)
	require.Equal(t, "\x12\xfe\xff\xff\xff\xff\xff\xff\xff", string(back))
	_, err = stream(nil, payload.Item{Data: []byte("\x63\x01")})
	require.ErrorIs(t, err, payload.ErrUnknownType)
	long := strings.Repeat("é", 10_000)
	it := payload.NewItems(payload.Limits{})
	require.NoError(t, it.Set("x", long))
	item, _ := it.Item("x")
	out, err = stream(nil, item)
	require.NoError(t, err)
	back, ok = typed(nil, string(out))
	require.True(t, ok)
	require.Equal(t, item.Data, back)
}
