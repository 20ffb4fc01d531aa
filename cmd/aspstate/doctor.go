package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aspsession/aspsession"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/webconfig"
)

const doctorHelp = `  --id COOKIE     A session: the value of its cookie, what a browser sends of it,
                  ASP.NET_SessionId=..., or a URL with (S(...)). A dash reads it
                  from standard input, where no other user of the machine sees
                  it. With it the session is looked for and every item decoded.
                  It renews the session's timeout, as a request would, and takes
                  no lock.
  --probe FILE    What the page of "aspstate probe" answered: the real settings
                  are compared, and each item's type can be serialized or not.
  --timeout D     Give up after so long. Default 2m.
  --json          Print one JSON object for programs.
` + configHelp + `
What a request would do is tried step by step: settings, compare (with --probe),
connect, find, lock, decode. The likeliest fault is named first, with its cure.
The exit code is 1 where there is a fault; notices are none. Ids are shown as the
first digits of their hash. Where the session is not found, other application
ids, keys, layouts and databases are tried. An --app-id that a SQL Server does not
know yet is registered there, as by a request.
`

// A doctor is one examination.
type doctor struct {
	report
	c     *call
	flags siteFlags
	id    string
	given string // the cookie's name as the user gave it, or ""
	probe *probed
	cfg   *webconfig.Config
}

// runDoctor is the verb.
func runDoctor(c *call) int {
	d := doctor{c: c}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	d.flags.registerConfig(flags)
	id := flags.String("id", "", "")
	probe := flags.String("probe", "", "")
	timeout := flags.Duration("timeout", 2*time.Minute, "")
	asJSON := flags.Bool("json", false, "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	if d.flags.config == "" || *timeout <= 0 {
		fmt.Fprintf(c.stderr, "aspstate: %s: give --config FILE, and a --timeout above 0\nUsage: aspstate %s %s\n", c.name, c.name, c.line)
		return exitUsage
	}
	if *id == "-" {
		line, err := c.readLine("-")
		if err != nil {
			return c.fails(err)
		}
		*id = line
	}
	d.id = strings.TrimSpace(*id)
	if *probe != "" {
		var err error
		if d.probe, err = readProbe(*probe); err != nil {
			c.file = *probe
			return c.fail(err)
		}
	}
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	d.examine(ctx)
	for _, name := range []string{"settings", "connect", "find", "lock", "decode"} {
		if !slices.ContainsFunc(d.Steps, func(s step) bool { return s.Name == name }) {
			d.skipped(name, "not reached")
		}
	}
	code := d.finish()
	if *asJSON {
		return c.write(d.json(), code)
	}
	return c.write(d.text(), code)
}

// site is the application as the flags and the page have it; warnings are
// notices.
func (d *doctor) site() aspsession.Site {
	site := d.flags.site(func(string) {})
	if site.AppID == "" && d.probe != nil {
		site.AppID = d.probe.AppID
	}
	site.Config = func(cfg *webconfig.Config) { d.cfg = cfg }
	return site
}

// examine goes as far as it can.
func (d *doctor) examine(ctx context.Context) {
	site := d.site()
	site.Warn = func(what string) { d.find(notice, "settings", "setting", what, "nothing, if it is meant so") }
	store, _, err := aspsession.OpenStore(ctx, d.flags.config, site, openers...)
	if d.cfg != nil {
		d.compare()
		d.pickID()
	}
	if err != nil {
		d.settingsFailed(err)
		return
	}
	defer closeStore(store) //nolint:errcheck // only read from
	d.ok("settings", "%s", d.describe())
	if !d.connect(ctx, store) {
		return
	}
	if d.id == "" {
		for _, name := range []string{"find", "lock", "decode"} {
			d.skipped(name, "no --id was given")
		}
		return
	}
	rec, found := d.lookup(ctx, store)
	if found {
		d.decode(rec)
	}
}

// describe is the settings in one line.
func (d *doctor) describe() string {
	s := &d.cfg.SessionState
	what := s.Mode.String()
	switch {
	case s.Mode == webconfig.ModeStateServer:
		what += " at " + strings.TrimPrefix(s.StateConnectionString, "tcpip=")
	case s.Provider != nil:
		what = s.Provider.Kind.String() + " provider"
	}
	if id := d.site().AppID; id != "" {
		what += ", application " + label(id, 200)
	}
	return fmt.Sprintf("%s, cookie %s, timeout %v, execution timeout %v", what, label(s.CookieName, 80), s.Timeout, d.cfg.Runtime.ExecutionTimeout)
}

