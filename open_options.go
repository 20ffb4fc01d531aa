package aspsession

import (
	"fmt"
	"net/http"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/webconfig"
)

var cookieModes = map[webconfig.CookieMode]cookieless.Mode{
	webconfig.UseCookies: cookieless.UseCookies, webconfig.UseURI: cookieless.UseURI,
	webconfig.AutoDetect: cookieless.AutoDetect, webconfig.UseDeviceProfile: cookieless.UseDeviceProfile,
}

var sameSites = map[webconfig.SameSite]http.SameSite{
	webconfig.SameSiteUnspecified: http.SameSiteDefaultMode, webconfig.SameSiteNone: http.SameSiteNoneMode,
	webconfig.SameSiteLax: http.SameSiteLaxMode, webconfig.SameSiteStrict: http.SameSiteStrictMode,
}

// options are the middleware's as the configuration has them.
func options(cfg *webconfig.Config, site Site) middleware.Options {
	state := &cfg.SessionState
	var opt middleware.Options
	opt.Cookie = middleware.Cookie{
		Name: state.CookieName, Domain: cfg.Cookies.Domain, Secure: cfg.Cookies.RequireSSL, SameSite: sameSites[state.CookieSameSite],
	}
	if opt.Cookie.SameSite == http.SameSiteNoneMode && !opt.Cookie.Secure {
		site.Warn("cookieSameSite None without requireSSL: browsers refuse that, Go's cookies have no SameSite")
		opt.Cookie.SameSite = http.SameSiteDefaultMode
	}
	opt.Cookieless = cookieless.Options{
		Mode: cookieModes[state.Cookieless], App: site.Path, KeepExpiredIDs: !state.RegenerateExpiredSessionID,
		InvalidCharacters: cfg.Runtime.InvalidPathCharacters,
	}
	if cfg.Runtime.InvalidPathCharacters == "" {
		site.Warn("requestPathInvalidCharacters is empty: Go keeps ASP.NET's default where the id is in the URL")
	}
	opt.Session.Timeout = state.Timeout
	opt.Session.ExecutionTimeout = cfg.Runtime.ExecutionTimeout
	opt.Session.QueueLimit = cfg.App.RequestQueueLimit
	opt.Session.Location = site.Zone
	switch state.Mode {
	case webconfig.ModeStateServer:
		opt.Session.StoreTimeout = bounded(state.StateNetworkTimeout)
	case webconfig.ModeSQLServer:
		opt.Session.StoreTimeout = bounded(state.SQLCommandTimeout)
	}
	if cfg.App.AllowConcurrentRequests {
		site.Warn("aspnet:AllowConcurrentRequestsPerSession: pages take no locks, so that they and Go can overwrite one another's changes")
	}
	if state.UseHostingIdentity && state.Mode == webconfig.ModeSQLServer && cfg.Positions["sessionState useHostingIdentity"].Line > 0 {
		site.Warn("useHostingIdentity is for Windows' own logins, which Go does not use")
	}
	if state.Mode == webconfig.ModeSQLServer && state.SQLConnectionRetryInterval > 0 {
		site.Warn("sqlConnectionRetryInterval is not read: the Go store repeats failed calls for 5 s")
	}
	if a := cfg.Pages.EnableSessionState; a != webconfig.PageReadWrite {
		site.Warn(fmt.Sprintf("pages enableSessionState is %q: handlers in Go choose their access themselves", a))
	}
	return opt
}
