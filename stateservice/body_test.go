package stateservice_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// A content is one Set's, whole, whoever writes over it meanwhile: of sizes on
// both sides of where contents are copied, by Gets, acquires, and those that
// were parked.
func TestContentsAreWhole(t *testing.T) {
	hear := stateservice.EndFunc(func(context.Context, stateservice.End) error { return nil })
	for name, opt := range map[string]stateservice.Options{
		"copied": {ParkTimeout: forever}, "shared": {ParkTimeout: forever, OnEnd: hear},
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := run(t, opt)
			sizes := []int{1, 100, 1000, 1024, 1100, 5000, 16 << 10, 16<<10 + 1, 20 << 10, 40 << 10}
			dial(t, addr).ask(save(key, "a"))
			var wg sync.WaitGroup
			for n := range 4 {
				w := dial(t, addr)
				rnd := rand.New(rand.NewPCG(1, uint64(n)))
				wg.Go(func() {
					letter := string(rune('a' + n))
					for range 150 {
						rep := w.ask(take())
						whole(t, rep)
						held := "LockCookie: " + field(rep, "LockCookie")
						w.ask(save(key, strings.Repeat(letter, sizes[rnd.IntN(len(sizes))]), held))
						whole(t, w.ask(read()))
					}
				})
			}
			wg.Wait()
		})
	}
}

func whole(t *testing.T, rep string) {
	body := content(rep)
	if status(rep) != "200" || body == "" || strings.Trim(body, body[:1]) != "" {
		t.Errorf("a content of %d bytes with more than one letter, status %s", len(body), status(rep))
	}
}

// What a hook was given stays as it was.
func TestEndsKeepTheirContents(t *testing.T) {
	h := new(hook)
	_, addr := run(t, stateservice.Options{OnEnd: h})
	w := dial(t, addr)
	w.ask(save("k", fill(100)))
	w.ask(request("DELETE", "k"))
	w.ask(save("k", strings.Repeat("y", 100)))
	w.ask(save("k", strings.Repeat("z", 100)))
	require.Equal(t, fill(100), string(h.await(t, 1)["k"].Payload))
}
