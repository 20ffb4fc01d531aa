// Package aspsession is the home of a Go session that ASP.NET pages share: same
// cookie, same store, same lock, same bytes. The packages below it do the work:
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
//	stores/storetest the suite that every store passes
//	cookieless      ids in the URL
//	middleware      the life cycle of a request on net/http, gin and echo
//	webconfig       <sessionState> and its like, read from web.config
//	cmd/aspstate    the operator's tool
//	examples        programs to start from
//	interop         real ASP.NET pages, as tests
//
// Each imports only packages above it in this list, and no store another.
// A handler needs middleware and a store; see the README.
package aspsession
