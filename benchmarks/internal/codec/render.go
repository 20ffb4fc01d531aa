package codec

import (
	"fmt"
	"math"
	"strings"

	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// A sized body has its figures.
type sized struct {
	body
	all figures
}

var codecs = []string{payloadName, gobName, jsonName, msgpackName}

func ratio(a, b float64) float64 {
	if !(b > 0) {
		return math.NaN()
	}
	return a / b
}

func render(sizes []sized, cart figures) report.Section {
	s := report.Section{
		Name:  "codec",
		Title: "What a session costs to read and write",
		Text: strings.Join([]string{
			"payload is what ASP.NET stores. Opening one reads its index; a value is decoded when it is asked for, and what was not touched is written back as it came. " +
				"gob, json and msgpack are given a `map[string]any`, as session libraries do, decode all of it at once and encode all of it again.",
			"The sessions: ten strings of 20 to 38 characters; 100 mixed values, strings, whole numbers, fractions and booleans; the ten strings with one of 64 KB; the ten strings with a byte array of 1 MB. " +
				"*Read one* and *change one* are about a small item. What is read is checked. Buffers for encoding have been used before, for all. json keeps no types: numbers come back as fractions, bytes as base64.",
			"*Times gob* is how many times faster than gob at the same; *MB/s* is what is stored, by the time, where all of it is touched. The physical limit is a row of the same run: a copy of the bytes that payload stores.",
		}, "\n\n"),
		Charts: charts(sizes, cart),
	}
	s.Tables = append(s.Tables, lazyTable(sizes))
	for _, z := range sizes {
		s.Tables = append(s.Tables, table(z.word, z.name, tasks, codecs, z.all))
	}
	c := table("cart", "A shopping cart of 50 lines, as C# stored it", []task{decodeCart, encodeCart, updateCart}, []string{nrbfName, gobName, jsonName, msgpackName}, cart)
	c.Note = "A .NET object stream into a Go struct and back, beside the same struct in Go's codecs, which have prices as text and no class to name. *Update* writes the struct into the stream that it came from, so that what Go does not know of stays."
	s.Tables = append(s.Tables, c)
	s.Claims = claims(sizes[0].all)
	return s
}

func table(name, title string, tasks []task, codecs []string, all figures) report.Table {
	t := report.Table{
		Name: name, Title: title,
		Columns: []report.Column{
			{Title: "time", Unit: report.Nanoseconds}, {Title: "times gob", Unit: report.Times}, {Title: "times memcpy", Unit: report.Times},
			{Title: "allocations"}, {Title: "allocated", Unit: report.Bytes}, {Title: "stored", Unit: report.Bytes}, {Title: "MB/s", Unit: "MB/s"},
		},
	}
	limit := all.of(copyName, encode)
	row := func(label string, f figure, gob float64) {
		speed := ratio(float64(f.stored)*1000, f.ns)
		if f.codec == payloadName && (f.task == open || f.task == readOne) {
			speed = math.NaN() // the values are not touched
		}
		t.Rows = append(t.Rows, report.Row{Label: label, Cells: report.Cells(f.ns, ratio(gob, f.ns), ratio(f.ns, limit.ns), f.allocs, f.bytes, float64(f.stored), speed)})
	}
	row(copyName, limit, math.NaN())
	for _, task := range tasks {
		for _, c := range codecs {
			if f := all.of(c, task); f.do != nil {
				row(string(task)+": "+c, f, all.of(gobName, task).ns)
			}
		}
	}
	return t
}

func lazyTable(sizes []sized) report.Table {
	t := report.Table{
		Name: "lazy", Title: "Lazy beside eager",
		Columns: []report.Column{
			{Title: "payload: open", Unit: report.Nanoseconds}, {Title: "read one", Unit: report.Nanoseconds}, {Title: "read all", Unit: report.Nanoseconds},
			{Title: "all is times one", Unit: report.Times}, {Title: "gob: open", Unit: report.Nanoseconds}, {Title: "gob: read all", Unit: report.Nanoseconds},
		},
		Note: "A page that needs one item pays for one; gob has decoded everything before the first is there.",
	}
	for _, z := range sizes {
		one, all := z.all.of(payloadName, readOne).ns, z.all.of(payloadName, readAll).ns
		t.Rows = append(t.Rows, report.Row{Label: z.name, Cells: report.Cells(z.all.of(payloadName, open).ns, one, all, ratio(all, one), z.all.of(gobName, open).ns, z.all.of(gobName, readAll).ns)})
	}
	return t
}

// charts has a group for each size.
func charts(sizes []sized, cart figures) []report.Chart {
	var labels []string
	for _, z := range sizes {
		labels = append(labels, z.name)
	}
	series := func(name, codec string, t task) report.Series {
		s := report.Series{Name: name}
		for _, z := range sizes {
			s.Y = append(s.Y, z.all.of(codec, t).ns)
		}
		return s
	}
	ns := func(f figure) string { return report.Spell(f.ns, report.Nanoseconds) }
	first, last := sizes[0], sizes[len(sizes)-1]
	opened := report.Chart{
		Name: "codec-open", Title: "Reading a session", Kind: report.Bars, Labels: labels,
		X: "session", Y: "time", YUnit: report.Nanoseconds, LogY: true,
		Series: []report.Series{series("payload: open", payloadName, open), series("payload: read one", payloadName, readOne), series("payload: read all", payloadName, readAll)},
		Sentence: fmt.Sprintf("payload opens %s in %s, reads one of them in %s and all in %s, where gob takes %s for any of it; of %s it reads a small item in %s, gob in %s.",
			first.name, ns(first.all.of(payloadName, open)), ns(first.all.of(payloadName, readOne)), ns(first.all.of(payloadName, readAll)), ns(first.all.of(gobName, readAll)),
			last.name, ns(last.all.of(payloadName, readOne)), ns(last.all.of(gobName, readOne))),
	}
	encoded := report.Chart{
		Name: "codec-encode", Title: "Writing a session", Kind: report.Bars, Labels: labels,
		X: "session", Y: "time", YUnit: report.Nanoseconds, LogY: true,
		Series: []report.Series{series(copyName, copyName, encode)},
		Sentence: fmt.Sprintf("payload writes %s in %s, %s times as fast as gob, and %s in %s, %s times what a copy of its bytes takes.",
			first.name, ns(first.all.of(payloadName, encode)), report.Spell(ratio(first.all.of(gobName, encode).ns, first.all.of(payloadName, encode).ns), report.Count),
			last.name, ns(last.all.of(payloadName, encode)), report.Spell(ratio(last.all.of(payloadName, encode).ns, last.all.of(copyName, encode).ns), report.Count)),
	}
	for _, c := range codecs {
		if c != payloadName {
			opened.Series = append(opened.Series, series(c+": read all", c, readAll))
		}
		encoded.Series = append(encoded.Series, series(c, c, encode))
	}
	carts := report.Chart{
		Name: "codec-cart", Title: "A shopping cart of 50 lines", Kind: report.Bars,
		X: "codec", Y: "time", YUnit: report.Nanoseconds, Labels: []string{nrbfName, gobName, jsonName, msgpackName},
		Sentence: fmt.Sprintf("nrbf decodes C#'s cart of 50 lines in %s, gob the same struct in %s, json in %s and msgpack in %s; it writes one in %s, gob in %s, json in %s and msgpack in %s.",
			ns(cart.of(nrbfName, decodeCart)), ns(cart.of(gobName, decodeCart)), ns(cart.of(jsonName, decodeCart)), ns(cart.of(msgpackName, decodeCart)),
			ns(cart.of(nrbfName, encodeCart)), ns(cart.of(gobName, encodeCart)), ns(cart.of(jsonName, encodeCart)), ns(cart.of(msgpackName, encodeCart))),
	}
	for _, t := range []task{decodeCart, encodeCart, updateCart} {
		s := report.Series{Name: string(t)}
		for _, c := range carts.Labels {
			s.Y = append(s.Y, cart.of(c, t).ns)
		}
		carts.Series = append(carts.Series, s)
	}
	return []report.Chart{opened, encoded, carts}
}

// claims are about the ten strings.
func claims(ten figures) []report.Claim {
	times := func(t task) float64 { return ratio(ten.of(gobName, t).ns, ten.of(payloadName, t).ns) }
	return []report.Claim{
		{Text: "opening a session of 10 strings: faster than gob", Value: times(open), Op: ">=", Want: 40, Unit: report.Times, Headline: true},
		{Text: "encoding a session of 10 strings: faster than gob", Value: times(encode), Op: ">=", Want: 30, Unit: report.Times, Headline: true},
		{Text: "encoding a session of 10 strings: allocations", Value: ten.of(payloadName, encode).allocs, Op: "<=", Want: 0},
	}
}
