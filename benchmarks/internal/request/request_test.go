package request

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

func TestMain(m *testing.M) {
	peers.ServeIfAsked()
	os.Exit(m.Run())
}

// remotes starts what is installed.
func remotes(t *testing.T) []remote {
	t.Helper()
	service, err := peers.Service()
	require.NoError(t, err)
	t.Cleanup(service.Stop)
	all := []remote{{service.Addr, oursService}}
	if hasRedis() {
		redis, err := peers.Redis()
		require.NoError(t, err)
		t.Cleanup(redis.Stop)
		all = append(all, onRedis(redis.Addr)...)
	}
	return all
}

func hasRedis() bool {
	_, err := exec.LookPath("redis-server")
	return err == nil
}

// Each library reads back itself what its page wrote.
func TestPagesDoWhatTheySay(t *testing.T) {
	opens := locals
	for _, r := range remotes(t) {
		opens = append(opens, func() (*site, error) { return r.open(r.addr, nil) })
	}
	for _, open := range opens {
		s, err := open()
		require.NoError(t, err)
		t.Run(s.name, func(t *testing.T) {
			defer s.end()
			written, _ := s.page(write)
			v, err := s.visitor(written)
			require.NoError(t, err)
			defer v.leave()
			seen := map[string]bool{values[5]: true}
			for range 3 {
				v.page = written.handler
				require.NoError(t, v.visit())
				v.keep()
				want := newValues[changes.Load()%uint32(len(newValues))]
				v.page = s.says
				require.NoError(t, v.visit())
				assert.Equal(t, want, v.w.header.Get(saysHeader))
				assert.False(t, seen[want], "another value each time")
				seen[want] = true
			}
			for _, p := range s.pages {
				v, err := s.visitor(p)
				require.NoError(t, err)
				defer v.leave()
				require.NoError(t, v.visit(), s.label(p))
				if s.stored != nil && !p.stranger {
					size := s.stored(v)
					assert.Greater(t, size, 10*20)
					assert.Less(t, size, 2048)
				}
				if p.kind == read {
					v.fresh.Header.Del("Cookie")
					assert.ErrorIs(t, v.visit(), errPage, "%s: a page that reads nothing is not the page", s.label(p))
				}
			}
		})
	}
}

func TestRoundTrips(t *testing.T) {
	trips := map[string]map[string]float64{ // by kind; read by ReadWrite takes a lock and gives it back
		oursStateService:         {"read (ReadOnly)": 1, "write (ReadWrite)": 2, "unused (Lazy)": 0, "read (ReadWrite)": 2},
		oursOverRedis:            {"read (ReadOnly)": 1, "write (ReadWrite)": 2, "unused (Lazy)": 0, "read (ReadWrite)": 2},
		scsOverRedis:             {"read": 1, "write": 2, "unused": 1},
		"gorilla over Redis":     {"read": 2, "write": 4}, // with a PING each
		"gin-contrib over Redis": {"read": 2, "write": 4, "unused": 0},
	}
	for _, r := range remotes(t) {
		s, err := r.open(r.addr, nil)
		require.NoError(t, err)
		got, err := count(r)
		require.NoError(t, err)
		require.Len(t, got, len(s.pages))
		for i, p := range s.pages {
			want, ok := trips[s.name][s.label(p)[len(s.name)+2:]]
			require.True(t, ok, s.label(p))
			assert.InDelta(t, want, got[i].trips, 0.05, s.label(p))
			if want > 0 {
				assert.Greater(t, got[i].wire, 400.0, s.label(p))
			} else {
				assert.Less(t, got[i].wire, 10.0, s.label(p))
			}
		}
		s.end()
	}
}

func TestMeasure(t *testing.T) {
	e := &env.Env{Quick: true, Progress: io.Discard}
	s, err := effort{turns: time.Millisecond, rounds: 1, each: 5 * time.Millisecond}.measure(e)
	require.NoError(t, err)

	rows := map[string]int{"memory": 24, "network": 17, "network-many": 17}
	claims := 15
	if !hasRedis() {
		rows["network"], rows["network-many"], claims = 5, 5, 9
		assert.NotEmpty(t, e.LeftOut())
	}
	require.Len(t, s.Tables, len(rows))
	for _, table := range s.Tables {
		assert.Len(t, table.Rows, rows[table.Name], table.Name)
		labels := make(map[string]bool)
		for _, row := range table.Rows {
			assert.False(t, labels[row.Label], "twice: %s", row.Label)
			labels[row.Label] = true
			require.Len(t, row.Cells, len(table.Columns), row.Label)
			require.NotNil(t, row.Cells[0], row.Label)
			assert.Positive(t, *row.Cells[0], row.Label)
			for i, c := range row.Cells {
				if c != nil {
					assert.False(t, math.IsInf(*c, 0), "%s: %s", row.Label, table.Columns[i].Title)
				}
			}
		}
	}
	require.Len(t, s.Charts, 3)
	for _, c := range s.Charts {
		assert.NotEmpty(t, c.Sentence)
		assert.NotContains(t, c.Sentence, "–", "a figure that was not measured")
		for _, series := range c.Series {
			assert.Len(t, series.Y, len(c.Labels), c.Name)
		}
	}
	assert.Len(t, s.Claims, claims)
	for _, c := range s.Claims {
		if c.Want == 20 { // allocations beside scs, which neither load nor the race detector changes much
			assert.True(t, c.Holds(), "%s: %v", c.Text, c.Value)
		}
	}
	_, err = json.Marshal(report.Report{Sections: []report.Section{s}})
	assert.NoError(t, err)
}

// A read after a write ends a round trip, however many pieces either has.
func TestTrafficCountsRoundTrips(t *testing.T) {
	echo, err := peers.Echo()
	require.NoError(t, err)
	t.Cleanup(echo.Stop)
	var count traffic
	c, err := count.dial(context.Background(), "tcp", echo.Addr)
	require.NoError(t, err)
	defer c.Close()
	for range 3 {
		for range 2 {
			_, err = c.Write([]byte("half"))
			require.NoError(t, err)
		}
		for range 8 {
			_, err = io.ReadFull(c, make([]byte, 1))
			require.NoError(t, err)
		}
	}
	assert.EqualValues(t, 3, count.trips.Load())
	assert.EqualValues(t, 3*16, count.bytes.Load())
}

func TestRatioSaysNothingOfNothing(t *testing.T) {
	assert.Equal(t, 2.0, ratio(4, 2))
	for _, bad := range [][2]float64{{1, 0}, {0, 1}, {1, -1}, {math.NaN(), 1}, {1, math.NaN()}} {
		assert.True(t, math.IsNaN(ratio(bad[0], bad[1])), "%v", bad)
	}
}
