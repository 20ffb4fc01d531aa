package redis_test

import (
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/middleware/lifecycletest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// The life cycle of requests, over each layout.
func TestLifeCycle(t *testing.T) {
	for _, layout := range layouts {
		run := func(t *testing.T, addr string) {
			lifecycletest.Run(t, lifecycletest.Harness{Store: func(t *testing.T) session.Store { return open(t, addr, redis.Options{Layout: layout}) }})
		}
		t.Run("miniredis/"+layout.String(), func(t *testing.T) { run(t, miniredis.RunT(t).Addr()) })
		t.Run("server/"+layout.String(), func(t *testing.T) { run(t, redistest.Server(t)) })
	}
}
