package main

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestUsage(t *testing.T) {
	file := filepath.Join(testdata, "prim-int32.bin")
	for _, test := range []struct {
		args           []string
		code           int
		stdout, stderr string // a part of it; "" for nothing at all
	}{
		{nil, exitUsage, "", "aspstate: a verb is missing\n"},
		{[]string{"explode"}, exitUsage, "", "aspstate: unknown verb \"explode\"\n"},
		{[]string{"\x1b[2J"}, exitUsage, "", `unknown verb "\x1b[2J"`},
		{[]string{"help"}, exitOK, "aspstate inspect [--json | --wire] [--framing F] FILE", ""},
		{[]string{"-h"}, exitOK, "Recode decodes a stored session", ""},
		{[]string{"--help"}, exitOK, "The exit code is 0", ""},
		{[]string{"help", "inspect"}, exitOK, "--json", ""},
		{[]string{"help", "explode"}, exitUsage, "", "unknown verb"},
		{[]string{"inspect", "-h"}, exitOK, "Usage: aspstate inspect [--json | --wire] [--framing F] FILE", ""},
		{[]string{"recode", "--help"}, exitOK, "--framing F", ""},
		{[]string{"inspect"}, exitUsage, "", "one FILE is needed, there are 0"},
		{[]string{"inspect", file, "--json"}, exitUsage, "", "one FILE is needed, there are 2; flags go before it\nUsage: aspstate inspect"},
		{[]string{"inspect", "--xml", file}, exitUsage, "", "Usage: aspstate inspect"},
		{[]string{"inspect", "--\x1b]0;x\a", file}, exitUsage, "", `\x1b]0;x\a`},
		{[]string{"inspect", "--framing", "frames", file}, exitUsage, "", "framing is one of nrbf, store, store-deflate, items, auto"},
		{[]string{"recode", "--wire", file}, exitUsage, "", "Usage: aspstate recode [--json] [--framing F] FILE\n"},
		{[]string{"recode", filepath.Join(t.TempDir(), "none")}, exitData, "", "none: no such file or directory"},
		{[]string{"recode", t.TempDir()}, exitData, "", "is a directory"},
		{[]string{"inspect", "--framing", "store", file}, exitData, "", "prim-int32.bin: store: payload: "},
		{[]string{"inspect", "--json", "--wire", file}, exitUsage, "", "not both"},
		{[]string{"inspect", "--", file}, exitOK, "System.Int32", ""},
	} {
		r := runTool(nil, test.args...)
		require.Equal(t, test.code, r.code, "%q", test.args)
		if test.stdout == "" {
			require.Empty(t, r.stdout, "%q", test.args)
		}
		require.Contains(t, string(r.stdout), test.stdout, "%q", test.args)
		if test.stderr == "" {
			require.Empty(t, r.stderr, "%q", test.args)
		} else {
			require.Regexp(t, `^aspstate: `, r.stderr)
		}
		require.Contains(t, r.stderr, test.stderr, "%q", test.args)
		requireTame(t, r.stderr)
	}
}

func TestFileTooLarge(t *testing.T) {
	var stdout, stderr bytes.Buffer
	endless := iotest.DataErrReader(zeros{})
	require.Equal(t, exitData, run(t.Context(), []string{"inspect", "-"}, endless, &stdout, &stderr))
	require.Equal(t, "aspstate: standard input: more than 33554432 bytes\n", stderr.String())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBrokenStreams(t *testing.T) {
	boom := errors.New("boom\x1b[2J")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitData, run(t.Context(), []string{"inspect", "-"}, iotest.ErrReader(boom), &stdout, &stderr))
	require.Equal(t, "aspstate: standard input: boom\\x1b[2J\n", stderr.String())
	for _, verb := range []string{"inspect", "recode"} {
		stderr.Reset()
		require.Equal(t, exitData, run(t.Context(), []string{verb, "-"}, strings.NewReader("\x00\x00\x00\x00"), brokenWriter{boom}, &stderr))
		require.Equal(t, "aspstate: standard output: boom\\x1b[2J\n", stderr.String())
	}
	require.Empty(t, stdout.String())
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

var _ io.Writer = brokenWriter{}
