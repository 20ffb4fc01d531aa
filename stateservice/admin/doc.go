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
//	GET /healthz     200 "ok" while the service runs; needs no token
//	GET /metrics     Prometheus' text format
//	GET /sessions    one JSON object a line for every item (Listed)
//	/debug/pprof/    profiles, with Options.Profiles
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
// have none.
package admin
