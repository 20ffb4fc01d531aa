package legacy_test

import (
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/payload"
)

var update = flag.Bool("update", false, "write testdata/captured-session.bin from the pages; needs Mono")

// Captured is what the pages store today, but for the time of day.
func TestCaptureIsWhatPagesStore(t *testing.T) {
	w := enter(t)
	got := w.stored(t, fill(t, w)).Payload
	if *update {
		b, err := got.Append(nil) // not changed, and so the very bytes
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("testdata/captured-session.bin", b, 0o644))
		t.Skip("written: run the tests again")
	}
	want := captured(t)
	require.Equal(t, want.Timeout(), got.Timeout())
	require.Equal(t, want.Items().Keys(), got.Items().Keys())
	for item := range want.Items().All() {
		now, ok := got.Items().Item(item.Key)
		require.True(t, ok)
		require.Equal(t, item.TypeName(), now.TypeName(), item.Key)
		require.Len(t, now.Data, len(item.Data), item.Key)
		switch item.Key {
		case "started":
		case "cart":
			require.Equal(t, undated(t, want), undated(t, got))
			require.Equal(t, libraries(t, item), libraries(t, now))
		default:
			require.Equal(t, item.Data, now.Data, item.Key)
		}
	}
}

func captured(t *testing.T) *payload.Payload {
	t.Helper()
	p, err := payload.Open(legacy.Captured(), payload.Limits{})
	require.NoError(t, err)
	return p
}

// undated is the cart without the time of its making.
func undated(t *testing.T, p *payload.Payload) shoppingCart {
	t.Helper()
	cart, err := payload.Value[shoppingCart](p.Items(), "cart")
	require.NoError(t, err)
	require.NotZero(t, cart.Created)
	cart.Created = time.Time{}
	return cart
}

// libraries are the assemblies that an object needs.
func libraries(t *testing.T, item payload.Item) []string {
	t.Helper()
	v, err := item.Decode(nil)
	require.NoError(t, err)
	require.IsType(t, payload.Object{}, v)
	g, err := v.(payload.Object).Graph()
	require.NoError(t, err)
	return slices.Collect(g.Libraries())
}

// The capture can be had without Mono, and nobody can spoil it for others.
func TestCapturedIsACopy(t *testing.T) {
	clear(legacy.Captured())
	user, err := payload.Value[string](captured(t).Items(), "user")
	require.NoError(t, err)
	require.Equal(t, "Ada", user)
	require.Len(t, undated(t, captured(t)).Lines, 2)
}
