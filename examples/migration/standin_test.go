package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/payload"
)

// A visitor is handed the session that ASP.NET stored, to the byte.
func TestStandInHandsOutTheCapture(t *testing.T) {
	p, err := payload.Open(legacy.Captured(), payload.Limits{})
	require.NoError(t, err)
	captured := make(map[string]string)
	for item := range p.Items().All() {
		captured[item.Key] = string(item.Data)
	}
	w := worldOf(t, modeGo)
	for _, first := range []string{"/catalogue.aspx", "/prices.aspx", "/cart.aspx"} {
		v := w.guest(t)
		require.Equal(t, "Ada", v.ok(first).Fields["user"])
		require.Equal(t, captured, v.bytesOf(), first)
	}
}

func TestStandInSaysSoOnEveryPage(t *testing.T) {
	w := worldOf(t, modeGo)
	v := w.guest(t)
	for _, path := range []string{"/catalogue.aspx", "/signin.aspx", "/signout.aspx", "/prices.aspx", "/broken.aspx", "/nothing.aspx"} {
		require.Equal(t, "Go, standing in for ASP.NET", v.get(path).Fields["served"], path)
		require.Contains(t, v.page.Body, `class="on-legacy"`)
	}
	require.Equal(t, "started", v.ok("/start.aspx").Body)
	require.Contains(t, v.ok("/").Fields["reason"], "-legacy go")
}

func TestStandInCartHasALimit(t *testing.T) {
	w := worldOf(t, modeGo)
	v := w.guest(t)
	v.ok("/catalogue.aspx")
	v.press("add TEA")
	v.ok("/cart.aspx")
	v.press("update", "qty TEA", "99")
	v.ok("/catalogue.aspx")
	require.Contains(t, v.press("add TEA").Fields["problem"], "99 pieces")
	require.Equal(t, "99", v.ok("/cart.aspx").Fields["qty TEA"])
}
