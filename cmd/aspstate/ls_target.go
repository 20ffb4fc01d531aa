package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/session"
)

// storeHelp explains the flags of storeFlags.
const storeHelp = siteHelp + `  --admin ADDRESS Where a state service of ours lists its sessions: unix:PATH, or
                  http://127.0.0.1:PORT. The protocol of state services itself
                  has no listing.
  --admin-token FILE
                  What that address wants to be shown.
`

// storeFlags name one store, and where it is listed.
type storeFlags struct {
	siteFlags
	admin, adminToken string
}

func (f *storeFlags) register(flags *flag.FlagSet) {
	f.siteFlags.register(flags)
	f.registerAdmin(flags, "")
}

func (f *storeFlags) registerAdmin(flags *flag.FlagSet, prefix string) {
	flags.StringVar(&f.admin, prefix+"admin", "", "")
	flags.StringVar(&f.adminToken, prefix+"admin-token", "", "")
}

// registerAs is for a verb of two stores: --NAME is a web.config or a URL, and
// the other flags have its name in front.
func (f *storeFlags) registerAs(flags *flag.FlagSet, name string) {
	flags.Func(name, "", func(s string) error {
		f.config, f.store = s, ""
		if strings.Contains(s, "://") || strings.HasPrefix(s, "@") {
			f.config, f.store = "", s
		}
		return nil
	})
	f.path = "/"
	for flag, p := range map[string]*string{
		"app-id": &f.appID, "path": &f.path, "location": &f.location, "machine": &f.machine, "key-base": &f.keyBase,
		"layout": &f.layout, "hash": &f.hash,
	} {
		flags.StringVar(p, name+"-"+flag, *p, "")
	}
	flags.BoolVar(&f.oldHash, name+"-old-hash", false, "")
}

// A target is an opened store.
type target struct {
	session.Store
	settings session.Settings
	lister   session.Lister // nil where nothing lists it
	admin    *adminClient   // nil without --admin
}

// errNoListing is of a store that cannot enumerate its sessions.
var errNoListing = errors.New("this store cannot list its sessions: aspnet_state.exe has no listing; a state service of ours has one where it is started with --admin, and it is read with --admin ADDRESS here")

// open opens the store and, with --admin, its listing.
func (f *storeFlags) open(ctx context.Context, c *call) (*target, error) {
	store, settings, err := c.openStore(ctx, f.siteFlags)
	if err != nil {
		return nil, err
	}
	t := &target{Store: store, settings: settings}
	if f.admin == "" && f.adminToken != "" {
		t.close()
		return nil, errors.New("--admin-token goes with --admin")
	}
	if f.admin == "" {
		t.lister, _ = store.(session.Lister)
		return t, nil
	}
	if settings.Mode != "StateServer" {
		t.close()
		return nil, fmt.Errorf("--admin is of a state service, and the store is of mode %s, which needs none", settings.Mode)
	}
	base, err := keyBase(settings)
	if err == nil {
		t.admin, err = newAdminClient(f.admin, f.adminToken)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	t.lister = adminLister{t.admin, base}
	return t, nil
}

// list is session.Lister's, or an error that says why there is none.
func (t *target) list(ctx context.Context, yield func(session.Info) bool) error {
	if t.lister == nil {
		return errNoListing
	}
	return t.lister.List(ctx, yield)
}

func (t *target) close() {
	_ = closeStore(t.Store) // what it held is given up either way
	if t.admin != nil {
		t.admin.close()
	}
}

// keyBase is what stands in front of every id of the application in a state
// service.
func keyBase(s session.Settings) (string, error) {
	switch {
	case s.KeyBase != "":
		return s.KeyBase, nil
	case s.Validation != "":
		return msasp.KeyedBase(s.AppID, msasp.Validation(s.Validation), s.ValidationKey)
	}
	return msasp.Base(s.AppID), nil
}
