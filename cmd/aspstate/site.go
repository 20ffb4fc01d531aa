package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/aspsession/aspsession"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// configHelp explains the flags that go with a web.config.
const configHelp = `  --config FILE   The site's web.config.
  --app-id ID     The application's id in IIS, such as /LM/W3SVC/1/ROOT, case and
                  all; "aspstate probe" makes a page that tells it. Not for Redis.
  --path PATH     Its virtual path. Default /.
  --location P    A page or folder whose <location> sections count too.
  --machine FILE  The server's machine.config. Default: as if it were unchanged.
  --key-base B    What tells the application's keys from others, where --app-id
                  cannot: all in front of an id in a state service, the eight
                  digits behind it in SQL Server, the application name in Redis.
  --old-hash      ASP.NET of before 4.5 makes the keys, with machineKey.
  --layout L      Redis: C (provider 5.x, the default), B (2.x to 4.x), A (1.x).
  --hash H        The async SQL Server provider: 2.1, or 64 or 32 for older ones.
`

// siteHelp explains the flags by which verbs find a store.
const siteHelp = configHelp + `  --store URL     Instead of --config, one of
                    stateserver://HOST:42424?app=/LM/W3SVC/1/ROOT&compress=true
                    redis://HOST:6379/DATABASE?app=/&layout=C   (rediss: TLS)
                    sqlserver://USER@HOST?database=ASPState&app=/LM/W3SVC/1/ROOT
                  A password is not for the command line: @FILE reads the URL from
                  a file, @- from standard input.
`

// siteFlags say which store a verb works on.
type siteFlags struct {
	config, appID, path, location, machine, keyBase string
	oldHash                                         bool
	layout, hash                                    string
	store                                           string
}

func (f *siteFlags) register(flags *flag.FlagSet) {
	f.registerConfig(flags)
	flags.StringVar(&f.store, "store", "", "")
}

func (f *siteFlags) registerConfig(flags *flag.FlagSet) {
	flags.StringVar(&f.config, "config", "", "")
	flags.StringVar(&f.appID, "app-id", "", "")
	flags.StringVar(&f.path, "path", "/", "")
	flags.StringVar(&f.location, "location", "", "")
	flags.StringVar(&f.machine, "machine", "", "")
	flags.StringVar(&f.keyBase, "key-base", "", "")
	flags.BoolVar(&f.oldHash, "old-hash", false, "")
	flags.StringVar(&f.layout, "layout", "", "")
	flags.StringVar(&f.hash, "hash", "", "")
}

var openers = []session.Opener{stateserver.Opener, sqlserver.Opener, redis.Opener}

// errSite is a command line that names no store, or two.
var errSite = errors.New("give --config FILE or --store URL, one of them")

// site is what the flags say beside web.config.
func (f *siteFlags) site(warn func(string)) aspsession.Site {
	s := aspsession.Site{
		AppID: f.appID, Path: f.path, Location: f.location, Machine: f.machine,
		KeyBase: f.keyBase, OldHash: f.oldHash, Attributes: map[string]string{}, Warn: warn,
	}
	if f.layout != "" {
		s.Attributes["layout"] = f.layout
	}
	if f.hash != "" {
		s.Attributes["hash"] = f.hash
	}
	return s
}

// openStore opens the store that the flags name and tells the settings that it
// was opened with, which hold secrets. Warnings go to standard error. The store is
// closed by closeStore.
func (c *call) openStore(ctx context.Context, f siteFlags) (store session.Store, s session.Settings, err error) {
	if (f.config == "") == (f.store == "") {
		return nil, s, errSite
	}
	warn := func(what string) { fmt.Fprintf(c.stderr, "aspstate: %s: %s\n", c.name, visible(what)) }
	if f.config != "" {
		noting := make([]session.Opener, len(openers))
		for i, o := range openers {
			noting[i] = noted{o, &s}
		}
		store, _, err = aspsession.OpenStore(ctx, f.config, f.site(warn), noting...)
		return store, s, err
	}
	if s, err = c.settings(f); err != nil {
		return nil, s, err
	}
	s.Warn = warn
	for _, o := range openers {
		if o.Serves(s.Mode, s.Provider) {
			store, err = o.Open(ctx, s)
			break
		}
	}
	return store, s, err
}

