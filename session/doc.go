// Package session is the contract between a handler, which holds a [Session],
// and a [Store], which keeps it where ASP.NET keeps its own.
//
// # Terms
//
//   - An item is one named value of the session; the session state is all of
//     them, with the sliding timeout.
//   - Exclusive access (ReadWrite) locks the session in the store from before
//     the handler until its response is complete, so that two requests of one
//     visitor never overwrite each other, whichever server and language they
//     run in. Read-only access takes no lock and waits for whoever holds one.
//   - The lock is identified by a token, ASP.NET's lock cookie, here a [Lock].
//     Its age counts from when it was taken, by the store's clock. A lock older
//     than the execution timeout is broken by whoever waits for it.
//   - An uninitialized item is a session that was created and never filled.
//   - Touching renews the sliding timeout. Abandoning removes the session.
//
// # Use
//
// A handler gets its session from package middleware:
//
//	s := middleware.From(r)
//	visits, err := session.Value[int](s, "visits")
//	...
//	err = s.Set("visits", visits+1)
//
// A program without HTTP (a batch job, a test) opens one itself with a
// [Manager].
//
// # Security
//
// An id is a bearer secret of 120 random bits: it must not be logged, and
// nothing here puts one in an error. Values are data; reading never executes
// anything. Whoever can write the store can feed ASP.NET's deserializer:
// authenticate it.
package session
