package report

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Markdown is the page of results, of a report that Check finds good. charts is the folder of the charts, relative
// to the page; where it is empty their sentences stand alone.
func Markdown(r Report, charts string) string {
	var b strings.Builder
	b.WriteString("<!-- made by benchmarks/cmd/compare, do not edit -->\n\n# Results\n\n")
	fmt.Fprintf(&b, "Measured on %s in %s, all sides in one run on one machine: compare the figures with\neach other, and with no other run.\n\n", day(r), plain(r.Took))
	if r.Partial() {
		b.WriteString("**This is a partial run**, for a look: shorter, or not of everything.\n\n")
	}
	fmt.Fprintf(&b, "- Machine: %s\n- Versions: %s\n\n", plain(r.Machine.String()), versions(r))
	claims(&b, r)
	for _, s := range r.Sections {
		section(&b, s, charts)
	}
	if len(r.LeftOut) > 0 {
		b.WriteString("## What was left out\n\n")
		for _, what := range r.LeftOut {
			fmt.Fprintf(&b, "- %s\n", plain(what))
		}
		b.WriteString("\n")
	}
	b.WriteString(`## How to make it again

` + "```" + `
go -C benchmarks run ./cmd/compare                      # measures everything and writes this page
go -C benchmarks run ./cmd/compare -from results.json   # writes it again from the figures
` + "```" + `

The figures are in [results.json](results.json), times in nanoseconds and sizes in bytes.
`)
	return b.String()
}

func day(r Report) string { return r.Time.UTC().Format("2 January 2006") }

func versions(r Report) string {
	var all []string
	for _, of := range slices.SortedFunc(maps.Keys(r.Versions), func(a, b string) int {
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	}) {
		all = append(all, plain(of+" "+r.Versions[of]))
	}
	return strings.Join(all, ", ")
}

// claims writes the table of what is promised and what came out.
func claims(b *strings.Builder, r Report) {
	kept, all := 0, 0
	t := grid{{"what", "measured", "wanted", "holds", "what was found"}}
	for _, s := range r.Sections {
		for _, c := range s.Claims {
			all++
			holds := "**NO**"
			if c.Holds() {
				kept++
				holds = "yes"
			}
			t = append(t, []string{"[" + plain(c.Text) + "](#" + slug(s.Title) + ")", c.Measured(), c.Wanted(), holds, cell(c.Note)})
		}
	}
	if all == 0 {
		return
	}
	fmt.Fprintf(b, "## Claims\n\n%d of %d hold. Each leads to its section.\n\n", kept, all)
	t.write(b, "lrrll")
}

func section(b *strings.Builder, s Section, charts string) {
	fmt.Fprintf(b, "## %s\n\n", plain(s.Title))
	if text := strings.TrimSpace(s.Text); text != "" {
		b.WriteString(text + "\n\n")
	}
	for _, t := range s.Tables {
		if len(t.Rows) == 0 {
			continue
		}
		fmt.Fprintf(b, "**%s**\n\n", plain(t.Title))
		head, align := []string{""}, "l"
		for _, c := range t.Columns {
			head = append(head, plain(c.Title))
			align += "r"
		}
		g := grid{head}
		for _, row := range t.Rows {
			line := []string{plain(row.Label)}
			for i, v := range row.Cells {
				text := none
				if v != nil {
					text = Spell(*v, t.Columns[i].Unit)
				}
				line = append(line, text)
			}
			g = append(g, line)
		}
		g.write(b, align)
		if note := strings.TrimSpace(t.Note); note != "" {
			b.WriteString(note + "\n\n")
		}
	}
	for _, c := range s.Charts {
		if charts != "" {
			fmt.Fprintf(b, "![%s](%s)\n\n", plain(c.Title), path.Join(charts, c.Name+".svg"))
		}
		if sentence := strings.TrimSpace(c.Sentence); sentence != "" {
			b.WriteString(sentence + "\n\n")
		}
	}
}

// A grid is a table of Markdown, its head first.
type grid [][]string

// write pads the columns, so that the page is readable as text; align has a
// letter for each.
func (g grid) write(b *strings.Builder, align string) {
	widths := make([]int, len(align))
	for _, line := range g {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text), 3)
		}
	}
	for n, line := range g {
		for i, text := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if align[i] == 'r' {
				text = pad + text
			} else {
				text += pad
			}
			b.WriteString("| " + text + " ")
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i := range line {
			rule := strings.Repeat("-", widths[i])
			if align[i] == 'r' {
				rule = rule[1:] + ":"
			}
			b.WriteString("| " + rule + " ")
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
}

var escape = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"*", `\*`, "`", "\\`", "[", `\[`, "]", `\]`, "~", `\~`)

// plain makes Markdown of plain text: one line that shows as it is.
func plain(s string) string { return escape.Replace(oneLine(s)) }

// cell makes Markdown fit for a table.
func cell(s string) string { return strings.ReplaceAll(oneLine(s), "|", `\|`) }

// oneLine turns runs of white space into a space and drops control characters.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// slug is the anchor that GitHub gives a heading.
func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, oneLine(title))
}
