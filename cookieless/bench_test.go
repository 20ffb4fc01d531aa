package cookieless_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
)

func cookieRequest(target string) *http.Request {
	r := get(target)
	r.Header.Set("Cookie", "a=b")
	r.Header.Set("User-Agent", "Mozilla/5.0")
	return r
}

// Requests of clients that keep cookies cost nothing.
func TestNoAllocations(t *testing.T) {
	r := cookieRequest("/shop/wiki/Go?a=b")
	for _, mode := range []cookieless.Mode{cookieless.UseCookies, cookieless.AutoDetect, cookieless.UseDeviceProfile} {
		c := must(t, cookieless.Options{Mode: mode, App: "/shop"})
		require.Zero(t, testing.AllocsPerRun(100, func() {
			got, s, err := c.Read(r)
			if got != r || s.PathMode() || err != nil || cookieless.Apply(got, "/shop/x") != "/shop/x" {
				t.Fatal("not cookie mode")
			}
		}), mode.String())
	}
	c := uri(t, "/shop")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _, _ = c.Read(r) }), 1.0, "the State, for the redirect")
}

func BenchmarkRead(b *testing.B) {
	for name, bb := range map[string]struct {
		mode   cookieless.Mode
		target string
	}{
		"cookies":           {cookieless.UseCookies, "/shop/page?a=b"},
		"autodetect cookie": {cookieless.AutoDetect, "/shop/page?a=b"},
		"uri without":       {cookieless.UseURI, "/shop/page?a=b"},
		"uri":               {cookieless.UseURI, "/shop/(S(" + id + "))/page?a=b"},
	} {
		b.Run(name, func(b *testing.B) {
			c, r := must(b, cookieless.Options{Mode: bb.mode, App: "/shop"}), cookieRequest(bb.target)
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = c.Read(r)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	r, _, err := uri(b, "/shop").Read(get("/shop/(S(" + id + "))/page"))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		cookieless.Apply(r, "/shop/cart?item=7")
	}
}
