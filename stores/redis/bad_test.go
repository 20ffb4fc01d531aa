package redis_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

const frame = "\x14\x00\x00\x00\x01\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01n\x05\x00\x00\x00\x02\x2a\x00\x00\x00\xff"

// What cannot be parsed is an error that names the key, hashed, the layout
// expected and the one it looks like; it stays as it is, and unlocked.
func TestBadData(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for name, row := range map[string]struct {
		layout redis.Layout
		blob   string            // data as a string
		fields map[string]string // or as a hash
		looks  string
		says   string
	}{
		"C empty":              {redis.LayoutC, "", nil, "it is empty", "truncated"},
		"C cut":                {redis.LayoutC, blobFlag[:40], nil, "layout C", "truncated"},
		"C too long a value":   {redis.LayoutC, blobFlag[:35], nil, "layout C", "truncated"},
		"C garbage":            {redis.LayoutC, "garbage!", nil, "nothing that this package knows", "payload:"},
		"C of Mono or a frame": {redis.LayoutC, frame, nil, "a frame", "payload:"},
		"C as JSON":            {redis.LayoutC, `{"a":1}`, nil, "JSON", "payload:"},
		"C with a stream":      {redis.LayoutC, streamBob, nil, "layout A or B", "payload:"},
		"C as a hash":          {redis.LayoutC, "", map[string]string{"n": streamBob}, "layout A or B", "another type"},
		"B as a string":        {redis.LayoutB, blobFlag, nil, "layout C", "another type"},
		"B with garbage":       {redis.LayoutB, "", map[string]string{"n": "garbage"}, "nothing that", `field "n"`},
		"B cut":                {redis.LayoutB, "", map[string]string{"ok": streamBob, "n": streamInt42[:30]}, "layout A or B", `field "n"`},
		"B with JSON":          {redis.LayoutB, "", map[string]string{"n": `"Bob"`}, "JSON", "redisSerializerType"},
		"B of two spellings":   {redis.LayoutB, "", map[string]string{"n": streamBob, "N": streamBob}, "", "without case"},
		"A with a blob":        {redis.LayoutA, "", map[string]string{"n": blobFlag}, "layout C", `field "n"`},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, client.FlushDB(ctx).Err())
			s := open(t, addr, redis.Options{Layout: row.layout})
			key := dataKey(row.layout)
			if row.fields != nil {
				require.NoError(t, client.HSet(ctx, key, row.fields).Err())
			} else {
				require.NoError(t, client.Set(ctx, key, row.blob, 0).Err())
			}
			require.NoError(t, client.Expire(ctx, key, time.Minute).Err())
			before := stateOf(t, client)[key].(stateKey).Value
			for _, read := range []func() (session.Record, error){
				func() (session.Record, error) { return s.Get(ctx, anID) },
				func() (session.Record, error) { return s.Acquire(ctx, anID, time.Minute) },
			} {
				_, err := read()
				require.ErrorIs(t, err, session.ErrBadData)
				require.NotContains(t, err.Error(), anID)
				require.ErrorContains(t, err, s.HashedKey(anID))
				require.ErrorContains(t, err, "layout "+row.layout.String()+" expected")
				require.ErrorContains(t, err, row.says)
				var e *redis.Error
				require.ErrorAs(t, err, &e)
				require.Contains(t, e.Looks, row.looks)
			}
			require.Equal(t, before, stateOf(t, client)[key].(stateKey).Value)
			require.Zero(t, client.Exists(ctx, lockKey(row.layout)).Val())
			p := payload.New(20, payload.Limits{})
			require.ErrorIs(t, s.Save(ctx, anID, session.Lock{}, p), errOf(row.blob, row.fields, row.layout), "a new session does not replace it")
			require.Equal(t, before, stateOf(t, client)[key].(stateKey).Value)
		})
	}
	// A value that is broken fails when it is asked for; its neighbours do not.
	require.NoError(t, client.FlushDB(ctx).Err())
	s := open(t, addr, redis.Options{})
	require.NoError(t, client.Set(ctx, dataKey(redis.LayoutC), blobOf([]string{"a", "b"}, func(n string) string {
		return map[string]string{"a": "\x02\x01", "b": "\x01\x03Bob"}[n]
	})+"tail", time.Minute).Err())
	rec, err := s.Get(ctx, anID)
	require.NoError(t, err, "what stands behind the values is ignored, as .NET ignores it")
	_, _, err = rec.Payload.Items().Get("a")
	require.ErrorIs(t, err, payload.ErrTruncated)
	v, _, err := rec.Payload.Items().Get("b")
	require.NoError(t, err)
	require.Equal(t, "Bob", v)
}

