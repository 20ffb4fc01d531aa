package redis

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/session"
)

// errEnough stops a scan that nobody listens to any more.
var errEnough = errors.New("enough")

// scanPage is how many keys SCAN looks at in one call.
const scanPage = 512

// List implements session.Lister with SCAN on every master. It remembers eight
// bytes for each session, to tell one only once. Size is that of names and
// values, without Redis's own overhead.
func (s *Store) List(ctx context.Context, yield func(session.Info) bool) error {
	var mu sync.Mutex // guards seen and yield: a cluster's masters are scanned side by side
	seed, seen := maphash.MakeSeed(), map[uint64]bool{}
	scan := func(ctx context.Context, client *goredis.Client) error {
		return s.scan(ctx, client, func(info session.Info) bool {
			mu.Lock()
			defer mu.Unlock()
			h := maphash.String(seed, info.ID)
			if seen[h] {
				return true
			}
			seen[h] = true
			return yield(info)
		})
	}
	var err error
	switch client := s.client.(type) {
	case *goredis.ClusterClient:
		// ForEachMaster is concurrent, and yield must not be called after it said stop.
		stopped := false
		inner := yield
		yield = func(info session.Info) bool {
			stopped = stopped || !inner(info)
			return !stopped
		}
		err = client.ForEachMaster(ctx, func(ctx context.Context, node *goredis.Client) error {
			mu.Lock()
			over := stopped
			mu.Unlock()
			if over {
				return nil
			}
			return scan(ctx, node)
		})
	case *goredis.Client:
		err = scan(ctx, client)
	}
	if err == nil || errors.Is(err, errEnough) {
		return nil
	}
	return fmt.Errorf("redis: list: %w", classify(ctx, err))
}

// scan walks one master.
func (s *Store) scan(ctx context.Context, client *goredis.Client, yield func(session.Info) bool) error {
	var cursor uint64
	for {
		keys, next, err := client.Scan(ctx, cursor, s.layout.pattern(s.opt.App), scanPage).Result()
		if err != nil {
			return err
		}
		if err := s.describe(ctx, client, keys, yield); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// describe asks for a page of sessions in one round trip.
func (s *Store) describe(ctx context.Context, client *goredis.Client, dataKeys []string, yield func(session.Info) bool) error {
	type asked struct {
		id       string
		blob     *goredis.StringCmd
		fields   *goredis.MapStringStringCmd
		ttl, age *goredis.DurationCmd
		size     *goredis.IntCmd
		lock     *goredis.StringCmd
	}
	var list []asked
	pipe := client.Pipeline()
	for _, key := range dataKeys {
		id, ok := s.layout.idOf(s.opt.App, key)
		if !ok {
			continue
		}
		keys := s.layout.keys(s.opt.App, id)
		a := asked{id: id, ttl: pipe.PTTL(ctx, keys[1]), lock: pipe.Get(ctx, keys[0]), age: pipe.PTTL(ctx, keys[0])}
		if s.layout.hash() {
			a.fields = pipe.HGetAll(ctx, keys[1])
		} else {
			a.size = pipe.StrLen(ctx, keys[1])
			a.blob = pipe.GetRange(ctx, keys[1], 0, int64(len(uninitializedBlob)))
		}
		list = append(list, a)
	}
	if len(list) == 0 {
		return nil
	}
	cmds, _ := pipe.Exec(ctx) // its error is only the first of them
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !errors.Is(err, goredis.Nil) && !strings.HasPrefix(err.Error(), "WRONGTYPE") {
			return err
		}
	}
	for _, a := range list {
		info := session.Info{ID: a.id, Expires: a.ttl.Val()}
		if info.Expires == -2 {
			continue // gone meanwhile
		}
		if s.layout.hash() {
			for name, value := range a.fields.Val() {
				info.Size += len(name) + len(value)
				info.Uninitialized = info.Uninitialized || name == flagName && value != string(s.flagNone)
			}
		} else {
			info.Size = int(a.size.Val())
			info.Uninitialized = strings.HasPrefix(a.blob.Val(), string(uninitializedBlob[:28]))
		}
		if holder, err := a.lock.Result(); err == nil {
			info.Lock = session.TextLock(holder)
			info.LockAge = s.lockAge(holder, max(a.age.Val(), -1).Truncate(time.Millisecond))
		}
		if !yield(info) {
			return errEnough
		}
	}
	return nil
}
