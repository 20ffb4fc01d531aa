package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aspsession/aspsession/session"
)

// Opener opens what web.config has as mode="SQLServer", and Microsoft's async
// provider for SQL Server, SqlSessionStateProviderAsync.
//
// Of the async provider the assembly's version says how keys are made, where the
// type is written with it: before 2.1 as Hash64. The attribute "hash", 2.1, 64 or
// 32, says it otherwise. KeyBase is taken for Options.Suffix.
var Opener session.Opener = opener{}

const asyncType = "Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync"

type opener struct{}

// Serves implements session.Opener.
func (opener) Serves(mode, provider string) bool {
	return mode == "SQLServer" || mode == "Custom" && provider == asyncType
}

// Open implements session.Opener. It does not connect.
func (opener) Open(_ context.Context, s session.Settings) (session.Store, error) {
	opt := Options{ConnectionString: s.Connection, AppID: s.AppID, Compress: s.Compress}
	if s.KeyBase != "" {
		opt.AppID, opt.Suffix = "", s.KeyBase
	}
	if s.Connection == "" {
		return nil, errors.New("sqlserver: web.config has no connection string")
	}
	if s.Mode == "Custom" {
		if err := asyncOptions(&opt, s); err != nil {
			return nil, err
		}
	} else {
		opt.AllowCustomDatabase = strings.EqualFold(s.Attributes["allowcustomsqldatabase"], "true")
	}
	store, err := New(opt)
	if err != nil {
		return nil, err
	}
	return store, nil
}

var repositories = map[string]Layout{
	"": AsyncCompat, "frameworkcompat": AsyncCompat, "sqlserver": Async, "inmemory": AsyncInMemory, "inmemorydurable": AsyncInMemoryDurable,
}

func asyncOptions(opt *Options, s session.Settings) error {
	name, ok := s.Attributes["repositorytype"], false
	if name == "" && strings.EqualFold(s.Attributes["useinmemorytable"], "true") { // of version 1.x
		name = "InMemory"
	}
	if opt.Layout, ok = repositories[strings.ToLower(name)]; !ok {
		return errors.New("sqlserver: web.config: repositoryType is none of FrameworkCompat, SqlServer, InMemory, InMemoryDurable")
	}
	opt.Table = s.Attributes["sessiontablename"]
	switch hash := s.Attributes["hash"]; hash {
	case "2.1":
	case "64":
		opt.Hash = Hash64
	case "32":
		opt.Hash = Hash32
	case "":
		if version := assemblyVersion(s.Attributes["type"]); strings.HasPrefix(version, "1.") || strings.HasPrefix(version, "2.0.") {
			opt.Hash = Hash64
			s.Warn(fmt.Sprintf("sqlserver: the provider's version %s makes its keys by the bitness of the process; 64 bits are taken for granted", version))
		}
	default:
		return errors.New(`sqlserver: the attribute "hash" is none of 2.1, 64, 32`)
	}
	return nil
}

// assemblyVersion is that of a type's full name, "" where it is written short.
func assemblyVersion(typ string) string {
	for part := range strings.SplitSeq(typ, ",") {
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(strings.TrimSpace(name), "Version") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
