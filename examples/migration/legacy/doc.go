// Package legacy is the half of the example shop that is not Go: WebForms pages
// with a master page, Global.asax, web.config and a class library, as a site has
// them, served by Mono with its sessions in a state service.
//
//	app, err := legacy.Start("127.0.0.1:42424")
//	if errors.Is(err, legacy.ErrNoMono) {
//		// it says what to install
//	}
//	defer app.Stop()
//	http.Get(app.URL("catalogue.aspx"))
//
// The pages' redirects and form actions have no host in them, so that they work
// behind a proxy, and they need no script. Where Mono is missing, Captured is a
// session that these pages stored; after a change of what they store it is made
// anew with
//
//	go test ./examples/migration/legacy -run Capture -update
//
// # Security
//
// A page that throws answers 500 and tells the visitor nothing; why is in the
// header ErrorHeader, which the proxy in front must take out. signin.aspx asks
// for no password: this is an example.
package legacy
