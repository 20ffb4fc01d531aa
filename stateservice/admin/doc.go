// Package admin watches a state service over HTTP: is it well, how busy is it,
// what does it hold.
//
//	ln, err := admin.Listen("unix:/run/aspstate/admin.sock")
//	...
//	h, err := admin.New(service, admin.Options{})
//	...
//	go http.Serve(ln, h)
//
// # What it serves
//
//	GET /               a page for people: sessions, locks, rates as charts
//	GET /browse         a page: the sessions; ?sort=expires, size, lock or key,
//	                    ?q= an application id, with a * behind it all that start
//	                    so, ?page=
//	GET /session/NAME   a page: the items of one session, with their .NET types
//	GET /healthz        200 "ok" while the service runs; needs no token
//	GET /metrics        Prometheus' text format
//	GET /sessions       one JSON object a line for every item (Listed)
//	/debug/pprof/       profiles, with Options.Profiles
//
// # The pages
//
// They work without JavaScript and load nothing else; ?refresh=10 loads one again
// every ten seconds. They change nothing: who looks renews no session, takes no
// lock and waits for none. One at a time walks over the sessions, in memory that
// does not depend on their number; the overview's counts may be older than the
// page by ten times what counting them took.
//
// The charts are the differences between looks at the counters: loads of the
// overview and of /metrics, for up to an hour. There is no timer.
//
// # Security
//
// Listen takes a unix socket, made with mode 0600, or a loopback address. On a
// loopback address every process and every page in a browser of the machine can
// knock, so that a token is needed (Authorization: Bearer, or any user name with
// the token as password), a Host that is not loopback is refused, and no
// other origin is ever allowed to read an answer.
//
// The listing has the sessions' keys, each a bearer secret, for tools; metrics
// have none, and pages show a hash of them, a new one each time. What is in the
// items is redacted on the pages, unless Options.Values: names of items, types
// and names of their members, and sizes are shown. Everything shown was written
// by whoever can write the store: it is escaped and clipped, and a
// Content-Security-Policy allows the pages' own style and nothing else. A session
// of more than 8 MiB is not opened, and no object that would take much more than
// that to read.
package admin
