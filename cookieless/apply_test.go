package cookieless_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
)

func TestApply(t *testing.T) {
	for _, tt := range []struct{ name, app, page, url, want string }{
		{"rooted", "/", "/p", "/x", "/(S(abc))/x"},
		{"the root", "/", "/p", "/", "/(S(abc))/"},
		{"query and fragment", "/", "/p", "/x?a=/../b#c", "/(S(abc))/x?a=/../b#c"},
		{"below the application", "/shop", "/shop/p", "/shop/x", "/shop/(S(abc))/x"},
		{"the application", "/shop", "/shop/p", "/shop", "/shop/(S(abc))/"},
		{"its case", "/shop", "/shop/p", "/SHOP/x", "/SHOP/(S(abc))/x"},
		{"outside", "/shop", "/shop/p", "/shopping/x", "/shopping/x"},
		{"outside by dots", "/shop", "/shop/p", "/shop/../x", "/shop/../x"},
		{"outside by escaped dots", "/shop", "/shop/p", "/shop/%2E%2e/x", "/shop/%2E%2e/x"},
		{"inside by dots", "/shop", "/shop/p", "/x/../shop/./y/", "/shop/(S(abc))/y/"},
		{"above the root", "/", "/p", "/../../x", "/(S(abc))/x"},
		{"tilde", "/shop", "/shop/sub/p", "~/x?q", "/shop/(S(abc))/x?q"},
		{"only a tilde", "/shop", "/shop/p", "~", "/shop/(S(abc))/"},
		{"tilde and a host", "/", "/p", "~//evil.example", "/(S(abc))/evil.example"},
		{"relative", "/", "/sub/p", "x", "/(S(abc))/sub/x"},
		{"relative, up", "/", "/sub/p", "../x", "/(S(abc))/x"},
		{"relative, up and out", "/shop", "/shop/p", "../other/x?q", "/other/x?q"},
		{"relative, out to a host", "/shop", "/shop/p", "..//evil.example", "/evil.example"},
		{"relative, dots and a host", "/", "/p", ".//evil.example", "/(S(abc))/evil.example"},
		{"relative with a colon", "/", "/p", "a/b:c", "/(S(abc))/a/b:c"},
		{"a query", "/", "/sub/p", "?a=b", "/(S(abc))/sub/p?a=b"},
		{"a fragment", "/", "/p", "#a", "#a"},
		{"nothing", "/", "/p", "", ""},
		{"already there", "/", "/p", "/(S(abc))/x", "/(S(abc))/x"},
		{"already there, at the end", "/", "/p", "/(S(abc))", "/(S(abc))"},
		{"another one there", "/", "/p", "/(S(planted))/x", "/(S(abc))/x"},
		{"another one, escaped", "/", "/p", "/%28S(planted)%29/x", "/(S(abc))/x"},
		{"several others", "/shop", "/shop/p", "/shop/(S(a))//(S(b))/x", "/shop/(S(abc))/x"},
		{"only in the query", "/", "/p", "/x?r=/(S(abc))/y", "/(S(abc))/x?r=/(S(abc))/y"},
		{"absolute", "/", "/p", "http://example.com/x", "http://example.com/x"},
		{"mail", "/", "/p", "mailto:a@b", "mailto:a@b"},
		{"script", "/", "/p", "javascript:x/y", "javascript:x/y"},
		{"a host", "/", "/p", "//evil.example/x", "//evil.example/x"},
		{"a host by a backslash", "/", "/p", `/\evil.example`, `/\evil.example`},
		{"a host by two", "/", "/p", `\\evil.example`, `\\evil.example`},
		{"a host behind a dropped tab", "/", "/p", "/\t/evil.example", "/\t/evil.example"},
		{"a host behind a blank", "/", "/p", " //evil.example", " //evil.example"},
		{"a header", "/", "/p", "/x\r\nSet-Cookie: a=b", "/x\r\nSet-Cookie: a=b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := strings.TrimSuffix(tt.app, "/") + "/(S(abc))" + strings.TrimPrefix(tt.page, strings.TrimSuffix(tt.app, "/"))
			r, s, err := uri(t, tt.app).Read(get(target))
			require.NoError(t, err)
			require.Equal(t, tt.page, s.Path())
			require.Equal(t, tt.app, s.App())
			got := cookieless.Apply(r, tt.url)
			require.Equal(t, tt.want, got)
			require.Equal(t, got, cookieless.Apply(r, got))
		})
	}
}

