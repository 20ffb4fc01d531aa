package waiting

import (
	"math"
	"os"
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

// One round of every way: all ten ran, one at a time, and each has its figures.
// That they did is an error of measure's if not.
func TestMeasure(t *testing.T) {
	sec, err := measure(&env.Env{Quick: true}, counts{1, 1, 10}, everyway)
	require.NoError(t, err)
	require.Equal(t, "waiting", sec.Name)
	table := sec.Tables[0]
	require.Len(t, table.Rows, 6)
	for _, r := range table.Rows {
		require.Len(t, r.Cells, len(table.Columns))
		for i, c := range r.Cells {
			require.NotNil(t, c, "%s: %s", r.Label, table.Columns[i].Title)
			require.False(t, math.IsNaN(*c) || math.IsInf(*c, 0), "%s: %s", r.Label, table.Columns[i].Title)
			require.Positive(t, *c, "%s: %s", r.Label, table.Columns[i].Title)
		}
		require.GreaterOrEqual(t, *r.Cells[0], float64(requests*work), "ten pages one after the other")
		require.EqualValues(t, requests-1, *r.Cells[5])
	}
	require.Len(t, sec.Charts[0].Labels, 6)
	require.NotEmpty(t, sec.Charts[0].Sentence)
	require.Len(t, sec.Claims, 1)
	require.Greater(t, *table.Rows[5].Cells[0], float64(pollInterval), "they polled")
}

// Pages that ran together are told of.
func TestPages(t *testing.T) {
	var p pages
	_, err := p.hands()
	require.ErrorContains(t, err, "0 pages ran")
	now := time.Now()
	for i := range requests {
		start := now.Add(time.Duration(i) * 7 * time.Millisecond)
		p.spans = append(p.spans, span{start, start.Add(work)})
	}
	hands, err := p.hands()
	require.NoError(t, err)
	require.Len(t, hands, requests-1)
	for _, h := range hands {
		require.Equal(t, 2*time.Millisecond, h)
	}
	done := make(chan struct{})
	var together pages
	for range 2 {
		go func() { together.run(); done <- struct{}{} }()
	}
	<-done
	<-done
	if together.spans[1].start.Before(together.spans[0].end) {
		_, err = together.hands()
		require.ErrorContains(t, err, "at a time")
	}
}

// A page that was not counted is told of, too.
func TestLostPage(t *testing.T) {
	p, err := peers.Unparked()
	require.NoError(t, err)
	defer p.Stop()
	for name, make := range map[string]func(string) (runner, error){"servers": servers(2), "pollers": pollers} {
		who, err := make(p.Addr)
		require.NoError(t, err, name)
		require.NoError(t, who.request(0, func() {}), name)
		require.ErrorContains(t, who.close(), "counted 1 pages", name)
	}
}
