package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice/admin"
	"github.com/aspsession/aspsession/stores/redis"
)

// discoverStateService sorts all keys by what stands in front of the id.
func discoverStateService(ctx context.Context, a *adminClient, own session.Settings) ([]*found, error) {
	base := ""
	if own.AppID != "" || own.KeyBase != "" {
		var err error
		if base, err = keyBase(own); err != nil {
			return nil, err
		}
	}
	c := census{}
	err := a.sessions(ctx, func(l admin.Listed) bool {
		front, application, generation := splitKey(string(l.Key))
		f := c.at(front, application, generation)
		f.count(int64(l.Size), l.LockCookie != 0)
		f.Yours = base != "" && front == base
		return true
	})
	if err != nil {
		return nil, err
	}
	list := c.list()
	if base != "" && c[base] == nil {
		_, application, generation := splitKey(base)
		list = append(list, &found{Application: application, Generation: generation, Yours: true, key: base,
			Notes: []string{"there is no session of this application"}})
	}
	return list, nil
}

// generations are told by the length of the hash (MS-ASP leaves it open; .NET
// Framework makes a SHA-256 since 4.5, and a MAC under machineKey before).
var generations = map[int]string{
	16: "MD5 (before 4.5)", 20: "SHA1, 3DES or AES (before 4.5)", 32: "HMACSHA256 (before 4.5)",
	48: "HMACSHA384 (before 4.5)", 64: "HMACSHA512 (before 4.5)",
}

// splitKey takes a key apart: application(hash)/id. The hash may have slashes,
// the application parentheses. Of two keyed hashes of one length a few digits
// tell which is which.
func splitKey(key string) (front, application, generation string) {
	end := strings.LastIndex(key, ")/")
	start := -1
	if end >= 0 {
		start = strings.LastIndexByte(key[:end], '(')
	}
	if start <= 0 {
		return "", "?", "not ASP.NET's keys"
	}
	front, application = key[:end+2], key[:start]
	for _, id := range []string{application, strings.TrimPrefix(application, "/")} {
		if msasp.Base(id) == front {
			return front, application, "SHA-256 (4.5 and later)"
		}
	}
	hash, err := base64.StdEncoding.DecodeString(key[start+1 : end])
	if err != nil || generations[len(hash)] == "" {
		return front, application, "an unknown hash"
	}
	return front, application, fmt.Sprintf("%s, key %s", generations[len(hash)], strings.TrimPrefix(shortID(front), "h-")[:6])
}

// layoutSuffixes stand around application and id in the data key of a session in
// Redis, and behind them in that of its lock.
var layoutSuffixes = []struct{ layout, open, end, lock string }{
	{"layout C (provider 5.x)", "{", "}_SessionStateItemCollection", "}_WriteLock"},
	{"layout B (provider 2.x to 4.x)", "{", "}_Data", "}_Write_Lock"},
	{"layout A (provider 1.x)", "", "_Data", "_Write_Lock"},
}

// discoverRedis looks at the names of all keys of the database.
func discoverRedis(ctx context.Context, s session.Settings) ([]*found, error) {
	opt, _, err := redis.Provider{Attributes: s.Attributes}.Options()
	if err != nil {
		return nil, err
	}
	client := goredis.NewUniversalClient(&opt.Redis)
	defer client.Close()
	c := census{}
	all := map[string]bool{} // SCAN may tell of a key twice
	scan := func(ctx context.Context, node goredis.Cmdable) error {
		for cursor := uint64(0); ; {
			keys, next, err := node.Scan(ctx, cursor, "*_*", 512).Result()
			if err != nil {
				return err
			}
			for _, key := range keys {
				all[key] = true
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	if cluster, ok := client.(*goredis.ClusterClient); ok {
		// One after the other: the census has no lock.
		var mu sync.Mutex // guards nodes
		var nodes []*goredis.Client
		err = cluster.ForEachMaster(ctx, func(_ context.Context, n *goredis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, n)
			return nil
		})
		for _, n := range nodes {
			if err == nil {
				err = scan(ctx, n)
			}
		}
	} else {
		err = scan(ctx, client)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: redis: listing keys: %w", session.ErrUnavailable, unaddressed(err))
	}
	for key := range all {
		for _, l := range layoutSuffixes {
			stem, isData := strings.CutSuffix(key, l.end)
			stem, opened := strings.CutPrefix(stem, l.open)
			at := strings.LastIndexByte(stem, '_')
			if !isData || !opened || at < 0 || at == len(stem)-1 {
				continue
			}
			f := c.at(l.layout+" "+stem[:at], stem[:at], l.layout)
			f.count(0, all[strings.TrimSuffix(key, l.end)+l.lock])
			f.Bytes, f.Yours = -1, stem[:at] == opt.App
			break
		}
	}
	return c.list(), nil
}

// unaddressed keeps what a client's error says.
func unaddressed(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return err
}