// settingsFailed says why no store could be made of the configuration.
func (d *doctor) settingsFailed(err error) {
	found := strings.ReplaceAll(err.Error(), "aspsession: ", "")
	name, cure := "settings", "the line says it"
	foreign, isForeign := errors.AsType[*webconfig.ForeignError](err)
	switch {
	case errors.Is(err, webconfig.ErrFile):
		name, cure = "web.config", "give the path of the site's web.config, and files in it that can be read"
	case d.cfg == nil && !isForeign:
		name, cure = "web.config", "correct the file where it says; ASP.NET itself would not start, or means something else"
	case isForeign:
		name, cure = "foreign-type", foreign.Cure
	case errors.Is(err, aspsession.ErrInProc):
		name, cure = "inproc", `move the site to a state service first: stateConnectionString="tcpip=HOST:42424" mode="StateServer", and every item must be [Serializable]: "aspstate probe" tells which are not`
	case errors.Is(err, aspsession.ErrOff):
		name, cure = "off", "give the site a mode that keeps sessions where Go can reach them"
	case errors.Is(err, aspsession.ErrKey):
		name, cure = "machine-key", `give --key-base with what "aspstate probe" tells as keyBase`
	case errors.Is(err, session.ErrUnavailable):
		d.ok("settings", "%s", d.describe())
		d.unreachable(err)
		return
	case d.needsAppID():
		name, cure = "app-id-missing", `give --app-id, such as /LM/W3SVC/1/ROOT: "aspstate probe" makes a page that tells it, and IIS has the site's number in its list of sites`
		found = "the application's id is needed, and web.config does not hold it"
	}
	d.failed(stops, "settings", name, found, cure)
}

func (d *doctor) needsAppID() bool {
	s := &d.cfg.SessionState
	redis := s.Provider != nil && s.Provider.Kind == webconfig.ProviderRedis
	return d.site().AppID == "" && d.flags.keyBase == "" && !redis
}

// nobody is an id that no session has: connecting is seen by asking for it.
func nobody() string {
	id, _ := session.StandardIDs{}.New() // never fails
	return id
}

func (d *doctor) connect(ctx context.Context, store session.Store) bool {
	start := time.Now()
	_, err := store.Get(ctx, nobody())
	if err == nil || errors.Is(err, session.ErrNotFound) {
		d.ok("connect", "the store answers, in %v", time.Since(start).Round(10*time.Microsecond))
		return true
	}
	d.unreachable(err)
	return false
}

// unreachable says why the store does not answer.
func (d *doctor) unreachable(err error) {
	text := strings.ToLower(err.Error())
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	name, cure := "store", "see the store's own log"
	sqlErr, _ := errors.AsType[*sqlserver.Error](err)
	switch {
	case sqlErr != nil && sqlErr.Number >= 18450 && sqlErr.Number <= 18488:
		name, cure = "login", sqlErr.Remedy
	case sqlErr != nil && sqlErr.Number != 0:
		name, cure = "database", sqlErr.Remedy
		if cure == "" {
			cure = "`aspstate sql check` looks at the database"
		}
	case has("noauth", "wrongpass", "noperm"):
		name, cure = "login", "correct the password (accessKey) in web.config"
	case has("db index is out of range", "select is not allowed"):
		name, cure = "redis-database", "correct databaseId, or defaultDatabase of the connection string: the server has no such database; a cluster has 0 alone"
	case has("no such host"):
		name, cure = "store-name", "the host's name is not known here: Windows' names need their domain, or an entry in /etc/hosts"
	case has("connection refused"):
		name, cure = "store-down", "start the service, or correct the port: 42424 is a state service's, 6379 Redis', 1433 SQL Server's; aspnet_state.exe takes connections from elsewhere only with AllowRemoteConnection=1 in its registry key"
	case has("timeout", "deadline exceeded"):
		name, cure = "store-silent", "nothing answers: a firewall, a wrong address, or another kind of service; the port must be open from this machine"
	case has("unable to open tcp connection", "dial", "unreachable", "eof", "reset"):
		name, cure = "store-down", "is the service up, and is it the one that web.config means? its port must be open from this machine"
	default:
		name, cure = "wrong-service", "something else than the store listens there: correct host and port"
	}
	d.failed(stops, "connect", name, err.Error(), cure)
}
