package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/webconfig"
)

// compare holds the page's answers against web.config and the flags.
func (d *doctor) compare() {
	p := d.probe
	if p == nil {
		return
	}
	before := len(d.Findings)
	d.compareApplication()
	state := &d.cfg.SessionState
	differ := func(name, setting, here, there, cure string) {
		if there != "" && !strings.EqualFold(here, there) {
			d.find(fault, "compare", name, fmt.Sprintf("%s is %s in this web.config and %s on the server", setting, label(here, 80), label(there, 80)), cure)
		}
	}
	const stale = "this web.config is not the one that the server uses, or one above it changes it: take the server's, with those of the folders above"
	if strings.EqualFold(p.SessionState.Mode, "InProc") && state.Mode != webconfig.ModeInProc {
		d.find(fault, "compare", "inproc", "the server keeps its sessions InProc", "move the site to the mode that this web.config has; "+stale)
	}
	differ("mode", "sessionState mode", state.Mode.String(), p.SessionState.Mode, stale)
	differ("cookie-name", "sessionState cookieName", state.CookieName, p.SessionState.CookieName, "Go would look for another cookie than pages give: "+stale)
	differ("cookieless", "sessionState cookieless", state.Cookieless.String(), p.SessionState.Cookieless, stale)
	if here, there := d.cfg.Cookies.Domain, p.HTTPCookies.Domain; p.SessionState.Mode != "" && !strings.EqualFold(here, there) {
		d.find(fault, "compare", "cookie-domain", fmt.Sprintf("httpCookies domain is %q in this web.config and %q on the server", label(here, 80), label(there, 80)), "visitors would get two cookies: "+stale)
	}
	for _, s := range [][3]string{
		{"sessionIDManagerType", state.SessionIDManagerType, p.SessionState.SessionIDManagerType},
		{"partitionResolverType", state.PartitionResolverType, p.SessionState.PartitionResolverType},
	} {
		there, _, _ := strings.Cut(s[2], ",")
		if there = strings.TrimSpace(there); s[1] == "" && there != "" && there != "System.Web.SessionState.SessionIDManager" {
			d.find(fault, "compare", "foreign-type", fmt.Sprintf("sessionState %s is missing in this web.config and %s on the server", s[0], label(there, 120)),
				"Go needs the counterpart of that type: session.Options.IDs or Partition; "+stale)
		}
	}
	differ("compression", "sessionState compressionEnabled", fmt.Sprint(state.CompressionEnabled), p.SessionState.CompressionEnabled, "each side could not read what the other stores: "+stale)
	if n := p.HTTPRuntime.ExecutionTimeoutSeconds; n > 0 && n < 1<<31 && time.Duration(n)*time.Second != d.cfg.Runtime.ExecutionTimeout {
		d.find(fault, "compare", "execution-timeout",
			fmt.Sprintf("httpRuntime executionTimeout is %v in this web.config and %v on the server", d.cfg.Runtime.ExecutionTimeout, time.Duration(n)*time.Second),
			"the side with the shorter one breaks the locks of the other's requests: "+stale)
	}
	if p.UTCOffsetMinutes != 0 {
		d.find(notice, "compare", "zone", fmt.Sprintf("the server's clock is in zone %s, UTC%+d:%02d", label(p.Zone, 60), p.UTCOffsetMinutes/60, abs(p.UTCOffsetMinutes%60)),
			"set Site.Zone to it, if pages store DateTime.Now: the items carry no zone")
	}
	for _, it := range p.Items {
		switch {
		case it.Serializable == nil:
			d.find(fault, "compare", "unreadable-item", fmt.Sprintf("item %s: %s", quote(it.Name, keyWidth), label(it.Problem, 120)), "the class is missing from the application, or has changed since it was stored")
		case !*it.Serializable:
			culprit := ""
			if it.Problem != "" && it.Problem != it.Type {
				culprit = ", because of " + label(it.Problem, 120)
			}
			d.find(fault, "compare", "not-serializable", fmt.Sprintf("item %s of type %s cannot be stored outside the ASP.NET process%s", quote(it.Name, keyWidth), label(it.Type, 120), culprit),
				"mark the class [Serializable], with every class that it holds; or store what it was made from")
		}
	}
	if d.id != "" && p.IDHash != "" {
		if id, ok := (session.StandardIDs{}).Canonical(d.id); ok && idHash(id) != p.IDHash {
			d.find(notice, "compare", "other-session", "the page saw another session than --id", "open the page in the browser of that session, if its items matter")
		}
	}
	what := fmt.Sprintf("%s %s (System.Web %s), %d bits, application %s at %s", p.Runtime, label(p.CLR, 40), label(p.SystemWeb, 60), p.Bits, label(p.AppID, 200), label(p.VirtualPath, 80))
	for _, f := range d.Findings[before:] {
		if f.severity != notice {
			d.Steps = append(d.Steps, step{"compare", "failed", what})
			return
		}
	}
	d.ok("compare", "%s", what)
}

