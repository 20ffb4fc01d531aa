package htmlrewrite_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/cookieless/htmlrewrite"
)

// request is one that a session middleware has read, in path mode or not.
func request(t testing.TB, path bool) *http.Request {
	c, err := cookieless.New(cookieless.Options{Mode: cookieless.AutoDetect, App: "/shop"})
	require.NoError(t, err)
	target := "/shop/page"
	if path {
		target = "/shop/(X(1)S(abc))/page"
	}
	r := httptest.NewRequest("GET", target, nil)
	r.Header.Set("Cookie", "a=b")
	r, _, err = c.Read(r)
	require.NoError(t, err)
	return r
}

// serve runs a page through the handler in pieces.
func serve(t testing.TB, path bool, pieces ...string) string {
	rec := httptest.NewRecorder()
	htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for _, p := range pieces {
			n, err := io.WriteString(w, p)
			require.NoError(t, err)
			require.Equal(t, len(p), n)
		}
	})).ServeHTTP(rec, request(t, path))
	return rec.Body.String()
}

const seg = "(X(1)S(abc))"

var munged = []struct{ name, in, want string }{
	{"link", `<a href="/shop/x">`, `<a href="/shop/` + seg + `/x">`},
	{"all four", `<x href=/shop/a src='/shop/b' ACTION = "/shop/c"formaction=/shop/d>`, `<x href=/shop/` + seg + `/a src='/shop/` + seg + `/b' ACTION = "/shop/` + seg + `/c"formaction=/shop/` + seg + `/d>`},
	{"the application", `<form action="/shop">`, `<form action="/shop/` + seg + `/">`},
	{"entities stay", `<a href="/shop/x?a=1&amp;b=2&copy=3&eacute;">`, `<a href="/shop/` + seg + `/x?a=1&amp;b=2&copy=3&eacute;">`},
	{"an entity in front", `<a href="&#47;shop/x?a&amp;b">`, `<a href="/shop/` + seg + `/x?a&#38;b">`},
	{"an entity in front and others", `<a href='&sol;shop/&eacute;'>`, `<a href='/shop/` + seg + `/&#233;'>`},
	{"blanks around", "<a href=\" \n/shop/x \">", "<a href=\" \n/shop/" + seg + "/x \">"},
	{"dots", `<a href="/shop/a/../x">`, `<a href="/shop/` + seg + `/x">`},
	{"another charset's bytes", "<a title=\"\xe9\" href=\"/shop/\xe9\">", "<a title=\"\xe9\" href=\"/shop/" + seg + "/\xe9\">"},
	{"self-closing", `<img src="/shop/i.png"/>`, `<img src="/shop/` + seg + `/i.png"/>`},
	{"unquoted at a slash", `<img src=/shop/i/>`, `<img src=/shop/` + seg + `/i/>`},
	{"two of a name: the first counts", `<a href="/shop/x" href="/shop/y">`, `<a href="/shop/` + seg + `/x" href="/shop/y">`},
	{"a > in quotes", `<a title=">" href="/shop/x">`, `<a title=">" href="/shop/` + seg + `/x">`},
	{"refresh", `<meta http-equiv="Refresh" content="5; url=/shop/x">`, `<meta http-equiv="Refresh" content="5; url=/shop/` + seg + `/x">`},
	{"refresh in quotes", `<meta content="0;URL = '/shop/x'" http-equiv=refresh>`, `<meta content="0;URL = '/shop/` + seg + `/x'" http-equiv=refresh>`},
	{"refresh without url=", `<meta http-equiv="refresh" content="5,/shop/x">`, `<meta http-equiv="refresh" content="5,/shop/` + seg + `/x">`},
	{"noscript is markup", `<noscript><a href="/shop/x"></noscript>`, `<noscript><a href="/shop/` + seg + `/x"></noscript>`},
	{"behind a script", `<script>"</scrip>"</script ><a href="/shop/x">`, `<script>"</scrip>"</script ><a href="/shop/` + seg + `/x">`},
	{"behind a template", `<template></template><a href="/shop/x">`, `<template></template><a href="/shop/` + seg + `/x">`},
	{"behind a comment's odd ends", `<!--><a href="/shop/x"><!-- --!><a href="/shop/y">`, `<!--><a href="/shop/` + seg + `/x"><!-- --!><a href="/shop/` + seg + `/y">`},
	{"behind less-thans", `1<2<<a href="/shop/x">`, `1<2<<a href="/shop/` + seg + `/x">`},
	{"base", `<base href="/shop/"><a href="/shop/x">`, `<base href="/shop/` + seg + `/"><a href="/shop/` + seg + `/x">`},
	{"base of this host", `<base href="http://example.com/shop/sub/">`, `<base href="http://example.com/shop/` + seg + `/sub/">`},
	{"base of this host and any scheme", `<base href="//EXAMPLE.com/shop/">`, `<base href="//EXAMPLE.com/shop/` + seg + `/">`},
	{"relative base", `<base href="sub/"><a href="/shop/x">`, `<base href="sub/"><a href="/shop/` + seg + `/x">`},
	{"another's segment", `<a href="/shop/(S(planted))/x">`, `<a href="/shop/` + seg + `/x">`},
	{"behind a tag too long", `<img src="/shop/` + strings.Repeat("x", htmlrewrite.MaxTag) + `"><a href="/shop/x">`, `<img src="/shop/` + strings.Repeat("x", htmlrewrite.MaxTag) + `"><a href="/shop/` + seg + `/x">`},
}

