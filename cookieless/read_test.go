package cookieless_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
)

const id = "2ne4zzc4yrcakgqbxgtomtfb"

func must(t testing.TB, opt cookieless.Options) *cookieless.Cookieless {
	c, err := cookieless.New(opt)
	require.NoError(t, err)
	return c
}

func uri(t testing.TB, app string) *cookieless.Cookieless {
	return must(t, cookieless.Options{Mode: cookieless.UseURI, App: app})
}

func get(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

func TestReadPath(t *testing.T) {
	for _, tt := range []struct {
		name, app, target string
		any               bool
		path, id          string // id "" and path "": as it came
	}{
		{"canonical", "/", "/(S(abc))/page.aspx?q=%28", false, "/page.aspx", "abc"},
		{"below an application", "/shop", "/shop/(S(abc))/page", false, "/shop/page", "abc"},
		{"the application in another case", "/shop", "/ShOp/(S(abc))/page", false, "/ShOp/page", "abc"},
		{"an escaped application", "/shop", "/%73hop/(S(abc))/page", false, "/shop/page", "abc"},
		{"the start page", "/", "/(S(abc))/", false, "/", "abc"},
		{"other letters", "/", "/(F(x)Q()S(abc)X(1))/p", false, "/p", "abc"},
		{"two ids", "/", "/(S(abc)S(def))/p", false, "/p", "abc"},
		{"an empty id", "/", "/(S())/p", false, "/p", ""},
		{"no id", "/", "/(X(1))/p", false, "/p", ""},
		{"upper case is not ours to fold", "/", "/(S(ABC))/p", false, "/p", "ABC"},
		{"escaped parentheses", "/", "/%28S%28abc%29%29/p", false, "/p", "abc"},
		{"some escaped, in lower case", "/", "/(S%28abc)%29/p%20q", false, "/p q", "abc"},
		{"escapes behind it are kept", "/", "/(S(abc))/a%2Fb", false, "/a/b", "abc"},
		{"many slashes behind it become one", "/", "/(S(abc))///evil.example/", false, "/evil.example/", "abc"},
		{"no slash behind it", "/", "/(S(abc))", false, "/(S(abc))", ""},
		{"an escaped slash behind it", "/", "/(S(abc))%2Fp", false, "/(S(abc))/p", ""},
		{"an escaped slash in it", "/", "/(S(a%2Fb))/p", false, "/(S(a/b))/p", ""},
		{"nested", "/", "/(S(S(abc)))/p", false, "/(S(S(abc)))/p", ""},
		{".NET 1.x", "/", "/(abcdefghijklmnopqrstuv05)/p", false, "/(abcdefghijklmnopqrstuv05)/p", ""},
		{"plain parentheses", "/", "/wiki/Go_(game)/x", false, "/wiki/Go_(game)/x", ""},
		{"behind a folder", "/", "/sub/(S(abc))/p", false, "/sub/(S(abc))/p", ""},
		{"behind a folder, allowed", "/", "/sub/(S(abc))/p", true, "/sub/p", "abc"},
		{"before the application", "/shop", "/shop/x", false, "/shop/x", ""},
		{"behind a slash too many", "/", "//(S(abc))//evil.example", false, "//(S(abc))//evil.example", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := must(t, cookieless.Options{Mode: cookieless.UseURI, App: tt.app, AnyPosition: tt.any})
			r := get("/")
			u, err := r.URL.Parse("http://shop.example" + tt.target)
			require.NoError(t, err)
			u.Scheme, u.Host = "", ""
			r.URL, r.RequestURI = u, tt.target
			before := *r.URL
			got, s, err := c.Read(r)
			require.NoError(t, err)
			require.Equal(t, before, *r.URL, "the request given is not changed")
			require.Equal(t, tt.path, got.URL.Path)
			require.Equal(t, tt.path, s.Path())
			require.Equal(t, tt.id, s.ID())
			require.True(t, s.PathMode())
			require.Equal(t, before.RawQuery, got.URL.RawQuery)
			require.Equal(t, got.URL.RequestURI(), got.RequestURI)
			if s.Modifiers().IsEmpty() {
				require.Same(t, r, got)
				require.Nil(t, cookieless.From(got))
			} else {
				require.Same(t, s, cookieless.From(got))
			}
		})
	}
}

