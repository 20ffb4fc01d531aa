package middleware

import (
	"context"
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
// cookie is that of Options.Cookie. client is http.DefaultClient's transport
// without redirects where it is nil. The error says what came back if that was
// not 2xx or 3xx, or a cookie with another id: then the application does not
// take ids from Go (another cookie name, an id manager of its own).
//
// # Security
//
// The request carries the id: url must lead to the application itself, over a
// network that can be trusted or over https.
func Bootstrap(url string, cookie Cookie, client *http.Client) func(ctx context.Context, id string) error {
	invalid := cookie.setDefaults()
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return func(ctx context.Context, id string) error {
		if invalid != nil {
			return invalid
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("middleware: bootstrap: %w", err)
		}
		r.Header.Set("Cookie", cookie.Name+"="+id)
		resp, err := client.Do(r)
		if err != nil {
			return fmt.Errorf("middleware: bootstrap: %w", err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // the connection can be used again
		if resp.StatusCode < 200 || resp.StatusCode > 399 {
			return fmt.Errorf("middleware: bootstrap: GET %s answered %s", url, resp.Status)
		}
		for _, c := range resp.Cookies() {
			if strings.EqualFold(c.Name, cookie.Name) && !strings.EqualFold(c.Value, id) {
				return fmt.Errorf("middleware: bootstrap: GET %s answered with a session of another id: the application did not take this one", url)
			}
		}
		return nil
	}
}
