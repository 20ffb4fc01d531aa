// Package aspnet runs real ASP.NET pages on Mono: it compiles a session-state
// provider that speaks the state-server protocol in Microsoft's layout, points
// Debian's web server at what Mono has, and serves applications, each as a
// process of its own on a free port of the loopback interface. On Linux they end
// with this process, however it does.
//
//	mono, missing := aspnet.Find()   // missing says what to install
//	rig, err := mono.Build()
//	app, err := rig.NewApp(aspnet.AppOptions{Pages: pages, Ready: "default.aspx", Server: "127.0.0.1:42424"})
//	defer app.Stop()
//
// It needs the Debian packages mono-complete and mono-xsp4, and no network. What
// Mono does otherwise than Microsoft is listed in package interop.
package aspnet
