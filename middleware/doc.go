// Package middleware gives net/http handlers the session that the ASP.NET pages
// of the site have: same cookie or URL, same store, same lock.
//
//	m, err := middleware.New(store, middleware.Options{})
//	...
//	http.Handle("/cart", m.Wrap(cart))           // exclusive, as ASP.NET's pages
//	http.Handle("/prices", m.ReadOnly(prices))   // side by side with others
//	http.Handle("/search", m.Lazy(search))       // exclusive, once it is used
//	http.Handle("/logo", m.Disabled(logo))       // only keeps the session alive
//
//	func cart(w http.ResponseWriter, r *http.Request) {
//		s := middleware.From(r)
//		n, err := session.Value[int](s, "visits")
//		...
//	}
//
// Routers that speak net/http need nothing else; packages ginsession and
// echosession fit it into gin and echo, otelsession reports to OpenTelemetry.
//
// # A request
//
// The id is read from the cookie, the first of the name, or from the path; what
// cannot be an id is none. The session is acquired before the handler runs, after
// its turn among the requests of this process that want the same one. The
// response waits in a buffer until the handler is done, so that the session is
// saved and its lock given back before the first byte leaves: the visitor's next
// request sees the change, and a failed save is a clean error page with nothing
// of the handler's in it.
//
// A handler that writes more than the buffer holds, or flushes, sends its
// headers then. A new session is stored and locked at that moment, or not at
// all: session.ErrHeadersSent tells the handler. The last byte of a body of
// known length waits for the save (not where a file goes out by sendfile), and so
// does a flushed response that has no body; a save that fails late reaches
// OnError and breaks the connection, so that no half page looks whole. A HEAD
// that is flushed is the exception: its headers are all that there is. (One that
// is not flushed waits for the save, however long its page is.)
//
// Headers may be changed until they leave, also after WriteHeader.
//
// # What a handler may rely on
//
// Requests of this process that want one session exclusively take turns, first
// come, first served, until the lock is given back: at the end, or by Release or
// Hijack before it. Readers wait for the present holder only. A store that cannot
// queue waiters is left alone for a moment once this process has handed a lock
// on for two seconds without a break, so that ASP.NET's pages, which look every
// half second, get it too.
//
// A panic gives the lock back, saves nothing and goes on upward. So does the end
// of a client, while the request waits; once the handler runs it runs to its
// end, and is saved, as in ASP.NET: a client that hangs up ends the context, not
// the handler. When the lock's lease ends (the execution timeout) the context is
// cancelled with cause session.ErrLockLost, unless OutliveLease says otherwise;
// Release ends the lease with the lock. A hijacked connection has its session
// saved and released first. Flush, Hijack, http.ResponseController, 1xx
// responses, trailers and sendfile work, over HTTP/1 and HTTP/2.
//
// http.TimeoutHandler belongs outside: inside, the page that it gives up on
// still holds the session, and what it had changed by then is saved.
//
// A visitor without a session gets neither cookie nor stored item until a
// handler stores something, or SessionStart is set. A visitor with the id of a
// session that is gone keeps his id, as in ASP.NET, unless StrictIDs says
// otherwise.
//
// # Ids in the URL
//
// Options.Cookieless moves the id into the path, /shop/(S(id))/cart, always or
// for clients without cookies; see package cookieless. Handlers see the clean
// path. Location headers within the application get the id; links in templates
// need cookieless.Apply or package cookieless/htmlrewrite. A request without a
// valid id, or with one that is gone, is redirected to a new one before its
// handler runs, and loses its form as in ASP.NET (Options.Cookieless.KeepBody).
// Where handlers are wrapped one by one, Strip goes round the router.
//
// # Security
//
// The cookie is HttpOnly and SameSite=Lax, as ASP.NET writes it; Secure and
// Domain are for the site to say, because behind a proxy they cannot be known.
// A site on HTTPS wants Secure. An id is a bearer secret and never in an error
// or a log line of this package.
//
// When a visitor signs in, Regenerate his session's id, so that one that was
// planted or seen before is worth nothing; Bind it to a companion cookie where
// the id alone must not be enough. StrictIDs refuses ids that the store does not
// know. An id in the URL leaks more easily: Referrer-Policy same-origin is set
// unless the handler sets its own.
package middleware
