package aspsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/webconfig"
)

// A Site is what web.config does not say of an ASP.NET application. The zero
// value is enough for one at the root of its site whose store asks for no AppID.
type Site struct {
	// AppID is the application's id in IIS, AppDomainAppId, case and all:
	// "/LM/W3SVC/1/ROOT" or "/LM/W3SVC/1/ROOT/shop". A state service and SQL Server
	// need it, Redis does not. Default none. A wrong one shares nothing, without an
	// error; `aspstate probe` makes a page that tells it.
	AppID string
	// Path is the application's virtual path. Default "/". It counts where the id
	// is in the URL, for Redis without applicationName, and for <location>.
	Path string
	// Location is a page or folder below the application, such as
	// "upload/send.aspx", whose <location> sections are applied. Default none.
	Location string
	// Machine is the path of machine.config; the web.config beside it is read
	// too. Default: not read, as if nobody had edited them.
	Machine string
	// Parents are the web.config files of the folders above, outermost first.
	// Default none: what the application inherits from them is missed.
	Parents []webconfig.Parent
	// KeyBase is how the store's keys are told from those of other applications,
	// for sites where AppID cannot say: all that stands in front of an id in a
	// state service, the eight digits behind it in SQL Server, the application
	// name in Redis. Default none.
	KeyBase string
	// OldHash says that ASP.NET of before 4.5 makes the keys of the state service,
	// with machineKey. Default false. A wrong value shares nothing, without an error.
	OldHash bool
	// Attributes are laid over those of the store's provider, names in lower case,
	// for what only the installed assembly knows: "layout" for Redis, "hash" for
	// the async SQL Server provider; see each package's Opener. Default none.
	Attributes map[string]string
	// Zone is that of the ASP.NET machines, in which items of type DateTime are
	// read. Default UTC, which is wrong wherever pages store DateTime.Now on a
	// machine set to another.
	Zone *time.Location
	// Config may change what was read before it is used: the address of a server
	// that has another name from here, say. Default none.
	Config func(*webconfig.Config)
	// Middleware may change what web.config made of the options, before the
	// middleware is made: types, hooks, another cookie. Default none.
	Middleware func(*middleware.Options)
	// Warn is told what was found and has no counterpart here, one line each, no
	// secret in it. Default: slog's default logger.
	Warn func(string)
}

// An App is an ASP.NET application's session state, ready to wrap handlers. It is
// safe for concurrent use.
type App struct {
	*middleware.Middleware
	// Store keeps the sessions; the App closes it.
	Store session.Store
	// Config is what was read.
	Config *webconfig.Config
}

// Open reads a web.config and makes of it the middleware of the same sessions:
// store, cookie, mode, timeouts and compression. Openers are those of the store
// packages that the program links, such as sqlserver.Opener; that of a state
// service is always there.
//
// Errors are those of webconfig.Read, ErrInProc, ErrOff and ErrNoOpener, and what
// the store and the middleware find wrong. A *webconfig.ForeignError is none
// where the program has the counterpart: an opener that serves the provider, IDs
// or Partition set by Site.Middleware. ctx bounds connecting.
func Open(ctx context.Context, path string, site Site, openers ...session.Opener) (*App, error) {
	site.setDefaults()
	cfg, foreign, err := read(path, site, openers)
	if err != nil {
		return nil, err
	}
	opt := options(cfg, site)
	if site.Middleware != nil {
		site.Middleware(&opt)
	}
	for _, f := range foreign {
		if f.Setting == foreignIDs && opt.Session.IDs == nil || f.Setting == foreignPartition && opt.Session.Partition == nil {
			return nil, fmt.Errorf("aspsession: %w", f)
		}
	}
	store, err := open(ctx, cfg, site, openers)
	if err != nil {
		return nil, err
	}
	m, err := middleware.New(store, opt)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("aspsession: %s: %w", cfg.Path, err), closeStore(store))
	}
	return &App{m, store, cfg}, nil
}

// OpenStore is the store of Open alone, for tools. It is the caller's to close,
// where it has a Close method. The Config is there with an error, too, once it was
// read. Ids of the site's own making are for the caller to
// know: they are a warning.
func OpenStore(ctx context.Context, path string, site Site, openers ...session.Opener) (session.Store, *webconfig.Config, error) {
	site.setDefaults()
	cfg, foreign, err := read(path, site, openers)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range foreign {
		if f.Setting == foreignPartition {
			return nil, cfg, fmt.Errorf("aspsession: %w", f)
		}
		site.Warn(f.Error())
	}
	store, err := open(ctx, cfg, site, openers)
	return store, cfg, err
}

func (s *Site) setDefaults() {
	if s.Path == "" {
		s.Path = "/"
	}
	if s.Warn == nil {
		s.Warn = func(what string) { slog.Warn("aspsession: " + what) }
	}
}

// Close refuses new requests, waits until ctx ends for those under way, and
// closes the store. Call it after the server's Shutdown.
func (a *App) Close(ctx context.Context) error {
	return errors.Join(a.Middleware.Close(ctx), closeStore(a.Store))
}

func closeStore(store session.Store) error {
	if c, ok := store.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
