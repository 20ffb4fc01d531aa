package legacy_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// A browser is a visitor: cookies, links, forms with all their fields.
type browser struct {
	t      *testing.T
	site   string
	client *http.Client
}

func newBrowser(t *testing.T, w *theWorld) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	b := &browser{t, w.proxy.URL, &http.Client{Jar: jar, Transport: transport, Timeout: 2 * time.Minute}}
	b.client.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
		to := req.Response.Header.Get("Location")
		require.Regexp(t, "^/[^/]", to, "a redirect stays where the visitor is")
		return nil
	}
	return b
}

// id is the session id in the visitor's cookie.
func (b *browser) id() string {
	b.t.Helper()
	u, err := url.Parse(b.site)
	require.NoError(b.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "ASP.NET_SessionId" {
			return c.Value
		}
	}
	b.t.Fatal("the visitor has no session cookie")
	return ""
}

type page struct {
	status int
	header http.Header
	text   string
	url    *url.URL
	doc    *html.Node
}

// open gets a page that must be there.
func (b *browser) open(path string) page {
	b.t.Helper()
	p := b.get(path)
	require.Equal(b.t, http.StatusOK, p.status, p.text)
	return p
}

func (b *browser) get(path string) page {
	b.t.Helper()
	return b.read(b.client.Get(b.site + path))
}

func (b *browser) read(resp *http.Response, err error) page {
	b.t.Helper()
	require.NoError(b.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	p := page{status: resp.StatusCode, header: resp.Header, text: string(text), url: resp.Request.URL}
	p.doc, err = html.Parse(strings.NewReader(p.text))
	require.NoError(b.t, err)
	p.check(b.t)
	return p
}

// void are the elements without an end tag.
var void = []string{"meta", "link", "input"}

// check holds every page to what the site's Content-Security-Policy allows, and
// to end tags where they belong.
func (p page) check(t *testing.T) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(p.text)); ; {
		switch z.Next() {
		case html.ErrorToken:
			require.ErrorIs(t, z.Err(), io.EOF)
			require.Empty(t, open, p.text)
			return
		case html.StartTagToken:
			tag := z.Token()
			require.NotContains(t, []string{"script", "style", "iframe"}, tag.Data, p.text)
			for _, a := range tag.Attr {
				require.False(t, a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:"), "%s=%q", a.Key, a.Val)
			}
			if !slices.Contains(void, tag.Data) {
				open = append(open, tag.Data)
			}
		case html.EndTagToken:
			tag := z.Token()
			require.NotEmpty(t, open, p.text)
			require.Equal(t, open[len(open)-1], tag.Data, p.text)
			open = open[:len(open)-1]
		}
	}
}

// has reports whether there is a data-field, and field returns its text.
func (p page) has(name string) bool { return p.find("data-field", name) != nil }

func (p page) field(t *testing.T, name string) string {
	t.Helper()
	n := p.find("data-field", name)
	require.NotNil(t, n, "no %q on %s: %s", name, p.url, p.text)
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			text.WriteString(d.Data)
		}
	}
	return text.String()
}

func (p page) find(key, value string) *html.Node {
	for n := range p.doc.Descendants() {
		if v, ok := attr(n, key); ok && v == value {
			return n
		}
	}
	return nil
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// form is what a button posts: all fields of its form, with what was typed into
// those that have a data-input, and the button itself.
func (p page) form(t *testing.T, button string, typed map[string]string) (action string, fields url.Values) {
	t.Helper()
	submit := p.find("data-button", button)
	require.NotNil(t, submit, "no button %q on %s: %s", button, p.url, p.text)
	form := submit.Parent
	for form.Data != "form" {
		form = form.Parent
	}
	fields = make(url.Values)
	left := len(typed)
	for n := range form.Descendants() {
		name, ok := attr(n, "name")
		kind, _ := attr(n, "type")
		if n.Data != "input" || !ok || kind == "submit" && n != submit {
			continue
		}
		value, _ := attr(n, "value")
		if input, ok := attr(n, "data-input"); ok {
			if text, ok := typed[input]; ok {
				value = text
				left--
			}
		}
		fields.Add(name, value)
	}
	require.Zero(t, left, "not all of %v are in the form", typed)
	action, _ = attr(form, "action")
	to, err := p.url.Parse(action)
	require.NoError(t, err)
	require.Equal(t, p.url.Host, to.Host, "a form stays where the visitor is")
	return to.String(), fields
}

func (b *browser) press(p page, button string, typed map[string]string) page {
	b.t.Helper()
	action, fields := p.form(b.t, button, typed)
	return b.read(b.client.PostForm(action, fields))
}
