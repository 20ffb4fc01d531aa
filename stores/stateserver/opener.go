package stateserver

import (
	"context"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/session"
)

// Opener opens what web.config has as mode="StateServer".
var Opener session.Opener = opener{}

type opener struct{}

// Serves implements session.Opener.
func (opener) Serves(mode, _ string) bool { return mode == "StateServer" }

// Open implements session.Opener. It does not connect.
func (opener) Open(_ context.Context, s session.Settings) (session.Store, error) {
	opt := Options{AppID: s.AppID, Compress: s.Compress, NetworkTimeout: s.NetworkTimeout,
		Validation: msasp.Validation(s.Validation), ValidationKey: s.ValidationKey}
	if s.KeyBase != "" {
		opt.AppID, opt.Base, opt.Validation, opt.ValidationKey = "", s.KeyBase, "", nil
	}
	if s.Connection != "" {
		addr, err := ParseConnectionString(s.Connection)
		if err != nil {
			return nil, err
		}
		opt.Addr = addr
	}
	store, err := New(opt)
	if err != nil {
		return nil, err
	}
	return store, nil
}
