package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// objectVectors are the object streams of nrbf's testdata.
const objectVectors = "../../nrbf/testdata"

// eachVector runs f for the sessions of payload's testdata and the object
// streams of nrbf's.
func eachVector(t *testing.T, f func(t *testing.T, e entry, file string)) {
	n := 0
	for _, list := range []struct{ manifest, dir string }{
		{filepath.Join(testdata, "manifest.json"), testdata},
		{filepath.Join("testdata", "objects.json"), objectVectors},
	} {
		b, err := os.ReadFile(list.manifest)
		require.NoError(t, err)
		var entries []entry
		decode(t, b, &entries)
		for _, e := range entries {
			n++
			t.Run(e.text("name"), func(t *testing.T) { f(t, e, filepath.Join(list.dir, e.text("file"))) })
		}
	}
	require.Equal(t, 266, n)
}

// Where the manifest says what .NET made of a stream and the tool what is in it.
var differs = map[string]string{
	"nrbf-queue-string":               "on Mono Queue<T> lives in mscorlib; the stream says System",
	"nrbf-queue-string-wrapped":       "the same",
	"nrbf-queue-string-empty":         "the same",
	"nrbf-two-assemblies":             "the same",
	"nrbf-iobjectreference-singleton": "reading runs code of the class, which gives another object",
}

// expected is the part of a manifest entry that follows from the file's bytes.
func expected(e entry) any {
	want := map[string]any{}
	for k, v := range e {
		want[k] = v
	}
	for _, k := range []string{"name", "file", "producer", "sha256", "notes", "lossy", "writtenItems", "frameworkLayoutDiffers"} {
		delete(want, k)
	}
	return withoutNames(want)
}

// withoutNames takes out the names of the constants of enums: a stream has none,
// and of the framework's own the tool knows the days of the week.
func withoutNames(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if k == "$name" && v["$underlying"] != nil && v["$type"] != "System.DayOfWeek" {
				continue
			}
			out[k] = withoutNames(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutNames(v[i])
		}
		return out
	}
	return v
}

func number(t *testing.T, v any) int {
	t.Helper()
	n, err := strconv.Atoi(v.(json.Number).String())
	require.NoError(t, err)
	return n
}

func TestInspectPrintsTheManifest(t *testing.T) {
	eachVector(t, func(t *testing.T, e entry, file string) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		want := expected(e)
		for i, args := range [][]string{
			{"inspect", "--json", "--framing", e.text("framing"), file},
			{"inspect", "-json", file},
		} {
			r := runTool(nil, args...)
			require.Equal(t, exitOK, r.code, "%v: %s", args, r.stderr)
			require.Empty(t, r.stderr)
			var got any
			decode(t, r.stdout, &got)
			if reason := differs[e.text("name")]; reason != "" {
				if i == 0 {
					require.NotEqual(t, want, got, "not any more: %s", reason)
				}
				continue
			}
			require.Equal(t, want, got, args)
		}

		// The table is of the same session.
		r := runTool(data, "inspect", "-")
		require.Equal(t, exitOK, r.code, r.stderr)
		require.Contains(t, string(r.stdout), e.text("framing")+": "+strconv.Itoa(len(data))+" bytes")
		requireTame(t, string(r.stdout))
	})
}

func TestWirePrintsTheRecords(t *testing.T) {
	n := 0
	eachVector(t, func(t *testing.T, e entry, file string) {
		r := runTool(nil, "inspect", "--wire", "--framing", e.text("framing"), file)
		require.Equal(t, exitOK, r.code, r.stderr)
		var got, want any
		decode(t, r.stdout, &got)
		b, err := os.ReadFile(filepath.Join(objectVectors, e.text("name")+".wire.json"))
		if err != nil {
			require.Empty(t, got, "no objects, no wire form")
			return
		}
		n++
		decode(t, b, &want)
		require.Equal(t, want, got)
	})
	require.Equal(t, 212, n)
}

func TestRecodeGivesTheSameBytes(t *testing.T) {
	eachVector(t, func(t *testing.T, e entry, file string) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, framing := range []string{e.text("framing"), framingAuto} {
			r := runTool(nil, "recode", "--framing", framing, file)
			require.Equal(t, exitOK, r.code, r.stderr)
			require.Empty(t, r.stderr)
			if e.text("framing") == framingDeflate {
				require.Equal(t, byte(0xff), r.stdout[len(r.stdout)-1])
				require.True(t, bytes.Equal(inflate(t, data), inflate(t, r.stdout)))
				continue
			}
			require.True(t, bytes.Equal(data, r.stdout))
		}
	})
}

