package service

import (
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
)

func TestMain(m *testing.M) {
	peers.ServeIfAsked()
	os.Exit(m.Run())
}

// The smallest run has every table, and a figure wherever one is due.
func TestMeasure(t *testing.T) {
	servers := 2 // the service and the echo
	for program, more := range map[string]int{"redis-server": 2, "memcached": 1} {
		if _, err := exec.LookPath(program); err == nil {
			servers += more
		}
	}
	e := &env.Env{Quick: true}
	sec, err := measure(e, sizes{1, 10 * time.Millisecond, 20 * time.Millisecond, []int{100, 1000}, 2000})
	require.NoError(t, err)
	require.Equal(t, "service", sec.Name)
	rows := make(map[string]int)
	for _, table := range sec.Tables {
		rows[table.Name] = len(table.Rows)
		for _, r := range table.Rows {
			require.Len(t, r.Cells, len(table.Columns), "%s: %s", table.Name, r.Label)
			for i, c := range r.Cells {
				if c != nil {
					require.False(t, math.IsNaN(*c) || math.IsInf(*c, 0), "%s: %s: %s", table.Name, r.Label, table.Columns[i].Title)
				}
			}
			require.NotNil(t, r.Cells[0], "%s: %s", table.Name, r.Label)
		}
	}
	require.Equal(t, 4*servers, rows["get-1k"])
	require.Equal(t, 4*servers, rows["pair-1k"])
	for _, name := range []string{"get-10k", "get-100k", "pair-10k", "pair-100k"} {
		require.Equal(t, servers, rows[name], name)
	}
	require.NotZero(t, rows["shared"])
	require.NotZero(t, rows["memory"])
	require.NotZero(t, rows["expiry"])
	for _, chart := range sec.Charts {
		require.NotEmpty(t, chart.Sentence)
		for _, s := range chart.Series {
			require.Len(t, s.Y, len(s.X), "%s: %s", chart.Name, s.Name)
		}
	}
	for _, c := range sec.Claims {
		require.False(t, math.IsNaN(c.Value) || math.IsInf(c.Value, 0), c.Text)
	}
	require.NotEmpty(t, sec.Claims)
}

// What a claim says where it does not hold.
func TestClaims(t *testing.T) {
	for _, c := range claims(0.95, 1.0) {
		require.True(t, c.Holds(), c.Text)
		require.Empty(t, c.Note)
	}
	for _, c := range claims(0.8, 2) {
		require.False(t, c.Holds(), c.Text)
		require.NotEmpty(t, c.Note)
	}
	grown := memoryClaims([]int{10, million}, []float64{1300, 1600})
	require.Len(t, grown, 2)
	require.False(t, grown[0].Holds())
	require.False(t, grown[1].Holds())
	require.Empty(t, memoryClaims([]int{10, 100}, []float64{math.NaN(), math.NaN()}))
	require.Empty(t, memoryClaims([]int{10, 100}, []float64{0, 1300}), "the system did not see the first step")
}
