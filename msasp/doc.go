// Package msasp holds the wire forms of the ASP.NET state-server protocol
// [MS-ASP], in one place for both ends: request targets, the seven requests,
// the replies. It reads and writes bytes and knows no locks: the state machine
// is package stateservice, the client stores/stateserver.
//
// # Terms
//
//   - The protocol looks like HTTP/1.1 and is not: request targets have no
//     leading slash, status lines may have no version, there is no chunking.
//     net/http reads neither end of it.
//   - The target of a request is the URL-encoded key of an item: application id,
//     a hash of it in parentheses, a slash, the session id. The server never
//     looks into it.
//   - The seven requests are Get, GetExclusive (acquire), ReleaseExclusive, Set,
//     SetUninitialized, Remove and ResetTimeout, spelled with the verbs GET, PUT,
//     DELETE and HEAD and the headers Exclusive, Timeout, LockCookie and
//     ExtraFlags.
//   - Timeout is minutes, LockAge seconds, LockDate 100-ns ticks on the server's
//     wall clock.
//
// # Our own header
//
// A Go client says "Aspsession: 1" and a server of this project answers with
// the same header. Between the two, a lock cookie above 0 must be that of a lock
// that is held: a Set or Remove under any other is 423, and a Set for an item
// that is gone is 404 and does not revive it. A Set without a cookie is for a new
// item: where there is one it is 409 and does not overwrite it. ASP.NET's client
// never sends the header and sees none of that; a server that does not know the
// header ignores it.
//
// A 423 of such a server has bit 1 of ActionFlags (2) where the request waited
// for the lock and keeps its place: ask again at once.
//
// # Security
//
// The protocol has neither encryption nor authentication: keep it on loopback
// or a private network. Everything read is bounded in line, header and body
// length before anything is allocated for it.
package msasp