// What carries no id needs none: cookie mode, no middleware, no segment.
func TestApplyWithoutModifiers(t *testing.T) {
	auto := must(t, cookieless.Options{Mode: cookieless.AutoDetect})
	r := get("/(S(abc))/p")
	r.Header.Set("Cookie", "a=b")
	cookieMode, _, err := auto.Read(r)
	require.NoError(t, err)
	fresh, _, err := uri(t, "/").Read(get("/p"))
	require.NoError(t, err)
	for _, r := range []*http.Request{get("/p"), cookieMode, fresh} {
		for _, url := range []string{"/x", "~/x", "x", "?q", ""} {
			require.Equal(t, url, cookieless.Apply(r, url))
		}
	}
}

// local fails for what a browser would take to another origin.
func local(t *testing.T, location string) {
	require.True(t, strings.HasPrefix(location, "/"), location)
	require.False(t, strings.HasPrefix(location, "//") || strings.HasPrefix(location, `/\`), location)
	for i := range len(location) {
		require.True(t, location[i] > ' ' && location[i] < 0x7f, "%q", location)
	}
	u, err := (&url.URL{Scheme: "http", Host: "here"}).Parse(location)
	require.NoError(t, err, location)
	require.Equal(t, "here", u.Host)
}

func FuzzRead(f *testing.F) {
	for _, path := range []string{
		"/", "/(S(abc))/p", "//(S(id))//evil.example", "/(S(a))/(S(b))/p", "/shop/(S(abc))/p", "/%28S%28abc%29%29/p", "/(S(a))/%2Fevil",
		"/(S(a))//evil", "/sub/(X(1)S(a))/p", `/(S(a))/%5cevil`, "/(S(S(a)))/p", "/shop%2F(S(a))/", "/(S(a%0d))/p", "/Shop//(S(a))///x",
	} {
		f.Add(path, "a=b&c", "/x", byte(0))
		f.Add(path, "AspxAutoDetectCookieSupport=1", "..//evil.example", byte(255))
	}
	f.Fuzz(func(t *testing.T, path, query, link string, how byte) {
		opt := cookieless.Options{Mode: cookieless.UseURI + cookieless.Mode(how%3), AnyPosition: how&4 != 0}
		if how&8 != 0 {
			opt.App = "/shop"
		}
		c := must(t, opt)
		r := get("/")
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" || u.Scheme != "" || u.Opaque != "" {
			return
		}
		u.RawQuery = query
		r.URL = u
		got, s, err := c.Read(r)
		if err != nil {
			require.True(t, s == nil)
			return
		}
		again, s2, err := c.Read(got)
		require.NoError(t, err, "stripping is idempotent")
		require.Equal(t, got.URL, again.URL)
		if got != r {
			require.False(t, strings.HasPrefix(got.URL.Path, "//") && !strings.HasPrefix(r.URL.Path, "//"))
		}
		if s == nil {
			return
		}
		require.True(t, opt.Mode == cookieless.AutoDetect || s2 != nil || !s.PathMode())
		location, _, err := s.Redirect(id)
		require.NoError(t, err)
		local(t, location)
		back := get("/")
		back.URL, err = url.ParseRequestURI(location)
		require.NoError(t, err)
		if _, s3, err := c.Read(back); err == nil && opt.Mode == cookieless.UseURI && !opt.AnyPosition {
			require.Equal(t, id, s3.ID(), location)
		}
		if challenge, ok := s.Challenge(); ok {
			local(t, challenge.Location)
			back := get("/")
			back.URL, err = url.ParseRequestURI(challenge.Location)
			require.NoError(t, err)
			_, s3, err := c.Read(back)
			require.True(t, err != nil || s3.PathMode(), "one round")
		}
		once := cookieless.Apply(got, link)
		require.Equal(t, once, cookieless.Apply(got, once))
		if once != link {
			require.True(t, strings.HasPrefix(once, "/"))
			require.False(t, strings.HasPrefix(once, "//") || strings.HasPrefix(once, `/\`), once)
		}
	})
}
