package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/aspnet"
	"github.com/aspsession/aspsession/internal/testenv"
)

// asProgram has the test binary be the program itself.
const asProgram = "MIGRATION_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	code := m.Run()
	for _, w := range worlds {
		if err := w.close(); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

// The program is its own visitor, over whatever is installed.
func TestOnce(t *testing.T) {
	for _, row := range []struct {
		mode, says string
		needs      bool
	}{
		{modeGo, "Go stands in for ASP.NET.", false},
		{modeASPNET, "real ASP.NET pages on Mono", true},
	} {
		t.Run(row.mode, func(t *testing.T) {
			if row.needs {
				_, missing := aspnet.Find()
				testenv.Need(t, "aspnet", missing == "", missing)
			}
			var out, errs bytes.Buffer
			require.NoError(t, run(t.Context(), []string{"-once", "-legacy", row.mode}, &out, &errs), out.String())
			require.Contains(t, out.String(), row.says)
			require.Equal(t, 11, strings.Count(out.String(), "\n"), out.String())
			require.Empty(t, errs.String())
		})
	}
}

func TestOnceWithNothingButGo(t *testing.T) {
	program := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
		cmd.Env = append(os.Environ(), asProgram+"=1", "PATH="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
			require.NoError(t, err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	out, code := program("-once")
	require.Zero(t, code, out)
	require.Contains(t, out, "Go stands in for ASP.NET. No ASP.NET here: the pages need Mono: install the Debian packages")
	require.Contains(t, out, "mono-complete and mono-xsp4")

	out, code = program("-once", "-legacy", "aspnet")
	require.Equal(t, 1, code)
	require.Contains(t, out, `migration: step "legacy"`)
	require.Contains(t, out, "mono-complete and mono-xsp4")

	_, code = program("-wat")
	require.Equal(t, 2, code)
}

func TestTourNamesTheFailingStep(t *testing.T) {
	w := worldOf(t, modeGo)
	w.move(t, "/signout.aspx", inGo)
	var out bytes.Buffer
	err := tour(t.Context(), w.url, &out)
	require.ErrorContains(t, err, `migration: step "sign out": /signout.aspx shows "Go" as its served`)
	require.Equal(t, 10, strings.Count(out.String(), "\n"), "the steps before it went well")
}

func TestRun(t *testing.T) {
	t.Run("stops when told", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errs bytes.Buffer
		require.NoError(t, run(ctx, []string{"-addr", "localhost:0", "-legacy", "go"}, &out, &errs))
		require.Contains(t, out.String(), "http://127.0.0.1:")
		require.Empty(t, errs.String())
	})
	t.Run("port taken", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		err = run(t.Context(), []string{"-addr", ln.Addr().String()}, io.Discard, io.Discard)
		require.ErrorContains(t, err, "choose another: -addr")
	})
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.com:80", "8080"} {
		require.ErrorContains(t, run(t.Context(), []string{"-addr", addr}, io.Discard, io.Discard), "migration: -addr")
	}
	require.ErrorContains(t, run(t.Context(), []string{"-legacy", "iis"}, io.Discard, io.Discard), "want auto, aspnet or go")
	require.ErrorIs(t, run(t.Context(), []string{"-wat"}, io.Discard, io.Discard), errUsage)
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
	require.ErrorContains(t, run(t.Context(), []string{"x"}, io.Discard, io.Discard), "unexpected argument")
}
