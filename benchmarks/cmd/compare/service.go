package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/stateservice"
)

// serve runs a server for a measuring process, until it is ended.
func serve(what, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	if what == "echo" {
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}
	return stateservice.New(stateservice.Options{MaxItems: -1, MaxBytes: -1, MaxConns: -1}).Serve(ln)
}

// start runs this program as a server.
func start(what string) (*load.Process, error) {
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return load.Start(addr, self, "-serve", what, "-addr", addr)
}

// startRedis and startMemcached run a server of the system, if there is one.
func startRedis() (*load.Process, error) {
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	return load.Start(addr, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning", "--dir", os.TempDir())
}

func startMemcached() (*load.Process, error) {
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	return load.Start(addr, "memcached", "-p", port, "-l", "127.0.0.1", "-U", "0", "-u", "nobody", "-m", "512", "-t", "2")
}

// A server is a target and the process behind it.
type server struct {
	load.Target
	process *load.Process
}

// service measures our state service beside Redis and memcached.
func (r *run) service() error {
	const size, items = 1 << 10, 10_000
	var servers []server
	defer func() {
		for _, s := range servers {
			s.process.Stop()
		}
	}()
	add := func(name string, start func() (*load.Process, error), target func(string, int) load.Target) error {
		p, err := start()
		if err != nil {
			return err
		}
		servers = append(servers, server{target(p.Addr, size), p})
		return load.Fill(servers[len(servers)-1].Target, items)
	}
	if err := add("state service", func() (*load.Process, error) { return start("service") }, load.StateService); err != nil {
		return err
	}
	for _, peer := range []struct {
		name, program string
		start         func() (*load.Process, error)
		target        func(string, int) load.Target
	}{{"redis", "redis-server", startRedis, load.Redis}, {"memcached", "memcached", startMemcached, load.Memcached}} {
		if _, err := exec.LookPath(peer.program); err != nil {
			r.leftOut("%s: %s is not installed", peer.name, peer.program)
			continue
		}
		if err := add(peer.name, peer.start, peer.target); err != nil {
			return err
		}
	}
	if err := add("echo", func() (*load.Process, error) { return start("echo") }, load.Echo); err != nil {
		return err
	}
	rounds, each := 5, 2*time.Second
	if r.quick {
		rounds, each = 3, 300*time.Millisecond
	}
	for _, op := range []load.Op{load.Get, load.Pair} {
		for _, conns := range []int{1, 16, 50, 200} {
			results := make([][]load.Result, len(servers))
			for range rounds { // in turns: a noisy machine slows all alike
				for i, s := range servers {
					before := s.process.CPU()
					res, err := load.Run(s.Target, op, conns, items, each)
					if err != nil {
						return err
					}
					if n := res.PerSecond * each.Seconds(); n > 0 {
						res.CPUPerMilli = (s.process.CPU() - before).Seconds() / n * 1e6
					}
					results[i] = append(results[i], res)
				}
			}
			for _, all := range results {
				slices.SortFunc(all, func(a, b load.Result) int { return int(a.PerSecond - b.PerSecond) })
				median := all[len(all)/2]
				r.Service = append(r.Service, median)
				r.say("%-5s %3d conns  %-14s %9.0f/s  p50 %8v  p99 %8v  p99.9 %8v  %5.1f CPU s per million", op, conns, median.Target,
					median.PerSecond, median.P50.Round(time.Microsecond), median.P99.Round(time.Microsecond), median.P999.Round(time.Microsecond), median.CPUPerMilli)
			}
		}
	}
	return nil
}

func (r *run) leftOut(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.LeftOut = append(r.LeftOut, text)
	r.say("left out: %s", text)
}
