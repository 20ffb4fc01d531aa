package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// ParseConnectionString reads the connection string of StackExchange.Redis, the
// provider's client (ConfigurationOptions.Parse of 2.6.122):
//
//	cache.example.com:6380,password=...,ssl=True,abortConnect=False
//
// Warnings name what has no counterpart here or works another way. What would
// make sessions unreachable is an error (proxy=Twemproxy, tunnel, renamed
// commands). As there, endpoints that make no sense and duplicates are dropped,
// with a warning. Neither errors nor warnings hold a part of the string that
// could be a password: they count the parts between commas.
func ParseConnectionString(s string) (opt goredis.UniversalOptions, warnings []string, err error) {
	p := connParser{seen: map[string]bool{}, connect: -1, sync: -1}
	for i, part := range strings.Split(s, ",") {
		p.part = i + 1
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if at := strings.IndexByte(part, '='); at > 0 {
			err = p.option(strings.TrimSpace(part[:at]), strings.TrimSpace(part[at+1:]))
		} else {
			p.endpoints = append(p.endpoints, endpoint{p.part, part})
		}
		if err != nil {
			return goredis.UniversalOptions{}, nil, fmt.Errorf("redis: connection string, part %d: %w", p.part, err)
		}
	}
	opt, err = p.finish()
	if err != nil {
		return goredis.UniversalOptions{}, nil, fmt.Errorf("redis: connection string: %w", err)
	}
	return opt, p.warnings, nil
}

type endpoint struct {
	part int
	text string
}

type connParser struct {
	part      int
	opt       goredis.UniversalOptions
	endpoints []endpoint
	seen      map[string]bool
	warnings  []string

	ssl, azure    bool
	sslSet        bool
	sslHost       string
	min, max      uint16
	connect, sync int // milliseconds; -1 where not given

	sentinelUser, sentinelPassword string
}

func (p *connParser) warn(format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf("part %d: ", p.part)+fmt.Sprintf(format, args...))
}

// without holds the options that have no counterpart, and why that may matter.
var without = map[string]string{
	"allowadmin": "", "channelprefix": "", "configchannel": "", "configcheckseconds": "", "highprioritythreads": "",
	"keepalive": "", "preserveasyncorder": "", "resolvedns": "", "responsetimeout": "", "setlib": "", "tiebreaker": "",
	"version": "", "writebuffer": "", "highintegrity": "", "tcpkeepalive": "", "asynctimeout": "",
	"checkcertificaterevocation": "Go checks no revocation lists",
}

func (p *connParser) option(name, value string) error {
	lower := strings.ToLower(name)
	if strings.HasPrefix(name, "$") {
		return errors.New("renamed or disabled commands ($command=) are not supported: the scripts call them by their own names")
	}
	var err error
	switch lower {
	case "user":
		p.opt.Username = value
	case "password":
		p.opt.Password = value
	case "sentineluser":
		p.sentinelUser = value
	case "sentinelpassword":
		p.sentinelPassword = value
	case "servicename":
		p.opt.MasterName = value
	case "name":
		p.opt.ClientName = value
	case "defaultdatabase":
		p.opt.DB, err = number(lower, value, 0)
	case "ssl":
		p.ssl, err = boolean(lower, value)
		p.sslSet = true
	case "sslhost":
		p.sslHost = value
	case "sslprotocols":
		err = p.protocols(value)
	case "connecttimeout":
		p.connect, err = number(lower, value, 0)
	case "synctimeout":
		p.sync, err = number(lower, value, 1)
	case "connectretry":
		p.opt.MaxRetries, err = number(lower, value, 0)
		if p.opt.MaxRetries == 0 {
			p.opt.MaxRetries = -1 // none, in go-redis
		}
	case "abortconnect":
		_, err = boolean(lower, value)
	case "protocol":
		switch strings.ToLower(value) {
		case "resp2", "2", "2.0":
			p.opt.Protocol = 2
		case "resp3", "3", "3.0":
			p.opt.Protocol = 3
		default:
			err = errors.New("protocol is neither resp2 nor resp3")
		}
	case "proxy":
		if !strings.EqualFold(value, "none") {
			err = errors.New("proxies (proxy=) are not supported: they do not run scripts, or spread a session's keys")
		}
	case "tunnel":
		err = errors.New("tunnels are not supported: set Options.Redis.Dialer")
	default:
		why, known := without[lower]
		if !known {
			return errors.New("no such option; a password with a comma in it cannot be written in a connection string")
		}
		if why != "" {
			p.warn("%s has no counterpart: %s", lower, why)
		} else {
			p.warn("%s has no counterpart and is left out", lower)
		}
	}
	return err
}

func boolean(name, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", name)
}

