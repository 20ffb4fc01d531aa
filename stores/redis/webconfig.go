package redis

import (
	"errors"
	"fmt"
	"net"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A Provider is what web.config says of Microsoft's provider.
type Provider struct {
	// Attributes of the <add> element under <sessionState><providers>.
	Attributes map[string]string
	// AppSettings and ConnectionStrings are the sections of web.config in which
	// the provider looks attributes up.
	AppSettings, ConnectionStrings map[string]string
	// VirtualPath is the application's, "/" or "/shop": the application name where
	// the attribute is missing. Default "/".
	VirtualPath string
	// Timeout and ExecutionTimeout are <sessionState timeout> and <httpRuntime
	// executionTimeout>. Defaults as in Options.
	Timeout, ExecutionTimeout time.Duration
}

// Options gives a provider's configuration Go's form, with warnings for what has
// no counterpart. The layout cannot be read from it: Layout stays LayoutC but
// where redisSerializerType says B. No error or warning holds a value.
func (p Provider) Options() (opt Options, warnings []string, err error) {
	r := reader{p: p, used: map[string]bool{}}
	for name := range p.Attributes {
		r.names = append(r.names, name)
	}
	sort.Strings(r.names)

	opt.Timeout, opt.ExecutionTimeout = p.Timeout, p.ExecutionTimeout
	opt.App, _ = r.text("applicationName")
	if opt.App == "" {
		if opt.App = p.VirtualPath; opt.App == "" {
			opt.App = "/"
		}
		r.warn("applicationName is missing: keys start with the virtual path %q", opt.App)
	}
	// The client's own defaults, and attributes that only some versions know.
	r.ignore("name", "")
	r.ignore("type", "")
	r.ignore("throwOnError", "errors always reach the caller")
	r.ignore("retryTimeoutInMilliseconds", "the context and Redis.MaxRetries bound retries")
	r.ignore("loggingClassName", "set Options.Logger")
	r.ignore("loggingMethodName", "set Options.Logger")
	if name, ok := r.take("redisSerializerType"); ok && name != "" {
		opt.Layout = LayoutB
		r.warn("redisSerializerType: set Options.Serializer to its counterpart; the layout is B")
	}
	for _, name := range []string{"settingsClassName", "settingsMethodName"} {
		if v, ok := r.take(name); ok && v != "" {
			return Options{}, nil, fmt.Errorf("redis: web.config: %s names .NET code that makes the connection string; give ParseConnectionString what it returns", name)
		}
	}

	db, err := r.number("databaseId", 0)
	if err != nil {
		return Options{}, nil, err
	}
	conn, given := r.connection()
	if !given {
		if conn, err = r.endpoint(); err != nil {
			return Options{}, nil, err
		}
	}
	var more []string
	if opt.Redis, more, err = ParseConnectionString(conn); err != nil {
		return Options{}, nil, err
	}
	for _, w := range more {
		r.warn("connectionString, %s", w)
	}
	key, hasKey := r.text("accessKey")
	if given {
		// As with the provider, the string stands alone.
		for _, name := range []string{"host", "port", "ssl", "connectionTimeoutInMilliseconds", "operationTimeoutInMilliseconds"} {
			r.ignore(name, "the connection string is used in its place")
		}
	} else if hasKey {
		opt.Redis.Password = key // it may hold a comma
	}
	if !namesDatabase(conn) {
		opt.Redis.DB = db
	}
	for _, name := range r.names {
		if !r.used[strings.ToLower(name)] {
			r.warn("attribute %s is unknown", name)
		}
	}
	return opt, r.warnings, nil
}

// reader finds attributes without case and looks their values up.
type reader struct {
	p        Provider
	names    []string
	used     map[string]bool
	warnings []string
}

func (r *reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

func (r *reader) take(name string) (string, bool) {
	r.used[strings.ToLower(name)] = true
	for _, have := range r.names {
		if strings.EqualFold(have, name) {
			return r.p.Attributes[have], true
		}
	}
	return "", false
}

func (r *reader) ignore(name, why string) {
	if v, ok := r.take(name); ok && v != "" && why != "" {
		r.warn("%s has no counterpart: %s", name, why)
	}
}

// text is a string attribute: an appSettings entry named like its value wins.
func (r *reader) text(name string) (string, bool) {
	v, ok := r.take(name)
	if set, found := lookup(r.p.AppSettings, v); v != "" && found {
		return set, true
	}
	return v, ok
}

// number is a whole number, or the name of an appSettings entry that is one.
func (r *reader) number(name string, standard int) (int, error) {
	v, ok := r.take(name)
	if !ok || v == "" {
		return standard, nil
	}
	n, err := number(name, v, 0)
	if err != nil {
		set, _ := lookup(r.p.AppSettings, v)
		if n, err = number(name, set, 0); err != nil {
			return 0, fmt.Errorf("redis: web.config: %w, nor the name of an appSettings entry that is one", err)
		}
	}
	return n, nil
}

// ssl is true where it is missing: so says the provider's code, while its
// documentation has it the other way round.
func (r *reader) ssl() (bool, error) {
	v, ok := r.take("ssl")
	if !ok || v == "" {
		r.warn("ssl is missing: the provider's code takes true, its documentation says false")
		return true, nil
	}
	set, _ := lookup(r.p.AppSettings, v)
	for _, text := range []string{v, set} {
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return false, errors.New("redis: web.config: ssl is neither true nor false, nor the name of an appSettings entry that is")
}

// connection is the connection string: an appSettings entry, else one of
// connectionStrings, else what is written there.
func (r *reader) connection() (string, bool) {
	v, _ := r.take("connectionString")
	if v == "" {
		return "", false
	}
	if s, ok := lookup(r.p.AppSettings, v); ok {
		return s, true
	}
	if s, ok := lookup(r.p.ConnectionStrings, v); ok {
		return s, true
	}
	return v, true
}

// endpoint makes the connection string of the attributes that count without one.
func (r *reader) endpoint() (string, error) {
	host, ok := r.text("host")
	if !ok || host == "" {
		host = "127.0.0.1"
	}
	port, err := r.number("port", 0)
	if err != nil {
		return "", err
	}
	ssl, err := r.ssl()
	if err != nil {
		return "", err
	}
	connect, err := r.number("connectionTimeoutInMilliseconds", 0)
	if err != nil {
		return "", err
	}
	sync, err := r.number("operationTimeoutInMilliseconds", 0)
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(host, ",=") {
		return "", errors.New("redis: web.config: host is no host's name")
	}
	if port == 0 {
		if port = 6379; ssl {
			port = 6380
		}
	}
	s := fmt.Sprintf("%s,ssl=%v", net.JoinHostPort(host, strconv.Itoa(port)), ssl)
	if connect > 0 {
		s += fmt.Sprintf(",connectTimeout=%d", connect)
	}
	if sync > 0 {
		s += fmt.Sprintf(",syncTimeout=%d", sync)
	}
	return s, nil
}

func namesDatabase(conn string) bool {
	for part := range strings.SplitSeq(conn, ",") {
		if name, _, ok := strings.Cut(part, "="); ok && strings.EqualFold(strings.TrimSpace(name), "defaultDatabase") {
			return true
		}
	}
	return false
}

// lookup finds a key of a section without case, as .NET does.
func lookup(section map[string]string, key string) (string, bool) {
	if v, ok := section[key]; ok {
		return v, true
	}
	for k, v := range section {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}
