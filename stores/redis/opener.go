package redis

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/aspsession/aspsession/session"
)

// Opener opens what web.config has as Microsoft's RedisSessionStateProvider.
//
// Nothing in web.config says which layout the provider has: session.Settings may
// carry it as the attribute "layout", A, B or C. Default: B where
// redisSerializerType is set, else C. KeyBase is taken for the application name.
var Opener session.Opener = opener{}

const providerType = "Microsoft.Web.Redis.RedisSessionStateProvider"

type opener struct{}

// Serves implements session.Opener.
func (opener) Serves(mode, provider string) bool { return mode == "Custom" && provider == providerType }

// Open implements session.Opener. It connects.
func (opener) Open(ctx context.Context, s session.Settings) (session.Store, error) {
	opt, err := options(s)
	if err != nil {
		return nil, err
	}
	store, err := Open(ctx, opt)
	if err != nil {
		return nil, err
	}
	return store, nil
}

func options(s session.Settings) (Options, error) {
	attributes := maps.Clone(s.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	layout, given := attributes["layout"]
	delete(attributes, "layout")
	if s.Connection != "" {
		attributes["connectionstring"] = s.Connection
	}
	opt, warnings, err := Provider{Attributes: attributes, Timeout: s.Timeout, ExecutionTimeout: s.ExecutionTimeout}.Options()
	if err != nil {
		return Options{}, err
	}
	for _, w := range warnings {
		s.Warn("redis: " + w)
	}
	if s.KeyBase != "" {
		opt.App = s.KeyBase
	}
	if given {
		if opt.Layout, err = ParseLayout(layout); err != nil {
			return Options{}, err
		}
	}
	return opt, nil
}

// ParseLayout reads the name of a layout: A, B or C.
func ParseLayout(name string) (Layout, error) {
	for _, l := range layouts {
		if strings.EqualFold(l.String(), strings.TrimSpace(name)) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("redis: the layout is none of C (provider 5.x), B (2.x to 4.x) and A (1.4 to 1.6)")
}
