// Package cookieless keeps the session id in the URL, as ASP.NET does where
// sessionState has cookieless="UseUri", "AutoDetect" or "UseDeviceProfile":
//
//	/shop/(S(2ne4zzc4yrcakgqbxgtomtfb))/cart?item=7
//
// The segment in parentheses stands directly after the application path. It is
// a list of modifiers, each a capital letter and a value: S is the session id, A
// the anonymous id, F the forms ticket, and X(1) AutoDetect's verdict that the
// client keeps no cookies. The path without the segment is the clean path; it is
// all that handlers see.
//
// This package reads and writes URLs and knows no store. A session middleware
// drives it:
//
//	c, err := cookieless.New(cookieless.Options{Mode: cookieless.UseURI, App: "/shop"})
//	...
//	r, state, err := c.Read(r)      // err: answer 400, or 404 for ErrOutside
//	if state.PathMode() {           // else the id is in the cookie
//		id := state.ID()            // what the client sent, not checked
//		...
//		location, status, err := state.Redirect(newID)
//	}
//
// and templates call [Apply] for links that must keep the session:
//
//	<a href="{{apply "/shop/cart"}}">
//
// Relative links keep it by themselves, because the browser resolves them below
// the segment. Package cookieless/htmlrewrite munges links in finished pages.
//
// # Security
//
// An id in a URL leaks: by Referer, logs, bookmarks and shared links. Prefer
// cookies; where the path is needed, send a Referrer-Policy and keep
// [Options.KeepExpiredIDs] off.
//
// Rules on paths (who may see /admin) belong inside the session middleware, where
// paths are clean: outside it, /(S(x))/admin is another path than /admin. ASP.NET
// had to close holes of this kind in 2023. So at most one segment is taken, in
// one place, and a path in which a second one comes to light is refused. Every
// Location made here is a path below the application on the same origin,
// whatever the client sent, and no clean path starts with two slashes.
//
// # Where this differs from ASP.NET
//
//   - A segment behind a folder is not read (Options.AnyPosition reads it).
//   - In mode UseCookies nothing is stripped: ASP.NET strips the segment there too,
//     and ignores it, which only serves to disguise paths.
//   - Apply replaces another segment in the canonical place; ASP.NET puts a second
//     one before it.
//   - A segment longer than 8,192 bytes is refused.
//   - The header AspFilterSessionId, which IIS's old filter sets, is deleted.
package cookieless
