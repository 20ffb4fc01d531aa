package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/aspsession/aspsession/session"
)

// A node is what a server says of itself.
type node struct {
	mode, role string // "standalone", "cluster" or "sentinel"; "master" or "replica"
}

// connect makes the client that fits the servers behind the addresses: what
// they are they are asked, since one address may be a cluster's and several a
// master's and its replicas'.
func connect(ctx context.Context, o goredis.UniversalOptions) (goredis.UniversalClient, error) {
	o.ContextTimeoutEnabled = true // or a call could outlast its context
	o.ReadOnly, o.RouteByLatency, o.RouteRandomly = false, false, false
	if o.MaintNotificationsConfig == nil {
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	}
	if len(o.Addrs) == 0 {
		o.Addrs = []string{"127.0.0.1:6379"}
	}
	if o.MasterName != "" {
		return goredis.NewFailoverClient(o.Failover()), nil
	}
	var errs []error
	for _, addr := range o.Addrs {
		one := o
		one.Addrs, one.DB = []string{addr}, 0 // a cluster refuses to select another
		client := goredis.NewClient(one.Simple())
		n, err := ask(ctx, client)
		if err == nil && n.mode == "sentinel" {
			o.MasterName, err = onlyMaster(ctx, client)
		}
		if cerr := client.Close(); err == nil {
			err = cerr
		}
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", addr, err))
		case n.mode == "cluster" && o.DB != 0:
			return nil, fmt.Errorf("%w: %s is a Redis Cluster, which has no database but 0, and %d is asked for", session.ErrUnavailable, addr, o.DB)
		case n.mode == "cluster":
			return goredis.NewClusterClient(o.Cluster()), nil
		case n.mode == "sentinel":
			return goredis.NewFailoverClient(o.Failover()), nil
		case n.role == "master":
			one.DB = o.DB
			return goredis.NewClient(one.Simple()), nil
		default:
			errs = append(errs, fmt.Errorf("%s: %w; give the master's address, or Sentinel's with MasterName", addr, ErrReadOnlyReplica))
		}
	}
	return nil, fmt.Errorf("%w: %w", session.ErrUnavailable, errors.Join(errs...))
}

// ask finds out what a server is: by HELLO, which every user may say, or by ROLE
// and CLUSTER INFO for servers before Redis 6.
func ask(ctx context.Context, client *goredis.Client) (node, error) {
	protocol := 3
	if client.Options().Protocol == 2 {
		protocol = 2 // asking must not change it
	}
	reply, err := client.Do(ctx, "HELLO", protocol).Result()
	if err == nil {
		if m := fields(reply); m["mode"] != "" {
			if m["role"] == "slave" {
				m["role"] = "replica"
			}
			return node{m["mode"], m["role"]}, nil
		}
	}
	if err != nil && !errors.As(err, new(goredis.Error)) {
		return node{}, err
	}
	role, err := client.Do(ctx, "ROLE").Slice()
	if err != nil || len(role) == 0 {
		return node{}, fmt.Errorf("it says neither HELLO nor ROLE: %w", err)
	}
	n := node{"standalone", "master"}
	switch role[0] {
	case "sentinel":
		n.mode = "sentinel"
	case "slave":
		n.role = "replica"
	}
	if info, err := client.ClusterInfo(ctx).Result(); err == nil && strings.Contains(info, "cluster_state") {
		n.mode = "cluster"
	}
	return n, nil
}

// fields reads a reply of names and values, by either protocol.
func fields(reply any) map[string]string {
	out := map[string]string{}
	switch r := reply.(type) {
	case map[any]any:
		for k, v := range r {
			out[fmt.Sprint(k)] = fmt.Sprint(v)
		}
	case []any:
		for i := 0; i+1 < len(r); i += 2 {
			out[fmt.Sprint(r[i])] = fmt.Sprint(r[i+1])
		}
	}
	return out
}

// onlyMaster is the name of the one master that a Sentinel watches.
func onlyMaster(ctx context.Context, client *goredis.Client) (string, error) {
	list, err := client.Do(ctx, "SENTINEL", "MASTERS").Slice()
	if err != nil {
		return "", fmt.Errorf("it is a Sentinel that does not name its masters; set MasterName: %w", err)
	}
	names := map[string]bool{}
	for _, m := range list {
		names[fields(m)["name"]] = true
	}
	if len(names) != 1 {
		return "", fmt.Errorf("it is a Sentinel that watches %d masters %q; set MasterName to one of them", len(names), slices.Sorted(maps.Keys(names)))
	}
	for name := range names {
		return name, nil
	}
	return "", nil
}

// probe checks the server behind the client once, at the start.
func (s *Store) probe(ctx context.Context) error {
	var mu sync.Mutex // guards policies
	policies := map[string]bool{}
	check := func(ctx context.Context, client *goredis.Client) error {
		n, err := ask(ctx, client)
		if err != nil {
			return classify(ctx, err)
		}
		if n.role == "replica" {
			return fmt.Errorf("%w: %w; give the master's address, or Sentinel's with MasterName", session.ErrUnavailable, ErrReadOnlyReplica)
		}
		if err := client.Eval(ctx, "return 1", nil).Err(); err != nil {
			if refused(err) {
				return fmt.Errorf("%w: %w: %w", session.ErrUnavailable, ErrNoScripting, err)
			}
			return classify(ctx, err)
		}
		mu.Lock()
		defer mu.Unlock()
		policies[policy(ctx, client)] = true
		return nil
	}
	var err error
	switch client := s.client.(type) {
	case *goredis.ClusterClient:
		s.cluster = true
		if s.layout == LayoutA {
			return fmt.Errorf("%w: %w; providers from 2.0 on, layouts B and C, can", session.ErrUnsupported, ErrCrossSlot)
		}
		if strings.HasPrefix(s.opt.App, "}") {
			return fmt.Errorf("%w: an application name that starts with } scatters a session's keys over a cluster", session.ErrUnsupported)
		}
		err = client.ForEachMaster(ctx, check)
	case *goredis.Client:
		err = check(ctx, client)
	default:
		return fmt.Errorf("%w: a %T: sessions need a single node, Sentinel or Cluster", session.ErrUnsupported, s.client)
	}
	if err != nil {
		return err
	}
	for name := range policies {
		if strings.HasPrefix(name, "allkeys-") || strings.HasPrefix(name, "volatile-") {
			s.opt.Logger.Warn("redis: the server may drop sessions when its memory is full, and visitors lose what is in them; set maxmemory-policy noeviction", "maxmemory-policy", name)
		}
	}
	return nil
}

// policy is what the server does when its memory is full; "" where it does not
// say, as with a user who may ask neither way.
func policy(ctx context.Context, client *goredis.Client) string {
	const name = "maxmemory-policy"
	if m, err := client.ConfigGet(ctx, name).Result(); err == nil {
		return m[name]
	}
	info, err := client.Info(ctx, "memory").Result()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:"); ok {
			return v
		}
	}
	return ""
}
