package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/payload"
)

// requireTame asserts that a terminal can only print this: no controls but the
// line feed, no change of writing direction, no broken UTF-8.
func requireTame(t *testing.T, s string) {
	t.Helper()
	require.True(t, utf8.ValidString(s))
	for i, r := range s {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("U+%04X at %d of %q", r, i, s)
		}
	}
}

// hostile would set a title, clear the screen in two ways, forge rows and turn
// the writing round.
const hostile = "\x1b]0;pwned\a\x1b[2J\u009b2J\x7f\r\n\tadmin\t1\v\f\u202e\u2066\u200b\ufeff\U000e0041"

func TestHostileTextCannotDriveATerminal(t *testing.T) {
	items := payload.NewItems(payload.Limits{})
	require.NoError(t, items.Set(hostile, hostile))
	require.NoError(t, items.Set("(no name)", "a \"quote\" and a \\"))
	require.NoError(t, items.Set("plain", "Zürich 日本"))
	require.NoError(t, items.Set("c", clr.Char(0x1b)))
	data, err := items.Append(nil)
	require.NoError(t, err)

	r := runTool(data, "inspect", "-")
	require.Equal(t, exitOK, r.code, r.stderr)
	out := string(r.stdout)
	requireTame(t, out)
	require.Equal(t, 6, strings.Count(out, "\n"), "a heading, column names, four rows: %s", out)
	require.Contains(t, out, `"\x1b]0;pwned\a\x1b[2J\u009b2J`)
	require.Regexp(t, `(?m)^"\(no name\)" +System.String +"a \\"quote\\" and a \\\\" `, out)
	require.Regexp(t, `(?m)^plain +System.String +"Zürich 日本" `, out)
	require.Contains(t, out, `'\x1b' U+001B`)

	// JSON for programs, often read in a terminal all the same.
	r = runTool(data, "inspect", "--json", "-")
	require.Equal(t, exitOK, r.code, r.stderr)
	requireTame(t, string(r.stdout))
	require.Contains(t, string(r.stdout), "Zürich 日本")
	var got struct {
		Items []struct{ Key, Value any }
	}
	decode(t, r.stdout, &got)
	require.Equal(t, hostile, got.Items[0].Key)
	require.Equal(t, hostile, got.Items[0].Value)

	// Errors name the key, and the file.
	items = payload.NewItems(payload.Limits{})
	require.NoError(t, items.Load(hostile, payload.Typed, []byte{99}))
	data, err = items.Append(nil)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "\x1b[2J\n")
	require.NoError(t, os.WriteFile(name, data, 0o600))
	for _, args := range [][]string{{"inspect", name}, {"inspect", "--json", name}, {"recode", name}, {"inspect", "--framing", "store", name}} {
		r = runTool(nil, args...)
		require.Equal(t, exitData, r.code)
		requireTame(t, string(r.stdout))
		requireTame(t, r.stderr)
		require.Contains(t, r.stderr, `\x1b[2J\n`)
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
	}
}

func TestTableValues(t *testing.T) {
	items := payload.NewItems(payload.Limits{})
	for key, value := range map[string]any{
		"when": time.Date(2024, 2, 29, 12, 34, 56, 100, time.UTC), "long": strings.Repeat("é", 10_000),
		"span": -90 * time.Second, "far": clr.TimeSpan(math.MaxInt64), "price": clr.NewDecimal(110, 2), "big": uint64(math.MaxUint64),
		strings.Repeat("k", 60): nil, "": true,
	} {
		require.NoError(t, items.Set(key, value))
	}
	data, err := items.Append(nil)
	require.NoError(t, err)
	r := runTool(data, "inspect", "-")
	require.Equal(t, exitOK, r.code, r.stderr)
	out := string(r.stdout)
	for _, row := range []string{
		`when +System\.DateTime +2024-02-29 12:34:56\.0000001 +9`,
		`long +System\.String +"é{60}"\.\.\. +20004`,
		`span +System\.TimeSpan +-00:01:30 +9`,
		`far +System\.TimeSpan +10675199\.02:48:05\.4775807 +9`,
		`price +System\.Decimal +1\.10 +17`,
		`big +System\.UInt64 +18446744073709551615 +9`,
		`k{40}\.\.\. +null +null +1`,
		`"" +System\.Boolean +true +2`,
	} {
		require.Regexp(t, `(?m)^`+row+`$`, out)
	}
}

