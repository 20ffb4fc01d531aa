package redis_test

import (
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/middleware/lifecycletest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// The life cycle of requests, over each layout; on a cluster and under Sentinels
// it runs with their other tests.
func TestLifeCycle(t *testing.T) {
	for _, layout := range layouts {
		opt := redis.Options{Layout: layout}
		t.Run("miniredis/"+layout.String(), func(t *testing.T) { lifeCycle(t, miniredis.RunT(t).Addr(), opt) })
		t.Run("server/"+layout.String(), func(t *testing.T) { lifeCycle(t, redistest.Server(t), opt) })
	}
}

func lifeCycle(t *testing.T, addr string, opt redis.Options) {
	lifecycletest.Run(t, lifecycletest.Harness{Store: func(t *testing.T) session.Store { return open(t, addr, opt) }})
}
