package cookieless

import (
	"fmt"
	"net/http"
	"strings"
)

// Options of a Cookieless. The zero value is ASP.NET's default: cookies.
type Options struct {
	// Mode is sessionState's cookieless. Default UseCookies.
	Mode Mode
	// App is the application path, "/shop", compared without case. Default "/".
	// With a path that is not ASP.NET's, the two sides write the id in different
	// places. Requests must come with this path: wrap outside http.StripPrefix.
	App string
	// AnyPosition reads the segment behind a folder too, /sub/(S(id))/page, as
	// ASP.NET does. Default false: directly after App only. With it one page has
	// many addresses, and rules on paths outside the middleware are slipped past
	// more easily.
	AnyPosition bool
	// KeepExpiredIDs is regenerateExpiredSessionId="false": a well-formed id that
	// the store does not know is adopted instead of replaced. Default false.
	// With it a shared or planted link makes strangers share one session. It is
	// for the middleware to obey; see Cookieless.KeepExpiredIDs.
	KeepExpiredIDs bool
	// KeepBody redirects with 307 where the method is neither GET nor HEAD, so
	// that a form arrives after the redirect. Default false: 302 as in ASP.NET,
	// and the browser comes back with GET. With it a POST is sent twice.
	KeepBody bool
	// Device reports that a client cannot keep cookies; used by UseDeviceProfile,
	// and by AutoDetect to spare such clients the challenge. It must say the same
	// for every request of one client. Default NoCookies.
	Device func(r *http.Request) bool
	// InvalidCharacters is httpRuntime's requestPathInvalidCharacters: a segment
	// that holds one is refused. Default `<>*%&:\?`. Control characters are
	// always refused.
	InvalidCharacters string
}

// A Cookieless reads requests by checked Options. It is safe for concurrent use.
type Cookieless struct {
	opt Options
	app string // without the slash at the end, so "" for the root
}

// New checks the options.
func New(opt Options) (*Cookieless, error) {
	if int(opt.Mode) >= len(modeNames) {
		return nil, fmt.Errorf("cookieless: %v is no mode", opt.Mode)
	}
	if opt.App == "" {
		opt.App = "/"
	}
	if opt.InvalidCharacters == "" {
		opt.InvalidCharacters = `<>*%&:\?`
	}
	if opt.Device == nil {
		opt.Device = NoCookies
	}
	app := strings.TrimSuffix(opt.App, "/")
	if opt.App[0] != '/' || unsafe(opt.App) || strings.ContainsAny(opt.App, `\?#%`) {
		return nil, fmt.Errorf("cookieless: application path %q: want a plain path like /shop, decoded, without query", opt.App)
	}
	if app != "" {
		for segment := range strings.SplitSeq(app[1:], "/") {
			if _, ok := ParseModifiers(segment); ok || segment == "" || isDot(segment) || isDotDot(segment) {
				return nil, fmt.Errorf("cookieless: application path %q: segment %q cannot stand in one", opt.App, segment)
			}
		}
	}
	return &Cookieless{opt, app}, nil
}

// Mode is Options.Mode.
func (c *Cookieless) Mode() Mode { return c.opt.Mode }

// KeepExpiredIDs is Options.KeepExpiredIDs.
func (c *Cookieless) KeepExpiredIDs() bool { return c.opt.KeepExpiredIDs }

// noCookies are the first words of telephones from before cookies.
var noCookies = []string{"DoCoMo/1.0", "J-PHONE/", "KDDI-", "UP.Browser/3", "portalmmm/", "ASTEL/", "L-mode"}

// NoCookies is the default of Options.Device. It knows only the User-Agent of old
// telephones: everything later keeps cookies unless told otherwise, which no
// table can know and AutoDetect finds out. Crawlers are not among them: the path
// would give every page they store an id.
func NoCookies(r *http.Request) bool {
	agent := r.Header["User-Agent"]
	if len(agent) == 0 || hasCookie(r) {
		return false
	}
	for _, word := range noCookies {
		if strings.HasPrefix(agent[0], word) {
			return true
		}
	}
	return false
}
