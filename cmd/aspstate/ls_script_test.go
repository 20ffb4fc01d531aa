package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
)

// TestMain makes the test binary the tool where it is called aspstate.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"aspstate": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScripts runs every verb as a user types it.
func TestScripts(t *testing.T) {
	vectors, err := os.Getwd()
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("VECTORS", vectors+"/"+testdata)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"service": scriptService, "session": scriptSession, "lock": scriptLock, "appears": scriptAppears, "replace": scriptReplace,
		},
	})
}

// scripted lets helpers of tests run in a script.
type scripted struct{ *testscript.TestScript }

func (s scripted) Helper()                   {}
func (s scripted) Cleanup(f func())          { s.Defer(f) }
func (s scripted) Errorf(f string, a ...any) { s.Logf(f, a...) }
func (s scripted) FailNow()                  { s.Fatalf("failed") }

// scriptService starts a state service: $NAME is its URL for --store, $NAME_ADDR
// its address, $NAME_ADMIN that of its listing.
func scriptService(ts *testscript.TestScript, _ bool, args []string) {
	s := startService(scripted{ts})
	ts.Setenv(args[0], s.url)
	ts.Setenv(args[0]+"_ADDR", s.addr)
	ts.Setenv(args[0]+"_ADMIN", s.admin)
}

// scriptSession stores session N of the series: session ADDR APP N. $IDN is its
// id, $SHORTN the short form.
func scriptSession(ts *testscript.TestScript, _ bool, args []string) {
	t := scripted{ts}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	store := (service{addr: args[0]}).store(t, args[1])
	ts.Check(store.Save(context.Background(), testID(n), session.Lock{}, testPayload(t, n)))
	ts.Setenv(fmt.Sprintf("ID%d", n), testID(n))
	ts.Setenv(fmt.Sprintf("SHORT%d", n), shortID(testID(n)))
}

// scriptLock takes the lock of session N: lock ADDR APP N.
func scriptLock(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	store := (service{addr: args[0]}).store(scripted{ts}, args[1])
	_, err = store.Acquire(context.Background(), testID(n), time.Minute)
	ts.Check(err)
}

// scriptAppears waits for a file: appears FILE.
func scriptAppears(ts *testscript.TestScript, _ bool, args []string) {
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(until) {
			ts.Fatalf("%s does not appear", args[0])
		}
	}
}

// scriptReplace writes a value in place of a word of a file: replace VALUE WORD FILE.
func scriptReplace(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[2])
	b, err := os.ReadFile(name)
	ts.Check(err)
	ts.Check(os.WriteFile(name, []byte(strings.ReplaceAll(string(b), args[1], args[0])), 0o600))
}
