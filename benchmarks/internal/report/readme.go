package report

import (
	"fmt"
	"strings"
)

// The block of a README that is made of the report stands between these lines.
const (
	BlockBegin = "<!-- benchmarks: made by benchmarks/cmd/compare, do not edit -->"
	BlockEnd   = "<!-- /benchmarks -->"
)

// Block is what stands between the markers: the claims of the headlines. page is
// where the page of results is, relative to the README.
func Block(r Report, page string) string {
	var b strings.Builder
	t := grid{{"what", "measured", "wanted"}}
	for _, s := range r.Sections {
		for _, c := range s.Claims {
			if !c.Headline {
				continue
			}
			wanted := c.Wanted()
			if !c.Holds() {
				wanted += ": falls short"
			}
			t = append(t, []string{plain(c.Text), c.Measured(), wanted})
		}
	}
	if len(t) > 1 {
		t.write(&b, "lrr")
	}
	fmt.Fprintf(&b, "One run on %s: %s.\nAll figures, charts and versions, what falls short and how to make them again:\n[results](%s).\n", day(r), plain(r.Machine.String()), page)
	return b.String()
}

// ReplaceBlock puts a block between the markers of a README and leaves the rest
// as it is. Markers that are missing, doubled or not alone on their lines are an
// error.
func ReplaceBlock(readme, block string) (string, error) {
	lines := strings.SplitAfter(readme, "\n")
	begin, end := -1, -1
	for i, line := range lines {
		switch line = strings.TrimRight(line, "\r\n"); {
		case line == BlockBegin && begin < 0 && end < 0:
			begin = i
		case line == BlockEnd && begin >= 0 && end < 0:
			end = i
		case strings.Contains(line, BlockBegin), strings.Contains(line, BlockEnd):
			return "", fmt.Errorf("report: README line %d: a marker of the block that is doubled, out of order or not alone on its line: %s", i+1, line)
		}
	}
	if begin < 0 || end < 0 {
		return "", fmt.Errorf("report: the README has no block for the figures: put the lines %q and %q where it is to stand", BlockBegin, BlockEnd)
	}
	return strings.Join(lines[:begin+1], "") + "\n" + block + "\n" + strings.Join(lines[end:], ""), nil
}
