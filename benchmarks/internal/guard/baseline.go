package guard

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// File is where the baseline is, from the module's folder.
const File = "internal/guard/testdata/baseline.json"

//go:embed testdata/baseline.json
var stored []byte

// A Baseline is what paths took when it was last agreed on.
type Baseline struct {
	Go    string            `json:"go"` // its version
	Paths map[string]Figure `json:"paths"`
}

// Stored is the baseline that is part of the program.
func Stored() (b Baseline, err error) {
	if err := json.Unmarshal(stored, &b); err != nil {
		return b, fmt.Errorf("guard: baseline: %w", err)
	}
	return b, nil
}

// Write stores a baseline for the next build.
func (b Baseline) Write(file string) error {
	text, err := json.MarshalIndent(b, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// of is a path's figure, if it is one that can be compared.
func (b Baseline) of(p Path) (Figure, bool) {
	f, ok := b.Paths[p.Name]
	return f, ok && f.Beside == p.Beside
}

// mismatch says which paths only one of the two sides has.
func (b Baseline) mismatch(paths []Path) (wrong []string) {
	rest := make(map[string]bool)
	for name := range b.Paths {
		rest[name] = true
	}
	for _, p := range paths {
		delete(rest, p.Name)
		switch was, ok := b.Paths[p.Name]; {
		case !ok:
			wrong = append(wrong, p.Name+" is not in the baseline: run the guard with -update")
		case was.Beside != p.Beside:
			wrong = append(wrong, fmt.Sprintf("%s is timed beside %q, in the baseline beside %q: run the guard with -update", p.Name, p.Beside, was.Beside))
		}
	}
	for name := range rest {
		wrong = append(wrong, name+" is in the baseline only: run the guard with -update")
	}
	slices.Sort(wrong)
	return wrong
}
