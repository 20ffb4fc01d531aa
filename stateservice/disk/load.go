package disk

import (
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"github.com/aspsession/aspsession/stateservice"
)

// A read holds pages back from reuse, and growth of the file, while it lasts:
// ends are told outside it, so many at a time.
const (
	chunkEnds  = 64
	chunkBytes = 1 << 20
)

// Load yields what is kept, as stateservice.Journal says. Errors are yield's own,
// or wrap ErrCorrupt.
func (j *Journal) Load(yield func(r stateservice.Record) error) error {
	return j.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(sessionsBucket).ForEach(func(key, v []byte) error {
			r, ok := parse(key, v, j.epoch)
			if !ok {
				return j.badRecord("a session")
			}
			return yield(r)
		})
	})
}

// Ends yields ends that were not taken, as stateservice.Journal says.
func (j *Journal) Ends(yield func(e stateservice.End) bool) error {
	// Some wait for their commit. Where that fails, those before are told all the same.
	late := j.Sync()
	from, more := endID(0), true
	for more {
		var ends []stateservice.End
		more = false
		err := j.view(func(tx *bbolt.Tx) error {
			bytes := 0
			c := tx.Bucket(endsBucket).Cursor()
			for id, v := c.Seek(from); id != nil; id, v = c.Next() {
				if len(ends) == chunkEnds || bytes > chunkBytes {
					from, more = append([]byte{}, id...), true
					return nil
				}
				e, ok := parseEnd(id, v)
				if !ok {
					return j.badRecord("an end")
				}
				ends = append(ends, e)
				bytes += len(v)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, e := range ends {
			if !j.isTaken(e.ID) && !yield(e) {
				return late
			}
		}
	}
	return late
}

// isTaken reports an end that was taken and is still in the file.
func (j *Journal) isTaken(id uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, is := j.taken[id]
	return is
}

// view reads; a fault of the disk, whose file is mapped, is an error.
func (j *Journal) view(f func(tx *bbolt.Tx) error) (err error) {
	j.mu.Lock()
	closed, broken, failed := j.closed, j.broken, j.failed
	j.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case broken:
		return failed
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if _, fault := p.(interface{ Addr() uintptr }); fault {
			err = fmt.Errorf("%w: %s: %v", errPanic, j.name, p)
		} else if p != nil {
			panic(p) // yield's own
		}
	}()
	return j.db.View(f)
}

func (j *Journal) badRecord(what string) error {
	return fmt.Errorf("%w: the record of %s in %s is wrong: %s", ErrCorrupt, what, j.name, cure)
}
