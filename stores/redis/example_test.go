package redis_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// A server, two requests of one visitor, and what an ASP.NET page with provider
// 5.x finds in Redis.
func ExampleOpen() {
	server, err := miniredis.Run() // yours is elsewhere
	if err != nil {
		panic(err)
	}
	defer server.Close()

	ctx := context.Background()
	store, err := redis.Open(ctx, redis.Options{
		App:    "MyApp", // web.config's applicationName
		Redis:  goredis.UniversalOptions{Addrs: []string{server.Addr()}},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer store.Close()

	sessions, err := session.NewManager(store, session.Options{})
	if err != nil {
		panic(err)
	}
	id := "2ne4zzc4yrcakgqbxgtomtfb" // from the visitor's cookie
	for range 2 {
		s, err := sessions.Open(ctx, id, session.ReadWrite)
		if err != nil {
			panic(err)
		}
		visits, err := session.Value[int](s, "visits")
		if err != nil {
			panic(err)
		}
		if err := s.Set("visits", visits+1); err != nil {
			panic(err)
		}
		if err := sessions.Finish(s); err != nil {
			panic(err)
		}
		fmt.Println("visits:", visits+1)
	}
	blob, _ := server.Get("{MyApp_" + id + "}_SessionStateItemCollection")
	fmt.Printf("%q\n", blob)
	// Output:
	// visits: 1
	// visits: 2
	// "\x01\x00\x00\x00\xff\xff\xff\xff\x06visits\x05\x00\x00\x00\x02\x02\x00\x00\x00"
}

// What a web.config has, in Go's terms.
func ExampleProvider() {
	opt, warnings, err := redis.Provider{
		Attributes: map[string]string{
			"connectionString": "RedisConnection",
			"applicationName":  "MyApp",
			"throwOnError":     "true",
		},
		ConnectionStrings: map[string]string{
			"RedisConnection": "cache.example.com:6380,password=...,ssl=True,abortConnect=False,keepAlive=60",
		},
	}.Options()
	if err != nil {
		panic(err)
	}
	fmt.Println(opt.App, opt.Redis.Addrs, opt.Redis.TLSConfig.ServerName)
	for _, w := range warnings {
		fmt.Println(w)
	}
	// Output:
	// MyApp [cache.example.com:6380] cache.example.com
	// throwOnError has no counterpart: errors always reach the caller
	// connectionString, part 5: keepalive has no counterpart and is left out
}
