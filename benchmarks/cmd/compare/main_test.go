package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// fakes are sections that measure nothing: two that do well, one that fails, one
// that panics and one whose figure cannot be written.
func fakes() []section {
	good := func(name string) section {
		return section{name, "asks " + name, func(e *env.Env) (report.Section, error) {
			e.Say("seen by %s", name)
			e.Version("redis", "7.0")
			return report.Section{
				Name: name, Title: "About " + name,
				Charts: []report.Chart{{Name: name, Title: name, Kind: report.Bars, Labels: []string{"x"}, Series: []report.Series{{Y: report.Points{1}}}}},
				Claims: []report.Claim{{Text: name + " is fast", Value: 20, Op: ">=", Want: 10, Unit: report.Times, Headline: true}},
			}, nil
		}}
	}
	return []section{
		good("one"),
		{"fails", "", func(*env.Env) (report.Section, error) { return report.Section{}, errors.New("no such luck") }},
		{"panics", "", func(*env.Env) (report.Section, error) { panic("boom") }},
		{"infinite", "", func(*env.Env) (report.Section, error) {
			zero := 0.0
			return report.Section{Name: "infinite", Title: "x", Claims: []report.Claim{{Op: ">=", Value: 1 / zero}}}, nil
		}},
		{"misnamed", "", func(*env.Env) (report.Section, error) { return report.Section{Name: "other", Title: "x"}, nil }},
		good("two"),
	}
}

// tree is a repository with nothing but what is written to; the working folder is
// its benchmarks.
func tree(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "benchmarks"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("# x\n"+report.BlockBegin+"\n"+report.BlockEnd+"\nend\n"), 0o644))
	t.Chdir(filepath.Join(dir, "benchmarks"))
}

func compare(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(args, fakes(), &out, &errs)
	return code, out.String(), errs.String()
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}

func TestWholeRun(t *testing.T) {
	tree(t)
	require.NoError(t, os.Mkdir("charts", 0o755))
	require.NoError(t, os.WriteFile("charts/stale.svg", []byte("<svg>"+report.Made+"</svg>"), 0o644))
	require.NoError(t, os.WriteFile("charts/drawn-by-hand.svg", []byte("<svg/>"), 0o644))
	code, stdout, stderr := compare(t)
	assert.Equal(t, 1, code, "sections failed")
	assert.Empty(t, stdout)
	assert.Regexp(t, regexp.MustCompile(`(?m)^ +0:\d\d one +seen by one$`), stderr)
	assert.Contains(t, stderr, "one is fast: 20.0x, holds, ≥ 10x")
	assert.Contains(t, stderr, "4 sections failed")

	r, err := report.Read("results.json")
	require.NoError(t, err)
	assert.Len(t, r.Sections, 2)
	assert.Equal(t, "7.0", r.Versions["redis"])
	assert.NotEmpty(t, r.Versions["Go"])
	assert.WithinDuration(t, time.Now(), r.Time, time.Minute)
	left := strings.Join(r.LeftOut, "\n")
	for _, want := range []string{"section fails failed: no such luck", "section panics failed: panic: boom", "is +Inf", `it calls itself "other"`} {
		assert.Contains(t, left, want)
	}
	page := text(t, "RESULTS.md")
	assert.Contains(t, page, "](charts/one.svg)")
	assert.Contains(t, page, "no such luck")
	assert.Contains(t, text(t, "../README.md"), "two is fast")
	assert.Contains(t, text(t, "../README.md"), "(benchmarks/RESULTS.md)")
	assert.FileExists(t, "charts/two.svg")
	assert.FileExists(t, "charts/drawn-by-hand.svg", "not ours")
	assert.NoFileExists(t, "charts/stale.svg")

	// All of it comes back from the figures alone.
	before := text(t, "results.json")
	readme := text(t, "../README.md")
	require.NoError(t, os.WriteFile("RESULTS.md", []byte("lost"), 0o644))
	require.NoError(t, os.WriteFile("../README.md", []byte(strings.Replace(readme, "20.0x", "99.9x", 1)), 0o644))
	require.NoError(t, os.RemoveAll("charts"))
	code, _, stderr = compare(t, "-from", "results.json")
	assert.Zero(t, code, stderr)
	assert.Equal(t, page, text(t, "RESULTS.md"))
	assert.Equal(t, readme, text(t, "../README.md"))
	assert.Equal(t, before, text(t, "results.json"))
	assert.FileExists(t, "charts/one.svg")
}

