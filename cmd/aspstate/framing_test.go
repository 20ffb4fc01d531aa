package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
)

func TestDetection(t *testing.T) {
	object := append([]byte{0, 9, 0, 0, 0, 255, 8, 8, 8, 1, 0, 0, 0, 0, 0, 0, 0}, 11)

	// Two items, one without a name, one with an empty one and a value of 0xff00
	// bytes: read as a frame, that is no items, no static tail, and a trailer.
	short := binary.LittleEndian.AppendUint32(nil, 2)
	short = binary.LittleEndian.AppendUint32(short, 1)
	short = append(short, 0)
	short = binary.LittleEndian.AppendUint32(short, 0xff00)
	short = binary.LittleEndian.AppendUint32(short, 0xff01)
	short = append(short, byte(payload.TypeString), 0xfc, 0xfd, 0x03)
	short = append(short, strings.Repeat("x", 0xff00-4)...)
	short = append(short, byte(payload.TypeNull))
	_, err := payload.Open(short, payload.Limits{})
	require.NoError(t, err, "the example must be ambiguous")

	oneNull := []byte{20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 'n', 1, 0, 0, 0, 21, 0xff}
	empty := []byte{20, 0, 0, 0, 0, 0, 0xff}
	var squeezed bytes.Buffer
	w, err := flate.NewWriter(&squeezed, flate.NoCompression)
	require.NoError(t, err)
	_, err = w.Write(empty)
	require.NoError(t, err)
	require.NoError(t, w.Close())

	for _, test := range []struct {
		name, framing string
		data          []byte
	}{
		{"an empty frame", "store", empty},
		{"an empty frame without timeout is no empty collection", "store", []byte{0, 0, 0, 0, 0, 0, 0xff}},
		{"a frame with a null and bytes behind its end", "store", append(bytes.Clone(oneNull), 0xff, 1, 2)},
		{"a frame with a static object and bytes behind its end", "store", []byte{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 'a', 1, 3, 1, 0xff, 1}},
		{"a frame whose flag promises items, of which there are none", "store", []byte{1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0xff}},
		{"an empty collection", "items", []byte{0, 0, 0, 0}},
		{"a collection that begins like a frame", "items", short},
		{"a stored block, not compressed", "store-deflate", append(bytes.Clone(squeezed.Bytes()), 0xff)},
		{"DEFLATE without its last byte", "store-deflate", squeezed.Bytes()},
		{"an object stream of unusual ids", "nrbf", object},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := open(framingAuto, test.data)
			require.NoError(t, err)
			require.Equal(t, test.framing, s.framing)
		})
	}

	for _, test := range []struct {
		name string
		data []byte
	}{
		{"nothing", nil},
		{"a frame cut short, which begins like an empty collection", []byte{0, 0, 0, 0, 1, 0, 1, 0, 0, 0}},
		{"a byte in front of an object stream, which begins like an empty frame", append([]byte{255}, object...)},
		{"an empty frame and bytes behind its end", append(bytes.Clone(empty), 0xff, 1, 2)},
		{"another version", append([]byte{0, 1, 0, 0, 0, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0, 0}, 11)},
		{"text", []byte("<sessionState mode=\"StateServer\" />")},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := runTool(test.data, "inspect", "-")
			require.Equal(t, exitData, r.code)
			require.Empty(t, r.stdout)
			lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
			require.Len(t, lines, 5, r.stderr)
			require.Equal(t, "aspstate: standard input: no framing fits", lines[0])
			for i, framing := range []string{"nrbf", "store", "store-deflate", "items"} {
				require.Regexp(t, "^  "+framing+": .+", lines[i+1])
			}
		})
	}
}

func TestBytesBehindTheEndAreCounted(t *testing.T) {
	// Asked for, an empty session with bytes behind it is what .NET reads.
	r := runTool([]byte{20, 0, 0, 0, 0, 0, 0xff, 1, 2}, "inspect", "--framing", "store", "-")
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Equal(t, "store: 9 bytes, timeout 20 minutes, 0 items, no static tail, 2 bytes that carry nothing\n", string(r.stdout))

	r = runTool([]byte{0, 0, 0, 0, 9}, "inspect", "--framing", "items", "-")
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Equal(t, "items: 5 bytes, 0 items, 1 byte that carry nothing\n", string(r.stdout))
}