func TestRefusedPaths(t *testing.T) {
	for name, target := range map[string]string{
		"a second segment":              "/(S(a))/(S(b))/p",
		"behind slashes":                "/(S(a))//(S(b))/p",
		"escaped":                       "/(S(a))/%28S(b))/p",
		"a third":                       "/(S(a))/(S(b))/(S(c))/p",
		"a control character":           "/(S(a%0d%0ab))/p",
		"a NUL":                         "/(S(%00))/p",
		"escaped twice":                 "/(S(%2561))/p",
		"less than":                     "/(S(%3Cb%3E))/p",
		"a backslash":                   "/(S(a%5Cb))/p",
		"a question mark":               "/(S(a%3Fb))/p",
		"a colon":                       "/(S(a:b))/p",
		"an ampersand":                  "/(Q(a&b))/p",
		"a star":                        "/(Q(*))/p",
		"an escaped slash like a host":  "/(S(a))/%2Fevil.example",
		"an escaped backslash like one": "/(S(a))/%5Cevil.example",
		"too long":                      "/(S(" + strings.Repeat("a", 10000) + "))/p",
		"1 MB of modifiers":             "/(" + strings.Repeat("X()", 1<<20/3) + ")/p",
	} {
		_, s, err := uri(t, "/").Read(get(target))
		require.ErrorIs(t, err, cookieless.ErrPath, name)
		require.Nil(t, s, name)
		require.NotContains(t, err.Error(), "aaaa", name)
	}
	anywhere := must(t, cookieless.Options{Mode: cookieless.UseURI, AnyPosition: true})
	for _, target := range []string{"/(S(a))/x/(S(b))/p", "//(S(a))/evil.example", "/x/(S(a))/(S(b))/p"} {
		_, _, err := anywhere.Read(get(target))
		require.ErrorIs(t, err, cookieless.ErrPath, target)
	}
	for _, target := range []string{"/", "/shopping/(S(a))/p", "/shop(S(a))/p", "/(S(a))/shop/p", "/(x/y"} {
		_, _, err := uri(t, "/shop").Read(get(target))
		require.ErrorIs(t, err, cookieless.ErrOutside, target)
	}
	_, _, err := uri(t, "/a/b").Read(get("/a%2Fb/p"))
	require.ErrorIs(t, err, cookieless.ErrOutside)
}

// Large paths cost time in proportion, and nothing else.
func TestLargePaths(t *testing.T) {
	const mb = 1 << 20
	for _, path := range []string{
		"/" + strings.Repeat("(", mb), "/" + strings.Repeat("(S(", mb/3), strings.Repeat("/(S(a)", mb/6),
		"/x" + strings.Repeat("/(x)", mb/4) + "/", "/" + strings.Repeat("%28", mb/3), strings.Repeat("/", mb) + "(S(a))/",
	} {
		for _, anywhere := range []bool{false, true} {
			c := must(t, cookieless.Options{Mode: cookieless.UseURI, AnyPosition: anywhere})
			_, s, err := c.Read(get(path))
			if err != nil {
				require.ErrorIs(t, err, cookieless.ErrPath)
				continue
			}
			location, _, err := s.Redirect(id)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(location, "/(S("+id+"))/"))
		}
	}
}

func TestFilterHeader(t *testing.T) {
	for _, mode := range []cookieless.Mode{cookieless.UseCookies, cookieless.UseURI} {
		r := get("/(S(abc))/p")
		r.Header.Set("AspFilterSessionId", "S(planted)")
		got, s, err := must(t, cookieless.Options{Mode: mode}).Read(r)
		require.NoError(t, err)
		require.Empty(t, got.Header.Get("AspFilterSessionId"))
		require.NotEmpty(t, r.Header.Get("AspFilterSessionId"))
		require.NotEqual(t, "planted", s.ID())
	}
}

func TestUseCookiesReadsNothing(t *testing.T) {
	r := get("/(S(abc))/p")
	got, s, err := must(t, cookieless.Options{}).Read(r)
	require.NoError(t, err)
	require.Same(t, r, got)
	require.Nil(t, s)
	require.False(t, s.PathMode())
	require.Empty(t, s.ID())
	require.Equal(t, "/x", cookieless.Apply(got, "/x"))
}

func TestRedirect(t *testing.T) {
	for _, tt := range []struct{ app, target, want string }{
		{"/", "/", "/(S(" + id + "))/"},
		{"/", "/set.aspx?a=b&c=%20d", "/(S(" + id + "))/set.aspx?a=b&c=%20d"},
		{"/", "/p?", "/(S(" + id + "))/p?"},
		{"/shop", "/shop", "/shop/(S(" + id + "))/"},
		{"/shop", "/SHOP/p", "/shop/(S(" + id + "))/p"},
		{"/", "/(A(x)S(old)Q(y)S(older))/p", "/(A(x)Q(y)S(" + id + "))/p"},
		{"/", "/(Q(a%22%20b))/p", "/(Q(a%22%20b)S(" + id + "))/p"},
		{"/", "/a%2Fb%3F", "/(S(" + id + "))/a%2Fb%3F"},
		{"/", "//(S(id))//evil.example", "/(S(" + id + "))/(S(id))//evil.example"},
		{"/", "//evil.example/..", "/(S(" + id + "))/evil.example/.."},
		{"/", "/%5Cevil.example", "/(S(" + id + "))/%5Cevil.example"},
	} {
		_, s, err := uri(t, tt.app).Read(get(tt.target))
		require.NoError(t, err)
		location, status, err := s.Redirect(id)
		require.NoError(t, err)
		require.Equal(t, tt.want, location)
		require.Equal(t, http.StatusFound, status)
	}
	// The way back from the worst of them ends in a 400.
	_, _, err := uri(t, "/").Read(get("/(S(" + id + "))/(S(id))//evil.example"))
	require.ErrorIs(t, err, cookieless.ErrPath)
}

