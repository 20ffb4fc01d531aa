package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/webconfig"
)

// The guide is held to what it says: links lead somewhere, commands and flags
// exist, Go compiles, configurations are read.

// A page is one file of the guide.
type page struct {
	name string // below this folder
	text string
}

func guide(t *testing.T) []page {
	t.Helper()
	names, err := filepath.Glob("guide/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	var pages []page
	for _, name := range append([]string{"README.md"}, names...) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		pages = append(pages, page{name, string(text)})
	}
	return pages
}

// A block is fenced text.
type block struct {
	where, lang, text string
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

func (p page) blocks(lang string) []block {
	var found []block
	for _, at := range fence.FindAllStringSubmatchIndex(p.text, -1) {
		b := block{fmt.Sprintf("%s:%d", p.name, 1+strings.Count(p.text[:at[0]], "\n")), p.text[at[2]:at[3]], p.text[at[4]:at[5]]}
		if b.lang == lang {
			found = append(found, b)
		}
	}
	return found
}

func (p page) prose() string { return fence.ReplaceAllString(p.text, "") }

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the names of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}

func TestGuideLinksResolve(t *testing.T) {
	pages := guide(t)
	reached := map[string]bool{"README.md": true}
	for _, p := range pages {
		for _, m := range link.FindAllStringSubmatch(p.prose(), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			target, anchor, _ := strings.Cut(m[1], "#")
			file := p.name
			if target != "" {
				file = filepath.Join(filepath.Dir(p.name), filepath.FromSlash(target))
			}
			reached[filepath.ToSlash(file)] = true
			info, err := os.Stat(file)
			if !check(t, err == nil, "%s links to %s: %v", p.name, m[1], err) || anchor == "" {
				continue
			}
			require.False(t, info.IsDir(), "%s links to %s", p.name, m[1])
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			other := page{file, string(text)}
			check(t, anchors(other.prose())[anchor], "%s links to %s, and there is no such heading", p.name, m[1])
		}
	}
	for _, p := range pages {
		check(t, reached[filepath.ToSlash(p.name)], "no page links to %s", p.name)
	}
}

// command is aspstate and its arguments in a block or in inline code; flags may
// be there without a verb in inline code.
var (
	command = regexp.MustCompile(`aspstate ([a-z]+)((?: +[^\s` + "`" + `|#;]+)*)`)
	inline  = regexp.MustCompile("`([^`\n]+)`")
	option  = regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*)`)
)

func TestGuideCommandsExist(t *testing.T) {
	help := aspstateHelp(t)
	everywhere := strings.Join(slices.Collect(maps.Values(help)), "\n")
	commands := 0
	for _, p := range guide(t) {
		var code []string
		for _, b := range p.blocks("") {
			code = append(code, b.text)
		}
		for _, m := range inline.FindAllStringSubmatch(p.prose(), -1) {
			code = append(code, m[1])
		}
		for _, text := range code {
			if strings.HasPrefix(text, "--") {
				check(t, has(everywhere, strings.Fields(text)[0]), "%s: no verb has %s", p.name, text)
			}
			for _, m := range command.FindAllStringSubmatch(text, -1) {
				verb, rest := m[1], m[2]
				if verb == "sql" && len(strings.Fields(rest)) > 0 {
					verb += " " + strings.Fields(rest)[0]
				}
				commands++
				if _, ok := help[verb]; !check(t, ok, "%s: %s", p.name, m[0]) {
					continue
				}
				for _, f := range option.FindAllStringSubmatch(rest, -1) {
					check(t, has(help[verb], f[1]), "%s: aspstate %s has no %s", p.name, verb, f[1])
				}
			}
		}
	}
	require.Greater(t, commands, 20)
}

func has(help, flag string) bool {
	return regexp.MustCompile(regexp.QuoteMeta(flag) + `\b[^-]`).MatchString(help)
}

// aspstateHelp is what the tool says of each verb.
func aspstateHelp(t *testing.T) map[string]string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "aspstate")
	run(t, "go", "build", "-o", tool, "../../cmd/aspstate")
	help := map[string]string{"help": run(t, tool, "help")}
	for _, m := range regexp.MustCompile(`(?m)^  aspstate ([a-z]+)`).FindAllStringSubmatch(help["help"], -1) {
		if m[1] != "help" {
			help[m[1]] = run(t, tool, "help", m[1])
		}
	}
	for _, sub := range []string{"install", "upgrade", "check", "script", "purge"} {
		help["sql "+sub] = run(t, tool, "sql", sub, "-h")
	}
	require.Greater(t, len(help), 10)
	return help
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
	return string(out)
}

// fileName begins a block that is one file of its page's program.
var fileName = regexp.MustCompile(`^// ([a-z]+\.go)\n`)