func errOf(blob string, fields map[string]string, l redis.Layout) error {
	if (fields != nil) == (l == redis.LayoutC) {
		return session.ErrBadData // a key of another type
	}
	return session.ErrExists
}

func TestWrongTypes(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		for _, key := range []string{lockKey(layout), timeoutKey(layout), dataKey(layout)} {
			require.NoError(t, client.FlushDB(ctx).Err())
			s := open(t, addr, redis.Options{Layout: layout})
			stored(t, s, anID, "n", 1)
			require.NoError(t, client.Del(ctx, key).Err())
			require.NoError(t, client.RPush(ctx, key, "a list").Err())
			require.NoError(t, client.Expire(ctx, key, time.Minute).Err())
			_, err := s.Acquire(ctx, anID, time.Minute)
			require.ErrorIs(t, err, session.ErrBadData, key)
			require.NotContains(t, err.Error(), anID)
			_, err = s.Get(ctx, anID)
			require.ErrorIs(t, err, session.ErrBadData, key)
			require.Equal(t, "list", client.Type(ctx, key).Val())
			if key != lockKey(layout) {
				require.Zero(t, client.Exists(ctx, lockKey(layout)).Val(), "no lock stays behind")
			}
		}
	}
}

func TestStaticObjects(t *testing.T) {
	addr := redistest.Server(t)
	ctx := context.Background()
	static := "\x14\x00\x00\x00\x01\x01" + frame[6:len(frame)-1] + "\x01\x00\x00\x00\x01o\x00\x1dSystem.Collections.ArrayListX\x01\xff"
	p, err := payload.Open([]byte(static), payload.Limits{})
	require.NoError(t, err)
	for _, layout := range layouts {
		err = open(t, addr, redis.Options{Layout: layout}).Save(ctx, anID, session.Lock{}, p)
		require.ErrorIs(t, err, session.ErrUnsupported)
		require.ErrorContains(t, err, "DropStaticObjects")
		s := open(t, addr, redis.Options{Layout: layout, DropStaticObjects: true})
		require.NoError(t, s.Save(ctx, anID, session.Lock{}, p))
		rec, err := s.Get(ctx, anID)
		require.NoError(t, err)
		require.Nil(t, rec.Payload.Static())
		n, err := payload.Value[int](rec.Payload.Items(), "n")
		require.NoError(t, err)
		require.Equal(t, 42, n)
	}
}

