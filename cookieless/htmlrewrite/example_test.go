package htmlrewrite_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/cookieless/htmlrewrite"
)

// Rooted links of pages that know nothing of cookieless sessions get the id. The
// session middleware does what Read does here.
func ExampleHandler() {
	page := htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<a href="/shop/pay">Pay</a> <a href="help">Help</a> <a href="https://example.org/">Out</a>`)
	}))

	c, err := cookieless.New(cookieless.Options{Mode: cookieless.UseURI, App: "/shop"})
	if err != nil {
		panic(err)
	}
	r, _, err := c.Read(httptest.NewRequest("GET", "/shop/(S(2ne4zzc4yrcakgqbxgtomtfb))/cart", nil))
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output: <a href="/shop/(S(2ne4zzc4yrcakgqbxgtomtfb))/pay">Pay</a> <a href="help">Help</a> <a href="https://example.org/">Out</a>
}