// noted is an Opener that notes what it opens.
type noted struct {
	session.Opener
	seen *session.Settings
}

// Open implements session.Opener.
func (n noted) Open(ctx context.Context, s session.Settings) (session.Store, error) {
	*n.seen = s
	return n.Opener.Open(ctx, s)
}

func closeStore(store session.Store) error {
	if closer, ok := store.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// settings reads the URL of --store. No error repeats it.
func (c *call) settings(f siteFlags) (session.Settings, error) {
	text := f.store
	if name, ok := strings.CutPrefix(text, "@"); ok {
		var err error
		if text, err = c.readLine(name); err != nil {
			return session.Settings{}, fmt.Errorf("--store: %w", err)
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return session.Settings{}, errors.New("--store is no URL; it looks like stateserver://127.0.0.1:42424?app=/LM/W3SVC/1/ROOT")
	}
	_, secret := u.User.Password()
	for name := range u.Query() {
		secret = secret || strings.EqualFold(name, "password") || strings.EqualFold(name, "pwd")
	}
	if secret && !strings.HasPrefix(f.store, "@") {
		return session.Settings{}, errors.New("--store: a password on the command line can be read by every user of this machine; write the URL into a file and give --store @FILE")
	}
	q := u.Query()
	take := func(name string) string { v := q.Get(name); q.Del(name); return v }
	s := session.Settings{KeyBase: f.keyBase, Attributes: map[string]string{}}
	s.AppID = take("app")
	s.Compress = strings.EqualFold(take("compress"), "true")
	for _, name := range []string{"layout", "hash"} {
		if v := take(name); v != "" {
			s.Attributes[name] = v
		}
	}
	for name, v := range map[string]string{"layout": f.layout, "hash": f.hash} {
		if v != "" {
			s.Attributes[name] = v
		}
	}
	if f.appID != "" {
		s.AppID = f.appID
	}
	if s.KeyBase != "" {
		s.AppID = ""
	}
	switch u.Scheme {
	case "stateserver":
		s.Mode, s.Connection = "StateServer", "tcpip="+net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "42424"))
	case "redis", "rediss":
		s.Mode, s.Provider = "Custom", "Microsoft.Web.Redis.RedisSessionStateProvider"
		s.Attributes["applicationname"] = cmp.Or(s.AppID, "/")
		s.Attributes["host"], s.Attributes["port"] = u.Hostname(), cmp.Or(u.Port(), "6379")
		s.Attributes["ssl"] = fmt.Sprint(u.Scheme == "rediss")
		s.Attributes["databaseid"] = cmp.Or(strings.Trim(u.Path, "/"), "0")
		if password, ok := u.User.Password(); ok {
			s.Attributes["accesskey"] = password
		}
		if user := u.User.Username(); user != "" {
			return s, errors.New("--store: Microsoft's provider has no user names for Redis; write redis://:PASSWORD@HOST:6379/")
		}
	case "sqlserver":
		if name := s.Attributes["layout"]; name != "" && name != "classic" {
			layouts := map[string]string{"compat": "FrameworkCompat", "async": "SqlServer", "async-inmemory": "InMemory", "async-inmemory-durable": "InMemoryDurable"}
			if layouts[name] == "" {
				return s, errors.New("--store: layout is one of classic, compat, async, async-inmemory, async-inmemory-durable")
			}
			s.Mode, s.Provider = "Custom", "Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync"
			s.Attributes["repositorytype"], s.Attributes["sessiontablename"] = layouts[name], take("table")
		} else {
			s.Mode, s.Attributes["allowcustomsqldatabase"] = "SQLServer", "true"
		}
		u.RawQuery = q.Encode()
		s.Connection = u.String()
		return s, nil
	default:
		return s, errors.New("--store begins with stateserver://, redis://, rediss:// or sqlserver://")
	}
	for name := range q {
		return s, fmt.Errorf("--store: unknown parameter %s; there are app, layout, hash and compress", quote(name, keyWidth))
	}
	return s, nil
}

// readLine is the first line of a file, of standard input for a dash.
func (c *call) readLine(name string) (string, error) {
	in := c.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, 64<<10))
	line, _, _ := strings.Cut(strings.TrimPrefix(string(b), "\ufeff"), "\n")
	return strings.TrimSpace(line), err
}
