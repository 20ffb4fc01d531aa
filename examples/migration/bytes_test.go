package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The page shows the bytes as they are, and who wrote them.
func TestBytesPage(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		require.Contains(t, v.ok("/bytes").Body, "no session yet")
		require.Empty(t, v.page.Header.Get("Set-Cookie"), "to look begins nothing")
		v.ok("/catalogue.aspx")
		v.press("add TEA")
		v.ok("/bytes")
		for key, data := range v.bytesOf() {
			sum := sha256.Sum256([]byte(data))
			require.Equal(t, hex.EncodeToString(sum[:8]), v.page.Fields[key+" sum"], key)
			require.Equal(t, strconv.Itoa(len(data)), v.page.Fields[key+" size"], key)
		}
		require.Equal(t, "Shop.ShoppingCart", v.page.Fields["cart type"])
		require.Equal(t, "System.Collections.Generic.Queue<System.String>", v.page.Fields["recent type"])
		require.Equal(t, "System.Collections.Hashtable", v.page.Fields["prefs type"])
		require.Equal(t, "ASP.NET", v.page.Fields["cart by"])
		require.NotContains(t, v.page.Body, v.id(), "the id is a secret")

		v.ok("/cart.aspx")
		v.press("update", "qty TEA", "41")
		v.ok("/bytes")
		require.Equal(t, "Go", v.page.Fields["cart by"])
		require.Equal(t, "ASP.NET", v.page.Fields["recent by"])

		v.ok("/catalogue.aspx")
		v.press("add TEA")
		require.Equal(t, "ASP.NET", v.ok("/bytes").Fields["cart by"])
	})
}

// Somebody at work on the session is waited for.
func TestBytesPageWaitsForTheLock(t *testing.T) {
	w := worldOf(t, modeGo)
	v := w.guest(t)
	v.ok("/cart.aspx")
	rec, err := w.store.Acquire(t.Context(), v.id(), time.Minute)
	require.NoError(t, err)
	released := make(chan error, 1)
	go func() {
		time.Sleep(100 * time.Millisecond) // either order does
		released <- w.store.Release(t.Context(), v.id(), rec.Lock)
	}()
	require.Equal(t, "System.String", v.ok("/bytes").Fields["startedBy type"])
	require.NoError(t, <-released)
}
