package chromium_test

import (
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/chromium"
)

// A page that tries every way to keep a cookie.
func cookies(got *atomic.Value) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "served=1; path=/")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><h1>Start</h1><script>document.cookie = "scripted=1"</script>
			<form action="/next" method="post"><input name="word" value="old"><button id="go">Go</button></form>`)
	})
	mux.HandleFunc("/next", func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Header.Get("Cookie"))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><h1>%s</h1>", r.PostFormValue("word"))
	})
	return mux
}

// The browser fills forms and follows links, and keeps cookies only if it may.
func TestCookies(t *testing.T) {
	for _, block := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocked=%v", block), func(t *testing.T) {
			var got atomic.Value
			server := httptest.NewServer(cookies(&got))
			defer server.Close()
			b := chromium.Start(t, chromium.Options{BlockCookies: block})
			b.Visit(server.URL)
			require.Equal(t, "Start", b.Text("h1"))
			var script string
			b.Eval(`document.cookie`, &script)
			b.Fill("input", "größer")
			b.Click("#go")
			require.Equal(t, "größer", b.Text("h1"))
			require.Equal(t, server.URL+"/next", b.URL())
			if block {
				require.Empty(t, script)
				require.Empty(t, got.Load())
			} else {
				require.Equal(t, "served=1; scripted=1", script)
				require.Equal(t, script, got.Load())
			}
			var later string
			b.Eval(`new Promise(done => setTimeout(() => done("later"), 1))`, &later)
			require.Equal(t, "later", later)
		})
	}
}

// A page has the size and the colours that were asked for.
func TestLooks(t *testing.T) {
	for _, row := range []struct {
		opt  chromium.Options
		want string
	}{
		{chromium.Options{}, "1024 768 false"},
		{chromium.Options{Width: 1280, Height: 800, Dark: true}, "1280 800 true"},
	} {
		b := chromium.Start(t, row.opt)
		b.Visit("data:text/html,<h1>Hello</h1>")
		var got string
		b.Eval(`[innerWidth, innerHeight, matchMedia("(prefers-color-scheme: dark)").matches].join(" ")`, &got)
		require.Equal(t, row.want, got)
	}
}

// Screenshots are pictures, kept where the environment says.
func TestScreenshot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	t.Setenv(chromium.Screenshots, dir)
	b := chromium.Start(t, chromium.Options{})
	b.Visit("data:text/html,<h1>Hello</h1>")
	path := b.Screenshot("hello")
	require.Equal(t, filepath.Join(dir, "hello.png"), path)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	picture, err := png.Decode(f)
	require.NoError(t, err)
	require.Greater(t, picture.Bounds().Dx(), 500)
}
