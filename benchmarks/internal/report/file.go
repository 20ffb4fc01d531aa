package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Encode is the report as results.json has it. Its error is what Check says.
func Encode(r Report) ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote. A field that Report has not is an error: the
// file is of another version of cmd/compare.
func Decode(b []byte) (Report, error) {
	var r Report
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Report{}, fmt.Errorf("report: results: %w", err)
	}
	return r, r.Check()
}

// Read decodes a file.
func Read(file string) (Report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Report{}, fmt.Errorf("report: %w", err)
	}
	r, err := Decode(b)
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}
