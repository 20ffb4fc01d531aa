// Package stateservice is an ASP.NET state service as a library: what
// aspnet_state.exe does, for ASP.NET applications in mode StateServer and for Go
// pages. A session is opaque bytes to it.
//
//	s := stateservice.New(stateservice.Options{})
//	ln, err := net.Listen("tcp", "127.0.0.1:42424")
//	...
//	go s.Serve(ln)
//	...
//	err = s.Shutdown(ctx)
//
// # Terms
//
// An item is what is kept under one key: content, sliding timeout, lock. The lock
// cookie counts the takings of its lock: 1 in a new item, so that the first
// acquire returns 2. An uninitialized item was created by SetUninitialized and
// not read since. Package msasp has the protocol's words.
//
// # Where it differs from Microsoft's on purpose
//
//   - A Set whose LockCookie is above 0 and not the item's is refused (423), also
//     while the item is unlocked: .NET's service compares only while it is
//     locked, so that a writer who lost his lock overwrites a newer save.
//     Options.LaxSaves restores that. 0 or no cookie behaves as there.
//   - An item made again within ten minutes of its end goes on above its last
//     lock cookie, so that an old holder never matches: Options.ForgetCookies.
//   - A Set that a limit refuses is 400 with an empty body, because .NET's client
//     ignores every other status of a Set; the old content stays, and its owner's
//     lock is released.
//   - A Set that changes the timeout keeps the lock cookie, where .NET's service
//     takes whatever the request said.
//   - Status lines have the HTTP version: Options.BareStatusLine.
//
// # Security
//
// There is neither encryption nor authentication in this protocol, and whoever
// can write the store runs code in ASP.NET, which deserializes what is in it.
// Listen on loopback or on a private network. Keys are never logged; limits
// bound what one peer and all peers can take.
//
// # Concurrency
//
// A Server is safe for concurrent use. Each connection has a goroutine and the
// server one more; Shutdown and Close end them all.
package stateservice
