package webconfig

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"
)

var runtimeAttributes = []string{
	"executionTimeout", "targetFramework", "requestPathInvalidCharacters", "maxRequestLength",
	"asyncPreloadMode", "requestLengthDiskThreshold", "useFullyQualifiedRedirectUrl", "minFreeThreads",
	"minLocalRequestFreeThreads", "appRequestQueueLimit", "enableKernelOutputCache", "enableVersionHeader",
	"requireRootedSaveAsPath", "enable", "defaultRegexMatchTimeout", "shutdownTimeout",
	"delayNotificationTimeout", "waitChangeNotification", "maxWaitChangeNotification",
	"enableHeaderChecking", "sendCacheControlHeader", "apartmentThreading", "encoderType",
	"requestValidationMode", "requestValidationType", "maxUrlLength", "maxQueryStringLength",
	"relaxedUrlToFileSystemMapping", "allowDynamicModuleRegistration", "fcnMode",
}

// config gives the merged sections their types. The order counts: later ones
// look at earlier ones.
func (r *reader) config() *Config {
	c := &Config{Path: r.own, Positions: r.positions}
	c.AppSettings = r.appSettings()
	c.ConnectionStrings = r.connectionStrings()
	r.httpCookies(c)
	r.httpRuntime(c)
	r.appSwitches(c)
	r.machineKey(c)

	v := r.attributes("compilation", []string{"debug", "targetFramework"}, false)
	c.Compilation.Debug = v.boolean("debug", false)
	c.Compilation.TargetFramework = v.framework()
	v = r.attributes("pages", []string{"enableSessionState"}, false)
	c.Pages.EnableSessionState = PageAccess(v.enum("enableSessionState", 0, pageAccessNames...))

	r.sessionState(c)
	return c
}

// attributes are a section's, checked against the names it may have.
func (r *reader) attributes(name string, known []string, all bool) values {
	s := r.section(name)
	v := values{r, name, s.attrs, Position{File: r.own}}
	if n := len(s.bodies); n > 0 {
		v.place = s.bodies[n-1].pos
	}
	v.known(known, all)
	for _, a := range v.attrs {
		r.positions[name+" "+a.name] = a.pos
	}
	return v
}

func (r *reader) httpCookies(c *Config) {
	v := r.attributes("httpCookies", []string{"httpOnlyCookies", "requireSSL", "domain", "sameSite"}, true)
	c.Cookies.HTTPOnly = v.boolean("httpOnlyCookies", false)
	c.Cookies.RequireSSL = v.boolean("requireSSL", false)
	c.Cookies.Domain = v.text("domain", "")
	c.Cookies.SameSite = v.sameSite("sameSite", SameSiteUnspecified)
	r.childless("httpCookies")
}

func (r *reader) httpRuntime(c *Config) {
	v := r.attributes("httpRuntime", runtimeAttributes, true)
	c.Runtime.ExecutionTimeout = v.duration("executionTimeout", 110*time.Second, time.Second, false, 1, maxSeconds)
	c.Runtime.TargetFramework = v.framework()
	c.Runtime.MaxRequestLength = v.integer("maxRequestLength", 4096, 1, 1<<31-1) << 10
	c.Runtime.InvalidPathCharacters = `<>*%&:\?`
	if a, ok := v.find("requestPathInvalidCharacters"); ok {
		var all strings.Builder
		for part := range strings.SplitSeq(a.value, ",") {
			part = strings.TrimSpace(part)
			if len([]rune(part)) > 1 {
				v.bad(a, `write single characters with commas between them, such as "&lt;,>,*,%,&amp;,:,\,?"`)
				break
			}
			all.WriteString(part)
		}
		c.Runtime.InvalidPathCharacters = all.String()
	}
	r.childless("httpRuntime")
}

func (v values) framework() string {
	a, ok := v.find("targetFramework")
	if !ok {
		return ""
	}
	if target, valid := parseVersion(a.value); !valid || !target.atLeast(4, 0, 0) {
		v.bad(a, "write a version of the framework, 4.0 to 4.8.1")
	}
	return a.value
}

func (r *reader) appSwitches(c *Config) {
	boolean := func(key string) bool {
		s, ok := c.AppSettings.Get(key)
		if !ok {
			return false
		}
		text := strings.ToLower(strings.TrimSpace(s.Reveal()))
		if text != "true" && text != "false" {
			r.setting(key, "write true or false; ASP.NET takes this for false and says nothing")
		}
		return text == "true"
	}
	c.App.AllowConcurrentRequests = boolean("aspnet:AllowConcurrentRequestsPerSession")
	c.App.LockOnFlush = boolean("aspnet:EnsureSessionStateLockedOnFlush")
	c.App.SuppressSameSiteNone = boolean("aspnet:SuppressSameSiteNone")

	c.App.RequestQueueLimit = -1
	if target, _ := parseVersion(c.Runtime.TargetFramework); target.atLeast(4, 6, 3) {
		c.App.RequestQueueLimit = 50
	}
	const limit = "aspnet:RequestQueueLimitPerSession"
	if s, ok := c.AppSettings.Get(limit); ok {
		n, err := strconv.ParseInt(strings.TrimSpace(s.Reveal()), 10, 32)
		if err != nil || n < 1 {
			r.setting(limit, "write a whole number of at least 1; ASP.NET takes its default for others and says nothing")
		}
		c.App.RequestQueueLimit = int(n)
	}
}

// setting finds fault with the value of an appSettings entry, without showing it.
func (r *reader) setting(key, want string) {
	at, _ := foldKey(r.places, key)
	r.errorf(r.places[at], ErrValue, want, "appSettings %s has a value that does not count", key)
}

// childless finds fault with elements in a section that has none.
func (r *reader) childless(name string) {
	for _, s := range r.section(name).bodies {
		for _, e := range s.children {
			r.errorf(e.pos, ErrName, "delete it", "<%s> stands in <%s>, which holds no elements", showName(e.name), name)
		}
	}
}

// missing reports a path at which nothing is.
func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}