// Servers that can keep no sessions are told at the start, and why.
func TestUnfitServers(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	try := func(addrs []string, change func(*redis.Options)) (string, error) {
		var log lockedLog
		opt := redis.Options{App: app, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		opt.Redis = goredis.UniversalOptions{Addrs: addrs, DialerRetries: 1, MaxRetries: -1, DialTimeout: 10 * time.Second}
		if change != nil {
			change(&opt)
		}
		s, err := redis.Open(ctx, opt)
		if err == nil {
			require.NoError(t, s.Close())
		}
		return log.String(), err
	}

	// No scripting.
	require.NoError(t, client.Do(ctx, "ACL", "SETUSER", "mute", "on", ">pw", "~*", "&*", "+@all", "-eval", "-evalsha").Err())
	_, err := try([]string{addr}, func(o *redis.Options) { o.Redis.Username, o.Redis.Password = "mute", "pw" })
	require.ErrorIs(t, err, redis.ErrNoScripting)
	require.ErrorIs(t, err, session.ErrUnavailable)
	_, err = try([]string{addr}, func(o *redis.Options) { o.Redis.Username, o.Redis.Password = "mute", "wrong-secret" })
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.NotContains(t, err.Error(), "wrong-secret")

	// A replica; with its master among the addresses it does not matter.
	host, port, _ := strings.Cut(addr, ":")
	replica := redistest.Server(t, "--replicaof", host, port)
	_, err = try([]string{replica}, nil)
	require.ErrorIs(t, err, redis.ErrReadOnlyReplica)
	require.ErrorContains(t, err, replica)
	_, err = try([]string{replica, addr}, nil)
	require.NoError(t, err)
	_, err = try(nil, func(o *redis.Options) { o.Client = redistest.Client(t, replica) })
	require.ErrorIs(t, err, redis.ErrReadOnlyReplica)
	// And one that becomes a replica later.
	later := redistest.Server(t)
	s := open(t, later, redis.Options{})
	require.NoError(t, redistest.Client(t, later).Do(ctx, "REPLICAOF", host, port).Err())
	err = s.Create(ctx, anID, time.Minute)
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.ErrorIs(t, err, redis.ErrReadOnlyReplica)

	// Nobody there.
	_, err = try([]string{"127.0.0.1:1"}, nil)
	require.ErrorIs(t, err, session.ErrUnavailable)

	// Policies.
	for policy, warns := range map[string]bool{"noeviction": false, "allkeys-lru": true, "volatile-ttl": true} {
		require.NoError(t, client.ConfigSet(ctx, "maxmemory-policy", policy).Err())
		log, err := try([]string{addr}, nil)
		require.NoError(t, err)
		require.Equal(t, warns, strings.Contains(log, policy), log)
		// Without the right to CONFIG, INFO tells.
		require.NoError(t, client.Do(ctx, "ACL", "SETUSER", "plain", "on", ">pw", "~*", "&*", "+@all", "-config").Err())
		log, err = try([]string{addr}, func(o *redis.Options) { o.Redis.Username, o.Redis.Password = "plain", "pw" })
		require.NoError(t, err)
		require.Equal(t, warns, strings.Contains(log, policy), log)
	}

	// Options that make no sense.
	for _, change := range []func(*redis.Options){
		func(o *redis.Options) { o.App = "" },
		func(o *redis.Options) { o.Layout = 9 },
		func(o *redis.Options) { o.Serializer = redis.JSON{} },
		func(o *redis.Options) { o.Timeout = -1 },
	} {
		_, err = try([]string{addr}, change)
		require.Error(t, err)
	}
	log, err := try([]string{addr}, func(o *redis.Options) { o.App = "a}b" })
	require.NoError(t, err)
	require.Contains(t, log, "one slot")
}

// The detection of layouts, and reading from another than one's own.
func TestDetectAndFallBack(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, own := range layouts {
		for _, other := range layouts {
			require.NoError(t, client.FlushDB(ctx).Err())
			s := open(t, addr, redis.Options{Layout: own, ReadFallback: true})
			found, err := s.Detect(ctx, anID)
			require.NoError(t, err)
			require.Empty(t, found)
			_, err = s.Get(ctx, anID)
			require.ErrorIs(t, err, session.ErrNotFound)
			stored(t, open(t, addr, redis.Options{Layout: other}), anID, "n", 7)
			found, err = s.Detect(ctx, anID)
			require.NoError(t, err)
			require.Equal(t, []redis.Layout{other}, found)
			rec, err := s.Get(ctx, anID)
			require.NoError(t, err)
			n, err := payload.Value[int](rec.Payload.Items(), "n")
			require.NoError(t, err)
			require.Equal(t, 7, n)
			if own == other {
				continue
			}
			// Never for writes, and never unless it is asked for.
			_, err = s.Acquire(ctx, anID, time.Minute)
			require.ErrorIs(t, err, session.ErrNotFound)
			require.ErrorIs(t, s.Touch(ctx, anID), session.ErrNotFound)
			_, err = open(t, addr, redis.Options{Layout: own}).Get(ctx, anID)
			require.ErrorIs(t, err, session.ErrNotFound)
			require.NoError(t, s.Create(ctx, anID, time.Minute))
			found, err = s.Detect(ctx, anID)
			require.NoError(t, err)
			require.ElementsMatch(t, []redis.Layout{own, other}, found)
		}
	}
}
