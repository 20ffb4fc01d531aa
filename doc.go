// Package aspsession is the home of a Go session that ASP.NET pages share: same
// cookie, same store, same lock, same bytes. Open makes it of the site's
// web.config:
//
//	app, err := aspsession.Open(ctx, "web.config",
//		aspsession.Site{AppID: "/LM/W3SVC/1/ROOT"}, sqlserver.Opener, redis.Opener)
//	...
//	defer app.Close(ctx)
//	http.Handle("/cart", app.Wrap(cart))
//
// web.config says nearly everything: the store, the cookie, the timeouts. Site
// says what it cannot. Openers are those of the stores that the program links; a
// state service needs no driver, and is always among them. Where something does
// not fit, "aspstate doctor" tells what.
//
// web.config holds passwords and keys: no error and no warning of Open does.
//
// The packages below it do the work:
//
//	clr             .NET's value types in Go
//	nrbf            .NET objects as data
//	payload         the bytes that ASP.NET stores, lazy and verbatim
//	session         the contract: Session, Store, Access, Lock, errors
//	msasp           the state-server protocol's wire forms
//	stateservice    a state service as a library
//	stores/inproc   a store in this process's memory
//	stores/stateserver a store on an ASP.NET state service
//	stores/redis    a store on Redis, in Microsoft's layouts
//	stores/sqlserver a store on SQL Server, ASPState and the async provider's
//	stores/storetest the suite that every store passes
//	cookieless      ids in the URL
//	middleware      the life cycle of a request on net/http, gin and echo
//	webconfig       <sessionState> and its like, read from web.config
//	cmd/aspstate    the operator's tool
//	examples        programs to start from
//	interop         real ASP.NET pages, as tests
//
// Each imports only packages above it in this list, and no store another.
// A handler needs this package, or middleware and a store; see the README.
package aspsession
