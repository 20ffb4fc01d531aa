// Package chromium walks through pages with a real browser, in tests: a headless
// Chromium, driven over a pipe by chromedp, that answers to nobody else.
//
//	b := chromium.Start(t, chromium.Options{BlockCookies: true})
//	b.Visit(server.URL + "/")
//	b.Click("a#cart")
//	require.Equal(t, "1 book", b.Text("#total"))
//	b.Screenshot("cart")
//
// Every method ends the test if the browser cannot do what it is told. Each
// browser has a profile of its own, which is gone with it.
//
// Tests that need a browser are skipped where there is none; see package
// testenv. Variable Screenshots names a folder that keeps the screenshots.
package chromium

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/aspsession/aspsession/internal/testenv"
)

// Screenshots is the environment variable with the folder for screenshots, best
// an absolute path: tests run in their package's folder. Without it they go with
// the test's temporary folder.
const Screenshots = "ASPSESSION_SCREENSHOTS"

// Variable names a browser other than those that are looked for in PATH.
const Variable = "ASPSESSION_CHROMIUM"

// names are what packagers call it.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// Find returns the path of the browser, "" where there is none.
func Find() string {
	if path := os.Getenv(Variable); path != "" {
		return path
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Options of a Browser.
type Options struct {
	// BlockCookies is the browser's own setting that no site may keep any.
	// Default false.
	BlockCookies bool
	// Width and Height are the page's, in pixels. Default 1024 by 768.
	Width, Height int
	// Dark is the user's wish for dark colours (prefers-color-scheme). Default
	// light.
	Dark bool
	// Patience is how long one step may take, the start of the browser included.
	// Default 30 s: a machine may be busy.
	Patience time.Duration
}

// A Browser is one browser with one page. It is not safe for concurrent use.
type Browser struct {
	t     testing.TB
	ctx   context.Context
	opt   Options
	shots string // the folder for them
}

// Start starts a browser that ends with the test, and skips the test where none
// is installed.
func Start(t testing.TB, opt Options) *Browser {
	t.Helper()
	path := Find()
	testenv.Need(t, "chromium", path != "", "install the package chromium, or say where it is with "+Variable)
	if opt.Patience == 0 {
		opt.Patience = 30 * time.Second
	}
	if opt.Width == 0 || opt.Height == 0 {
		opt.Width, opt.Height = 1024, 768
	}
	b := &Browser{t: t, opt: opt, shots: os.Getenv(Screenshots)}
	if b.shots == "" {
		b.shots = t.TempDir()
	}
	profile, err := os.MkdirTemp("", "aspsession-chromium-")
	b.must(err, "making a profile")
	t.Cleanup(func() { remove(profile) })
	b.must(preferences(profile, opt), "writing the profile")

	flags := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.Env("TMPDIR="+profile),
		chromedp.DisableGPU,
		chromedp.WindowSize(opt.Width, opt.Height),
	)
	allocator, end := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(end) // kills it and waits; closing it gently takes seconds
	b.ctx, _ = chromedp.NewContext(allocator)
	// The browser's life hangs on the context that the first call is given: it
	// cannot have a deadline.
	slow := time.AfterFunc(opt.Patience, end)
	err = chromedp.Do(b.ctx)
	slow.Stop()
	b.must(err, "starting "+path)
	b.do("setting up the page", func(ctx context.Context) error {
		_, err := chromedp.Run(ctx, look(opt))
		return err
	})
	return b
}

// look makes the page of the size and colours that are asked for.
func look(opt Options) chromedp.Action[chromedp.Void] {
	scheme := "light"
	if opt.Dark {
		scheme = "dark"
	}
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
			return chromedp.Void{}, err
		}
		return chromedp.EmulateViewport(int64(opt.Width), int64(opt.Height))(ctx, t)
	}
}

// remove deletes a profile. The browser's helpers write a moment longer than it.
func remove(profile string) {
	for range 100 {
		if os.RemoveAll(profile) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// preferences writes the settings that a user would choose by hand.
func preferences(profile string, opt Options) error {
	const allow, block = 1, 2
	cookies := allow
	if opt.BlockCookies {
		cookies = block
	}
	data, err := json.Marshal(map[string]any{
		"profile": map[string]any{"default_content_setting_values": map[string]any{"cookies": cookies}},
	})
	if err != nil {
		return err
	}
	dir := filepath.Join(profile, "Default")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Preferences"), data, 0o600)
}

// Visit opens an address, as if it were typed, and waits until it has loaded.
func (b *Browser) Visit(url string) {
	b.t.Helper()
	b.follow("visiting "+url, chromedp.Navigate(url))
}

// Click clicks the middle of what the CSS selector finds, and waits for the page
// that it leads to.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	var at struct{ X, Y float64 }
	b.find(selector, `e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2}`, &at)
	b.follow("clicking "+selector, chromedp.MouseClickXY(at.X, at.Y))
}

// Fill types text into the field that the CSS selector finds, in place of what
// was in it.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	var focused bool
	b.find(selector, `e.focus(); e.select(); return document.activeElement === e`, &focused)
	if !focused {
		b.t.Fatalf("chromium: filling %s: it takes no input", selector)
	}
	b.do("filling "+selector, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.KeyEvent(text)) })
}

// Text returns the visible text of what the CSS selector finds, once it is there.
func (b *Browser) Text(selector string) (text string) {
	b.t.Helper()
	b.find(selector, `return e.innerText`, &text)
	return text
}

// find waits until the CSS selector finds an element e, and runs a script with
// it. Scripts see the page as it is: chromedp's own selectors work on a copy that
// is written to while it is read.
func (b *Browser) find(selector, script string, v any) {
	b.t.Helper()
	quoted, err := json.Marshal(selector)
	b.must(err, "the selector "+selector)
	b.eval("looking for "+selector, `(async () => {
		let e
		while (!(e = document.querySelector(`+string(quoted)+`))) await new Promise(again => setTimeout(again, 10))
		`+script+`
	})()`, v)
}

// URL returns the address in the address bar.
func (b *Browser) URL() (url string) {
	b.t.Helper()
	b.do("reading the address", func(ctx context.Context) (err error) {
		url, err = chromedp.Run(ctx, chromedp.Location())
		return err
	})
	return url
}

// Eval runs JavaScript in the page and decodes its value, or what its promise
// comes to, into v as JSON.
func (b *Browser) Eval(script string, v any) {
	b.t.Helper()
	b.eval("running a script", script, v)
}

func (b *Browser) eval(what, script string, v any) {
	b.t.Helper()
	b.do(what, func(ctx context.Context) error {
		value, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](script, chromedp.EvalAwaitPromise))
		if err != nil {
			return err
		}
		return json.Unmarshal(value, v)
	})
}

// Screenshot keeps a picture of the whole page and returns its path.
func (b *Browser) Screenshot(name string) (path string) {
	b.t.Helper()
	path = filepath.Join(b.shots, name+".png")
	b.do("taking a screenshot", func(ctx context.Context) error {
		const png = 100 // and JPEG below
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(png))
		if err == nil {
			err = os.MkdirAll(b.shots, 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, picture, 0o644)
		}
		return err
	})
	return path
}

// follow runs an action that leads to another page and waits for that to load.
func (b *Browser) follow(what string, action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	b.do(what, func(ctx context.Context) error {
		_, err := chromedp.RunResponse(ctx, action)
		return err
	})
}

// do runs one step with patience.
func (b *Browser) do(what string, step func(context.Context) error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, b.opt.Patience)
	defer cancel()
	b.must(step(ctx), what)
}

func (b *Browser) must(err error, what string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("chromium: %s: %v", what, err)
	}
}