// compareApplication compares what keys are made of.
func (d *doctor) compareApplication() {
	p, state := d.probe, &d.cfg.SessionState
	redis := state.Provider != nil && state.Provider.Kind == webconfig.ProviderRedis
	if id := d.flags.appID; id != "" && p.AppID != "" && id != p.AppID && !redis {
		name := "app-id"
		if strings.EqualFold(id, p.AppID) {
			name = "app-id-case"
		}
		d.find(fault, "compare", name, fmt.Sprintf("--app-id is %s and the application's is %s", label(id, 200), label(p.AppID, 200)), "give --app-id "+p.AppID+" (Site.AppID), case and all")
	}
	named := false // Redis keys need no path
	if redis {
		name, _ := state.Provider.Attributes.Get("applicationName")
		named = !name.IsEmpty()
	}
	if path := d.flags.path; p.VirtualPath != "" && path != p.VirtualPath && (path != "/" || redis && !named || state.Cookieless != webconfig.UseCookies) {
		d.find(fault, "compare", "path", fmt.Sprintf("--path is %s and the application's is %s", label(path, 80), label(p.VirtualPath, 80)), "give --path "+p.VirtualPath+" (Site.Path), case and all")
	}
	if p.KeyBase == "" || p.AppID == "" || state.Mode != webconfig.ModeStateServer {
		return
	}
	cure := "give --key-base with the keyBase of the page's answer (Site.KeyBase)"
	switch isNew := p.KeyBase == msasp.Base(p.AppID); {
	case d.flags.keyBase != "" && d.flags.keyBase != p.KeyBase:
		d.find(fault, "compare", "key-base", "--key-base is not what the server puts in front of ids", cure)
	case d.flags.keyBase == "" && d.flags.oldHash && isNew:
		d.find(fault, "compare", "old-hash", "the server makes its keys as ASP.NET 4.5 and later, and --old-hash says otherwise", "leave --old-hash (Site.OldHash) out")
	case d.flags.keyBase == "" && !d.flags.oldHash && !isNew:
		d.find(fault, "compare", "old-hash", "the server makes its keys with machineKey, as ASP.NET of before 4.5", "give --old-hash (Site.OldHash), or "+cure)
	}
}

func abs(n int) int { return max(n, -n) }

// inURL is an id in the path of a cookieless site.
var inURL = regexp.MustCompile(`(?i)S\(([^()]*)\)`)

// pickID takes the session's id out of what a browser sends or shows, and finds a cookie
// of another name.
func (d *doctor) pickID() {
	if d.id == "" {
		return
	}
	if m := inURL.FindStringSubmatch(d.id); m != nil {
		d.id = m[1]
		return
	}
	own := d.cfg.SessionState.CookieName
	id, other := "", ""
	for pair := range strings.SplitSeq(strings.TrimPrefix(d.id, "Cookie:"), ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		_, isID := (session.StandardIDs{}).Canonical(value)
		switch {
		case !ok && id == "":
			id = name
		case ok && strings.EqualFold(name, own):
			id = value
		case ok && isID && other == "":
			other, d.given = value, name
		}
	}
	if id == "" && other != "" {
		id = other
		d.find(fault, "find", "cookie-name", fmt.Sprintf("the browser's session cookie is %s and this web.config has %s", label(d.given, 80), label(own, 80)),
			"take the web.config that the server uses, or correct cookieName in it")
	}
	d.id = id
}