// Go in the guide is whole programs, programs of several files, whose blocks
// begin with the name of the file, and statements of a handler.
func TestGuideGoCompiles(t *testing.T) {
	temp := t.TempDir()
	overlay := map[string]string{} // where the compiler sees a file, inside this module: where it is
	var packages []string
	for _, p := range guide(t) {
		own := strings.NewReplacer("/", "-", ".", "-").Replace("guide-" + p.name)
		for i, b := range p.blocks("go") {
			dir, name, text := fmt.Sprintf("%s-%d", own, i), "main.go", b.text
			switch m := fileName.FindStringSubmatch(b.text); {
			case m != nil:
				dir, name = own, m[1]
			case !regexp.MustCompile(`(?m)^package `).MatchString(b.text):
				text = statements(t, b)
			}
			real := filepath.Join(temp, dir+"-"+name)
			require.NoError(t, os.WriteFile(real, []byte("//line "+b.where+"\n"+text), 0o600))
			seen, err := filepath.Abs(filepath.Join(dir, name))
			require.NoError(t, err)
			require.NotContains(t, overlay, seen)
			overlay[seen] = real
			packages = append(packages, "./"+dir)
		}
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	require.Greater(t, len(packages), 5)
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	file := filepath.Join(temp, "overlay.json")
	require.NoError(t, os.WriteFile(file, list, 0o600))
	run(t, "go", append([]string{"list", "-export", "-overlay", file}, packages...)...) // compiles, and links nothing
}

// imports that statements may need.
var imports = map[string]string{
	"aspsession": "github.com/aspsession/aspsession",
	"cookieless": "github.com/aspsession/aspsession/cookieless",
	"middleware": "github.com/aspsession/aspsession/middleware",
	"redis":      "github.com/aspsession/aspsession/stores/redis",
	"sqlserver":  "github.com/aspsession/aspsession/stores/sqlserver",
	"webconfig":  "github.com/aspsession/aspsession/webconfig",
	"errors":     "errors",
	"fmt":        "fmt",
	"os":         "os",
	"time":       "time",
}

// statements makes a program of what could stand in a handler.
func statements(t *testing.T, b block) string {
	t.Helper()
	var needed strings.Builder
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(b.text) {
			fmt.Fprintf(&needed, "%q; ", imports[name])
		}
	}
	return `package main; import (` + needed.String() + `"context"; "net/http"; "github.com/aspsession/aspsession/session")
func main() { _ = example }
func example(ctx context.Context, w http.ResponseWriter, r *http.Request, s *session.Session) error {
//line ` + b.where + "\n" + b.text + "\nreturn nil }\n"
}

func TestGuideConfigurationsAreRead(t *testing.T) {
	read := 0
	for _, p := range guide(t) {
		for _, b := range p.blocks("xml") {
			text := b.text
			switch {
			case strings.HasPrefix(text, "<configuration>"):
			case strings.HasPrefix(text, "<system.w"): // system.web, system.webServer
				text = "<configuration>" + text + "</configuration>"
			default:
				text = "<configuration><system.web>" + text + "</system.web></configuration>"
			}
			file := filepath.Join(t.TempDir(), "web.config")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			_, err := webconfig.Read(file, webconfig.Options{})
			check(t, err == nil, "%s: %v", b.where, err)
			read++
		}
		for _, b := range p.blocks("json") {
			check(t, json.Valid([]byte(b.text)), "%s: no JSON", b.where)
		}
	}
	require.Greater(t, read, 5)
}

// check reports what does not hold, and goes on: all of a page's faults are told.
func check(t *testing.T, ok bool, format string, args ...any) bool {
	t.Helper()
	if !ok {
		t.Errorf(format, args...)
	}
	return ok
}
