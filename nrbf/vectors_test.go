package nrbf_test

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/nrbf"
)

// A vector is one file with object streams that Microsoft's published
// BinaryFormatter wrote.
type vector struct {
	Name, File, Framing                string
	Notes, Outcome, Exception, Message string // of testdata/bad
}

type wireItem struct {
	Offset, Length int
	Graph          wireGraph
}

type wireGraph struct {
	Root    int32
	Strings map[string]string
	Objects []wireObject
}

type wireObject struct {
	ID          int32
	Class       *string
	Lib         *string
	Members     [][2]json.RawMessage
	Array       *string
	Lengths     []int
	LowerBounds []int
	Elements    []json.RawMessage
	Sha256      string
}

func readJSON[T any](t testing.TB, path ...string) (v T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &v))
	return v
}

func vectors(t testing.TB) []vector { return readJSON[[]vector](t, "testdata", "manifest.json") }
func badVectors(t testing.TB) []vector {
	return readJSON[[]vector](t, "testdata", "bad", "manifest-bad.json")
}

func file(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return b
}

func nrbfFile(t testing.TB, name string) []byte { return file(t, "testdata", name+".bin") }

// streams cuts the object streams out of a vector.
func (v vector) streams(t testing.TB) (items []wireItem, streams [][]byte) {
	t.Helper()
	dir := filepath.Join("..", "payload", "testdata")
	if v.Framing == "nrbf" {
		dir = "testdata"
	}
	data := file(t, dir, v.File)
	if v.Framing == "store-deflate" {
		var err error
		data, err = io.ReadAll(flate.NewReader(bytes.NewReader(data)))
		require.NoError(t, err)
	}
	items = readJSON[[]wireItem](t, "testdata", v.Name+".wire.json")
	require.NotEmpty(t, items)
	for _, item := range items {
		streams = append(streams, data[item.Offset:][:item.Length])
	}
	return items, streams
}

func eachStream(t *testing.T, f func(t *testing.T, want wireGraph, stream []byte)) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			items, streams := v.streams(t)
			for i := range items {
				f(t, items[i].Graph, streams[i])
			}
		})
	}
}

func TestVectorsDecodeToTheirWireForm(t *testing.T) {
	eachStream(t, func(t *testing.T, want wireGraph, stream []byte) {
		g, err := nrbf.Decode(stream, nrbf.Options{})
		require.NoError(t, err)
		require.Equal(t, len(stream), g.Size())
		compareWire(t, want, g)
	})
}

// Unchanged graphs are written verbatim, but the writer could have done it from
// the graph alone: order, ids, runs and descriptions come out as .NET's.
func TestVectorsAreWrittenByteForByte(t *testing.T) {
	eachStream(t, func(t *testing.T, _ wireGraph, stream []byte) {
		g, err := nrbf.Decode(stream, nrbf.Options{})
		require.NoError(t, err)
		require.False(t, g.Changed())
		out, err := g.Append([]byte("x"))
		require.NoError(t, err)
		require.True(t, bytes.Equal(append([]byte("x"), stream...), out))
		out, err = g.Reencode(nil)
		require.NoError(t, err)
		if !bytes.Equal(stream, out) {
			i := 0
			for i < min(len(stream), len(out)) && stream[i] == out[i] {
				i++
			}
			t.Fatalf("lengths %d and %d differ from offset %d: % x, got % x", len(stream), len(out), i, stream[i:min(i+24, len(stream))], out[i:min(i+24, len(out))])
		}
	})
}

// What stands behind MessageEnd belongs to somebody else.
func TestStreamEndsAtMessageEnd(t *testing.T) {
	stream := nrbfFile(t, "nrbf-list-int")
	g, err := nrbf.Decode(append(bytes.Clone(stream), "junk"...), nrbf.Options{})
	require.NoError(t, err)
	require.Equal(t, len(stream), g.Size())
	out, err := g.Append(nil)
	require.NoError(t, err)
	require.Equal(t, stream, out)
}
