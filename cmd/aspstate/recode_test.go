package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func sha256Text(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// The object is about the very bytes that recode writes without --json.
func TestRecodeJSON(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		return b
	}
	store := read(filepath.Join(testdata, "store-mixed.bin"))
	for _, test := range []struct {
		name, framing string
		in            []byte
		identical     bool
	}{
		{"frame", framingStore, store, true},
		{"frame with more behind its end", framingStore, append(store[:len(store):len(store)], "behind"...), false},
		{"compressed frame", framingDeflate, read(filepath.Join(testdata, "deflate-mixed.bin")), false},
		{"items", framingItems, read(filepath.Join(testdata, "prim-int32.bin")), true},
		{"object stream", framingNRBF, read("../../nrbf/testdata/nrbf-cart-50.bin"), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := []string{"--framing", test.framing, "-"}
			plain := runTool(test.in, append([]string{"recode"}, args...)...)
			require.Equal(t, exitOK, plain.code, plain.stderr)
			r := runTool(test.in, append([]string{"recode", "--json"}, args...)...)
			require.Equal(t, exitOK, r.code, r.stderr)
			require.Empty(t, r.stderr)
			var doc recodedJSON
			decode(t, r.stdout, &doc)
			want := recodedJSON{
				Framing: test.framing, BytesIn: len(test.in), BytesOut: len(plain.stdout),
				SHA256In: sha256Text(test.in), SHA256Out: sha256Text(plain.stdout), Identical: test.identical,
			}
			if test.framing == framingDeflate {
				require.Equal(t, inflate(t, test.in), inflate(t, plain.stdout))
				want.InflatedIdentical = new(true)
			}
			require.Equal(t, want, doc)
		})
	}
	for _, in := range []string{"", "junk junk"} {
		r := runTool([]byte(in), "recode", "--json", "-")
		require.Equal(t, exitData, r.code)
		require.Empty(t, r.stdout)
		require.Contains(t, r.stderr, "aspstate: standard input: ")
	}
}

// What inflates to something else says so: bytes behind a compressed frame's end,
// which .NET ignores, are not written.
func TestRecodeJSONInflatesToSomethingElse(t *testing.T) {
	store, err := os.ReadFile(filepath.Join(testdata, "store-mixed.bin"))
	require.NoError(t, err)
	in := deflated(t, append(store, "behind"...))
	r := runTool(in, "recode", "--json", "--framing", framingDeflate, "-")
	require.Equal(t, exitOK, r.code, r.stderr)
	var doc recodedJSON
	decode(t, r.stdout, &doc)
	require.Equal(t, new(false), doc.InflatedIdentical)
	require.False(t, doc.Identical)
}

func deflated(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}
