package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// expected is the part of a manifest entry that follows from the file's bytes.
func expected(t *testing.T, e entry, plain []byte) any {
	t.Helper()
	want := map[string]any{}
	for k, v := range e {
		want[k] = v
	}
	for _, k := range []string{"name", "file", "producer", "sha256", "notes", "lossy", "writtenItems", "frameworkLayoutDiffers"} {
		delete(want, k)
	}
	for _, v := range e.list("items") {
		item := v.(map[string]any)
		if item["typeId"] != json.Number("20") {
			continue
		}
		at, length := number(t, item["valueOffset"]), number(t, item["valueLength"])
		stream := plain[at : at+length]
		if e.text("framing") != framingNRBF {
			stream = stream[1:]
		}
		sum := sha256.Sum256(stream)
		item["dotnetType"] = "System.Object"
		item["value"] = map[string]any{"$opaque": map[string]any{
			"length": json.Number(strconv.Itoa(len(stream))),
			"sha256": hex.EncodeToString(sum[:]),
		}}
		delete(item, "bits") // of what is inside the stream
	}
	return want
}

func number(t *testing.T, v any) int {
	t.Helper()
	n, err := strconv.Atoi(v.(json.Number).String())
	require.NoError(t, err)
	return n
}

func TestInspectPrintsTheManifest(t *testing.T) {
	for _, e := range manifest(t, "manifest.json") {
		t.Run(e.text("name"), func(t *testing.T) {
			file := filepath.Join(testdata, e.text("file"))
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			plain := data
			if e.text("framing") == framingDeflate {
				plain = inflate(t, data)
			}
			want := expected(t, e, plain)

			for _, args := range [][]string{
				{"inspect", "--json", "--framing", e.text("framing"), file},
				{"inspect", "--json", "--framing=auto", file},
				{"inspect", "-json", file},
			} {
				r := runTool(nil, args...)
				require.Equal(t, exitOK, r.code, "%v: %s", args, r.stderr)
				require.Empty(t, r.stderr)
				var got any
				decode(t, r.stdout, &got)
				require.Equal(t, want, got, args)
			}

			// The table is of the same session.
			r := runTool(data, "inspect", "-")
			require.Equal(t, exitOK, r.code, r.stderr)
			require.Contains(t, string(r.stdout), e.text("framing")+": "+strconv.Itoa(len(data))+" bytes")
		})
	}
}

func TestRecodeGivesTheSameBytes(t *testing.T) {
	for _, e := range manifest(t, "manifest.json") {
		t.Run(e.text("name"), func(t *testing.T) {
			file := filepath.Join(testdata, e.text("file"))
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, framing := range []string{e.text("framing"), framingAuto} {
				r := runTool(nil, "recode", "--framing", framing, file)
				require.Equal(t, exitOK, r.code, r.stderr)
				require.Empty(t, r.stderr)
				if e.text("framing") == framingDeflate {
					require.Equal(t, byte(0xff), r.stdout[len(r.stdout)-1])
					require.Equal(t, inflate(t, data), inflate(t, r.stdout))
					continue
				}
				require.Equal(t, data, r.stdout)
			}
		})
	}
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
			sum := sha256.Sum256(stream)
			size := json.Number(strconv.Itoa(len(stream)))
			want := map[string]any{"framing": "nrbf", "size": size, "items": []any{map[string]any{
				"key": nil, "typeId": json.Number("20"), "dotnetType": "System.Object",
				"value":       map[string]any{"$opaque": map[string]any{"length": size, "sha256": hex.EncodeToString(sum[:])}},
				"valueOffset": json.Number("0"), "valueLength": size,
			}}}
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
					require.Nil(t, item.Value)
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
