// Package redistest starts Redis servers for tests: one alone, a cluster, or a
// master with a replica under Sentinels. They listen on free ports of the
// loopback, keep nothing on disk, and end with the test.
//
//	addr := redistest.Server(t)
//	cluster := redistest.Cluster(t)
//	group := redistest.Sentinel(t)
//
// Where redis-server is not installed the test is skipped; see package testenv
// for how to have it fail.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/internal/child"
	"github.com/aspsession/aspsession/internal/testenv"
)

// Names for testenv.
const (
	single  = "redis"
	cluster = "rediscluster"
)

// Binary is the path of redis-server; the test ends here where there is none.
func Binary(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	testenv.Need(t, name, err == nil, "install redis-server 7 (Debian: apt-get install redis-server)")
	return path
}

// A Node is one server process.
type Node struct {
	Addr string

	mu   sync.Mutex // guards cmd's end
	cmd  *exec.Cmd
	out  lockedBuffer
	done chan struct{}
}

// Kill ends the process as a crash would, and waits for it. Ending one twice is
// no error.
func (n *Node) Kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	_ = n.cmd.Process.Kill()
	<-n.done
}

// Server starts a server alone and returns its address.
func Server(t testing.TB, args ...string) string {
	t.Helper()
	return Start(t, Binary(t, single), args...).Addr
}

// Start starts a server with more arguments of its command line.
func Start(t testing.TB, binary string, args ...string) *Node {
	t.Helper()
	var lastErr error
	// A free port may be taken by another before it is used.
	for range 5 {
		n, err := start(t, binary, args)
		if err == nil {
			return n
		}
		lastErr = err
	}
	t.Fatalf("redistest: %v", lastErr)
	return nil
}

func start(t testing.TB, binary string, args []string) (*Node, error) {
	dir := t.TempDir()
	port := FreePort(t)
	all := []string{
		"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no",
		"--daemonize", "no", "--loglevel", "warning", "--hz", "50", "--repl-diskless-sync-delay", "0",
	}
	return launch(t, binary, fmt.Sprintf("127.0.0.1:%d", port), append(all, args...))
}

func launch(t testing.TB, binary, addr string, args []string) (*Node, error) {
	n := &Node{Addr: addr, done: make(chan struct{})}
	n.cmd = exec.Command(binary, args...)
	n.cmd.Stdout, n.cmd.Stderr = &n.out, &n.out
	if err := child.Start(n.cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(n.done)
		_ = n.cmd.Wait()
	}()
	t.Cleanup(n.Kill)
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-n.done:
			return nil, fmt.Errorf("redis-server ended: %s", n.out.String())
		default:
		}
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return n, c.Close()
		}
		time.Sleep(5 * time.Millisecond)
	}
	n.Kill()
	return nil, fmt.Errorf("redis-server does not listen: %s", n.out.String())
}

// FreePort is a port of the loopback that was free a moment ago, and with it the
// one that a cluster's bus would take, 10,000 higher.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		a, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.Addr().(*net.TCPAddr).Port
		free := false
		if port+10_000 < 1<<16 {
			if b, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+10_000)); err == nil {
				free = b.Close() == nil
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if free {
			return port
		}
	}
	t.Fatal("redistest: no free port")
	return 0
}

