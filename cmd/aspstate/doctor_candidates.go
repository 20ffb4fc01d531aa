package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/aspsession/aspsession"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/webconfig"
)

// A candidate is other settings under which a session may be, and what it means
// if it is there.
type candidate struct {
	fault, found, cure string
	change             func(*aspsession.Site)
}

// candidates are what is worth trying, the likeliest first.
func (d *doctor) candidates() []candidate {
	state := &d.cfg.SessionState
	site := d.site()
	switch {
	case state.Mode == webconfig.ModeStateServer:
		return append(oldHash(site), applications(site, false)...)
	case state.Mode == webconfig.ModeSQLServer:
		return applications(site, true)
	case state.Provider == nil:
		return nil
	case state.Provider.Kind == webconfig.ProviderSQLAsync:
		return append(hashes(site), applications(site, false)...)
	case state.Provider.Kind == webconfig.ProviderRedis:
		return redisCandidates(site, d.cfg)
	}
	return nil
}

// oldHash is the other hash generation of a state service's keys.
func oldHash(site aspsession.Site) []candidate {
	c := candidate{"old-hash", "the session is there under a key made with machineKey, as ASP.NET of before 4.5 makes them",
		"give --old-hash (Site.OldHash)", func(s *aspsession.Site) { s.OldHash, s.KeyBase = true, "" }}
	if site.OldHash {
		c = candidate{"old-hash", "the session is there under a key as ASP.NET 4.5 and later make them",
			"leave --old-hash (Site.OldHash) out", func(s *aspsession.Site) { s.OldHash, s.KeyBase = false, "" }}
	}
	return []candidate{c}
}

// hashes are those of the async provider's versions.
func hashes(site aspsession.Site) (list []candidate) {
	for _, hash := range []string{"2.1", "64", "32"} {
		if hash != site.Attributes["hash"] {
			list = append(list, candidate{"sql-hash", "the session is there under keys of another version of the async provider",
				fmt.Sprintf("give --hash %s (Site.Attributes)", hash), func(s *aspsession.Site) { s.Attributes["hash"] = hash }})
		}
	}
	return list
}

var iisID = regexp.MustCompile(`(?i)^(/?)(LM/W3SVC)/(\d+)/(ROOT)((?:/.*)?)$`)

// neighbours is how many of IIS's sites are tried, from 1 on.
const neighbours = 32

// applications are other application ids. In the classic database case does not
// count, and asking for one would register it: its suffix is computed.
func applications(site aspsession.Site, classic bool) (list []candidate) {
	seen := map[string]bool{site.AppID: site.KeyBase == ""}
	add := func(fault, id string) {
		if classic {
			id = strings.ToUpper(id[:min(len(id), len("/LM/W3SVC"))]) + id[min(len(id), len("/LM/W3SVC")):]
		}
		if seen[id] {
			return
		}
		seen[id] = true
		list = append(list, candidate{fault, fmt.Sprintf("the session is there under the application id %s", label(id, 200)),
			fmt.Sprintf("give --app-id %s (Site.AppID), case and all", id), func(s *aspsession.Site) {
				s.AppID, s.KeyBase = id, ""
				if classic {
					s.AppID, s.KeyBase = "", fmt.Sprintf("%08x", uint32(sqlserver.AppID(id)))
				}
			}})
	}
	id := site.AppID
	part := iisID.FindStringSubmatch(id)
	if part == nil { // of another web server: only its case and slash are worth trying
		for _, s := range []string{strings.ToLower(id), strings.ToUpper(id), "/" + strings.TrimPrefix(id, "/"), strings.TrimPrefix(id, "/")} {
			add("app-id-case", s)
		}
		return list
	}
	number, rest := part[3], part[5]
	if !classic {
		for _, root := range []string{"ROOT", "Root", "root"} {
			for _, start := range []string{"/LM/W3SVC", "/lm/w3svc", "LM/W3SVC"} {
				add("app-id-case", start+"/"+number+"/"+root+rest)
			}
		}
		for _, other := range pathCases(rest) {
			add("app-path-case", part[1]+part[2]+"/"+number+"/"+part[4]+other)
		}
	}
	rests := []string{rest}
	if rest != "" {
		rests = append(rests, "")
	} else if below := strings.Trim(site.Path, "/"); below != "" {
		rests = append(rests, pathCases("/"+below)...)
	}
	for _, r := range rests[1:] {
		add("app-id", part[1]+part[2]+"/"+number+"/"+part[4]+r)
	}
	for n := 1; n <= neighbours; n++ {
		for _, r := range rests {
			add("app-id", fmt.Sprintf("/LM/W3SVC/%d/ROOT%s", n, r))
		}
	}
	return list
}

