package growth

import (
	"fmt"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// itemCounts are how many items a session has.
func itemCounts(quick bool) []int {
	if quick {
		return []int{1, 10, 100, 1000}
	}
	return []int{1, 3, 10, 30, 100, 300, 1000}
}

// manyItems is a session of n strings of 20 bytes, of which one in the middle is
// used.
func manyItems(n int) content {
	c := content{read: n / 2, set: n / 2, setValue: pad("JUMPS OVER THE LAZY", 20)}
	for range n {
		c.items = append(c.items, pad("the quick brown fox", 20))
	}
	return c
}

func measureItems(e *env.Env, s *report.Section) error {
	counts := itemCounts(e.Quick)
	var contents []content
	var labels []string
	for _, n := range counts {
		contents = append(contents, manyItems(n))
		labels = append(labels, number(n)+" items")
	}
	labels[0] = "1 item"
	e.Say("growth: sessions of %d to %s items", counts[0], number(counts[len(counts)-1]))
	f, err := framesOf(e, contents)
	if err != nil {
		return err
	}
	s.Tables = append(s.Tables, f.table("items", "From 1 item to 1,000 a session, strings of 20 bytes", labels, "A request uses one item; the others are found, and carried as they are stored."))
	each := func(v []float64) string {
		return duration((last(v) - v[0]) / float64(counts[len(counts)-1]-counts[0]))
	}
	s.Charts = append(s.Charts, chart("growth-items", "Cost of a request by items in its session", "items", "", counts, f.lines(),
		fmt.Sprintf("From 1 item to %s in a session, of which one is used, a request that reads it goes in the process from %s (%s for each further item) and over the service from %s; one that changes it from %s (%s for each) and from %s.",
			number(counts[len(counts)-1]), fromTo(f.read), each(f.read), fromTo(f.overRead), fromTo(f.write), each(f.write), fromTo(f.overWrite))))
	return nil
}