// An object stream alone, as it is inside an item of a real session.
func TestObjectStreamAlone(t *testing.T) {
	n := 0
	for _, e := range manifest(t, "manifest.json") {
		if e.text("framing") != framingItems {
			continue
		}
		data, err := os.ReadFile(filepath.Join(testdata, e.text("file")))
		require.NoError(t, err)
		for _, v := range e.list("items") {
			item := v.(map[string]any)
			if item["typeId"] != json.Number("20") {
				continue
			}
			n++
			at, length := number(t, item["valueOffset"]), number(t, item["valueLength"])
			stream := data[at+1 : at+length]
			size := json.Number(strconv.Itoa(len(stream)))
			want := withoutNames(map[string]any{"framing": "nrbf", "size": size, "items": []any{map[string]any{
				"key": nil, "typeId": json.Number("20"), "dotnetType": item["dotnetType"], "value": item["value"],
				"valueOffset": json.Number("0"), "valueLength": size,
			}}})
			for _, framing := range []string{framingNRBF, framingAuto} {
				r := runTool(stream, "inspect", "--json", "--framing", framing, "-")
				require.Equal(t, exitOK, r.code, r.stderr)
				var got any
				decode(t, r.stdout, &got)
				require.Equal(t, want, got)
				r = runTool(stream, "recode", "--framing", framing, "-")
				require.Equal(t, exitOK, r.code, r.stderr)
				require.Equal(t, stream, r.stdout)
			}
			// Cut short it is nothing at all, in whatever form.
			for _, framing := range []string{framingNRBF, framingAuto} {
				r := runTool(stream[:len(stream)-1], "inspect", "--framing", framing, "-")
				require.Equal(t, exitData, r.code)
				require.Empty(t, r.stdout)
				require.Contains(t, r.stderr, "nrbf: ")
				require.Contains(t, r.stderr, "ends with a message end (11)")
			}
		}
	}
	require.Greater(t, n, 10)
}

func TestBadFiles(t *testing.T) {
	shown := 0 // files of which some items are bad and others are shown
	for _, e := range manifest(t, "bad/manifest-bad.json") {
		t.Run(e.text("name"), func(t *testing.T) {
			file := filepath.Join(testdata, "bad", e.text("file"))
			for _, framing := range []string{e.text("framing"), framingAuto} {
				for _, verb := range []string{"inspect", "recode"} {
					r := runTool(nil, verb, "--framing", framing, file)
					require.Contains(t, []int{exitOK, exitData}, r.code)
					require.Equal(t, r.code == exitData, r.stderr != "", "a bad exit says why: %q", r.stderr)
					if r.stderr != "" {
						require.Regexp(t, `^aspstate: `, r.stderr)
					}
					if verb == "recode" && r.code != exitOK {
						require.Empty(t, r.stdout, "half a session is none")
					}
				}
			}

			r := runTool(nil, "inspect", "--json", "--framing", e.text("framing"), file)
			if len(r.stdout) == 0 {
				require.Equal(t, exitData, r.code)
				return
			}
			var got struct {
				Items []struct {
					Key   *string
					Value any
					Error *string
				}
			}
			decode(t, r.stdout, &got)
			bad := 0
			for i, item := range got.Items {
				if item.Error != nil {
					bad++
					if opaque, ok := item.Value.(map[string]any); item.Value != nil {
						require.True(t, ok && opaque["$opaque"] != nil, "a stream that cannot be read")
					}
					require.Contains(t, *item.Error, "(#"+strconv.Itoa(i))
				}
			}
			require.Equal(t, bad > 0, r.code == exitData, r.stderr)
			if bad > 0 && bad < len(got.Items) {
				shown++
			}
			if e.text("outcome") != "accepted" || e["itemsOmitted"] != nil {
				return
			}
			// What ASP.NET reads as well is shown as it reads it.
			list := e.list("items")
			require.Len(t, got.Items, len(list))
			for i, v := range list {
				want := v.(map[string]any)
				// The four bytes of a 32-bit writer's IntPtr are all of it; .NET on 64
				// bits reads four more, of its neighbour.
				if got.Items[i].Error == nil && want["typeId"] != json.Number("20") && want["typeId"] != json.Number("18") {
					require.Equal(t, want["value"], got.Items[i].Value, want["key"])
				}
			}
		})
	}
	require.Greater(t, shown, 5)
}

func TestABadItemHidesNoOther(t *testing.T) {
	r := runTool(nil, "inspect", "--json", filepath.Join(testdata, "bad", "val-typeid-22.bin"))
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "1 of its values cannot be read")
	require.JSONEq(t, `{"framing": "items", "size": 30, "items": [
		{"key": "a", "typeId": 22, "dotnetType": null,
		 "error": "payload: value of item \"a\" (#0, type 22 unknown type 22) at offset 20: unknown type id 22",
		 "valueOffset": 20, "valueLength": 5},
		{"key": "b", "typeId": 2, "dotnetType": "System.Int32", "value": 2, "valueOffset": 25, "valueLength": 5}]}`, string(r.stdout))

	// An item without bytes has no type id to show.
	r = runTool(nil, "inspect", "--json", filepath.Join(testdata, "bad", "items-off-equal.bin"))
	require.Equal(t, exitData, r.code)
	require.Contains(t, string(r.stdout), `"typeId": null`)
	r = runTool(nil, "inspect", filepath.Join(testdata, "bad", "items-off-equal.bin"))
	require.Equal(t, exitData, r.code)
	require.Regexp(t, `(?m)^a +System.Int32 +1 +5$`, string(r.stdout))
	require.Regexp(t, `(?m)^b +\(no type id\) +error: truncated: .* +0$`, string(r.stdout))
	require.Regexp(t, `(?m)^c +System.Int32 +2 +10$`, string(r.stdout))
}
