package growth

import (
	"fmt"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// byteCounts are how many bytes a session's large item has.
func byteCounts(quick bool) []int {
	if quick {
		return []int{1 << 10, 16 << 10, 128 << 10, 1 << 20}
	}
	return []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}
}

// largeItem is a session of one string of n bytes, which is read, and a small
// one, which is set.
func largeItem(n int) content {
	return content{items: []string{pad("the quick brown fox ", n), "small"}, read: 0, set: 1, setValue: "SMALL"}
}

func measureBytes(e *env.Env, s *report.Section) error {
	counts := byteCounts(e.Quick)
	var contents []content
	var labels []string
	for _, n := range counts {
		contents = append(contents, largeItem(n))
		labels = append(labels, fmt.Sprintf("%s KiB", number(n>>10)))
	}
	e.Say("growth: sessions of %s to %s", labels[0], labels[len(labels)-1])
	f, err := framesOf(e, contents)
	if err != nil {
		return err
	}
	s.Tables = append(s.Tables, f.table("bytes", "From 1 KiB to 1 MiB a session", labels, "ReadOnly reads the large string, which copies it; ReadWrite sets a small one beside it, which stores all. "+
		"Over the service reading moves the bytes one way, and an echo both ways."))
	s.Charts = append(s.Charts, chart("growth-bytes", "Cost of a request by bytes in its session", "bytes", report.Bytes, counts, f.lines(),
		fmt.Sprintf("From %s to %s in a session, a request that reads them goes in the process from %s (at the end %.1f times a memcpy of them) and over the service from %s (%.1f times a loopback echo of them); one that changes a small item beside them from %s (%.1f times the memcpy) and from %s (%.1f times the echo).",
			labels[0], labels[len(labels)-1], fromTo(f.read), last(f.read)/last(f.cpy), fromTo(f.overRead), last(f.overRead)/last(f.echo),
			fromTo(f.write), last(f.write)/last(f.cpy), fromTo(f.overWrite), last(f.overWrite)/last(f.echo))))
	return nil
}
