// Package testenv decides what a test does where something that it needs is not
// on this machine: it skips, and fails where the environment says that the thing
// must be there, so that a build machine never skips in silence.
//
//	ASPSESSION_REQUIRE=redis,aspnet go test ./...
//	ASPSESSION_REQUIRE=all go test ./...
package testenv

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Variable is the environment variable: a comma list of names, or "all".
const Variable = "ASPSESSION_REQUIRE"

// names are all that a test may need.
var names = []string{"redis", "rediscluster", "aspnet", "chromium", "sqlserver"}

// Need lets the test go on if ok. Else it skips with hint, which says what to
// install, or fails where Variable holds name. A name that nobody knows fails,
// there and here: misspelled, it would require nothing.
func Need(t testing.TB, name string, ok bool, hint string) {
	t.Helper()
	if !slices.Contains(names, name) {
		t.Fatalf("testenv: %q is none of %s", name, strings.Join(names, ", "))
	}
	if ok {
		return
	}
	required := false
	for word := range strings.SplitSeq(os.Getenv(Variable), ",") {
		switch word = strings.TrimSpace(word); {
		case word == "":
		case word == name, word == "all":
			required = true
		case !slices.Contains(names, word):
			t.Fatalf("testenv: %s: %q is none of %s, all", Variable, word, strings.Join(names, ", "))
		}
	}
	if required {
		t.Fatalf("%s is required (%s): %s", name, Variable, hint)
	}
	t.Skipf("needs %s: %s", name, hint)
}
