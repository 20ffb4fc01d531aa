package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// table says which half serves which page. Moving a page is changing one word of
// one line. What is not in it is the legacy half's, as in a move in progress.
var table = []route{
	{"/catalogue.aspx", aspNet},
	{"/cart.aspx", inGo},
	{"/checkout.aspx", inGo},
	{"/prices.aspx", aspNet},
	{"/signin.aspx", aspNet},
	{"/signout.aspx", aspNet},
	{"/start.aspx", aspNet},
	{"/broken.aspx", aspNet},
}

// onBoth are the pages that both halves have: those that can move back and forth
// while the site runs.
var onBoth = []string{"/cart.aspx", "/signout.aspx"}

type route struct {
	Path string
	Half half
}

// Movable reports a page that both halves have.
func (r route) Movable() bool { return slices.Contains(onBoth, r.Path) }

type half string

const (
	aspNet half = "ASP.NET"
	inGo   half = "Go"
)

// Other is the half across.
func (h half) Other() half {
	if h == inGo {
		return aspNet
	}
	return inGo
}

// routes is a copy of the table that the front page can change.
type routes struct {
	mu   sync.Mutex // guards rows
	rows []route
}

func newRoutes() *routes { return &routes{rows: slices.Clone(table)} }

func (t *routes) all() []route {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.rows)
}

// lookup finds who serves a decoded path. IIS compares without case, has "\" for
// "/" and "/x/../" for "/", and serves /cart.aspx/more with /cart.aspx: a page that
// was moved must not be there under another spelling.
func (t *routes) lookup(decoded string) route {
	spelled := lower(path.Clean("/"+strings.ReplaceAll(decoded, `\`, "/"))) + "/"
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.rows {
		if strings.HasPrefix(spelled, r.Path+"/") {
			return r
		}
	}
	return route{decoded, aspNet}
}

// move has the other half serve a page from now on.
func (t *routes) move(page string, to half) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, r := range t.rows {
		if r.Path == page && r.Movable() && (to == inGo || to == aspNet) {
			t.rows[i].Half = to
			return nil
		}
	}
	return fmt.Errorf("migration: %q is no page that both halves have", page)
}

// lower is for ASCII alone: Unicode has more letters that become a "k".
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