// pathCases are spellings of a path.
func pathCases(path string) []string {
	if path == "" || path == "/" {
		return nil
	}
	lower := strings.ToLower(path)
	words := strings.Split(lower, "/")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return []string{path, lower, strings.Join(words, "/"), strings.ToUpper(path)}
}

// redisCandidates are the other layouts, names and databases.
func redisCandidates(site aspsession.Site, cfg *webconfig.Config) (list []candidate) {
	for _, layout := range []string{"C", "B", "A"} {
		if layout != site.Attributes["layout"] {
			list = append(list, candidate{"redis-layout", "the session is there in layout " + layout + " of another version of the provider",
				fmt.Sprintf("give --layout %s (Site.Attributes)", layout), func(s *aspsession.Site) { s.Attributes["layout"] = layout }})
		}
	}
	name, _ := cfg.SessionState.Provider.Attributes.Get("applicationName")
	app := name.Reveal()
	if set, ok := cfg.AppSettings.Get(app); ok && app != "" {
		app = set.Reveal()
	}
	seen := map[string]bool{app: true}
	if app == "" {
		app = site.Path
		seen[app] = true
	}
	trimmed := strings.Trim(app, "/")
	for _, other := range append(append(pathCases(app), pathCases("/"+trimmed)...), append(pathCases(trimmed), "/", site.Path)...) {
		if seen[other] || other == "" {
			continue
		}
		seen[other] = true
		fault := "redis-application"
		if strings.EqualFold(other, app) {
			fault = "app-path-case"
		}
		list = append(list, candidate{fault, fmt.Sprintf("the session is there under the application name %s, not %s", label(other, 80), label(app, 80)),
			fmt.Sprintf("give --key-base %s (Site.KeyBase), or --path where applicationName is missing, case and all", other), func(s *aspsession.Site) { s.KeyBase = other }})
	}
	for db := range 16 {
		list = append(list, candidate{"redis-database", fmt.Sprintf("the session is there in database %d", db),
			fmt.Sprintf("correct databaseId, or defaultDatabase of the connection string: the server uses %d", db), func(s *aspsession.Site) {
				s.Attributes["databaseid"] = fmt.Sprint(db)
				s.Config = func(cfg *webconfig.Config) { withoutDatabase(cfg) }
			}})
	}
	return list
}

var defaultDatabase = regexp.MustCompile(`(?i),\s*defaultDatabase\s*=[^,]*`)

// withoutDatabase takes the database out of the provider's connection string,
// wherever that is.
func withoutDatabase(cfg *webconfig.Config) {
	strip := func(s webconfig.Secret) webconfig.Secret {
		return webconfig.NewSecret(defaultDatabase.ReplaceAllString(s.Reveal(), ""))
	}
	for _, m := range []webconfig.Secrets{cfg.AppSettings, cfg.ConnectionStrings, cfg.SessionState.Provider.Attributes} {
		for name, s := range m {
			m[name] = strip(s)
		}
	}
}

// ownClass is the class of an object that has no form of its own in Go: neither
// a list nor a table of keys nor anything else of the framework's that package
// nrbf knows.
func ownClass(stream []byte) (string, error) {
	g, err := nrbf.Decode(stream, nrbf.Options{})
	if err != nil {
		return "", err
	}
	root := g.Root()
	if root.Kind() != nrbf.KindObject {
		return "", nil
	}
	if _, ok := nrbf.ScalarOf(root); ok {
		return "", nil
	}
	if _, ok := nrbf.ListOf(root); ok {
		return "", nil
	}
	if _, ok := nrbf.DictOf(root); ok {
		return "", nil
	}
	if _, ok := nrbf.ExceptionOf(root); ok {
		return "", nil
	}
	if _, err := nrbf.TableOf(root); err == nil {
		return "", nil
	}
	if _, err := nrbf.DataSetOf(root); err == nil {
		return "", nil
	}
	name, _ := root.TypeName()
	return name, nil
}

// looksJSON reports a field that a serializer of the site's own wrote.
func looksJSON(item payload.Item) bool {
	return item.Encoding != payload.Typed && json.Valid(item.Data)
}
