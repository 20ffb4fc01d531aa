// Package htmlrewrite puts the session id of the URL into the links of finished
// pages, for sites whose templates cannot call cookieless.Apply:
//
//	m.Wrap(htmlrewrite.Handler(next))
//
// It stands inside the session middleware, which reads the request. Where the id
// travels in the cookie it hands the writer on untouched and costs nothing.
//
// In text/html it changes the attributes href, src, action and formaction and the
// URL of a meta refresh, where the value is rooted (/shop/x) and
// cookieless.Apply changes it. Relative links keep the id by themselves. All the
// rest goes out byte for byte: other attributes, text, comments, doctypes, and the
// contents of script, style, textarea, title, iframe, xmp, noembed, noframes,
// plaintext and template. Inside changed values an entity stays an entity.
//
// Of base href, rooted links are munged as others are, and an absolute one of the
// request's own host is munged in its path, because relative links hang on it. A
// base of another host ends the rewriting of the page: links would carry the id
// there.
//
// # Streaming
//
// Nothing waits but a start tag until its end, at most [MaxTag] bytes; a longer
// one passes verbatim. So Flush shows everything but half a tag, and how the
// handler cuts its writes never shows in the output. Start tags are found by a
// small scanner, because the tokenizer of golang.org/x/net/html holds a whole
// text or script before it hands it out and does not tell where attributes
// stand; the tokenizer then decodes the tags that have a candidate. Tests hold the
// two against each other.
//
// Left alone are responses of another Content-Type or with a Content-Encoding
// (compress outside of this), charsets that do not contain ASCII (UTF-16,
// ISO-2022), 1xx, 204, 206 and 304. Rewritten ones lose Content-Length and
// Accept-Ranges, as their length is not known before the end.
//
// # Security
//
// No link of another origin, none with a scheme, // or backslashes gets the id.
// What is munged is markup as a browser without scripts reads it (noscript is
// markup); CDATA sections of inline SVG are read as HTML.
package htmlrewrite