func number(name, value string, least int) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || int(n) < least {
		return 0, fmt.Errorf("%s is no whole number of at least %d", name, least)
	}
	return int(n), nil
}

var tlsVersions = map[string]uint16{
	"none": 0, "tls": tls.VersionTLS10, "tls11": tls.VersionTLS11, "tls12": tls.VersionTLS12, "tls13": tls.VersionTLS13,
}

func (p *connParser) protocols(value string) error {
	for name := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '|' || r == ' ' }) {
		v, ok := tlsVersions[strings.ToLower(name)]
		switch {
		case strings.EqualFold(name, "ssl2"), strings.EqualFold(name, "ssl3"), strings.EqualFold(name, "default"):
			p.warn("sslprotocols names a protocol older than TLS 1.0, which Go does not have")
		case !ok:
			return errors.New("sslprotocols names an unknown protocol")
		case v != 0:
			if p.min == 0 || v < p.min {
				p.min = v
			}
			p.max = max(p.max, v)
		}
	}
	return nil
}

// azureHosts are the suffixes of Azure Cache for Redis, which imply TLS.
var azureHosts = []string{".redis.cache.windows.net", ".redis.cache.chinacloudapi.cn", ".redis.cache.usgovcloudapi.net", ".redis.cache.cloudapi.de"}

func (p *connParser) finish() (goredis.UniversalOptions, error) {
	for _, e := range p.endpoints {
		host := strings.ToLower(hostOf(e.text))
		for _, suffix := range azureHosts {
			p.azure = p.azure || strings.HasSuffix(host, suffix)
		}
	}
	if p.azure && !p.sslSet {
		p.ssl = true
	}
	port := 6379
	switch {
	case p.opt.MasterName != "":
		port = 26379
	case p.ssl:
		port = 6380
	}
	var hosts []string
	for _, e := range p.endpoints {
		p.part = e.part
		addr, ok := address(e.text, port)
		switch {
		case strings.HasPrefix(e.text, "!"):
			return p.opt, fmt.Errorf("part %d: Unix sockets are not supported: set Options.Redis.Dialer", e.part)
		case !ok:
			p.warn("no endpoint, left out")
		case p.seen[addr]:
			p.warn("the same endpoint again")
		default:
			p.seen[addr] = true
			p.opt.Addrs = append(p.opt.Addrs, addr)
			hosts = append(hosts, hostOf(e.text))
		}
	}
	if len(p.opt.Addrs) == 0 {
		return p.opt, errors.New("no endpoint in it, such as cache.example.com:6379")
	}
	if p.opt.MasterName != "" {
		// The provider's client sends the same credentials to both.
		p.opt.SentinelUsername, p.opt.SentinelPassword = p.sentinelUser, p.sentinelPassword
		if p.sentinelUser == "" && p.sentinelPassword == "" && p.opt.Password != "" {
			p.opt.SentinelUsername, p.opt.SentinelPassword = p.opt.Username, p.opt.Password
			p.warnings = append(p.warnings, "the Sentinels get the password of the data nodes, as from the provider's client; Sentinels without a password refuse one: clear SentinelPassword then")
		}
	}
	if p.ssl {
		p.opt.TLSConfig = &tls.Config{MinVersion: p.min, MaxVersion: p.max, ServerName: p.sslHost}
		if p.sslHost == "" && len(hosts) == 1 {
			p.opt.TLSConfig.ServerName = hosts[0]
		}
	} else if p.sslHost != "" || p.max != 0 {
		p.warnings = append(p.warnings, "options of TLS are given and ssl is not: the connection is not encrypted")
	}
	const standard = 5000
	if p.sync < 0 {
		p.sync = standard
	}
	if p.connect < 0 {
		p.connect = max(standard, p.sync)
	}
	p.opt.DialTimeout = max(time.Duration(p.connect)*time.Millisecond, time.Millisecond)
	p.opt.ReadTimeout = time.Duration(p.sync) * time.Millisecond
	p.opt.WriteTimeout = p.opt.ReadTimeout
	return p.opt, nil
}

// address completes an endpoint: host, host:port, [ipv6]:port or bare ipv6.
func address(text string, port int) (string, bool) {
	if ip := net.ParseIP(text); ip != nil {
		return net.JoinHostPort(text, strconv.Itoa(port)), true
	}
	host, p, err := net.SplitHostPort(text)
	if err != nil {
		if host = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"); strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return "", false
		}
		p = strconv.Itoa(port)
	}
	if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, " \t[]/!") {
		return "", false
	}
	return net.JoinHostPort(host, p), true
}

func hostOf(text string) string {
	if host, _, err := net.SplitHostPort(text); err == nil {
		return host
	}
	return strings.Trim(text, "[]")
}
