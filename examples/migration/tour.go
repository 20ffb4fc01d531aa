package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

// tour walks through both halves as a visitor would, checks what the pages say,
// and prints a line for each step.
func tour(ctx context.Context, base string, out io.Writer) error {
	b, err := newBrowser(base)
	if err != nil {
		return err
	}
	defer b.client.CloseIdleConnections()
	v := &tourist{ctx: ctx, browser: b}
	for _, step := range []struct {
		name string
		do   func() string
	}{
		{"legacy", v.waitForLegacy},
		{"visit", v.firstVisit},
		{"fill", v.fill},
		{"sign in", v.signIn},
		{"edit", v.edit},
		{"unknown", v.unknown},
		{"move", v.move},
		{"back", v.moveBack},
		{"order", v.order},
		{"prices", v.prices},
		{"sign out", v.signOut},
	} {
		line := step.do()
		if v.err != nil {
			return fmt.Errorf("migration: step %q: %w", step.name, v.err)
		}
		fmt.Fprintf(out, "%-9s %s\n", step.name, line)
	}
	return nil
}

// A tourist remembers the page before him, and what went wrong first: all that
// is asked of him after that does nothing.
type tourist struct {
	*browser
	ctx    context.Context
	page   *shown
	err    error
	legacy string // what the legacy half's pages say who served them
	total  string // of the cart, on the last page that was looked at for it
}

func (v *tourist) visit(path string) {
	if v.err == nil {
		v.page, v.err = v.get(v.ctx, path)
	}
	v.fine(path)
}

func (v *tourist) click(label string, inputs ...string) {
	if v.err == nil {
		v.page, v.err = v.press(v.ctx, v.page, label, inputs...)
	}
	v.fine(strconv.Quote(label))
}

func (v *tourist) fine(what string) {
	if v.err == nil && v.page.Status != 200 {
		v.err = fmt.Errorf("%s was answered %d: %s", what, v.page.Status, v.page.Fields["headline"]+v.page.Fields["problem"])
	}
}

func (v *tourist) field(name string) string {
	if v.err != nil {
		return ""
	}
	return v.page.Fields[name]
}

func (v *tourist) number(name string) int {
	n, err := strconv.Atoi(v.field(name))
	if err != nil && v.err == nil {
		v.err = fmt.Errorf("%s shows %q as its %s: no number", v.page.URL.Path, v.field(name), name)
	}
	return n
}

func (v *tourist) expect(name, value string) {
	if got := v.field(name); v.err == nil && got != value {
		v.err = fmt.Errorf("%s shows %q as its %s, not %q", v.page.URL.Path, got, name, value)
	}
}

func (v *tourist) waitForLegacy() string {
	for began := time.Now(); ; {
		v.visit("/")
		switch state := v.field("legacy state"); {
		case v.err != nil:
			return ""
		case state == up:
			v.legacy = "ASP.NET on Mono"
			return fmt.Sprintf("real ASP.NET pages on Mono, after %.1f s", time.Since(began).Seconds())
		case state == stands:
			v.legacy = "Go, standing in for ASP.NET"
			return "Go stands in for ASP.NET. " + v.field("reason") + " " + v.field("advice")
		case state == failed:
			v.err = fmt.Errorf("the legacy half failed: %s %s", v.field("reason"), v.field("advice"))
			return ""
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-v.ctx.Done():
			v.err = context.Cause(v.ctx)
			return ""
		}
	}
}

func (v *tourist) firstVisit() string {
	v.visit("/cart.aspx")
	v.expect("served", "Go")
	v.total = v.field("total")
	v.visit("/bytes")
	v.expect("startedBy type", "System.String")
	v.expect("startedBy by", string(aspNet))
	return fmt.Sprintf("a first page in Go, and ASP.NET's Session_Start has run: the cart comes to %s", v.total)
}

func (v *tourist) fill() string {
	v.visit("/catalogue.aspx")
	v.expect("served", v.legacy)
	before := v.number("count")
	v.click("add TEA")
	v.click("add CUP")
	v.expect("count", strconv.Itoa(before+2))
	return fmt.Sprintf("the catalogue, served by %s, puts tea and a cup into the cart: %s", v.legacy, v.field("total"))
}

func (v *tourist) signIn() string {
	const name = "Ada <Lovelace>"
	v.visit("/signin.aspx")
	v.expect("served", v.legacy)
	v.click("sign in", "name", name)
	v.visit("/cart.aspx")
	v.expect("served", "Go")
	v.expect("user", name)
	return fmt.Sprintf("a name given to %s is read in Go: %s", v.legacy, name)
}

func (v *tourist) edit() string {
	count := v.number("count") - v.number("qty TEA") + 3
	v.click("update", "qty TEA", "3")
	v.expect("served", "Go")
	v.expect("qty TEA", "3")
	v.expect("count", strconv.Itoa(count))
	v.total = v.field("total")
	return fmt.Sprintf("Go changes a line of the C# cart: %d pieces for %s", count, v.total)
}

// unknown has Go save once more, and compares what it does not know.
func (v *tourist) unknown() string {
	v.visit("/bytes")
	v.expect("cart by", string(inGo))
	cart, recent, prefs := v.field("cart sum"), v.field("recent sum"), v.field("prefs sum")
	v.visit("/cart.aspx")
	v.click("update", "qty CUP", "4")
	v.visit("/bytes")
	v.expect("recent sum", recent)
	v.expect("prefs sum", prefs)
	v.expect("recent by", string(aspNet))
	if v.err == nil && (recent == "" || prefs == "" || v.field("cart sum") == cart) {
		v.err = fmt.Errorf("/bytes does not show what Go saved")
	}
	return fmt.Sprintf("Go saved again; recent (%s) and prefs (%s) are as ASP.NET wrote them, to the byte", v.field("recent type"), v.field("prefs type"))
}

func (v *tourist) move() string {
	v.visit("/cart.aspx")
	v.total = v.field("total")
	v.visit("/")
	v.click("move /cart.aspx to ASP.NET")
	v.visit("/cart.aspx")
	v.expect("served", v.legacy)
	v.expect("qty TEA", "3")
	v.expect("total", v.total)
	v.click("update", "qty TEA", "2")
	v.expect("qty TEA", "2")
	return fmt.Sprintf("the cart's page moves to the other half: %s shows the same %s, and takes one off", v.legacy, v.total)
}

func (v *tourist) moveBack() string {
	v.visit("/")
	v.click("move /cart.aspx to Go")
	v.visit("/cart.aspx")
	v.expect("served", "Go")
	v.expect("qty TEA", "2")
	return fmt.Sprintf("and back: Go has two teas, %s in all", v.field("total"))
}

func (v *tourist) order() string {
	v.visit("/checkout.aspx")
	v.expect("served", "Go")
	v.click("order")
	v.expect("orders", "1")
	v.expect("count", "0")
	return "checked out in Go: " + v.field("last order")
}

func (v *tourist) prices() string {
	last := v.field("last order")
	v.visit("/prices.aspx")
	v.expect("served", v.legacy)
	v.expect("orders", "1")
	v.expect("last order", last)
	return fmt.Sprintf("%s reads the order, on a page that takes no lock", v.legacy)
}

func (v *tourist) signOut() string {
	v.visit("/signout.aspx")
	v.expect("served", v.legacy)
	v.click("sign out")
	v.visit("/cart.aspx")
	v.expect("served", "Go")
	v.expect("user", "")
	v.expect("count", "0")
	return fmt.Sprintf("ended by %s, and Go begins anew: nobody is signed in, the cart is empty", v.legacy)
}
