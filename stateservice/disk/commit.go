package disk

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/aspsession/aspsession/stateservice"
)

const (
	maxKey   = bbolt.MaxKeySize - 1 // one byte in front of each, because bbolt has no empty keys
	overhead = 96                   // bytes of an entry itself
	quiet    = time.Minute          // between log lines about the same
)

// Append queues a change, as stateservice.Journal says. Errors wrap ErrRefused
// and the cause, or are ErrClosed.
func (j *Journal) Append(c stateservice.Change) error {
	size := int64(len(c.Key) + len(c.Body) + overhead)
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return ErrClosed
	case j.failed != nil:
		return fmt.Errorf("%w: %w", ErrRefused, j.failed)
	case len(c.Key) > maxKey:
		return fmt.Errorf("%w: a key of %d bytes, the most is %d", ErrRefused, len(c.Key), maxKey)
	case j.held > 0 && j.held+size > j.opt.MaxQueue:
		return fmt.Errorf("%w: %d bytes wait for the disk, the limit is %d: the disk is too slow for this load", ErrRefused, j.held, j.opt.MaxQueue)
	}
	e := entry{change: c}
	if c.End > 0 {
		e.ended = j.opt.Now()
	}
	j.add(e, size)
	return nil
}

// EndTaken forgets an end, as stateservice.Journal says.
func (j *Journal) EndTaken(id uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return // it will be told again
	}
	j.taken[id] = struct{}{}
	j.add(entry{taken: id}, overhead)
}

// add needs mu held.
func (j *Journal) add(e entry, size int64) {
	e.at = time.Now()
	if j.oldest.IsZero() {
		j.oldest = e.at
	}
	j.queue = append(j.queue, e)
	j.held += size
	j.appended++
	poke(j.wake)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Sync waits until all that was appended is durable. While commits fail it waits
// for one attempt more and returns its error.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	all, begun := j.appended, j.begun
	for j.committed < all {
		if j.broken || j.over || j.failed != nil && j.done > begun {
			return j.failed
		}
		poke(j.hurry)
		poke(j.wake)
		j.ended.Wait()
	}
	return nil
}

// run commits until stop. Entries that a failed attempt took stay in batch.
func (j *Journal) run() {
	defer close(j.gone)
	var batch []entry
	var logged, slow time.Time
	for {
		if len(batch) == 0 {
			select {
			case <-j.wake:
			case <-j.stop:
				return
			}
			j.pause(j.opt.Gather - j.lag())
		} else {
			j.pause(j.opt.Retry)
		}
		batch = j.take(batch)
		if len(batch) == 0 {
			continue
		}
		err := j.commit(batch)
		waited := j.lag()
		j.finish(batch, err)
		switch {
		case err == nil:
			clear(batch) // the contents are the engine's to free
			batch = batch[:0]
		case j.isBroken():
			j.opt.Logger.Error("disk: the data file failed while in use; changes are refused until a restart, which will check it", "file", j.name, "error", err)
			<-j.stop
			return
		case time.Since(logged) >= quiet:
			j.opt.Logger.Error("disk: commit failed; changes are refused until one succeeds", "file", j.name, "error", err)
			logged = time.Now()
		}
		if err == nil && waited > Window && time.Since(slow) >= quiet {
			j.opt.Logger.Warn("disk: a change waited longer for its commit than promised", "waited", waited, "window", Window)
			slow = time.Now()
		}
		select {
		case <-j.stop:
			return
		default:
		}
	}
}

// pause waits, unless somebody is in a hurry.
func (j *Journal) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-j.hurry:
	case <-j.stop:
	}
}

// take begins an attempt with all that waits.
func (j *Journal) take(batch []entry) []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	batch = append(batch, j.queue...)
	clear(j.queue)
	j.queue = j.queue[:0]
	if len(batch) > 0 {
		j.begun++
	}
	return batch
}

// finish ends an attempt.
func (j *Journal) finish(batch []entry, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.done++
	j.failed = err
	j.broken = errors.Is(err, errPanic)
	if err != nil {
		j.stats.Failures++
		j.ended.Broadcast()
		return
	}
	var size int64
	for _, e := range batch {
		size += int64(len(e.change.Key) + len(e.change.Body) + overhead)
		delete(j.taken, e.taken)
	}
	j.held -= size
	j.committed += uint64(len(batch))
	j.stats.Commits++
	j.stats.Changes += int64(len(batch))
	j.stats.WorstLag = max(j.stats.WorstLag, time.Since(j.oldest))
	j.oldest = time.Time{}
	if len(j.queue) > 0 {
		j.oldest = j.queue[0].at
	}
	j.ended.Broadcast()
}

// lag is the age of the oldest change that is not durable.
func (j *Journal) lag() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.oldest.IsZero() {
		return 0
	}
	return time.Since(j.oldest)
}

func (j *Journal) isBroken() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken
}
