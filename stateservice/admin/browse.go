package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/stateservice"
)

const (
	pageRows  = 50
	mostPages = 20
)

// browsePage is a part of the list of sessions.
type browsePage struct {
	head
	App        string // of the filter
	Total      int64  // that the filter lets through
	From, To   int
	Cut        int64 // rows that can be paged through, where there are more
	Rows       []line
	Sorts      []link
	Prev, Next string
	All        string // without the filter
}

type link struct {
	Text, Sort, URL string
	Here            bool
}

// sorts are the orders as the table's heads have them.
var sorts = []link{{Text: "Session", Sort: "key"}, {Text: "Expires in", Sort: "expires"}, {Text: "Size", Sort: "size"}, {Text: "Locked for", Sort: "lock"}}

// browseURL is a page of the list; app, sort and page are left out where they
// are "", "" and 0.
func browseURL(app, sort string, page int) string {
	v := url.Values{}
	if app != "" {
		v.Set("q", app)
	}
	if sort != "" {
		v.Set("sort", sort)
	}
	if page > 0 {
		v.Set("page", strconv.Itoa(page+1))
	}
	if len(v) == 0 {
		return "/browse"
	}
	return "/browse?" + v.Encode()
}

// matcher is what ?q= lets through: an application id, or with a * behind it
// all that start so.
func matcher(q string) func(app string) bool {
	if prefix, ok := strings.CutSuffix(q, "*"); ok {
		return func(app string) bool { return strings.HasPrefix(app, prefix) }
	}
	return func(app string) bool { return q == "" || app == q }
}

func (p *pages) browse(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	q, sort, number := query.Get("q"), query.Get("sort"), 0
	if sort == "" {
		sort = "expires"
	}
	if orders[sort] == nil {
		p.bad(w, r, "?sort= is one of expires, size, lock, key.")
		return
	}
	if s := query.Get("page"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostPages {
			p.bad(w, r, "?page= is 1 to "+strconv.Itoa(mostPages)+".")
			return
		}
		number = n - 1
	}
	now := p.now()
	page := browsePage{head: p.head(r, "Sessions", now), App: tame(q, nameWidth)}
	matches := matcher(q)
	first := top{most: (number + 1) * pageRows, order: orders[sort]}
	if !p.alone(w, r, func() {
		p.s.List(func(i stateservice.Info) bool {
			if matches(application(i.Key)) {
				page.Total++
				one := row{Info: i}
				if sort == "key" {
					one.name = p.names.name(i.Key)
				}
				first.add(one)
			}
			return true
		})
	}) {
		return
	}
	rows := first.sorted()
	rows = rows[min(number*pageRows, len(rows)):]
	for _, row := range rows {
		page.Rows = append(page.Rows, p.line(row, now))
	}
	page.From, page.To = number*pageRows+1, number*pageRows+len(rows)
	if page.Total > mostPages*pageRows {
		page.Cut = mostPages * pageRows
	}
	if number > 0 {
		page.Prev = browseURL(q, sort, number-1)
	}
	if page.Total > int64(page.To) && number+1 < mostPages && len(rows) > 0 {
		page.Next = browseURL(q, sort, number+1)
	}
	for _, s := range sorts {
		s.URL, s.Here = browseURL(q, s.Sort, 0), s.Sort == sort
		page.Sorts = append(page.Sorts, s)
	}
	if q != "" {
		page.All = browseURL("", sort, 0)
	}
	p.render(w, http.StatusOK, "browse", page)
}
