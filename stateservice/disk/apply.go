package disk

import (
	"errors"
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"github.com/aspsession/aspsession/stateservice"
)

// errPanic: bbolt found its file changed underneath, or could not read it.
var errPanic = errors.New("disk: data file unusable")

// commit writes a batch in one transaction: all of it is durable afterwards, or
// the error says why nothing may be.
func (j *Journal) commit(batch []entry) (err error) {
	// The file is mapped: a failing disk is a fault, not an error.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %s: %v", errPanic, j.name, p)
		}
	}()
	if err := j.write(batch); err != nil {
		return fmt.Errorf("disk: cannot write %s: %w", j.name, explain(err))
	}
	return nil
}

// write is bbolt's Update, but for a panic: Update would roll back then, which
// reads the file again on a goroutine that nobody can recover.
func (j *Journal) write(batch []entry) error {
	tx, err := j.db.Begin(true)
	if err != nil {
		return err
	}
	sessions, ends := tx.Bucket(sessionsBucket), tx.Bucket(endsBucket)
	for i := range batch {
		if err := j.apply(sessions, ends, &batch[i]); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (j *Journal) apply(sessions, ends *bbolt.Bucket, e *entry) error {
	if e.taken > 0 {
		return ends.Delete(endID(e.taken))
	}
	c, key := e.change, place(e.change.Key)
	if c.End > 0 {
		if err := ends.Put(endID(c.End), endRecord(c, e.ended)); err != nil {
			return err
		}
	}
	switch {
	case c.Kind == stateservice.Put:
		return sessions.Put(key, record(kindItem, key, c, j.epoch, c.Body))
	case c.Kind == stateservice.Touch:
		old := sessions.Get(key)
		if len(old) < recordHead || old[4] != kindItem {
			return nil // nothing to move
		}
		if !whole(key, old) {
			panic("a record's checksum is wrong") // sealing it again would hide that
		}
		v := append([]byte{}, old...)
		move(v, c, j.epoch)
		return sessions.Put(key, seal(key, v))
	case c.Kind != stateservice.Forget && c.Cookie > 1:
		return sessions.Put(key, record(kindGrave, key, c, j.epoch, nil))
	}
	return sessions.Delete(key)
}

// place is where a key is kept: bbolt has no empty keys.
func place(key string) []byte { return append([]byte{'k'}, key...) }
