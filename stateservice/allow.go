package stateservice

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// ParseNetworks reads a comma list of networks ("10.1.0.0/16") and addresses.
func ParseNetworks(list string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, aerr := netip.ParseAddr(word)
			if aerr != nil || a.Zone() != "" {
				return nil, fmt.Errorf("stateservice: %q is neither a network like 10.1.0.0/16 nor an address", word)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		nets = append(nets, p.Masked())
	}
	return nets, nil
}

// Allow accepts connections from these networks, and from this machine itself
// where it calls over loopback. It closes others at once and says so, at most
// once a second: the protocol has no authentication, so that who may connect is
// all the protection there is.
func Allow(ln net.Listener, networks []netip.Prefix, logger *slog.Logger) net.Listener {
	if logger == nil {
		logger = slog.Default()
	}
	return &allowed{Listener: ln, networks: networks, logger: logger}
}

type allowed struct {
	net.Listener
	networks []netip.Prefix
	logger   *slog.Logger

	mu      sync.Mutex // guards the rest
	said    time.Time
	refused int64 // since then
}

// Accept implements net.Listener.
func (l *allowed) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.permits(c.RemoteAddr()) {
			return c, err
		}
		l.refuse(c)
	}
}

func (l *allowed) permits(remote net.Addr) bool {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return true // a unix socket has a mode
	}
	a, _ := netip.AddrFromSlice(tcp.IP)
	a = a.Unmap()
	if a.IsLoopback() {
		return true
	}
	for _, n := range l.networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

func (l *allowed) refuse(c net.Conn) {
	_ = c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused++
	if now := time.Now(); now.Sub(l.said) >= time.Second {
		l.logger.Warn("stateservice: connection refused", "limit", "allowed networks", "from", c.RemoteAddr().String(), "refused", l.refused)
		l.said, l.refused = now, 0
	}
}
