package codec

import (
	"encoding/json"
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// Every task of every codec finds what was stored, and nothing else.
func TestTasksCheckWhatTheyRead(t *testing.T) {
	for _, b := range bodies() {
		t.Run(b.name, func(t *testing.T) {
			runs, err := b.runs()
			require.NoError(t, err)
			require.Len(t, runs, 1+len(codecs)*len(tasks))
			for _, r := range runs {
				assert.NoError(t, r.do(), "%s: %s", r.codec, r.task)
			}
			last := len(b.values) - 1
			for _, i := range []int{b.one, last} {
				kept := b.values[i]
				b.values[i] = "not what was stored"
				for _, r := range runs {
					if r.task == readAll || r.task == readOne && i == b.one {
						assert.Error(t, r.do(), "%s: %s, item %d", r.codec, r.task, i)
					}
				}
				b.values[i] = kept
			}
		})
	}
}

// What is encoded holds all items, the changed one among them.
func TestTasksEncodeWhatTheySay(t *testing.T) {
	for _, b := range bodies() {
		decode := map[string]func(data []byte, key string, want any) error{
			payloadName: func(data []byte, key string, want any) error {
				p, err := payload.Open(data, payload.Limits{})
				if err != nil {
					return err
				}
				return holds(p.Items(), key, want)
			},
		}
		for _, c := range maps() {
			decode[c.name] = func(data []byte, key string, want any) error {
				m, err := c.decode(data)
				if err == nil && !c.same(m[key], want) {
					err = errValue
				}
				return err
			}
		}
		runs, err := b.runs()
		require.NoError(t, err)
		for _, r := range runs {
			if r.task != change && r.task != setAll && r.task != encode || r.codec == copyName {
				continue
			}
			require.NoError(t, r.do())
			out := r.out()
			for i, key := range b.keys {
				want := b.values[i]
				if r.task == change && i == b.one {
					want = changed
				}
				assert.NoError(t, decode[r.codec](out, key, want), "%s, %s: %s: %s", b.name, r.codec, r.task, key)
			}
		}
	}
}

func TestCart(t *testing.T) {
	runs, err := cartRuns()
	require.NoError(t, err)
	var before cart
	require.NoError(t, nrbf.Unmarshal(cartStream, &before))
	for _, r := range runs {
		require.NoError(t, r.do(), "%s: %s", r.codec, r.task)
		if r.codec == nrbfName && r.out != nil {
			var after cart
			require.NoError(t, nrbf.Unmarshal(r.out(), &after))
			if r.task == updateCart {
				after.Items[editedLine].Quantity--
			}
			assert.Equal(t, before, after, r.task)
		}
	}
	for _, s := range structs {
		plain := plainCart{Items: []plainItem{{SKU: "a", UnitPrice: "1.10", Quantity: 2}}, Total: "2.20", Created: time.Unix(0, 0).UTC(), Attributes: map[string]string{"k": "v"}}
		data, err := s.encode(&plain)
		require.NoError(t, err)
		var back plainCart
		require.NoError(t, s.decode(data, &back))
		back.Created = back.Created.UTC()
		assert.Equal(t, plain, back, s.name)
	}
}

func TestMeasure(t *testing.T) {
	small := bodies()[:2]
	s, err := measureAll(&env.Env{Quick: true, Progress: io.Discard}, time.Millisecond, small)
	require.NoError(t, err)

	rows := map[string]int{"lazy": 2, "strings": 25, "mixed": 25, "cart": 10}
	require.Len(t, s.Tables, len(rows))
	for _, table := range s.Tables {
		assert.Len(t, table.Rows, rows[table.Name], table.Name)
		for _, row := range table.Rows {
			require.Len(t, row.Cells, len(table.Columns), row.Label)
			for i, c := range row.Cells {
				if c != nil {
					assert.False(t, math.IsInf(*c, 0), "%s: %s", row.Label, table.Columns[i].Title)
				}
			}
			require.NotNil(t, row.Cells[0], row.Label)
			assert.Positive(t, *row.Cells[0], row.Label)
		}
	}
	require.Len(t, s.Charts, 3)
	for _, c := range s.Charts {
		assert.NotContains(t, c.Sentence, "–", "a figure that was not measured")
		assert.LessOrEqual(t, len(c.Series), 8)
		for _, series := range c.Series {
			assert.Len(t, series.Y, len(c.Labels), c.Name)
		}
	}
	require.Len(t, s.Claims, 3)
	assert.True(t, s.Claims[2].Holds(), "encoding allocates nothing")
	_, err = json.Marshal(report.Report{Sections: []report.Section{s}})
	assert.NoError(t, err)
}
