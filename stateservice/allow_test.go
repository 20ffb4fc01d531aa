package stateservice_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// from is a connection that says where it comes from.
type from struct {
	net.Conn
	addr net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.addr }

// readyConns is a listener of connections that are there already.
type readyConns struct{ conns chan net.Conn }

func (q readyConns) Accept() (net.Conn, error) {
	c, ok := <-q.conns
	if !ok {
		return nil, errors.New("no more")
	}
	return c, nil
}
func (q readyConns) Close() error   { return nil }
func (q readyConns) Addr() net.Addr { return &net.TCPAddr{} }

func TestAllow(t *testing.T) {
	nets, err := stateservice.ParseNetworks("10.1.0.0/16, 192.0.2.7,2001:db8::/32,")
	require.NoError(t, err)
	for addr, ok := range map[string]bool{
		"10.1.255.255": true, "10.2.0.1": false, "192.0.2.7": true, "192.0.2.8": false, "2001:db8::1": true, "2001:db9::1": false,
		"::ffff:10.1.2.3": true, "127.0.0.1": true, "::1": true, "0.0.0.0": false,
	} {
		q := readyConns{make(chan net.Conn, 1)}
		ours, theirs := net.Pipe()
		q.conns <- from{ours, &net.TCPAddr{IP: net.ParseIP(addr), Port: 1}}
		close(q.conns)
		var log strings.Builder
		ln := stateservice.Allow(q, nets, slog.New(slog.NewTextHandler(&log, nil)))
		c, err := ln.Accept()
		if ok {
			require.NoError(t, err, addr)
			require.NoError(t, c.Close())
		} else {
			require.Error(t, err, addr)
			_, err = theirs.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF, "a stranger's connection is closed")
			require.Contains(t, log.String(), addr)
		}
		require.NoError(t, theirs.Close())
	}
	for _, bad := range []string{"10.1.0.0/33", "somewhere", "10.1.0.0-10.1.0.9", "fe80::1%eth0"} {
		_, err := stateservice.ParseNetworks(bad)
		require.ErrorContains(t, err, "network", bad)
	}
}
