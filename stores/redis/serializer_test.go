package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// Json.NET as the other side: its values are Go's, its objects are carried, its
// flag is understood, and what Go writes is what Json.NET writes.
func TestJSON(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	s := open(t, addr, redis.Options{Layout: redis.LayoutB, Serializer: redis.JSON{}})
	data := dataKey(redis.LayoutB)
	cart := `{"$type":"Shop.Cart, Shop","Total":9.99}`
	require.NoError(t, client.HSet(ctx, data, map[string]string{
		"Name": `"B\u00f6b"`, "n": "42", "f": "1.5", "t": "true", "nil": "null", "cart": cart, "big": "99999999999999999999", "SessionStateActions": "1",
	}).Err())
	require.NoError(t, client.Expire(ctx, data, time.Minute).Err())

	rec, err := s.Acquire(ctx, anID, time.Minute)
	require.NoError(t, err)
	require.True(t, rec.Uninitialized)
	it := rec.Payload.Items()
	require.Len(t, it.Keys(), 7)
	for key, want := range map[string]any{"name": "Böb", "n": int64(42), "f": 1.5, "t": true, "nil": nil} {
		v, ok, err := it.Get(key)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, want, v, key)
	}
	_, _, err = it.Get("cart")
	require.ErrorIs(t, err, payload.ErrEncoding)
	require.NoError(t, it.Set("n", 43))
	require.NoError(t, it.Set("F", 2.0))
	require.NoError(t, it.Set("html", "<b>&\"é"))
	require.NoError(t, it.Set("t", nil))
	require.NoError(t, s.Save(ctx, anID, rec.Lock, rec.Payload))
	require.Equal(t, map[string]string{
		"Name": `"B\u00f6b"`, "n": "43", "f": "2.0", "html": `"<b>&\"é"`, "nil": "null", "cart": cart, "big": "99999999999999999999",
	}, client.HGetAll(ctx, data).Val())

	for key, value := range map[string]any{"d": clr.NewDecimal(1, 2), "time": time.Unix(0, 0), "list": []string{"a"}} {
		rec, err = s.Acquire(ctx, anID, time.Minute)
		require.NoError(t, err)
		require.NoError(t, rec.Payload.Items().Set(key, value))
		err = s.Save(ctx, anID, rec.Lock, rec.Payload)
		require.ErrorIs(t, err, session.ErrUnsupported)
		require.ErrorContains(t, err, key)
		require.NoError(t, s.Release(ctx, anID, rec.Lock))
	}

	rec, err = s.Acquire(ctx, anID, time.Minute)
	require.NoError(t, err)
	rec.Payload.Items().Clear()
	require.NoError(t, s.Save(ctx, anID, rec.Lock, rec.Payload))
	require.Equal(t, map[string]string{"SessionStateActions": `"None"`}, client.HGetAll(ctx, data).Val())
	rec, err = s.Get(ctx, anID)
	require.NoError(t, err)
	require.False(t, rec.Uninitialized)

	require.NoError(t, s.Remove(ctx, anID, session.Lock{}))
	require.NoError(t, s.Create(ctx, anID, time.Minute))
	require.Equal(t, map[string]string{"SessionStateActions": `"InitializeItem"`}, client.HGetAll(ctx, data).Val())
	rec, err = s.Get(ctx, anID)
	require.NoError(t, err)
	require.True(t, rec.Uninitialized)

	for _, bad := range []string{"", "{", "tru", streamBob, `"\xff"`} {
		require.NoError(t, client.HSet(ctx, data, "x", bad).Err())
		_, err = s.Get(ctx, anID)
		require.ErrorIs(t, err, session.ErrBadData, bad)
	}
}
