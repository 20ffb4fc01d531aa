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
//   - A request that meets a lock is parked: see below. Options.ParkTimeout.
//   - Status lines have the HTTP version: Options.BareStatusLine.
//
// # Parking
//
// An acquire or Get that meets a lock waits for its release, for as long as
// Options.ParkTimeout, before it is answered 423. Acquires are served first come
// first served. Gets wait for the present holder only, and are answered together
// when he is done.
//
// An acquire that was refused after parking keeps its place for 750 ms, so that a
// page of ASP.NET, which asks again every 500 ms, is not starved by clients that
// ask again at once. A lock that comes free while the first in the queue is away
// goes to the first who is there, once; the next time it is kept for the absent.
// Peers do not identify themselves, so whoever comes from the same address for
// the same key takes the oldest place of that address that is free; Go clients,
// who say the Aspsession header, and others have places apart. The cost: a lock
// may lie idle for up to 750 ms each time that somebody who was refused does not
// come back. Until then others who ask for it are parked, or refused.
//
// To who says Aspsession, a 423 that came after parking has ActionFlags 2: ask
// again at once. A peer that closes while it is parked is dropped; one that only
// stops sending is taken to have closed. One that sends more is answered at once.
// A reply that cannot be written takes the lock back that it told of.
//
// # Durability
//
// Items are in memory. With Options.Journal and Open they outlive the process,
// but for what a crash loses of the journal's last moments: see Journal. Locks
// never do. Options.OnEnd hears of items that end.
//
// # Memory
//
// An item of 1 KB takes some 1.3 KB, however often it is stored; with a journal
// or a hook the contents are garbage-collected, and the heap can be twice what is
// stored, as GOGC says. The end of each item leaves its key and some 150 bytes for ten
// minutes, for the sake of its lock cookie. A connection takes some 8 KiB, and up
// to 32 KiB more for the contents it has sent and received.
//
// # Security
//
// There is neither encryption nor authentication in this protocol, and whoever
// can write the store runs code in ASP.NET, which deserializes what is in it.
// Listen on loopback or on a private network. Keys are never logged; limits
// bound what all peers together can take.
//
// # Concurrency
//
// A Server is safe for concurrent use. Each connection has a goroutine, parked or
// not, Options.OnEnd has its workers, and the server one more; Shutdown and Close
// end them all. No item has a goroutine or a timer: each shard has a timing wheel,
// which the sweep turns in steps of some microseconds.
package stateservice
