package main

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const testdata = "../../payload/testdata"

// A result is what one run of the tool did.
type result struct {
	code   int
	stdout []byte
	stderr string
}

func runTool(stdin []byte, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, bytes.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.Bytes(), stderr.String()}
}

// An entry is one vector of a manifest, kept as the JSON it is.
type entry map[string]any

func (e entry) text(field string) string {
	s, _ := e[field].(string)
	return s
}

func (e entry) list(field string) []any {
	l, _ := e[field].([]any)
	return l
}

func manifest(t *testing.T, name string) []entry {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	require.NoError(t, err)
	var list []entry
	decode(t, b, &list)
	require.NotEmpty(t, list)
	return list
}

// decode keeps numbers as they are written and wants nothing behind the value.
func decode(t *testing.T, b []byte, v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	require.NoError(t, dec.Decode(v), "%s", b)
	_, err := dec.Token()
	require.ErrorIs(t, err, io.EOF)
}

func inflate(t *testing.T, b []byte) []byte {
	t.Helper()
	plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(b)))
	require.NoError(t, err)
	return plain
}

func writeFile(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "session.bin")
	require.NoError(t, os.WriteFile(name, b, 0o600))
	return name
}
