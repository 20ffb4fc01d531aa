package webconfig_test

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/aspsession/aspsession/webconfig"
)

// What a site says about its sessions, defaults included.
func Example() {
	cfg, err := webconfig.Read("testdata/stateserver/web.config", webconfig.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := cfg.SessionState
	fmt.Println(s.Mode, s.StateConnectionString)
	fmt.Println(s.CookieName, s.Cookieless, s.CookieSameSite, cfg.Cookies.RequireSSL)
	fmt.Println(s.Timeout, cfg.Runtime.ExecutionTimeout)
	fmt.Println(cfg.MachineKey.Validation, cfg.MachineKey.ValidationKey.Hex)
	// Output:
	// StateServer tcpip=10.0.0.5:42424
	// SHOP UseCookies Lax true
	// 1h0m0s 5m0s
	// SHA1 (redacted)
}

// Errors say where, what was found and what to write.
func Example_errors() {
	_, err := webconfig.Read("testdata/two-mistakes/web.config", webconfig.Options{})
	fmt.Println(err)
	var first *webconfig.Error
	if errors.As(err, &first) {
		fmt.Println(first.Line, errors.Is(err, webconfig.ErrValue))
	}
	// Output:
	// webconfig: testdata/two-mistakes/web.config:4:38: sessionState timeout is "00:20:00"; ASP.NET takes whole minutes here, no hh:mm:ss: write 20
	// webconfig: testdata/two-mistakes/web.config:5:19: sessionState stateConnectionString has the port "state", which is no number from 1 to 65535; write tcpip=host:port, such as "tcpip=10.0.0.5:42424"
	// 4 true
}

// A site with its own id manager: the error names the type, and a program that
// has the same rules in Go goes on.
func ExampleForeignError() {
	cfg, err := webconfig.Read(filepath.Join("testdata", "foreign-types", "web.config"), webconfig.Options{})
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var foreign *webconfig.ForeignError
		if errors.As(e, &foreign) {
			fmt.Printf("%s: %s\n", foreign.Setting, foreign.Type)
		}
	}
	fmt.Println(cfg.SessionState.Timeout)
	// Output:
	// sessionState partitionResolverType: Shop.Partitions, Shop
	// sessionState sessionIDManagerType: Shop.Ids, Shop
	// 7m0s
}

// An application below a site inherits from the site's web.config, and from its
// <location path="shop">.
func ExampleOptions() {
	dir := filepath.Join("testdata", "inherited-location")
	cfg, err := webconfig.Read(filepath.Join(dir, "web.config"), webconfig.Options{
		VirtualPath: "/shop",
		Parents:     []webconfig.Parent{{Path: filepath.Join(dir, "site.config"), VirtualPath: "/"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.SessionState.CookieName, cfg.SessionState.Timeout, cfg.Runtime.ExecutionTimeout)
	fmt.Println(cfg.Positions["sessionState timeout"].Line)
	// Output:
	// OWN 40m0s 1m0s
	// 6
}

// The text of a secret is there for who asks.
func ExampleSecret() {
	cfg, err := webconfig.Read("testdata/redis/web.config", webconfig.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := cfg.SessionState.Provider
	key, _ := p.Attributes.Get("AccessKey")
	fmt.Println(p.Kind, key, len(key.Reveal()))
	fmt.Println(p.Attributes.Reveal()["host"])
	// Output:
	// Redis (redacted) 16
	// cache.example.com
}
