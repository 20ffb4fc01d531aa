package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// A capture is what one version of Microsoft's provider left in Redis for known
// C# values.
type capture struct {
	Provider, ApplicationName string
	Cases                     []struct {
		Case, SessionID string
		Stored          []struct{ Key, CSharp string }
		Keys            []capturedKey
	}
}

type capturedKey struct {
	Key, Type string
	TTL       int
	Value     []byte
	Fields    []struct {
		Name  []byte `json:"name_b64"`
		Value []byte
	}
}

func captures(t testing.TB) map[redis.Layout][]capture {
	t.Helper()
	out := map[redis.Layout][]capture{}
	for version, layout := range map[string]redis.Layout{"1.4.0": redis.LayoutA, "2.2.6": redis.LayoutB, "4.0.1": redis.LayoutB, "5.0.4": redis.LayoutC} {
		b, err := os.ReadFile(filepath.Join("testdata", "provider-"+version+".json"))
		require.NoError(t, err)
		var c capture
		require.NoError(t, json.Unmarshal(b, &c))
		require.Len(t, c.Cases, 11)
		out[layout] = append(out[layout], c)
	}
	return out
}

// state is everything in a database, and the seconds that it has to live.
type state map[string]any

type stateKey struct {
	TTL   int
	Value any // string, or map[string]string
}

func stateOf(t testing.TB, client *goredis.Client) state {
	t.Helper()
	ctx := context.Background()
	keys, err := client.Keys(ctx, "*").Result()
	require.NoError(t, err)
	out := state{}
	for _, key := range keys {
		k := stateKey{}
		ttl, err := client.PTTL(ctx, key).Result()
		require.NoError(t, err)
		k.TTL = int((ttl + 2*time.Second) / (5 * time.Second) * 5) // a slow machine takes a second or two
		if client.Type(ctx, key).Val() == "hash" {
			k.Value, err = client.HGetAll(ctx, key).Result()
		} else {
			k.Value, err = client.Get(ctx, key).Result()
		}
		require.NoError(t, err)
		out[key] = k
	}
	return out
}

// restore puts captured keys into an empty database; ttl 0 takes the captured
// one.
func restore(t testing.TB, client *goredis.Client, keys []capturedKey, ttl time.Duration) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, client.FlushDB(ctx).Err())
	for _, k := range keys {
		if k.Type == "hash" {
			for _, f := range k.Fields {
				require.NoError(t, client.HSet(ctx, k.Key, f.Name, f.Value).Err())
			}
		} else {
			require.NoError(t, client.Set(ctx, k.Key, k.Value, 0).Err())
		}
		life := ttl
		if life == 0 {
			life = time.Duration(k.TTL) * time.Second
		}
		require.NoError(t, client.Expire(ctx, k.Key, life).Err())
	}
}

// eachCapture runs f on every captured session that has items or, in layout C,
// none, restored to a database with little time left.
func eachCapture(t *testing.T, f func(t *testing.T, s *redis.Store, client *goredis.Client, id string, stored map[string]string)) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	for layout, list := range captures(t) {
		for _, c := range list {
			s := open(t, addr, redis.Options{App: c.ApplicationName, Layout: layout})
			for _, cs := range c.Cases {
				t.Run(strings.ReplaceAll(c.Provider, " ", "-")+"/"+cs.Case, func(t *testing.T) {
					restore(t, client, cs.Keys, 100*time.Second)
					stored := map[string]string{}
					for _, item := range cs.Stored {
						stored[item.Key] = item.CSharp
					}
					f(t, s, client, cs.SessionID, stored)
				})
			}
		}
	}
}

func TestCapturesReadToTheirValues(t *testing.T) {
	expressions := map[string]bool{}
	eachCapture(t, func(t *testing.T, s *redis.Store, client *goredis.Client, id string, stored map[string]string) {
		ctx := context.Background()
		if len(client.Keys(ctx, "*").Val()) == 0 {
			_, err := s.Get(ctx, id)
			require.ErrorIs(t, err, session.ErrNotFound, "layouts A and B of the provider keep no session without items")
			return
		}
		before := stateOf(t, client)
		rec, err := s.Get(ctx, id)
		require.NoError(t, err)
		require.False(t, rec.Uninitialized)
		require.EqualValues(t, 20, rec.Payload.Timeout())
		it := rec.Payload.Items()
		require.ElementsMatch(t, keysOf(stored), it.Keys())
		for key, csharp := range stored {
			expressions[csharp] = true
			want, ok := values[csharp]
			require.True(t, ok, "no value for %s: %s", csharp, show(t, it, key))
			require.Equal(t, want, show(t, it, key), "%s = %s", key, csharp)
		}
		// Reading leaves everything as it is but the time left to live.
		after := stateOf(t, client)
		for key, k := range after {
			was, is := before[key].(stateKey), k.(stateKey)
			require.Equal(t, was.Value, is.Value)
			require.Equal(t, 1200, is.TTL)
		}
		require.Len(t, after, len(before))
	})
	for csharp := range values {
		require.False(t, t.Failed())
		require.True(t, expressions[csharp], "%s is in no capture", csharp)
	}
}

func keysOf(m map[string]string) []string {
	keys := []string{}
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// show writes an item as Go reads it: a value with its type, or an object by
// what is in it.
func show(t testing.TB, it *payload.Items, key string) string {
	t.Helper()
	v, ok, err := it.Get(key)
	require.NoError(t, err)
	require.True(t, ok)
	switch v := v.(type) {
	case payload.Object:
		g, err := v.Graph()
		require.NoError(t, err)
		return showValue(g.Root(), nil)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case string:
		if len(v) > 100 {
			return fmt.Sprintf("%q x %d", v[:1], strings.Count(v, v[:1]))
		}
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprintf("%T %v", v, v)
}

// showValue writes an object that is inside itself as the number of steps up.
func showValue(v nrbf.Value, up []*nrbf.Object) string {
	if o := v.Object(); o != nil {
		for i, holder := range up {
			if holder == o {
				return fmt.Sprintf("^%d", len(up)-i)
			}
		}
		up = append(up, o)
	}
	if table, err := nrbf.TableOf(v); err == nil {
		return fmt.Sprintf("table %s %d columns %d rows", table.Name, len(table.Columns), len(table.Rows))
	}
	if set, err := nrbf.DataSetOf(v); err == nil {
		return fmt.Sprintf("set %s %d tables", set.Name, len(set.Tables))
	}
	if p, ok := nrbf.PairOf(v); ok {
		return showValue(p.Key(), up) + "=" + showValue(p.Value(), up)
	}
	if d, ok := nrbf.DictOf(v); ok {
		var parts []string
		for k, e := range d.All() {
			parts = append(parts, showValue(k, up)+":"+showValue(e, up))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, " ") + "}"
	}
	if l, ok := nrbf.ListOf(v); ok {
		var parts []string
		for _, e := range l.All() {
			parts = append(parts, showValue(e, up))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	if s, ok := nrbf.ScalarOf(v); ok {
		if e, ok := s.(nrbf.EnumValue); ok {
			return fmt.Sprintf("%s(%v)", e.Type, e.Value.Any())
		}
		if s == nil {
			return "null"
		}
		return fmt.Sprint(s)
	}
	o := v.Object()
	var parts []string
	for i := range o.Len() {
		parts = append(parts, o.Class().Member(i).Name+":"+showValue(o.Member(i), up))
	}
	name, _, _ := strings.Cut(o.Class().Name(), "`")
	return name + "{" + strings.Join(parts, " ") + "}"
}
