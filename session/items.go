package session

import (
	"fmt"
	"time"

	"github.com/aspsession/aspsession/payload"
)

// items is the collection, for reading. It needs mu held.
func (l *live) items() (*payload.Items, error) {
	if err := l.ready(); err != nil {
		return nil, err
	}
	return l.p.Items(), nil
}

// hidden reports an item that Filter keeps from Go code.
func (l *live) hidden(it *payload.Items, key string) bool {
	if !l.filtered() {
		return false
	}
	item, ok := it.Item(key)
	return ok && l.hides(item)
}

func (l *live) filtered() bool { return l.m.opt.Filter != nil && !l.borrowed }

func (l *live) hides(item payload.Item) bool {
	return l.filtered() && !l.m.opt.Filter(item.Key, item.TypeName())
}

func (l *live) get(key string) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it, err := l.items()
	if err != nil || l.hidden(it, key) {
		return nil, err
	}
	v, _, err := it.Get(key)
	return v, err
}

func (l *live) has(key string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it, err := l.items()
	if err != nil {
		return false, err
	}
	return it.Has(key) && !l.hidden(it, key), nil
}

func (l *live) typeName(key string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it, err := l.items()
	if err != nil {
		return "", err
	}
	if item, ok := it.Item(key); ok && !l.hides(item) {
		return item.TypeName(), nil
	}
	return "", nil
}

func (l *live) keys() ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it, err := l.items()
	if err != nil {
		return nil, err
	}
	return l.visible(it), nil
}

// visible lists the names that Filter lets through.
func (l *live) visible(it *payload.Items) []string {
	if !l.filtered() {
		return it.Keys()
	}
	var seen []string
	for item := range it.All() {
		if !item.NullKey && !l.hides(item) {
			seen = append(seen, item.Key)
		}
	}
	return seen
}

func (l *live) count() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it, err := l.items()
	if err != nil {
		return 0, err
	}
	if l.filtered() {
		return len(l.visible(it)), nil
	}
	return it.Len(), nil
}

// change runs one change of an item.
func (l *live) change(key string, f func(*payload.Items) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.changeable(); err != nil {
		return err
	}
	it := l.p.Items()
	if l.hidden(it, key) {
		return fmt.Errorf("%w: %q", ErrHidden, key)
	}
	return f(it)
}

func (l *live) clear() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.changeable(); err != nil {
		return err
	}
	it := l.p.Items()
	if !l.filtered() {
		it.Clear()
		return nil
	}
	for _, key := range l.visible(it) {
		it.Remove(key)
	}
	return nil
}

func (l *live) timeout() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(); err != nil {
		return 0, err
	}
	return time.Duration(min(max(l.p.Timeout(), 0), maxMinutes)) * time.Minute, nil
}

func (l *live) setTimeout(d time.Duration) error {
	minutes, err := minutesOf(d)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.changeable(); err != nil {
		return err
	}
	l.p.SetTimeout(minutes)
	return nil
}

// minutesOf rounds up to whole minutes.
func minutesOf(d time.Duration) (int32, error) {
	if d <= 0 || d > maxMinutes*time.Minute {
		return 0, fmt.Errorf("%w: %v", ErrTimeout, d)
	}
	return int32((d + time.Minute - 1) / time.Minute), nil
}

func (l *live) abandon() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.borrowed {
		return errBorrowed
	}
	if err := l.ready(); err != nil {
		return err
	}
	l.abandoned = true
	return nil
}

// save stores the changes and keeps the lock.
func (l *live) save() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.borrowed {
		return errBorrowed
	}
	if err := l.changeable(); err != nil {
		return err
	}
	return l.checkpoint()
}
