package webconfig

import (
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

var sessionAttributes = []string{
	"mode", "timeout", "cookieless", "cookieName", "cookieSameSite", "regenerateExpiredSessionId",
	"stateConnectionString", "stateNetworkTimeout", "sqlConnectionString", "sqlCommandTimeout",
	"sqlConnectionRetryInterval", "allowCustomSqlDatabase", "compressionEnabled", "useHostingIdentity",
	"customProvider", "partitionResolverType", "sessionIDManagerType",
}

// maxMinutes is a year: what Session.Timeout takes.
const maxMinutes = 525_600

// maxSeconds is what a time.Duration holds.
const maxSeconds = math.MaxInt64 / int64(time.Second)

func (r *reader) sessionState(c *Config) {
	v := r.attributes("sessionState", sessionAttributes, true)
	s := &c.SessionState
	s.Mode = Mode(v.enum("mode", int(ModeInProc), modeNames...))
	s.Timeout = v.duration("timeout", 20*time.Minute, time.Minute, false, 1, maxMinutes)
	s.Cookieless = v.cookieless()
	s.CookieName = v.text("cookieName", "ASP.NET_SessionId")
	if a, ok := v.find("cookieName"); ok && a.value == "" {
		v.bad(a, "write a name, or delete the attribute for ASP.NET_SessionId")
	}
	s.CookieSameSite = v.sameSite("cookieSameSite", SameSiteLax)
	s.RegenerateExpiredSessionID = v.boolean("regenerateExpiredSessionId", true)
	s.StateNetworkTimeout = v.duration("stateNetworkTimeout", 10*time.Second, time.Second, true, 1, maxSeconds)
	s.SQLCommandTimeout = v.duration("sqlCommandTimeout", 30*time.Second, time.Second, true, 0, maxSeconds)
	s.SQLConnectionRetryInterval = v.duration("sqlConnectionRetryInterval", 0, time.Second, true, 0, maxSeconds)
	s.AllowCustomSQLDatabase = v.boolean("allowCustomSqlDatabase", false)
	s.CompressionEnabled = v.boolean("compressionEnabled", false)
	s.UseHostingIdentity = v.boolean("useHostingIdentity", true)
	s.CustomProvider = v.text("customProvider", "")
	s.PartitionResolverType = v.text("partitionResolverType", "")
	s.SessionIDManagerType = v.text("sessionIDManagerType", "")
	s.StateConnectionString = v.connection(c, "stateConnectionString", "tcpip=loopback:42424")
	s.SQLConnectionString = NewSecret(v.connection(c, "sqlConnectionString", "data source=localhost;Integrated Security=SSPI"))
	providers := r.providers(s)

	v.checkConnections(c)
	if stateAddress(s.StateConnectionString) != "" {
		s.StateConnectionString = ""
	}
	v.provider(c, providers)
	v.foreignTypes(s)
	v.check(c)
}

func (v values) cookieless() CookieMode {
	i := v.enum("cookieless", 0, append(slices.Clone(cookieModeNames), "false", "true")...)
	if i >= len(cookieModeNames) {
		return CookieMode(i - len(cookieModeNames)) // false, true: UseCookies, UseURI
	}
	return CookieMode(i)
}

// sameSite takes any case, and -1 for Unspecified as .NET's own tools write it.
func (v values) sameSite(name string, standard SameSite) SameSite {
	a, ok := v.find(name)
	if !ok {
		return standard
	}
	if a.value == "-1" {
		return SameSiteUnspecified
	}
	i := foldIndex(sameSiteNames, a.value)
	if i < 0 {
		v.bad(a, "write "+choice(sameSiteNames))
		return standard
	}
	return SameSite(i)
}

// connection is a connection string, or the one in <connectionStrings> that has
// its name.
func (v values) connection(c *Config, name, standard string) string {
	text := v.text(name, standard)
	if s, ok := c.ConnectionStrings.Get(text); ok {
		return s.Reveal()
	}
	return text
}

// checkConnections looks at the connection string that the mode uses.
func (v values) checkConnections(c *Config) {
	s := &c.SessionState
	name, text := "stateConnectionString", s.StateConnectionString
	if s.Mode == ModeSQLServer {
		name, text = "sqlConnectionString", s.SQLConnectionString.Reveal()
	}
	pos := v.pos(name)
	switch {
	case s.Mode != ModeStateServer && s.Mode != ModeSQLServer || v.incomplete:
	case len(text) > 9 && strings.EqualFold(text[:9], "registry:"):
		v.errorf(pos, ErrValue, "write the connection string itself", "sessionState %s is a value of the server's registry", name)
	case s.Mode == ModeStateServer:
		if why := stateAddress(s.StateConnectionString); why != "" {
			v.errorf(pos, ErrValue, `write tcpip=host:port, such as "tcpip=10.0.0.5:42424"`, "sessionState stateConnectionString %s", why)
		}
	case !strings.Contains(text, "="):
		var names []string
		for name := range c.ConnectionStrings {
			names = append(names, showName(name))
		}
		slices.Sort(names)
		have := "there are none"
		if len(names) > 0 {
			have = "there are " + strings.Join(names, ", ")
		}
		v.errorf(pos, ErrValue, `write "Data Source=...", or a name in <connectionStrings>: `+have,
			"sessionState sqlConnectionString is neither a connection string nor the name of one")
	}
}

// stateAddress says what is wrong with a stateConnectionString, or "".
func stateAddress(s string) string {
	addr, ok := strings.CutPrefix(s, "tcpip=")
	if !ok {
		return `does not begin with "tcpip=" in small letters`
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "is " + show(addr) + " behind tcpip=, without a port, or with a colon too many"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "has the port " + show(port) + ", which is no number from 1 to 65535"
	}
	switch {
	case host == "", strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' }):
		return "has no host in it"
	case strings.HasPrefix(addr, "[") && net.ParseIP(host) == nil:
		return "has no IPv6 address in its brackets"
	}
	return ""
}

// foreignTypes reports code of the site that decides about sessions.
func (v values) foreignTypes(s *SessionState) {
	if t := s.PartitionResolverType; t != "" {
		v.foreign("partitionResolverType", t,
			"write its rule in Go as session.Options.Partition, with the same store for the same id as the site's")
	}
	name, _, _ := strings.Cut(s.SessionIDManagerType, ",")
	switch name = strings.TrimSpace(name); name {
	case "", "System.Web.SessionState.SessionIDManager":
		s.SessionIDManagerType = ""
	default:
		v.foreign("sessionIDManagerType", s.SessionIDManagerType,
			"give session.Options.IDs what makes and checks the same ids, or delete the attribute for ASP.NET's own ids")
	}
}

func (v values) foreign(name, typ, cure string) {
	v.fail(&ForeignError{v.pos(name), "sessionState " + name, showType(typ), cure})
}

// check finds settings that do not fit together.
func (v values) check(c *Config) {
	s := &c.SessionState
	if s.CookieSameSite == SameSiteNone && c.App.SuppressSameSiteNone {
		s.CookieSameSite = SameSiteUnspecified
	}
	if s.CookieSameSite == SameSiteNone && !c.Cookies.RequireSSL && s.Cookieless != UseURI {
		v.warnf(v.pos("cookieSameSite"), `cookieSameSite is None without <httpCookies requireSSL="true">: browsers drop such cookies; .NET before December 2019 wrote no attribute for None, which is Unspecified now`)
	}
	if s.CustomProvider != "" && s.Mode != ModeCustom {
		v.warnf(v.pos("customProvider"), "customProvider does not count in mode %s", s.Mode)
	}
	uses := map[string]Mode{"stateConnectionString": ModeStateServer, "sqlConnectionString": ModeSQLServer}
	for _, name := range []string{"stateConnectionString", "sqlConnectionString"} {
		if a, ok := v.find(name); ok && s.Mode != uses[name] && s.Mode <= ModeInProc {
			v.warnf(a.pos, "%s does not count in mode %s; mode=%q uses it", name, s.Mode, uses[name])
		}
	}
}

// providers reads <providers> of all files, and returns the elements beside
// s.Providers.
func (r *reader) providers(s *SessionState) (elems []*element) {
	var list collection
	for _, b := range r.section("sessionState").bodies {
		for _, child := range b.children {
			if child.name != "providers" {
				r.errorf(child.pos, ErrName, "it has <providers> alone", "<%s> stands in <sessionState>", showName(child.name))
				continue
			}
			r.collect(&list, child.children, "sessionState providers", "name", true)
		}
	}
	for _, e := range list.entries() {
		v := values{r, "sessionState provider", e.elem.attrs, e.elem.pos}
		p := Provider{Position: e.elem.pos, Name: e.key, Type: v.text("type", ""), Attributes: Secrets{}}
		if p.Type == "" {
			r.errorf(e.elem.pos, ErrValue, `write type="Namespace.Type, Assembly"`, "the provider %s has no type", showName(p.Name))
			continue
		}
		for _, a := range e.elem.attrs {
			if other, twice := p.Attributes.key(a.name); twice {
				r.errorf(a.pos, ErrConflict, "keep one: case does not count here", "the provider %s has %s and %s", showName(p.Name), showName(other), showName(a.name))
				continue
			}
			p.Attributes[a.name] = NewSecret(a.value)
		}
		p.Kind, p.Version = providerKind(p.Type)
		s.Providers = append(s.Providers, p)
		elems = append(elems, e.elem)
	}
	return elems
}

// provider finds the one that mode Custom uses.
func (v values) provider(c *Config, elems []*element) {
	s := &c.SessionState
	if s.Mode != ModeCustom {
		return
	}
	var names []string
	var elem *element
	for i := range s.Providers {
		if strings.EqualFold(s.Providers[i].Name, s.CustomProvider) {
			s.Provider, elem = &s.Providers[i], elems[i]
		}
		names = append(names, showName(s.Providers[i].Name))
	}
	switch {
	case s.CustomProvider == "":
		v.errorf(v.pos("mode"), ErrConflict, "name one of <providers> in customProvider", `sessionState mode is "Custom" without customProvider`)
	case s.Provider == nil:
		have := "there are none"
		if len(names) > 0 {
			have = "there are " + strings.Join(names, ", ")
		}
		v.errorf(v.pos("customProvider"), ErrConflict, "write the name of one of <providers>: "+have,
			"sessionState customProvider is %s, which is not there", show(s.CustomProvider))
	case s.Provider.Kind == ProviderSQLAsync:
		p := values{v.reader, "sessionState provider", elem.attrs, elem.pos}
		p.sqlProvider(c, s.Provider)
	case s.Provider.Kind == ProviderForeign:
		v.fail(&ForeignError{s.Provider.Position, "sessionState customProvider", showType(s.Provider.Type), foreignProvider(s.Provider.Type)})
	}
}
