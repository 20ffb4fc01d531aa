package testenv

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// verdict is a testing.TB that remembers how a test ended.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Helper() {}

func (v *verdict) Skipf(format string, args ...any) {
	v.said = "skip: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.said = "fatal: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// Need goes on, skips or fails as the environment says.
func TestNeed(t *testing.T) {
	const skips, known = "skip: needs redis: install it", "redis, rediscluster, aspnet, chromium, sqlserver"
	for _, tt := range []struct {
		require, name string
		ok            bool
		want          string
	}{
		{"", "redis", true, "went on"},
		{"all", "redis", true, "went on"},
		{"", "redis", false, skips},
		{"aspnet", "redis", false, skips},
		{"rediscluster", "redis", false, skips}, // a name, not a prefix
		{"redis", "redis", false, "fatal: redis is required (ASPSESSION_REQUIRE): install it"},
		{"aspnet, redis ,", "redis", false, "fatal: redis is required (ASPSESSION_REQUIRE): install it"},
		{"all", "redis", false, "fatal: redis is required (ASPSESSION_REQUIRE): install it"},
		{"reddis", "redis", false, `fatal: testenv: ASPSESSION_REQUIRE: "reddis" is none of ` + known + ", all"},
		{"", "reddis", true, `fatal: testenv: "reddis" is none of ` + known},
	} {
		t.Run(fmt.Sprintf("%s/%s/%v", tt.require, tt.name, tt.ok), func(t *testing.T) {
			t.Setenv(Variable, tt.require)
			v := new(verdict)
			done := make(chan struct{})
			go func() {
				defer close(done)
				Need(v, tt.name, tt.ok, "install it")
				v.said = "went on"
			}()
			<-done
			require.Equal(t, tt.want, v.said)
		})
	}
}
