package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every flag that help documents is one that the verb takes, so that completion
// and manual page are true.
func TestDocumentedFlagsExist(t *testing.T) {
	for _, v := range documented(verbs) {
		for _, f := range v.flags() {
			args := append(strings.Fields(v.name), f.name)
			if f.arg != "" {
				value := map[string]string{"D": "1s", "N": "1", "DURATION": "1s", "F": "auto"}[f.arg]
				args = append(args, max(value, "x"))
				if value != "" {
					args[len(args)-1] = value
				}
			}
			r := runTool(nil, append(args, "--no-such-flag")...)
			require.Equal(t, exitUsage, r.code, "%v: %s", args, r.stderr)
			require.Contains(t, r.stderr, "not defined: -no-such-flag", "%v", args)
			require.NotEmpty(t, v.summary)
		}
	}
}

// Every verb prints something for programs and says how; sql is its verbs.
func TestEveryVerbHasJSON(t *testing.T) {
	for _, v := range documented(verbs) {
		if v.name == sqlVerb.name {
			continue
		}
		names := []string{}
		for _, f := range v.flags() {
			names = append(names, f.name)
		}
		require.Contains(t, names, "--json", v.name)
		require.Contains(t, v.line, "--json", v.name)
		require.Contains(t, string(runTool(nil, append(strings.Fields(v.name), "-h")...).stdout), v.summary)
	}
}

// The bash script offers what the table says.
func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	script := runTool(nil, "complete", "bash")
	require.Equal(t, exitOK, script.code)
	for _, row := range []struct {
		words string
		want  []string
		not   []string
	}{
		{"aspstate c", []string{"copy", "complete"}, []string{"ls"}},
		{"aspstate help sh", []string{"show"}, nil},
		{"aspstate copy --from-a", []string{"--from-app-id", "--from-admin", "--from-admin-token"}, []string{"--to-app-id"}},
		{"aspstate ls --sort s", nil, []string{"--sort", "show"}},
		{"aspstate complete f", []string{"fish"}, []string{"bash"}},
		{"aspstate inspect main.", []string{"main.go"}, nil},
		{"aspstate ls --config site.g", []string{"site.go"}, nil},
		{"aspstate recode --j", []string{"--json"}, nil},
		{"aspstate sql purge --j", []string{"--json"}, nil},
		{"aspstate show --st", []string{"--store"}, []string{"--state"}},
	} {
		words := strings.Fields(row.words)
		cmd := exec.Command(bash, "-c", string(script.stdout)+`
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aspstate; printf '%s\n' "${COMPREPLY[@]}"`, "-")
		cmd.Args = append(cmd.Args, words...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		got := strings.Fields(string(out))
		for _, w := range row.want {
			require.Contains(t, got, w, row.words)
		}
		for _, w := range row.not {
			require.NotContains(t, got, w, row.words)
		}
	}
}

// Each script and the page name every verb and every flag.
func TestDocumentsAreComplete(t *testing.T) {
	page := strings.ReplaceAll(string(runTool(nil, "man").stdout), `\-`, "-")
	for _, v := range documented(verbs) {
		require.Contains(t, page, "\n.SS "+v.name+"\n")
		for _, f := range v.flags() {
			require.Contains(t, page, f.name)
			for _, shell := range shellNames {
				name := f.name
				if shell == "fish" {
					name = "-l " + strings.TrimPrefix(name, "--")
				}
				require.Contains(t, string(runTool(nil, "complete", shell).stdout), name, shell)
			}
		}
	}
	for _, shell := range []string{"zsh", "fish", "pwsh"} {
		if path, err := exec.LookPath(shell); err == nil && shell != "pwsh" {
			cmd := exec.Command(path, "-n")
			cmd.Stdin = bytes.NewReader(runTool(nil, "complete", shell).stdout)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s: %s", shell, out)
		}
	}
	if groff, err := exec.LookPath("groff"); err == nil {
		cmd := exec.Command(groff, "-man", "-ww", "-Tutf8")
		cmd.Stdin = strings.NewReader(string(runTool(nil, "man").stdout))
		var warnings bytes.Buffer
		cmd.Stderr = &warnings
		out, err := cmd.Output()
		require.NoError(t, err)
		require.Empty(t, warnings.String())
		require.Contains(t, string(out), "aspstate")
	}
}