func TestKeepBody(t *testing.T) {
	for method, want := range map[string]int{"GET": 302, "HEAD": 302, "POST": 307, "PUT": 307} {
		r := httptest.NewRequest(method, "/p", nil)
		_, s, err := must(t, cookieless.Options{Mode: cookieless.UseURI, KeepBody: true}).Read(r)
		require.NoError(t, err)
		_, status, err := s.Redirect(id)
		require.NoError(t, err)
		require.Equal(t, want, status, method)
		_, s, err = must(t, cookieless.Options{Mode: cookieless.AutoDetect, KeepBody: true}).Read(r)
		require.NoError(t, err)
		challenge, ok := s.Challenge()
		require.True(t, ok)
		require.Equal(t, want, challenge.Status, method)
	}
}

func TestSetID(t *testing.T) {
	r, s, err := uri(t, "/").Read(get("/(A(x)S(old))/p"))
	require.NoError(t, err)
	for _, bad := range []string{"a)b", "a/b", "a%b", "a\nb", `a\b`, strings.Repeat("a", 9000)} {
		require.ErrorIs(t, s.SetID(bad), cookieless.ErrValue)
		_, _, err := s.Redirect(bad)
		require.ErrorIs(t, err, cookieless.ErrValue)
		require.NotContains(t, err.Error(), bad)
	}
	require.Equal(t, "old", s.ID())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				url := cookieless.Apply(r, "/x")
				require.Contains(t, []string{"/(A(x)S(old))/x", "/(A(x)S(new))/x"}, url)
			}
		})
	}
	require.NoError(t, s.SetID("new"))
	wg.Wait()
	require.Equal(t, "new", s.ID())
	require.Equal(t, "/(A(x)S(new))/x", cookieless.Apply(r, "/x"))
}

func TestDecisions(t *testing.T) {
	phone := "DoCoMo/1.0/N503i"
	for _, tt := range []struct {
		name           string
		mode           cookieless.Mode
		target, cookie string
		agent          string
		path           bool
		challenge      string
		modifiers      string
	}{
		{"X(1)", cookieless.AutoDetect, "/(X(1)S(a))/p", "a=b", "", true, "", "(X(1)S(a))"},
		{"a cookie", cookieless.AutoDetect, "/p?AspxAutoDetectCookieSupport=1", "a=b", "", false, "", ""},
		{"a cookie, and a path without the verdict", cookieless.AutoDetect, "/(S(a))/p", "a=b", "", false, "", "(S(a))"},
		{"the challenge came back", cookieless.AutoDetect, "/p?a=b&AspxAutoDetectCookieSupport=1", "", "", true, "", "(X(1))"},
		{"behind another of the name", cookieless.AutoDetect, "/p?AspxAutoDetectCookieSupport=0&AspxAutoDetectCookieSupport=1", "", "", true, "", "(X(1))"},
		{"in other spellings", cookieless.AutoDetect, "/p?aspx%41utodetectcookiesupport=%31", "", "", true, "", "(X(1))"},
		{"not yet", cookieless.AutoDetect, "/p", "", "", false, "/p?AspxAutoDetectCookieSupport=1", ""},
		{"with a query", cookieless.AutoDetect, "/p?a=b", "", "", false, "/p?a=b&AspxAutoDetectCookieSupport=1", ""},
		{"X(0)", cookieless.AutoDetect, "/(X(0))/p", "", "", false, "/(X(0))/p?AspxAutoDetectCookieSupport=1", "(X(0))"},
		{"like a host", cookieless.AutoDetect, "//evil.example/p", "", "", false, "/evil.example/p?AspxAutoDetectCookieSupport=1", ""},
		{"a telephone needs no challenge", cookieless.AutoDetect, "/p", "", phone, true, "", ""},
		{"a telephone with cookies", cookieless.AutoDetect, "/p", "a=b", phone, false, "", ""},
		{"profile: browser", cookieless.UseDeviceProfile, "/p", "", "Mozilla/5.0", false, "", ""},
		{"profile: telephone", cookieless.UseDeviceProfile, "/p", "", phone, true, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := get(tt.target)
			if tt.cookie != "" {
				r.Header.Set("Cookie", tt.cookie)
			}
			if tt.agent != "" {
				r.Header.Set("User-Agent", tt.agent)
			}
			_, s, err := must(t, cookieless.Options{Mode: tt.mode}).Read(r)
			require.NoError(t, err)
			require.Equal(t, tt.path, s.PathMode())
			challenge, ok := s.Challenge()
			require.Equal(t, tt.challenge != "", ok)
			require.Equal(t, tt.challenge, challenge.Location)
			if ok {
				require.Equal(t, "AspxAutoDetectCookieSupport=1; path=/", challenge.SetCookie)
				// Without the cookie the next round decides, whatever came before.
				_, s2, err := must(t, cookieless.Options{Mode: tt.mode}).Read(get(challenge.Location))
				require.NoError(t, err)
				require.True(t, s2.PathMode())
			}
			require.Equal(t, tt.modifiers, s.Modifiers().String())
		})
	}
}