// until waits for a condition of the servers, or fails the test.
func until(t testing.TB, what string, ok func(ctx context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for !ok(ctx) {
		if ctx.Err() != nil {
			t.Fatalf("redistest: gave up waiting for %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Client is a plain client of one node, closed with the test.
func Client(t testing.TB, addr string) *goredis.Client {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: addr, DialerRetries: 1, MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// A ClusterGroup is a cluster's nodes.
type ClusterGroup struct {
	Nodes []*Node // three masters, then their replicas
}

// Addrs are the addresses of all nodes.
func (c *ClusterGroup) Addrs() []string {
	var out []string
	for _, n := range c.Nodes {
		out = append(out, n.Addr)
	}
	return out
}

// Node finds the node of an address.
func (c *ClusterGroup) Node(addr string) *Node {
	for _, n := range c.Nodes {
		if n.Addr == addr {
			return n
		}
	}
	return nil
}

// Cluster starts three masters with a replica each.
func Cluster(t testing.TB) *ClusterGroup {
	t.Helper()
	binary := Binary(t, cluster)
	c := &ClusterGroup{}
	for i := range 6 {
		c.Nodes = append(c.Nodes, Start(t, binary, "--cluster-enabled", "yes", "--cluster-config-file", fmt.Sprintf("nodes-%d.conf", i),
			"--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0"))
	}
	ctx := context.Background()
	var clients []*goredis.Client
	for _, n := range c.Nodes {
		clients = append(clients, Client(t, n.Addr))
	}
	bounds := []int{0, 5461, 10923, 16384}
	for i, client := range clients {
		must(t, client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
		if i < 3 {
			must(t, client.ClusterAddSlotsRange(ctx, bounds[i], bounds[i+1]-1).Err())
		}
		if i > 0 {
			host, port, err := net.SplitHostPort(c.Nodes[0].Addr)
			must(t, err)
			must(t, client.ClusterMeet(ctx, host, port).Err())
		}
	}
	until(t, "the cluster's nodes to meet", func(ctx context.Context) bool {
		for _, client := range clients {
			nodes, err := client.ClusterNodes(ctx).Result()
			if err != nil || strings.Count(nodes, "connected") != len(clients) || strings.Contains(nodes, "handshake") {
				return false
			}
		}
		return true
	})
	for i, client := range clients[3:] {
		id, err := clients[i].Do(ctx, "CLUSTER", "MYID").Text()
		must(t, err)
		until(t, "a replica to follow its master", func(ctx context.Context) bool { return client.ClusterReplicate(ctx, id).Err() == nil })
	}
	until(t, "the cluster to be whole", func(ctx context.Context) bool {
		for i, client := range clients {
			info, err := client.ClusterInfo(ctx).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_slots_ok:16384") {
				return false
			}
			if i >= 3 {
				if r, err := client.Info(ctx, "replication").Result(); err != nil || !strings.Contains(r, "master_link_status:up") {
					return false
				}
			}
		}
		return true
	})
	return c
}

// A SentinelGroup is a master, its replica and the Sentinels that watch them.
type SentinelGroup struct {
	MasterName      string
	Sentinels       []string // addresses
	Master, Replica *Node
}

// Sentinel starts a master, a replica and three Sentinels that find it dead
// within a second.
func Sentinel(t testing.TB) *SentinelGroup {
	t.Helper()
	binary := Binary(t, cluster)
	g := &SentinelGroup{MasterName: "sessions", Master: Start(t, binary)}
	host, port, err := net.SplitHostPort(g.Master.Addr)
	must(t, err)
	g.Replica = Start(t, binary, "--replicaof", host, port)
	replica := Client(t, g.Replica.Addr)
	until(t, "the replica to follow its master", func(ctx context.Context) bool {
		info, err := replica.Info(ctx, "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	for range 3 {
		sport := FreePort(t)
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		must(t, os.WriteFile(conf, fmt.Appendf(nil, "port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s %s %s 2\nsentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 4000\n",
			sport, t.TempDir(), g.MasterName, host, port, g.MasterName, g.MasterName), 0o600))
		n, err := launch(t, binary, fmt.Sprintf("127.0.0.1:%d", sport), []string{conf, "--sentinel"})
		must(t, err)
		g.Sentinels = append(g.Sentinels, n.Addr)
	}
	for _, addr := range g.Sentinels {
		s := goredis.NewSentinelClient(&goredis.Options{Addr: addr})
		t.Cleanup(func() { _ = s.Close() })
		until(t, "the Sentinels to find each other and the replica", func(ctx context.Context) bool {
			m, err := s.Master(ctx, g.MasterName).Result()
			return err == nil && m["num-slaves"] == "1" && m["num-other-sentinels"] == "2"
		})
	}
	return g
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A lockedBuffer takes what a process prints.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
