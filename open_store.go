package aspsession

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
	"github.com/aspsession/aspsession/webconfig"
)

var (
	// ErrInProc: mode="InProc", web.config's default, keeps sessions in the memory
	// of the ASP.NET process, where nothing else can reach them.
	ErrInProc = errors.New(`aspsession: mode="InProc" keeps sessions inside the ASP.NET process: ` +
		`write mode="StateServer" stateConnectionString="tcpip=HOST:42424" and run a state service there, aspnet_state.exe or aspstate serve`)
	// ErrOff: mode="Off", there are no sessions.
	ErrOff = errors.New(`aspsession: mode="Off": the site has no sessions; choose StateServer, SQLServer or Custom`)
	// ErrNoOpener: the program links no opener of the store that the site uses.
	ErrNoOpener = errors.New("aspsession: no opener")
	// ErrKey: Site.OldHash, and the key of machineKey is not known.
	ErrKey = errors.New("aspsession: machineKey")
)

const (
	foreignProvider  = "sessionState customProvider"
	foreignIDs       = "sessionState sessionIDManagerType"
	foreignPartition = "sessionState partitionResolverType"
)

// packages say where an opener is, by mode or provider.
var packages = map[string]string{
	"SQLServer": "github.com/aspsession/aspsession/stores/sqlserver",
	"Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync": "github.com/aspsession/aspsession/stores/sqlserver",
	"Microsoft.Web.Redis.RedisSessionStateProvider":              "github.com/aspsession/aspsession/stores/redis",
}

// read reads the configuration. foreign are the types of the site's own that are
// not the store's.
func read(path string, site Site, openers []session.Opener) (cfg *webconfig.Config, foreign []*webconfig.ForeignError, err error) {
	opt := webconfig.Options{VirtualPath: site.Path, Page: site.Location, Machine: site.Machine, Parents: site.Parents}
	if site.Machine != "" {
		root := filepath.Join(filepath.Dir(site.Machine), "web.config")
		if _, err := os.Stat(root); err == nil {
			opt.Root = root
		}
	}
	cfg, err = webconfig.Read(path, opt)
	if cfg == nil {
		return nil, nil, err
	}
	for _, e := range joined(err) {
		f, ok := errors.AsType[*webconfig.ForeignError](e)
		switch {
		case !ok:
			return nil, nil, err
		case f.Setting != foreignProvider:
			foreign = append(foreign, f)
		case serving(cfg, openers) == nil:
			return nil, nil, fmt.Errorf("aspsession: %w", f)
		}
	}
	for _, w := range cfg.Warnings {
		site.Warn(w)
	}
	if site.Config != nil {
		site.Config(cfg)
	}
	return cfg, foreign, nil
}

// joined are the errors that errors.Join made one of.
func joined(err error) []error {
	if err == nil {
		return nil
	}
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return []error{err}
}

// open makes the store of a configuration.
func open(ctx context.Context, cfg *webconfig.Config, site Site, openers []session.Opener) (session.Store, error) {
	at := where(cfg, "sessionState mode")
	switch cfg.SessionState.Mode {
	case webconfig.ModeInProc:
		return nil, fmt.Errorf("%s: %w", at, ErrInProc)
	case webconfig.ModeOff:
		return nil, fmt.Errorf("%s: %w", at, ErrOff)
	}
	opener := serving(cfg, openers)
	if opener == nil {
		mode, provider := names(cfg)
		what := cmp.Or(provider, mode)
		return nil, fmt.Errorf("%w for %s of %s: import %q and give Open its Opener", ErrNoOpener, what, at, packages[what])
	}
	s, err := settings(cfg, site)
	if err != nil {
		return nil, err
	}
	store, err := opener.Open(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("aspsession: %s: %w", at, err)
	}
	return store, nil
}

func serving(cfg *webconfig.Config, openers []session.Opener) session.Opener {
	mode, provider := names(cfg)
	for _, o := range append(slices.Clone(openers), stateserver.Opener) {
		if o.Serves(mode, provider) {
			return o
		}
	}
	return nil
}

// names are what an Opener is asked for.
func names(cfg *webconfig.Config) (mode, provider string) {
	if p := cfg.SessionState.Provider; p != nil {
		provider, _, _ = strings.Cut(p.Type, ",")
	}
	return cfg.SessionState.Mode.String(), strings.TrimSpace(provider)
}