func TestStaticObjectsInTheTable(t *testing.T) {
	r := runTool(nil, "inspect", filepath.Join(testdata, "store-static-mixed.bin"))
	require.Equal(t, exitOK, r.code, r.stderr)
	out := string(r.stdout)
	require.Contains(t, out, "store: 103 bytes, timeout 20 minutes, 0 items, static tail of 96 bytes\n")
	require.Regexp(t, `(?m)^obj1 +System\.String +"plain string" +14$`, out)
	require.Regexp(t, `(?m)^obj3 +System\.Collections\.Hashtable +\(never created\) +0$`, out)

	// One that cannot be read is told apart, and the rest is shown.
	bad := []byte{20, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 'a', 1, 99, 1, 'b', 1, 3, 1, 0xff}
	r = runTool(bad, "inspect", "-")
	require.Equal(t, exitData, r.code)
	require.Regexp(t, `(?m)^a +unknown type 99 +error: unknown type id 99 +1$`, string(r.stdout))
	require.Regexp(t, `(?m)^b +System.Boolean +true +2$`, string(r.stdout))
	r = runTool(bad, "inspect", "--json", "-")
	require.Equal(t, exitData, r.code)
	require.Contains(t, string(r.stdout), `unknown type id 99"`)
	require.Contains(t, string(r.stdout), `"value": true`)
}

func TestLabel(t *testing.T) {
	for in, want := range map[string]string{
		"cart": "cart", "": `""`, "two words": "two words", " a": `" a"`, "a ": `"a "`, `a"b`: `"a\"b"`, "\\": `"\\"`,
		"(x": `"(x"`, "\xff": `"\xff"`, "\u00a0": `"\u00a0"`, "über": "über", strings.Repeat("a", 11): "aaaaaaaaaa...",
		strings.Repeat("\t", 6): `"\t\t\t\t\t"...`,
	} {
		require.Equal(t, want, label(in, 10), "%q", in)
	}
}

func TestFloatText(t *testing.T) {
	for _, test := range []struct {
		f     float64
		float string
	}{
		{0, "0"}, {math.Copysign(0, -1), "-0"}, {1e-6, "0.000001"}, {1e-7, "1e-7"}, {-1.5e-10, "-1.5e-10"},
		{1e20, "100000000000000000000"}, {1e21, "1e+21"}, {123456789.125, "123456789.125"},
		{math.MaxFloat64, "1.7976931348623157e+308"}, {math.SmallestNonzeroFloat64, "5e-324"},
		{math.Inf(1), "Infinity"}, {math.Inf(-1), "-Infinity"}, {math.NaN(), "NaN"},
	} {
		require.Equal(t, test.float, floatText(test.f, 64))
	}
	for f, want := range map[float32]string{1e-6: "0.000001", 1e-7: "1e-7", 1e21: "1e+21", 1e20: "100000000000000000000", 0.1: "0.1"} {
		require.Equal(t, want, floatText(float64(f), 32))
	}
}

// The limit is over 20,000 UTF-16 units, not bytes and not characters.
func TestLongStrings(t *testing.T) {
	require.IsType(t, "", jsonString(strings.Repeat("é", 20_000)))
	require.IsType(t, "", jsonString(strings.Repeat("😀", 10_000)))
	require.Equal(t, 20_001, jsonString(strings.Repeat("a", 20_001)).(longStringJSON).UTF16Length)
	long := jsonString(strings.Repeat("😀", 10_001)).(longStringJSON)
	require.Equal(t, 20_002, long.UTF16Length)
	require.Equal(t, 40_004, long.UTF8Length)
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte{20, 0, 0, 0, 0, 0, 0xff})
	f.Add(binary.LittleEndian.AppendUint32(nil, 0))
	for _, name := range []string{"store-mixed.bin", "store-static-mixed.bin", "prim-all-types.bin", "deflate-strings.bin", "key-null-object.bin", "bad/val-typeid-22.bin"} {
		b, err := os.ReadFile(filepath.Join(testdata, name))
		require.NoError(f, err)
		f.Add(b)
	}
	for _, name := range []string{"nrbf-datatable-xml", "nrbf-dataset-binary", "nrbf-cart-cycle", "nrbf-object-array", "nrbf-two-assemblies", "nrbf-mydict-subclass", "nrbf-exception-inner", "nrbf-event-multicast-and-static"} {
		b, err := os.ReadFile(filepath.Join(objectVectors, name+".bin"))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, framing := range []string{framingAuto, framingStore, framingItems, framingNRBF} {
			for _, args := range [][]string{{"inspect"}, {"inspect", "--json"}, {"inspect", "--wire"}} {
				r := runTool(data, append(args, "--framing", framing, "-")...)
				require.Contains(t, []int{exitOK, exitData}, r.code)
				requireTame(t, string(r.stdout))
				requireTame(t, r.stderr)
				require.Equal(t, bytes.Contains([]byte(r.stderr), []byte("aspstate: ")), r.code == exitData)
			}
		}
	})
}
