// Package echosession gives echo's handlers the session that the ASP.NET pages
// of the site have: package middleware, as echo has it.
//
//	e := echo.New()
//	e.Use(echomw.Logger(), echomw.Recover())     // outside
//	e.Use(echosession.Lazy(m))                   // costs nothing until it is used
//	e.POST("/cart", func(c echo.Context) error {
//		s := echosession.From(c)
//		n, err := session.Value[int](s, "visits")
//		...
//	})
//
// Access by route or group:
//
//	e.GET("/prices", prices, echosession.ReadOnly(m))
//	admin := e.Group("/admin", echosession.ReadWrite(m))
//
// Where one middleware of this package runs inside another's session, the outer
// one counts: give a group its access, or each route its own, not both.
//
// # What holds here
//
// All that package middleware says. Handlers have a Response of their own, whose
// page waits until the session is saved; its Status, Size, Committed and hooks
// are as echo has them. Middlewares outside have theirs back when next returns:
// it says what was really sent, the error page with its status where saving
// failed, and its Before hooks run when the headers leave, after the save.
//
// # Errors
//
// A handler's error is answered inside the session, by echo's HTTPErrorHandler,
// and its page decides. Below 500 it is an answer like any other, a
// echo.NewHTTPError(404) or a sign-in that failed: the session is saved before
// the page leaves, and a new visitor gets his cookie with it. From 500 on it is
// ASP.NET's unhandled error: nothing is saved, and the lock is given back before
// the page leaves. So it is with an error that comes when a page below 400 was
// written already: if that has not left, it is dropped, and echo answers the
// error afresh. What a handler answers itself, by c.JSON(500, ...) and no error, is saved.
//
// The error is returned to the middlewares outside as well, as loggers and tracers
// want it, and reaches the HTTPErrorHandler again in the end: one of your own
// must do nothing where c.Response().Committed is set, as echo asks of all.
//
// After a panic nothing is saved if echo's Recover is outside. If it is inside,
// the handler counts as one that returned without an error.
//
// # Limits
//
// echo.Response takes any status for the last one, and keeps a Flush that failed
// to itself. c.Response().Writer does neither: Early hints are its
// WriteHeader(http.StatusEarlyHints).
//
// Where ids travel in URLs, serve m.Strip(e): echo picks the route before its
// middlewares run, and Strip takes the id out of the path before that.
package echosession