// where is the place of a setting, or the file where it is the default's.
func where(cfg *webconfig.Config, setting string) string {
	if p, ok := cfg.Positions[setting]; ok {
		return p.String()
	}
	return cfg.Path
}

// settings are what the store's opener is told.
func settings(cfg *webconfig.Config, site Site) (session.Settings, error) {
	state := &cfg.SessionState
	s := session.Settings{
		AppID: site.AppID, Timeout: state.Timeout, ExecutionTimeout: cfg.Runtime.ExecutionTimeout,
		Compress: state.CompressionEnabled, KeyBase: site.KeyBase, Warn: site.Warn, Attributes: map[string]string{},
	}
	s.Mode, s.Provider = names(cfg)
	switch state.Mode {
	case webconfig.ModeStateServer:
		s.Connection, s.NetworkTimeout = state.StateConnectionString, bounded(state.StateNetworkTimeout)
		if site.OldHash {
			key, err := validationKey(cfg)
			if err != nil {
				return s, err
			}
			s.Validation, s.ValidationKey = cfg.MachineKey.Validation, key
		}
	case webconfig.ModeSQLServer:
		s.Connection, s.NetworkTimeout = state.SQLConnectionString.Reveal(), bounded(state.SQLCommandTimeout)
		s.Attributes["allowcustomsqldatabase"] = strconv.FormatBool(state.AllowCustomSQLDatabase)
	case webconfig.ModeCustom:
		s.NetworkTimeout = bounded(state.SQLCommandTimeout)
		provider(&s, cfg, site)
	}
	if site.OldHash && state.Mode != webconfig.ModeStateServer {
		site.Warn("OldHash is for a state service alone: the keys of this store are not made with machineKey")
	}
	maps.Copy(s.Attributes, site.Attributes)
	return s, nil
}

// provider adds what mode Custom's says.
func provider(s *session.Settings, cfg *webconfig.Config, site Site) {
	p := cfg.SessionState.Provider
	for name, v := range p.Attributes {
		s.Attributes[strings.ToLower(name)] = v.Reveal()
	}
	switch p.Kind {
	case webconfig.ProviderSQLAsync:
		s.Connection = p.SQL.ConnectionString.Reveal()
	case webconfig.ProviderRedis:
		// The provider takes the appSettings entry that has an attribute's text as
		// its name, and for the connection string one of connectionStrings too.
		for name, text := range s.Attributes {
			if set, ok := cfg.AppSettings.Get(text); ok && name != "name" && name != "type" {
				s.Attributes[name] = set.Reveal()
			} else if set, ok := cfg.ConnectionStrings.Get(text); ok && name == "connectionstring" {
				s.Attributes[name] = set.Reveal()
			}
		}
		s.Connection = s.Attributes["connectionstring"]
		if s.Attributes["applicationname"] == "" {
			s.Attributes["applicationname"] = site.Path
		}
	}
}

// noBound stands for "for ever" where a call must end some day.
const noBound = time.Hour

func bounded(d time.Duration) time.Duration {
	if d <= 0 || d > noBound {
		return noBound
	}
	return d
}

// validationKey is machineKey's, where it is what ASP.NET makes keys with.
func validationKey(cfg *webconfig.Config) ([]byte, error) {
	fail := func(found, want string) ([]byte, error) {
		return nil, fmt.Errorf("%w: %s: %s; %s", ErrKey, where(cfg, "machineKey validationKey"), found, want)
	}
	const other = "give Site.KeyBase, which `aspstate probe` tells"
	key := cfg.MachineKey.ValidationKey
	switch {
	case key.AutoGenerate:
		return fail("ASP.NET generates the validationKey by itself, so that nobody else can make the keys of Site.OldHash", "write one into web.config, or "+other)
	case key.IsolateApps, key.IsolateByAppID:
		return fail("the validationKey is mixed with the application's name (IsolateApps)", other)
	case strings.HasPrefix(cfg.MachineKey.Validation, "alg:"):
		return fail("validation is an algorithm of the site's own", other)
	}
	b, err := hex.DecodeString(key.Hex.Reveal())
	if err != nil {
		return fail("the validationKey is no hexadecimal number", other)
	}
	return b, nil
}