// verbatim is what nothing may change.
var verbatim = []string{
	``, `text`, `<`, `<a`, `<a href="/shop/x"`, `<a href="/shop/x`, `</a href="/shop/x">`,
	`<a href="x"><a href="../x"><a href="?q"><a href="#f"><a href=""><a href>`,
	`<a href="/other/x"><a href="/shopping/x"><a href="/">`,
	`<a href="http://example.com/shop/x"><a href="//example.com/shop/x"><a href="/\evil.example/shop"><a href="mailto:/shop/x">`,
	"<a href=\"/\t/shop/x\"><a href=\"/shop\n/x\">", `<a href="~/x">`,
	`<a data-href="/shop/x" title="/shop/x" xhref="/shop/x" hrefx="/shop/x">`, `<meta name="a" content="0;url=/shop/x">`,
	`<meta http-equiv="refresh" content="url=/shop/x"><meta http-equiv="refresh" content="5">`,
	`<script>document.write('<a href="/shop/x">')</script>`, `<style>a{}<a href="/shop/x"></style>`,
	`<textarea><a href="/shop/x"></textarea>`, `<title><a href="/shop/x"></title>`, `<!-- <a href="/shop/x"> -->`,
	`<!--- <a href="/shop/x"> ---!><!--! <a href="/shop/x">--!x-->`, `<!--!><a href="/shop/x">-->`,
	`<template><template></template><a href="/shop/x"></template>`, `<xmp><a href="/shop/x"></xmp>`, `<plaintext><a href="/shop/x"></plaintext>`,
	`<script><!-- <script> </script> <a href="/shop/x"> --></script>`, `<script><!-- <1 <script> </script> <a href="/shop/x"></script>`,
	`<!doctype html "><a href="/shop/x">`[:15] + `<?pi <a href='/shop/x'?>`[:21], `<SCRIPT src=x><a href="/shop/x">`,
	`<base href="https://cdn.example/"><a href="/shop/x"><base href="/shop/">`, `<base href="//cdn.example"><a href="/shop/x">`,
	`<base href="/\cdn.example"><a href="/shop/x">`, `<base href="http:\\cdn.example"><a href="/shop/x">`, `<base href="http://u@example.com/shop/"><a href="/shop/x">`,
	`<base x="` + strings.Repeat("x", htmlrewrite.MaxTag) + `" href=//cdn.example><a href="/shop/x">`,
	`<a href="/shop/` + seg + `/x">`, "<a href=\"&#47;shop/\xe9\">", "\xff\xfe<\x00a\x00 \x00h\x00r\x00e\x00f\x00=\x00/\x00s\x00",
}

func TestMunge(t *testing.T) {
	for _, tt := range munged {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, serve(t, true, tt.in))
			require.Equal(t, tt.want, serve(t, true, tt.want), "munged once is munged")
			require.Equal(t, tt.in, serve(t, false, tt.in), "cookie mode")
		})
	}
	for _, page := range verbatim {
		require.Equal(t, page, serve(t, true, page))
	}
}

// How the handler cuts its writes never shows.
func TestCutEverywhere(t *testing.T) {
	for _, tt := range munged {
		if len(tt.in) > 1000 {
			continue
		}
		for i := range len(tt.in) {
			require.Equal(t, tt.want, serve(t, true, tt.in[:i], tt.in[i:]), i)
		}
		require.Equal(t, tt.want, serve(t, true, strings.Split(tt.in, "")...))
	}
	for _, page := range verbatim {
		if len(page) < 1000 {
			require.Equal(t, page, serve(t, true, strings.Split(page, "")...))
		}
	}
}

// links are the start tags with their links, as the tokenizer sees them.
func links(page string) (list []html.Token) {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return list
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			if tok.Data == "noscript" {
				z.NextIsNotRawText()
			}
			list = append(list, tok)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	for i, tt := range munged {
		f.Add(tt.in, i)
	}
	for i, page := range verbatim {
		f.Add(page, i)
	}
	f.Fuzz(func(t *testing.T, page string, cut int) {
		got := serve(t, true, page)
		require.Equal(t, page, serve(t, false, page))
		if cut >= 0 && cut < len(page) {
			require.Equal(t, got, serve(t, true, page[:cut], page[cut:]))
		}
		require.Equal(t, got, serve(t, true, strings.Split(page, "")...))
		low := strings.ToLower(page)
		if !strings.Contains(low, "/") && !strings.Contains(low, "&") {
			require.Equal(t, page, got, "no rooted link")
		}
		// The tokenizer leaves an escaped script too early, and keeps NULs out of names.
		if strings.Contains(low, "<script") && strings.Contains(low, "<!--") || strings.Contains(low, "\x00") || len(page) > htmlrewrite.MaxTag {
			return
		}
		// Undoing what was done to links gives the page's tags again: nothing else
		// has changed, and every rooted link outside templates has.
		before, after := links(page), links(got)
		require.Equal(t, len(before), len(after))
		hosts := strings.Contains(low, "<base") || strings.Contains(low, "template")
		for i := range before {
			require.Equal(t, before[i].Data, after[i].Data)
			require.Equal(t, len(before[i].Attr), len(after[i].Attr))
			for j, a := range before[i].Attr {
				b := after[i].Attr[j]
				require.Equal(t, a.Key, b.Key)
				switch a.Key {
				case "href", "src", "action", "formaction":
					want := strings.Trim(a.Val, " \t\n\f\r")
					if strings.HasPrefix(want, "/") && !hosts && ascii(page) && !strings.Contains(a.Val, "\ufffd") && !strings.ContainsRune(page, '\r') {
						require.Equal(t, cookieless.Apply(request(t, true), want), strings.Trim(b.Val, " \t\n\f\r"), page)
					}
				case "content":
				default:
					require.Equal(t, a.Val, b.Val)
				}
			}
		}
	})
}

func ascii(s string) bool {
	return !bytes.ContainsFunc([]byte(s), func(r rune) bool { return r >= 0x80 })
}
