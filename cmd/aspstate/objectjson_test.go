package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// A stream that cannot be read is told by its digest, and why.
func TestBrokenObjectStream(t *testing.T) {
	broken := append([]byte{0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 99}, 11)
	items := payload.NewItems(payload.Limits{})
	require.NoError(t, items.Set("o", payload.Object(broken)))
	require.NoError(t, items.Set("n", int32(5)))
	data, err := items.Append(nil)
	require.NoError(t, err)
	r := runTool(data, "inspect", "--json", "-")
	require.Equal(t, exitData, r.code)
	var got struct{ Items []map[string]any }
	require.NoError(t, json.Unmarshal(r.stdout, &got))
	require.Equal(t, "System.Object", got.Items[0]["dotnetType"])
	require.Contains(t, got.Items[0]["value"], "$opaque")
	require.Contains(t, got.Items[0]["error"], `item "o" (#0): nrbf: `)
	require.InDelta(t, 5, got.Items[1]["value"], 0)

	r = runTool(data, "inspect", "-")
	require.Equal(t, exitData, r.code)
	require.Regexp(t, `(?m)^o +System.Object +error: nrbf: `, string(r.stdout))
	r = runTool(data, "inspect", "--wire", "-")
	require.Equal(t, exitData, r.code)
	require.Contains(t, string(r.stdout), `"error":"item \"o\" (#0): nrbf: `)
	r = runTool(data, "recode", "-")
	require.Equal(t, exitData, r.code)
	require.Empty(t, r.stdout)
}

// Objects that become far more text than they are bytes are refused, not shown.
func TestObjectsThatGrow(t *testing.T) {
	deep := nrbf.New(nrbf.Options{})
	var next any
	for range 100_000 {
		a, err := deep.NewArray(nrbf.ObjectType(), 1, false)
		require.NoError(t, err)
		require.NoError(t, a.Set(0, next))
		next = a
	}
	require.NoError(t, deep.SetRoot(next))

	wide := nrbf.New(nrbf.Options{})
	c, err := wide.NewClass("System.Collections.ArrayList", "", nrbf.Member{Name: "_items", Type: nrbf.Type{Form: nrbf.FormObjectArray}},
		nrbf.Member{Name: "_size", Type: nrbf.PrimitiveType(nrbf.KindInt32)}, nrbf.Member{Name: "_version", Type: nrbf.PrimitiveType(nrbf.KindInt32)})
	require.NoError(t, err)
	shared, err := wide.NewArray(nrbf.ObjectType(), 100_000, false)
	require.NoError(t, err)
	root, err := wide.NewArray(nrbf.ObjectType(), 10_000, false)
	require.NoError(t, err)
	for i := range 10_000 {
		o, err := wide.NewObject(c)
		require.NoError(t, err)
		require.NoError(t, o.Set("_items", shared))
		require.NoError(t, o.Set("_size", shared.Len()))
		require.NoError(t, root.Set(i, o))
	}
	require.NoError(t, wide.SetRoot(root))

	for reason, g := range map[error]*nrbf.Graph{errDeep: deep, errLarge: wide} {
		stream, err := g.Append(nil)
		require.NoError(t, err)
		r := runTool(stream, "inspect", "--json", "--framing", "nrbf", "-")
		require.Equal(t, exitData, r.code)
		require.Contains(t, string(r.stdout), reason.Error())
		require.Contains(t, string(r.stdout), "$opaque")
		r = runTool(stream, "inspect", "--framing", "nrbf", "-")
		require.Equal(t, exitOK, r.code, r.stderr)
		r = runTool(stream, "inspect", "--wire", "--framing", "nrbf", "-")
		require.Equal(t, exitOK, r.code, r.stderr)
		r = runTool(stream, "recode", "--framing", "nrbf", "-")
		require.Equal(t, stream, r.stdout)
	}
}

func TestSummaries(t *testing.T) {
	for name, want := range map[string]string{
		"nrbf-dict-string-string": `Dictionary<String, String> of 3 {"a": "1", "b": null, "": "e"}`,
		"nrbf-list-list-int":      `List<List<Int32>> of 2 [List<Int32>, List<Int32>]`,
		"nrbf-jagged-int":         `Int32[][] of 4 [Int32[], null, Int32[], Int32[]]`,
		"nrbf-lower-bound-1d":     `Int32[*] of 3 [0, 10, 20]`,
		"nrbf-version":            `Version 1.2.3.4`,
		"nrbf-enum-sbyte":         `SByteEnum -128`,
		"nrbf-dataset-xml":        `DataSet Shop: Parents (2 rows), Children (3 rows)`,
		"nrbf-byte-array-300":     `Byte[] of 300`,
	} {
		r := runTool(nil, "inspect", objectVectors+"/"+name+".bin")
		require.Equal(t, exitOK, r.code, r.stderr)
		require.Contains(t, string(r.stdout), "System.Object  "+want+"  ")
	}
}
