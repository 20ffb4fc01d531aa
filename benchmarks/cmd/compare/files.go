package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// files are where the results go.
type files struct {
	json, markdown, charts, readme string
	named                          []string // the flags that were given
}

// wants reports whether a file is written: all are of a whole run, and of a
// partial one those that were named.
func (f files) wants(name string, partial bool) bool {
	return !partial || slices.Contains(f.named, name)
}

// check says what could not be written.
func (f files) check(partial bool) error {
	if f.wants("readme", partial) {
		if _, err := f.block(""); err != nil {
			return err
		}
	}
	for name, file := range map[string]string{"json": f.json, "markdown": f.markdown, "charts": f.charts} {
		if dir, err := os.Stat(filepath.Dir(file)); f.wants(name, partial) && (err != nil || !dir.IsDir()) {
			return fmt.Errorf("-%s %s: there is no folder %s", name, file, filepath.Dir(file))
		}
	}
	return nil
}

// block is the README with another block of figures.
func (f files) block(block string) (string, error) {
	b, err := os.ReadFile(f.readme)
	if err != nil {
		return "", err
	}
	text, err := report.ReplaceBlock(string(b), block)
	if err != nil {
		return "", fmt.Errorf("-readme %s: %w", f.readme, err)
	}
	return text, nil
}

// render makes all files of a report but its figures, by their names.
func (f files) render(r report.Report) (map[string][]byte, error) {
	partial := r.Partial()
	made := make(map[string][]byte)
	if f.wants("charts", partial) {
		for _, s := range r.Sections {
			for _, c := range s.Charts {
				b, err := report.SVG(c)
				if err != nil {
					return nil, err
				}
				made[filepath.Join(f.charts, c.Name+".svg")] = b
			}
		}
	}
	if f.wants("markdown", partial) {
		charts := ""
		if f.wants("charts", partial) {
			var err error
			if charts, err = relative(f.markdown, f.charts); err != nil {
				return nil, err
			}
		}
		made[f.markdown] = []byte(report.Markdown(r, charts))
	}
	if f.wants("readme", partial) {
		page, err := relative(f.readme, f.markdown)
		if err != nil {
			return nil, err
		}
		text, err := f.block(report.Block(r, page))
		if err != nil {
			return nil, err
		}
		made[f.readme] = []byte(text)
	}
	return made, nil
}

// write writes what is wanted, or prints the page where it is not among that. The
// figures, of what was measured just now, are safe before all else.
func (f files) write(r report.Report, figures bool, stdout io.Writer) error {
	if figures && f.wants("json", r.Partial()) {
		b, err := report.Encode(r)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.json, b, 0o644); err != nil {
			return err
		}
	}
	made, err := f.render(r)
	if err != nil {
		return err
	}
	if f.wants("charts", r.Partial()) {
		if err := f.clearCharts(); err != nil {
			return err
		}
	}
	for name, b := range made {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			return err
		}
	}
	if _, ok := made[f.markdown]; !ok {
		_, err = io.WriteString(stdout, report.Markdown(r, ""))
	}
	return err
}

// clearCharts makes the folder and removes the charts of an earlier run, of which
// some may have other names; no other file.
func (f files) clearCharts() error {
	if err := os.MkdirAll(f.charts, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(f.charts, "*.svg"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range old {
		b, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(b), report.Made) {
			err = os.Remove(name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// relative is the link from one file to another.
func relative(from, to string) (string, error) {
	dir, err := filepath.Abs(filepath.Dir(from))
	if err != nil {
		return "", err
	}
	if to, err = filepath.Abs(to); err != nil {
		return "", err
	}
	link, err := filepath.Rel(dir, to)
	return filepath.ToSlash(link), err
}
