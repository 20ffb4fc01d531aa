package legacy

import (
	"crypto/rand"
	"embed"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/aspsession/aspsession/internal/aspnet"
)

// What the Go half of the site must agree on with the pages.
const (
	// AppID is the application id in web.config. On IIS the application has one
	// of this form, and no say in it.
	AppID = "/LM/W3SVC/1/ROOT"
	// CartClass and LineClass are the classes of the item "cart".
	CartClass = "Shop.ShoppingCart"
	LineClass = "Shop.CartLine"
	// Assembly is the one that both are in, as it stands in the stored bytes.
	Assembly = "Shop, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null"
	// ErrorHeader is in the answer of a page that threw, and holds the message of
	// the exception in printable ASCII, 200 characters at most. It is for the
	// proxy in front: visitors must not get it.
	ErrorHeader = "X-Legacy-Error"
)

// ErrNoMono says that Mono or a part of it is not installed. The error that wraps
// it says what to install.
var ErrNoMono = errors.New("the pages need Mono")

// Start compiles and serves the site with its sessions in the state service at
// server, host:port, and returns when it answers: a few seconds. The caller must
// Stop it. Start is safe for concurrent use; each call serves one more process of
// the same site.
func Start(server string) (*aspnet.App, error) {
	rig, err := build()
	if err != nil {
		return nil, err
	}
	app, err := rig.NewApp(aspnet.AppOptions{
		Pages: folder("pages"), Ready: "health.aspx", Server: server, WebConfig: webConfig(server),
	})
	if err != nil {
		return nil, fmt.Errorf("legacy: the site does not start: %w", err)
	}
	return app, nil
}

// Captured is a session as these pages stored it, the bytes that the state
// service had: Ada's, with a cart of two lines. It is a copy.
func Captured() []byte { return []byte(captured) }

var (
	//go:embed pages library web.config
	site embed.FS
	//go:embed testdata/captured-session.bin
	captured string
)

func folder(name string) fs.FS {
	sub, err := fs.Sub(site, name)
	if err != nil {
		panic(err) // the name is no path
	}
	return sub
}

// build compiles what every process of the site needs, once in this one; where
// it failed, the next call tries again.
func build() (*aspnet.Rig, error) {
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.rig != nil {
		return built.rig, nil
	}
	mono, missing := aspnet.Find()
	if missing != "" {
		return nil, fmt.Errorf("legacy: %w: %s", ErrNoMono, missing)
	}
	rig, err := mono.Build()
	if err == nil {
		err = rig.Library("Shop", folder("library"))
	}
	if err != nil {
		return nil, fmt.Errorf("legacy: the site does not compile: %w", err)
	}
	built.rig = rig
	return rig, nil
}

var built struct {
	mu  sync.Mutex // guards rig
	rig *aspnet.Rig
}

// webConfig is the site's, with what only this machine knows in place.
func webConfig(server string) []byte {
	b, err := site.ReadFile("web.config")
	if err != nil {
		panic(err) // it is embedded
	}
	var addr strings.Builder
	_ = xml.EscapeText(&addr, []byte(server)) // a Builder takes everything
	return []byte(strings.NewReplacer(
		"$STATE_SERVER", addr.String(), "$APP_ID", AppID,
		"$VALIDATION_KEY", validationKey(), "$DECRYPTION_KEY", decryptionKey(),
	).Replace(string(b)))
}

// Forms that visitors have open hold what one process signed and another, or the
// same after a restart, checks: all have the keys of this process.
var validationKey, decryptionKey = sync.OnceValue(key(64)), sync.OnceValue(key(32))

func key(size int) func() string {
	return func() string {
		b := make([]byte, size)
		_, _ = rand.Read(b) // never fails
		return hex.EncodeToString(b)
	}
}
