package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
)

var copySessionsFlag = flag.Int("copy.sessions", 4000, "sessions of TestCopyKilled; 100000 is the promise")

// each runs f for 0 to n-1 on several goroutines.
func each(n int, f func(i int)) {
	var g sync.WaitGroup
	for w := range 8 {
		g.Go(func() {
			for i := w; i < n; i += 8 {
				f(i)
			}
		})
	}
	g.Wait()
}

// A copy that is killed half-way goes on where it was: every session is there,
// byte for byte, and none is locked.
func TestCopyKilled(t *testing.T) {
	total := *copySessionsFlag
	from, to := startService(t), startService(t)
	src, dst := from.store(t, testApp), to.store(t, testApp)
	each(total, func(i int) {
		if err := src.Save(t.Context(), testID(i), session.Lock{}, testPayload(t, i)); err != nil {
			t.Error(err)
		}
	})
	// The copy waits for this one, so that it is not over before it is killed.
	held, err := src.Acquire(t.Context(), testID(0), time.Minute)
	require.NoError(t, err)
	state := filepath.Join(t.TempDir(), "copy.state")
	args := []string{"copy", "--json", "--wait", "10m", "--from", from.url, "--from-admin", from.admin, "--to", to.url, "--state", state, "--parallel", "4"}

	began := time.Now()
	cmd := exec.Command("aspstate", args...) // TestMain puts this binary there
	require.NoError(t, cmd.Start())
	half := int64(total / 2 * (2*len(copyMark{}) + 1))
	for {
		if info, err := os.Stat(state); err == nil && info.Size() >= half {
			break
		}
		require.Less(t, time.Since(began), 5*time.Minute)
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait(), "it was killed before it was done")
	first := time.Since(began)
	there := 0
	for i := range total {
		switch err := dst.Touch(t.Context(), testID(i)); err {
		case nil:
			there++
		default:
			require.ErrorIs(t, err, session.ErrNotFound)
		}
	}
	require.Greater(t, there, total/3)
	require.Less(t, there, total)
	t.Logf("killed after %v with %d of %d copied", first, there, total)

	require.NoError(t, src.Release(t.Context(), testID(0), held.Lock))
	var stdout, stderr bytes.Buffer
	began = time.Now()
	require.Equal(t, exitOK, run(t.Context(), args, nil, &stdout, &stderr), stderr.String())
	t.Logf("resumed for %v:\n%s", time.Since(began), stdout.String())
	var report struct {
		Listed, Copied, CopiedEarlier int
		Complete                      bool
		Skipped                       map[string]any
	}
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
	require.True(t, report.Complete)
	require.Equal(t, total, report.Listed)
	require.Equal(t, total, report.Copied+report.CopiedEarlier)
	require.Greater(t, report.CopiedEarlier, total/3)
	require.Empty(t, report.Skipped, "what was stored but not noted before the kill counts as copied")
	require.NoFileExists(t, state)

	each(total, func(i int) {
		rec, err := dst.Get(t.Context(), testID(i)) // an error where it is locked
		if err != nil {
			t.Error(err)
			return
		}
		want, _ := testPayload(t, i).Append(nil)
		got, _ := rec.Payload.Append(nil)
		if !bytes.Equal(want, got) {
			t.Errorf("session %d differs", i)
		}
	})
	for _, s := range []service{from, to} {
		a, err := newAdminClient(s.admin, "")
		require.NoError(t, err)
		defer a.close()
		n := 0
		require.NoError(t, adminLister{a, "/LM/W3SVC/1/ROOT("}.List(t.Context(), func(i session.Info) bool {
			n++
			require.True(t, i.Lock.IsZero())
			return true
		}))
		require.Equal(t, total, n)
	}
}

// SIGINT leaves a state that a second run goes on from.
func TestCopyInterrupted(t *testing.T) {
	const total = 3000
	from, to := startService(t), startService(t)
	src := from.store(t, testApp)
	each(total, func(i int) {
		if err := src.Save(t.Context(), testID(i), session.Lock{}, testPayload(t, i)); err != nil {
			t.Error(err)
		}
	})
	state := filepath.Join(t.TempDir(), "copy.state")
	args := []string{"copy", "--from", from.url, "--from-admin", from.admin, "--to", to.url, "--state", state, "--parallel", "1"}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for ctx.Err() == nil {
			if info, err := os.Stat(state); err == nil && info.Size() > 1000 {
				stop()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitData, run(ctx, args, nil, &stdout, &stderr))
	require.Contains(t, stderr.String(), "interrupted; the same command goes on from here")
	require.FileExists(t, state)
	r := runTool(nil, args...)
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Contains(t, string(r.stdout), "copied by an earlier run")
	require.NoFileExists(t, state)
}
