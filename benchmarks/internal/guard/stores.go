package guard

import (
	"context"
	"time"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// inprocStore is a store with the visitor's session in it.
func inprocStore() (*inproc.Store, func(), error) {
	store := inproc.New(inproc.Options{SweepInterval: -1})
	return store, func() { _ = store.Close() }, save(store)
}

func get(store session.Store) error {
	_, err := store.Get(context.Background(), visitor)
	return err
}

func acquireSave(store session.Store) error {
	rec, err := store.Acquire(context.Background(), visitor, time.Minute)
	if err != nil {
		return err
	}
	return store.Save(context.Background(), visitor, rec.Lock, rec.Payload)
}

func storePaths() []Path {
	return []Path{
		{"inproc/get", allocate, func() (func() error, func(), error) {
			store, done, err := inprocStore()
			return func() error { return get(store) }, done, err
		}},
		{"inproc/acquire-save", allocate, func() (func() error, func(), error) {
			store, done, err := inprocStore()
			return func() error { return acquireSave(store) }, done, err
		}},
	}
}
