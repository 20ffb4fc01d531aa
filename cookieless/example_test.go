package cookieless_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"text/template"

	"github.com/aspsession/aspsession/cookieless"
)

// What a session middleware does with a request in path mode.
func ExampleCookieless_Read() {
	c, err := cookieless.New(cookieless.Options{Mode: cookieless.UseURI, App: "/shop"})
	if err != nil {
		panic(err)
	}
	// A first visit has no id: the client is sent to the same page with one.
	_, state, err := c.Read(httptest.NewRequest("GET", "/shop/cart?item=7", nil))
	if err != nil {
		panic(err)
	}
	location, status, err := state.Redirect("2ne4zzc4yrcakgqbxgtomtfb")
	if err != nil {
		panic(err)
	}
	fmt.Println(status, location)

	// It comes back; the handler sees the clean path.
	r, state, err := c.Read(httptest.NewRequest("GET", location, nil))
	if err != nil {
		panic(err)
	}
	fmt.Println(r.URL.Path, state.ID())
	// Output:
	// 302 /shop/(S(2ne4zzc4yrcakgqbxgtomtfb))/cart?item=7
	// /shop/cart 2ne4zzc4yrcakgqbxgtomtfb
}

// Links that a template writes rooted need Apply; relative ones keep the session.
func ExampleApply() {
	c, err := cookieless.New(cookieless.Options{Mode: cookieless.UseURI, App: "/shop"})
	if err != nil {
		panic(err)
	}
	r, _, err := c.Read(httptest.NewRequest("GET", "/shop/(S(2ne4zzc4yrcakgqbxgtomtfb))/cart", nil))
	if err != nil {
		panic(err)
	}
	page := template.Must(template.New("").Funcs(template.FuncMap{
		"apply": func(url string) string { return cookieless.Apply(r, url) },
	}).Parse(`<a href="{{apply "/shop/pay"}}">Pay</a> <a href="help">Help</a>` + "\n"))
	if err := page.Execute(os.Stdout, nil); err != nil {
		panic(err)
	}
	// Output: <a href="/shop/(S(2ne4zzc4yrcakgqbxgtomtfb))/pay">Pay</a> <a href="help">Help</a>
}
