package aspsession_test

import (
	"encoding/json"
	"errors"
	"go/build"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/aspsession/aspsession"

// floors says what each package may import of this module, itself aside. A
// package that is not here fails the test: give it a floor.
var floors = map[string][]string{
	"clr":                            {},
	"nrbf":                           {"clr"},
	"payload":                        {"clr", "nrbf"},
	"session":                        {"clr", "nrbf", "payload"},
	"msasp":                          {},
	"stateservice":                   {"clr", "msasp"},
	"stateservice/disk":              {"clr", "msasp", "stateservice"},
	"stateservice/onend":             {"clr", "msasp", "stateservice"},
	"stores/inproc":                  {"clr", "nrbf", "payload", "session"},
	"stores/stateserver":             {"clr", "nrbf", "payload", "session", "msasp"},
	"stores/redis":                   {"clr", "nrbf", "payload", "session"},
	"stores/sqlserver":               {"clr", "nrbf", "payload", "session"},
	"stores/sqlserver/sqlservertest": {},
	"stateservice/admin":             {"clr", "nrbf", "payload", "msasp", "stateservice"},
	"webconfig":                      {},
	"stores/storetest":               {"clr", "nrbf", "payload", "session"},
	"cookieless":                     {},
	"cookieless/htmlrewrite":         {"cookieless"},
	"middleware":                     {"clr", "nrbf", "payload", "session", "cookieless"},
	"middleware/ginsession":          {"clr", "nrbf", "payload", "session", "cookieless", "middleware"},
	"middleware/echosession":         {"clr", "nrbf", "payload", "session", "cookieless", "middleware"},
	"middleware/otelsession":         {"clr", "nrbf", "payload", "session"},
	"middleware/lifecycletest":       {"clr", "nrbf", "payload", "session", "cookieless", "middleware"},
	"":                               {"clr", "nrbf", "payload", "session", "msasp", "cookieless", "middleware", "stores/stateserver", "webconfig"},
	"internal":                       {"internal/testenv", "internal/child"},
	"interop":                        {"*"},
	"cmd":                            {"*"},
	"examples":                       {"*"},
}

// outside says which packages may import more than the standard library, and
// which modules; whoever imports them gets that with them and nothing else.
var outside = map[string][]string{
	"cookieless/htmlrewrite": {"golang.org/x/net"},
	"middleware":             {"github.com/gorilla/securecookie"}, // the companion cookie
	"middleware/ginsession":  {"github.com/gin-gonic/gin"},
	"middleware/echosession": {"github.com/labstack/echo"},
	"middleware/otelsession": {"go.opentelemetry.io/otel"},
	"stateservice/admin":     {"github.com/prometheus/client_golang"},
	"stateservice/disk":      {"go.etcd.io/bbolt", "golang.org/x/sys"},
	"stores/redis":           {"github.com/redis/go-redis"},
	"stores/sqlserver":       {"github.com/microsoft/go-mssqldb"},
	"internal/chromium":      {"github.com/chromedp"}, // for tests
	"internal/redistest":     {"github.com/redis/go-redis"},
}

type pkg struct {
	ImportPath, Name string
	Deps, Imports    []string
	TestImports      []string
	XTestImports     []string
	GoFiles          []string
	Dir              string
	Module           *struct{ Path string }
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Deps,Imports,TestImports,XTestImports,GoFiles,Dir,Module", "./...").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	require.NoError(t, err)
	var list []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && p.Module.Path == module {
			list = append(list, p)
		}
	}
}

// inModule returns the path below the module; ok is false outside it.
func inModule(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func TestFloors(t *testing.T) {
	list := packages(t)
	require.NotEmpty(t, list)
	seen := map[string]bool{}
	for _, p := range list {
		place, _ := inModule(p.ImportPath)
		floor, known := floors[place]
		top, _, _ := strings.Cut(place, "/")
		if !known {
			floor, known = floors[top]
		}
		require.True(t, known, "%s has no floor in this test", p.ImportPath)
		seen[place] = true
		seen[top] = true
		for _, dep := range p.Deps {
			if below, ok := inModule(dep); ok {
				require.True(t, slices.Contains(floor, below) || slices.Contains(floor, "*"), "%s must not import %s", p.ImportPath, dep)
			}
		}
		for _, dep := range p.Imports {
			if _, ours := inModule(dep); !ours && !standard(dep) && !slices.Contains(floor, "*") {
				allowed := slices.ContainsFunc(outside[place], func(m string) bool { return dep == m || strings.HasPrefix(dep, m+"/") })
				require.True(t, allowed, "%s must not import %s", p.ImportPath, dep)
			}
		}
	}
	for place := range floors {
		require.True(t, seen[place], "the floor of %q is empty", place)
	}
}

// standard reports a package of the standard library: its path has no dot in
// front. Vendored ones of the library itself start with vendor.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") || first == "vendor"
}

// Testify is for tests: its require alone.
func TestTestifyStaysInTests(t *testing.T) {
	for _, p := range packages(t) {
		for _, dep := range p.Deps {
			require.NotContains(t, dep, "testify", p.ImportPath)
		}
		for _, dep := range slices.Concat(p.TestImports, p.XTestImports) {
			if strings.Contains(dep, "testify") {
				require.Equal(t, "github.com/stretchr/testify/require", dep, p.ImportPath)
			}
		}
	}
}

// Every package says what it is.
func TestEveryPackageHasADoc(t *testing.T) {
	for _, p := range packages(t) {
		b, err := build.Default.ImportDir(p.Dir, 0)
		require.NoError(t, err)
		require.NotEmpty(t, b.Doc, "%s has no package comment", p.ImportPath)
	}
}
