package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// repository is where this test finds it.
const repository = "../../.."

// Nobody edits figures by hand: the page, the charts and the block in the README
// are what the committed figures render to.
func TestCommittedResults(t *testing.T) {
	t.Chdir("../..") // benchmarks
	if _, err := os.Stat("results.json"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no results.json yet: go -C benchmarks run ./cmd/compare makes it")
	}
	r, err := report.Read("results.json")
	require.NoError(t, err)
	require.False(t, r.Partial(), "results.json is of a partial run")
	for _, s := range r.Sections {
		for _, c := range s.Claims {
			assert.True(t, c.Holds() || c.Note != "", "%s: %q falls short and does not say why", s.Name, c.Text)
		}
	}
	made, err := files{markdown: "RESULTS.md", charts: "charts", readme: "../README.md"}.render(r)
	require.NoError(t, err)
	for name, want := range made {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.True(t, string(want) == string(got), "%s is not what results.json renders to: go -C benchmarks run ./cmd/compare -from results.json", name)
	}
	charts, err := filepath.Glob("charts/*")
	require.NoError(t, err)
	for _, name := range charts {
		assert.Contains(t, made, name, "a chart that results.json has not")
	}
}

// A traced figure stands in a README outside the block. Its source is RESULTS.md,
// which then has the same figure, or a test as PATH#NAME; that of a figure which is
// no measurement begins with "setting: " or "protocol: ". No file: any.
type traced struct{ file, figure, source string }

// sources has every figure of speed in any Markdown file but the results.
var sources = []traced{
	{"", "500 ms", "protocol: how often ASP.NET looks for a lock"},
	{"examples/migration/guide/02-store.md", "2 ms", "setting: the first wait of session's polling"},
	{"examples/migration/guide/02-store.md", "50 ms", "setting: how often stateservice/disk syncs"},
	{"examples/migration/guide/07-running.md", "500ms", "setting: a flag's value"},
}

// speed finds what reads as a measured time, rate or ratio.
var speed = regexp.MustCompile(`\d(?:[\d,.]*\d)?(?:\s?(?:ns|µs|μs|us|ms|/s|×|%)|x|\s(?:times|per second|nanoseconds|microseconds|milliseconds))(?:[^\w]|$)`)

func TestFiguresInReadmesAreTraced(t *testing.T) {
	results, err := os.ReadFile(filepath.Join(repository, "benchmarks/RESULTS.md"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	used := map[traced]bool{}
	require.NoError(t, filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git") {
			return fs.SkipDir
		}
		file, err := filepath.Rel(repository, path)
		if err != nil || filepath.Ext(file) != ".md" || file == filepath.Join("benchmarks", "RESULTS.md") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		for _, figure := range figures(string(b)) {
			found := false
			for _, s := range sources {
				if (s.file == file || s.file == "") && s.figure == figure {
					used[s], found = true, true
				}
			}
			assert.True(t, found, "%s says %q outside the block that is made: list it in sources with where it is measured", file, figure)
		}
		return nil
	}))
	for _, s := range sources {
		assert.True(t, used[s], "%v is in no README: take it out of sources", s)
		switch path, test, isTest := strings.Cut(s.source, "#"); {
		case s.source == "RESULTS.md":
			assert.Contains(t, string(results), s.figure, "%v", s)
		case isTest:
			b, err := os.ReadFile(filepath.Join(repository, path))
			require.NoError(t, err)
			assert.Contains(t, string(b), "func "+test+"(", "%v", s)
		default:
			assert.Regexp(t, "^(setting|protocol): .", s.source, "%v: neither measured nor explained", s)
		}
	}
}

// figures are those outside the block.
func figures(text string) []string {
	if before, rest, ok := strings.Cut(text, report.BlockBegin); ok {
		_, after, _ := strings.Cut(rest, report.BlockEnd)
		text = before + after
	}
	var all []string
	for _, f := range speed.FindAllString(text, -1) {
		all = append(all, strings.TrimRight(f, " \t\n.,;:)]|*!?'\"`"))
	}
	return all
}

func TestFigures(t *testing.T) {
	assert.Equal(t, []string{"12.3x", "124,951/s", "41.2 µs", "7ms", "350 ns", "24 times", "4.2%", "10x"},
		figures("12.3x (124,951/s), 41.2 µs | 7ms\n"+report.BlockBegin+"\n99x\n"+report.BlockEnd+"\n350 ns, **24 times** 4.2% 10x"))
	assert.Empty(t, figures("versions 1.4 to 5.x, 0x1F, 16 pages, HTTP/1.1, 127.0.0.1:42424, 2 cores, 64 KB, 10 seconds, Go 1.26, 3 xs, 5 msgs"))
}
