// Package interop runs real ASP.NET pages next door, for tests: WebForms under
// Mono's web server, on a state service of the test's choice, beside Go pages
// with the same cookie. Its own tests hold what the module promises against the
// real page life cycle and the real BinaryFormatter.
//
//	go test ./interop                               # skips where Mono is missing
//	ASPSESSION_REQUIRE=aspnet go test ./interop     # fails there
//
// It needs the Debian packages mono-complete and mono-xsp4, and no network.
//
// # Use in a test
//
//	app := interop.NewApp(t, interop.AppOptions{Server: "127.0.0.1:42424"})
//	resp, err := client.Get(app.URL("set.aspx"))
//
// An application is a process of its own on a free port of the loopback
// interface. It ends with the test; on Linux also with a test that panics or
// times out. What it printed is logged if the test fails. Building takes about
// two seconds, once in a process.
//
// # Pages
//
//	set       a string, an int, a DateTime, a List<string> and a ShoppingCart
//	get, ro   every item with its type; ro is read-only
//	fill      ?case=empty, one-null, strings, integers, floats, times, arrays,
//	          collections, cart, custom, datatable, unknown
//	check     every item with its type and its ToString
//	values    ?case=primitives: all twenty types with their edges; objects: 24
//	          types; dump prints every item with its type and exact value
//	touch     ?n= sets one item and nothing else
//	cart      ?sku=&qty=&price= edits a ShoppingCart and prints it
//	objects, cast, views   make and use objects that Go changes in between
//	slow      ?ms= increments n, slowly; rostamp?ms= only reads it
//	hold      ?until= increments n after that address has answered, so that a
//	          test says for how long; holdro only reads it
//	abandon, none (no session state), post, redirect, links, touchless
//
// # What is Mono's own and not Microsoft's
//
//   - Layout: Mono's SessionStateItemCollection.Serialize has one of its own. The
//     provider here writes Microsoft's itself.
//   - Ids: Mono's are 24 hexadecimal digits. FrameworkIds makes Microsoft's, and
//     Microsoft's cookie.
//   - An id that the store does not have: Mono makes a new one, always. Microsoft
//     keeps the visitor's.
//   - Calls: a page with read-write session state always PUTs, changed or not, and
//     then sends a HEAD; a read-only one may release with lock cookie 0;
//     Abandon sends a DELETE and then a release, which is 404. Microsoft PUTs only
//     changes, GETs once and does not touch afterwards.
//   - Every page decodes every item and writes all of them anew; Microsoft copies
//     what the page did not read.
//   - A page that has waited for a lock as long as the execution timeout, or that
//     has just broken one for its age, runs without a session: mostly an error,
//     and the visitor's next try gets it. Microsoft's waits on and takes it. Mono
//     breaks locks older than the timeout in whole seconds, so one later.
//   - A page is aborted after the execution timeout, with debug="true" too.
//   - Cookieless ids have the form of ASP.NET 1.x, and modes StateServer and
//     SQLServer are other protocols: nothing here uses them.
//   - BinaryFormatter is Microsoft's published source. Member names agree with
//     .NET Framework's except in CompareInfo and CaseInsensitiveComparer, and so
//     in NameValueCollection.
//
// Session classes must be in bin/*.dll: App_Code gets an assembly name of its own
// in each process, and no other could read the object.
package interop
