// Package ginsession gives gin's handlers the session that the ASP.NET pages of
// the site have: package middleware, as gin has it.
//
//	r := gin.Default()                           // Logger and Recovery are outside
//	r.Use(ginsession.Lazy(m))                    // costs nothing until it is used
//	r.POST("/cart", func(c *gin.Context) {
//		s := ginsession.From(c)
//		n, err := session.Value[int](s, "visits")
//		...
//	})
//
// Access by route or group: the handler goes in front of the route's own.
//
//	r.GET("/prices", ginsession.ReadOnly(m), prices)
//	admin := r.Group("/admin", ginsession.ReadWrite(m))
//
// Where one handler of this package runs inside another's session, the outer one
// counts: give a group its access, or each route its own, not both.
//
// # What holds here
//
// All that package middleware says. Handlers after this one in the chain run
// inside the session: their response waits until it is saved, c.Request has its
// context, and c.Writer is the session's, with Status, Size and Written as the
// handlers made them. Middlewares before it have their own c.Writer and c.Request
// back when c.Next returns, and see what was really sent: the error page with its
// status where saving failed. A session that cannot be opened aborts the chain.
//
// c.Status without a body stays gin's to send; a middleware outside may still
// change it. Early hints work through c.Writer.WriteHeader. A save that fails
// when half of the page has left breaks the connection or the HTTP/2 stream, also
// where gin.Recovery, which takes the panic for that as a closed connection, is
// outside.
//
// After a panic nothing is saved if gin.Recovery is outside, as in gin.Default.
// If it is inside, the handler counts as one that returned, and its session is
// saved with whatever it had set by then.
//
// In a goroutine with c.Copy() From still finds the session; once the request has
// ended its methods return session.ErrReleased.
//
// # Limits
//
// Engine.HandleContext replaces c.Writer by gin's own and sends headers itself: a
// second pass from inside a session goes round its response. Where that is
// needed, wrap the engine instead: m.Wrap(engine) is an http.Handler whose
// handlers From serves as well.
//
// Where ids travel in URLs, serve m.Strip(engine): gin picks the route before its
// middlewares run, and Strip takes the id out of the path before that.
//
// A middleware outside that replaces c.Writer should have Unwrap, as gin's own
// writer has; without it early hints are dropped, and a connection that must
// break cannot where gin.Recovery is outside.
package ginsession
