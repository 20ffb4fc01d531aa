// Package middleware gives net/http handlers the session that the ASP.NET pages
// of the site have: same cookie, same store, same lock.
//
//	m, err := middleware.New(store, middleware.Options{})
//	...
//	http.Handle("/cart", m.Wrap(cart))           // exclusive, as ASP.NET's pages
//	http.Handle("/prices", m.ReadOnly(prices))   // side by side with others
//	http.Handle("/logo", m.Disabled(logo))       // only keeps the session alive
//
//	func cart(w http.ResponseWriter, r *http.Request) {
//		s := middleware.From(r)
//		n, err := session.Value[int](s, "visits")
//		...
//	}
//
// # A request
//
// The id is read from the cookie, the first of the name; what cannot be an id is
// none. The session is acquired before the handler runs, after its turn among
// the requests of this process that want the same one. The response waits in a
// buffer until the handler is done, so that the session is saved and its lock
// given back before the first byte leaves: the visitor's next request sees the
// change, and a failed save is a clean error page with nothing of the handler's
// in it.
//
// A handler that writes more than the buffer holds, or flushes, sends its
// headers then. A new session is stored and locked at that moment, or not at
// all: session.ErrHeadersSent tells the handler. The last byte of a body of
// known length waits for the save (not where a file goes out by sendfile), and so
// does a flushed response that has no body; a save that fails late reaches
// OnError and breaks the connection, so that no half page looks whole. A HEAD
// that is flushed is the exception: its headers are all that there is.
//
// Headers may be changed until they leave, also after WriteHeader.
//
// # What a handler may rely on
//
// Requests of this process that want one session exclusively take turns, first
// come, first served, until the lock is given back: at the end, or by Release or
// Hijack before it.
//
// A panic gives the lock back, saves nothing and goes on upward. So does the end
// of a client, while the request waits; once the handler runs it runs to its
// end, and is saved, as in ASP.NET. A hijacked connection has its session saved
// and released first. Flush, Hijack, http.ResponseController, 1xx responses,
// trailers and sendfile work.
//
// A visitor without a session gets neither cookie nor stored item until a
// handler stores something. A visitor with the id of a session that is gone
// keeps his id, as in ASP.NET.
//
// # Security
//
// The cookie is HttpOnly and SameSite=Lax, as ASP.NET writes it; Secure and
// Domain are for the site to say, because behind a proxy they cannot be known.
// A site on HTTPS wants Secure. An id is a bearer secret and never in an error
// or a log line of this package.
package middleware
