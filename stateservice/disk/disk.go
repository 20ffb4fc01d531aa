package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"

	"github.com/aspsession/aspsession/stateservice"
)

var (
	sessionsBucket = []byte("sessions")
	endsBucket     = []byte("ends")
	stateBucket    = []byte("state")
	epochKey       = []byte("epoch")
)

// A Journal is a stateservice.Journal in a directory. Open makes it; Close ends
// it and its goroutine. It is safe for concurrent use.
type Journal struct {
	name  string // of the file
	opt   Options
	db    *bbolt.DB
	epoch uint32

	mu     sync.Mutex // guards all below
	ended  *sync.Cond // an attempt to commit ended
	queue  []entry    // not taken by the committer yet
	held   int64      // bytes of queue and of the commit under way
	oldest time.Time  // when the first of these was appended; zero: there is none
	taken  map[uint64]struct{}
	failed error // why the last attempt failed; nil: it did not
	broken bool  // bbolt panicked: nothing is tried any more
	closed bool
	over   bool // the committer has ended

	appended, committed uint64 // entries, ever
	begun, done         uint64 // attempts, ever
	stats               Stats

	wake  chan struct{} // there is an entry
	hurry chan struct{} // somebody waits for the commit
	stop  chan struct{}
	gone  chan struct{} // closed when the committer has ended
}

// entry is a change, or an end that was taken.
type entry struct {
	change stateservice.Change
	taken  uint64
	at     time.Time // when it was appended, for the lag
	ended  time.Time // where the change has an end: when that was, by Options.Now
}

// Open opens the directory, or makes it, and starts the committer. Errors are
// ErrMode, ErrLocked, ErrVersion, ErrCorrupt, ErrFull, or the system's.
func Open(dir string, opt Options) (*Journal, error) {
	opt = opt.withDefaults()
	ready, err := makeDir(dir)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, dataName)
	settings := bbolt.Options{Timeout: opt.LockWait, PageSize: pageSize,
		FreelistType: bbolt.FreelistMapType, NoFreelistSync: true} // the free pages are found by reading the tree
	if err := inspect(dir, name, ready, settings, opt); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(name, 0o600, &settings)
	if err != nil {
		return nil, openError(dir, name, err)
	}
	j := &Journal{name: name, opt: opt, db: db, taken: make(map[uint64]struct{}),
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), stop: make(chan struct{}), gone: make(chan struct{})}
	j.ended = sync.NewCond(&j.mu)
	// Only now, with the lock in hand, is anything written.
	if err = probe(dir); err == nil {
		err = j.enter(ready)
	}
	if err == nil && !ready {
		err = markReady(dir)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	go j.run()
	return j, nil
}

// inspect checks the file under a shared lock, so that nobody writes it.
func inspect(dir, name string, ready bool, settings bbolt.Options, opt Options) error {
	if !ready {
		// A start that was cut off may have left an empty file, and nothing else.
		if st, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() == 0 {
			return nil
		}
	}
	settings.ReadOnly = true
	db, err := bbolt.Open(name, 0o600, &settings)
	if errors.Is(err, bberrors.ErrTimeout) || errors.Is(err, fs.ErrPermission) {
		return openError(dir, name, err)
	}
	if err == nil {
		defer db.Close()
	}
	torn, bad := check(name)
	switch d := (damage{}); {
	case errors.As(bad, &d):
		return fmt.Errorf("%w: %s: %w: %s", ErrCorrupt, name, d, cure)
	case bad != nil:
		return fmt.Errorf("disk: cannot read %s: %w; the disk may be failing: %s", name, bad, cure)
	case err != nil:
		return openError(dir, name, err)
	case torn:
		opt.Logger.Warn("disk: one of the two headers is torn, as a power cut can leave it: the commit before is used", "file", name)
	}
	return nil
}

func openError(dir, name string, err error) error {
	switch {
	case errors.Is(err, bberrors.ErrTimeout):
		return fmt.Errorf("%w: another process holds the lock of %s: stop it, or name another directory than %s", ErrLocked, name, dir)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("disk: cannot open %s: %w; run as its owner, or give it to this user", name, err)
	}
	return fmt.Errorf("disk: cannot open %s: %w", name, explain(err))
}

// enter makes the buckets of a new file and counts the opening.
func (j *Journal) enter(ready bool) error {
	err := j.db.Update(func(tx *bbolt.Tx) error {
		sessions := tx.Bucket(sessionsBucket)
		if !ready && sessions != nil && sessions.Stats().KeyN > 0 {
			return fmt.Errorf("%w: %s has sessions but there is no file %s beside it: %s", ErrCorrupt, j.name, formatName, cure)
		}
		for _, name := range [][]byte{sessionsBucket, endsBucket, stateBucket} {
			if ready && tx.Bucket(name) == nil {
				return fmt.Errorf("%w: %s has no bucket %s: %s", ErrCorrupt, j.name, name, cure)
			}
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		state := tx.Bucket(stateBucket)
		v := state.Get(epochKey)
		if v != nil && len(v) != 4 || ready && v == nil {
			return fmt.Errorf("%w: %s does not say how often it was opened: %s", ErrCorrupt, j.name, cure)
		}
		if v != nil {
			j.epoch = binary.LittleEndian.Uint32(v)
		}
		j.epoch++
		return state.Put(epochKey, binary.LittleEndian.AppendUint32(nil, j.epoch))
	})
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("disk: cannot write %s: %w", j.name, explain(err))
	}
	return err
}

// Close commits what waits, ends the committer and lets go of the directory.
// Its error is that of the last commit: what was not written is lost. Appending
// afterwards fails with ErrClosed.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		<-j.gone
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	err := j.Sync()
	close(j.stop)
	<-j.gone
	j.mu.Lock()
	j.over = true
	j.ended.Broadcast()
	j.mu.Unlock()
	if j.broken { // the committer is gone; bbolt's locks may be held for ever, the process's end frees them
		return err
	}
	if err == nil {
		// Once more, with nothing new: now both headers tell of all there is, and
		// a damaged one loses nothing.
		err = j.db.Update(func(*bbolt.Tx) error { return nil })
	}
	return errors.Join(err, j.db.Close())
}

// Stats is what a Journal has to do and has done.
type Stats struct {
	Queued      int           // changes that wait, those of the commit under way not counted
	QueuedBytes int64         // of all that is not durable
	Commits     int64         // that succeeded
	Changes     int64         // in them
	Failures    int64         // commits that failed
	Lag         time.Duration // age of the oldest change that is not durable
	WorstLag    time.Duration // the highest there was when a commit ended
	FileBytes   int64         // the data file's size
	Err         error         // why changes are refused; nil: they are not
}

// Stats tells how the disk keeps up.
func (j *Journal) Stats() Stats {
	lag, size := j.lag(), int64(0)
	if st, err := os.Stat(j.name); err == nil {
		size = st.Size()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Queued, s.QueuedBytes, s.Err, s.Lag, s.FileBytes = len(j.queue), j.held, j.failed, lag, size
	return s
}
