package payload_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
)

func TestWhatIsSavedCanBeOpened(t *testing.T) {
	lim := payload.Limits{Bytes: 1000, Items: 10}
	p := payload.New(20, lim)
	var data []byte
	for _, k := range []string{"a", "b"} { // two requests of 600 bytes each
		require.NoError(t, p.Items().Set(k, strings.Repeat("x", 600)))
		var err error
		if data, err = p.Append(nil); err != nil {
			require.ErrorIs(t, err, payload.ErrLimit)
			return
		}
		p, err = payload.Open(data, lim)
		require.NoError(t, err, "saved without an error, and now nobody can open it")
	}
}

// What a value replaces does not count.
func TestReplacingALargeValue(t *testing.T) {
	p := payload.New(20, payload.Limits{Bytes: 1000})
	for range 2 {
		require.NoError(t, p.Items().Set("a", strings.Repeat("x", 600)))
	}
}

// On 32 bits the highest limit is the highest int.
func TestTheHighestLimit(t *testing.T) {
	p := payload.New(20, payload.Limits{})
	data, err := p.AppendDeflate(nil)
	require.NoError(t, err)
	_, err = payload.OpenDeflate(data, payload.Limits{Bytes: math.MaxInt32})
	require.NoError(t, err)
}
