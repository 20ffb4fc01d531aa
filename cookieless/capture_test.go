package cookieless_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
)

// Exchanges with Microsoft's published code, in testdata: what it answered, we
// would answer, as far as the URL decides.

type exchange struct{ title, method, target, cookie, status, location, setCookie, body string }

func exchanges(t *testing.T, name string) (list []exchange) {
	f, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "=== ") {
			list = append(list, exchange{title: line[4:]})
		}
		if len(list) == 0 {
			continue
		}
		e := &list[len(list)-1]
		switch words := strings.Fields(line); {
		case strings.HasPrefix(line, "> ") && strings.HasSuffix(line, " HTTP/1.1"):
			e.method, e.target = words[1], words[2]
		case strings.HasPrefix(line, "> Cookie: "):
			e.cookie = line[len("> Cookie: "):]
		case strings.HasPrefix(line, "< HTTP/"):
			e.status = words[2]
		case strings.HasPrefix(line, "< Location: "):
			e.location = line[len("< Location: "):]
		case strings.HasPrefix(line, "< Set-Cookie: "):
			e.setCookie = line[len("< Set-Cookie: "):]
		case strings.Contains(line, "id="):
			e.body = line
		}
	}
	return list
}

var idIn = regexp.MustCompile(`S\(([a-z0-5]{24})\)`)

func TestCaptures(t *testing.T) {
	for name, opt := range map[string]cookieless.Options{
		"ms-useuri.txt":              {Mode: cookieless.UseURI, AnyPosition: true},
		"ms-useuri-noregenerate.txt": {Mode: cookieless.UseURI, AnyPosition: true, KeepExpiredIDs: true},
		"ms-autodetect.txt":          {Mode: cookieless.AutoDetect},
	} {
		c := must(t, opt)
		n := 0
		for _, e := range exchanges(t, name) {
			t.Run(name+"/"+e.title, func(t *testing.T) {
				if e.title == "user agent known to have no cookies" {
					opt.Device = func(*http.Request) bool { return true } // its header was not recorded
					c = must(t, opt)
				}
				r := httptest.NewRequest(e.method, e.target, nil)
				if e.cookie != "" {
					r.Header.Set("Cookie", e.cookie)
				}
				_, s, err := c.Read(r)
				require.NoError(t, err)
				n++
				if challenge, ok := s.Challenge(); ok {
					require.Equal(t, e.location, challenge.Location)
					require.Equal(t, e.setCookie, challenge.SetCookie)
					return // the status was spoilt by the host in some
				}
				require.NotContains(t, e.location, "AspxAutoDetectCookieSupport=1&")
				if id := idIn.FindStringSubmatch(e.location); id != nil {
					location, status, err := s.Redirect(id[1])
					require.NoError(t, err)
					require.Equal(t, e.location, location)
					require.Equal(t, "302", e.status)
					require.Equal(t, http.StatusFound, status)
				} else if e.status == "200" && e.body != "" {
					require.Equal(t, s.PathMode(), e.setCookie == "" && !strings.Contains(e.cookie, "AspxAuto"))
					if s.PathMode() {
						require.Contains(t, e.body, "id="+strings.ToLower(s.ID()))
					}
				}
			})
		}
		require.Greater(t, n, 8, name)
	}
}

func TestCapturedLinks(t *testing.T) {
	b, err := os.ReadFile("testdata/ms-useuri-links.txt")
	require.NoError(t, err)
	var (
		page  string
		given string
		n     int
		apply = regexp.MustCompile(`^ApplyAppPathModifier\("(.*)"\) = (.*)$`)
	)
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if p, ok := strings.CutPrefix(line, "## "); ok {
			page = p
		}
		if g, ok := strings.CutPrefix(line, `Response.Redirect("`); ok {
			page, given = "links.aspx", strings.TrimSuffix(g, `")`)
		}
		var want string
		if m := apply.FindStringSubmatch(line); m != nil {
			given, want = m[1], m[2]
		} else if l, ok := strings.CutPrefix(line, "Location: "); ok {
			want = l
		} else {
			continue
		}
		r, _, err := uri(t, "/").Read(get("/(S(lao3khenpykepmz151fsng1k))/" + page))
		require.NoError(t, err)
		require.Equal(t, want, cookieless.Apply(r, given), given)
		n++
	}
	require.Equal(t, 17, n)
}
