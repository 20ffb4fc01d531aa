package webconfig

import (
	"strings"
	"time"
)

// providerKind knows Microsoft's providers by type and assembly.
func providerKind(typ string) (kind ProviderKind, assemblyVersion string) {
	parts := strings.Split(typ, ",")
	name, assembly := strings.TrimSpace(parts[0]), ""
	if len(parts) > 1 {
		assembly = strings.TrimSpace(parts[1])
	}
	for _, p := range parts[1:] {
		if key, value, ok := strings.Cut(strings.TrimSpace(p), "="); ok && strings.EqualFold(key, "Version") {
			assemblyVersion = value
		}
	}
	for _, known := range []struct {
		kind           ProviderKind
		name, assembly string
	}{
		{ProviderRedis, "Microsoft.Web.Redis.RedisSessionStateProvider", "Microsoft.Web.RedisSessionStateProvider"},
		{ProviderSQLAsync, "Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync", "Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync"},
	} {
		if name == known.name && (assembly == "" || strings.EqualFold(assembly, known.assembly)) {
			return known.kind, assemblyVersion
		}
	}
	return ProviderForeign, assemblyVersion
}

// foreignProvider is what can be done about a provider that is not known.
func foreignProvider(typ string) string {
	if strings.HasPrefix(strings.TrimSpace(typ), "Microsoft.AspNet.SessionState.CosmosDB") {
		return "there is no store for Cosmos DB: move the site to Redis, SQL Server or a state service, or write a session.Store"
	}
	return "write a session.Store that does the same, or move the site to Redis, SQL Server or a state service"
}

// repositories are the values of repositoryType in versions 2.x.
var repositories = []string{"SqlServer", "InMemory", "InMemoryDurable", "FrameworkCompat"}

// sqlProvider reads the attributes of Microsoft's async provider for SQL Server.
func (v values) sqlProvider(c *Config, p *Provider) {
	v.known([]string{
		"name", "type", "description", "connectionStringName", "repositoryType", "sessionTableName",
		"maxRetryNumber", "retryInterval", "useInMemoryTable", "skipKeepAliveWhenUnused",
	}, true)
	sql := &SQLProvider{Repository: "FrameworkCompat", Table: v.text("sessionTableName", "")}
	p.SQL = sql
	name := v.text("connectionStringName", "")
	var ok bool
	if sql.ConnectionString, ok = c.ConnectionStrings.Get(name); !ok && !v.incomplete {
		v.errorf(v.pos("connectionStringName"), ErrConflict, "write the name of an entry in <connectionStrings>", "the provider %s has no connectionStringName, or one that is not there", showName(p.Name))
	}
	memory := v.boolean("useInMemoryTable", false)
	if memory {
		sql.Repository = "InMemory"
	}
	if a, given := v.find("repositoryType"); given {
		i := foldIndex(repositories, a.value)
		switch {
		case i < 0:
			v.bad(a, "write "+choice(repositories))
		case memory && repositories[i] != "InMemory":
			v.errorf(a.pos, ErrConflict, "delete useInMemoryTable, which is of version 1.x", "%s repositoryType is %s with useInMemoryTable", v.name, repositories[i])
		default:
			sql.Repository = repositories[i]
		}
	}
	interval := int64(1000)
	if sql.Repository == "InMemory" || sql.Repository == "InMemoryDurable" {
		interval = 200
	}
	sql.MaxRetryNumber = int(v.integer("maxRetryNumber", 10, 0, 1<<31-1))
	sql.RetryInterval = time.Duration(v.integer("retryInterval", interval, 0, 1<<31-1)) * time.Millisecond
}
