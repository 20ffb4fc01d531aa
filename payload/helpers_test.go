package payload_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// inflateForTest is the standard library alone, beside our own inflating.
func inflateForTest(t testing.TB, data []byte) []byte {
	t.Helper()
	b, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	require.NoError(t, err)
	return b
}

func floatBits(v any) string {
	switch v := v.(type) {
	case float32:
		return fmt.Sprintf("0x%08x", math.Float32bits(v))
	case float64:
		return fmt.Sprintf("0x%016x", math.Float64bits(v))
	}
	return fmt.Sprintf("%T", v)
}
