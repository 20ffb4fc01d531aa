package nrbf_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

func compareWire(t *testing.T, want wireGraph, g *nrbf.Graph) {
	t.Helper()
	require.Equal(t, want.Root, idOf(g.Root()))
	for id, text := range want.Strings {
		n, err := strconv.Atoi(id)
		require.NoError(t, err)
		got, ok := g.ByID(int32(n)).Text()
		require.True(t, ok)
		require.Equal(t, text, got)
	}
	var got []nrbf.Value
	for v := range g.All() {
		if v.Kind() != nrbf.KindString {
			got = append(got, v)
		}
	}
	require.Len(t, got, len(want.Objects))
	for i, w := range want.Objects {
		v := got[i]
		require.Equal(t, w.ID, idOf(v))
		if w.Class != nil {
			compareObject(t, g, w, v.Object())
		} else {
			compareArray(t, g, w, v.Array())
		}
	}
}

func compareObject(t *testing.T, g *nrbf.Graph, w wireObject, o *nrbf.Object) {
	t.Helper()
	require.NotNil(t, o, w.ID)
	require.Equal(t, *w.Class, o.Class().Name())
	lib := ""
	if w.Lib != nil {
		lib = *w.Lib
	}
	require.Equal(t, lib, o.Class().Library())
	require.Len(t, w.Members, o.Len())
	i := 0
	for name, v := range o.Members() {
		var want string
		require.NoError(t, json.Unmarshal(w.Members[i][0], &want))
		require.Equal(t, want, name)
		require.Equal(t, v, o.Get(name))
		require.Equal(t, canonical(t, g, w.Members[i][1]), canonicalJSON(t, wire(v, false)), "%s.%s", *w.Class, name)
		i++
	}
}

func compareArray(t *testing.T, g *nrbf.Graph, w wireObject, a *nrbf.Array) {
	t.Helper()
	require.NotNil(t, a, w.ID)
	require.Equal(t, *w.Array, a.Elem().String())
	total := 1
	require.Len(t, w.Lengths, a.Rank())
	for i := range w.Lengths {
		require.Equal(t, w.Lengths[i], a.Length(i))
		require.Equal(t, w.LowerBounds[i], a.LowerBound(i))
		total *= w.Lengths[i]
	}
	require.Equal(t, total, a.Len())
	if w.Sha256 != "" {
		sum := sha256.Sum256(a.Bytes())
		require.Equal(t, w.Sha256, hex.EncodeToString(sum[:]))
		return
	}
	require.Len(t, w.Elements, total)
	n := 0
	for i, v := range a.All() {
		require.Equal(t, n, i)
		n++
		require.Equal(t, canonical(t, g, w.Elements[i]), canonicalJSON(t, wire(v, a.Elem().Form == nrbf.FormPrimitive)), "element %d", i)
		if i < 64 {
			require.Equal(t, v.String(), a.At(i).String())
		}
	}
	require.Equal(t, total, n)
}

func idOf(v nrbf.Value) int32 {
	switch v.Kind() {
	case nrbf.KindObject:
		return v.Object().ID()
	case nrbf.KindArray:
		return v.Array().ID()
	case nrbf.KindString:
		return v.Str().ID()
	}
	return 0
}

// wire gives the mechanical form of a value.
func wire(v nrbf.Value, bare bool) any {
	bits, _ := v.Bits()
	var p any
	switch v.Kind() {
	case nrbf.KindNull:
		return nil
	case nrbf.KindString:
		return map[string]any{"ref": v.Str().ID()}
	case nrbf.KindObject:
		if v.Object().Inline() {
			return map[string]any{"inline": v.Object().ID()}
		}
		return map[string]any{"ref": v.Object().ID()}
	case nrbf.KindArray:
		return map[string]any{"ref": v.Array().ID()}
	case nrbf.KindBoolean:
		b, _ := v.Bool()
		return b
	case nrbf.KindInt64, nrbf.KindUInt64, nrbf.KindTimeSpan:
		p = fmt.Sprint(v.Any())
		if v.Kind() == nrbf.KindTimeSpan {
			p = strconv.FormatInt(int64(bits), 10)
		}
	case nrbf.KindSingle:
		p = fmt.Sprintf("0x%08x", bits)
	case nrbf.KindDouble:
		p = fmt.Sprintf("0x%016x", bits)
	case nrbf.KindDecimal:
		d, _ := v.Decimal()
		p = d.String()
	case nrbf.KindDateTime:
		d, _ := v.DateTime()
		p = []string{strconv.FormatInt(d.Ticks, 10), d.Kind.String()}
	case nrbf.KindChar:
		p = uint16(v.Any().(clr.Char))
	default:
		p = v.Any()
	}
	if bare {
		return p
	}
	return map[string]any{v.Kind().String(): p}
}

// A string stands in place once and is referred to after that; in a Graph both
// are the string.
func canonical(t *testing.T, g *nrbf.Graph, raw json.RawMessage) string {
	var v any
	require.NoError(t, json.Unmarshal(raw, &v))
	if m, ok := v.(map[string]any); ok {
		if m["string"] != nil {
			text, _ := g.ByID(int32(m["id"].(float64))).Text()
			require.Equal(t, m["string"], text)
			v = map[string]any{"ref": m["id"]}
		}
	}
	return canonicalJSON(t, v)
}

func canonicalJSON(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