func TestPartialRunReplacesNothing(t *testing.T) {
	for _, args := range [][]string{{"-only", "two"}, {"-quick", "-only", "one, two"}} {
		tree(t)
		readme := text(t, "../README.md")
		code, stdout, stderr := compare(t, args...)
		assert.Zero(t, code, stderr)
		assert.Contains(t, stdout, "two is fast")
		assert.Contains(t, stdout, "partial run")
		assert.NotContains(t, stdout, "![")
		assert.Equal(t, readme, text(t, "../README.md"))
		all, err := os.ReadDir(".")
		require.NoError(t, err)
		assert.Empty(t, all)
	}
}

func TestPartialRunWritesWhatIsNamed(t *testing.T) {
	tree(t)
	code, stdout, stderr := compare(t, "-only", "one", "-json", "look.json", "-markdown", "look.md", "-charts", "look")
	assert.Zero(t, code, stderr)
	assert.Empty(t, stdout)
	assert.Contains(t, text(t, "look.md"), "](look/one.svg)")
	assert.NotContains(t, text(t, "look.md"), "two")
	assert.FileExists(t, "look/one.svg")

	// Read again it is as partial as it was.
	code, stdout, stderr = compare(t, "-from", "look.json")
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "one is fast")
	assert.NoFileExists(t, "RESULTS.md")
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-only", "one,tow"}, 2, `no section "tow"; there are one, fails, panics, infinite, misnamed, two`},
		{[]string{"one"}, 2, `"one" is no flag`},
		{[]string{"-fast"}, 2, "not defined: -fast"},
		{[]string{"-from", "results.json", "-quick"}, 2, "-from measures nothing"},
		{[]string{"-from", "none.json"}, 1, "none.json"},
		{[]string{"-json", "nowhere/results.json"}, 1, "there is no folder nowhere"},
		{[]string{"-readme", "nowhere.md"}, 1, "nowhere.md"},
	} {
		tree(t)
		code, _, stderr := compare(t, c.args...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, stderr, c.says)
		assert.NotContains(t, stderr, "seen by", "refused before anything is measured")
	}
	tree(t)
	require.NoError(t, os.WriteFile("../README.md", []byte("no block"), 0o644))
	code, _, stderr := compare(t)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "has no block")
	assert.NotContains(t, stderr, "seen by")
}

func TestHelpAndList(t *testing.T) {
	code, _, stderr := compare(t, "-h")
	assert.Zero(t, code)
	for _, flag := range []string{"-quick", "-only", "-json", "-markdown", "-charts", "-readme", "-from", "-list"} {
		assert.Contains(t, stderr, "  "+flag)
	}
	code, stdout, _ := compare(t, "-list")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "one        asks one\n")
	assert.Equal(t, len(fakes()), strings.Count(stdout, "\n"))
}

// A section that says nothing for long is still seen to run.
func TestProgressOfQuietSections(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b)
	p.tick(time.Now().Add(time.Hour))
	p.section("slow")
	p.tick(time.Now().Add(quiet / 2))
	assert.Empty(t, b.String())
	p.tick(time.Now().Add(quiet + time.Second))
	assert.Regexp(t, `^ +\d:\d\d slow +… for \d:\d\d\n$`, b.String())
	b.Reset()
	_, err := p.Write([]byte("half"))
	require.NoError(t, err)
	assert.Empty(t, b.String())
	_, err = p.Write([]byte(" a line\nslow: another\n"))
	require.NoError(t, err)
	assert.Regexp(t, `^ +0:\d\d slow +half a line\n +0:\d\d slow +another\n$`, b.String())
	p.stop()
	assert.Equal(t, "61:05", clock(time.Hour+65*time.Second))
}

// What is compared with is named with its version.
func TestLibrariesAreNamed(t *testing.T) {
	noPeers := []string{"github.com/aspsession/aspsession", "gonum.org/v1/plot", "github.com/stretchr/testify"}
	known := strings.Join(append(noPeers, libraries...), "\n") + "\n"
	for line := range strings.Lines(text(t, "../../go.mod")) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if strings.Contains(line, "// indirect") || len(fields) != 2 || !strings.HasPrefix(fields[1], "v") {
			continue
		}
		assert.Contains(t, known, fields[0]+"\n", "name it in libraries, or in noPeers")
	}
}

func TestNamesOfSections(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sections {
		assert.Regexp(t, `^[a-z]{1,8}$`, s.name)
		assert.NotEmpty(t, s.about)
		assert.False(t, seen[s.name], s.name)
		seen[s.name] = true
	}
}

// An interrupt ends the servers.
func TestEndChildren(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system lists no children")
	}
	child, err := os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{})
	require.NoError(t, err)
	endChildren()
	state, err := child.Wait()
	require.NoError(t, err)
	assert.Equal(t, "signal: terminated", state.String())
}
