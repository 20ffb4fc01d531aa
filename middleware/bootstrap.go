package middleware

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Bootstrap is a ready session.Options.Bootstrap: one GET of a page of the
// ASP.NET application, with the new session's cookie, so that its Session_Start
// runs and what it sets is there for the pages that rely on it. Any page with
// session state does; a small one of its own is best, because it runs whole.
//
// cookie is that of Options.Cookie. A client of nil is http.DefaultTransport
// without redirects. ASP.NET starts the session under the id that it is sent; an
// application that answers with a session cookie of its own (an id manager of its
// own, Mono) has started that one, and the visitor gets its id. An answer that is
// not 2xx or 3xx is an error.
//
// # Security
//
// The request carries the id: url must lead to the application itself, over a
// network that can be trusted or over https.
func Bootstrap(url string, cookie Cookie, client *http.Client) func(ctx context.Context, id string) (string, error) {
	invalid := cookie.setDefaults()
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return func(ctx context.Context, id string) (string, error) {
		if invalid != nil {
			return "", invalid
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", errors.New("middleware: bootstrap: the url is none") // why may show a password in it
		}
		r.Header.Set("Cookie", cookie.Name+"="+id)
		resp, err := client.Do(r)
		if err != nil {
			return "", fmt.Errorf("middleware: bootstrap: %w", err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // the connection can be used again
		if resp.StatusCode < 200 || resp.StatusCode > 399 {
			return "", fmt.Errorf("middleware: bootstrap: GET %s answered %s", r.URL.Redacted(), resp.Status)
		}
		for _, c := range resp.Cookies() {
			if strings.EqualFold(c.Name, cookie.Name) && c.Value != "" {
				id = c.Value
			}
		}
		return id, nil
	}
}
